# Sourced by lab tests: a state folder with a configuration, and the person who walks a manual order through.
#   person_setup [EXTRA CONFIG]     makes $P (folder), $P/dcvagent.ini, $P/state, $P/pki; defines dcv()
#   person_order NAME CODE          pin, code, confirm, submit, import, with a run between: the whole order
P=${LAB_DIR:?}/person

dcv() { "$DCVAGENT" --config "${CONF:-$P/dcvagent.ini}" "$@"; }

person_setup() {
    mkdir -p "$P"
    "$here/pki" make "$P/pki"
    cat > "$P/dcvagent.ini" <<INI
[agent]
state_dir = $P/state
log = $P/log
include = conf.d/*.ini
[verify]
resolvers = ${RESOLVERS-$LAB_UNBOUND}
discovery = $LAB_UNBOUND
settle = ${SETTLE-0s}
timeout = ${TIMEOUT-30s}
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk xn--i8s431aqn1ad1j.hk example.com
tsig_key_file = $LAB_KEYS/lab-key.key
[ca ecert]
type = manual
record = name
chain_files = $P/pki/old.pem $P/pki/new.pem $P/pki/root.pem
INI
    mkdir -p "$P/conf.d"
    [ -z "${1:-}" ] || printf '%s\n' "$1" > "$P/conf.d/test.ini"
}
state_of() { dcv status --json "$1" | python3 -c 'import json,sys; c=json.load(sys.stdin)["certificates"][0]; print(c["state"], c["waiting_for"])'; }
order_names() { dcv status --json "$1" | python3 -c 'import json,sys; print(",".join(json.load(sys.stdin)["certificates"][0]["names"]))'; }
issue() { # NAME [DAYS] [NAMES] [ORGANISATION] -> $P/NAME.crt
    dcv csr "$1" > "$P/$1.csr" && "$here/pki" issue "$P/pki" "$P/$1.csr" "$P/$1.crt" "${2:-199}" "${3:-$(order_names "$1")}" "${4:-Example Limited}"
}
run_to() { # NAME STATE WAITS: a run, and where it got
    dcv run "$1" > "$P/out" 2>&1
    r=$?
    [ "$(state_of "$1")" = "$2 $3" ] || { echo "exit $r, state $(state_of "$1"), wanted $2 $3"; cat "$P/out"; return 1; }
}
person_order() { # NAME CODE
    dcv pin "$1" --reference 123456789 && run_to "$1" prepared code && dcv code "$1" "$2" && run_to "$1" visible confirm &&
        dcv confirmed "$1" && run_to "$1" validated operator && dcv submitted "$1" && run_to "$1" submitted certificate && issue "$1" &&
        dcv import "$1" "$P/$1.crt" && run_to "$1" done None
}
