#!/usr/bin/python3 -B
"""Programs and small protocols whose records go to a real server, written by nsupdate; what is played: conform_cases.py."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from callbacks import Httpreq  # noqa: E402
from conform import Dns  # noqa: E402
from conform_cases import Provider, described, inside, main, secret_file  # noqa: E402

NSUPDATE = os.path.join(HERE, "..", "..", "contrib", "windows-dns", "dcvagent-nsupdate")
LEGO = """#!/usr/bin/python3 -B
import os, subprocess, sys
sys.path.insert(0, "HERE")
from conform import quoted
op, ttl = {"present": ("add", "120"), "cleanup": ("delete", "")}[sys.argv[1]]
server, value = os.environ["NSUPDATE_SERVER"], os.fsencode(sys.argv[3])
there = subprocess.run(["dig", "+noall", "+answer", "@" + server.split()[0], "-p", (server + " 53").split()[1], "+tcp", sys.argv[2], "TXT"],
                       stdout=subprocess.PIPE, text=True, check=True).stdout.split()
ttl = there[1] if ttl and there else ttl
text = quoted([value[i:i + 255] for i in range(0, len(value), 255)])
script = f"server {server}\\nupdate {op} {sys.argv[2]} {ttl} TXT {text}\\nsend\\n"
subprocess.run(["nsupdate", "-v", *os.environ["NSUPDATE_OPTIONS"].split()], input=script, text=True, check=True)
"""


def lego_program():
    path = secret_file("lego", LEGO.replace("HERE", HERE))
    os.chmod(path, 0o755)
    return path


def providers():
    """One a line."""
    named = os.environ["LAB_NAMED"]
    house = Dns(named, "z3.test")
    yield Provider("exec: nsupdate, named 9.18", "exec", f"command = {NSUPDATE}\nenv_file = ENV_FILE\nserver = {named}\ngrade = A",
                   Dns(named, "example.com"), (named, 53), claim="A")
    yield Provider("lego-exec: nsupdate, named 9.18", "lego-exec",
                   f"command = {lego_program()}\nenv_file = ENV_FILE\nserver = {named}\ngrade = A", Dns(named, "z2.test"), (named, 53), claim="A")
    yield described("httpreq", Httpreq(house), f"url = http://GATE/hook\nusername = me\npassword_file = SECRET\nserver = {named}\ngrade = A", house, claim="A")


inside(__file__, "named", "unbound", "zones=3")
sys.exit(main("programs", providers()))
