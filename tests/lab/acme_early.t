#!/bin/sh
# The order is asked for before the answers to challenges and CSR are there: at a CA that is through by then, and only there.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"
NAMES='a.example.hk b.example.hk'
QUICK='validating=now issuing=now'
slow() { sqlite3 "$P/state/state.db" "select key from vals where module = 'acme' and key like 'lab/slow/%' order by key" | tr '\n' ' '; }
after() { # WHAT: milliseconds from the CSR to the first (or so many-th) question for WHAT after it
    jq -s --arg w "$1" --argjson n "${2:-1}" '(map(.what == "finalize") | index(true)) as $f | .[$f].time as $t |
        (.[$f + 1:] | map(select(.what == $w))[$n - 1].time - $t) * 1000 | floor' "$LAB_ACME_DIR/log"
}
within() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || { echo "$1 ms, wanted $2 to $3"; cut -c1-200 "$LAB_ACME_DIR/log"; return 1; }; }

acme_case early 'key_type = p256'
mode at.challenge=late:0.5 at.finalize=late:2 $QUICK
ok "a quick CA" run 0 installed
ok "is asked for the order twice, as others are" counts newOrder=1 challenge=2 order=2 finalize=1
ok "before its answer to the CSR" within "$(after order)" 0 1000
ok "which is awaited all the same" within "$(after certificate)" 1900 10000
is "nothing is remembered" "$(slow)" ""
ok "the right certificate, no record left" eval 'live && no_records && harmless'

# --- a CA that takes its time is asked early once
mode at.finalize=late:0.5 validating=1 issuing=1
: > "$LAB_ACME_DIR/log"
ok "a slow CA: done" again 0 installed
ok "it was asked early" within "$(after order)" 0 400
is "that it takes its time is remembered" "$(slow)" "lab/slow/check lab/slow/issue "
mode at.challenge=late:0.5 at.finalize=late:2 $QUICK
: > "$LAB_ACME_DIR/log"
ok "the next order" again 0 installed
ok "waits for the answer" within "$(after order)" 1900 10000
ok "and asks no more than that" counts order=2
sqlite3 "$P/state/state.db" "update vals set text = json_set(text, '$.since', $(($(date +%s) - 31 * 86400))) where key like 'lab/slow/%'"
: > "$LAB_ACME_DIR/log"
ok "after a month" again 0 installed
ok "it may have become quick" within "$(after order)" 0 1000

# --- the early question fails, or the CA wants to be left alone
mode at.order=internal*1 validating=now issuing=now
: > "$LAB_ACME_DIR/log"
ok "refused: asked again in its usual place" again 0 installed
ok "no order is lost" counts newOrder=1 finalize=1
mode at.order=reset*1 at.challenge=late:0.5 validating=now issuing=now
: > "$LAB_ACME_DIR/log"
ok "the connection breaks: the same" again 0 installed
ok "no order is lost" counts newOrder=1 finalize=1
mode at.finalize=late:0.5:3 validating=now issuing=1
: > "$LAB_ACME_DIR/log"
ok "Retry-After with the answer to the CSR: done" again 0 installed
ok "it is honoured by the question after the early one" within "$(after order 2)" 2900 10000
mode at.order=retry:3 validating=1 issuing=now
sqlite3 "$P/state/state.db" "delete from vals where key like 'lab/slow/%'"
: > "$LAB_ACME_DIR/log"
ok "Retry-After with the early answer: done" again 0 installed
gap=$(jq -s 'map(select(.what == "order")) | (.[1].time - .[0].time) * 1000 | floor' "$LAB_ACME_DIR/log")
ok "it is honoured as well" within "$gap" 2900 10000
mode at.order=rateLimited:60*1 validating=now issuing=now
: > "$LAB_ACME_DIR/log"
ok "rate limited: left alone" again 14 'come back later'
ok "at once" counts finalize=0 order=1
sqlite3 "$P/state/state.db" "delete from vals where key like 'lab/wait%'"
mode
ok "and the order goes on later" again 0 installed
ok "which is the same one" counts newOrder=1
ok "the right certificate, no record left" eval 'live && no_records && harmless'

# --- one name: its CSR takes the only nonce, so nothing can run ahead of the answer
NAMES=a.example.hk
acme_case early-one 'key_type = p256'
mode at.finalize=late:0.5:3 validating=now issuing=1
ok "one name" run 0 installed
ok "Retry-After with the answer to the CSR is honoured by the first question" within "$(after order)" 2900 10000
is "and nothing is learned of it" "$(slow)" ""
NAMES='a.example.hk b.example.hk'
acme_case early-nonces 'key_type = p256'
mode badnonce=60 $QUICK
ok "nonces refused: done" run 0 installed
is "that is no slow CA" "$(slow)" ""

# --- the update server: connected to while the zone is not found yet, and told nothing
python3 -B - "$LAB_DIR/listener" <<'PY' &
import socket, sys
with socket.create_server(("127.0.0.1", 5399)) as s:
    open(sys.argv[1] + ".ready", "w").close()
    c, _ = s.accept()
    c.settimeout(30)
    said = len(c.recv(1))
with open(sys.argv[1], "w", encoding="ascii") as f:
    f.write(f"{said} octets\n")
PY
ok "a server that listens" eventually 10 test -e "$LAB_DIR/listener.ready"
sed -i "s/^discovery = .*/discovery = 203.0.113.250/; s/^server = .*/server = 127.0.0.1:5399/" "$P/dcvagent.ini"
DEADLINE=3
ok "no zone can be found: the run ends" again '69|75' ''
ok "the server was connected to" eventually 10 test -e "$LAB_DIR/listener"
is "and told nothing" "$(cat "$LAB_DIR/listener")" "0 octets"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
