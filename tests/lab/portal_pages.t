#!/bin/bash
# The portal's pages on a bad day: closed doors, lost sessions, checks that fail, codes that change, other origins, and certificates that are not what was
# ordered.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none portal_setup
. "$here/portal_orders.sh"
number=400000000

# --- closed doors, lost sessions
begin closed
fault '{"do": "maintenance", "on": "GET"}'
ok "maintenance: later" first 75 'PORTAL_CLOSED'
ok "not before" says 75 '' run closed
ok "one visit" counts "$R" logins=0
ok "later" later 0 ''
begin error
fault '{"do": "status", "code": 500, "on": "GET login"}'
ok "a server fault: later" first 75 'PORTAL_CLOSED'
ok "later" later 0 ''
begin session
fault '{"do": "expired", "on": "POST check"}'
ok "the session is lost: a new one in the same run" first 0 ''
ok "two logins, one certificate" counts "$R" logins=2 paid=1
begin token
fault '{"do": "token", "on": "POST choose"}'
ok "a form that the portal will not have: begun anew" first 0 ''
ok "one certificate" counts "$R" paid=1

# --- the proof of control
begin failing '"dcv_fail": 1'
ok "the check fails" first 14 'failing.example.hk.*PORTAL_DCV'
is "the records stay" "$(state_of failing)" "visible None"
ok "tried again after a while" later 0 ''
ok "two checks, one certificate" counts "$R" checks=2 failed_checks=1 paid=1
begin slow '"check_seconds": 2'
ok "a check that takes its time" first 0 ''
ok "checked once" counts "$R" checks=1 paid=1
begin changes '"code_changes": true'
fault '{"do": "expired", "on": "POST check"}'
ok "another code on return: published, then confirmed" first 0 ''
ok "checked with the code that stood there" counts "$R" failed_checks=0 paid=1
begin old
fault '{"do": "maintenance", "on": "POST check"}'
control options '{"clock": -2700000}'
ok "a code that is not confirmed in time" first 75 'PORTAL_CLOSED'
control options '{"clock": 0}'
ok "expired: a new one" later 0 ''
ok "one certificate" counts "$R" paid=1

begin elsewhere
fault '{"do": "word", "key": "dns", "text": "網站變更 (建議)", "on": "dns"}'
ok "the page of another method: its code is not taken" first 14 'PORTAL_CONTRADICTS'
is "nothing is published" "$(state_of elsewhere)" "prepared operator"
ok "as it was ordered: on from there" later 0 ''

# --- other origins
for on in "POST login" "GET confirm"; do
    begin "away-$(echo "$on" | tr 'A-Z ' 'a-z-')"
    fault "{\"do\": \"redirect\", \"url\": \"https://evil.ecert.test/\", \"on\": \"$on\"}"
    ok "$on leads to another origin: not followed" first 76 'PORTAL_ORIGIN'
done
begin refresh
fault '{"do": "refresh", "url": "https://evil.ecert.test/", "on": "login"}'
ok "a page that wants to be left for another origin is used as it is" first 0 ''
begin action
fault '{"do": "action", "url": "https://evil.ecert.test/", "on": "login"}'
ok "a form for another origin: not sent" first 76 ''
begin link
fault '{"do": "link", "url": "https://evil.ecert.test/cert.crt", "on": "done"}'
ok "a certificate from another origin: not fetched" first 76 'PORTAL_ORIGIN'
ok "fetched when the link is right again" later 0 ''
ok "paid for once" counts "$R" paid=1
begin huge
fault '{"do": "huge", "mb": 10, "on": "GET login"}'
ok "10 MB: not read" first 69 'HTTP_LARGE'

# --- what comes of it
begin otherkey '"cert": "otherkey"'
ok "a certificate of another key" first 14 'CERT_KEY'
ok "not installed" not_live
begin refused '"csr_refuse": "csr-key"'
ok "the CSR is refused" first 14 'PORTAL_CSR'
ok "and not given again meanwhile" eval 'says 14 "" run refused && counts $R refused_csrs=1 paid=0'
control change "{\"reference\": \"$R\", \"csr_refuse\": null}"
ok "taken later" later 0 ''

# --- many that wait for their records side by side: each stays where it is, logged in once
sed -i 's/^settle = .*/settle = 4s/' "$P/dcvagent.ini"
many=
for i in $(seq 12); do
    begin "many$i"
    many="$many many$i"
done
ok "twelve orders that settle" says 0 '' run --force $many
each_once() {
    for i in $(seq 12); do
        counts "$((number - 12 + i))" logins=1 paid=1 || return
    done
}
ok "each logged in once" each_once

# --- what is left
ok "a careful visitor" careful
is "no PIN in store, log, page copy or message" "$(grep -rlE '1234567890123456|9999888877776666|1234 5678 9012' "$P/state" "$P/log" "$P/out" | sed "s|$P/||")" ""
done_testing
