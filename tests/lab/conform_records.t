#!/usr/bin/python3 -B
"""Descriptions of APIs whose unit is the single record, against simulated servers (tests/clouds/apis); what is played: conform_cases.py."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "clouds", "apis")]
from conform_cases import described, inside, main  # noqa: E402
from cloudflare import Cloudflare  # noqa: E402
from digitalocean import DigitalOcean  # noqa: E402
from dnsimple import Dnsimple  # noqa: E402
from hetzner import Hetzner  # noqa: E402
from linode import Linode  # noqa: E402
from porkbun import Porkbun  # noqa: E402
from vultr import Vultr  # noqa: E402

PROVIDERS = (  # one a line
    ("cloudflare", Cloudflare, "token_file = SECRET"),
    ("digitalocean", DigitalOcean, "token_file = SECRET"),
    ("hetzner", Hetzner, "token_file = SECRET"),
    ("linode", Linode, "token_file = SECRET"),
    ("vultr", Vultr, "token_file = SECRET"),
    ("porkbun", Porkbun, "api_key_file = SECRET\nsecret_key_file = SECRET"),
    ("dnsimple", Dnsimple, "account_id = 1010\ntoken_file = SECRET"),
)

inside(__file__, "named", "unbound", f"zones={len(PROVIDERS)}")
sys.exit(main('records', (described(kind, api(f"z{i}.test"), keys) for i, (kind, api, keys) in enumerate(PROVIDERS, 1))))
