#!/bin/sh
# The lab itself: every server answers, UPDATE works on all three kinds, the resolver walks down from the lab's root.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named named2 nsd knot pdns unbound unbound2 zones=2 -- "$0"
fi
. "$here/tap.sh"

dns() { dig +norecurse +short +time=2 +tries=2 "$@"; }
soa() { dns "@$1" "$2" SOA | grep -q .; }
update() { # KEY SERVER ZONE LINE
    printf 'server %s\nzone %s\n%s\nsend\n' "$2" "$3" "$4" | nsupdate -v -k "$LAB_KEYS/$1.key"
}
refused() { ! update "$@"; }
has() { dns "@$1" "$2" TXT | grep -qF "$3"; }
lacks() { ! has "$@"; }

"$here/invariants" snapshot "$LAB_DIR/before"
for part in NAMED NAMED2 NSD; do
    eval "a=\$LAB_$part"
    for zone in example.hk xn--i8s431aqn1ad1j.hk example.com z2.test; do ok "$part serves $zone" soa "$a" "$zone"; done
done
ok "named serves corp.example.hk" soa "$LAB_NAMED" corp.example.hk
ok "knotd serves example.net" soa "$LAB_KNOT" example.net
ok "pdns_server serves example.org" soa "$LAB_PDNS" example.org
if [ "$LAB_IPV6" = 1 ]; then
    for a in "$LAB_NAMED_V6" "$LAB_NAMED2_V6" "$LAB_NSD_V6"; do ok "$a answers by IPv6" soa "$a" example.hk; done
fi

resolve() { [ "$(dig +short "@$1" "$2" "$3" | tail -n 1)" = "$4" ]; }
ok "unbound: through the lab's root" resolve "$LAB_UNBOUND" www.example.hk A 192.0.2.80
ok "unbound: CNAME into another zone" resolve "$LAB_UNBOUND" alias.example.hk A 192.0.2.89
ok "unbound: delegated child" resolve "$LAB_UNBOUND" www.corp.example.hk A 192.0.2.84
ok "unbound2: generated zone" resolve "$LAB_UNBOUND2" www.z1.test A 192.0.2.87
ok "unbound2: foreign provider" resolve "$LAB_UNBOUND2" foreign.example.hk TXT '"not ours"'
ok "unbound: IDN zone" resolve "$LAB_UNBOUND" www.xn--i8s431aqn1ad1j.hk A 192.0.2.85
ok "system resolver is the lab's" grep -q "$LAB_UNBOUND" /etc/resolv.conf

for key in lab-key sha384-key sha512-key; do
    for where in "$LAB_NAMED example.hk" "$LAB_KNOT example.net" "$LAB_PDNS example.org"; do
        set -- $where
        ok "$key adds a TXT to $2" update $key "$1" "$2" "update add www.$2 60 TXT \"code-$key\""
        ok "$2 shows it" has "$1" "www.$2" "code-$key"
    done
done
ok "NOTIFY brings it to named2" eventually 10 has "$LAB_NAMED2" www.example.hk code-lab-key
ok "NOTIFY brings it to nsd" eventually 10 has "$LAB_NSD" www.example.hk code-lab-key
for key in lab-key sha384-key sha512-key; do
    for where in "$LAB_NAMED example.hk" "$LAB_KNOT example.net" "$LAB_PDNS example.org"; do
        set -- $where
        ok "$key deletes it from $2" update $key "$1" "$2" "update delete www.$2 TXT \"code-$key\""
        ok "gone from $2" lacks "$1" "www.$2" "code-$key"
    done
done
ok "lab-key may not write A on named" refused lab-key "$LAB_NAMED" example.hk "update add x.example.hk 60 A 192.0.2.1"
ok "lab-key may not write A on knotd" refused lab-key "$LAB_KNOT" example.net "update add x.example.net 60 A 192.0.2.1"
ok "narrow-key writes TXT at www.example.hk" update narrow-key "$LAB_NAMED" example.hk "update add www.example.hk 60 TXT narrow"
ok "narrow-key takes it back" update narrow-key "$LAB_NAMED" example.hk "update delete www.example.hk TXT narrow"
ok "narrow-key writes nowhere else" refused narrow-key "$LAB_NAMED" example.hk "update add shop.example.hk 60 TXT narrow"
ok "stranger-key writes nothing" refused stranger-key "$LAB_NAMED" example.hk "update add www.example.hk 60 TXT strange"
ok "admin-key writes anything" update admin-key "$LAB_NAMED" example.hk "update add x.example.hk 60 A 192.0.2.1"
ok "a left-over is noticed" sh -c "! '$here/invariants' check '$LAB_DIR/before' /nonexistent >/dev/null"
ok "admin-key removes it" update admin-key "$LAB_NAMED" example.hk "update delete x.example.hk A"
ok "PowerDNS API answers" python3 -c "
import urllib.request
r = urllib.request.Request('http://$LAB_PDNS:8081/api/v1/servers/localhost/zones', headers={'X-API-Key': '$LAB_API_KEY'})
assert b'example.org.' in urllib.request.urlopen(r, timeout=5).read()"
ok "invariants hold" "$here/invariants" check "$LAB_DIR/before" /nonexistent

done_testing
