#!/bin/bash
# What happens amid a walk through the portal: the run's time is up, a signal, a PIN or a word from a person, a second run.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none portal_setup
. "$here/portal_orders.sh"
number=800000000
came() { [ "$(asked "\"$R\"" "\"action\": \"$1\"")" -ge 1 ]; }
amid() { # ACTION [OPTION...]: a run whose answer to ACTION takes its time (in this shell: never within `ok`)
    fault "{\"do\": \"stall\", \"seconds\": 3, \"on\": \"POST $1\"}"
    action=$1
    shift
    "$DCVAGENT" --config "$P/dcvagent.ini" run --force "$N" "$@" > "$P/out" 2>&1 &
    run=$!
    ok "$N: under way ($action)" eventually 20 came "$action"
}
ends() { # EXIT WHAT: the run that is under way
    wait "$run"
    is "$2" "$?" "$1"
}

begin deadline
amid login --deadline 2s
ends 75 "the run's time is up"
ok "the walk was not broken off: no person is needed" later 0 ''
ok "no PIN is in doubt" counts "$R" wrong_pins=0 paid=1

begin term
amid submit
kill -TERM "$run"
ends 143 "a signal"
ok "on from where the portal stands" later 0 ''
ok "given once" counts "$R" csrs=1 paid=1

begin issue
amid issue
kill -TERM "$run"
ends 143 "a signal"
ok "on from where the portal stands" later 0 ''
ok "pressed once" counts "$R" csrs=1 paid=1

begin same '"pin": "9999888877776666"'
amid login
echo 1234567890123456 | dcv pin same --reference "$R" > "$P/pin" 2>&1
ends 75 "the same one handed over meanwhile"
is "waits for another" "$(state_of same)" "prepared pin"
ok "sent once" counts "$R" wrong_pins=1
begin other '"pin": "9999888877776666"'
amid login
echo 9999888877776666 | dcv pin other --reference "$R" > "$P/pin" 2>&1
ends 0 "the right one handed over meanwhile"
ok "each sent once" counts "$R" wrong_pins=1 logins=1 paid=1

begin word '"forgetful": true, "issue_seconds": 3000'
amid issue
dcv confirmed word > "$P/word" 2>&1
ends 75 "confirmed, says a person, and means the proof"
is "asked whether the CSR arrived" "$(state_of word)" "validated operator"
ok "pressed once" counts "$R" csrs=1 paid=1

begin cancel
amid issue
dcv cancel cancel > "$P/word" 2>&1
ends 0 "cancelled"
ok "what may still come is said" grep -q CANCELLED_LATE "$P/out" "$P/log"
is "its records are gone" "$(sqlite3 "$P/state/state.db" "select count(*) from ledger where cert = 'cancel' and state != 'gone'")" 0

begin two
amid login
ok "a second run: not now" says 75 '' run two
ends 0 "the first one goes on"
ok "one login" counts "$R" logins=1 paid=1

ok "a careful visitor" careful
done_testing
