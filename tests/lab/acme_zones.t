#!/bin/bash
# Where an unattended order's records go: delegated by CNAME and DNAME, beside a wildcard's CNAME, several values at one owner, zones of three
# servers in one order, long and foreign-script names; and orders that need none.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE=0 exec "$here/up" named knot pdns unbound pebble -- "$0"
fi
. "$here/tap.sh"
. "$here/pebble.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
pebble_setup "
[provider knot]
type = rfc2136
server = $LAB_KNOT
zones = example.net vanished.net
tsig_key_file = $LAB_KEYS/sha384-key.key
[provider pdns]
type = rfc2136
server = $LAB_PDNS
zones = example.org
tsig_key_file = $LAB_KEYS/sha512-key.key"
section pebble "$LAB_PEBBLE_DIRECTORY"
PEBBLE_LOG=$LAB_DIR/log/pebble.log
A=_acme-challenge
update() { # SERVER ZONE LINE...
    local server=$1 zone=$2
    shift 2
    { printf 'server %s\nzone %s\n' "$server" "$zone" && printf 'update add %s\n' "$@" && echo send; } | nsupdate -v -k "$LAB_KEYS/admin-key.key"
}
chain() { # NAME LENGTH: so many CNAMEs from its challenge name to one in example.net
    local at=$A.$1.example.hk i
    for ((i = 1; i < $2; i++)); do
        echo "$at 300 CNAME $1-$i.example.hk."
        at=$1-$i.example.hk
    done
    echo "$at 300 CNAME $1.example.net."
}
serials() { for z in example.hk@$LAB_NAMED example.net@$LAB_KNOT example.org@$LAB_PDNS; do dig +short "@${z#*@}" "${z%@*}" SOA | cut -d' ' -f3; done; }
since() { paste <(serials) <(printf '%s\n' "$1") | awk '{ printf "%s%d", (NR > 1 ? " " : ""), $1 - $2 }'; } # zone changes since then
written() { # CERTIFICATE OWNER...: what the ledger knows of its last order, each owner once or more often
    sqlite3 "$P/state/state.db" "select owner from ledger where order_id = (select id from orders where cert = '$1' order by rowid desc limit 1)" |
        sort | tr '\n' ' ' | sed 's/ $//'
}
issued() { # NAME OWNERS NAMES...: a certificate, and where its records stood
    local name=$1 owners=$2
    shift 2
    certificate "$name" pebble "$@"
    says 0 '' run "$name" || return 1
    [ "$(written "$name")" = "$owners" ] || { echo "written: $(written "$name")"; return 1; }
    quit "$name"
}
refused() { # NAME CODE PATTERN NAMES...: 13, and nothing was written anywhere
    local name=$1 code=$2 pattern=$3 before
    shift 3
    before=$(serials)
    certificate "$name" pebble "$@"
    says 13 "$code" run "$name" || return 1
    grep -qE -e "$pattern" "$P/out" || { echo "no line like $pattern"; cat "$P/out"; return 1; }
    [ "$(since "$before")" = "0 0 0" ] || { echo "zones changed: $(since "$before")"; return 1; }
    dcv cancel "$name" > "$P/left" 2>&1
    quit "$name"
}

ok "zones made ready: example.hk" update "$LAB_NAMED" example.hk "$A.one.example.hk 300 CNAME one.example.net." \
    "$A.pair.example.hk 300 CNAME pair.example.net." \
    "$A.two.example.hk 300 CNAME hop.example.com." "$A.loop.example.hk 300 CNAME loop.example.com." "$A.foreign.example.hk 300 CNAME x.provider.example." \
    "$A.far.example.hk 300 CNAME far.example.com." "$A.dangling.example.hk 300 CNAME nothing.vanished.net." 'moved.example.hk 300 DNAME example.net.' \
    'trap.example.hk 300 A 192.0.2.80' '*.trap.example.hk 300 CNAME x.provider.example.'
while read -r line; do update "$LAB_NAMED" example.hk "$line"; done < <(chain eight 8; chain nine 9)
ok "zones made ready: example.com" update "$LAB_NAMED" example.com 'hop.example.com 300 CNAME _two.example.org.' \
    "loop.example.com 300 CNAME $A.loop.example.hk." 'far.example.com 300 CNAME x.provider.example.'
"$here/invariants" snapshot "$LAB_DIR/before"

# --- delegation
ok "a CNAME into a zone of another server" issued one one.example.net one.example.hk
ok "two hops through a third zone" issued two _two.example.org two.example.hk
ok "eight hops" issued eight eight.example.net eight.example.hk
ok "a DNAME above the name" issued dname $A.www.example.net www.moved.example.hk
ok "both ends of one delegation, two values at one owner" issued pair "pair.example.net pair.example.net" pair.example.hk '*.pair.example.hk'
hops=$(for i in 1 2 3 4 5 6 7 8; do printf 'nine-%s\\.example\\.hk -> ' $i; done)
ok "nine hops: 13, with the chain" refused nine CNAME_DEEP "$A\.nine\.example\.hk -> ${hops}nine\.example\.net" nine.example.hk
ok "a loop: 13, with the chain" refused loop CNAME_LOOP "$A\.loop\.example\.hk -> loop\.example\.com -> $A\.loop\.example\.hk" loop.example.hk
ok "a foreign zone: 13, with the chain" refused foreign CNAME_FOREIGN "$A\.foreign\.example\.hk -> x\.provider\.example" foreign.example.hk
ok "a foreign zone two hops away: 13, with the chain" refused far CNAME_FOREIGN "$A\.far\.example\.hk -> far\.example\.com -> x\.provider\.example" \
    far.example.hk
ok "a zone that is no more: 13" refused dangling NO_ZONE "$A\.dangling\.example\.hk -> nothing\.vanished\.net" dangling.example.hk
ok "one of them stops the whole order, and is named" refused mixed CNAME_FOREIGN 'foreign\.example\.hk' www.example.hk foreign.example.hk
CERTIFICATE='cname = refuse'
ok "cname = refuse: 13" refused refuse CNAME_REFUSED "$A\.one\.example\.hk.*one\.example\.net" one.example.hk
ok "cname = refuse: where there is none" issued norefuse $A.plain.example.hk plain.example.hk
ok "cname = refuse: a wildcard's CNAME is none" issued trapped $A.deep.trap.example.hk deep.trap.example.hk
CERTIFICATE=
ok "the wildcard-CNAME trap: written in place" issued trap "$A.trap.example.hk $A.trap.example.hk $A.www.trap.example.hk" trap.example.hk \
    '*.trap.example.hk' www.trap.example.hk

# --- three servers, one order; one UPDATE a zone each way
before=$(serials)
ok "one order over named, knotd and pdns" issued three "$(printf "$A.%s " mail.example.hk www.example.hk example.net www.example.net example.org mail.example.org \
    www.example.org | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ *//; s/ $//')" www.example.hk mail.example.hk www.example.net example.net \
    www.example.org mail.example.org example.org
is "one UPDATE a zone each way" "$(since "$before")" "2 2 2"

# --- wildcard and apex
pebble slow 14100 PEBBLE_VA_NOSLEEP=0 PEBBLE_VA_SLEEPTIME=3
certificate slow slow example.hk '*.example.hk'
before=$(serials)
dcv run slow > "$P/slow-out" 2>&1 &
slow=$!
two_values() { [ "$(dig +short "@$LAB_NAMED" $A.example.hk TXT | sort -u | grep -c '^"[A-Za-z0-9_-]\{43\}"$')" = 2 ]; }
ok "wildcard and apex: both values stand at once" eventually 10 two_values
wait $slow
is "wildcard and apex: issued" $? 0
is "wildcard and apex: both are gone" "$(dig +short "@$LAB_NAMED" $A.example.hk TXT)" ""
is "wildcard and apex: one UPDATE each way" "$(since "$before")" "2 0 0"
quit slow

# --- names
ok "labels in Chinese, and a wildcard" issued idn "$A.xn--i8s431aqn1ad1j.hk $A.xn--i8s910l.example.hk" 電子.example.hk '*.電子核證.hk'
labels=$(printf 'a.%.0s' $(seq 58))
ok "sixty labels" issued deep "$A.${labels}example.hk" "${labels}example.hk"
l=$(printf 'b%.0s' $(seq 63))
long=${l:0:34}.$l.$l.$l.example.hk # with the label in front: 253 octets
ok "a name as long as can be proven" issued long "$A.$long" "$long"
orders=$(grep -c order-plz "$PEBBLE_LOG")
ok "one octet more: 13, before anything" refused longer OWNER_LONG 'b\.example\.hk.*254 octets' "b$long"
is "the CA got no order for it" "$(($(grep -c order-plz "$PEBBLE_LOG") - orders))" 0

# --- authorizations used again (row 56): no record at all
pebble reuse 14200 PEBBLE_AUTHZREUSE=100
certificate reuse reuse www.example.hk '*.example.hk' example.net
is "authorizations used again: first order" "$(rc dcv run reuse)" 0
before=$(serials) posts=$(count reuse 'POST /chalZ/')
is "authorizations used again: second order" "$(rc dcv run --force reuse)" 0
is "no record was written" "$(since "$before")" "0 0 0"
is "and none is in the ledger" "$(written reuse)" ""
is "no challenge was asked for" "$(($(count reuse 'POST /chalZ/') - posts))" 0
certificate reuse reuse www.example.hk '*.example.hk' example.net mail.example.hk
is "one more name: its record alone" "$(rc dcv run --force reuse)$(written reuse)" "0$A.mail.example.hk"
quit reuse

# --- many names, half the nonces refused (row 53)
pebble nonces 14300 PEBBLE_WFE_NONCEREJECT=50
certificate nonces nonces $(printf 'n%d.example.hk ' $(seq 20))
before=$(serials)
is "twenty names, half the nonces refused" "$(rc dcv run nonces)" 0
is "twenty names: one UPDATE each way" "$(since "$before")" "2 0 0"
ok "the CA did refuse: more requests than work" test "$(count nonces 'POST /')" -ge 60
is "one order" "$(count nonces 'Added order')" 1

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
