#!/usr/bin/python3 -B
"""Providers at servers that are real; what is played: conform_cases.py."""
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from conform import Dns, Sets  # noqa: E402
from conform_cases import Provider, inside, main, secret_file  # noqa: E402
from mock_powerdns import PowerDns  # noqa: E402


def providers():
    """One a line."""
    env, keys = os.environ, os.environ["LAB_KEYS"]
    tsig, api = f"tsig_key_file = {keys}/lab-key.key", f"api_key_file = {secret_file('api.key', env['LAB_API_KEY'])}"
    named, knot, pdns = env["LAB_NAMED"], env["LAB_KNOT"], env["LAB_PDNS"]
    alone = threading.Lock()  # two who write to pdns_server's SQLite database at the same moment: one of them gets SERVFAIL or 500
    mock = PowerDns("192.0.2.81", 8081, env["LAB_API_KEY"], "5.0.2", "z1.test")
    threading.Thread(target=mock.serve_forever, daemon=True).start()
    yield Provider("rfc2136: named 9.18", "rfc2136", f"server = GATE\n{tsig}", Dns(named, "example.hk"), (named, 53))
    yield Provider("rfc2136: knotd 3.2", "rfc2136", f"server = GATE\n{tsig}", Dns(knot, "example.net"), (knot, 53))
    yield Provider("rfc2136: pdns_server 4.7", "rfc2136", f"server = GATE\n{tsig}", Dns(pdns, "p1.test"), (pdns, 53), alone=alone)
    yield Provider("powerdns: pdns_server 4.7", "powerdns", f"url = http://GATE\n{api}", Dns(pdns, "example.org"), (pdns, 8081), http=True, alone=alone)
    yield Provider("description: pdns_server 4.7", "pdns-described", f"url = http://GATE\n{api}", Dns(pdns, "p2.test"), (pdns, 8081), http=True, alone=alone)
    yield Provider("powerdns: simulated 5.0.2", "powerdns", f"url = http://GATE\n{api}", Sets(mock), ("192.0.2.81", 8081), http=True, claim="A")


inside(__file__, "named", "knot", "pdns", "unbound", "zones=1", "pzones=2")
sys.exit(main("servers", providers()))
