#!/bin/sh
# Authorities that do not agree: secondaries that are slow, stale, lame, dead, silent; what authoritative=, ignore= and must= make of them.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    "$here/up" named slow=nsd stale=named2 unbound -- "$0" lag
    lag=$?
    "$here/up" named lame=named2 silent=nsd unbound -- "$0" broken "$lag"
    broken=$?
    exec "$here/up" named dead=named2 unbound -- "$0" dead "$broken"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
TAP_BAD=${2:-0} # of the labs before
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none
order() { # NAME HOST LINE...
    printf '[ca %s]\ntype = manual\nrecord = name\n' "$1"
    order_name=$1 order_host=$2
    shift 2
    for line in "$@"; do printf '%s\n' "$line"; done
    printf '[certificate %s]\nca = %s\nproduct = standard\nkey_type = p256\nnames = %s\n' "$order_name" "$order_name" "$order_host"
}
unseen() { # NAME EXIT PATTERN
    begin "$1" "code-$1" && says "$2" "$3" run "$1"
}
seen() { begin "$1" "code-$1" && says 75 WAITING_CONFIRM run "$1"; }
verdicts() { dcv check --json "$1" | python3 -c '
import json, sys
print(*sorted({v["server"] + "=" + v["verdict"] for v in json.load(sys.stdin)["checks"][0]["views"]}))'; }

case $1 in
lag)
    person_setup "
$(order strict www.example.hk 'timeout = 8s')
$(order any mail.example.hk 'authoritative = any')
$(order ignore shop.example.hk "ignore = $LAB_NAMED2 [${LAB_NAMED2_V6:-::1}]:53" 'timeout = 20s')
$(order must mail.example.hk 'authoritative = any' "must = $LAB_NAMED2" 'timeout = 2s')
"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "a stale secondary: 12, named" unseen strict 12 \
        'ERROR verify www\.example\.hk: ns2\.example\.hk \((198\.51\.100\.53|2001:db8:100::53)\) still lacks the TXT after [0-9]+ s; records kept; tried again by the next run \[SECONDARY_LAG\]'
    ok "the record is kept" has "$LAB_NAMED" www.example.hk '"code-strict"'
    is "said once: the next run in cron is silent" "$(dcv run strict 2>&1)" ""
    is "check: who has it, who has not" "$(verdicts strict)" "ns1.example.hk=match ns2.example.hk=absent ns3.example.hk=match"
    ok "authoritative = any: seen" seen any
    ok "ignore = the stale one: the slow one is waited for" seen ignore
    ok "must = the stale one: it blocks even with any" unseen must 12 'ns2\.example\.hk'
    ok "wound up" leave strict any ignore must
    ;;
broken)
    chaos noaa 192.0.2.80 "$LAB_NAMED" noaa=yes
    person_setup "
[zone 電子核證.hk]
servers = $LAB_NAMED 192.0.2.80
$(order cached www.電子核證.hk 'timeout = 1s')
$(order strict www.example.hk 'timeout = 4s')
$(order any mail.example.hk 'authoritative = any')
"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "one that refuses and a silent one: 12, one named" unseen strict 12 'ns[23]\.example\.hk \([0-9a-f.:]+\) (refuses the question|does not answer)'
    is "check: both told apart" "$(verdicts strict)" "ns1.example.hk=match ns2.example.hk=refused ns3.example.hk=unreachable"
    ok "check says why" says 12 '203\.0\.113\.53: no answer' check strict
    ok "an answer from a cache, without authority: 12" unseen cached 12 '192\.0\.2\.80 does not answer with authority for the zone \(lame delegation\)'
    ok "check: lame" says 12 '192\.0\.2\.80 +lame' check cached
    ok "authoritative = any: seen" seen any
    ;;
dead)
    person_setup "
$(order strict www.example.hk 'timeout = 3s')
$(order any mail.example.hk 'authoritative = any')
"
    "$here/invariants" snapshot "$LAB_DIR/before"
    ok "a dead secondary: 12, named, and why" unseen strict 12 'ns2\.example\.hk \([0-9a-f.:]+\) does not answer \(.*nothing listens there\)'
    ok "authoritative = any: seen" seen any
    ;;
esac
[ "$1" = lag ] || ok "wound up" leave strict any cached
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
