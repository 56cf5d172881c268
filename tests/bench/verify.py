"""1,000 names at 8 resolvers and their authority, in one `check --resolvers`."""
import os
import re

from bench import RESPONDER, Background, World, mb, median, must_be, names_of, orders_text, provider_text, s, table, to_code

ZONES = 10
ADDRESSES = [f"192.0.2.{n}" for n in (1, 9, 25, 80, 81, 82, 83)] + ["198.51.100.9"]  # free ones of the lab
ROUNDS = 5
CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab", "chaos.py")


def unbound(address):
    folder = os.path.join(os.environ["LAB_DIR"], f"bench-unbound-{address}")
    os.makedirs(folder, exist_ok=True)
    conf = os.path.join(folder, "unbound.conf")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(f'server:\n    directory: "{folder}"\n    chroot: ""\n    username: ""\n    pidfile: ""\n    use-syslog: no\n    do-daemonize: no\n'
                f'    num-threads: 1\n    verbosity: 1\n    module-config: "iterator"\n    interface: {address}\n    outgoing-interface: {address}\n'
                f'    access-control: 0.0.0.0/0 allow\n    do-ip6: no\n    do-not-query-localhost: no\n    local-zone: "test." nodefault\n'
                f'forward-zone:\n    name: "test."\n    forward-addr: {os.environ["LAB_NAMED"]}\n')
    return Background(["unbound", "-d", "-c", conf], "start of service")


def checked(world, *more, sample=False, views=9000, codes=(0,)):
    cost = world.run("-v", "check", "--resolvers", *more, sample=sample, codes=codes)
    found = re.search(r"(\d+) records, (\d+) views asked in (\d+) ms", cost.out)
    cost.records, cost.views, cost.dns = int(found.group(1)), int(found.group(2)), int(found.group(3)) / 1000
    if cost.records != 1000 or cost.views < views:
        raise SystemExit(f"bench: {cost.records} records at {cost.views} views, wanted 1,000 at {views:,}")
    return cost


def resolvers(world, addresses):
    with open(world.conf, "r+", encoding="utf-8") as f:
        text = re.sub(r"^resolvers = .*\n", "", f.read(), flags=re.M).replace("[verify]\n", f"[verify]\nresolvers = {' '.join(addresses)}\n")
        f.seek(0)
        f.truncate()
        f.write(text)


def bad_weather(world):
    """Five resolvers: three behind a line that loses 30 % of the datagrams each way, one that lies, one that is dead."""
    lossy = [f"{a}:5301" for a in ADDRESSES[:3]]
    liar, dead = f"{ADDRESSES[3]}:5301", "198.18.0.1"
    resolvers(world, lossy + [liar, dead])
    proxies = [Background([CHAOS, lossy[i], ADDRESSES[i], "loss=30", f"seed={i + 1}"], "ready") for i in range(3)]
    proxies.append(Background([CHAOS, liar, ADDRESSES[3], "lie=3600", "type=16"], "ready"))
    try:
        return row("3 lossy (30 %), a liar, a dead one", [checked(world, views=5000, codes=(0, 12))], 0)
    finally:
        for proxy in proxies:
            proxy.__exit__()
        resolvers(world, ADDRESSES)


def row(what, costs, private):
    return [what, s(median(c.dns for c in costs)), s(median(c.wall for c in costs)), s(median(c.cpu for c in costs)), mb(max(c.rss for c in costs)),
            mb(private) if private else "-"]


def measure():
    orders = {f"v{i:02}": names_of(f"v{i}", 50, ZONES) for i in range(20)}
    world = World("verify", provider_text(ZONES) + orders_text(orders))
    to_code(world, orders, "code-v")
    world.run("run", codes=(75,))
    must_be(world, "visible confirm")
    resolvers(world, ADDRESSES)
    rows = []
    with Background([RESPONDER, "code-v"] + ADDRESSES, "ready"):
        rows.append(row("8 light responders", [checked(world) for _ in range(ROUNDS)], checked(world, sample=True).private))
        rows.append(row("the same, --json", [checked(world, "--json") for _ in range(3)], checked(world, "--json", sample=True).private))
        rows.append(bad_weather(world))
    servers = [unbound(a) for a in ADDRESSES]
    try:
        rows.append(row("8 unbound, empty caches", [checked(world)], 0))
        rows.append(row("8 unbound, full caches", [checked(world) for _ in range(ROUNDS)], 0))
    finally:
        for server in servers:
            server.__exit__()
    table(f"1,000 names at 8 resolvers and their authority (9,000 views), medians of {ROUNDS}; DNS: the questions alone",
          ["check --resolvers", "DNS", "whole process", "CPU", "RSS", "private"], rows)
    world.wind_up()
