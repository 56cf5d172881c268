#!/bin/sh
# One family only, none at all, and back again.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    "$here/up" named unbound ipv6=no -- "$0" ipv4
    ipv4=$?
    exec "$here/up" named unbound -- "$0" ipv6 "$ipv4"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
TAP_BAD=${2:-0} # of the lab before
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
TIMEOUT=10s
order='[certificate shop]
ca = ecert
product = standard
names = www.example.hk
key_type = p256'

if [ "$1" = ipv6 ] && [ "$LAB_IPV6" != 1 ]; then
    skip "IPv6 alone" "this machine has no IPv6"
    done_testing
fi
if [ "$1" = ipv6 ]; then
    RESOLVERS="[$LAB_UNBOUND_V6]:53"
    person_setup "$order"
    sed -i "s|^discovery = .*|discovery = [$LAB_UNBOUND_V6]:53|; s|^server = .*|server = [$LAB_NAMED_V6]:53|" "$P/dcvagent.ini"
    "$here/invariants" snapshot "$LAB_DIR/before"
    # Discovery finds the IPv4 addresses all the same: nothing leads there.
    ip -4 route flush table main
    ip -4 addr flush dev lo
    ok "IPv6 alone: begins" begin shop code-v6
    ok "IPv6 alone: seen" says 75 WAITING_CONFIRM run shop
    ok "check: 0; IPv4 addresses have no route" says 0 'no route' check shop
    ok "cancelled" leave shop
    { echo "addr add 127.0.0.1/8 dev lo" && echo "addr add $LAB_NAMED/32 dev lo"; } | ip -batch -
    ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
    done_testing
fi

person_setup "$order"
"$here/invariants" snapshot "$LAB_DIR/before"
ok "IPv4 alone: begins" begin shop code-v4
ip link set lo down
ok "no network: 69, repeats by itself" says 69 'tried again' run shop
ok "plan says 69 too" says 69 . plan shop
ip link set lo up
ip route add default dev lo
ok "the network is back: on it goes" says 75 WAITING_CONFIRM run --force shop
is "check: IPv4 alone" "$(dcv check --json shop | python3 -c '
import json, sys
print(*sorted({":" in v["address"] for v in json.load(sys.stdin)["checks"][0]["views"]}))')" False
ip link set lo down
ok "check without network: 69" says 69 . check shop
ip link set lo up
ip route add default dev lo
ok "cancelled" leave shop
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
