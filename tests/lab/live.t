#!/bin/sh
# The wait on a terminal: check --watch and run draw a matrix of names and views in place, whatever the terminal's width does; without one, plain lines.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named stale=named2 knot unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}" TERM=xterm
chaos liar 192.0.2.81 "$LAB_UNBOUND" lie=3600 type=16
cert() { # NAME HOSTS LINE...
    printf '[ca %s]\ntype = manual\nrecord = name\n' "$1"
    cert_name=$1 cert_hosts=$2
    shift 2
    for line in "$@"; do printf '%s\n' "$line"; done
    printf '[certificate %s]\nca = %s\nproduct = multi-domain\nkey_type = p256\nnames = %s\n' "$cert_name" "$cert_name" "$cert_hosts"
}
many() { for i in $(seq -w 1 40); do printf 'n%s.example.net ' "$i"; done; }
# The second server of example.hk and example.com lags for ever; example.net has one alone.
person_setup "
[provider knot]
type = rfc2136
server = $LAB_KNOT
zones = example.net
tsig_key_file = $LAB_KEYS/lab-key.key
$(cert lag 'www.example.hk 電子.example.hk www.example.com' 'timeout = 3s')
$(cert many "$(many)" "resolvers = $LAB_UNBOUND 192.0.2.81" 'quorum = all' 'timeout = 3s')
$(cert good www.example.net)
"
ok "the configuration is sound" dcv config check
on_screen() { # SIZE[@...] [-s SECONDS:SIGNAL] COMMAND...: what was to be seen goes to $P/screen; $? of the program to $P/exit
    screen_size=$1
    shift
    screen_kill=
    [ "$1" != -s ] || { screen_kill="-s $2" && shift 2; }
    "$here/screen.py" -o "$P/raw" "$screen_size" $screen_kill -- "$DCVAGENT" --config "$P/dcvagent.ini" "$@" > "$P/screen" 2>&1
    echo $? > "$P/exit"
}
last() { awk '/^---$/ { text = ""; next } { text = text $0 "\n" } END { printf "%s", text }' "$P/screen"; }
frames() { grep -c 'names seen by enough' "$P/screen"; }
drawn_once() { # no frame is drawn below another
    awk '/^---$/ { n = 0 } /names seen by enough/ && ++n > 1 { bad = 1 } END { exit bad }' "$P/screen"
}
shows() { grep -qE -e "$1" "$P/screen" || { cat "$P/screen"; return 1; }; }
shows_not() { ! grep -E -e "$1" "$P/screen"; }

# --- run
ok "lag: an order begins" begin lag code-lag
on_screen 100x30 run lag
is "run: the exit code is what it is without a terminal" "$(cat "$P/exit")" 12
ok "run: a matrix was drawn" shows 'of 3 names seen by enough; [0-9]+ s gone, [0-9]+ s left'
ok "run: several times" [ "$(frames)" -gt 2 ]
ok "run: in place" drawn_once
ok "run: the views have numbers" shows 'example\.hk: 1 ns[12]\.example\.hk .*, 2 ns[12]\.example\.hk '
ok "run: a row for each name that waits, and for whom" shows '^  www\.example\.hk +(\+ \+ - -|- - \+ \+) \. +[0-9] (absent|nxdomain)'
ok "run: Chinese names at the right width" sh -c "python3 -c '
import sys, unicodedata
def columns(s): return sum(2 if unicodedata.east_asian_width(c) in \"WF\" else 1 for c in s)
rows = {}
for line in open(sys.argv[1], encoding=\"utf-8\"):
    for host in (\"電子.example.hk\", \"www.example.hk\"):
        if line.startswith(\"  \" + host) and \"+\" in line: rows[host] = columns(line[:line.index(\"+\")])
assert len(rows) == 2 and len(set(rows.values())) == 1, rows' '$P/screen'"
ok "run: nothing of it is left at the end" sh -c "! grep -q 'names seen by enough' <<X
$(last)
X"
ok "run: the message stands whole" sh -c "printf '%s' '$(last | tr -d "'\n")' | grep -q SECONDARY_LAG"
ok "run: colours" grep -q "$(printf '\033\\[32m+')" "$P/raw"
(NO_COLOR=1 && export NO_COLOR && on_screen 100x30 run lag)
ok "NO_COLOR: none" sh -c "! grep -q '$(printf '\033')\[3[0-9]m' '$P/raw'"
ok "and drawn all the same" shows 'of 3 names seen by enough'

# --- check --watch
on_screen 100x30 check --watch lag
is "check: 12 when the time is over" "$(cat "$P/exit")" 12
ok "check: a matrix was drawn" shows 'of 3 names seen by enough'
ok "check: in place" drawn_once
ok "check: then the table" sh -c "printf '%s' '$(last | tr -d "'")' | grep -qE 'authoritative +ns2.example.hk'"
on_screen 40x12 check --watch lag
ok "a narrow terminal: nothing wraps" drawn_once
ok "lines are cut" sh -c "awk '/names seen by enough/ { on = 1 } /^---/ { on = 0 } on && length(\$0) > 120 { exit 1 }' '$P/screen'"
on_screen 100x30@0.7:50x30@1.4:120x30 check --watch lag
ok "resized while it waits: still in place" drawn_once
ok "and drawn again" [ "$(frames)" -gt 2 ]
on_screen 100x30 -s 1.5:SIGINT check --watch lag
is "a signal ends it" "$(cat "$P/exit")" 130
ok "and the terminal is as it was" sh -c "! grep -q 'names seen by enough' <<X
$(last)
X"
TERM=dumb on_screen 100x30 check --watch lag
ok "TERM=dumb: plain lines" shows 'www\.example\.hk: ns2\.example\.hk .* (absent|nxdomain)'
ok "and no escape" sh -c "! grep -q '$(printf '\033')\[[0-9]*A' '$P/raw'"
ok "without a terminal: plain lines" says 12 'www\.example\.hk: ns2\.example\.hk .* (absent|nxdomain)' check --watch lag
leave lag > "$P/left"

# --- rehearse
on_screen 100x30 rehearse lag
is "rehearse: not seen by all" "$(cat "$P/exit")" 12
ok "rehearse: drawn while it waits, in place" drawn_once
ok "by zone" shows '^  example\.hk +(\+ \+ - -|- - \+ \+)'
ok "then what came of it" sh -c "printf '%s' '$(last | tr -d "'")' | grep -qE '^  deleted in'"

# --- many
ok "many: an order begins" begin many code-many
on_screen 100x20 run many
ok "40 names on 20 lines: folded" shows 'and [0-9]+ more names: 0 wait for their servers, [0-9]+ for resolvers'
ok "in place" drawn_once
ok "what it drew fits" sh -c "awk '/^---\$/ { n = 0; next } { if (++n > 20) bad = 1 } END { exit bad }' '$P/screen'"
leave many > "$P/left"

# --- it ends when enough see it
ok "good: an order begins" begin good code-good
on_screen 100x30 run good
is "run: waits for the person" "$(cat "$P/exit")" 75
on_screen 100x30 check --watch good
is "check --watch: 0 at once" "$(cat "$P/exit")" 0
ok "with the table" shows 'quorum: want 1, got 1'
leave good > "$P/left"
is "nothing is left" "$(ledger_rows)" 0
done_testing
