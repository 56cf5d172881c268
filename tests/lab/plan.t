#!/bin/bash
# plan before orders of automatic CAs: each record with its delegation, what the CA will be asked (held against what pebble then counts), what it
# counts, its renewal window, the emergency drill. And nothing is touched by it.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 exec "$here/up" named pdns unbound pebble acme zones=2 -- "$0"
fi
. "$here/tap.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
. "$here/acme.sh"
. "$here/dns.sh"
P=$LAB_DIR/plan
mkdir -p "$P/cwd" "$P/conf.d"
for o in cache-max-ttl cache-max-negative-ttl; do unbound-control -q -c "$LAB_PEBBLEDNS_DIR/unbound.conf" set_option "$o:" 0; done
# The log of the lab's pebble is not ours to read: one of our own.
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 "$LAB_PEBBLE_DIR/run" "$LAB_PEBBLE:14100" plain > "$P/pebble.log" 2>&1 &
trap 'kill $(jobs -p) 2>/dev/null' EXIT
eventually 10 grep -aqs 'ACME directory' "$P/pebble.log" || { echo "Bail out! no pebble"; exit 1; }
cat > "$P/dcvagent.ini" <<INI
[agent]
state_dir = $P/state
log = $P/log
include = conf.d/*.ini
[verify]
discovery = $LAB_UNBOUND
timeout = 3s
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk example.com
tsig_key_file = $LAB_KEYS/lab-key.key
[provider api]
type = powerdns
url = http://$LAB_PDNS:8081
api_key_file = $P/token
zones = example.org
[provider cf]
type = cloudflare
token_file = $P/token
zones = z1.test
[provider hook]
type = lego-exec
command = /bin/true
server = $LAB_NAMED
zones = z2.test
[ca pebble]
type = acme
directory = https://pebble.lab.test:14100/dir
ca_file = $LAB_PEBBLE_CA
accept_terms = yes
[ca own]
type = acme
directory = $DIRECTORY
ca_file = $CA_ROOT
[ca ecert]
type = manual
[certificate web]
ca = pebble
names = example.hk *.example.hk shop.example.hk
[certificate many]
ca = pebble
names = n1.example.hk n2.example.hk n3.example.hk n4.example.hk n5.example.hk n6.example.hk n7.example.hk n8.example.hk n9.example.hk
[certificate ari]
ca = own
names = www.example.hk
[certificate others]
ca = pebble
names = a.example.org b.example.org c.example.org d.example.org e.example.org a.z1.test b.z1.test c.z1.test d.z1.test e.z1.test a.z2.test b.z2.test
[certificate paper]
ca = ecert
product = standard
names = mail.example.hk
INI
printf 'lab-api-key-7c1e5f0a\n' > "$P/token"
chmod 600 "$P/token"
get() { # NAME EXPRESSION [OPTION...]: of its part p of the plan, or of the whole plan j
    python3 -c 'import json, subprocess, sys
j = json.loads(subprocess.run(sys.argv[3:], stdout=subprocess.PIPE, check=True).stdout)
p = {c["name"]: c for c in j["certificates"]}.get(sys.argv[1])
print(eval(sys.argv[2]))' "$1" "$2" "$DCVAGENT" --config "$P/dcvagent.ini" --json plan "${@:3}" 2>&1
}
shown() { dcv plan "$1" > "$P/out" 2>&1 && grep -qE -e "$2" "$P/out" || { cat "$P/out"; return 1; }; }
asked_pebble() { grep -acE '(GET|HEAD|POST) /' "$P/pebble.log"; }
about() { [ $(($1 - $2)) -le "$3" ] && [ $(($2 - $1)) -le "$3" ] || { echo "planned $2, counted $1"; return 1; }; }

ok "a name delegated by CNAME" update admin-key "$LAB_NAMED" example.hk 'update add _acme-challenge.shop.example.hk 60 CNAME shop.example.com'

# --- before any order
is "apex and wildcard: two records at one owner" "$(get web '[(r["host"], r["listed"], r["owner"]) for r in p["records"]][:2]')" \
    "[('example.hk', 'example.hk', '_acme-challenge.example.hk'), ('example.hk', '*.example.hk', '_acme-challenge.example.hk')]"
is "the delegation" "$(get web '[(r["owner"], r["zone"], r["chain"]) for r in p["records"][2:]]' web)" \
    "[('shop.example.com', 'example.com', ['_acme-challenge.shop.example.hk', 'shop.example.com'])]"
ok "and in words" shown web 'CNAME: _acme-challenge.shop.example.hk -> shop.example.com'
is "requests: two zones, each once to add and once to delete; the CA's beside them" "$(get web 'p["requests"]')" "{'bind': 4, 'pebble': 16}"
is "by APIs and programs: to add and to delete, with what is read before and after" "$(get others '{k: v for k, v in p["requests"].items() if k != "pebble"}')" \
    "{'api': 6, 'cf': 6, 'hook': 4}"
ok "and in words" shown others 'provider api: about 6 requests: 2 writes, 4 reads'
is "when it is seen: after the zone's negative TTL" "$(get web '[(r["waits_for"], r["settle_seconds"]) for r in p["records"]][0]')" "('negative_ttl', 0)"
is "a person's CA is told when caches have forgotten" "$(get paper 'p["settled_at"] == p["visible_at"] and p["records"][0]["settle_seconds"] > 0 and p["person"]')" True
is "it counts in full" "$(get web 'p["counts"]')" "{'orders': 1, 'names': 3, 'same_names': False, 'replaces': False}"
is "a person's CA is asked nothing" "$(get paper 'p["counts"], p["requests"]')" "(None, {'bind': 2})"
is "no renewal window yet" "$(get web 'p["renewal"]')" None
is "the CA was asked nothing" "$(asked_pebble)" 0
ok "nothing was written" test ! -e "$P/state"

# --- what is planned is what happens
for name in web many; do
    planned=$(get $name 'p["requests"]["pebble"]') before=$(asked_pebble)
    ok "$name goes through" says 0 '' run "$name"
    ok "$name: the CA was asked about as often as planned" about $(($(asked_pebble) - before)) "$planned" 3
done
ok "no longer due, nothing more shown" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' plan > '$P/out' 2>&1 && ! grep -qE '^  .*(web|example.com|n1.example)' '$P/out'"
is "asked for by name: a renewal of the same names" "$(get web 'p["due"], p["counts"]["same_names"]' web)" "(False, True)"

# --- an order under way
printf '[zone example.hk]\nservers = %s 192.0.2.82\n' "$LAB_NAMED" > "$P/conf.d/zone.ini" # nobody answers at the second
ok "an order that waits for DNS" says 12 UNSEEN run --force web
values=$(get web 'len({r["value"] for r in p["records"][:2]}), None in [r["value"] for r in p["records"]]' web)
is "its values: one for the name, another for the wildcard" "$values" "(2, False)"
ok "the order was counted before" shown web 'the order exists there and was counted'
is "check shows each value once" "$(dcv --json check web 2> "$P/err" | python3 -c 'import json,sys; print(sorted(c["host"] for c in json.load(sys.stdin)["checks"]))')" \
    "['example.hk', 'example.hk', 'shop.example.hk']"
rm "$P/conf.d/zone.ini"
ok "then it goes through" says 0 '' run --force web

# --- renewal information
mode "ari=86400:172800:3600"
ok "an order from a CA with renewal information" says 0 '' run ari
ok "the window is asked for" says 0 '' run ari
is "the moment lies in the window" "$(get ari 'p["renewal"]["from"] <= p["renewal"]["at"] < p["renewal"]["to"] and p["next_at"] == p["renewal"]["at"]')" True
ok "and in words" shown ari 'the CA wants it renewed between .* chosen in that window'
mode "ari=-200:-100:3600"
: > "$LAB_ACME_DIR/log"
is "a renewal names what it replaces" "$(get ari 'p["counts"]["replaces"]' --replace ari)" True
ok "and in words" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' plan --replace ari | grep -q 'names the certificate it replaces (ARI)'"
is "the CA was asked nothing for it" "$(wc -l < "$LAB_ACME_DIR/log")" 0

# --- the drill
is "how many, by whom" "$(get web 'j["drill"]["orders"], j["drill"]["by_hand"], j["persons"]' --replace)" "(5, 1, ['paper'])"
is "how long" "$(get web '0 < j["drill"]["unattended_seconds"] < 600 and 0 < j["drill"]["person_seconds"] < 7200' --replace)" True
dcv plan --replace > "$P/out" 2>&1
ok "in words" sh -c "grep -q '^to replace all: 5 orders' '$P/out' && grep -q '4 by themselves, .*: web many ari others' '$P/out' && grep -q '1 by a person .*: paper' '$P/out'"
ok "the ledger is empty" test "$(ledger_rows)" = 0
done_testing
