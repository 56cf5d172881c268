# Sourced after person.sh by the tests of DNS faults.
#   begin NAME CODE               the person's part up to the code: order started, code handed over
#   says EXIT PATTERN COMMAND...  runs dcv COMMAND; its exit code and a line of its output or of the log
#   says_not PATTERN              the last `says` showed no such line
#   leave NAME...                 cancels orders and cleans up; no record of any other may be open
#   chaos NAME ADDRESS WORD...    starts chaos.py, which ends with this shell (so never within `ok`); `calm NAME` ends it
#   forget                        the lab's resolvers forget what they know
#   txt ADDRESS OWNER             its TXT set there, sorted
begin() {
    dcv pin "$1" --reference 123456789 > "$P/out" 2>&1 && run_to "$1" prepared code && dcv code "$1" "$2" >> "$P/out" 2>&1
}
says() {
    wanted=$1 pattern=$2
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
says_not() { ! grep -E -e "$1" "$P/out"; }
ledger_rows() { sqlite3 "$P/state/state.db" "select count(*) from ledger where state not in ('gone', 'found')"; }
leave() { # NAME...: their records go, whatever became of the orders
    : > "$P/left"
    for left in "$@"; do dcv cancel "$left" >> "$P/left" 2>&1; done
    [ "$(ledger_rows)" = 0 ] || dcv gc >> "$P/left" 2>&1
    [ "$(ledger_rows)" = 0 ] || { cat "$P/left"; dcv gc --list; return 1; }
}
chaos() {
    chaos_name=$1
    shift
    : > "$LAB_DIR/chaos-$chaos_name"
    "$here/chaos.py" "$@" > "$LAB_DIR/chaos-$chaos_name" 2>&1 &
    echo $! > "$LAB_DIR/chaos-$chaos_name.pid"
    eventually 10 grep -q ready "$LAB_DIR/chaos-$chaos_name" || { cat "$LAB_DIR/chaos-$chaos_name"; return 1; }
}
calm() {
    kill "$(cat "$LAB_DIR/chaos-$1.pid")" 2> "$LAB_DIR/calm"
    wait "$(cat "$LAB_DIR/chaos-$1.pid")" 2> "$LAB_DIR/calm"
    return 0
}
forget() {
    for dir in "${LAB_UNBOUND_DIR:-}" "${LAB_UNBOUND2_DIR:-}" "${LAB_UNBOUND3_DIR:-}"; do
        [ -z "$dir" ] || unbound-control -q -c "$dir/unbound.conf" flush_zone . || return 1
    done
}
txt() { dig +norecurse +short +time=2 +tries=2 "@$1" "$2" TXT | sort; }
has() { txt "$1" "$2" | grep -qxF -e "$3"; }
lacks() { ! has "$@"; }
update() { # KEY SERVER ZONE LINE...
    key=$1 server=$2 zone=$3
    shift 3
    { printf 'server %s\nzone %s\n' "$server" "$zone" && printf '%s\n' "$@" send; } | nsupdate -v -k "$LAB_KEYS/$key.key"
}
