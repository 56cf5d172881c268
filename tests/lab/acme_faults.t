#!/bin/sh
# A CA that is ill: answers lost, cut, endless, late, of the wrong kind, refusals of every sort (rows 4, 46-49, 53-56). Each run ends in bounded time
# with the right code, no order is made twice where one is known, no CSR is sent twice ever, and the next run goes on where this one stopped.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"

# --- a CA in good health: what is asked, and how often
NAMES="www.example.hk mail.example.hk *.example.hk example.hk"
acme_case well
ok "four names, a wildcard and its base among them" run 0 'installed, valid until'
ok "one order, an authorization and a challenge a name, one CSR" counts newAccount=1 newOrder=1 authz=4 challenge=4 finalize=1 certificate=1 directory=1
ok "the certificate of these names, no record left" eval 'live && no_records && harmless'
is "a few connections at most" "$(grep -o '"connection": [0-9]*' "$LAB_ACME_DIR/log" | sort -u | wc -l | awk '{ print ($1 <= 6) }')" 1
unset NAMES
: > "$LAB_ACME_DIR/log"
acme_case reuse
ok "first order" run 0 'installed, valid until'
mode reuse=yes
: > "$LAB_ACME_DIR/log"
ok "authorizations already valid (row 56)" again 0 'installed, valid until'
ok "no challenge, no check" counts newOrder=1 challenge=0 validation=0 finalize=1
ok "no record was written" eval '! grep -q "challenged -> published.*record" "$P/out" && no_records && live'

# --- what cron or an attacker has put into the environment does not count (row 52)
acme_case environment
ok "proxies and roots of the environment are ignored" eval '(
    export https_proxy=http://192.0.2.9:80 HTTPS_PROXY=http://192.0.2.9:80 all_proxy=http://192.0.2.9:80 SSL_CERT_FILE=/dev/null CURL_CA_BUNDLE=/dev/null
    run 0 "installed, valid until" && harmless)'

# --- nonces (row 53)
for percent in 5 50; do
    acme_case "nonce$percent"
    mode "badnonce=$percent"
    ok "$percent % of the nonces refused: done" run 0 'installed, valid until'
    ok "$percent %: one order, one certificate" eval 'live && no_records && harmless && [ "$(asked newOrder "\"status\": 201")" = 1 ] && [ "$(asked finalize accepted)" = 1 ]'
done
fault "every nonce refused" badnonce=100 14 CA_NONCE "newOrder=0 newAccount=17"
acme_case nononce
mode at.post=nononce
ok "answers without a nonce: done" run 0 'installed, valid until'

# A CA that bears few questions for nonces at once: known from then on.
NAMES=$(for i in 1 2 3 4 5 6 7 8 9; do printf 'n%d.example.hk ' $i; done)
for fault in unavailable:120 rateLimited:120 internal; do
    acme_case "few-nonces-${fault%:*}"
    mode "at.newNonce=$fault+4"
    ok "nonces are refused after four ($fault): done" run 0 'installed, valid until'
    ok "one order, all its names" eval 'live && counts newOrder=1 authz=9 challenge=9'
done
acme_case few-nonces
mode at.newNonce=unavailable:120+4
ok "nonces are refused after four" run 0 'installed, valid until'
: > "$LAB_ACME_DIR/log"
mode at.newNonce=unavailable:120+4 again=yes
ok "the next order" again 0 'installed, valid until'
ok "asks for no more than four" counts newNonce=4
unset NAMES
acme_case moved
ok "newNonce is remembered" eval 'run 0 "installed, valid until" && sqlite3 "$P/state/state.db" "SELECT text FROM vals" | grep -q "/newNonce\""'
sqlite3 "$P/state/state.db" "UPDATE vals SET text = replace(text, '/newNonce\"', '/old-place\"')"
ok "one that has moved since costs nothing but the question" eval 'again 0 "installed, valid until" && live'
ok "and is known anew" eval 'sqlite3 "$P/state/state.db" "SELECT text FROM vals" | grep -q "/newNonce\""'

# --- answers lost: row 4
fault "reply to newOrder lost" 'at.newOrder=reset*1' 69 HTTP_BROKEN "newOrder=1 finalize=0" "newOrder=1 finalize=1"
fault "newOrder: the connection ends instead" 'at.newOrder=hangup*1' 69 HTTP_BROKEN "newOrder=1 finalize=0" "newOrder=1 finalize=1"
fault "reply to finalize lost" 'at.finalize=reset*1' 69 HTTP_BROKEN "newOrder=1 finalize=1" "newOrder=0 finalize=0 certificate=1"
fault "finalize: the connection ends instead" 'at.finalize=hangup*1' 69 HTTP_BROKEN "newOrder=1 finalize=1" "newOrder=0 finalize=0 certificate=1"
fault "reply to finalize is broken" 'at.finalize=broken*1' 14 CA_ANSWER "newOrder=1 finalize=1" "newOrder=0 finalize=0 certificate=1"
fault "finalize: an inner fault of the CA" 'at.finalize=internal*1' 69 CA_INTERNAL "newOrder=1 finalize=1" "newOrder=0 finalize=1 certificate=1"
acme_case cert-cut
mode 'at.certificate=truncated*1'
ok "a question that breaks off is asked again: done" run 0 'installed, valid until'
fault "the order is gone once it was challenged" at.order=gone 14 CA_ORDER_GONE "newOrder=1 finalize=0" "newOrder=1 finalize=1"
acme_case clock
mode expires=-60
ok "orders that are over at once, as seen by a wrong clock" run 0 'installed, valid until'
ok "are not made without end" counts newOrder=1 finalize=1
acme_case lost-account
mode do=close-accounts at.newOrder=noAccount*1
ok "the CA has forgotten the account: it is registered anew" run 0 'installed, valid until'

# --- not before Retry-After, and kept (row 55)
later() { # LABEL MODE EXIT CODE ENDPOINT: refused, and the next runs, forced or not, ask nothing there
    acme_case "later-$5-$3-$(printf '%s' "$2" | tr -c 'a-z0-9' -)"
    mode "$2"
    ok "$1: exit $3, $4" run "$3" "$4"
    : > "$LAB_ACME_DIR/log"
    mode
    ok "$1: a forced run asks nothing" eval 'again 75 "" && [ ! -s "$LAB_ACME_DIR/log" ]'
    ok "$1: nor does the next of cron's" eval 'run 75 "" && [ ! -s "$LAB_ACME_DIR/log" ]'
}
later "rate limit, seconds" at.newOrder=rateLimited:120 14 CA_RATE_LIMIT newOrder
later "rate limit, HTTP date" at.newOrder=rateLimited:date:120 14 CA_RATE_LIMIT newOrder
later "503 at the directory" at.directory=away:120 '75|69' CA_ANSWER directory
later "503 for a nonce" at.newNonce=unavailable:120 69 CA_NONCE newNonce
acme_case later-early-nonce "key_type = rsa4096"
mode at.newNonce=unavailable:120
ok "503 for a nonce that came while the key was made, when nobody needed it: told all the same" run 69 CA_NONCE
mode
acme_case poll-later
mode at.order=retry:3000
ok "the order is looked at again in 50 minutes" run 75 ''
: > "$LAB_ACME_DIR/log"
ok "until then cron's runs ask nothing" eval 'run 75 "" && [ ! -s "$LAB_ACME_DIR/log" ]'
mode
ok "a person may" again 0 'installed, valid until'
acme_case poll-soon
mode at.order=retry:2*2
ok "Retry-After of two seconds is waited for" eval 'run 0 "installed" && [ "$took" -ge 1900 ]'
fault "Retry-After in the past" at.newOrder=unavailable:-5 69 CA_INTERNAL "newOrder=1" "newOrder=1 finalize=1"

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
