#!/bin/sh
# rehearse: each zone really written to, seen and cleaned; refusals, unseen and unknown places told; a killed one cleaned up by whoever comes next.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named named2 knot pdns unbound unbound2 zones=2 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
chaos counted 192.0.2.80 "$LAB_UNBOUND" log="$LAB_DIR/asked"
chaos liar 192.0.2.81 "$LAB_UNBOUND" lie=3600 type=16
cert() { # NAME HOSTS [LINE OF THE CA]
    printf '[ca %s]\ntype = manual\nrecord = name\n%s\n[certificate %s]\nca = %s\nproduct = multi-domain\nkey_type = p256\nnames = %s\n' "$1" "${3:-}" "$1" "$1" "$2"
}
person_setup "
[provider knot]
type = rfc2136
server = $LAB_KNOT
zones = example.net
tsig_key_file = $LAB_KEYS/sha384-key.key
[provider pdns]
type = powerdns
url = http://$LAB_PDNS:8081
api_key_file = $P/pdns.key
zones = example.org
[provider narrow]
type = rfc2136
server = $LAB_NAMED
zones = z1.test
tsig_key_file = $LAB_KEYS/stranger-key.key
$(cert all 'www.example.hk mail.example.hk shop.電子核證.hk www.example.net www.example.org' "resolvers = 192.0.2.80 $LAB_UNBOUND2")
$(cert one www.example.hk)
$(cert refused www.z1.test)
$(cert nobody x.provider.example)
$(cert patient www.example.hk 'resolvers = 192.0.2.81')
$(cert unseen www.example.hk 'resolvers = 192.0.2.81
timeout = 2s')
"
mkdir -p "$P" && printf 'lab-api-key-7c1e5f0a\n' > "$P/pdns.key" && chmod 600 "$P/pdns.key"
ok "the configuration is sound" dcv config check
"$here/invariants" snapshot "$LAB_DIR/before"
get() { # EXPRESSION ARGUMENT...: of the JSON answer j, of its zones z
    dcv --json rehearse ${2:+"$2"} > "$P/json" 2> "$P/err"
    echo $? > "$P/exit"
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1])); z = {x["zone"]: x for x in j["zones"]}
print(eval(sys.argv[2]))' "$P/json" "$1" 2>&1
}
probes() { for at in "$LAB_NAMED example.hk" "$LAB_NAMED xn--i8s431aqn1ad1j.hk" "$LAB_KNOT example.net" "$LAB_PDNS example.org"; do
    set -- $at; dig +time=2 "@$1" "$2" AXFR | grep _dcvagent; done; }
clean() { ! probes; }

# --- all is well
is "every zone once, whoever serves it" "$(get 'sorted((k, v["provider"], v["ok"]) for k, v in z.items())' all)" \
    "[('example.hk', 'bind', True), ('example.net', 'knot', True), ('example.org', 'pdns', True), ('xn--i8s431aqn1ad1j.hk', 'bind', True)]"
is "exit 0" "$(cat "$P/exit")" 0
took() { python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
for z in j["zones"]:
    assert 0 <= z["written_ms"] < 20000 and 0 <= z["deleted_ms"] < 20000 and z["visible"], z
    seen = [v for v in z["views"] if v["seen_ms"] is not None]
    assert any(v["kind"] == "authoritative" for v in seen) and any(v["kind"] == "resolver" for v in seen), z
    assert all(v["verdict"] == "match" for v in seen), z' "$P/json"; }
ok "written, seen by authorities and resolvers, deleted: with the time of each" took
ok "a probe's name" grep -qE '"owner": ?"_dcvagent-probe-[0-9a-f]{10}\.example\.hk"' "$P/json"
ok "the resolvers were asked for nothing else" sh -c "grep -oE ' [^ ]+ 16 ' '$LAB_DIR/asked' | grep -v _dcvagent-probe- | (! grep .)"
ok "and were asked" grep -q '_dcvagent-probe-' "$LAB_DIR/asked"
ok "nothing is left in DNS" clean
is "nothing is left in the ledger" "$(ledger_rows)" 0
ok "in words" says 0 'example\.hk, provider bind: _dcvagent-probe-.* written in [0-9]+ ms' rehearse one
ok "who saw it" grep -qE 'authoritative +ns1\.example\.hk +[0-9.]+ +seen after [0-9]+ ms' "$P/out"
ok "and that it is gone" grep -qE '^  deleted in [0-9]+ ms' "$P/out"
ok "who did it is kept" sh -c "sqlite3 '$P/state/state.db' \"select text from evidence\" | grep -q rehearse || sqlite3 '$P/state/state.db' .dump | grep -q rehearse"

# --- what does not go
ok "a key that may not: 11" says 11 'rehearse z1\.test: .*BADKEY' rehearse refused
ok "nothing written is said" grep -q 'nothing written' "$P/out"
ok "no provider: 13" says 13 'NO_PROVIDER' rehearse nobody
ok "not seen: 12, and by whom" says 12 '192\.0\.2\.81 says that the name does not exist.*UNSEEN' rehearse unseen
ok "deleted all the same" grep -q '^  deleted in' "$P/out"
ok "the worst of all zones, the others are done" says 13 'example\.net, provider knot: .* written' rehearse
ok "an unknown certificate: 2" says 2 'NO_SECTION' rehearse nothing
ok "still nothing is left in DNS" clean

stopped() { # somebody who does not want to wait: the record is deleted before it ends
    "$DCVAGENT" --config "$P/dcvagent.ini" rehearse patient > "$P/out" 2>&1 &
    stopped_pid=$!
    eventually 10 sh -c "dig +norecurse @$LAB_NAMED example.hk AXFR | grep -q _dcvagent" || return 1
    sleep 0.3
    kill -TERM "$stopped_pid"
    wait "$stopped_pid"
    [ $? = 143 ] && clean && [ "$(ledger_rows)" = 0 ] || { cat "$P/out"; return 1; }
}
ok "stopped while it waits: deleted first" stopped

# --- the lock
exec 9> "$P/state/run.lock"
flock -n 9
ok "the lock is held: 75" says 75 LOCKED rehearse one
exec 9>&-

# --- killed in the middle: before, between and after the writes; who comes next cleans up
killed() { # N COMMAND...: killed at point N, then COMMAND
    n=$1
    shift
    (DCVAGENT_KILL=$n; export DCVAGENT_KILL; dcv rehearse one) > "$P/killed" 2>&1
    [ $? != 0 ] || { echo "not killed at $n"; return 1; }
    [ "$n" -lt 3 ] || probes > "$P/left.$n"
    dcv "$@" > "$P/after" 2>&1
    case $? in 0 | 75) ;; *) cat "$P/after" && return 1 ;; esac # 75: orders that wait for somebody
    [ "$(ledger_rows)" = 0 ] && clean
}
ok "killed at 2: gc" killed 2 gc
ok "killed at 3: gc" killed 3 gc
ok "killed at 4: run" killed 4 run
ok "killed at 5: rehearse" killed 5 rehearse one
ok "killed at 6: run" killed 6 run
ok "in one of them the record stood" sh -c "cat '$P'/left.* | grep -q _dcvagent"
forget
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
