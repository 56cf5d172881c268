#!/bin/sh
# A CA that means ill: tokens, URLs, bodies and texts made to do harm (rows 47, 48, 50, 54, 58, 59). Whatever it says, the run ends in
# bounded time with a clear line, nothing is written outside the state folder, nothing wrong is installed, nobody else is talked to.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"

# --- tokens (row 58)
for kind in slash dots newline quote long empty number blank; do fault "token: $kind" token=$kind 14 CA_TOKEN "newOrder=1 challenge=0 finalize=0"; done
fault "token: nul" token=nul 14 CA_ANSWER "newOrder=1 challenge=0 finalize=0" "newOrder=0 challenge=1 finalize=1"
ok "no token reached the zone or the ledger" no_records

# --- URLs of other schemes and hosts, redirects (row 50); the traps must see nobody
for at in newOrder newNonce newAccount authorizations challenge finalize; do
    fault "http in $at" "url.$at=http://acme.provider.example/x" 14 CA_URL "finalize=0"
done
fault "file: in newOrder" url.newOrder=file:///etc/passwd 14 CA_URL "newOrder=0"
fault "another host in authorizations" url.authorizations=https://192.0.2.9/a 14 CA_URL "newOrder=1 authz=0" "newOrder=0 finalize=1"
fault "another port in challenge" url.challenge=https://acme.provider.example:4443/c 14 CA_URL "challenge=0"
fault "user info in finalize" url.finalize=https://acme.provider.example@192.0.2.9/f 14 CA_URL "finalize=0"
fault "another host for the certificate" url.certificate=https://192.0.2.9/c 14 CA_URL "finalize=1 certificate=0" "newOrder=0 finalize=0 certificate=1"
fault "another host for the order" url.order-at=https://192.0.2.9/o 14 CA_URL "newOrder=1 authz=0"
fault "control characters in the account's URL" 'url.account-at=https://acme.provider.example/a"\x1b[31m' 14 CA_URL "newOrder=0"
fault "a relative URL" url.authorizations=/authz/3 14 CA_URL "authz=0"
fault "redirect of the directory" at.directory=redirect 14 CA_ANSWER "newOrder=0"
fault "redirect to the metadata service" at.newOrder=redirect:http://169.254.169.254/ 14 CA_ANSWER "newOrder=1 finalize=0"

# --- bodies (rows 47, 48)
fault "HTML with 200" at.directory=html 14 'CA_ANSWER' "newOrder=0"
fault "HTML called JSON" at.order=htmljson 14 'octet 1\).*CA_ANSWER' "newOrder=1 finalize=0" "newOrder=0 finalize=1"
ok "no body in the message" eval '! grep -q "Log in" "$P/out"'
fault "broken JSON" at.newOrder=broken 14 CA_ANSWER "newOrder=1"
fault "a name twice" at.authz=duplicate 14 CA_ANSWER "challenge=0"
fault "nesting 100,000 deep" at.order=deep 14 CA_ANSWER "finalize=0"
fault "a million numbers" at.directory=array 14 CA_ANSWER "newOrder=0"
fault "NaN" at.newOrder=nan 14 CA_ANSWER "newOrder=1"
fault "octets that are no UTF-8" at.authz=latin1 14 CA_ANSWER "challenge=0"
fault "an empty answer" at.order=empty 14 CA_URL "finalize=0"
fault "not HTTP at all" at.order=rubbish 69 HTTP_BROKEN "finalize=0"
fault "endless certificate" at.certificate=endless 69 HTTP_LARGE "finalize=1" "newOrder=0 finalize=0 certificate=1"
fault "10 MB" at.authz=huge 69 HTTP_LARGE "challenge=0"
fault "a gzip bomb nobody asked for" at.directory=bomb 69 HTTP_PACKED "newOrder=0"
fault "100,000 header fields" at.newOrder=heads 69 HTTP_LARGE "newOrder=1"
fault "a certificate called text/plain" at.certificate=wrongtype 14 CA_ANSWER "finalize=1 certificate=1" "newOrder=0 finalize=0 certificate=1"
DEADLINE=3
fault "one octet a second" at.directory=slow 75 '' "newOrder=0"
fault "no answer" at.newOrder=stuck 75 '' "newOrder=1" "finalize=1"
acme_case no-validation
mode processing=authz
ok "validation without end: the run ends" run 75 ''
ok "the next run goes on with the same order" eval 'run 75 "" && counts newOrder=1 challenge=1 && not_live && harmless'
ok "given up: no record left" leave
fault "issue without end" processing=order 75 '' "newOrder=1 finalize=1"
ok "the next run goes on with the same order" eval 'run 75 "" && counts newOrder=1 finalize=1'
DEADLINE=20

# --- texts (row 59)
fault "a problem that forges log lines" at.newOrder=evil 14 'x1b.*CA_MALFORMED' "newOrder=1"
fault "10 MB of it" at.newOrder=evil10m 69 HTTP_LARGE "newOrder=1"
fault "a problem of no known type" at.newOrder=strange 14 CA_PROBLEM "newOrder=1"
fault "a failed validation that forges log lines" 'fail=www.example.hk;failtext=evil' 14 'x1b.*CA_UNAUTHORIZED' "finalize=0" "newOrder=1 finalize=1"
fault "an invalid order that forges log lines" 'orderfail=www.example.hk;failtext=evil' 14 'x1b.*CA_CAA' "finalize=1" "newOrder=1 finalize=1"
NAMES="www.example.hk mail.example.hk shop.example.hk"
fault "one failing name of three is named alone" fail=mail.example.hk 14 'ERROR confirm mail.example.hk: no TXT record' "newOrder=1 finalize=0"
: > "$LAB_ACME_DIR/log"
mode reuse=yes
ok "the others' authorizations serve the next order" eval 'again 0 "" && counts newOrder=1 challenge=1 finalize=1 && live && no_records'
fault "finalize finds a name forbidden" orderfail=shop.example.hk 14 'shop.example.hk: forbidden by policy.*CA_CAA' "newOrder=1 finalize=1"
unset NAMES

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
