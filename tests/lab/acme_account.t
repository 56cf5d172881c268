#!/bin/sh
# The account (terms, external binding, contact, key change, end), renewal information of RFC 9773, profiles, chains, revocation, the emergency.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"
field() { dcv status --json www | python3 -c 'import json,sys; print(json.load(sys.stdin)["certificates"][0][sys.argv[1]])' "$1"; }
fresh() { : > "$LAB_ACME_DIR/log"; }
payload() { grep -F "\"what\": \"$1\"" "$LAB_ACME_DIR/log" | tail -n 1 | grep -F -e "$2"; }
utc() { date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ; }
colons() { printf '%s' "$1" | tr : _; }

# --- terms of service, external account binding
fault "terms not agreed to" terms=yes 78 'terms/1.*TERMS' "newAccount=0"
CA_MORE='accept_terms = yes'
acme_case agreed
mode terms=yes
ok "terms agreed to" eval 'run 0 "installed" && payload newAccount "\\\"termsOfServiceAgreed\\\":true" && live && harmless'
fault "the terms have changed" at.newOrder=userAction 78 'terms/2.*CA_TERMS' "newOrder=1" "newOrder=1 finalize=1"
CA_MORE=
fault "external binding wanted, none configured" eab=yes 78 EAB_NEEDED "newAccount=0"
eab=$LAB_DIR/eab.key
umask 077
printf '%s' 'external account binding key, 48 octets of it ....' | basenc --base64url -w 0 | tr -d = > "$eab"
printf 'bm90IHRoZSBrZXkgb2YgdGhpcyBhY2NvdW50IGF0IGFsbA\n' > "$eab.wrong"
umask 022
for alg in HS256 HS384 HS512; do
    CA_MORE="eab_kid = kid-1
eab_key_file = $eab
eab_alg = $alg"
    acme_case "eab-$alg"
    mode eab=yes
    ok "external binding, $alg" eval 'says 0 "account https.*valid" account lab && harmless && ! grep -qFf "$eab" "$P/out" "$LAB_ACME_DIR/log"'
done
CA_MORE="eab_kid = kid-1
eab_key_file = $eab.wrong"
acme_case eab-wrong
mode eab=yes
ok "external binding with another key: refused" says 14 'CA_UNAUTHORIZED' account lab
CA_MORE=

# --- the account's life
acme_case account
ok "account: registered" says 0 'account https://acme.provider.example/account/[0-9]+, valid' account lab
fresh
ok "account: shown, not registered again" eval 'says 0 valid account lab && counts newAccount=0'
sed -i 's/^contact = .*/contact = new@example.hk/' "$P/dcvagent.ini"
ok "contact changed: told to the CA" eval 'says 0 valid account lab && grep -qF "mailto:new@example.hk" "$LAB_ACME_DIR/log"'
fresh
ok "once" eval 'says 0 valid account lab && ! grep -qF "mailto:" "$LAB_ACME_DIR/log"'
ok "key change" eval 'says 0 valid account lab --rollover && counts keyChange=1 && harmless'
ok "an order with the new key" eval 'run 0 installed && live'
mode 'at.keyChange=reset*1'
ok "key change, reply lost" says 69 HTTP_BROKEN account lab --rollover
fresh
ok "the next run finds out which key holds" eval 'again 0 installed && live && harmless'
ok "and registers nothing" eval '[ "$(asked newAccount "\"status\": 201")" = 0 ]'
is "three keys, none removed" "$(ls "$P/state/keys" | grep -c '^account-lab-')" 3
mode 'at.keyChange=internal*1'
ok "key change refused" says 69 CA_INTERNAL account lab --rollover
ok "the old key goes on" eval 'again 0 installed && live'
ok "deactivated" says 0 deactivated account lab --deactivate
fresh
ok "then nothing is asked for it" eval 'again 78 ACCOUNT_CLOSED && counts newAccount=0 newOrder=0'
ok "a person registers another" says 0 'valid' account lab
ok "with which the order goes on" eval 'again 0 "" && live && harmless'
fresh
mode do=close-accounts
ok "closed by the CA: told" again 14 'deactivated.*CA_UNAUTHORIZED'

# --- renewal information
acme_case ari
ok "ARI: first certificate" run 0 installed
old=$(serial)
start=$(utc '+20 days') end=$(utc '+21 days')
mode "ari=$(colons "$start"):$(colons "$end"):7200"
fresh
ok "ARI: a window ahead: nothing is ordered" eval 'run 0 "" && counts renewalInfo=1 newOrder=0 && harmless'
at=$(field next_at)
ok "ARI: renewed at a moment inside it: $start, $at, $end" eval '[ "$(printf "%s\n" "$start" "$at" "$end" | sort | sed -n 2p)" = "$at" ]'
fresh
ok "ARI: Retry-After is kept: not asked again" eval 'run 0 "" && counts renewalInfo=0 directory=0'
DCVAGENT_CLOCK=+3h
export DCVAGENT_CLOCK
ok "ARI: after it, asked again" eval 'run 0 "" && counts renewalInfo=1 newOrder=0'
unset DCVAGENT_CLOCK
is "ARI: the same window, the same moment" "$(field next_at)" "$at"
DCVAGENT_CLOCK=+10d
export DCVAGENT_CLOCK
ok "ARI: asked by a clock that is days ahead" run 0 ""
unset DCVAGENT_CLOCK
fresh
ok "ARI: set right, asked again" eval 'run 0 "" && counts renewalInfo=1 newOrder=0'
fresh
DCVAGENT_CLOCK=+22d
export DCVAGENT_CLOCK
dcv run --deadline 20s www > "$P/out" 2>&1
unset DCVAGENT_CLOCK
ok "ARI: when the window is past an order begins" counts newOrder=1
acme_case ari-past
ok "ARI: another first certificate" run 0 installed
old=$(serial)
mode ari=-7200:-3600
fresh
ok "ARI: a window in the past: renewed now" eval 'run 0 installed && live && harmless'
ok "ARI: the order says which certificate it replaces" payload newOrder replaces
is "ARI: a new certificate" "$([ "$(serial)" != "$old" ] && echo new)" new
mode ari=-7200:-3600 fail=www.example.hk
ok "ARI: a renewal that fails" again 14 CA_UNAUTHORIZED
mode ari=-7200:-3600
fresh
ok "ARI: replaced already, says the CA: ordered without" eval 'again 0 installed && counts newOrder=2 finalize=1 && ! payload newOrder replaces && live'
nothing() { # LABEL MODE: says nothing, so the life of the certificate counts
    acme_case "ari-$(printf '%s' "$1" | tr -c 'a-z' -)"
    ok "ARI: $1: a certificate" run 0 installed
    at=$(field next_at)
    mode "$2"
    fresh
    ok "ARI: $1: nothing is ordered" eval 'run 0 "" && counts newOrder=0 renewalInfo=1 && harmless'
    is "ARI: $1: the certificate's life counts" "$(field next_at)" "$at"
    ok "ARI: $1: not asked with each run" eval 'run 0 "" && counts renewalInfo=1'
}
nothing "the end before the start" ari=172800:86400
nothing "no times" ari=tomorrow:never
nothing "an inner fault" at.renewalInfo=internal
nothing "HTML" at.renewalInfo=html
nothing "asked every second" at.renewalInfo=retry:1
nothing "503" at.renewalInfo=unavailable:7200

# --- profiles
CA_MORE='profile = tlsserver'
acme_case profile
ok "profile: sent" eval 'run 0 installed && payload newOrder "\\\"profile\\\":\\\"tlsserver\\\"" && live'
CA_MORE='profile = shortlived'
fault "profile: one that the CA has not" days=90 78 'classic.*tlsserver.*CA_PROFILE' "newOrder=0"
CA_MORE=

# --- chains
CA_MORE='preferred_chain = Lab Other Root CA'
acme_case chain
ok "preferred chain" run 0 installed
is "preferred chain: the alternate one, leaf, intermediate, cross" "$(grep -c BEGIN "$P/state/live/www/fullchain.pem")" 3
ok "preferred chain: it ends at the other root" openssl verify -CAfile "$LAB_ACME_DIR/pki/other-root.pem" -untrusted "$P/state/live/www/chain.pem" "$P/state/live/www/cert.pem"
CA_MORE='preferred_chain = Nobody'
acme_case chain-none
ok "preferred chain that the CA has not: its first" eval 'run 0 installed && live'
is "preferred chain that the CA has not: leaf and intermediate" "$(grep -c BEGIN "$P/state/live/www/fullchain.pem")" 2
CA_MORE=

# --- a CSR asked for early
acme_case csr
ok "csr: a certificate" run 0 installed
fresh
dcv csr www > "$LAB_DIR/early"
ok "csr: orders nothing by itself" eval 'run 0 "" && run 0 "" && counts newOrder=0'
ok "csr: replace wants another key" eval 'says 0 installed replace www --yes && counts newOrder=1 && live'
is "csr: and has one" "$([ "$(openssl req -in "$LAB_DIR/early" -noout -pubkey)" != "$(openssl x509 -in "$P/state/live/www/cert.pem" -noout -pubkey)" ] && echo another)" another
acme_case csr-due
ok "csr: another first certificate" run 0 installed
dcv csr www > "$LAB_DIR/early"
ok "csr: when it is due it is used" again 0 installed
is "csr: with its key" "$(openssl req -in "$LAB_DIR/early" -noout -pubkey)" "$(openssl x509 -in "$P/state/live/www/cert.pem" -noout -pubkey)"

# --- revocation, the emergency
ok "plan --replace tells what it takes" says 0 'www.example.hk' plan --replace www
fresh
ok "plan asks for no order" counts newOrder=0 finalize=0
old=$(serial) key=$(cat "$P/state/live/www/privkey.pem")
ok "replace: new key and certificate" eval 'says 0 installed replace www --yes && live && harmless'
is "replace: the key is another" "$([ "$(cat "$P/state/live/www/privkey.pem")" != "$key" ] && echo another)" another
ok "revoked" eval 'says 0 revoked revoke www --reason superseded && counts revokeCert=1'
ok "revoked before: the same" says 0 revoked revoke www --reason superseded
printf '[ca elsewhere]\ntype = acme\ndirectory = https://127.0.0.1:1/none\naccept_terms = yes\n' >> "$P/dcvagent.ini"
sed -i 's/^ca = lab$/ca = elsewhere/' "$P/dcvagent.ini"
ok "revoked at the CA that issued it, whatever ca= says now" says 0 revoked revoke www --reason superseded
sed -i 's/^\[ca lab\]$/[ca renamed]/' "$P/dcvagent.ini"
ok "that section has another name now: nobody else is asked, and it is said" says 2 'came from \[ca lab\], which is no longer in' revoke www --reason superseded
ok "a reason that owners may not give" says 2 reason revoke www --reason cACompromise

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
