#!/bin/sh
# The doctor about DNSSEC, against zones that are signed for real: by named, by knotd with NSEC3, and badly; a validating unbound agrees with each verdict.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot unbound signed=yes -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
static="bogus.test expired.test soon.test future.test iterations.test stripped.test plain.signed.test"
person_setup "
$(cert signed 'www.signed.test www.nsec3.test')
$(for zone in $static nokey.test nods.test; do cert "${zone%.test}" "www.$zone"; done)
[provider signed]
type = rfc2136
server = $LAB_NAMED
zones = signed.test
tsig_key_file = $LAB_KEYS/lab-key.key
[provider nsec3]
type = rfc2136
server = $LAB_KNOT
zones = nsec3.test
tsig_key_file = $LAB_KEYS/lab-key.key
[provider static]
type = lego-exec
command = /bin/true
server = $LAB_TLD
zones = $static
[provider never]
type = rfc2136
server = $LAB_TLD
zones = nokey.test
[provider above]
type = rfc2136
server = $LAB_ROOT
zones = nods.test
"
"$here/invariants" snapshot "$LAB_DIR/before"
ok "signed well, twice: exit 0" look 0 signed
ok "DNSSEC_VALID: by named" finds ok DNSSEC_VALID 'zone signed\.test is signed, and its signatures are valid'
ok "DNSSEC_VALID: by knotd" finds ok DNSSEC_VALID 'zone nsec3\.test is signed, and its signatures are valid'
ok "nothing else to say of DNSSEC" sh -c "! grep -E '^(error|warning|info) (DNSSEC|NSEC3)' '$P/doctor'"
ok "RESOLVER_GOOD" finds ok RESOLVER_GOOD "$LAB_UNBOUND: the resolver answers in [0-9]+ ms and validates DNSSEC"
ok "an insecure child: exit 0" look 0 plain.signed
ok "DNSSEC_INSECURE" finds ok DNSSEC_INSECURE 'zone plain\.signed\.test is not signed'

ok "wrong signatures" look 1 bogus
ok "DNSSEC_BOGUS, in the resolver's words" finds error DNSSEC_BOGUS "$LAB_UNBOUND finds the signatures of zone bogus\\.test bogus: DNSSEC Bogus.*every CA has to refuse -> sign the zone again"
ok "and its dates are right" sh -c "! grep -E 'DNSSEC_(EXPIR|FUTURE|NO_KEY|UNSIGNED)' '$P/doctor'"
ok "ended signatures" look 1 expired
ok "DNSSEC_EXPIRED" finds error DNSSEC_EXPIRED 'expired\.test: the signatures over the zone.s .* ended at 20.*-> sign the zone again, and see why'
ok "the resolver agrees" finds error DNSSEC_BOGUS 'zone expired\.test bogus'
ok "signatures that end in two hours" look 0 soon
ok "DNSSEC_EXPIRING" finds warning DNSSEC_EXPIRING 'soon\.test: .* end in 1 h 5[0-9] min, at 20.*-> see that the signer is running'
ok "the resolver still accepts them" finds ok DNSSEC_VALID 'soon\.test'
ok "signatures of next week" look 1 future
ok "DNSSEC_FUTURE" finds error DNSSEC_FUTURE 'future\.test: .* begin at 20.* only.*-> set the clock of the signer'
ok "a DS of another key" look 1 nokey
ok "UPDATE_FAILED: a server that takes no updates at all" finds error UPDATE_FAILED 'nokey\.test: .*NOTIMP.* -> check server='
ok "DNSSEC_NO_KEY" finds error DNSSEC_NO_KEY 'nokey\.test: the DS at test names key 4711 \(algorithm 13\).*-> publish the DS of the key'
ok "the resolver says so too" finds error DNSSEC_BOGUS 'nokey\.test bogus: DNS'
ok "a DS, and nothing signed" look 1 stripped
ok "DNSSEC_UNSIGNED" finds error DNSSEC_UNSIGNED 'stripped\.test: test has a DS for the zone, but ns1\.stripped\.test .* sends no signatures.*-> serve the signed zone there'
ok "signed, without a DS; and its server for updates is the root's" look 1 nods
ok "DNSSEC_NO_DS" finds info DNSSEC_NO_DS 'nods\.test: the zone is signed, but test has no DS'
ok "READ_NOT_AUTHORITATIVE" finds error READ_NOT_AUTHORITATIVE "nods\\.test: $LAB_ROOT.* is not authoritative.*-> set server= to the zone's primary"
ok "NSEC3 with many iterations" look 0 iterations
ok "NSEC3_ITERATIONS" finds warning NSEC3_ITERATIONS 'iterations\.test: NSEC3 with 150 iterations.*-> sign with NSEC'

# A run asks the same resolvers before it asks a person.
ok "a run stops at the bogus zone: 13" says 13 'zone bogus\.test bogus: DNSSEC Bogus.*DNSSEC_BOGUS' run --force bogus
ok "the clock a year on: everything has ended" sh -c "DCVAGENT_CLOCK=+400d '$DCVAGENT' --config '$P/dcvagent.ini' doctor signed 2>&1 | grep -q 'error DNSSEC_EXPIRED nsec3.test'"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
