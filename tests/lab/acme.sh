# Sourced by the tests against acme_server.py (a lab with the parts named, unbound, acme).
#   acme_case NAME [EXTRA CONFIG]   a fresh configuration and state in $P, a right-minded CA, an empty log of its requests
#   mode LINE...                    what the CA does wrong from now on (acme_server.py); none: nothing
#   run EXIT PATTERN, again EXIT PATTERN   a run, a forced run: its exit code, the time it took and a line of its output
#   says EXIT PATTERN COMMAND...    the same of any command
#   asked WHAT [TEXT]               how many requests (whose log line holds TEXT) the CA got
#   harmless                        what must hold however the case went
CA_ROOT=$LAB_ACME_DIR/pki/root.pem
DIRECTORY=https://acme.provider.example/directory
DEADLINE=20

dcv() { (cd "$P/cwd" && "$DCVAGENT" --config "$P/dcvagent.ini" "$@"); }

mode() {
    printf '%s\n' "$@" > "$LAB_ACME_DIR/mode.new"
    mv "$LAB_ACME_DIR/mode.new" "$LAB_ACME_DIR/mode"
}
acme_case() {
    P=$LAB_DIR/case/$1
    mkdir -p "$P/cwd"
    cat > "$P/dcvagent.ini" <<INI
[agent]
state_dir = $P/state
log = $P/log
[verify]
resolvers = none
discovery = $LAB_UNBOUND
timeout = 10s
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk
tsig_key_file = $LAB_KEYS/lab-key.key
[ca lab]
type = acme
directory = ${CA_DIRECTORY:-$DIRECTORY}
ca_file = $CA_ROOT
contact = hostmaster@example.hk
${CA_MORE:-}
[certificate www]
ca = lab
names = ${NAMES:-www.example.hk}
${2:-}
INI
    : > "$LAB_ACME_DIR/log"
    mode
}
now_ms() { date +%s%3N; }
says() {
    wanted=$1 pattern=$2
    shift 2
    : > "$P/log"
    began=$(now_ms)
    dcv "$@" > "$P/out" 2>&1
    got=$?
    took=$(($(now_ms) - began))
    cat "$P/log" >> "$P/out"
    if printf '%s' "$got" | grep -qxE "$wanted" && { [ -z "$pattern" ] || grep -qE -e "$pattern" "$P/out"; } && [ "$took" -lt $(((DEADLINE + 5) * 1000)) ]; then return; fi
    echo "exit $got after $took ms, wanted $wanted and a line like: $pattern"
    cat "$P/out"
    tail -n 12 "$LAB_ACME_DIR/log" | cut -c1-400
    return 1
}
run() { says "$1" "$2" run --deadline "${DEADLINE}s" www; }
again() { says "$1" "$2" run --deadline "${DEADLINE}s" --force www; }
asked() { grep -F "\"what\": \"$1\"" "$LAB_ACME_DIR/log" | grep -cF -e "${2:-}"; }
counts() { # WHAT=N...
    for pair in "$@"; do
        n=$(asked "${pair%%=*}")
        [ "$n" = "${pair#*=}" ] || { echo "${pair%%=*}: $n, wanted ${pair#*=}"; cut -c1-300 "$LAB_ACME_DIR/log"; return 1; }
    done
}
serial() { openssl x509 -in "$P/state/live/www/cert.pem" -noout -serial 2> "$P/serial-error"; }
not_live() { [ ! -e "$P/state/live/www" ]; }
live() { # what is in use is of our key and the names, and verifies
    openssl verify -CAfile "$CA_ROOT" -untrusted "$P/state/live/www/chain.pem" "$P/state/live/www/cert.pem" > "$P/verify" 2>&1 || { cat "$P/verify"; return 1; }
    names=$(openssl x509 -in "$P/state/live/www/cert.pem" -noout -ext subjectAltName | tr -d ' ' | grep -o 'DNS:[^,]*' | cut -d: -f2 | sort | tr '\n' ' ')
    [ "$names" = "$(printf '%s\n' ${NAMES:-www.example.hk} | sort | tr '\n' ' ')" ] || { echo "names: $names"; return 1; }
    [ "$(openssl pkey -in "$P/state/live/www/privkey.pem" -pubout)" = "$(openssl x509 -in "$P/state/live/www/cert.pem" -noout -pubkey)" ]
}
left_rows() { sqlite3 "$P/state/state.db" "select owner, state from ledger where state not in ('gone', 'found')"; }
no_records() { # the ledger is empty and no challenge stands in the zone
    left=$(left_rows)
    zone=$(dig +noall +answer "@$LAB_NAMED" example.hk AXFR | grep _acme-challenge)
    [ -z "$left$zone" ] || { echo "ledger: $left"; echo "zone: $zone"; return 1; }
}
leave() { # the order is given up: nothing of it may stay. No new one can begin meanwhile
    mode at.all=internal
    dcv cancel www > "$P/leave" 2>&1 || { cat "$P/leave" "$P/log"; return 1; }
    dcv run --deadline "${DEADLINE}s" www >> "$P/leave" 2>&1
    no_records || { cat "$P/leave"; return 1; }
}
harmless() {
    bad=$(grep -E '"violation"|"what": "trap"|"unknown"' "$LAB_ACME_DIR/log" | cut -c1-400)
    [ -z "$bad" ] || { echo "the CA saw: $bad"; return 1; }
    stray=$(find "$P/cwd" -mindepth 1; find "$P" -mindepth 1 -maxdepth 1 -newer "$P/dcvagent.ini" | grep -vxE "$P/(state|log|out|leave|verify|serial-error|cwd)"; ls -d /tmp/dcvagent-token* 2> "$P/serial-error")
    [ -z "$stray" ] || { echo "written outside the state folder: $stray"; return 1; }
    # of a key's lines those that have nothing but secrets: the others may well stand in a CSR. EC: the second, RSA: the last but one
    for key in "$P"/state/keys/*.key; do
        [ ! -f "$key" ] || grep -v -e '-----' "$key" | awk '{ line[NR] = $0 } END { if (NR > 1) print NR < 6 ? line[2] : line[NR - 1] }'
    done > "$LAB_DIR/secrets"
    cat "$LAB_KEYS/lab-key.key" | grep -o '"[A-Za-z0-9+/=]\{20,\}"' | tr -d '"' >> "$LAB_DIR/secrets"
    for f in "$P/out" "$P/log" "$LAB_ACME_DIR/log"; do
        grep -qFf "$LAB_DIR/secrets" "$f" && { echo "a secret stands in $f"; return 1; }
        grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$f" && [ "$f" != "$LAB_ACME_DIR/log" ] && { echo "control characters in $f"; return 1; }
    done
    ! grep -E '^dcvagent: ERROR forged|Sanitizer|runtime error' "$P/out"
}
# fault LABEL MODE EXIT CODE COUNTS [COUNTS]: a run against this mode (lines divided by ';') ends with this exit code and code word, having asked so
# often; nothing is installed. With the second list: the CA is right again, a person forces a run, which resumes the same order and gets there.
fault() {
    label=$1 fault_mode=$2 fault_exit=$3 fault_code=$4 fault_counts=$5
    acme_case "$(printf '%s' "$label" | tr -c 'a-z0-9' -)" "${CASE_MORE:-}"
    old_ifs=$IFS
    IFS=';'
    mode $fault_mode
    IFS=$old_ifs
    ok "$label: exit $fault_exit, $fault_code" run "$fault_exit" "$fault_code"
    ok "$label: asked as often as it must" counts $fault_counts
    ok "$label: nothing installed, nothing outside, no secret" eval 'not_live && harmless'
    if [ -z "${6:-}" ]; then
        [ -z "$(left_rows)" ] || ok "$label: given up: no record left" leave
        return 0
    fi
    : > "$LAB_ACME_DIR/log"
    mode
    ok "$label: the CA is right again: done" again 0 ''
    ok "$label: asked no more than that" counts $6
    ok "$label: the right certificate, no record left" eval 'live && no_records && harmless'
}
