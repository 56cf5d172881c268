#!/bin/sh
# What certificates name: the missing issuer fetched from AIA (from a good CA, and from bad ones), OCSP and CRL asked before anything is installed.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
W=$LAB_DIR/web A=http://192.0.2.80:8080
mkdir -p "$W"
export CRL=$A/root.crl
person_setup "
[ca whole]
type = manual
chain_files = $P/pki/new.pem $P/pki/root.pem
links = private
[ca rootonly]
type = manual
chain_files = $P/pki/root.pem
links = private
[ca public]
type = manual
chain_files = $P/pki/root.pem
[ca off]
type = manual
chain_files = $P/pki/new.pem $P/pki/root.pem
links = off
$(for c in whole:good whole:silent whole:revoked whole:crl off:off rootonly:aia rootonly:page rootonly:large rootonly:redirect rootonly:stranger rootonly:scheme \
    public:refused; do
    printf '[certificate %s]\nca = %s\nproduct = standard\nnames = %s.example.hk\n' "${c#*:}" "${c%:*}" "${c#*:}"
done)"
unset CRL
S=$P/state ALL="good silent revoked crl off aia page large redirect stranger scheme refused"
python3 -B "$here/files.py" 192.0.2.80 8080 "$W" &
web=$!
openssl x509 -in "$P/pki/new.pem" -outform DER -out "$W/new.der"
echo '<html>moved</html>' > "$W/page.html"
"$here/pki" make "$LAB_DIR/other" p256 # the same names, other keys
openssl x509 -in "$LAB_DIR/other/new.pem" -outform DER -out "$W/stranger.der"
"$here/pki" crl "$P/pki" root root "$W/root.crl"
"$here/pki" crl "$P/pki" new intermediate "$W/leaves.crl"
touch "$P/pki/index.txt"
responder() { # one for each certificate: it knows what stood in the index when it started
    openssl ocsp -index "$P/pki/index.txt" -port "$1" -rsigner "$P/pki/new.pem" -rkey "$P/pki/intermediate.key" -CA "$P/pki/new.pem" -ndays 1 \
        > "$LAB_DIR/ocsp.$1" 2>&1 &
    echo $! >> "$W/responders"
    eventually 10 grep -q waiting "$LAB_DIR/ocsp.$1"
}
trap 'kill $web $(cat "$W/responders") 2> /dev/null' EXIT

try() {
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
}
says() { grep -qF -- "$1" "$P/out" "$P/log" || { cat "$P/out"; tail -5 "$P/log"; return 1; }; }
all() { for c in $ALL; do dcv "$1" "$c" $2 || return 1; done > "$P/steps" 2>&1; }
ready() { # all orders side by side: everything but the certificates
    all pin "--reference 123456789" && { dcv run; all code one-code; } && { dcv run; all confirmed; } && { dcv run; all submitted; } && dcv run
    [ "$(dcv status --json | grep -c '"submitted"')" = "$(echo $ALL | wc -w)" ]
}
given() { issue "$1" && dcv import "$1" "$P/$1.crt"; } > "$P/steps" 2>&1
is_live() { cmp -s "$S/live/$1/cert.pem" "$P/$1.crt"; }
installs() { given "$1" || { cat "$P/steps"; return 1; }; try run "$1"; [ "$code" = 0 ] && is_live "$1" || { cat "$P/out"; return 1; }; }
refuses() { # NAME CODE: no chain, nothing installed
    given "$1" || { cat "$P/steps"; return 1; }
    try run "$1"
    [ "$code" = 14 ] && [ ! -e "$S/live/$1" ] && grep -qF "[$2]" "$P/out" || { echo "exit $code"; cat "$P/out"; return 1; }
}
kind_of() { dcv evidence "$1" --json | grep -c '"revocation"'; }

ok "twelve orders wait for their certificates" ready

# --- revoked, or not, or nobody knows ------------------------------------------------------------------------------------------------------
export OCSP=http://192.0.2.81: CRL=$A/leaves.crl
issue() { # the CA knows what it issues
    port=$((8800 + $(grep -c . "$P/pki/index.txt")))
    dcv csr "$1" > "$P/$1.csr" && OCSP=$OCSP$port "$here/pki" issue "$P/pki" "$P/$1.csr" "$P/$1.crt" 199 "$1.example.hk" &&
        "$here/pki" revoke "$P/pki" "$P/$1.crt" ${verdict:-good} && responder $port
}
ok "a certificate that the CA vouches for" installs good
ok "by OCSP for itself" says '"good.example.hk" is not revoked, says http://192.0.2.81:8800'
ok "by the CRL for its intermediate" says '"Lab Intermediate CA" is not revoked, says http://192.0.2.80:8080/root.crl'
ok "kept as evidence" test "$(kind_of good)" -ge 1
verdict=revoked
ok "revoked by OCSP: 14, nothing is installed" refuses revoked CHAIN_REVOKED
ok "why and since when" says '"revoked.example.hk" was revoked on'
ok "the reason" says keyCompromise
verdict=good
"$here/pki" crl "$P/pki" root root "$W/root.crl" "$P/pki/new.pem"
ok "the intermediate revoked by the root's CRL: 14" refuses crl CHAIN_REVOKED
ok "and what helps" says "put the intermediate that the CA issues by now into chain_files"
: > "$W/asked"
ok "links = off: nobody is asked" installs off
is "really nobody" "$(cat "$W/asked")" ""
"$here/pki" crl "$P/pki" root root "$W/root.crl"
DCVAGENT_CLOCK=+10m try run crl
is "the CRL is right again: installed by the next run" "$code $(is_live crl; echo $?)" "0 0"
OCSP=http://192.0.2.82:1 CRL=$A/nosuch.crl
ok "nobody answers: that stops nothing" installs silent
ok "and is said" says 'whether "silent.example.hk" is revoked could not be learnt'

# --- the missing intermediate --------------------------------------------------------------------------------------------------------------
unset OCSP CRL
issue() { dcv csr "$1" > "$P/$1.csr" && "$here/pki" issue "$P/pki" "$P/$1.csr" "$P/$1.crt" 199 "$1.example.hk"; }
export AIA=$A/new.der
ok "a missing intermediate is fetched from AIA" installs aia
ok "and part of the chain" cmp "$S/live/aia/chain.pem" "$P/pki/new.pem"
AIA=$A/page.html
ok "a web page instead: 14" refuses page CHAIN_INCOMPLETE
ok "what came instead is said" says "this is a web page"
AIA=$A/large
ok "octets without end: 14" refuses large CHAIN_INCOMPLETE
ok "no more is read than a certificate may have" says "is larger than 262144 octets"
: > "$W/asked"
AIA=$A/redirect/192.0.2.80:8080/new.der
ok "a redirect is not followed: 14" refuses redirect CHAIN_INCOMPLETE
is "asked once" "$(grep -c . "$W/asked")" 1
AIA=$A/stranger.der
ok "an issuer of the right name and another key: 14" refuses stranger CHAIN_INCOMPLETE
ok "why it does not do" says "its key did not sign this"
: > "$W/asked"
AIA=file://$W/new.der
ok "another scheme: 14" refuses scheme CHAIN_INCOMPLETE
is "and nothing is asked" "$(cat "$W/asked")" ""
AIA=$A/new.der
ok "a private address, without links = private: 14" refuses refused CHAIN_INCOMPLETE
ok "why nothing was asked" says "is not at an address of the public internet"
is "nothing was" "$(cat "$W/asked")" ""
printf '[ca public]\ntype = manual\nchain_files = %s %s\n' "$P/pki/new.pem" "$P/pki/root.pem" > "$P/conf.d/public.ini"
sed -i '/^\[ca public\]/,/^chain_files/d' "$P/conf.d/test.ini"
DCVAGENT_CLOCK=+10m try run refused
is "the intermediate put into chain_files: installed" "$code $(is_live refused; echo $?)" "0 0"
done_testing
