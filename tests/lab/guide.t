#!/usr/bin/python3 -B
"""docs/GUIDE.md as a new user would try it: the commands exist with their options, every configuration passes config check, the manual way of part C and the
keys of F and G are played line by line as they stand there. And the Chinese guide has the same commands and configuration."""
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
if not os.environ.get("LAB_DIR"):
    os.execv(os.path.join(HERE, "up"), [os.path.join(HERE, "up"), "named", "unbound", "--", os.path.abspath(__file__)])
DCVAGENT = os.path.abspath(os.environ.get("DCVAGENT") or os.path.join(TOP, "build", "dcvagent"))
LAB = os.environ["LAB_DIR"]
T = os.path.join(LAB, "guide")
count, bad = 0, 0


def ok(what, good, why=""):
    global count, bad
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}", flush=True)
    if not good:
        bad = 1
        print("# " + str(why).strip().replace("\n", "\n# "), flush=True)


def read(name):
    with open(os.path.join(TOP, "docs", name), encoding="utf-8") as f:
        return f.read()


def configurations(text):
    return re.findall(r"^```ini\n(.*?)^```", text, re.M | re.S)


def commands(text):
    """What is typed: indented lines, and commands within sentences."""
    typed = [line.strip() for line in re.findall(r"^    (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)]
    typed = [re.sub(r"\s+# .*", "", line) for line in typed]
    return typed, re.findall(r"`(dcvagent [^`]*)`", text)


def of_part(text, title):
    """The typed commands of one part, in order."""
    start = text.index(title)
    end = re.compile(r"^##+ ", re.M).search(text, start + len(title))
    return [line for line in commands(text[start:end.start() if end else None])[0] if line.startswith("dcvagent ")]


def dcv(*words, stdin=""):
    done = subprocess.run([DCVAGENT, "--config", f"{T}/dcvagent.ini", *words], input=stdin, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


# --- both languages ----------------------------------------------------------------------------------------------------------------------------
english, chinese = read("GUIDE.md"), read("GUIDE.zh-HK.md")
plain = [[re.sub(r"^;.*\n", "", c, flags=re.M) for c in configurations(t)] for t in (english, chinese)]
ok(f"the same {len(plain[0])} configurations in both languages", plain[0] == plain[1] and len(plain[0]) > 6, [a for a, b in zip(*plain) if a != b])
typed, named = zip(*(commands(t) for t in (english, chinese)))
ok(f"the same {len(typed[0])} typed lines", typed[0] == typed[1] and len(typed[0]) > 40, set(typed[0]) ^ set(typed[1]))
ok("the same parts, B to G", all(re.search(rf"^## {p}\. ", t, re.M) for t in (english, chinese) for p in "BCDEFG"))
for name, text in (("GUIDE.md", english), ("GUIDE.zh-HK.md", chinese)):
    anchors = {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
    missing = [a for a in re.findall(r"\]\(#([^)]*)\)", text) if a not in anchors]
    ok(f"{name}: its links lead somewhere", not missing, (missing, sorted(anchors)))

# --- commands and options ------------------------------------------------------------------------------------------------------------------------
wrong = []
for_all = subprocess.run([DCVAGENT, "--help"], capture_output=True, text=True, check=False).stdout
for line in {c for c in typed[0] + named[0] + named[1] if c.startswith("dcvagent ")}:
    words = line.split()
    help_of = subprocess.run([DCVAGENT, words[1], "--help"], capture_output=True, text=True, check=False)
    wrong += [line] if help_of.returncode else [f"{line}: {w}" for w in words if w.startswith("--") and w not in help_of.stdout + for_all]
ok("commands and options are those of the program", not wrong, "\n".join(wrong))
scripts = subprocess.run(["grep", "-ohE", r"^function [A-Za-z-]+", os.path.join(TOP, "contrib/iis/DcvagentIis.psm1")], capture_output=True, text=True, check=False).stdout
wrong = [c for c in re.findall(r"^    ((?:Remove|Import|Install|Complete)-(?!Module)\w+)", english, re.M) if f"function {c}\n" not in scripts]
ok("so are those of the Windows scripts", not wrong, wrong)

# --- configurations ------------------------------------------------------------------------------------------------------------------------------
os.makedirs(f"{T}/etc/ecert")
os.makedirs(f"{T}/backup")
os.makedirs(f"{T}/www")
shutil.copytree(os.path.join(TOP, "contrib/hooks"), f"{T}/lib")
subprocess.run(["chmod", "-R", "go-w", T], check=True)
shutil.copy(os.path.join(os.environ["LAB_KEYS"], "lab-key.key"), f"{T}/etc/bind.key")
for name in ("backup.password", "shop.pfx.password"):
    with open(f"{T}/etc/{name}", "w", encoding="ascii") as f:
        f.write("a password for the guide\n")
subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{T}/iis.key", "-subj", "/C=HK/CN=www.example.hk", "-out", f"{T}/etc/certreq.txt"],
               check=True, capture_output=True)
subprocess.run([os.path.join(HERE, "pki"), "make", f"{T}/pki"], check=True, capture_output=True)
for name in ("old", "new", "root"):
    shutil.copy(f"{T}/pki/{name}.pem", f"{T}/etc/ecert/")
for name in os.listdir(f"{T}/etc"):
    if os.path.isfile(f"{T}/etc/{name}"):
        os.chmod(f"{T}/etc/{name}", 0o600)


def sections(text):
    """{head: lines} in order."""
    parts = re.split(r"^(\[.*\])$", text, flags=re.M)
    return {parts[i]: parts[i + 1] for i in range(1, len(parts), 2)}


def here(text):
    for was, now in (("/etc/dcvagent", f"{T}/etc"), ("/var/lib/dcvagent", f"{T}/state"), ("/mnt/backup", f"{T}/backup"), ("/usr/local/lib/dcvagent", f"{T}/lib"),
                     ("/var/www/html", f"{T}/www"), ("/usr/bin/sudo -n ", "")):
        text = text.replace(was, now)
    return text


def write(*blocks):
    """The blocks one over the other, with what the lab has instead of the public internet."""
    all_of = {}
    for block in blocks:
        all_of.update(sections(block))
    text = here("".join(head + body.rstrip() + "\n" for head, body in all_of.items()))
    text = text.replace("resolvers = 1.1.1.1 8.8.8.8 9.9.9.9", f"resolvers = {os.environ['LAB_UNBOUND']}\ndiscovery = {os.environ['LAB_UNBOUND']}\nsettle = 0s")
    text = text.replace("server = 192.0.2.53", f"server = {os.environ['LAB_NAMED']}")
    with open(os.open(f"{T}/dcvagent.ini", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(text)


base, ca, *others = configurations(english)
for i, block in enumerate([""] + others):
    write(base, ca, block)
    code, out = dcv("config", "check")
    ok(f"configuration {i}: {(block.splitlines() or ['as written'])[-1]}: config check", code == 0, out + open(f"{T}/dcvagent.ini", encoding="utf-8").read())

# --- a new user, by hand ---------------------------------------------------------------------------------------------------------------------------
manual = next(b for b in others if "type = manual" in b)
write(base, ca, manual)
with open(f"{T}/dcvagent.ini", encoding="utf-8") as f:
    text = f.read()
with open(f"{T}/dcvagent.ini", "w", encoding="utf-8") as f:
    f.write(text.replace(" pay.example.hk", "")) # the lab's zone has no such name
codes = {"plan": {0}, "doctor": {0, 1}}


def issue():
    code, csr = dcv("csr", "shop")
    with open(f"{T}/shop.csr", "w", encoding="ascii") as f:
        f.write(csr)
    done = subprocess.run([os.path.join(HERE, "pki"), "issue", f"{T}/pki", f"{T}/shop.csr", f"{T}/cert.cer", "199", "www.example.hk,example.hk", "Example Limited"],
                          capture_output=True, text=True, check=False)
    ok("the CA issues for that CSR", code == 0 and done.returncode == 0, done.stdout + done.stderr)


def state():
    import json
    c = json.loads(dcv("status", "--json", "shop")[1])["certificates"][0]
    return f'{c["state"]} {c["waiting_for"]}'


def follow(line, wanted, stdin=""):
    line_of, _, file = line.partition(" < ")
    if file:
        with open(f"{T}/{file}", encoding="ascii") as f:
            stdin = f.read()
    code, out = dcv(*[w.strip("'").replace("/mnt/backup", f"{T}/backup") for w in line_of.split()[1:]], stdin=stdin)
    ok(f"{line} ({code})", code in wanted, out)


for line in of_part(english, "## Before you begin"):
    follow(line, {0, 1} if "doctor" in line else {0})
for line, reached in zip(of_part(english, "### With `type = manual`"),
                         ("new None", "prepared code", "prepared code", "visible confirm", "visible confirm", "validated operator", "submitted certificate", "submitted certificate",
                          "done None")):
    if "import" in line:
        issue()
    if "submitted" in line:
        ok("the CSR lies where the guide says", os.path.exists(f"{T}/state/csr/shop.pem"))
    follow(line, {0, 75})
    if line.startswith("dcvagent run"):
        ok(f"then: {reached}", state() == reached, state())
ok("it is installed", os.path.exists(f"{T}/state/live/shop/fullchain.pem"))
ok("the first backup of part F was made by itself", len(os.listdir(f"{T}/backup")) >= 1, os.listdir(f"{T}/backup"))
for line in of_part(english, "## F. "):
    follow(line, {0}, stdin="guide password\n")
shutil.rmtree(f"{T}/was", ignore_errors=True)
key = os.path.realpath(f"{T}/state/live/shop/privkey.pem")
shutil.copy(key, f"{T}/privkey.pem")
os.remove(key)
for line in of_part(english, "## G. "):
    follow(line, {0}, stdin="guide password\n")
ok("the key is back", os.path.exists(key) and open(key, "rb").read() == open(f"{T}/privkey.pem", "rb").read())
for line in of_part(english, "## From then on"):
    if "replace --all" not in line:
        follow(line, {0})
print(f"1..{count}")
sys.exit(bad)
