#!/bin/sh
# Values of others at our names: a hundred random sets on three kinds of server survive an order byte by byte; a writer beside us; our record removed.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot pdns unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
SEED=${LAB_SEED:-1}
echo "# seed $SEED (LAB_SEED=N for another one)"
ok "a hundred sets of others" sh -c "'$here/foreign.py' $SEED 100 '$LAB_KEYS/admin-key.key' example.hk@$LAB_NAMED example.net@$LAB_KNOT \
    example.org@$LAB_PDNS > '$LAB_DIR/names'"
names() { sed -n "$1p" "$LAB_DIR/names" | tr '\n' ' '; }
RESOLVERS=none
chaos liar 192.0.2.9 "$LAB_UNBOUND" only=mail.example.hk type=16 lie=5 log="$LAB_DIR/liar.log"
person_setup "
[provider knot]
type = rfc2136
server = $LAB_KNOT
zones = example.net
tsig_key_file = $LAB_KEYS/lab-key.key
[provider pdns]
type = rfc2136
server = $LAB_PDNS
zones = example.org
tsig_key_file = $LAB_KEYS/lab-key.key
[ca waits]
type = manual
resolvers = 192.0.2.9
timeout = 50s
[certificate odd]
ca = ecert
product = multi-domain
names = $(names 1,50)
[certificate even]
ca = ecert
product = multi-domain
names = $(names 51,100)
[certificate gone]
ca = ecert
product = standard
names = www.example.hk
[certificate waiting]
ca = waits
product = standard
names = mail.example.hk
"
"$here/invariants" snapshot "$LAB_DIR/before"
removed() { update admin-key "$LAB_NAMED" example.hk "update delete $1 TXT \"$2\""; }

# Another agent, which waits for a resolver that sees nothing: what we remove there is looked at in the end.
sed "s|^state_dir.*|state_dir = $P/waiting/state|; s|^log = .*|log = $P/waiting/log|" "$P/dcvagent.ini" > "$P/waiting.ini"
at_waiting() { (CONF="$P/waiting.ini" P="$P/waiting"; "$@"); }
mkdir "$P/waiting"
ok "waiting: begins" at_waiting begin waiting code-wait
"$DCVAGENT" --config "$P/waiting.ini" run waiting > "$P/waits" 2>&1 &
waits=$!
ok "waiting: written" eventually 10 has "$LAB_NAMED" mail.example.hk '"code-wait"'
ok "waiting: the resolver is asked" eventually 10 grep -q 'QUERY mail.example.hk 16' "$LAB_DIR/liar.log"
ok "removed" removed mail.example.hk code-wait

# --- rows 41 and 42: beside them, and beside somebody who writes at the same time
ttl() { dig +norecurse +noall +answer "@$1" "$2" TXT | awk '{ print $2; exit }'; }
printf '%s\n' "$LAB_NAMED example.hk f0 $(ttl "$LAB_NAMED" f0.example.hk)" "$LAB_KNOT example.net f1 $(ttl "$LAB_KNOT" f1.example.net)" \
    "$LAB_PDNS example.org f2 $(ttl "$LAB_PDNS" f2.example.org)" > "$LAB_DIR/beside"
beside() { # add | delete, N: the other writer's value at three of the names; with the TTL of the set, as a good neighbour does
    while read -r server zone label ttl; do
        [ "$1" = delete ] || update admin-key "$server" "$zone" "update add $label.$zone $ttl TXT \"beside-$2\"" || return 1
        [ "$1" = add ] || update admin-key "$server" "$zone" "update delete $label.$zone TXT \"beside-$2\"" || return 1
    done < "$LAB_DIR/beside"
}
adding() {
    n=0
    while [ ! -e "$LAB_DIR/stop" ] && [ "$n" -lt 80 ]; do
        n=$((n + 1))
        beside add "$n" || return 1
        echo "$n" > "$LAB_DIR/written"
    done
}
deleting() {
    n=0
    while [ "$n" -lt "$(cat "$LAB_DIR/written")" ]; do
        n=$((n + 1))
        beside delete "$n" || return 1
    done
}
during() { # adding | deleting, COMMAND...: runs the command while the other one writes
    rm -f "$LAB_DIR/stop"
    "$1" > "$LAB_DIR/writer" 2>&1 &
    writer=$!
    shift
    "$@"
    during_rc=$?
    touch "$LAB_DIR/stop"
    wait "$writer" || { cat "$LAB_DIR/writer"; return 1; }
    return $during_rc
}
stands() { # how many of the hundred names show this value at their own server
    while read -r name; do
        case $name in *.hk) server=$LAB_NAMED ;; *.net) server=$LAB_KNOT ;; *) server=$LAB_PDNS ;; esac
        dig +norecurse +short "@$server" "$name" TXT | grep -qxF "\"$1\"" && echo "$name"
    done < "$LAB_DIR/names" | wc -l
}
ok "two orders begin" sh -c ". '$here/tap.sh'; . '$here/person.sh'; . '$here/dns.sh'; begin odd code-of-all && begin even code-of-all"
ok "published and seen beside a writer" during adding says 75 WAITING_CONFIRM run odd even
is "our value stands at all hundred" "$(stands code-of-all)" 100
ok "the other writer's all stand too" sh -c "
    w=\$(cat '$LAB_DIR/written'); for at in '$LAB_NAMED f0.example.hk' '$LAB_KNOT f1.example.net' '$LAB_PDNS f2.example.org'; do
    [ \$(dig +norecurse +short @\$at TXT | grep -c '\"beside-') = \$w ] || { echo \$at; exit 1; }; done"
cleaned() { dcv run odd even > "$P/out" 2>&1; [ "$(ledger_rows)" = 0 ] || { cat "$P/out"; return 1; }; }
dcv cancel odd > "$P/out" && dcv cancel even >> "$P/out"
ok "cleaned up beside a writer who cleans up" during deleting cleaned
is "no record of ours is left" "$(stands code-of-all)" 0
ok "every set as before, to the octet, TTLs too" "$here/invariants" check "$LAB_DIR/before" "$P/state"

# --- row 44: somebody removes what we wrote
ok "gone: published" sh -c ". '$here/tap.sh'; . '$here/person.sh'; . '$here/dns.sh'; begin gone code-gone && says 75 WAITING_CONFIRM run gone"
for n in 1 2 3; do
    removed www.example.hk code-gone
    dcv run gone > "$P/out" 2>&1
    ok "removed between runs: put back ($n)" has "$LAB_NAMED" www.example.hk '"code-gone"'
done
removed www.example.hk code-gone
ok "a fourth time it is not: 11" says 11 'www\.example\.hk.*REMOVED_BY_OTHERS' run gone
ok "and stays away" lacks "$LAB_NAMED" www.example.hk '"code-gone"'
ok "gone: wound up" leave gone

ok "removed in the middle of a wait: put back" eventually 45 has "$LAB_NAMED" mail.example.hk '"code-wait"'
calm liar
kill -TERM "$waits"
wait "$waits" 2> "$LAB_DIR/left"
ok "waiting: wound up" at_waiting leave waiting
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
