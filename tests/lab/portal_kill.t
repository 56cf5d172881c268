#!/bin/bash
# A portal order killed at durable points (base/fault.h) of its one run, and taken up again: one certificate paid for, one CSR, no PIN sent twice without a
# person's word, no record left. A sample drawn by KILL_SEED; KILL_ALL=1: every point; KILL_ONLY="24 25": these.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none portal_setup
. "$here/portal_orders.sh"
number=600000000
SEED=${KILL_SEED:-$RANDOM}
SAMPLE=12

begin whole
dcv -vv run --force whole > "$P/out" 2>&1
points=$(grep -oE 'durable [0-9]+' "$P/out" | tail -1 | grep -oE '[0-9]+')
ok "undisturbed: done" test "$(state_of whole)" = "done None"
ok "it has durable points" test "${points:-0}" -gt 20

# After a kill: cron; where the PIN's fate is not known, or whether the CSR arrived, a person who looks at the portal.
taken_up() { # -> how often a person was needed
    persons=0
    for turn in 1 2 3 4 5; do
        sqlite3 "$P/state/state.db" "update orders set due = 0 where cert = '$N'"
        dcv run "$N" > "$P/out" 2>&1
        case $(state_of "$N") in
            "done None") echo "$persons"; return 0 ;;
            *" pin") persons=$((persons + 1)); dcv run --force "$N" > "$P/out" 2>&1 ;;
            *" operator")
                persons=$((persons + 1))
                if [ "$(counter "$R" paid)" = 0 ]; then dcv confirmed "$N"; else dcv submitted "$N"; fi > "$P/out" 2>&1 ;;
        esac
    done
    cat "$P/out"
    return 1
}
round() { # POINT
    begin "k$1"
    DCVAGENT_KILL=$1 dcv run --force "$N" > "$P/out" 2>&1
    killed=$?
    [ "$killed" != 0 ] || return 0 # how many points there are depends on what arrives in one turn
    [ "$killed" = 137 ] || { echo "not killed: $killed"; cat "$P/out"; return 1; }
    persons=$(taken_up) || { echo "$persons"; state_of "$N"; return 1; }
    logins=$(counter "$R" logins)
    [ "$persons" -le 1 ] || { echo "a person was needed $persons times"; return 1; }
    [ "$logins" -le $((2 + persons)) ] || { echo "$logins logins"; return 1; }
    counts "$R" paid=1 csrs=1 wrong_pins=0 failed_checks=0 || return 1
    [ ! -e "$P/state/keys/$N.pin" ] || { echo "the PIN is still there"; return 1; }
    left=$(sqlite3 "$P/state/state.db" "select owner, state from ledger where cert = '$N' and state not in ('gone', 'found')")
    [ -z "$left" ] || { echo "left over: $left"; return 1; }
}
if [ -n "${KILL_ONLY:-}" ]; then
    chosen=$KILL_ONLY
elif [ -n "${KILL_ALL:-}" ]; then
    chosen=$(seq 1 "$points")
else
    chosen=$(seq 1 "$points" | shuf -n "$SAMPLE" --random-source=<(yes "$SEED") | sort -n)
fi
for point in $chosen; do
    ok "killed at point $point of $points (KILL_SEED=$SEED)" round "$point"
done
ok "a careful visitor" careful
done_testing
