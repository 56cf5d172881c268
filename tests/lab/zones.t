#!/bin/sh
# Where a record goes: zones of several providers, CNAMEs, apexes, labels, [zone], views; and that values of others stand as they stood.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    "$here/up" named named2 nsd knot pdns unbound unbound2 -- "$0" places
    places=$?
    exec "$here/up" hidden=named named2 nsd unbound -- "$0" hidden "$places"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS="$LAB_UNBOUND $LAB_UNBOUND2"
cert() { # NAME CA PRODUCT NAMES [LINE]...
    printf '[certificate %s]\nca = %s\nproduct = %s\nnames = %s\nkey_type = p256\n' "$1" "$2" "$3" "$4"
    shift 4
    for line in "$@"; do printf '%s\n' "$line"; done
}

# --- an ordinary world -----------------------------------------------------------------------------------------------------------------
if [ "$1" = places ]; then
person_setup "
[provider knot]
type = rfc2136
server = $LAB_KNOT
zones = example.net
tsig_key_file = $LAB_KEYS/sha384-key.key
[provider pdns]
type = rfc2136
server = $LAB_PDNS
zones = example.org
tsig_key_file = $LAB_KEYS/sha512-key.key
[ca apex]
type = manual
record = apex
[ca label]
type = manual
record = _dcv
[ca several]
type = manual
record = name _dcv apex
$(cert wide ecert multi-domain 'www.example.hk www.corp.example.hk 電子核證.hk www.example.net www.example.org alias.example.hk')
$(cert wild ecert wildcard '*.shop.example.hk')
$(cert apex apex multi-domain 'www.example.hk www.corp.example.hk a.b.deep.example.hk')
$(cert label label multi-domain 'www.example.hk cdn.example.hk www.wild.example.hk')
$(cert several several standard www.corp.example.hk)
$(cert placed ecert multi-domain 'foreign.example.hk mail.example.hk' 'record_at = foreign.example.hk:apex mail.example.hk:_dcv')
$(cert foreign ecert standard foreign.example.hk)
$(cert refuse ecert standard alias.example.hk 'cname = refuse')
$(cert loop ecert standard loop1.example.hk)
$(cert deep ecert standard c0.example.hk)
$(cert dangling ecert standard dangling.example.hk)
$(cert inner ecert standard b.deep.example.hk)
$(cert synthetic ecert standard www.wild.example.hk)
$(cert synthetictxt ecert standard www.text.example.hk)
$(cert dname ecert standard www.moved.example.hk)
$(cert strange ecert standard www.example.test)
$(cert taken ecert standard taken.example.hk)
"
# What the lab's zones lack: a wildcard TXT, a DNAME, and our very value, put there by somebody else.
ok "zones made ready" update admin-key "$LAB_NAMED" example.hk 'update add *.text.example.hk 300 TXT "by wildcard"' \
    'update add moved.example.hk 300 DNAME example.net.' 'update add taken.example.hk 77 TXT "taken-1"' 'update add taken.example.hk 77 TXT "others"'
deep() { for i in $(seq 0 19); do echo "update add c$i.example.hk 300 CNAME c$((i + 1)).example.hk."; done; }
ok "a chain of twenty CNAMEs" update admin-key "$LAB_NAMED" example.hk "$(deep)"
ok "secondaries follow" eventually 10 has "$LAB_NSD" taken.example.hk '"others"'
"$here/invariants" snapshot "$LAB_DIR/before"
ok "the configuration is sound" dcv config check

# --- one order over three providers, five zones
ok "wide: begins" begin wide code-wide
ok "wide: every record is seen, exit 75 for the person" says 75 WAITING_CONFIRM run wide
for where in "$LAB_NAMED www.example.hk" "$LAB_NAMED www.corp.example.hk" "$LAB_NAMED xn--i8s431aqn1ad1j.hk" "$LAB_KNOT www.example.net" \
    "$LAB_PDNS www.example.org" "$LAB_KNOT target.example.net"; do
    ok "wide: written at ${where#* }" has $where '"code-wide"'
done
ok "wide: nothing at the name before the CNAME" sh -c "! dig +norecurse +noall +answer @$LAB_NAMED alias.example.hk TXT | grep -q TXT"
ok "wide: check agrees" says 0 'target.example.net' check wide
ok "wide: leaves nothing" leave wide

# --- where: wildcard to base, apex of the cut, label, several, record_at
place() { # NAME SERVER OWNER...: the order's records stand at these owners, then go
    forget && begin "$1" "code-$1" || return 1
    says 75 WAITING_CONFIRM run "$1" || return 1
    placed=$1 server=$2
    shift 2
    for owner in "$@"; do has "$server" "$owner" "\"code-$placed\"" || { echo "not at $owner"; return 1; }; done
    [ "$(ledger_rows)" = $# ] || { echo "$(ledger_rows) records, wanted $#"; return 1; }
    leave "$placed"
}
ok "wildcard: at the base name" place wild "$LAB_NAMED" shop.example.hk
ok "record = apex: at the zone cut of each name, once where they share it" place apex "$LAB_NAMED" example.hk corp.example.hk
ok "record = _dcv: at the label, below a CNAME and a wildcard too" place label "$LAB_NAMED" _dcv.www.example.hk _dcv.cdn.example.hk \
    _dcv.www.wild.example.hk
ok "several places: at each" place several "$LAB_NAMED" www.corp.example.hk _dcv.www.corp.example.hk corp.example.hk
ok "record_at: its own place for one host" place placed "$LAB_NAMED" example.hk _dcv.mail.example.hk
ok "an empty non-terminal takes a record" place inner "$LAB_NAMED" b.deep.example.hk

# --- refusals, each before anything is written
refused() { # NAME CODE PATTERN
    updates=$(grep -c 'adding an RR' "$LAB_DIR/log/named.log")
    says 13 "$2" run --force "$1" || return 1
    grep -qE -e "$3" "$P/out" || { cat "$P/out"; return 1; }
    [ "$(grep -c 'adding an RR' "$LAB_DIR/log/named.log")" = "$updates" ] || { echo "something was written"; return 1; }
    leave "$1"
}
ok "a CNAME to a foreign zone: 13, with the choices" refused foreign CNAME_FOREIGN 'x\.provider\.example.*record_at'
ok "cname = refuse: 13" refused refuse CNAME_REFUSED 'alias\.example\.hk.*target\.example\.net'
ok "a CNAME loop: 13" refused loop CNAME_LOOP 'loop1\.example\.hk'
ok "a chain of twenty: 13" refused deep CNAME_DEEP 'c0\.example\.hk'
ok "a dangling CNAME in our own zone: followed" place dangling "$LAB_NAMED" nothing.example.com
ok "a name that only a wildcard makes: 13" refused synthetic WILDCARD_SYNTHESIS 'record_at'
ok "the same for a wildcard of TXT" refused synthetictxt WILDCARD_SYNTHESIS 'record_at'
ok "a DNAME is followed like a CNAME" place dname "$LAB_KNOT" www.example.net
ok "no such zone: 13" refused strange NO_PROVIDER 'www\.example\.test'

# --- our exact value stands there already (row 43)
begin taken taken-1
ok "a value of others is used: told" says 75 WAITING_CONFIRM run taken
ok "evidence says found" says 0 found evidence taken all
leave taken > "$LAB_DIR/left"
ok "and not deleted" has "$LAB_NAMED" taken.example.hk '"taken-1"'
ok "txt add tells it in words" says 0 'stood there already' txt add taken.example.hk taken-1
ok "txt del leaves it" says 0 'not deleted' txt del taken.example.hk taken-1
ok "it stands" has "$LAB_NAMED" taken.example.hk '"taken-1"'

ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
fi

# --- a hidden primary, [zone], split horizon, dead discovery ---------------------------------------------------------------------------
TAP_BAD=$2 # of the other lab
person_setup "
[zone corp.example.hk]
servers = $LAB_NAMED
resolvers = none
[zone split.test]
provider = split
servers = 192.0.2.9
resolvers = none
[provider split]
type = rfc2136
server = 192.0.2.9
zones = split.test
tsig_key_file = $LAB_KEYS/lab-key.key
sign_query = yes
$(cert shop ecert multi-domain 'www.example.hk www.corp.example.hk')
"
"$here/invariants" snapshot "$LAB_DIR/before"
servers() { dcv check --json "$1" | python3 -c '
import json, sys
for c in json.load(sys.stdin)["checks"]:
    print(c["host"], *sorted({v["address"] for v in c["views"] if ":" not in v["address"]}))'; }
begin shop code-shop
ok "hidden primary: written, transferred, seen" says 75 WAITING_CONFIRM run shop
ok "the hidden primary has it" has "$LAB_NAMED" www.example.hk '"code-shop"'
is "asked: the public secondaries, and what [zone] says" "$(servers shop)" "www.example.hk $LAB_UNBOUND $LAB_NAMED2 $LAB_NSD
www.corp.example.hk $LAB_NAMED"
ok "hidden: wound up" leave shop

# One server, two views chosen by key: the public one has no TXT.
mkdir "$LAB_DIR/split"
for view in inside outside; do
    printf '$TTL 300\n@ SOA ns1 h 1 3600 600 86400 5\n@ NS ns1\nns1 A 192.0.2.9\nwww TXT "%s"\n' $view > "$LAB_DIR/split/$view"
done
cat > "$LAB_DIR/split/named.conf" <<CONF
$(cat "$LAB_KEYS/lab-key.key")
options { directory "$LAB_DIR/split"; pid-file none; session-keyfile none; lock-file none; listen-on { 192.0.2.9; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; allow-transfer { any; }; };
controls { };
view inside { match-clients { key lab-key; }; zone split.test { type primary; file "inside"; allow-update { key lab-key; }; }; };
view outside { match-clients { any; }; zone split.test { type primary; file "outside"; }; };
CONF
named=$(command -v named || echo /usr/sbin/named)
[ ! -x "$LAB_DIR/bin/named" ] || named=$LAB_DIR/bin/named
"$named" -g -n 1 -c "$LAB_DIR/split/named.conf" > "$LAB_DIR/log/split.log" 2>&1 &
split=$!
ok "split horizon: another server" eventually 10 has 192.0.2.9 www.split.test '"outside"'
ok "sign_query = yes: written and read back in the view of the key" says 0 'added: www.split.test' txt add www.split.test code-split
ok "sign_query = yes: deleted" says 0 'deleted: www.split.test' txt del www.split.test code-split
sed -i 's/^sign_query = yes/sign_query = no/' "$P/conf.d/test.ini"
ok "sign_query = no: the read-back lands in the other view, which is said" says 11 'split\.test.*right view.*UPDATE_NOT_APPLIED' txt add www.split.test code-split
sed -i 's/^sign_query = no/sign_query = yes/' "$P/conf.d/test.ini"
ok "put right" says 0 'deleted' txt del www.split.test code-split
kill "$split"
wait "$split" 2> "$LAB_DIR/left"

# Discovery is dead; [zone] servers= does without.
sed -i "s/^discovery = .*/discovery = 192.0.2.1/" "$P/dcvagent.ini"
ok "discovery dead: 69, and the way out" says 69 '192\.0\.2\.1.*\[zone.*servers *=' run --force shop
leave shop > "$LAB_DIR/left"
printf '[zone example.hk]\nservers = %s %s\n' "$LAB_NAMED2" "$LAB_NSD" >> "$P/conf.d/test.ini"
forget
ok "with [zone] servers= it goes" begin shop code-zone
ok "and is seen" says 75 WAITING_CONFIRM run shop
ok "[zone]: wound up" leave shop
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
