"""100 names in 10 zones: writes, time and memory of the run that publishes and verifies; then many orders at once."""
import os
import re

from bench import Counter, World, api_text, forget, mb, median, must_be, names_of, orders_text, provider_text, s, table, to_code

ZONES = 10
ROUNDS = 5


def resolvers():
    return f"resolvers = {os.environ['LAB_UNBOUND']} {os.environ['LAB_UNBOUND2']}"


class ApiCounter:
    """Requests as pdns_server's log has them."""

    def read(self):
        with open(os.path.join(os.environ["LAB_DIR"], "log", "pdns.log"), encoding="utf-8") as f:
            text = f.read()
        return Requests(len(re.findall(r'"PATCH ', text)), len(re.findall(r'"GET /api/v1/servers/localhost/zones/', text)))


class Requests(tuple):
    """(writes, reads)"""

    def __new__(cls, *counts):
        return super().__new__(cls, counts)

    def __sub__(self, other):
        return Requests(*(a - b for a, b in zip(self, other)))

    def __str__(self):
        return " + ".join(map(str, self))


def hundred():
    ways(f"100 names in {ZONES} zones, one run; UPDATEs as named counts them; medians of {ROUNDS}", "UPDATEs", provider_text(ZONES), "z", Counter())


def by_api():
    ways(f"The same by the PowerDNS API; PATCHes + zone reads as pdns_server logs them; medians of {ROUNDS}", "writes + reads", api_text(ZONES), "p",
         ApiCounter())


def ways(title, counted, provider, letter, counter):
    """Two orders of 50 names, the most that a multi-domain certificate of the CA holds: published, then removed."""
    orders = {f"c{i}": names_of(i, 50, ZONES, letter) for i in range(2)}
    adds, deletes, publish, remove = [], [], [], []
    for i in range(ROUNDS + 1):
        world = World("hundred", provider + orders_text(orders), resolvers())
        forget("UNBOUND", "UNBOUND2")
        to_code(world, orders, f"code-{i}")
        sample = i == ROUNDS  # the sampler takes time of its own: that round counts for memory alone
        before = counter.read()
        publish.append(world.run("run", codes=(75,), sample=sample))
        between = counter.read()
        must_be(world, "visible confirm")
        remove.append(world.wind_up(sample))
        adds.append(between - before)
        deletes.append(counter.read() - between)
    head = ["run", counted, "wall", "CPU", "RSS", "private"]
    rows = [[what, "/".join(map(str, sorted(set(counts)))), s(median(c.wall for c in costs[:-1])), s(median(c.cpu for c in costs[:-1])),
             mb(max(c.rss for c in costs)), mb(costs[-1].private)]
            for what, counts, costs in (("publish, read back, 3 views a name", adds, publish), ("remove, read back", deletes, remove))]
    table(title, head, rows)


def scaling():
    rows = []
    for count in (1, 10, 50):
        orders = {f"o{i:02}": names_of(f"s{i}", 20, ZONES) for i in range(count)}
        costs = []
        for i in range(3):
            world = World("scaling", provider_text(ZONES) + orders_text(orders), resolvers())
            forget("UNBOUND", "UNBOUND2")
            to_code(world, orders, f"code-{count}-{i}")
            costs.append(world.run("run", codes=(75,)))
            must_be(world, "visible confirm")
            world.wind_up()
        wall, cpu = median(c.wall for c in costs), median(c.cpu for c in costs)
        rows.append([f"{count} x 20 names", s(wall), s(cpu), f"{wall / count / 20 * 1e3:.2f} ms", f"{cpu / count / 20 * 1e3:.2f} ms",
                     mb(max(c.rss for c in costs))])
    table("Orders side by side in one run (publish and verify), medians of 3", ["orders", "wall", "CPU", "wall a name", "CPU a name", "RSS"], rows)
