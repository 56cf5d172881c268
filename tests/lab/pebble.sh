# Sourced (by bash) by the tests against pebble, in a lab with named, unbound and pebble.
#   pebble_setup [EXTRA CONFIG]     makes $P (folder), $P/dcvagent.ini, $P/state, and resolvers that keep nothing; defines dcv()
#   pebble NAME PORT [eab] [VARIABLE=VALUE...]   another pebble, and [ca NAME] for it; more lines for the section in $SECTION
#   section NAME DIRECTORY          [ca NAME] alone
#   certificate NAME CA NAMES...    [certificate NAME]; more lines in $CERTIFICATE. quit NAME: it is gone
#   count NAME TEXT                 lines of that pebble's log
#   rc COMMAND...                   its exit code; its output is in $P/out
#   says EXIT PATTERN COMMAND...    dcv COMMAND: exit code and a line of output or log
P=$LAB_DIR/acme

pebble_setup() {
    mkdir -p "$P/conf.d"
    # A CA's resolver keeps nothing: orders follow each other faster than a TTL here.
    for o in cache-max-ttl cache-max-negative-ttl; do unbound-control -q -c "$LAB_PEBBLEDNS_DIR/unbound.conf" set_option "$o:" 0; done
    unbound-control -q -c "$LAB_UNBOUND_DIR/unbound.conf" set_option cache-max-ttl: 0
    cat > "$P/dcvagent.ini" <<INI
[agent]
state_dir = $P/state
log = $P/log
include = conf.d/*.ini
[verify]
resolvers = ${RESOLVERS-$LAB_UNBOUND}
discovery = $LAB_UNBOUND
timeout = ${TIMEOUT-20s}
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk xn--i8s431aqn1ad1j.hk example.com
tsig_key_file = $LAB_KEYS/lab-key.key
${1:-}
INI
}
dcv() { "$DCVAGENT" --config "$P/dcvagent.ini" "$@"; }
log_of() { echo "$P/pebble-$1.log"; }
pebble() {
    local name=$1 port=$2 kind=plain
    shift 2
    [ "${1:-}" != eab ] || { kind=eab; shift; }
    env PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 "$@" "$LAB_PEBBLE_DIR/run" "$LAB_PEBBLE:$port" "$kind" > "$(log_of "$name")" 2>&1 &
    trap 'kill $(jobs -p) 2>/dev/null' EXIT
    eventually 60 grep -qs 'ACME directory' "$(log_of "$name")" || return 1
    section "$name" "https://pebble.lab.test:$port/dir"
}
section() {
    printf '%s\n' "[ca $1]" 'type = acme' "directory = $2" "ca_file = $LAB_PEBBLE_CA" 'accept_terms = yes' ${SECTION:+"$SECTION"} > "$P/conf.d/ca-$1.ini"
}
certificate() {
    local name=$1 ca=$2
    shift 2
    printf '%s\n' "[certificate $name]" "ca = $ca" "names = $*" ${CERTIFICATE:+"$CERTIFICATE"} > "$P/conf.d/cert-$name.ini"
}
quit() { rm -f "$P/conf.d/cert-$1.ini"; }
san() { openssl x509 -in "$P/state/live/$1/cert.pem" -noout -ext subjectAltName | tail -1 | tr -d ' '; }
state_of() { dcv status --json "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["certificates"][0]["state"])'; }
count() { grep -c -e "$2" "$(log_of "$1")"; }
rc() { "$@" > "$P/out" 2>&1; echo $?; }
says() {
    local wanted=$1 pattern=$2 got
    shift 2
    : > "$P/log"
    dcv "$@" > "$P/out" 2>&1
    got=$?
    cat "$P/log" >> "$P/out"
    [ "$got" = "$wanted" ] && grep -qE -e "$pattern" "$P/out" && return
    echo "exit $got, wanted $wanted and a line like: $pattern"
    cat "$P/out"
    return 1
}
ca_json() { curl -s --cacert "$LAB_PEBBLE_CA" "https://pebble.lab.test:$1"; }
