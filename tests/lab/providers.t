#!/bin/sh
# The rfc2136 provider keeps what provider.h promises on each kind of server, and names each refusal.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot pdns zones=1 -- "$0"
fi
. "$here/tap.sh"
try=${TEST_BUILD:-build/test}/lab/try_rfc2136
key() { echo "$LAB_KEYS/$1.key"; }

"$here/invariants" snapshot "$LAB_DIR/before"
tried named "$try" "$LAB_NAMED" example.hk "$(key lab-key)"
tried "named, IDN" "$try" "$LAB_NAMED" xn--i8s431aqn1ad1j.hk "$(key sha512-key)"
tried "named, sha384, signed questions" "$try" "$LAB_NAMED" z1.test "$(key sha384-key)" sign_query=yes
[ "$LAB_IPV6" = 1 ] && tried "named, IPv6" "$try" "[$LAB_NAMED_V6]:53" example.com "$(key lab-key)"
tried knotd "$try" "$LAB_KNOT" example.net "$(key lab-key)"
tried "knotd, sha384" "$try" "$LAB_KNOT" example.net "$(key sha384-key)"
tried pdns_server "$try" "$LAB_PDNS" example.org "$(key lab-key)"

narrow() { "$try" "$LAB_NAMED" example.hk "$(key narrow-key)" -- "$@"; }
tried "narrow key" narrow www.example.hk DONE shop.example.hk UPDATE_REFUSED
late() { DCVAGENT_CLOCK=+1h "$try" "$@"; }
for where in "$LAB_NAMED example.hk TSIG_BADKEY TSIG_BADTIME UPDATE_REFUSED" "$LAB_KNOT example.net TSIG_BADKEY TSIG_BADTIME UPDATE_NOTAUTH" \
    "$LAB_PDNS example.org UPDATE_REFUSED UPDATE_REFUSED UPDATE_REFUSED"; do
    set -- $where
    tried "$2: unknown key" "$try" "$1" "$2" "$(key stranger-key)" -- "www.$2" "$3"
    tried "$2: wrong clock" late "$1" "$2" "$(key lab-key)" -- "www.$2" "$4"
    tried "$2: no key" "$try" "$1" "$2" - -- "www.$2" "$5"
    tried "$2: not its zone" "$try" "$1" other.example "$(key lab-key)" -- www.other.example UPDATE_NOTAUTH
done
tried "server without UPDATE" "$try" "$LAB_ROOT" example.hk "$(key lab-key)" -- www.example.hk UPDATE_FAILED
tried "nobody listens" "$try" 192.0.2.9 example.hk "$(key lab-key)" -- www.example.hk UPDATE_UNREACHABLE
ok "invariants hold" "$here/invariants" check "$LAB_DIR/before" /nonexistent
done_testing
