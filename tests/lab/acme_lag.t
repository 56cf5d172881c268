#!/bin/bash
# A hidden primary with nsd and knotd as public secondaries: the CA is told to check only once both serve the record, however late they are.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    export PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 PEBBLE_WFE_NONCEREJECT=0
    "$here/up" hidden=named nsd knot2 unbound pebble -- "$0" fresh
    fresh=$?
    exec "$here/up" hidden=named slow=nsd stale=knot2 unbound pebble -- "$0" late "$fresh"
fi
. "$here/tap.sh"
. "$here/pebble.sh"
TAP_BAD=${2:-0} # of the lab before
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
TIMEOUT=2s RESOLVERS=none pebble_setup
section pebble "$LAB_PEBBLE_DIRECTORY"
asked() { grep -c -e "$1" "$LAB_DIR/log/pebble.log"; }
has() { # SERVER HOST...: a value at each one's challenge name
    local server=$1 host
    shift
    for host in "$@"; do dig +norecurse +short +time=2 "@$server" "_acme-challenge.$host" TXT | grep -q . || return 1; done
}
lacks() { ! has "$@"; }
catch_up() { knotc -s "$LAB_KNOT2_DIR/knot.sock" zone-refresh "$@" > "$P/knotc" 2>&1; }
"$here/invariants" snapshot "$LAB_DIR/before"

if [ "$1" = fresh ]; then
    certificate fresh pebble www.example.hk '*.example.hk' example.com 電子核證.hk
    ok "secondaries that follow at once" says 0 'installed' run fresh
    is "one challenge a name" "$(asked 'POST /chalZ/')" 4
    for server in "$LAB_NSD" "$LAB_KNOT2"; do
        ok "$server: the records are gone there too" eventually 10 lacks "$server" www.example.hk
    done
    ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
    done_testing
fi

# --- NOTIFY is broken: knotd would look tomorrow, nsd looks every 3 s
certificate stuck pebble www.example.hk example.com
ok "neither secondary follows: 12, one is named" says 12 'example\.(hk|com): ns[34]\.example\.hk \((203\.0\.113\.|2001:db8:113::)5[34]\) .*records kept' run stuck
ok "the records stay" has "$LAB_NAMED" www.example.hk example.com
is "the CA was not told to check" "$(asked 'POST /chalZ/')" 0
ok "nsd has followed meanwhile" eventually 10 has "$LAB_NSD" www.example.hk example.com
ok "one still lags: 12, it is named" says 12 "ns4\.example\.hk \(($LAB_KNOT2|$LAB_KNOT2_V6)\) .*records kept.* \[SECONDARY_LAG\]" run stuck
is "said once: the next run in cron is silent" "$(rc dcv run stuck)$(cat "$P/out")" 12
is "the CA was still not told to check" "$(asked 'POST /chalZ/')" 0
is "nor was anything ordered anew" "$(asked 'POST /order-plz')" 1
ok "and the records stand" has "$LAB_NAMED" www.example.hk example.com
ok "it catches up with one zone" catch_up example.com
ok "seen there" eventually 10 has "$LAB_KNOT2" example.com
ok "the other zone still lags: 12, it alone is named" says 12 'www\.example\.hk: ns4\.example\.hk' run stuck
is "the CA was still not told to check, for neither name" "$(asked 'POST /chalZ/')" 0
ok "it catches up with the other" catch_up example.hk
ok "seen there" eventually 10 has "$LAB_KNOT2" www.example.hk
ok "the next run goes on by itself" says 0 'installed' run stuck
is "one order, one challenge a name" "$(asked 'POST /order-plz') $(asked 'POST /chalZ/')" "1 2"
ok "the records are gone" lacks "$LAB_NAMED" www.example.hk
quit stuck

# --- NOTIFY is late: a run that waits long enough goes through by itself
sed -i 's/^timeout = .*/timeout = 60s/' "$P/dcvagent.ini"
ok "knotd is up to date" catch_up example.hk
ok "nothing old is left there" eventually 10 lacks "$LAB_KNOT2" www.example.hk
certificate waits pebble mail.example.hk '*.mail.example.hk'
before=$(asked 'POST /chalZ/')
dcv run waits > "$P/waits-out" 2>&1 &
run=$!
ok "both values are written" eventually 10 has "$LAB_NAMED" mail.example.hk
ok "nsd has them first" eventually 10 has "$LAB_NSD" mail.example.hk
is "the CA is not told to check while knotd lags" "$(($(asked 'POST /chalZ/') - before))" 0
ok "the run waits" kill -0 $run
ok "knotd catches up" catch_up example.hk
wait $run
is "and the run ends well" "$?$(cat "$P/waits-out")" 0
is "with one challenge a value" "$(($(asked 'POST /chalZ/') - before))" 2
ok "knotd forgets the records" catch_up example.hk
for server in "$LAB_NSD" "$LAB_KNOT2"; do ok "$server: they are gone" eventually 10 lacks "$server" mail.example.hk; done

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
