#!/bin/bash
# The portal with a person beside it: unattended = no stops before each button and says what it would press, --probe only looks, --step asks on a
# terminal; a person takes over at any point and gives the order back.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none UNATTENDED=no portal_setup
. "$here/portal_orders.sh"
number=500000000
step() { # ANSWERS EXIT PATTERN: portal --step at a terminal, where it asks whether to press
    "$here/at_terminal.py" "[y/N]" "$1" "$DCVAGENT" --config "$P/dcvagent.ini" portal "$N" --step > "$P/out" 2>&1
    got=$?
    [ "$got" = "$2" ] && { [ -z "$3" ] || grep -qE -e "$3" "$P/out"; } && return
    echo "exit $got, wanted $2 and a line like: $3"
    cat "$P/out"
    return 1
}

# --- before each button
begin shop
ok "a look, nothing more" says 0 'page "login".*start.do' portal shop --probe
ok "it says what would be filled in, without the PIN" eval 'grep -q "$R" "$P/out" && grep -q "PIN: (hidden)" "$P/out" && grep -qE "button: (提交|Submit)" "$P/out" && ! grep -q 1234567890123456 "$P/out"'
ok "a run stops before the first button" first 75 'portal shop --step.*code shop.*WAITING_OPERATOR'
is "and waits for a person" "$(state_of shop)" "prepared operator"
ok "the next run is silent" says 75 '' run shop
ok "nothing was pressed" counts "$R" logins=0
ok "without a terminal there is nobody to ask" says 2 'needs a terminal' portal shop --step
ok "asked, and told no: nothing is pressed" step n 75 'Press it'
ok "nothing was pressed" counts "$R" logins=0
ok "the first button yes, the second no" step y,n 75 '(確認|Confirm)'
ok "logged in, no more" counts "$R" logins=1 confirms=0
ok "typed twice at once: the second button is not pressed" step $'y\ny,n' 75 '(確認|Confirm)'
ok "no more than before" counts "$R" confirms=0
ok "yes to all: the whole way" step y 0 ''
is "done" "$(state_of shop)" "done None"
ok "one certificate paid for" counts "$R" checks=1 csrs=1 paid=1
ok "the evidence names the buttons" eval 'dcv evidence shop | grep -q "portal  page=csr-check  button="'

# --- by hand from any point
begin hand '"code": "known-code-of-this-order"'
ok "by hand: stops at the login" first 75 'WAITING_OPERATOR'
ok "the code by hand" says 0 '' code hand known-code-of-this-order
ok "records by themselves; stops before confirm" says 75 'confirmed hand.*WAITING_OPERATOR' run hand
is "visible" "$(state_of hand)" "visible operator"
ok "confirmed by hand" says 0 '' confirmed hand
ok "stops before the CSR" says 75 'submitted hand.*WAITING_OPERATOR' run hand
is "validated" "$(state_of hand)" "validated operator"
ok "submitted by hand" says 0 '' submitted hand
ok "stops before the certificate" says 75 'import hand.*WAITING_OPERATOR' run hand
is "submitted" "$(state_of hand)" "submitted operator"
dcv csr hand > "$P/hand.csr"
"$here/pki" make "$P/pki" > "$P/pki.log" 2>&1
"$here/pki" issue "$P/pki" "$P/hand.csr" "$P/hand.crt" 199 hand.example.hk "Example Limited" > "$P/pki.log" 2>&1
sed -i "s|^chain_files = .*|chain_files = $P/pki/new.pem $P/pki/root.pem|" "$P/dcvagent.ini"
ok "imported by hand" says 0 '' import hand "$P/hand.crt"
ok "installed" says 0 '' run hand
ok "the portal was never logged into" counts "$R" logins=0 paid=0

# --- a person takes over in the middle, and gives back
begin back
sed -i "s|^chain_files = .*|chain_files = $LAB_PORTAL_ROOT|; s/^unattended = .*/unattended = yes/" "$P/dcvagent.ini"
fault '{"do": "captcha", "on": "GET csr", "times": 9}'
ok "a captcha before the CSR" first 76 'PORTAL_PAGE'
ok "by hand: it said no; the records are looked at again" says 0 '' confirmed back --failed 'not yet'
is "back at the records" "$(state_of back)" "challenged None"
control calm '{}'
ok "the rest by itself" says 0 '' run back
ok "one certificate paid for" counts "$R" paid=1
ok "a certificate that is there: nothing to hand over" says 2 'NO_ORDER' submitted back
is "no PIN anywhere" "$(grep -rlE '1234567890123456|1234 5678 9012' "$P/state" "$P/log" "$P/out" | sed "s|$P/||")" ""
ok "a careful visitor" careful
done_testing
