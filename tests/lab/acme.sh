# Sourced by the tests against acme_server.py (a lab with the parts named, unbound, acme).
#   acme_case NAME [EXTRA CONFIG]   a fresh configuration and state in $P, a right-minded CA, an empty log of its requests
#   mode LINE...                    what the CA does wrong from now on (acme_server.py); none: nothing
#   says EXIT PATTERN COMMAND...    runs dcv COMMAND with a deadline; its exit code, the time it took and a line of its output
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
    if [ "$got" = "$wanted" ] && grep -qE -e "$pattern" "$P/out" && [ "$took" -lt $(((DEADLINE + 5) * 1000)) ]; then return; fi
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
no_records() { # the ledger is empty and no challenge stands in the zone
    left=$(sqlite3 "$P/state/state.db" "select owner, state from ledger where state not in ('gone', 'found')")
    zone=$(dig +noall +answer "@$LAB_NAMED" example.hk AXFR | grep _acme-challenge)
    [ -z "$left$zone" ] || { echo "ledger: $left"; echo "zone: $zone"; return 1; }
}
leave() { # the order is given up: nothing of it may stay
    dcv cancel www > "$P/leave" 2>&1
    dcv run --deadline "${DEADLINE}s" www >> "$P/leave" 2>&1
    no_records || { cat "$P/leave"; return 1; }
}
harmless() {
    bad=$(grep -E '"violation"|"what": "trap"|"unknown"' "$LAB_ACME_DIR/log" | cut -c1-400)
    [ -z "$bad" ] || { echo "the CA saw: $bad"; return 1; }
    stray=$(find "$P/cwd" -mindepth 1; find "$P" -mindepth 1 -maxdepth 1 -newer "$P/dcvagent.ini" | grep -vxE "$P/(state|log|out|leave|verify|serial-error|cwd)"; ls -d /tmp/dcvagent-token* 2> "$P/serial-error")
    [ -z "$stray" ] || { echo "written outside the state folder: $stray"; return 1; }
    cat "$P"/state/keys/*.key 2> "$P/serial-error" | grep -v -e '-----' > "$LAB_DIR/secrets"
    cat "$LAB_KEYS/lab-key.key" | grep -o '"[A-Za-z0-9+/=]\{20,\}"' | tr -d '"' >> "$LAB_DIR/secrets"
    for f in "$P/out" "$P/log" "$LAB_ACME_DIR/log"; do
        grep -qFf "$LAB_DIR/secrets" "$f" && { echo "a secret stands in $f"; return 1; }
        grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$f" && [ "$f" != "$LAB_ACME_DIR/log" ] && { echo "control characters in $f"; return 1; }
    done
    ! grep -E '^dcvagent: ERROR forged|Sanitizer|runtime error' "$P/out"
}
