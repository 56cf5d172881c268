#!/bin/sh
# What people type and hand over, good and bad, in any order: nothing wrong is installed or published, what is right is taken at once, an order goes on.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
formats="der crlf bom text pkcs7 chain backwards"
person_setup "
[ca slow]
type = manual
record = name
resolvers = 192.0.2.9
chain_files = $P/pki/new.pem $P/pki/root.pem
[certificate shop]
ca = ecert
product = multi-domain
names = www.example.hk example.hk
expect_organisation = Example Limited
[certificate slow]
ca = slow
product = standard
names = slow.example.hk
[certificate stop]
ca = ecert
product = standard
names = stop.example.hk
$(for f in $formats; do printf '[certificate %s]\nca = ecert\nproduct = standard\nnames = %s.example.hk\n' "$f" "$f"; done)"
S=$P/state
"$here/invariants" snapshot "$LAB_DIR/before"

try() { # ARGUMENT...: a command; exit code in $code, all it says in $P/out, kept in $P/said
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
    cat "$P/out" >> "$P/said"
}
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
quiet() { [ ! -s "$P/out" ] || { cat "$P/out"; return 1; }; }
txt() { dig +norecurse +short "@$LAB_NAMED" "$1" TXT; }
has() { txt "$1" | grep -qF -- "\"$2\""; }
lacks() { ! has "$@"; }
json() { # FILTER: a Python expression over j, the output as JSON
    python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$P/out" "$1"
}
absent() { # TEXT FILE...
    text=$1
    shift
    ! grep -rqaF -- "$text" "$@"
}
forget() { unbound-control -q -c "$LAB_UNBOUND_DIR/unbound.conf" flush_zone "$1"; } # resolvers would keep what they saw for its TTL
sums() { (cd "$S" && find . -type f ! -name '*-shm' ! -name '*-wal' -exec cksum {} + | sort); }

# --- pin ------------------------------------------------------------------------------------------------------------------------------
try code shop early
is "a code before there is an order: 2" "$code" 2
ok "says how to begin" says "run --force shop"
try submitted shop
is "submitted before there is an order: 2" "$code" 2
printf '4711 0815 4711 0816\n' | dcv pin shop --reference '123 456 789' > "$P/out" 2>&1
is "pin" "$?" 0
ok "the PIN is kept nowhere" absent "4711 0815" "$P/state" "$P/log" "$P/out"
is "the order is there" "$(state_of shop)" "new None"
try submitted shop
is "submitted before there is a CSR: 2" "$code" 2
try import shop "$P/pki/new.pem"
is "import before there is a CSR: 2" "$code" 2
try run shop
is "run: 75" "$code" 75
is "one line for cron" "$(grep -c . "$P/out")" 1
ok "what to do, with the reference number" says "reference number 123456789"
try run shop
is "the second run is silent" "$code $(cat "$P/out")" "75 "
DCVAGENT_CLOCK=+25h try run shop
is "a day later it says so again" "$(grep -c WAITING_CODE "$P/out")" 1
DCVAGENT_CLOCK=+26h try run shop
ok "but not twice" quiet

# --- code ------------------------------------------------------------------------------------------------------------------------------
for bad in "" "   " "\"\"" "ä" "$(printf 'a\tb')" "$(head -c 300 /dev/zero | tr '\0' x)"; do
    try code shop "$bad"
    is "no code: '$(printf %.20s "$bad")': 2" "$code" 2
done
try code shop x --for nosuch.example.hk
is "a code for a name that is not in the order: 2" "$code" 2
ok "which names it has is said" says "www.example.hk"
try code shop old --received 2020-01-01
is "a code from long ago is taken" "$code" 0
try run shop
is "but has expired" "$(state_of shop)" "prepared code"
printf ' "first code"\r\n' | dcv code shop - > "$P/out" 2>&1
is "a code from standard input, in quotes, with a line end" "$?" 0
ok "shown as it is used" says 'code "first code" is noted'
try code shop ' of-www ' --for WWW.Example.HK.
is "another for one name" "$code" 0
try run shop
is "published and visible" "$(state_of shop)" "visible confirm"
ok "the code of that name" has www.example.hk of-www
ok "the other's" has example.hk "first code"
is "run --json has its fields" "$(try run shop --json; json 'j["version"], sorted(j["certificates"][0]), j["exit"]')" \
    "(1, ['changed', 'error', 'name', 'state', 'waiting_for'], 75)"

# --- a second code is there before the first one goes ---------------------------------------------------------------------------------
log=$LAB_DIR/log/named.log
lines=$(wc -l < "$log")
forget example.hk
try code shop second
try run shop
ok "the second code" has www.example.hk second
ok "without the first" lacks www.example.hk of-www
ok "at the other name too" lacks example.hk "first code"
order=$(tail -n "+$((lines + 1))" "$log" | grep -oE "(adding|deleting) an RR at '?www" | cut -d ' ' -f 1 | tr '\n' ' ')
is "added first, then deleted" "$order" "adding deleting "

# --- confirmed ---------------------------------------------------------------------------------------------------------------------------
is "seen" "$(state_of shop)" "visible confirm"
try confirmed shop --failed "$(printf 'record not found\033[31m\nDCVAGENT: forged')"
is "confirmed --failed" "$code" 0
try run shop
is "checked again, then asked again" "$(state_of shop)" "visible confirm"
ok "with what the CA said" says "record not found"
ok "escaped" absent "$(printf '\033')" "$P/out"
try confirmed shop
try run shop
is "confirmed: now the CSR" "$(state_of shop)" "validated operator"
ok "for people: csr/shop.pem" openssl req -in "$S/csr/shop.pem" -noout -verify
is "csr prints the same" "$(dcv csr shop)" "$(cat "$S/csr/shop.pem")"
try submitted shop
try run shop
is "submitted" "$(state_of shop)" "submitted certificate"

# --- row 57: what is not the certificate ------------------------------------------------------------------------------------------------
pki=$P/pki
dcv csr shop > "$P/csr"
"$here/pki" issue "$pki" "$P/csr" "$P/good.crt" 199 www.example.hk,example.hk
"$here/pki" issue "$pki" "$P/csr" "$P/missing" 199 www.example.hk
"$here/pki" issue "$pki" "$P/csr" "$P/extra" 199 www.example.hk,example.hk,evil.example.hk
"$here/pki" issue "$pki" "$P/csr" "$P/organisation" 199 www.example.hk,example.hk "Other Limited"
START=-400d "$here/pki" issue "$pki" "$P/csr" "$P/expired" 199 www.example.hk,example.hk
START=+40d "$here/pki" issue "$pki" "$P/csr" "$P/future" 199 www.example.hk,example.hk
openssl req -new -newkey rsa:2048 -nodes -keyout "$P/other.key" -subj /CN=www.example.hk -out "$P/other.csr" 2> /dev/null
"$here/pki" issue "$pki" "$P/other.csr" "$P/key" 199 www.example.hk,example.hk
openssl req -x509 -key "$P/other.key" -subj /CN=www.example.hk -addext subjectAltName=DNS:www.example.hk,DNS:example.hk -days 100 -out "$P/selfsigned" 2> /dev/null
cp "$pki/new.pem" "$P/ca"
printf '<html><body>Please log in</body></html>\n' > "$P/html"
: > "$P/empty"
cp "$P/other.key" "$P/private"
head -c 3000 /dev/urandom > "$P/noise"
sed '5s/./!/3' "$P/good.crt" > "$P/broken"
cp "$P/csr" "$P/request"
for bad in html empty private noise broken request; do
    try import shop "$P/$bad"
    is "import $bad: 14" "$code" 14
    is "import $bad: the order waits as before" "$(state_of shop)" "submitted certificate"
done
ok "a private key handed over by mistake is kept nowhere" absent "$(sed -n 5p "$P/private")" "$S" "$P/log" "$P/said"
for bad in missing extra organisation expired future key selfsigned ca; do
    before=$(find "$S/archive" -name 'rejected-*' | wc -l)
    try import shop "$P/$bad"
    is "import $bad: 14" "$code" 14
    is "import $bad: kept aside" "$(find "$S/archive" -name 'rejected-*' | wc -l)" "$((before + 1))"
    is "import $bad: the order waits as before" "$(state_of shop)" "submitted certificate"
done
ok "nothing was installed" test ! -e "$S/live/shop"
is "what was kept is for the agent alone" "$(find "$S/archive" -name 'rejected-*' -perm /077)" ""
try import shop "$P/nosuch"
ok "import of no file is no crash ($code)" test "$code" = 74 -o "$code" = 66 -o "$code" = 2
head -c 2000000 /dev/zero > "$P/huge"
try import shop "$P/huge"
ok "import of 2 MB: refused ($code)" test "$code" = 74 -o "$code" = 14 -o "$code" = 2
try import shop "$P/good.crt"
is "the right one: 0" "$code" 0
try run shop
is "run: done" "$code $(state_of shop)" "0 done None"
is "installed" "$(openssl x509 -in "$S/live/shop/cert.pem" -noout -fingerprint)" "$(openssl x509 -in "$P/good.crt" -noout -fingerprint)"
ok "records gone" lacks www.example.hk second
try import shop "$P/good.crt"
is "a second import: 2" "$code" 2
try cancel shop
is "cancel of what is done: 2" "$code" 2

# --- row 73: nothing to do ---------------------------------------------------------------------------------------------------------------
dump() { python3 -c 'import sqlite3,sys,re; print(*[re.sub(r"\b1[0-9]{9}\b", "T", l) for l in sqlite3.connect(sys.argv[1]).iterdump() if "certs" not in l and "vals" not in l], sep="\n")' "$S/state.db"; }
dump > "$P/dump1"
try run shop
is "nothing due: exit 0, no word" "$code $(cat "$P/out")" "0 "
dump > "$P/dump2"
ok "nothing due: nothing written but the time" cmp "$P/dump1" "$P/dump2"
is "--exit-changed: nothing changed" "$(try run shop --exit-changed; echo "$code")" 0

# --- the same certificate in other clothes ------------------------------------------------------------------------------------------------
for f in $formats; do
    try run --force "$f"
    issue "$f"
    case $f in
    der) openssl x509 -in "$P/$f.crt" -outform DER -out "$P/$f.in" ;;
    crlf) sed 's/$/\r/' "$P/$f.crt" > "$P/$f.in" ;;
    bom) sed '1s/^/\xef\xbb\xbf/' "$P/$f.crt" > "$P/$f.in" ;;
    text) { echo "Dear customer, here is your certificate:"; openssl x509 -in "$P/$f.crt" -text; } > "$P/$f.in" ;;
    pkcs7) "$here/pki" bundle "$pki" "$P/$f.in" "$P/$f.crt" "$pki/old.pem" "$pki/new.pem" ;;
    chain) cat "$P/$f.crt" "$pki/old.pem" "$pki/new.pem" "$pki/root.pem" > "$P/$f.in" ;;
    backwards) cat "$pki/root.pem" "$pki/old.pem" "$pki/new.pem" "$P/$f.crt" > "$P/$f.in" ;;
    esac
    try import "$f" "$P/$f.in"
    is "import as $f" "$code" 0
    try run "$f"
    is "import as $f: done" "$code $(state_of "$f")" "0 done None"
    is "import as $f: the new intermediate" "$(openssl x509 -in "$S/live/$f/chain.pem" -noout -ext extendedKeyUsage 2> /dev/null | grep -c 'TLS Web Server')" 1
done

# --- cancel at each state, forget ----------------------------------------------------------------------------------------------------------
for state in new prepared visible validated submitted; do
    dcv pin stop --reference 987654321 > "$P/out" 2>&1
    keys=$(find "$S/keys" -name '*.key' | wc -l)
    case $state in new) ;; *) try run stop ;; esac
    case $state in visible | validated | submitted) try code stop "stop-$state" && try run stop ;; esac
    case $state in validated | submitted) try confirmed stop && try run stop ;; esac
    case $state in submitted) try submitted stop && try run stop ;; esac
    is "at $state" "$(state_of stop | cut -d ' ' -f 1)" "$state"
    try cancel stop
    is "cancel at $state: 0" "$code" 0
    ok "cancel at $state: the record is gone" lacks stop.example.hk "stop-$state"
    case $state in
    new) ;;
    *) is "cancel at $state: the key stays" "$(find "$S/keys" -name '*.key' | wc -l)" $((keys + 1)) ;;
    esac
    forget stop.example.hk
done
try cancel stop
is "cancel without an order: 2" "$code" 2
dcv pin stop --reference 987654321 > "$P/out" 2>&1
try run stop
try code stop forgotten
try run stop
cp "$P/conf.d/test.ini" "$P/test.ini"
sed -i '/^\[certificate stop\]/,/^names/d' "$P/conf.d/test.ini"
try forget stop
is "forget of a section that is gone" "$code" 0
ok "its record is gone" lacks stop.example.hk forgotten
is "it is no more in status" "$(try status --json; json '"stop" in [c["name"] for c in j["certificates"]]')" False
cp "$P/test.ini" "$P/conf.d/test.ini"

# --- one run takes what comes while it waits ----------------------------------------------------------------------------------------------
forget example.hk
dcv pin slow --reference 111111111 > "$P/out" 2>&1
dcv pin stop --reference 222222222 > "$P/out" 2>&1
try run
try code slow never-seen
"$DCVAGENT" --config "$P/dcvagent.ini" run --deadline 60s > "$P/long" 2>&1 &
running=$!
ok "the long run publishes" eventually 20 has slow.example.hk never-seen
is "no core dumps" "$(awk '/Max core file size/ { print $5, $6 }' "/proc/$running/limits")" "0 0"
ok "no secret in its arguments and environment" absent "$(sed -n 's/.*secret "\(.*\)".*/\1/p' "$LAB_KEYS/lab-key.key")" "/proc/$running/cmdline" "/proc/$running/environ"
try code stop while-it-runs
is "a code meanwhile" "$code" 0
ok "says who takes it" says "the run that is on"
ok "the run takes it up" eventually 20 has stop.example.hk while-it-runs
try code stop x --for nosuch.example.hk
is "a wrong one is not its end" "$code" 0
try status --json
is "status meanwhile" "$code" 0
is "a second run meanwhile: 75, no word" "$(try run; echo "$code $(cat "$P/out")")" "75 "
try cancel slow
ok "cancel meanwhile" eventually 20 lacks slow.example.hk never-seen
kill -TERM $running
wait $running 2> /dev/null
is "ended by the signal" "$?" 143
try cancel stop
try run
ok "nothing is left" lacks stop.example.hk while-it-runs

# --- a failure is said once a day -----------------------------------------------------------------------------------------------------------
sed -i 's/^names = stop.example.hk/names = stop.example.net/' "$P/conf.d/test.ini"
try run --force stop
fault=$code
ok "a zone without a provider: 13 or 69 ($fault)" test "$fault" = 13 -o "$fault" = 69
is "said" "$(grep -c ERROR "$P/out")" 1
try run stop
is "not again, but the same exit code" "$code $(cat "$P/out")" "$fault "
DCVAGENT_CLOCK=+2h try run stop
is "tried again, same" "$code $(cat "$P/out")" "$fault "
DCVAGENT_CLOCK=+27h try run stop
is "said again after a day" "$code $(grep -c ERROR "$P/out")" "$fault 1"
try status stop --json
is "status knows it" "$(json 'sorted(j["certificates"][0]["last_error"])')" "['at', 'code', 'text']"
try cancel stop
cp "$P/test.ini" "$P/conf.d/test.ini"

# --- txt, gc --------------------------------------------------------------------------------------------------------------------------------
try txt add www.example.hk by-hand
is "txt add" "$code" 0
ok "there" has www.example.hk by-hand
try txt list www.example.hk
ok "txt list" says by-hand
try txt check www.example.hk by-hand
ok "txt check: $code" test "$code" = 0 -o "$code" = 12
try gc
ok "gc leaves it" has www.example.hk by-hand
nsupdate -k "$LAB_KEYS/admin-key.key" <<UPDATE
server $LAB_NAMED
update add www.example.hk 60 TXT "somebody's"
send
UPDATE
try txt del www.example.hk "somebody's"
ok "txt del of what is not ours: refused ($code)" test "$code" != 0
ok "it stays" has www.example.hk "somebody's"
try txt add www.example.hk "somebody's"
try txt del www.example.hk "somebody's"
ok "not even after txt add" has www.example.hk "somebody's"
try txt del www.example.hk by-hand
is "txt del" "$code" 0
ok "gone" lacks www.example.hk by-hand
printf 'server %s\nupdate delete www.example.hk TXT "somebody'"'"'s"\nsend\n' "$LAB_NAMED" | nsupdate -k "$LAB_KEYS/admin-key.key"
try txt add alias.example.net x
ok "txt add where nobody may write: refused ($code)" test "$code" = 13 -o "$code" = 69
try gc --list
is "gc --list" "$code" 0
try gc
is "gc" "$code" 0

# --- what is only read -----------------------------------------------------------------------------------------------------------------------
try status --json
is "status --json: fields" "$(json 'j["version"], sorted(j["certificates"][0])')" \
    "(1, ['ca', 'deadline', 'fingerprint_sha256', 'last_error', 'last_run', 'name', 'names', 'next_action', 'next_at', 'not_after', 'not_before', 'serial', 'state', 'subscription_end', 'waiting_for', 'waiting_since'])"
is "status --json: hosts and times" "$(json '[(c["names"], c["state"], c["waiting_for"], c["not_after"][-1], c["serial"] == c["serial"].lower()) for c in j["certificates"] if c["name"] == "shop"]')" \
    "[(['www.example.hk', 'example.hk'], 'done', None, 'Z', True)]"
updates=$(grep -c "updating zone" "$log")
sums > "$P/sums1"
try plan --json
is "plan --json: fields" "$code $(json 'j["version"], {"due", "name", "records", "requests", "visible_at"} - set(j["certificates"][0])')" "0 (1, set())"
is "plan --json: records" "$(json '[sorted({"host", "owner", "provider", "ttl", "value", "zone"} - set(r)) for c in j["certificates"] for r in c["records"]][:1]')" "[[]]"
try plan --replace
is "plan --replace" "$code" 0
for c in status calendar metrics "evidence shop all" "gc --list" check "txt list example.hk"; do
    # shellcheck disable=SC2086
    try $c
done
sums > "$P/sums2"
ok "row 75: they write nothing" diff "$P/sums1" "$P/sums2"
is "row 75: and update nothing" "$(grep -c "updating zone" "$log")" "$updates"
forget example.hk
dcv pin stop --reference 333333333 > "$P/out" 2>&1
try run stop
try code stop for-check
try run stop
try check stop --json
is "check --json: fields" "$code $(json 'j["version"], j["ok"], {"host", "ok", "quorum", "value", "views"} - set(j["checks"][0]), sorted(j["checks"][0]["quorum"])')" \
    "0 (1, True, set(), ['got', 'want'])"
is "check --json: fields of a view" "$(json '{"address", "kind", "ms", "rcode", "server", "transport", "ttl", "verdict"} - set(j["checks"][0]["views"][0])')" "set()"
is "check --json: kinds and verdicts" "$(json 'sorted({(v["kind"], v["verdict"]) for v in j["checks"][0]["views"]})')" "[('authoritative', 'match'), ('resolver', 'match')]"
try metrics
for m in dcvagent_certificate_not_after_seconds dcvagent_waiting dcvagent_deadline_seconds dcvagent_last_run_timestamp_seconds; do ok "metrics: $m" grep -q "^$m" "$P/out"; done
ok "metrics: who waits for what" grep -q '^dcvagent_waiting{name="stop",for="confirm"} 1' "$P/out"
try metrics -o "$P/dcvagent.prom"
ok "metrics -o FILE" grep -q ^dcvagent_waiting "$P/dcvagent.prom"
try calendar
ok "calendar: the renewal of shop" says shop
try calendar --json
ok "calendar --json" json 'j["version"]'
try evidence shop all --json
is "evidence --json" "$code $(json 'j["version"], j["certificate"]')" "0 (1, 'shop')"
ok "who did what" json '[l for l in j["lines"] if l["kind"] == "command" and "confirmed" in l["arguments"]][0]["uid"]'
ok "what was seen" json '[l for l in j["lines"] if l["kind"] == "installed"][0]["serial"]'
try evidence stop
is "evidence of an order under way" "$code" 0
try cancel stop

# --- secrets -----------------------------------------------------------------------------------------------------------------------------------
secret=$(sed -n 's/.*secret "\(.*\)".*/\1/p' "$LAB_KEYS/lab-key.key")
ok "there is a secret" test -n "$secret"
forget example.hk
dcv pin stop --reference 333333333 > "$P/vv" 2>&1
dcv -vv run stop >> "$P/vv" 2>&1
dcv -vv code stop for-vv >> "$P/vv" 2>&1
dcv -vv --log-json run stop >> "$P/vv" 2>&1
dcv -vv cancel stop >> "$P/vv" 2>&1
ok "-vv says much" test "$(wc -l < "$P/vv")" -gt 20
ok "row 69: no key of ours in any output, log or state" absent "$secret" "$P/vv" "$P/said" "$P/log" "$P/long" "$S"
ok "row 69: no private key in any output" absent "BEGIN PRIVATE KEY" "$P/vv" "$P/said" "$P/log" "$P/long" "$S/state.db"
try run
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$S"
done_testing
