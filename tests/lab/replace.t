#!/bin/bash
# The emergency: replace --all that is killed, or whose time is up, is gone on with and orders nothing twice; a CA that wants to be left alone is;
# what it says meanwhile.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"

many=
for i in 1 2 3 4 5; do
    many="$many
[certificate c$i]
ca = lab
names = n$i.example.hk"
done
key() { openssl pkey -in "$P/state/live/$1/privkey.pem" -pubout -outform DER | sha256sum; }
keys() { for i in www c1 c2 c3 c4 c5; do key $i; done; }
try() { # COMMAND...: exit code in $code, output and log in $P/out
    : > "$P/log"
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
}
said() { grep -qE -e "$1" "$P/out" || { cat "$P/out" "$P/log"; return 1; }; }
closed() { sqlite3 "$P/state/state.db" "select count(*) from orders where state = 'done' and open = 0"; }
other() { # every certificate has another key than in this list
    diff "$1" <(keys) | grep -c '^>'
}

acme_case replace "$many"
try run --deadline 60s
is "six certificates" "$code $(closed)" "0 6"
keys > "$LAB_DIR/keys0"
: > "$LAB_ACME_DIR/log"
try replace --all
is "without a terminal it wants --yes" "$code $(asked newOrder)" "2 0"
ok "and says how many" said 'orders 6 new certificates with new keys'
try replace
is "all or names" "$code" 2
try replace --all --deadline soon
is "a deadline is a duration" "$code" 2

# --- killed, time and again -----------------------------------------------------------------------------------------------------------------
if [ "$(basename "$(dirname "$DCVAGENT")")" = test ]; then
    for n in 40 60; do
        DCVAGENT_KILL=$n dcv replace --all --yes --deadline 60s > "$P/out" 2>&1 < /dev/null
        [ $? = 137 ] || echo "# not killed at $n"
    done
    ok "the killed ones got somewhere ($(asked newOrder) orders)" test "$(asked newOrder)" -ge 1
    try replace --all --yes --deadline 60s
    is "the same command goes on" "$code" 0
    ok "and says so" said 'the replacement begun at .* goes on: [0-9]+ under way, [0-9]+ replaced already'
    is "one CSR each, in all three" "$(asked finalize)" 6
    is "six new keys" "$(other "$LAB_DIR/keys0")" 6
else
    skip "killed" "not the test build"
fi

# --- the time is up -------------------------------------------------------------------------------------------------------------------------
keys > "$LAB_DIR/keys1"
: > "$LAB_ACME_DIR/log"
mode validating=1
sed -i "/^log = /a parallel_orders = 1" "$P/dcvagent.ini"
try replace --all --yes --deadline 3s
first=$code
got=$(other "$LAB_DIR/keys1")
ok "the time is up after $got of 6 (exit $first)" test "$first" = 75 -a "$got" -lt 6
mode
try run --deadline 60s
is "cron's run goes on" "$code $(other "$LAB_DIR/keys1")" "0 6"
is "one order each" "$(asked newOrder) $(asked finalize)" "6 6"
try run
is "then nothing is due" "$code $(asked newOrder)" "0 6"
sed -i "/^parallel_orders/d" "$P/dcvagent.ini"

# --- on a terminal ----------------------------------------------------------------------------------------------------------------------------
: > "$LAB_ACME_DIR/log"
mode validating=1
terminal() { # ANSWER: replace --all, asked; what it says in $P/out
    TERM=xterm "$here/at_terminal.py" "[y/N]" "$1" "$DCVAGENT" --config "$P/dcvagent.ini" replace --all --deadline 60s > "$P/out" 2>&1
    code=$?
}
terminal n
is "asked, and no: nothing is ordered" "$code $(asked newOrder)" "2 0"
terminal y
is "asked, and yes" "$code $(asked newOrder)" "0 6"
ok "the foot of the terminal shows how far it is" said '[0-6] of 6 replaced, [1-6] under way; [0-9]'
ok "and is taken away in the end" eval '[ "$(tail -c 4 "$P/out" | tr -d "\r\n")" != replaced ] && ! tail -n 1 "$P/out" | grep -q "under way"'
mode

# --- one is stuck, five are replaced: the same command takes up the one ----------------------------------------------------------------------
: > "$LAB_ACME_DIR/log"
keys > "$LAB_DIR/keys2"
sed -i 's/^names = n5.example.hk/names = n5.example.net/' "$P/dcvagent.ini" # nobody may write there
try replace --all --yes --deadline 20s
ok "five of six (exit $code)" test "$code" = 13 -a "$(other "$LAB_DIR/keys2")" = 5
five=$(asked newOrder) # the CA may be asked beside the search for who may write
sed -i 's/^names = n5.example.net/names = n5.example.hk/' "$P/dcvagent.ini"
try replace --all --yes --deadline 20s
is "mended: the sixth alone is ordered" "$code $(($(asked newOrder) - five)) $(other "$LAB_DIR/keys2")" "0 1 6"
try replace --all --yes --deadline 60s
is "all are replaced: the next one is another emergency" "$code $(($(asked newOrder) - five))" "0 7"

# --- the CA wants to be left alone --------------------------------------------------------------------------------------------------------------
: > "$LAB_ACME_DIR/log"
keys > "$LAB_DIR/keys3"
mode at.newOrder=rateLimited:120+2
try replace --all --yes --deadline 15s
keys_made=$(find "$P/state/keys" -name '*.key' | wc -l)
is "two went through, four are refused for now" "$code $(asked newOrder) $(other "$LAB_DIR/keys3")" "14 6 2"
ok "and it is said" said CA_RATE_LIMIT
mode
try replace --all --yes --deadline 15s
is "not asked before its time by replace, and their keys stay" "$(asked newOrder) $(find "$P/state/keys" -name '*.key' | wc -l)" "6 $keys_made"
try run
is "nor by the next run" "$(asked newOrder) $(other "$LAB_DIR/keys3")" "6 2"
DCVAGENT_CLOCK=+3m try run --deadline 60s
is "after it they are ordered" "$code $(asked newOrder) $(other "$LAB_DIR/keys3")" "0 10 6"

ok "no record is left" no_records
is "nothing was asked against the rules" "$(grep -cE '"violation"|"what": "trap"' "$LAB_ACME_DIR/log")" 0
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
