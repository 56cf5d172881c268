#!/bin/sh
# The main job: a multi-domain order with an IDN and a wildcard order beside an SPF record, by a person and cron, to installed certificates.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named named2 nsd unbound unbound2 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
RESOLVERS="$LAB_UNBOUND $LAB_UNBOUND2"
person_setup "
[certificate shop]
ca = ecert
product = multi-domain
names = www.example.hk example.hk 電子核證.hk
subject = C=HK, O=Example Limited
expect_organisation = example  limited
[certificate wild]
ca = ecert
product = wildcard
names = *.example.hk
"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
has() { dig +norecurse +short "@$1" "$2" TXT | grep -qF "$3"; }
"$here/invariants" snapshot "$LAB_DIR/before"

ok "the configuration is sound" dcv config check
dcv run > "$P/first" 2>&1
is "a first order waits for a person: exit 75" "$?" 75
is "state and wait" "$(state_of shop)" "new pin"
dcv run > "$P/second" 2>&1
is "said once: the second run is silent" "$(cat "$P/second")" ""
ok "the whole order of shop" person_order shop 'verification=abc "1"'
# The apex set has a TTL of a day: resolvers that saw it with the first code keep it that long. The lab's are told to forget.
for u in "$LAB_UNBOUND_DIR" "$LAB_UNBOUND2_DIR"; do unbound-control -q -c "$u/unbound.conf" flush_zone example.hk; done
ok "the whole order of wild" person_order wild 'wild-code-2'
ok "live/shop is a chain that verifies" openssl verify -CAfile "$P/pki/root.pem" -untrusted "$P/state/live/shop/chain.pem" "$P/state/live/shop/cert.pem"
is "the intermediate is the new one" "$(openssl x509 -in "$P/state/live/shop/chain.pem" -noout -ext extendedKeyUsage 2>/dev/null | grep -c 'TLS Web Server')" 1
is "key and certificate fit" "$(openssl pkey -in "$P/state/live/shop/privkey.pem" -pubout)" "$(openssl x509 -in "$P/state/live/shop/cert.pem" -noout -pubkey)"
ok "a wildcard carries the bare name" sh -c "openssl x509 -in '$P/state/live/wild/cert.pem' -noout -ext subjectAltName | grep -q 'DNS:\*.example.hk, DNS:example.hk'"
ok "the SPF stands untouched" has "$LAB_NAMED" example.hk 'v=spf1'
dcv run > "$P/idle" 2>&1
is "nothing due: exit 0" "$?" 0
is "nothing due: silent" "$(cat "$P/idle")" ""
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
