#!/bin/sh
# May a provider write? Asked without writing: what named, knotd and pdns_server say to changes under a prerequisite that cannot be met.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot pdns unbound zones=2 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
# named with the older allow-update instead of update-policy; knotd with a key for one name alone.
mkdir "$LAB_DIR/plain"
printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 5\n@ NS ns\nns A 192.0.2.9\n' > "$LAB_DIR/plain/z2"
cat > "$LAB_DIR/plain/named.conf" <<CONF
$(cat "$LAB_KEYS/lab-key.key")
options { directory "$LAB_DIR/plain"; pid-file none; session-keyfile none; lock-file none; listen-on { 192.0.2.9; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; };
controls { };
zone z2.test { type primary; file "z2"; allow-update { key lab-key; }; };
CONF
named=$(command -v named || echo /usr/sbin/named)
[ ! -x "$LAB_DIR/bin/named" ] || named=$LAB_DIR/bin/named
"$named" -g -n 1 -c "$LAB_DIR/plain/named.conf" > "$LAB_DIR/log/plain.log" 2>&1 &
plain=$!
knotc=$(command -v knotc || echo /usr/sbin/knotc)
k() { "$knotc" -c "$LAB_KNOT_DIR/knot.conf" "$@"; }
sed -i 's/^acl:$/&\n  - id: one\n    key: narrow\n    action: update\n    update-type: TXT\n    update-owner: name\n    update-owner-match: equal\n    update-owner-name: [ www.example.net. ]/
    s/^key:$/&\n  - id: narrow\n    algorithm: hmac-sha256\n    secret: bmFycm93LWtleTogb25seSB3d3cuZXhhbXBsZS5oayE=/; s/acl: \[ txt, /acl: [ one, txt, /' "$LAB_KNOT_DIR/knot.conf"
printf 'key "narrow" { algorithm hmac-sha256; secret "bmFycm93LWtleTogb25seSB3d3cuZXhhbXBsZS5oayE="; };\n' > "$LAB_DIR/narrow.key"
chmod 600 "$LAB_DIR/narrow.key"
chaos careless 192.0.2.82 "$LAB_NAMED" update=liar key="$LAB_KEYS/lab-key.key" log="$LAB_DIR/careless.log"
provider() { printf '[provider %s]\ntype = rfc2136\nserver = %s\nzones = %s\ntsig_key_file = %s\n' "$@"; }
person_setup "
$(cert wide 'www.example.hk mail.example.hk')
$(cert mixed 'www.example.com shop.example.com')
$(cert careless www.電子核證.hk)
$(cert plain www.z2.test)
$(cert knot 'www.example.net mail.example.net')
$(cert pdns www.example.org)
[zone z2.test]
servers = 192.0.2.9
$(provider mixed "$LAB_NAMED" example.com "$LAB_KEYS/narrow-key.key")
$(provider careless 192.0.2.82 xn--i8s431aqn1ad1j.hk "$LAB_KEYS/lab-key.key")
$(provider plain 192.0.2.9 z2.test "$LAB_KEYS/lab-key.key")
$(provider knot "$LAB_KNOT" example.net "$LAB_DIR/narrow.key")
$(provider pdns "$LAB_PDNS" example.org "$LAB_KEYS/lab-key.key")
"
sed -i 's/^zones = example.hk .*/zones = example.hk/' "$P/dcvagent.ini"
# rndc: the narrow key may write one name of example.com too.
ok "the configuration is sound" dcv config check
ok "knotd with a narrow acl" k reload
serial() { for at in "$LAB_NAMED example.hk" "$LAB_NAMED example.com" "$LAB_KNOT example.net" "$LAB_PDNS example.org" "192.0.2.9 z2.test"; do
    set -- $at; dig +short +time=2 "@$1" "$2" SOA; done; }
eventually 10 sh -c 'dig +short +time=1 @192.0.2.9 z2.test SOA | grep -q .' || echo "Bail out! no second named"
before=$(serial)

ok "named, a key for TXT alone: it may" look 0 wide
ok "shown, without writing" finds ok PROVIDER_WRITES 'example\.hk: \[provider bind\] may write .*tried without writing'
ok "named, a key for other names: it may not" look 1 mixed
for name in www shop; do
    ok "$name: refused, with the right to grant" finds error PROVIDER_REFUSED "$name\.example\.com: \[provider mixed\] may not write there: .*narrow-key.* -> .*grant narrow-key name $name\.example\.com\. TXT"
done
ok "named with allow-update: it may" look 0 plain
ok "that is shown, or the key alone" sh -c "grep -qE '^(ok PROVIDER_WRITES|info PROVIDER_KEY) - z2.test' '$P/doctor'"
ok "knotd, a key for one name: it may not write the other" look 1 knot
ok "the other is named" finds error PROVIDER_REFUSED 'mail\.example\.net: \[provider knot\] may not write there'
ok "the one is not" sh -c "! grep 'PROVIDER_REFUSED.*www.example.net' '$P/doctor'"
ok "and was shown" finds ok PROVIDER_WRITES 'example\.net: \[provider knot\]'
ok "pdns_server tests prerequisites first" look 0 pdns
ok "only the key was proven, and that is said" finds info PROVIDER_KEY 'example\.org: \[provider pdns\] is let in; .* -> dcvagent rehearse'
ok "a server that heeds no prerequisites" look 0 careless
ok "is not sent a change" finds warning PROVIDER_UNGUARDED 'xn--i8s431aqn1ad1j\.hk: 192\.0\.2\.82 does not heed prerequisites.* -> dcvagent rehearse'
is "one empty UPDATE was all" "$(grep -c '^UPDATE' "$LAB_DIR/careless.log")" 1
is "no zone changed" "$(serial)" "$before"
kill "$plain"
done_testing
