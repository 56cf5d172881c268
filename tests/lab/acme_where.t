#!/bin/sh
# Where the CA was in an earlier run: connections begin there while its name is asked, but nothing depends on it.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound acme -- "$0"
fi
. "$here/tap.sh"
. "$here/acme.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
"$here/invariants" snapshot "$LAB_DIR/before"
ca=acme.provider.example
where() { sqlite3 "$P/state/state.db" "select text from vals where module = 'acme' and key = 'lab/at/$ca'" | jq -r .addresses; }
remember() { # ADDRESSES [SECONDS AGO]
    text=$(jq -cn --arg a "$1" --argjson s "$(($(date +%s) - ${2:-0}))" '{addresses: $a, since: $s}')
    sqlite3 "$P/state/state.db" "update vals set text = '$text' where module = 'acme' and key = 'lab/at/$ca'"
}
nobody() { sed -i 's/^discovery = .*/discovery = 203.0.113.250/' "$P/dcvagent.ini"; } # packets vanish there
somebody() { sed -i "s/^discovery = .*/discovery = $LAB_UNBOUND/" "$P/dcvagent.ini"; }
lost() { says 69 "$ca could not be found" account lab; }

acme_case where 'key_type = p256'
nobody
ok "no resolver, never asked before: a clear fault" lost
is "and nothing is remembered" "$(where)" ""
somebody
ok "the name is asked" run 0 installed
is "and where it led is remembered" "$(where)" "$LAB_ACME"
nobody
ok "no resolver answers: the CA is where it was" says 0 valid account lab
ok "what was issued is live, and no harm done" eval 'live && harmless'
remember "$LAB_ACME" $((31 * 86400))
ok "after a month that is believed no more" lost
somebody
ok "the name is asked again" again 0 installed

# --- the CA has moved: each time one order, one account
for case in "192.0.2.80 nothing listens there" "203.0.113.251 nothing answers there" "nonsense,; no address" "$LAB_NAMED,192.0.2.80 neither of two"; do
    remember "${case%% *}"
    : > "$LAB_ACME_DIR/log"
    ok "remembered wrongly, ${case#* }: found by its name" again 0 installed
    ok "remembered rightly from then on" eval '[ "$(where)" = "$LAB_ACME" ]'
    ok "nothing was asked twice" counts directory=1 newOrder=1 finalize=1
done

# --- somebody else has the address now, with a certificate of its own
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj "/CN=$ca" -addext "subjectAltName=DNS:$ca" -keyout "$LAB_DIR/other.key" \
    -out "$LAB_DIR/other.pem" 2> "$LAB_DIR/other.log"
openssl s_server -accept 192.0.2.80:443 -cert "$LAB_DIR/other.pem" -key "$LAB_DIR/other.key" -WWW > "$LAB_DIR/other.out" 2>&1 &
other=$!
ok "another server stands there" eventually 10 sh -c 'openssl s_client -connect 192.0.2.80:443 < /dev/null > "$LAB_DIR/other.client" 2>&1'
remember 192.0.2.80
ok "its certificate is not the CA's: found by its name" again 0 installed
ok "it was told nothing" eval '! grep -qE "GET|POST|HEAD|FILE" "$LAB_DIR/other.out"'
nobody
remember 192.0.2.80
ok "and if nobody knows the name, nothing is sent" lost
ok "still nothing" eval '! grep -qE "GET|POST|HEAD|FILE" "$LAB_DIR/other.out"'
kill "$other"
somebody
ok "no harm done" harmless
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
