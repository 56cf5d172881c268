#!/bin/bash
# What must never happen at a portal: a refused PIN sent twice, a second submission after an answer that was lost, a button pressed on a page that is not
# known or contradicts the order. And the way on by hand.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none portal_setup
. "$here/portal_orders.sh"
number=300000000

# --- PINs
begin wrong '"pin": "9999888877776666"'
ok "a wrong PIN: said so" first 14 'PORTAL_LOGIN'
is "and waited for another" "$(state_of wrong)" "prepared pin"
ok "not again by cron" later 75 'WAITING_PIN'
ok "not again by run --force" first 75 ''
printf '1234 5678 9012 3456\n' > "$P/wrong.pin"
ok "not again with the same in a file written anew" later 75 ''
ok "not again by hand" eval 'echo 1234567890123456 | says 2 PIN_REFUSED pin wrong --reference $R'
sed '1s/wrong/renamed/' "$P/conf.d/wrong.ini" > "$P/conf.d/renamed.ini"
mv "$P/conf.d/wrong.ini" "$P/wrong.ini"
ok "not again by the section under another name" says 75 'WAITING_PIN' run --force renamed
ok "nor by hand for it" eval 'echo 1234567890123456 | says 2 PIN_REFUSED pin renamed --reference $R'
ok "its order ends" says 0 '' cancel renamed
mv "$P/wrong.ini" "$P/conf.d/wrong.ini"
rm "$P/conf.d/renamed.ini"
ok "the portal saw it once" counts "$R" wrong_pins=1 logins=0
echo 9999888877776666 > "$P/wrong.pin"
ok "the right one" later 0 ''
ok "one certificate paid for" counts "$R" wrong_pins=1 logins=1 paid=1

begin lost
fault '{"do": "cut", "on": "POST login"}'
ok "the answer to a login is lost" first 69 'PIN counts as tried'
ok "cron does not send it again" later 75 'WAITING_PIN'
ok "one login" counts "$R" logins=1
ok "a person lets it be sent again" first 0 ''
ok "one certificate paid for" counts "$R" logins=2 paid=1

begin ahead
fault '{"do": "cut", "on": "POST login", "times": 2}'
handed() { echo 1234567890123456 | DCVAGENT_CLOCK=$1 dcv pin ahead --reference "$R"; }
ok "a PIN is handed over while the clock is ahead" handed +1d
ok "its answer is lost" later 69 'PIN counts as tried'
ok "that hand-over is used up" later 75 'WAITING_PIN'
ok "another one" handed +2d
ok "is good for one login" later 69 'PIN counts as tried'
ok "and no more" later 75 'WAITING_PIN'
ok "two logins for two hand-overs" counts "$R" logins=2
ok "a person's run ends it" first 0 ''

begin locked '"pin": "9999888877776666"'
control change "{\"reference\": \"$R\", \"wrong\": 5}"
ok "locked: said so" first 14 'PORTAL_LOGIN'

# --- answers lost after the form had its effect
begin check
fault '{"do": "cut", "on": "POST check"}'
ok "the answer to the check is lost" first 69 'looks where the portal stands'
ok "it stands at the CSR: on from there" later 0 ''
ok "checked once" counts "$R" checks=1 paid=1

begin given
fault '{"do": "cut", "on": "POST submit"}'
ok "the answer to the CSR is lost" first 69 'CSR may have arrived'
ok "the portal shows that it has it: on from there" later 0 ''
ok "given once, paid for once" counts "$R" csrs=1 paid=1

begin issue
fault '{"do": "cut", "on": "POST issue"}'
ok "the answer to the last button is lost" first 69 'CSR may have arrived'
is "not known to be submitted" "$(state_of issue)" "validated None"
ok "the portal shows it issued: on from there" later 0 ''
ok "paid for once" counts "$R" csrs=1 paid=1

begin forgetful '"forgetful": true, "issue_seconds": 3000'
fault '{"do": "cut", "on": "POST issue"}'
ok "lost, and the portal does not show it" first 69 'CSR may have arrived'
ok "a person is asked" later 75 'submitted forgetful.*confirmed forgetful.*WAITING_OPERATOR'
is "and nothing was pressed" "$(state_of forgetful)" "validated operator"
ok "again" later 75 ''
ok "paid for once" counts "$R" csrs=1 paid=1
ok "it is there, says the person" says 0 '' submitted forgetful
is "waits for the CA" "$(state_of forgetful)" "submitted None"
control change "{\"reference\": \"$R\", \"issue_seconds\": 0}"
control options '{"clock": 7200}'
ok "issued" later 0 ''
control options '{"clock": 0}'
ok "paid for once" counts "$R" csrs=1 paid=1

# --- pages that are not known, and the way on by hand
begin unknown '"code": "known-code-of-this-order"'
fault '{"do": "unknown", "on": "GET dns", "times": 9}'
ok "an unknown page: 76" first 76 'PORTAL_PAGE'
copy=$(ls "$P/state/pages/"unknown-*.html)
is "a copy for us alone" "$(stat -c %a "$copy") $(stat -c %a "$P/state/pages")" "600 700"
ok "without the PIN" eval '! grep -qE "1234567890123456|1234 5678" "$copy"'
is "waits for a person" "$(state_of unknown)" "prepared operator"
control calm '{}'
ok "the code by hand" says 0 '' code unknown known-code-of-this-order
fault '{"do": "captcha", "on": "GET", "times": 99}'
ok "records by themselves, then the pages again" later 76 'PORTAL_PAGE'
is "visible" "$(state_of unknown)" "visible operator"
control calm '{}'
ok "confirmed by hand (and by the portal, once it looks)" says 0 '' confirmed unknown --failed 'a captcha'
ok "the pages are back: the rest" later 0 ''
ok "paid for once" counts "$R" checks=1 paid=1

begin twice
fault '{"do": "twice", "on": "confirm"}'
ok "a button that is there twice: not pressed" first 76 ''
ok "nothing was pressed" counts "$R" confirms=0
begin other
fault '{"do": "name", "value": "www.other.hk", "on": "confirm", "times": 9}'
ok "another server name: not pressed" first 14 'PORTAL_CONTRADICTS'
ok "nothing was pressed" counts "$R" confirms=0
is "waits for a person" "$(state_of other)" "prepared operator"

# --- what is left
ok "a careful visitor" careful
is "no PIN in store, log, page copy or message" "$(grep -rlE '1234567890123456|9999888877776666|1234 5678 9012' "$P/state" "$P/log" "$P/out" | sed "s|$P/||")" ""
done_testing
