#!/usr/bin/python3 -B
"""Descriptions of APIs whose unit is the set, and of servers in one's own house, against simulated ones (tests/clouds/apis); what is played: conform_cases.py."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from conform_cases import described, inside, main  # noqa: E402
from desec import Desec  # noqa: E402
from gandi import Gandi  # noqa: E402
from godaddy import Godaddy  # noqa: E402
from infoblox import Infoblox  # noqa: E402
from ns1 import Ns1  # noqa: E402
from technitium import Technitium  # noqa: E402

PROVIDERS = (  # one a line
    ("desec", Desec, "token_file = SECRET"),
    ("gandi", Gandi, "token_file = SECRET"),
    ("godaddy", Godaddy, "api_key = key\nsecret_file = SECRET"),
    ("ns1", Ns1, "key_file = SECRET"),
    ("infoblox", Infoblox, "url = http://GATE/wapi/v2.12\nusername = dcvagent\npassword_file = SECRET"),
    ("technitium", Technitium, "url = http://GATE\ntoken_file = SECRET"),
)

inside(__file__, "named", "unbound", f"zones={len(PROVIDERS)}")
sys.exit(main('sets', (described(kind, api(f"z{i}.test"), keys) for i, (kind, api, keys) in enumerate(PROVIDERS, 1))))
