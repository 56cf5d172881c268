#!/bin/sh
# Somebody off the path forges answers: none is taken, whichever part of it was guessed. Ids, ports and letters cannot be guessed. Whether a record is
# gone is asked by TCP alone.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
chaos id 192.0.2.80 "$LAB_NAMED" forge=id
chaos case 192.0.2.81 "$LAB_NAMED" forge=case
chaos name 192.0.2.82 "$LAB_NAMED" forge=name
chaos port 192.0.2.83 "$LAB_NAMED" forge=port
chaos resolver 192.0.2.25 "$LAB_UNBOUND" forge=id wire="$LAB_DIR/asked"
chaos primary 192.0.2.9 "$LAB_NAMED" forge=id log="$LAB_DIR/primary"
person_setup "
[zone example.com]
servers = 192.0.2.80 192.0.2.81 192.0.2.82 192.0.2.83
[certificate spoofed]
ca = ecert
product = standard
key_type = p256
names = www.example.com
[certificate many]
ca = ecert
product = multi-domain
key_type = p256
names = $(for i in $(seq -w 1 40); do printf 'n%s.example.hk ' "$i"; done)
"
sed -i "s/^resolvers = .*/resolvers = 192.0.2.25/" "$P/dcvagent.ini"
ok "an order begins" begin spoofed code-spoofed
ok "it is seen through all forgeries" run_to spoofed visible confirm
views() { dcv --json check --resolvers spoofed | python3 -c '
import json, sys
for v in sorted(json.load(sys.stdin)["checks"][0]["views"], key=lambda v: v["address"]): print(v["address"], v["verdict"])'; }
is "no view believed one" "$(views)" "192.0.2.25 match
192.0.2.80 match
192.0.2.81 match
192.0.2.82 match
192.0.2.83 match"

# --- what an attacker would have to guess
ok "forty names" begin many code-many
: > "$LAB_DIR/asked"
ok "are seen" run_to many visible confirm
random() { python3 - "$LAB_DIR/asked" <<'END_OF'
import sys
asked = {tuple(line.split()) for line in open(sys.argv[1])}  # a question sent again is one
ids, ports, letters = {a[0] for a in asked}, {a[1] for a in asked}, "".join(a[2] for a in asked)
upper = sum(c.isupper() for c in letters) / sum(c.isalpha() for c in letters)
print(len(asked), "questions,", len(ids), "ids,", len(ports), "ports,", round(upper, 2), "capitals")
numbers = sorted(int(i) for i in ids)
assert len(asked) >= 40 and len(ids) > len(asked) * 0.95, "ids repeat"
assert max(numbers) - min(numbers) > 30000, "ids lie close together"
assert 0.3 < upper < 0.7, "letters are not mixed"
END_OF
}
ok "ids and letters are random" random
ports() { # of several runs: each has a source port of its own
    for i in 1 2 3 4 5; do dcv check --resolvers spoofed; done
    [ "$(cut -d' ' -f2 "$LAB_DIR/asked" | sort -u | wc -l)" -ge 5 ]
}
ok "ports too" ports

# --- gone is gone: nobody believes a datagram
sed -i 's/^server = .*/server = 192.0.2.9/' "$P/dcvagent.ini"
ok "the records go" leave spoofed many
ok "the update server was asked by TCP" grep -q '^QUERY www.example.com 16 tcp' "$LAB_DIR/primary"
ok "and by nothing else" sh -c "! grep ' udp ' '$LAB_DIR/primary'"
ok "they are gone" lacks "$LAB_NAMED" www.example.com '"code-spoofed"'
is "the ledger is empty" "$(ledger_rows)" 0
done_testing
