#!/bin/bash
# method = website at the simulated portal, unattended: the file that the page links to is fetched, put on the web servers, and removed again.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
W=$LAB_DIR/web
FILE=.well-known/pki-validation/fileauth.txt
mkdir -p "$W"
"$here/web.py" "$LAB_DIR/requests" "192.0.2.80:80=$W" "[2001:db8:2::80]:80=$W" &
web=$!
trap 'kill $web' EXIT
ok "web servers" eventually 20 test -e "$LAB_DIR/requests.ready"
TIMEOUT=3s portal_setup
"$here/invariants" snapshot "$LAB_DIR/before"
application 100000001 '"server_name": "www.example.hk", "product": "multi-domain", "names": ["shop.example.hk", "example.hk"]'
certificate shop 100000001 'method = website' "webroot = $W"

ok "the whole way in one run" says 0 '' run --force shop
is "done" "$(state_of shop)" "done None"
ok "one login, one check, one CSR, one certificate paid for" counts 100000001 logins=1 checks=1 failed_checks=0 csrs=1 paid=1 wrong_pins=0 method=website
ok "the CA looked by itself" test "$(grep -c 'http www.example.hk' "$LAB_DIR/requests")" -ge 2
is "nothing is left" "$(find "$W" -mindepth 1)" ""
is "no record in DNS" "$(sqlite3 "$P/state/state.db" "select count(*) from ledger")" 0

# --- the CA cannot see it: the file stays, and the next run tries again
application 100000002 '"server_name": "www.example.hk", "product": "standard", "dcv_fail": 1'
certificate again 100000002 'method = website' "webroot = $W"
ok "refused by the CA" says 14 PORTAL_DCV run --force again
ok "the file stays" test -s "$W/$FILE"
ok "then through" eval 'DCVAGENT_CLOCK=+1h says 0 "" run again'
ok "one more check" counts 100000002 checks=2 paid=1
is "nothing is left" "$(find "$W" -mindepth 1)" ""

# --- a stranger's file
application 100000003 '"server_name": "www.example.hk", "product": "standard"'
certificate taken 100000003 'method = website' "webroot = $W"
mkdir -p "$W/${FILE%/*}"
echo theirs > "$W/$FILE"
ok "not overwritten: 73" says 73 WEBSITE_TAKEN run --force taken
is "not overwritten" "$(cat "$W/$FILE")" theirs
ok "nothing was confirmed at the CA" counts 100000003 checks=0
rm "$W/$FILE"
ok "moved away: through" eval 'DCVAGENT_CLOCK=+1h says 0 "" run taken'

ok "a careful visitor" careful
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
