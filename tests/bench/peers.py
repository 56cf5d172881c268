"""The DNS part beside what hooks and scripts do with nsupdate and dig: the same 100 names, the same servers, in turn in the same run."""
import os

from bench import World, forget, metered, median, must_be, names_of, orders_text, provider_text, quiet, s, table, to_code

ZONES = 10
ROUNDS = 5


def zone_of(name):
    return name.split(".", 1)[1]


def add_lines(names, value, verb="add"):
    return "".join(f'update add {n} 60 TXT "{value}"\n' if verb == "add" else f'update delete {n} TXT "{value}"\n' for n in names)


def nsupdate(path, groups, value, verb="add"):
    """A script that runs nsupdate once for each group of names (all of one zone)."""
    key = os.path.join(os.environ["LAB_KEYS"], "lab-key.key")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nset -e\n")
        for names in groups:
            f.write(f"nsupdate -k {key} <<'END'\nserver {os.environ['LAB_NAMED']}\nzone {zone_of(names[0])}\n{add_lines(names, value, verb)}send\nEND\n")


def dig_each(path, names, value, servers):
    """One dig for each name and server, as hooks and wait loops do."""
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nset -e\n")
        for at in servers:
            for n in names:
                f.write(f"dig +short @{at} {n} TXT | grep -qF '\"{value}\"'\n")


def dig_batch(path, names, value, servers):
    """The best that one dig a server does: a file of questions, one after the other."""
    with open(path + ".names", "w", encoding="utf-8") as f:
        f.write("".join(f"{n} TXT\n" for n in names))
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nset -e\n")
        for at in servers:
            f.write(f"[ \"$(dig +short @{at} -f {path}.names | grep -cF '\"{value}\"')\" = {len(names)} ]\n")


def measure():
    orders = {f"p{i}": names_of(f"p{i}", 50, ZONES) for i in range(2)}
    names = [n for l in orders.values() for n in l]
    servers = [os.environ[k] for k in ("LAB_NAMED", "LAB_UNBOUND", "LAB_UNBOUND2")]
    folder = os.path.join(os.environ["LAB_DIR"], "peers")
    os.makedirs(folder, exist_ok=True)
    zones = [[n for n in names if zone_of(n) == f"z{i}.test"] for i in range(1, ZONES + 1)]
    costs = {"ours": [], "each": [], "batch": []}

    def scripts(what, groups, dig, i):
        value = f"{what}-{i}"
        add, look, gone = (os.path.join(folder, f) for f in ("add", "look", "gone"))
        nsupdate(add, groups, value)
        dig(look, names, value, servers)
        nsupdate(gone, zones, value, "delete")
        forget("UNBOUND", "UNBOUND2")
        costs[what].append((metered(["sh", add]), metered(["sh", look])))
        quiet("sh", gone)

    def ours(i):
        world = World("peers-ours", provider_text(ZONES) + orders_text(orders), f"resolvers = {' '.join(servers[1:])}")
        to_code(world, orders, f"ours-{i}")
        forget("UNBOUND", "UNBOUND2")
        costs["ours"].append((world.run("run", codes=(75,)),))
        must_be(world, "visible confirm")
        world.wind_up()

    for i in range(ROUNDS):
        ours(i)
        if i % 2 == 0:  # 400 processes: three rounds will do
            scripts("each", [[n] for n in names], dig_each, i)
        scripts("batch", zones, dig_batch, i)

    def total(what, field):
        return median(sum(getattr(c, field) for c in parts) for parts in costs[what])
    rows = []
    for what, label in (("ours", "dcvagent run"), ("each", "nsupdate a name, dig a name and server"), ("batch", "nsupdate a zone, dig -f a server")):
        parts = [s(median(p[k].wall for p in costs[what])) for k in range(2)] if what != "ours" else ["-", "-"]
        rows.append([label, *parts, s(total(what, "wall")), s(total(what, "cpu")), f"{total(what, 'wall') / total('ours', 'wall'):.1f}",
                     f"{total(what, 'cpu') / total('ours', 'cpu'):.1f}"])
    table(f"100 names in {ZONES} zones written and seen by one authority and two resolvers, in turn, medians of {ROUNDS} (the second row: of 3)",
          ["", "write", "verify", "wall", "CPU", "wall / ours", "CPU / ours"], rows)
