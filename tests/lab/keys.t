#!/bin/sh
# Private keys as PKCS#12: saved before submission and after issue, brought back, listed; PFX files as IIS and MMC make them, broken and wrong ones; what
# is there is never overwritten. And the other way round: a CSR made in IIS, whose certificate is handed back for Windows.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
H=$LAB_DIR/keys
mkdir -p "$H"
PW=pfx-password-canary
printf '%s\n' "$PW" > "$H/pw"
printf 'another\n' > "$H/wrong"
chmod 600 "$H/pw" "$H/wrong"
# As the IIS wizard writes it: its own label, CRLF; the key stays on that machine.
openssl req -new -newkey rsa:2048 -nodes -keyout "$H/iis.key" -subj "/C=HK/ST=Hong Kong/L=Hong Kong/O=Example Limited/OU=IT/CN=mail.example.hk" 2> /dev/null |
    sed 's/CERTIFICATE REQUEST/NEW CERTIFICATE REQUEST/; s/$/\r/' > "$H/certreq.txt"
section() { # NAME HOST LINE...
    echo "[certificate $1]" && echo "ca = ecert" && echo "names = $2" && echo "product = standard" && shift 2 && printf '%s\n' "$@"
}
person_setup "$(section shop www.example.hk
    section win shop.example.hk "pfx = yes" "pfx_password_file = $H/pw" "pfx_encryption = 3des" "friendly_name = 商店"
    section fromiis www.example.hk
    section other www.example.hk
    section late www.example.hk
    section iis mail.example.hk "csr_file = $H/certreq.txt")"
S=$P/state
"$here/invariants" snapshot "$LAB_DIR/before"

try() { # ARGUMENT...: as a script would; exit code in $code, all it says in $P/out
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
    cat "$P/out" >> "$P/said"
}
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
json() { python3 -c "import json,sys; j = json.load(open(sys.argv[1])); print($1)" "$P/out"; }
sums() { find "$S/keys" "$S/archive" "$S/live" | sort | while read -r f; do echo "$f $(stat -c %a "$f") $(sha256sum < "$f" 2> /dev/null)"; done; }
public() { openssl pkey -in "$1" -pubout; }
opened() { openssl pkcs12 -in "$1" -passin file:"$H/pw" -nodes -info -legacy > "$P/p12" 2> "$P/p12.err" || { cat "$P/p12.err"; return 1; }; }
with() { openssl pkcs12 -export -passout pass:$PW "$@"; }
key_of() { find "$S/keys" -name '*.key' -newer "$P/mark" | head -n 1; }

# --- before submission: the key alone
try key list
is "no keys" "$code $(cat "$P/out")" "0 there are no keys"
touch "$P/mark" -d '1 minute ago'
try key backup shop "$H/early.pfx" --password-file "$H/pw"
is "no key yet: 2" "$code" 2
ok "said" says NO_KEY
try csr shop
KEY=$(key_of)
try key backup shop "$H/early.pfx" --password-file "$H/pw"
is "the key of the order" "$code $(stat -c %a "$H/early.pfx")" "0 600"
ok "openssl opens it" opened "$H/early.pfx"
is "the key" "$(public "$P/p12")" "$(public "$KEY")"
is "without a certificate" "$(grep -c 'BEGIN CERTIFICATE' "$P/p12")" 0
ok "AES-256" grep -q AES-256 "$P/p12.err"
ok "friendly name" grep -q "friendlyName: shop" "$P/p12"
try key list --json
is "key list knows it" "$code $(json '[(k["name"], k["use"], k["type"], k["archive"], k["not_after"]) for k in j["keys"]]')" "0 [('shop', 'order under way', 'rsa2048', 0, None)]"
before=$(sha256sum "$H/early.pfx")
try key backup shop "$H/early.pfx" --password-file "$H/pw"
is "never over a file: 73" "$code $(sha256sum "$H/early.pfx")" "73 $before"

# --- the password
is "asked twice without echo" "$("$here/at_terminal.py" : "typed one,typed one" "$DCVAGENT" --config "$P/dcvagent.ini" key backup shop "$H/typed.pfx" | grep -c 'typed one')" 0
ok "opened with it" openssl pkcs12 -in "$H/typed.pfx" -passin "pass:typed one" -nodes -out /dev/null
ok "two that differ: 2, nothing written" sh -c "'$here/at_terminal.py' : 'one,two' '$DCVAGENT' --config '$P/dcvagent.ini' key backup shop '$H/differ.pfx' | grep -q PASSWORDS_DIFFER; test ! -e '$H/differ.pfx'"
is "a line of standard input" "$(printf 'from stdin\nrest\n' | dcv key backup shop "$H/stdin.pfx" > /dev/null; echo $?)" 0
ok "opened with it" openssl pkcs12 -in "$H/stdin.pfx" -passin "pass:from stdin" -nodes -out /dev/null
try key backup shop "$H/empty.pfx"
is "none: 2" "$code" 2
chmod 644 "$H/pw"
try key backup shop "$H/loose.pfx" --password-file "$H/pw"
is "a password file for everybody: 77" "$code" 77
chmod 600 "$H/pw"

# --- lost, and brought back
cp "$KEY" "$P/lost"
rm "$KEY"
try key restore shop "$H/early.pfx" --password-file "$H/wrong"
is "wrong password: 1, nothing there" "$code $(test -e "$KEY" && echo there)" "1 "
ok "said" says PFX_PASSWORD
try key restore shop "$H/early.pfx" --password-file "$H/pw"
is "restored" "$code $(stat -c %a "$KEY")" "0 600"
ok "the same key" cmp "$KEY" "$P/lost"
try key restore shop "$H/early.pfx" --password-file "$H/pw"
is "again: it is there already" "$code" 0
ok "said" says "nothing was changed"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$P/other" 2> /dev/null
cp "$P/other" "$KEY"
try key restore shop "$H/early.pfx" --password-file "$H/pw"
is "another key in its place: 73" "$code $(public "$KEY")" "73 $(public "$P/other")"
ok "said" says KEY_DIFFERS
cp "$P/lost" "$KEY"

# --- PFX files that will not do: old files untouched
dcv csr shop > "$P/csr"
openssl req -x509 -key "$P/lost" -subj /CN=www.example.hk -days 90 -out "$P/own.crt"
openssl req -x509 -key "$P/other" -subj /CN=www.example.hk -days 90 -out "$P/foreign.crt"
head -c 700 "$H/early.pfx" > "$H/cut"
printf '<html>log in</html>' > "$H/html"
: > "$H/nothing"
with -inkey "$P/other" -in "$P/foreign.crt" -out "$H/stranger"
with -nokeys -in "$P/foreign.crt" -out "$H/nokey"
bad() { # FILE CODE TEXT
    sums > "$P/sums1"
    try key restore shop "$H/$1" --password-file "$H/pw"
    is "$1: $2" "$code" "$2"
    ok "$1: said" says "$3"
    sums > "$P/sums2"
    ok "$1: nothing was touched" cmp "$P/sums1" "$P/sums2"
}
bad cut 1 PFX_READ
bad html 1 PFX_READ
bad nothing 1 PFX_READ
bad stranger 1 KEY_STRANGER
bad nokey 1 PFX_READ
cp "$P/lost" "$H/private.pem"
bad private.pem 1 PFX_READ

# --- as MMC exports a pending request: 3DES, RC2-40, a Chinese friendly name, and a stand-in certificate
with -legacy -name "我的憑證要求" -CSP "Microsoft RSA SChannel Cryptographic Provider" -LMK -inkey "$P/lost" -in "$P/own.crt" -out "$H/mmc"
rm "$KEY"
try key restore shop "$H/mmc" --password-file "$H/pw"
is "as MMC exports a request" "$code" 0
ok "the same key" cmp "$KEY" "$P/lost"

# --- after issue: with the chain
dcv csr shop > "$P/shop.csr" # it may have left: done by hand
try run shop
try pin shop --reference 123456789
try run shop
try code shop some-code && try run shop && try confirmed shop && try run shop && try submitted shop && try run shop
issue shop && try import shop "$P/shop.crt"
try key backup shop "$H/issued.pfx" --password-file "$H/pw"
ok "issued, not installed yet: with the certificate" eval 'opened "$H/issued.pfx" && grep -q "BEGIN CERTIFICATE" "$P/p12"'
try run shop
is "installed" "$code $(state_of shop)" "0 done None"
try key backup shop "$H/full.pfx" --password-file "$H/pw"
is "key and chain" "$code" 0
ok "openssl opens it" opened "$H/full.pfx"
is "certificate first, then the chain" "$(sed -n '/BEGIN CERT/,/END CERT/p' "$P/p12")" "$(cat "$S/live/shop/fullchain.pem")"
ok "key and certificate have an id in common" test "$(grep -A1 -c 'localKeyID' "$P/p12")" -ge 2
try key backup shop "$H/old.pfx" --password-file "$H/pw" --legacy
ok "--legacy: 3DES" eval 'opened "$H/old.pfx" && grep -q pbeWithSHA1And3-KeyTripleDES-CBC "$P/p12.err" && ! grep -q AES "$P/p12.err"'
ok "--legacy: where IIS keeps keys" grep -q "Microsoft CSP Name: Microsoft RSA SChannel Cryptographic Provider" "$P/p12"
rm "$S/archive/shop/1/privkey.pem" "$KEY"
try key list --json
is "lost everywhere: not listed" "$(json 'j["keys"]')" "[]"
try key restore shop "$H/full.pfx" --password-file "$H/pw"
is "both places" "$code $(stat -c %a "$S/archive/shop/1/privkey.pem" "$KEY" | tr '\n' ' ')" "0 600 600 "
ok "the same key" cmp "$S/archive/shop/1/privkey.pem" "$P/lost"
try key list --json shop
is "key list: in use" "$(json '[(k["use"], k["archive"], k["not_after"][:4] >= "2026", len(k["fingerprint_sha256"])) for k in j["keys"]]')" "[('in use', 1, True, 64)]"
try key list
ok "key list: a table" says "in use"
try run --force shop
try key backup shop "$H/next.pfx" --password-file "$H/pw"
ok "an order under way: its key" eval 'opened "$H/next.pfx" && test "$(public "$P/p12")" != "$(public "$P/lost")"'
try key backup shop "$H/inuse.pfx" --password-file "$H/pw" --in-use
ok "--in-use: that of the certificate" eval 'opened "$H/inuse.pfx" && test "$(public "$P/p12")" = "$(public "$P/lost")"'
DCVAGENT_CLOCK=+1000d try prune --older 400d --yes
is "prune: the key of an open order stays" "$code $(find "$S/keys" -name '*.key' | wc -l)" "0 2"

# --- bundle.pfx for an old IIS
try run --force win
try code win win-code && try run win && try confirmed win && try run win && try submitted win && try run win
issue win && try import win "$P/win.crt"
try run win
ok "pfx = yes: bundle" opened "$S/live/win/bundle.pfx"
is "one friendly name on key and certificate" "$(grep -c friendlyName: "$P/p12")" 2

# --- from IIS to here: key and certificate in use
"$here/pki" issue "$P/pki" "$P/csr" "$P/none.crt" 199 www.example.hk > /dev/null 2>&1
openssl req -new -key "$P/other" -subj /CN=www.example.hk -out "$P/other.csr"
"$here/pki" issue "$P/pki" "$P/other.csr" "$P/www.crt" 199 www.example.hk
START=-400d "$here/pki" issue "$P/pki" "$P/other.csr" "$P/expired.crt" 199 www.example.hk
START=+40d "$here/pki" issue "$P/pki" "$P/other.csr" "$P/future.crt" 199 www.example.hk
cat "$P/pki/new.pem" "$P/pki/root.pem" > "$P/chain"
for when in www expired future; do
    with -legacy -name "網站憑證" -inkey "$P/other" -in "$P/$when.crt" -certfile "$P/chain" -out "$H/iis-$when.pfx"
done
for when in expired future; do
    try key restore fromiis "$H/iis-$when.pfx" --password-file "$H/pw"
    is "a PFX of IIS, $when: 14" "$code $(test -e "$S/live/fromiis" && echo there)" "14 "
done
try key restore fromiis "$H/iis-www.pfx" --password-file "$H/pw"
is "a PFX of IIS: adopted" "$code" 0
is "in use here" "$(openssl x509 -in "$S/live/fromiis/cert.pem" -noout -fingerprint)" "$(openssl x509 -in "$P/www.crt" -noout -fingerprint)"
is "its key" "$(public "$S/live/fromiis/privkey.pem")" "$(public "$P/other")"
ok "its chain" openssl verify -CAfile "$P/pki/root.pem" -untrusted "$S/live/fromiis/chain.pem" "$S/live/fromiis/cert.pem"
try key restore late "$H/early.pfx" --password-file "$H/pw"
is "a key alone, of nothing known: 1" "$code" 1
ok "said how to go on" says "import late"
try key backup nosuch "$H/x.pfx" --password-file "$H/pw"
is "no such certificate: 2" "$code" 2
try key
is "no word: 2" "$code" 2
try key steal shop x
is "another word: 2" "$code" 2

# --- the other way: the key stays in IIS
try run --force iis
is "a CSR of IIS" "$code $(state_of iis)" "75 prepared code"
try code iis iis-code && try run iis && try confirmed iis && try run iis && try submitted iis && try run iis
issue iis && try import iis "$P/iis.crt"
try run iis
is "done" "$code $(state_of iis)" "0 done None"
is "cert.cer is the certificate in DER" "$(openssl x509 -inform DER -in "$S/live/iis/cert.cer" -noout -fingerprint)" "$(openssl x509 -in "$S/live/iis/cert.pem" -noout -fingerprint)"
is "fullchain.p7b has all" "$(openssl pkcs7 -inform DER -in "$S/live/iis/fullchain.p7b" -print_certs | sed -n '/BEGIN/,/END/p')" "$(cat "$S/live/iis/fullchain.pem")"
is "everybody may read them" "$(stat -c %a "$S/live/iis/cert.cer" "$S/live/iis/fullchain.p7b" | tr '\n' ' ')" "644 644 "
ok "no key is here" test ! -e "$S/live/iis/privkey.pem"
ok "the others have no such files" test ! -e "$S/live/shop/cert.cer"
try key backup iis "$H/iis.pfx" --password-file "$H/pw"
is "key backup: it is elsewhere: 78" "$code" 78
try key restore iis "$H/early.pfx" --password-file "$H/pw"
is "key restore: likewise" "$code" 78

# --- secrets
ok "no password in output, log, state or evidence" sh -c "! grep -rqaF -e '$PW' -e 'typed one' -e 'from stdin' '$P/said' '$P/log' '$S'"
ok "the evidence knows who took a key" eval 'try evidence shop all --json && grep -q "\"backup\"" "$P/out"'
try cancel shop
try run
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$S" --foreign-key
done_testing
