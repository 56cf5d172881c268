#!/usr/bin/python3 -B
"""More descriptions of APIs whose unit is the single record, against simulated servers (tests/clouds/apis); what is played: conform_cases.py."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from conform_cases import described, inside, main  # noqa: E402
from bunny import Bunny  # noqa: E402
from domeneshop import Domeneshop  # noqa: E402
from ionos import Ionos  # noqa: E402
from luadns import Luadns  # noqa: E402
from mythicbeasts import MythicBeasts  # noqa: E402
from namecom import Namecom  # noqa: E402
from netcup import Netcup  # noqa: E402
from netlify import Netlify  # noqa: E402
from scaleway import Scaleway  # noqa: E402

PROVIDERS = (  # one a line
    ("namecom", Namecom, "username = me\ntoken_file = SECRET"),
    ("scaleway", Scaleway, "secret_key_file = SECRET"),
    ("ionos", Ionos, "key_file = SECRET"),
    ("bunny", Bunny, "key_file = SECRET"),
    ("netlify", Netlify, "token_file = SECRET"),
    ("domeneshop", Domeneshop, "token = token\nsecret_file = SECRET"),
    ("luadns", Luadns, "email = me@example.hk\nkey_file = SECRET"),
    ("mythicbeasts", MythicBeasts, "key_id = abcd1234\nsecret_file = SECRET"),
    ("netcup", Netcup, "customer_number = 12345\napi_key_file = SECRET\napi_password_file = SECRET"),
)

inside(__file__, "named", "unbound", f"zones={len(PROVIDERS)}")
sys.exit(main('more records', (described(kind, api(f"z{i}.test"), keys) for i, (kind, api, keys) in enumerate(PROVIDERS, 1))))
