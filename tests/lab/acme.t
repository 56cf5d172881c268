#!/bin/bash
# ACME against pebble in its many moods: whole orders by the program, bad nonces, authorizations used again, external account binding, chains,
# the account's life, revocation, and a kill at every durable point of an order.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    PEBBLE_VA_NOSLEEP=1 exec "$here/up" named unbound pebble -- "$0"
fi
. "$here/tap.sh"
. "$here/pebble.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
pebble_setup
cp "$LAB_PEBBLE_DIR/eab.key" "$P/eab.key"
chmod 600 "$P/eab.key"
"$here/invariants" snapshot "$LAB_DIR/before"

# --- whole orders
section pebble "$LAB_PEBBLE_DIRECTORY"
certificate web pebble example.hk '*.example.hk' 電子核證.hk
ok "the configuration is sound" dcv config check
is "apex, wildcard and IDN in one order" "$(rc dcv run web)" 0
is "the names" "$(san web)" "DNS:example.hk,DNS:*.example.hk,DNS:xn--i8s431aqn1ad1j.hk"
ok "key and certificate fit" cmp <(openssl pkey -in "$P/state/live/web/privkey.pem" -pubout) <(openssl x509 -in "$P/state/live/web/cert.pem" -noout -pubkey)
is "one connection to the CA" "$(ss -Htan "dst $LAB_PEBBLE and dport = 14000" | wc -l)" 1
is "nothing due: exit 0" "$(rc dcv run)" 0
is "nothing due: silent" "$(cat "$P/out")" ""
is "the account key is ours alone" "$(stat -c %a "$P/state/keys/account-pebble-1.key")" 600
quit web

# --- a CA that takes its time
pebble slow 14100 PEBBLE_VA_NOSLEEP=0 PEBBLE_VA_SLEEPTIME=2
certificate slow slow www.example.hk mail.example.hk
is "a CA that takes its time" "$(rc dcv run slow)" 0
quit slow

# --- bad nonces
for bad in 5 50; do
    pebble "bad$bad" "14$bad" PEBBLE_WFE_NONCEREJECT=$bad || { echo "Bail out! no pebble"; exit 1; }
    certificate "bad$bad" "bad$bad" www.example.hk shop.example.hk mail.example.hk www.example.com
    is "$bad % of the nonces refused" "$(rc dcv run "bad$bad")" 0
    quit "bad$bad"
done

# --- authorizations used again
for reuse in 0 50 100; do
    pebble "reuse$reuse" "$((14700 + reuse))" PEBBLE_AUTHZREUSE=$reuse
    certificate "reuse$reuse" "reuse$reuse" www.example.hk '*.example.hk' example.hk
    is "authorizations used again $reuse %: first order" "$(rc dcv run "reuse$reuse")" 0
    before=$(count "reuse$reuse" 'POST /chalZ/')
    is "authorizations used again $reuse %: second order" "$(rc dcv run --force "reuse$reuse")" 0
    more=$(($(count "reuse$reuse" 'POST /chalZ/') - before))
    [ "$reuse" != 0 ] || ok "next to none used again" test "$more" -ge 2
    [ "$reuse" != 100 ] || is "all used again: no challenge" "$more" 0
    quit "reuse$reuse"
done

# --- external account binding, terms
SECTION="" pebble eab 14300 eab
certificate eab eab www.example.hk
is "a binding is wanted: exit 78" "$(rc dcv run eab)" 78
ok "and said" grep -q 'EAB_NEEDED' "$P/out"
printf '%s\n' 'eab_kid = kid-1' "eab_key_file = $P/eab.key" >> "$P/conf.d/ca-eab.ini"
is "with the key it works" "$(rc dcv run --force eab)" 0
quit eab
section terms "$LAB_PEBBLE_DIRECTORY"
sed -i '/accept_terms/d' "$P/conf.d/ca-terms.ini"
certificate terms terms www.example.hk
is "terms not agreed to: exit 78" "$(rc dcv run terms)" 78
ok "their URL is shown" grep -q 'data:text/plain.*\[TERMS\]' "$P/out"
quit terms

# --- chains
pebble alt 14400 PEBBLE_ALTERNATE_ROOTS=2 PEBBLE_CHAIN_LENGTH=3
root2=$(ca_json 15400/roots/2 | openssl x509 -noout -subject -nameopt multiline | awk -F= '/commonName/ { sub(/^ /, "", $2); print $2 }')
certificate long alt www.example.hk
is "a chain of three" "$(rc dcv run long)" 0
is "three intermediates" "$(grep -c BEGIN "$P/state/live/long/chain.pem")" 3
ca_json 15400/roots/0 > "$P/root0.pem"
ok "it ends in the first root" openssl verify -CAfile "$P/root0.pem" -untrusted "$P/state/live/long/chain.pem" "$P/state/live/long/cert.pem"
echo "preferred_chain = $root2" >> "$P/conf.d/ca-alt.ini"
is "the preferred chain" "$(rc dcv run --force long)" 0
ca_json 15400/roots/2 > "$P/root2.pem"
ok "ends in the root that was asked for" openssl verify -CAfile "$P/root2.pem" -untrusted "$P/state/live/long/chain.pem" "$P/state/live/long/cert.pem"
sed -i 's/^preferred_chain.*/preferred_chain = No Such Root/' "$P/conf.d/ca-alt.ini"
is "one that is not offered: the first is used" "$(rc dcv run -v --force long)" 0
ok "and said" grep -q 'CHAIN_NOT_OFFERED' "$P/out"
quit long

# --- a name that fails alone
pebble fails 14500 PEBBLE_AUTHZREUSE=100
certificate fails fails www.example.hk caa.example.hk
# The CA's resolver believes that one name has another record.
unbound-control -q -c "$LAB_PEBBLEDNS_DIR/unbound.conf" local_data _acme-challenge.caa.example.hk. 60 IN TXT wrong
is "one name fails: exit 14" "$(rc dcv run fails)" 14
ok "it alone is named" sh -c "grep -q 'caa.example.hk' '$P/out' && ! grep -q 'www.example.hk:' '$P/out'"
unbound-control -q -c "$LAB_PEBBLEDNS_DIR/unbound.conf" local_data_remove _acme-challenge.caa.example.hk.
before=$(count fails 'POST /chalZ/')
is "then the order goes through" "$(rc dcv run --force fails)" 0
is "with one more challenge: the other name's proof was used again" "$(($(count fails 'POST /chalZ/') - before))" 1

# --- the account's life
ok "account shows it" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' account fails | grep -q 'my-account.* valid'"
is "rollover" "$(rc dcv account fails --rollover)" 0
ok "a second key" test -f "$P/state/keys/account-fails-2.key"
is "an order with the new key" "$(rc dcv run --force fails)" 0
echo 'contact = hostmaster@example.hk' >> "$P/conf.d/ca-fails.ini"
before=$(count fails 'POST /my-account/')
is "a changed contact is told" "$(rc dcv run --force fails)$(($(count fails 'POST /my-account/') - before))" 01
is "once" "$(rc dcv run --force fails)$(($(count fails 'POST /my-account/') - before))" 01
is "revoke" "$(rc dcv revoke fails --reason superseded)" 0
is "revoke an older set" "$(rc dcv revoke fails 1 --reason keyCompromise)" 0
is "no set of this number: exit 74" "$(rc dcv revoke fails 99 --reason superseded)" 74
is "no number: exit 2" "$(rc dcv revoke fails ../1 --reason superseded)" 2
serial=$(openssl x509 -in "$P/state/live/fails/cert.pem" -noout -serial | cut -d= -f2)
ok "the CA says so" sh -c "curl -s --cacert '$LAB_PEBBLE_CA' https://pebble.lab.test:15500/cert-status-by-serial/$serial | grep -q Revoked"
sqlite3 "$P/state/state.db" "delete from vals where module = 'acme'"
is "the account forgotten: it is found by its key" "$(rc dcv account fails)$(grep -c 'There are now 1 accounts' "$(log_of fails)")" 01
is "deactivate" "$(rc dcv account fails --deactivate)" 0
is "no order after that: exit 78" "$(rc dcv run --force fails)" 78
is "another one is registered when asked for" "$(rc dcv account fails)" 0
is "and orders" "$(rc dcv run --force fails)" 0
quit fails

# --- killed at every durable point
pebble kill 14600 PEBBLE_AUTHZREUSE=100
certificate kill kill www.example.hk example.hk
kill_at() { # N: 0 when the whole order went through undisturbed, 1 when it was killed and repaired, 2 wrong
    local issued=$(count kill 'Issued certificate') orders
    rm -rf "$P/state"
    DCVAGENT_KILL=$1 dcv run kill > "$P/out" 2>&1
    [ $? = 137 ] || return 0
    for i in 1 2 3; do dcv run kill >> "$P/out" 2>&1 && break; done
    [ "$(state_of kill)" = done ] || { echo "state $(state_of kill)"; cat "$P/out"; return 2; }
    [ "$(($(count kill 'Issued certificate') - issued))" = 1 ] || { echo "issued more than once"; cat "$P/out"; return 2; }
    return 1
}
if [ "$(basename "$(dirname "$DCVAGENT")")" = test ]; then
    n=1 step=${ACME_KILL_STEP:-3} bad=0 rounds=0
    while kill_at $n > "$P/why"; r=$?; [ $r != 0 ]; do
        [ $r = 1 ] || { bad=$((bad + 1)); sed "s/^/# point $n: /" "$P/why"; }
        rounds=$((rounds + 1)) n=$((n + step))
    done
    is "killed at $rounds points: nothing issued twice, all repaired by the next run" "$bad" 0
    ok "there were some" test "$rounds" -ge 5
else
    skip "killed at durable points" "not the test build"
fi
quit kill
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
