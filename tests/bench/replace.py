"""replace --all: 1,000 certificates of 10 names from pebble, new keys, in one run; and once more with the agent on one core and all servers on another,
which shows who waits for whom.

pebble 2.4.0 as Debian has it locks itself up where many orders are made side by side (docs/BENCHMARKS.md): this part wants one that does not, first
in PATH, and is not among those that run by themselves. BENCH_ORDERS: another number."""
import os

import bench
from acme import Asked, run_time
from bench import Counter, World, forget, mb, median, names_of, provider_text, s, table

ZONES, NAMES, ROUNDS = 10, 10, 3
ORDERS = int(os.environ.get("BENCH_ORDERS", "1000"))


def world():
    text = provider_text(ZONES) + (f"[ca pebble]\ntype = acme\ndirectory = {os.environ['LAB_PEBBLE_DIRECTORY']}\n"
                                   f"ca_file = {os.environ['LAB_PEBBLE_CA']}\naccept_terms = yes\n")
    for i in range(ORDERS):
        text += f"[certificate c{i}]\nca = pebble\nkey_type = p256\nnames = {' '.join(names_of(f'r{i}x', NAMES, ZONES))}\n"
    return World("replace", text, "resolvers = none")


def busy():
    """Ticks that each core was not idle, and all ticks."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [[int(t) for t in line.split()[1:]] for line in f if line.startswith("cpu") and line[3].isdigit()]
    return [(sum(t) - t[3] - t[4], sum(t)) for t in ticks]


def apart():
    """All servers of the lab to the second core; the command to start the agent on the first."""
    for name in (n for n in os.environ if n.startswith("LAB_") and n.endswith("_PID")):
        bench.quiet("taskset", "--all-tasks", "--pid", "--cpu-list", "1", os.environ[name])
    return ["taskset", "--cpu-list", "0"]


def measured(w, *words, through=()):
    asked, updates = Asked(), Counter()
    forget("UNBOUND", "PEBBLEDNS")
    before = asked.read(), updates.read(), run_time("PEBBLE"), run_time("NAMED"), busy()
    cost = bench.metered(w.command(*words, "--deadline", "30m"), through=through)
    cost.busy = [100 * (b - a) / (d - c) for (a, c), (b, d) in zip(before[4], busy())]
    cost.requests, cost.updates = asked.read() - before[0], updates.read() - before[1]
    cost.ca, cost.named = run_time("PEBBLE") - before[2], run_time("NAMED") - before[3]
    bench.must_be(w, "done None")
    return cost


def row(label, costs):
    wall, cpu, ca, named = (median(getattr(c, f) for c in costs) for f in ("wall", "cpu", "ca", "named"))
    return [label, s(wall), s(cpu), s(ca), s(named), f"{1000 * cpu / ORDERS:.1f} ms", mb(max(c.rss for c in costs)),
            int(median(c.requests for c in costs)), int(median(c.updates for c in costs)),
            " ".join(f"{median(c.busy[i] for c in costs):.0f} %" for i in range(2))]


def measure():
    w = world()
    w.run("account", "pebble")
    rows = [row("run, first orders", [measured(w, "run")]),
            row("replace --all", [measured(w, "replace", "--all", "--yes") for _ in range(ROUNDS)])]
    through = apart()
    rows.append(row("replace --all, cores apart", [measured(w, "replace", "--all", "--yes", through=through) for _ in range(ROUNDS)]))
    table(f"{ORDERS} certificates of {NAMES} names in {ZONES} zones; pebble, named: CPU time of their threads meanwhile; replace: medians of {ROUNDS}",
          ["command", "wall", "CPU", "pebble", "named", "CPU a certificate", "RSS", "requests", "UPDATEs", "cores busy"], rows)
