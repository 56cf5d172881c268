#!/bin/sh
# `portal NAME --page`: the descriptions against pages as a browser saves them: no network, no state, no secret.
here=$(dirname "$0")
. "$here/tap.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
PAGES=$here/../portal/pages
T=$(mktemp -d "${TMPDIR:-/tmp}/portal-page.XXXXXX")
trap 'rm -rf "$T"' EXIT
mkdir "$T/ca"
sed 's/ecert\.gov\.hk/ecert.test/g' "$here/../../conf/ca/hongkongpost-ecert.ini" > "$T/ca/here.ini"
cp "$here/../portal/conf/ca/harbour.ini" "$T/ca/"
cat > "$T/dcvagent.ini" <<INI
[agent]
state_dir = $T/state
log = none
conf_path = $T
[verify]
authoritative = any
[provider bind]
type = rfc2136
server = 192.0.2.53
zones = example.hk xn--i8s431aqn1ad1j.hk
[ca ecert]
type = portal
profile = here
[ca harbour]
type = portal
profile = harbour
[certificate shop]
ca = ecert
product = multi-domain
names = www.example.hk example.hk 電子核證.hk
reference_number = 123456789
[certificate mail]
ca = ecert
product = standard
names = www.example.hk
method = email
validation_email = admin@example.hk
[certificate harbour]
ca = harbour
product = multi-domain
names = www.example.hk example.hk 電子核證.hk
INI
dcv() { "$DCVAGENT" --config "$T/dcvagent.ini" "$@"; }
page() { # NAME FILE EXIT TEXT [OPTION...]: the page is tried, ends so and says this
    name=$1 file=$2 wanted=$3 text=$4
    shift 4
    dcv portal "$name" --page "$file" "$@" > "$T/out" 2>&1
    code=$?
    if [ "$code" != "$wanted" ] || ! grep -qF -e "$text" "$T/out"; then
        echo "exit $code, wanted $wanted; \"$text\" in:"
        cat "$T/out"
        return 1
    fi
}

ok "the configuration has no fault" dcv config check
ok "a login: what is filled in, the PIN hidden" page shop "$PAGES/tc-login.html" 0 'PIN: (hidden)'
ok "the reference number of the configuration" grep -qF 'reference number: 123456789' "$T/out"
ok "the button by its words" grep -qF 'would press: 提交 (POST https://www.ecert.test/' "$T/out"
ok "what is compared" page shop "$PAGES/en-confirm.html" 0 'agrees: names www.example.hk, example.hk, 電子核證.hk'
ok "a contradiction names both: 14" page mail "$PAGES/en-confirm.html" 14 'CONTRADICTS: product multi-domain'
ok "and its code" grep -qF '[PORTAL_CONTRADICTS]' "$T/out"
ok "the page of another method" page shop "$PAGES/tc-website.html" 14 'CONTRADICTS: method website'
ok "a code" page shop "$PAGES/tc-dns.html" 0 'code: 0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c1e'
ok "a failed proof, with the names" page shop "$PAGES/en-failed.html" 0 'Domain Control Validation (DCV) Failed: example.hk, xn--i8s431aqn1ad1j.hk'
ok "an address to send the code to" page mail "$PAGES/en-email.html" 0 'would press: Send Verification Code'
ok "--mailed: the code has come" page mail "$PAGES/en-email.html" 0 'would press: Confirm' --mailed
ok "links of the last page" page shop "$PAGES/tc-done.html" 0 'link intermediate: http://www1.ecert.test/root/ecert_ssl_ca_3-17_pem.crt'
ok "an unknown page: 76, and why no page fits" page shop "$PAGES/tc-captcha.html" 76 "[page login] known = //input[@type='password']: does not hold"
ok "another portal" page harbour "$PAGES/harbour-records.html" 0 'code for xn--i8s431aqn1ad1j.hk: '
sed 's/記錄值/記錄內容/' "$PAGES/tc-dns.html" > "$T/changed.html"
ok "a word has changed: 76 names the key" page shop "$T/changed.html" 76 '[page dns] read.code'
sed -i 's/^read.code = label:/&記錄內容 | /' "$T/ca/here.ini"
ok "mended by one word" page shop "$T/changed.html" 0 'code: 0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c1e'
ok "where the page came from: --url" page shop "$PAGES/en-login.html" 0 'POST https://www.ecert.test/a/step.do' --url https://www.ecert.test/a/b
ok "a form that leads elsewhere: 76" page shop "$PAGES/en-login.html" 76 '[PORTAL_ORIGIN]' --url https://evil.test/a
ok "--json" page shop "$PAGES/tc-dns.html" 0 '"button": "確認"' --json
ok "is JSON" python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$T/out"
: > "$T/empty.html"
ok "nothing at all in it: 76" page shop "$T/empty.html" 76 'PORTAL_HTML'
ok "no page at all" page shop "$T/none.html" 74 'NO_FILE'
ok "no portal's certificate, two ways at once: 2" page shop "$PAGES/tc-dns.html" 2 'one of --probe, --step, --page' --probe
ok "an unknown name: 2" page nobody "$PAGES/tc-dns.html" 2 'no section [certificate nobody]'
echo 'orgins = x' >> "$T/ca/harbour.ini"
ok "a fault in the description has its line: 78" page harbour "$PAGES/harbour-key.html" 78 'harbour.ini:'
ok "config check tells it too" sh -c '! "$0" --config "$1" config check > "$2/out" && grep -q "harbour.ini:.*orgins" "$2/out"' "$DCVAGENT" "$T/dcvagent.ini" "$T"
sed -i '/^orgins/d' "$T/ca/harbour.ini"
ok "no libxml2 on this machine: 78, and what to install" env DCVAGENT_FAIL=dlopen:ENOENT sh -c '"$0" --config "$1" portal harbour --page "$2" > "$3/out" 2>&1; [ $? = 78 ] && grep -qF "apt install libxml2" "$3/out"' \
    "$DCVAGENT" "$T/dcvagent.ini" "$PAGES/harbour-key.html" "$T"
ok "no state was made" test ! -e "$T/state"
done_testing
