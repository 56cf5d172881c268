#!/usr/bin/python3 -B
"""How many requests a hundred names in one zone take, counted by simulated APIs (tests/clouds/apis): one write where the API can batch; and that `plan`
knew it before."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from cloudflare import Cloudflare  # noqa: E402
from conform_cases import described, inside  # noqa: E402
from desec import Desec  # noqa: E402
from digitalocean import DigitalOcean  # noqa: E402
from scaleway import Scaleway  # noqa: E402

PROVIDERS = (  # writes that add a hundred names; where one write carries one record, a hundred
    ("cloudflare", Cloudflare, "token_file = SECRET", 1),
    ("desec", Desec, "token_file = SECRET", 1),
    ("scaleway", Scaleway, "secret_key_file = SECRET", 1),
    ("digitalocean", DigitalOcean, "token_file = SECRET", 100),
)
FEW_READS = 6
done = []


def ok(good, what, said=""):
    done.append(good)
    print(f"{'ok' if good else 'not ok'} {len(done)} - {what}", *([f"# {line}" for line in str(said).splitlines()] if not good else []), sep="\n", flush=True)


def play(kind, api, keys, wanted):
    p = described(kind, api, keys)
    run = p.agent.run
    with open(p.agent.conf, "r+", encoding="utf-8") as f:
        text = f.read().replace("[verify]\n", "[verify]\ntimeout = 1s\n")  # what stands at the API is seen in no DNS
        f.seek(0)
        f.write(text + f"[ca hand]\ntype = manual\nrecord = name\nchain_files = {PKI}/old.pem {PKI}/new.pem {PKI}/root.pem\n")
        for name in ("a", "b"):
            f.write(f"[certificate {name}]\nca = hand\nproduct = multi-domain\nnames = {' '.join(f'{name}{i}.{api.zone}' for i in range(50))}\n")

    def counted(*words):
        """(exit code, output, writes, reads)"""
        api.log.clear()
        code, out = run(*words)
        writes = sum(api.is_write(*line.split(" ", 1)) for line in api.log)
        return code, out, writes, len(api.log) - writes

    _, plan, writes, _ = counted("plan", "a")
    said = re.search(r"about (\d+) requests: (\d+) writes, (\d+) reads", plan)
    ok(said and writes == 0, f"{kind}: plan tells its requests and writes nothing", plan)
    for name in ("a", "b"):
        run("pin", name, "--reference", "123456789")
        run("run", name)
        run("code", name, f"code-{name}")
    _, out, added, _ = counted("run", "a")
    _, _, deleted, _ = counted("cancel", "a")
    ok(said and int(said.group(2)) == added + deleted and api.view() == {}, f"{kind}: fifty names: {added} to add, {deleted} to delete, as plan said", (out, plan))
    run("pin", "a", "--reference", "123456789")
    run("run", "a")
    run("code", "a", "code-a")
    _, out, writes, reads = counted("run", "a", "b")
    ok(writes == wanted and len(api.view()) == 100, f"{kind}: a hundred names: {writes} write{'s' if writes > 1 else ''}, {reads} reads", out + str(writes))
    ok(reads <= FEW_READS, f"{kind}: the zone is read as a whole, before and after", "\n".join(api.log))


inside(__file__, "named", "unbound", f"zones={len(PROVIDERS)}")
PKI = os.path.join(os.environ["LAB_DIR"], "pki")
subprocess.run([os.path.join(HERE, "pki"), "make", PKI], check=True, stdout=subprocess.DEVNULL)
for number, (kind_, api_, keys_, wanted_) in enumerate(PROVIDERS, 1):
    play(kind_, api_(f"z{number}.test"), keys_, wanted_)
print(f"1..{len(done)}")
sys.exit(not all(done))
