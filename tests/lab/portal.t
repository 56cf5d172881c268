#!/bin/bash
# The portal as a CA, unattended: whole orders of several products through the simulated pages to installed chains, the PIN on its way, one submission
# each, and what is left behind.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
. "$here/tap.sh"
. "$here/portal.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
portal_setup
"$here/invariants" snapshot "$LAB_DIR/before"

live() { # NAME NAMES: installed, verifies, of our key
    openssl verify -CAfile "$LAB_PORTAL_ROOT" -untrusted "$P/state/live/$1/chain.pem" "$P/state/live/$1/cert.pem" &&
        [ "$(openssl pkey -in "$P/state/live/$1/privkey.pem" -pubout)" = "$(openssl x509 -in "$P/state/live/$1/cert.pem" -noout -pubkey)" ] &&
        [ "$(openssl x509 -in "$P/state/live/$1/cert.pem" -noout -ext subjectAltName | grep -o 'DNS:[^,]*' | sort | tr '\n' ' ')" = "$2" ]
}

forget_dns() { # resolvers keep what stood at a name before
    for zone in example.hk xn--i8s431aqn1ad1j.hk; do unbound-control -q -c "$LAB_UNBOUND_DIR/unbound.conf" flush_zone "$zone"; done
}

# --- a first order: started by a person, the rest by itself
application 100000001 '"server_name": "www.example.hk", "product": "standard"'
certificate shop 100000001
ok "the configuration is sound" says 0 '^ok: ' config check
ok "a first order waits to be started" says 75 WAITING_PIN run shop
is "the portal was not visited" "$(asked GET)" 0
ok "started: the whole way in one run" says 0 '' run --force shop
is "done" "$(state_of shop)" "done None"
ok "one login, one check, one CSR, one certificate paid for" counts 100000001 logins=1 checks=1 csrs=1 paid=1 issued=1 wrong_pins=0
is "each page once" "$(asked '"page": "login"') $(asked '"page": "dns"') $(asked '"page": "csr"')" "1 1 1"
ok "the chain verifies" live shop 'DNS:www.example.hk '
is "of two intermediates of one name that which may sign for servers" "$(openssl x509 -in "$P/state/live/shop/chain.pem" -noout -ext extendedKeyUsage 2>&1 | grep -c 'TLS Web Server')" 1
ok "the records are gone" says 0 '' gc --list
ok "nothing due: silent" says 0 '' run shop
is "nothing due: no visit" "$(asked '"page": "login"')" 1

# --- wildcard, with the PIN handed over
application 100000002 '"server_name": "*.example.hk", "product": "wildcard"'
certificate wild 100000002
sed -i '/^pin_file/d; /^reference_number/d' "$P/conf.d/wild.ini"
ok "without a PIN: waiting for one" says 75 WAITING_PIN run --force wild
is "the portal was not visited for it" "$(asked 100000002)" 0
ok "the PIN from standard input, blanks and all" eval 'echo "1234 5678 9012 3456" | dcv pin wild --reference 100000002'
is "kept for us alone" "$(stat -c %a "$P/state/keys/wild.pin")" 600
ok "the whole way" says 0 '' run wild
ok "the chain verifies" live wild 'DNS:*.example.hk DNS:example.hk '
ok "the PIN is gone" test ! -e "$P/state/keys/wild.pin"
ok "one certificate paid for" counts 100000002 logins=1 paid=1

# --- several names, one of them Chinese; the apex beside an SPF record; the PIN serves again
application 100000003 '"server_name": "www.example.hk", "product": "multi-domain", "names": ["example.hk", "電子核證.hk"], "pin_use": "always", "cert_format": "p7b"'
certificate multi 100000003 'pin = same'
sed -i '/^pin_file/d' "$P/conf.d/multi.ini"
ok "the PIN" eval 'echo 1234567890123456 | dcv pin multi --reference 100000003'
forget_dns
ok "several names: the whole way" says 0 '' run multi
ok "the chain verifies" live multi 'DNS:example.hk DNS:www.example.hk DNS:xn--i8s431aqn1ad1j.hk '
ok "the PIN is kept" test -e "$P/state/keys/multi.pin"
forget_dns
ok "a second order with the same PIN" says 0 '' run --force multi
ok "two logins, two certificates" counts 100000003 logins=2 paid=2 wrong_pins=0

# --- no proof of control for a government application; the Chinese name of the organisation; EV; DER, CRLF and leading text
application 100000004 '"server_name": "shop.example.hk", "product": "standard", "government": true, "cert_format": "der"'
certificate gov 100000004 'organisation_name = chinese'
ok "a government application" says 0 '' run --force gov
ok "no proof was asked for or given" counts 100000004 codes=0 checks=0 paid=1
ok "the chain verifies" live gov 'DNS:shop.example.hk '
is "the Chinese name" "$(openssl x509 -in "$P/state/live/gov/cert.pem" -noout -subject -nameopt utf8,sep_multiline,sname | sed -n 's/^ *O=//p')" 示例有限公司
application 100000005 '"server_name": "www.example.com", "product": "ev", "cert_format": "text"'
certificate extended 100000005
ok "EV, the certificate behind a text with CRLF" says 0 '' run --force extended
ok "the chain verifies" live extended 'DNS:www.example.com '

# --- by e-mail
application 100000006 '"server_name": "mail.example.hk", "product": "standard"'
certificate post 100000006 'method = email' 'validation_email = admin@example.hk'
ok "by e-mail: waiting for the code" says 75 'admin@example.hk.*WAITING_CODE' run --force post
ok "by e-mail: sent once, whatever runs" eval 'says 75 "" run post && counts 100000006 codes_sent=1'
is "no record for it" "$(sqlite3 "$P/state/state.db" "select count(*) from ledger where host = 'mail.example.hk'")" 0
ok "the code is handed over" eval 'mailed=$(counter 100000006 mail) && says 0 "" code post "$(printf %s "$mailed" | python3 -c "import json, sys; print(json.load(sys.stdin)[-1][\"code\"])")"'
ok "by e-mail: the rest" says 0 '' run post
ok "one certificate paid for" counts 100000006 codes_sent=1 paid=1

# --- another portal by another description: two login pages, the CSR before the proof, a code for each name below a label
cp "$here/../portal/conf/ca/harbour.ini" "$P/conf/ca/"
cat > "$P/conf.d/harbour-ca.ini" <<INI
[ca harbour]
type = portal
profile = harbour
record = _harbour
ca_file = $LAB_PORTAL_CA
chain_files = $LAB_PORTAL_ROOT
unattended = yes
INI
application 100000007 '"server_name": "www.example.hk", "product": "multi-domain", "names": ["second.example.hk"], "look": "harbour"'
certificate second 100000007
sed -i 's/^ca = .*/ca = harbour/' "$P/conf.d/second.ini"
ok "the second portal: the whole way" says 0 '' run --force second
ok "the chain verifies" live second 'DNS:second.example.hk DNS:www.example.hk '
ok "one certificate paid for" counts 100000007 logins=1 paid=1

# --- many at once: one walk at a time
names=""
for i in 1 2 3 4 5 6; do
    application "20000000$i" "\"server_name\": \"n$i.example.hk\", \"product\": \"standard\""
    certificate "n$i" "20000000$i"
    names="$names n$i"
done
ok "six orders in one run" says 0 '' run --force $names
for i in 1 2 3 4 5 6; do
    ok "order $i: one certificate paid for" counts "20000000$i" paid=1
done

# --- what is left
ok "a careful visitor" careful
secrets="1234567890123456
1234 5678 9012 3456"
is "no PIN in store, log or message" "$(grep -rlFe "$secrets" "$P/state" "$P/log" "$P/out" | sed "s|$P/||")" "state/keys/multi.pin"
is "no cookie and no page in the store" "$(grep -rliE 'jsessionid|_tk=|<html' "$P/state/state.db"* "$P/log" 2>&1)" ""
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
