"""replace --all: 1,000 certificates of 10 names from pebble, new keys, in one run; and the same cut into runs that end at a deadline."""
import os

import bench
from acme import Asked, run_time
from bench import Counter, World, forget, mb, names_of, provider_text, s, table

ZONES = 10
NAMES = 10
ORDERS = int(os.environ.get("BENCH_ORDERS", "1000"))


def world():
    text = provider_text(ZONES) + (f"[ca pebble]\ntype = acme\ndirectory = {os.environ['LAB_PEBBLE_DIRECTORY']}\n"
                                   f"ca_file = {os.environ['LAB_PEBBLE_CA']}\naccept_terms = yes\n")
    for i in range(ORDERS):
        text += f"[certificate c{i}]\nca = pebble\nkey_type = p256\nnames = {' '.join(names_of(f'r{i}x', NAMES, ZONES))}\n"
    return World("replace", text, "resolvers = none")


def measured(w, *words, codes=(0,)):
    asked, updates = Asked(), Counter()
    forget("UNBOUND", "PEBBLEDNS")
    before = asked.read(), updates.read(), run_time("PEBBLE"), run_time("NAMED")
    cost = w.run(*words, codes=codes)
    cost.requests, cost.updates = asked.read() - before[0], updates.read() - before[1]
    cost.ca, cost.named = run_time("PEBBLE") - before[2], run_time("NAMED") - before[3]
    return cost


def row(label, cost):
    return [label, s(cost.wall), s(cost.ca), f"{cost.wall / cost.ca:.2f}", s(cost.cpu), s(cost.named), mb(cost.rss), cost.requests, cost.updates]


def measure():
    w = world()
    w.run("account", "pebble")
    rows = [row("first orders: run", measured(w, "run", "--deadline", "30m")),
            row("replace --all", measured(w, "replace", "--all", "--yes", "--deadline", "30m"))]
    bench.must_be(w, "done None")
    table(f"{ORDERS} certificates of {NAMES} names in {ZONES} zones; pebble, named: CPU time of their threads during the run",
          ["command", "wall", "pebble", "wall / pebble", "CPU", "named", "RSS", "requests", "UPDATEs"], rows)
