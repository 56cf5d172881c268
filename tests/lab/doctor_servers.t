#!/bin/sh
# The doctor about servers and delegations: what each address does wrong, secondaries that stay behind, parents that say something else, zones that are not found.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    "$here/up" named unbound -- "$0" faults
    faults=$?
    "$here/up" named named2 nsd unbound -- "$0" delegation "$faults"
    delegation=$?
    exec "$here/up" named stale=named2 nsd unbound -- "$0" stale "$delegation"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
TAP_BAD=${2:-0} # of the labs before
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"

case $1 in
faults)
    chaos notcp 192.0.2.80 "$LAB_NAMED" tcp=no
    chaos dropped 192.0.2.81 "$LAB_NAMED" edns=drop
    chaos old 192.0.2.82 "$LAB_NAMED" edns=formerr
    chaos garbled 192.0.2.83 "$LAB_NAMED" garble=yes
    chaos noudp 192.0.2.25 "$LAB_NAMED" udp=no
    chaos mute 198.51.100.9 silent=yes tcp=hang
    chaos lame 192.0.2.9 "$LAB_NAMED" noaa=yes
    zone=xn--i8s431aqn1ad1j.hk
    person_setup "
$(cert all www.電子核證.hk)
$(cert any www.電子核證.hk 'authoritative = any')
$(cert ignored www.電子核證.hk 'ignore = 192.0.2.9 203.0.113.9')
$(cert lame www.example.com)
$(cert nozone www.nowhere.hk)
$(cert dead www.dead.test)
$(cert deep c0.example.hk)
[zone 電子核證.hk]
servers = $LAB_NAMED 192.0.2.80 192.0.2.81 192.0.2.82 192.0.2.83 192.0.2.25 198.51.100.9 192.0.2.9 203.0.113.9
[zone example.com]
servers = 192.0.2.9
[zone dead.test]
discovery = 192.0.2.1
[provider more]
type = rfc2136
server = $LAB_NAMED
zones = nowhere.hk dead.test
tsig_key_file = $LAB_KEYS/lab-key.key
"
    deep() { for i in $(seq 0 19); do echo "update add c$i.example.hk 300 CNAME c$((i + 1)).example.hk."; done; }
    ok "a chain of twenty CNAMEs" update admin-key "$LAB_NAMED" example.hk "$(deep)"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "nine addresses, eight of them with a fault" look 1 all
    ok "TCP_CLOSED" finds warning TCP_CLOSED "$zone: 192\\.0\\.2\\.80 answers by UDP but not by TCP.*-> open TCP port 53"
    ok "EDNS_TROUBLE: lost" finds warning EDNS_TROUBLE "$zone: 192\\.0\\.2\\.81 does not answer questions with EDNS.*-> have firewalls let EDNS pass"
    ok "EDNS_TROUBLE: unknown" finds warning EDNS_TROUBLE "$zone: 192\\.0\\.2\\.82 knows no EDNS.*-> update the server"
    ok "SERVER_GARBLED" finds error SERVER_GARBLED "$zone: 192\\.0\\.2\\.83 answers with messages that cannot be read.*-> look for a middlebox"
    ok "UDP_CLOSED" finds error UDP_CLOSED "$zone: 192\\.0\\.2\\.25 answers by TCP but not by UDP -> open UDP port 53"
    ok "SERVER_SILENT: mute" finds error SERVER_SILENT "$zone: 198\\.51\\.100\\.9 does not answer, neither.*-> start the server"
    ok "SERVER_SILENT: closed" finds error SERVER_SILENT "$zone: 203\\.0\\.113\\.9 cannot be reached by UDP nor by TCP"
    ok "SERVER_LAME" finds error SERVER_LAME "$zone: 192\\.0\\.2\\.9 answers NOERROR without authority.*-> load the zone on that server, or take it out"
    ok "authoritative = any: warnings" look 0 any
    ok "the same, as a warning" finds warning SERVER_LAME '192\.0\.2\.9'
    ok "ignore= names two: info" look 1 ignored
    ok "ignored and lame" finds info SERVER_LAME '192\.0\.2\.9'
    ok "ignored and silent" finds info SERVER_SILENT '203\.0\.113\.9'
    ok "only a lame server" look 1 lame
    ok "LAME" finds error LAME 'lame www\.example\.com: .*-> mend the delegation'
    ok "a zone that is not there" look 1 nozone
    ok "NO_ZONE" finds error NO_ZONE 'nowhere\.hk.*-> register or delegate the zone'
    ok "nobody to ask" look 1 dead
    ok "DISCOVERY" finds error DISCOVERY '192\.0\.2\.1.*-> set \[verify\] discovery='
    ok "a CNAME chain without end" look 1 deep
    ok "CNAME_DEEP" finds error CNAME_DEEP '-> shorten the chain'
    ;;
delegation)
    person_setup "$(cert names 'www.example.hk mail.example.hk')"
    ok "a server without address, one with a dead one more, one without its IPv6" update admin-key "$LAB_NAMED" example.hk \
        'update add example.hk 300 NS ns9.example.com.' 'update add ns2.example.hk 300 A 192.0.2.9' 'update delete ns3.example.hk AAAA'
    ok "secondaries follow" eventually 10 sh -c "dig +norecurse @$LAB_NSD example.hk NS | grep -q ns9 && dig +norecurse @$LAB_NAMED2 example.hk NS | grep -q ns9"
    forget
    ok "what others asked before is forgotten" eventually 10 sh -c "! dig @$LAB_UNBOUND ns3.example.hk AAAA | grep -q 'IN.AAAA.*2001'"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "warnings alone" look 0
    ok "SERVER_NO_ADDRESS" finds warning SERVER_NO_ADDRESS 'example\.hk: .*ns9\.example\.com -> give it address records'
    ok "PARENT_NS_DIFFERS" finds warning PARENT_NS_DIFFERS 'example\.hk: hk delegates to other.*only there none; only in the zone ns9\.example\.com -> bring the delegation'
    ok "ADDRESS_DIFFERS" finds warning ADDRESS_DIFFERS 'ns2\.example\.hk \(192\.0\.2\.9\) cannot be reached.*; its other addresses serve the zone -> start the server'
    [ "$LAB_IPV6" = 0 ] || ok "GLUE_DIFFERS" finds warning GLUE_DIFFERS 'hk gives ns3\.example\.hk the address 2001:db8:113::53, which it does not have.*-> mend the host'
    is "said once a certificate, whatever the number of names" "$(grep -c PARENT_NS_DIFFERS "$P/doctor")" 1
    ;;
stale)
    person_setup "
$(cert names www.example.hk)
$(cert ignored www.example.hk "ignore = $LAB_NAMED2 [${LAB_NAMED2_V6:-::1}]:53")
"
    ok "a newer version, which one secondary never gets" update admin-key "$LAB_NAMED" example.hk 'update add example.hk 300 NS ns3.example.hk.' \
        'update add example.hk 300 NS ns4.example.hk.' 'update add ns4.example.hk 300 A 192.0.2.53'
    ok "the other one follows" eventually 10 sh -c "dig +norecurse @$LAB_NSD example.hk NS | grep -q ns4"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "warnings alone" look 0 names
    ok "SECONDARY_BEHIND" finds warning SECONDARY_BEHIND 'example\.hk: ns2\.example\.hk \(198\.51\.100\.53\) has serial 1, .* already [0-9]+.*-> see that NOTIFY'
    ok "NS_SETS_DIFFER" finds warning NS_SETS_DIFFER 'give different NS sets.*-> bring the servers to the same version'
    ok "ignored" look 0 ignored
    ok "ignored: info" finds info SECONDARY_BEHIND 'ns2\.example\.hk'
    ;;
esac
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
