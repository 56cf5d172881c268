# Sourced by the tests against the simulated portal (tests/portal), in a lab with the parts named, unbound and portal.
#   portal_setup [EXTRA CONFIG]     $P (folder), $P/dcvagent.ini with [ca ecert], $P/conf for conf_path, $P/state; dcv(). The portal forgets everything.
#                                   Before it: UNATTENDED, PROFILE, SETTLE, TIMEOUT, RESOLVERS, CHAIN_FILES, START (URL), CA_MORE (lines of the section)
#   application REFERENCE [JSON]    an application at the CA: members of an object (office.py), e.g. '"server_name": "*.example.hk", "product": "wildcard"'
#   certificate NAME REFERENCE LINE...   [certificate NAME] for it: names, product and organisation as the application has them, the PIN $PIN; more lines
#   control WHAT [JSON]             portal/control.py: fault change again options calm ...; its answer is in $P/control
#   counter REFERENCE KEY           a counter; counts REFERENCE KEY=N...: that these are so
#   asked TEXT...                   log lines of the portal that hold all the texts, e.g. asked '"action": "issue"'
#   careful                         nothing that a careful client does not do, no other origin visited, no refused PIN twice
#   portal_restart                  killed and started again: everything as before (never within `ok`; ends with this shell)
#   says EXIT PATTERN COMMAND...    runs dcv COMMAND: exit code and a line of output or log
P=$LAB_DIR/portal-test
START=${START:-$LAB_PORTAL_URL}
PIN=1234567890123456

dcv() { "$DCVAGENT" --config "$P/dcvagent.ini" "$@"; }
control() {
    curl -sS ${2:+--data-binary "$2"} "$LAB_PORTAL_CONTROL/$1" > "$P/control" && ! grep -q '"error"' "$P/control" || { cat "$P/control"; return 1; }
}
described() { # PROFILE: the shipped description, made to fit the lab's host names
    mkdir -p "$P/conf/ca"
    sed 's/ecert\.gov\.hk/ecert.test/gI' "$here/../../conf/ca/$1.ini" > "$P/conf/ca/$1.ini"
}
portal_setup() {
    mkdir -p "$P/conf/ca" "$P/conf.d"
    control reset '{}'
    [ ! -e "$here/../../conf/ca/hongkongpost-ecert.ini" ] || described hongkongpost-ecert
    cat > "$P/dcvagent.ini" <<INI
[agent]
state_dir = $P/state
log = $P/log
conf_path = $P/conf
include = conf.d/*.ini
[verify]
resolvers = ${RESOLVERS-$LAB_UNBOUND}
discovery = $LAB_UNBOUND
settle = ${SETTLE-0s}
timeout = ${TIMEOUT-20s}
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk xn--i8s431aqn1ad1j.hk example.com
tsig_key_file = $LAB_KEYS/lab-key.key
[ca ecert]
type = portal
profile = ${PROFILE-hongkongpost-ecert}
url = $START
ca_file = $LAB_PORTAL_CA
chain_files = ${CHAIN_FILES-$LAB_PORTAL_ROOT}
unattended = ${UNATTENDED-yes}
${CA_MORE:-}
${1:-}
INI
}
application() {
    control application "{\"reference\": \"$1\"${2:+, $2}}"
}
certificate() {
    name=$1 reference=$2
    shift 2
    printf '%s\n' "$PIN" > "$P/$name.pin"
    chmod 600 "$P/$name.pin"
    {
        printf '%s\n' "[certificate $name]" 'ca = ecert' "reference_number = $reference" "pin_file = $P/$name.pin"
        python3 - "$LAB_PORTAL_DIR/applications/$reference.json" "$*" <<'PY'
import json
import sys
app = json.load(open(sys.argv[1], encoding="utf-8"))
print("names =", " ".join([app["server_name"]] + app["names"]))
print("product =", app["product"])
print("expect_organisation =", app["organisation_chinese" if "organisation_name = chinese" in sys.argv[2] else "organisation"])
print("subscription_end =", app["subscription_end"])
PY
        [ "$#" = 0 ] || printf '%s\n' "$@"
    } > "$P/conf.d/$name.ini"
}
value() { # KEY: of the JSON object in $P/control
    python3 - "$P/control" "$1" <<'PY'
import json
import sys
found = json.load(open(sys.argv[1], encoding="utf-8"))[sys.argv[2]]
print(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False))
PY
}
counter() {
    control "counters?reference=$1" && value "$2"
}
counts() {
    reference=$1
    shift
    for pair in "$@"; do
        n=$(counter "$reference" "${pair%%=*}")
        [ "$n" = "${pair#*=}" ] || { echo "${pair%%=*}: $n, wanted ${pair#*=}"; cut -c1-300 "$LAB_PORTAL_DIR/log" | tail -n 30; return 1; }
    done
}
asked() {
    cp "$LAB_PORTAL_DIR/log" "$P/asked"
    for asked_text in "$@"; do
        grep -F -e "$asked_text" "$P/asked" > "$P/asked.new"
        mv "$P/asked.new" "$P/asked"
    done
    wc -l < "$P/asked"
}
careful() {
    bad=$(grep -E '"(violation|trap)"' "$LAB_PORTAL_DIR/log" | cut -c1-400)
    [ -z "$bad" ] || { echo "the portal saw: $bad"; return 1; }
    control state && python3 - "$P/control" <<'PY'
import json
import sys
tries = json.load(open(sys.argv[1], encoding="utf-8"))["common"]["tries"]
twice = [f"{r}: {t['wrong']} times" for r, pins in tries.items() for t in pins.values() if t["wrong"] > 1]
print("\n".join(f"the same refused PIN again: {t}" for t in twice))
sys.exit(1 if twice else 0)
PY
}
portal_restart() {
    kill -9 "${PORTAL_PID:-$LAB_PORTAL_PID}"
    rm -f "$LAB_PORTAL_DIR/ready"
    "$here/../portal/portal.py" "$LAB_PORTAL_DIR" "$LAB_PORTAL" "$LAB_PORTALDNS" > "$P/portal-log" 2>&1 &
    PORTAL_PID=$!
    trap 'kill $PORTAL_PID' EXIT
    eventually 20 test -e "$LAB_PORTAL_DIR/ready"
}
says() {
    wanted=$1 pattern=$2
    shift 2
    : > "$P/log"
    dcv "$@" > "$P/out" 2>&1
    got=$?
    cat "$P/log" >> "$P/out"
    [ "$got" = "$wanted" ] && { [ -z "$pattern" ] || grep -qE -e "$pattern" "$P/out"; } && return
    echo "exit $got, wanted $wanted and a line like: $pattern"
    cat "$P/out"
    return 1
}
state_of() { dcv status --json "$1" | python3 -c 'import json, sys; c = json.load(sys.stdin)["certificates"][0]; print(c["state"], c["waiting_for"])'; }
