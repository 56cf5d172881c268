#!/bin/bash
# The portal, looked at by somebody who wants to break it: PINs and envelopes mixed up, pages that lie or repeat themselves, runs of cron that come every
# minute.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none portal_setup
. "$here/portal_orders.sh"
number=700000000
cron() { # TIMES EXIT: runs at once, as cron's of the next minutes
    for turn in $(seq "$1"); do says "$2" '' run "$N" || return 1; done
}

# --- envelopes
begin envelope '"pin": "9999888877776666"'
ok "a wrong PIN" first 14 PORTAL_LOGIN
application 710000001 '"server_name": "envelope.example.hk", "product": "standard", "pin": "1111222233334444"'
sed -i 's/^reference_number.*/reference_number = 710000001/' "$P/conf.d/envelope.ini"
echo 1111222233334444 > "$P/envelope.pin"
ok "the next envelope, both numbers in the configuration" later 0 ''
ok "its PIN was not tried with the old reference number" counts "$R" wrong_pins=1
ok "one certificate" counts 710000001 wrong_pins=0 paid=1

application 710000002 '"server_name": "envelope.example.hk", "product": "standard", "pin": "5555666677778888"'
ok "an envelope handed over beside the configuration's" eval 'echo 5555666677778888 | dcv pin envelope --reference 710000002'
ok "its certificate" says 0 '' run envelope
ok "which is no new application" says 0 '' run envelope
ok "nothing was done for the old one" counts 710000001 logins=1 paid=1
sed -i 's/^reference_number.*/reference_number = 710000002/; /^pin_file/d' "$P/conf.d/envelope.ini"
ok "nor when it is written down afterwards" says 0 '' run envelope
ok "one certificate" counts 710000002 paid=1

begin halfway
fault '{"do": "maintenance", "on": "POST check"}'
ok "halfway through" first 75 PORTAL_CLOSED
sed -i 's/^reference_number.*/reference_number = 710000003/' "$P/conf.d/halfway.ini"
echo 1111222233334444 > "$P/halfway.pin"
ok "another envelope now: not mixed with the order under way" later 75 'another reference number.*WAITING_OPERATOR'
sed -i "s/^reference_number.*/reference_number = $R/" "$P/conf.d/halfway.ini"
echo 1234567890123456 > "$P/halfway.pin"
ok "put back: the rest" later 0 ''
ok "no try was spent" counts "$R" wrong_pins=0 paid=1

begin silent
fault '{"do": "cut", "on": "POST check"}'
ok "a good PIN" first 69 ''
control change "{\"reference\": \"$R\", \"pin\": \"1111111111111111\"}"
fault '{"do": "word", "key": "wrong-pin", "text": "Nein", "on": "login", "times": 9}'
ok "the CA has changed it, and does not say so" later 14 PORTAL_LOGIN_UNCLEAR
ok "sent once more, then not again" eval 'later 75 "WAITING_PIN" && counts "$R" wrong_pins=1'

# --- codes
begin quoted '"code": "known-code"'
fault '{"do": "code", "value": "\"known-code\"", "on": "dns", "times": 9}'
ok "a code in quotes, as zone files have it" first 0 ''
begin unseen '"code": "known-code"'
fault '{"do": "code", "value": "known\u200b-code", "on": "dns", "times": 9}'
ok "a code with a character that nobody sees: 76" first 76 'is no code'
is "not published" "$(sqlite3 "$P/state/state.db" "select count(*) from ledger where cert = 'unseen'")" 0

# --- a CSR that the portal will not have
begin csr '"csr_refuse": "csr-key"'
ok "refused" first 14 'cancel csr.*run --force csr.*PORTAL_CSR'
control change "{\"reference\": \"$R\", \"csr_refuse\": null}"
ok "the way that the message tells" eval 'says 0 "" cancel csr && first 0 ""'
ok "another CSR, one certificate" counts "$R" refused_csrs=1 csrs=1 paid=1

# --- certificates that are not this order's
begin again
sed -i 's/^ca = ecert/&\npin = same/' "$P/conf.d/again.ini"
ok "a certificate" first 0 ''
serial=$(openssl x509 -in "$P/state/live/again/cert.pem" -noout -serial)
ok "the portal still shows it to the next order: not taken" first 14 PORTAL_OTHER
is "nothing of the next order is there" "$(state_of again)" "prepared None"
control again "{\"reference\": \"$R\"}"
ok "once the CA has opened the next one" later 0 ''
ok "a new certificate" test "$serial" != "$(openssl x509 -in "$P/state/live/again/cert.pem" -noout -serial)"
ok "two paid for" counts "$R" paid=2

# --- cron every minute
begin doubt '"forgetful": true, "issue_seconds": 3000'
fault '{"do": "cut", "on": "POST issue"}'
ok "a doubtful submission" first 69 ''
ok "a person is asked" later 75 'submitted doubt.*WAITING_OPERATOR'
logins=$(counter "$R" logins)
ok "cron does not log in for that" eval 'cron 3 75 && counts "$R" logins=$logins paid=1'
is "one copy of the page" "$(find "$P/state/pages" -name 'doubt-*' | wc -l)" 1
begin mailed
sed -i 's/^ca = ecert/&\nmethod = email\nvalidation_email = admin@mailed.example.hk/' "$P/conf.d/mailed.ini"
ok "a code by e-mail" first 75 WAITING_CODE
ok "cron does not log in for it" eval 'cron 3 75 && counts "$R" logins=1 codes_sent=1'
begin closed
fault '{"do": "maintenance", "on": "GET", "times": 99}'
ok "closed for days" first 75 PORTAL_CLOSED
before=$(asked '"GET"')
ok "not visited every minute" eval 'cron 3 75 && [ "$(asked "\"GET\"")" = "$before" ]'

# --- several orders at one portal, one of them with a wrong PIN
for i in 1 2 3 4; do
    application "72000000$i" "\"server_name\": \"m$i.example.hk\", \"product\": \"standard\""
    certificate "m$i" "72000000$i"
done
control calm '{}'
echo 9999888877776666 > "$P/m2.pin"
before=$(asked '"page": "public"')
ok "one of four has a wrong PIN" says 14 PORTAL_LOGIN run --force m1 m2 m3 m4
for i in 1 3 4; do
    ok "order $i goes through" counts "72000000$i" logins=1 checks=1 csrs=1 paid=1
done
ok "tried once" counts 720000002 wrong_pins=1 paid=0
is "what belongs to every chain was fetched once" $(($(asked '"page": "public"') - before)) 4

# --- the forecast, and what -vv tells
begin settle
sed -i 's/^settle = .*/settle = 6s/' "$P/dcvagent.ini"
from=$(date +%s)
ok "waits before the CA is told to look" says 75 "" run --force settle --deadline 3s
is "waits for a time" "$(state_of settle)" "visible time"
ok "not told before" counts "$R" checks=0
ok "then told" says 0 "" -vv run settle
ok "not before the time" eval 'counter "$R" checks_at > "$P/at" && [ "$(grep -oE "[0-9]+" "$P/at" | head -1)" -ge $((from + 6)) ]'
is "no secret at -vv" "$(grep -cE '1234567890123456|1234 5678|_tk|JSESSIONID' "$P/out")" 0

ok "a careful visitor" careful
is "no PIN in store, log, page copy or message" "$(grep -rlE '1234567890123456|9999888877776666|1111222233334444|5555666677778888' "$P/state" "$P/log" "$P/out" | sed "s|$P/||")" ""
done_testing
