#!/bin/sh
# Certificates that are not what was ordered (row 57) are never in use; a CA whose TLS does not hold is not talked to (row 51).
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"

# --- certificates (row 57)
wrong() { # KIND CODE: never in use; kept aside; the order is not made again
    fault "certificate: $1" "cert=$1" 14 "$2" "newOrder=1 finalize=1 certificate=1"
    ok "certificate: $1: given up" leave
}
wrong otherkey CERT_KEY
ok "it is kept aside" eval 'ls "$P"/state/archive/www/rejected-*.pem'
wrong othernames CERT_NAMES
wrong extra CERT_NAMES
wrong expired CERT_EXPIRED
wrong notyet CERT_NOT_YET
wrong selfsigned CHAIN_INCOMPLETE
wrong alone CHAIN_INCOMPLETE
: > "$LAB_ACME_DIR/log"
mode
ok "and the next order is another" eval 'again 0 "" && counts newOrder=1 && live && no_records'
wrong foreign CHAIN_INCOMPLETE
wrong big CERT_READ
wrong garbage CERT_READ
wrong cut CERT_READ
wrong empty CA_ANSWER
wrong withkey CERT_PRIVATE_KEY
ok "the foreign private key is not kept" eval '! grep -rl "$(sed -n 2p "$LAB_ACME_DIR/pki/other-root.key")" "$P"'
NAMES="www.example.hk mail.example.hk"
wrong missing CERT_NAMES
unset NAMES
for kind in order twice; do
    acme_case "cert-$kind"
    mode "cert=$kind"
    ok "certificate: $kind: put right" eval 'run 0 "installed, valid until" && live'
done
is "the chain has each certificate once" "$(grep -c BEGIN "$P/state/live/www/fullchain.pem")" 2

# --- TLS of the CA (row 51), and the directory down
tls() { # LABEL PORT PATTERN
    CA_DIRECTORY=https://acme.provider.example:$2/directory
    fault "$1" profiles=no 69 "$3" "directory=0 newOrder=0"
    unset CA_DIRECTORY
}
tls "self-signed TLS certificate" 444 'self.signed.*HTTP_TLS'
tls "expired TLS certificate" 445 'expired.*HTTP_TLS'
tls "another host's TLS certificate" 446 'acme.provider.example.*HTTP_TLS'
tls "TLS 1.1" 447 'HTTP_TLS'
tls "directory down" 448 'HTTP_CONNECT'
fault "a directory that sends orders to a stranger" url.newOrder=https://acme.provider.example:446/newOrder 69 HTTP_TLS "newOrder=0"

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
