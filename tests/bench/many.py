"""10,000 certificates in use, nothing due: what `status` and cron's `run` cost then."""
import os
import sqlite3
import time

from bench import World, median, mb, s, table

COUNT = 10000
ROUNDS = 5


def configuration(count):
    return ("[provider bind]\ntype = rfc2136\nserver = 192.0.2.53\nzones = test\n"
            f"tsig_key_file = {os.environ['LAB_KEYS']}/lab-key.key\n[ca ecert]\ntype = manual\nrecord = name\n"
            + "".join(f"[certificate c{i:05}]\nca = ecert\nproduct = multi-domain\nnames = www.c{i:05}.test c{i:05}.test\n" for i in range(count)))


def fill(world, count):
    """What `count` issued certificates leave in the store: a row each, its closed order, and some evidence."""
    world.run("run", "c00000", codes=(75,))
    db = sqlite3.connect(os.path.join(world.state, "state.db"))
    now = int(time.time())

    def copy(table_name, rows):
        columns = [r[1] for r in db.execute(f"pragma table_info({table_name})")]
        db.executemany(f"insert into {table_name} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
                       ([r.get(c, "" if c in TEXTS else 0) for c in columns] for r in rows))
    texts = {t: {r[1] for r in db.execute(f"pragma table_info({t})") if r[2] in ("TEXT", "BLOB")} for t in ("certs", "orders", "evidence")}
    blobs = {"csr": b"x" * 900, "certificate": b"x" * 3500}
    TEXTS = texts["certs"]
    db.execute("delete from certs")
    db.execute("delete from orders")
    copy("certs", ({"name": f"c{i:05}", "ca": "ecert", "names": f"www.c{i:05}.test c{i:05}.test", "key_type": "rsa2048", "serial": f"{i:032x}",
                    "fingerprint": f"{i:064x}", "not_before": now - 86400, "not_after": now + 198 * 86400, "archive": 1, "installed": now,
                    "last_run": now, "next_at": now + 168 * 86400, "next_action": "renew"} for i in range(count)))
    TEXTS = texts["orders"]
    copy("orders", ({"id": f"20261128-{i:010x}", "cert": f"c{i:05}", "ca": "ecert", "names": f"www.c{i:05}.test c{i:05}.test", "key_type": "rsa2048",
                     "handle": "{}", "facts": "{}", "state": "done", "begun": now - 86400, "changed": now, "spki": f"{i:064x}", "sent": 1, **blobs}
                    for i in range(count)))
    db.commit()
    db.close()


def measure():
    world = World("many", configuration(COUNT))
    fill(world, COUNT)
    rows = []
    for what, words, codes in (("status", ("status",), (0,)), ("status --json", ("status", "--json"), (0,)),
                               ("status of one", ("status", "c00017"), (0,)), ("run, nothing due", ("run",), (0,)),
                               ("run of one", ("run", "c00017"), (0,)), ("config check", ("config", "check"), (0,))):
        costs = [world.run(*words, codes=codes) for _ in range(ROUNDS)]
        private = world.run(*words, codes=codes, sample=True).private
        rows.append([what, s(median(c.wall for c in costs)), s(median(c.cpu for c in costs)), mb(max(c.rss for c in costs)), mb(private)])
    table(f"{COUNT:,} certificates, medians of {ROUNDS}", ["command", "wall", "CPU", "RSS", "private"], rows)
