#!/bin/sh
# The PowerDNS API on the real pdns_server: values of others as they stand in its database, disabled ones and comments too; counted requests; a zone
# signed by the server, primaries and secondaries, each refusal named. What Debian's version does not have: on a simulated one.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" pdns named unbound zones=1 pzones=14 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
api="http://$LAB_PDNS:8081/api/v1/servers/localhost"
db="$LAB_PDNS_DIR/pdns.sqlite3"
log="$LAB_DIR/log/pdns.log"
api() { # METHOD PATH [BODY]
    curl -s -f -X "$1" -H "X-API-Key: $LAB_API_KEY" -H 'Content-Type: application/json' ${3:+--data "$3"} "$api$2"
}
secret() { printf '%s\n' "$2" > "$LAB_DIR/$1" && chmod 600 "$LAB_DIR/$1"; }
secret api.key "$LAB_API_KEY"
secret wrong.key "not-the-key-of-this-server"
hosts() { for z in 1 2 3 4 5 6 7 8 9 10; do for n in 1 2 3 4 5; do printf '%s%s.p%s.test ' "$1" "$n" "$z"; done; done; }
section() { # NAME ZONES [KEY=VALUE...]: a provider section; later keys win
    section_name=$1 section_zones=$2 url="http://$LAB_PDNS:8081" key=api.key more=
    shift 2
    for word in "$@"; do
        case $word in
        url=*) url=${word#url=} ;;
        key=*) key=${word#key=} ;;
        *) more="$more
$word" ;;
        esac
    done
    printf '[provider %s]\ntype = powerdns\nurl = %s\napi_key_file = %s\nzones = %s%s\n' "$section_name" "$url" "$LAB_DIR/$key" "$section_zones" "$more"
}
ok "fifty sets of others" sh -c "'$here/foreign.py' 7 50 '$LAB_KEYS/admin-key.key' example.org@$LAB_PDNS > '$LAB_DIR/names'"
person_setup "$(section pdns "example.org $(for z in 1 2 3 4 5 6 7 8 9 10; do printf 'p%s.test ' "$z"; done)")
$(section primary "p11.test p12.test p14.test")
$(section wrongkey p13.test key=wrong.key)
[certificate beside]
ca = ecert
product = multi-domain
names = $(tr '\n' ' ' < "$LAB_DIR/names")
[certificate first]
ca = ecert
product = multi-domain
names = $(hosts a)
[certificate second]
ca = ecert
product = multi-domain
names = $(hosts b)
"
dump() { # the database, but for what a write changes by right
    sqlite3 "$db" "select d.name, r.name, r.type, r.content, r.ttl, r.disabled from records r join domains d on d.id = r.domain_id
        where r.type not in ('SOA') and r.type is not null order by 1, 2, 3, 4; select domain_id, name, type, account, comment from comments order by 1, 2, 3, 5"
}
since() { cp "$log" "$LAB_DIR/log.before"; }
new() { # PATTERN: how many new lines of the log match
    tail -n "+$(($(wc -l < "$LAB_DIR/log.before") + 1))" "$log" | grep -c -e "$1"
}

with() { # NAME CONFIG COMMAND...
    mkdir -p "$P/$1"
    sed "s|^state_dir.*|state_dir = $P/$1/state|; /^include/d" "$P/dcvagent.ini" > "$P/$1.ini"
    printf '%s\n' "$2" >> "$P/$1.ini"
    with_conf="$P/$1.ini"
    shift 2
    (CONF=$with_conf; "$@")
}

# --- values of others
ok "disabled records, comments, a name of capitals" api PATCH /zones/example.org. '{"rrsets": [
    {"name": "half.example.org.", "type": "TXT", "ttl": 700, "changetype": "REPLACE", "records": [{"content": "\"seen\" \"too\"", "disabled": false},
        {"content": "\"\\001 unseen\"", "disabled": true}], "comments": [{"content": "ask Mary first", "account": "mary", "modified_at": 1700000000}]},
    {"name": "off.example.org.", "type": "TXT", "ttl": 800, "changetype": "REPLACE", "records": [{"content": "\"switched off\"", "disabled": true}]},
    {"name": "note.example.org.", "type": "TXT", "ttl": 60, "changetype": "REPLACE", "records": [], "comments": [{"content": "reserved", "account": "joe"}]}]}'
dump > "$LAB_DIR/dump"
for name in half off note example.org; do
    host=$name.example.org
    [ "$name" = example.org ] && host=example.org
    ok "$name: added" says 0 added txt add "$host" "a \"quoted\" \\ value; 電子"
    ok "$name: seen" sh -c "dig +short @$LAB_PDNS $host TXT | grep -qxF '\"a \\\"quoted\\\" \\\\ value; \\233\\155\\187\\229\\173\\144\"'"
    ok "$name: deleted" says 0 deleted txt del "$host" "a \"quoted\" \\ value; 電子"
done
is "the database is what it was, disabled records and comments too" "$(dump | diff "$LAB_DIR/dump" -)" ""
begin beside code-of-all
ok "fifty names beside fifty sets" says 75 WAITING_CONFIRM run beside
is "ours stands at each" "$(dump | grep -c '"code-of-all"')" 50
ok "taken away" says 0 removed cancel beside
is "the database is what it was" "$(dump | diff "$LAB_DIR/dump" -)" ""
sqlite3 "$db" "with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000) insert into records (domain_id, name, type, content, ttl,
    disabled, auth) select (select id from domains where name = 'p12.test'), 'l' || i || '.p12.test', 'TXT', printf('\"%.*c\"', 200, 'x'), 60, i = 7, 1 from n"
since
ok "a zone of eleven megabytes: added beside a disabled record" says 0 added txt add l7.p12.test large
ok "deleted" says 0 deleted txt del l7.p12.test large
is "its names were read one by one, before and after each" "$(new '"GET /api/v1/servers/localhost/search-data ')" 4
is "the disabled record is still there" "$(sqlite3 "$db" "select count(*) from records where name = 'l7.p12.test' and disabled")" 1
sqlite3 "$db" "delete from records where name like 'l%.p12.test'"
sqlite3 "$db" "insert into records (domain_id, name, type, content, ttl, disabled, auth) select id, 'broken.example.org', 'TXT', 'without quotes', 60, 0, 1
    from domains where name = 'example.org'"
ok "an ill-formed record elsewhere makes the zone unreadable as a whole" sh -c "! curl -sf -H 'X-API-Key: $LAB_API_KEY' $api/zones/example.org. > '$LAB_DIR/whole'"
ok "names are read one by one then: added" says 0 added txt add half.example.org one-by-one
ok "deleted" says 0 deleted txt del half.example.org one-by-one
with broken "$(section pdns example.org)" dcv txt add broken.example.org v > "$LAB_DIR/broken" 2>&1 &
broken=$!

# --- a hundred names in ten zones
begin first code-1 && begin second code-2
since
ok "a hundred names: all seen" says 75 WAITING_CONFIRM run first second
is "ten writes" "$(new '"PATCH ')" 10
is "twenty reads of zones" "$(new '"GET /api/v1/servers/localhost/zones/p')" 20
is "and one question for the version" "$(new '"GET /api/v1/servers/localhost HTTP')" 1
for order in first second; do
    since
    ok "$order: cancelled" says 0 removed cancel "$order"
    is "$order: ten writes deleted its fifty" "$(new '"PATCH ')" 10
    is "$order: twenty reads of zones" "$(new '"GET /api/v1/servers/localhost/zones/p')" 20
done

# --- primaries and secondaries
ok "p11.test becomes a primary" api PUT /zones/p11.test. '{"kind": "Master", "soa_edit_api": "DEFAULT"}'
since
ok "a primary's secondaries are notified" says 0 added txt add www.p11.test v
is "once" "$(new '"PUT /api/v1/servers/localhost/zones/p11.test./notify HTTP/1.1" 200')" 1
ok "nothing to warn of" says_not POWERDNS_SERIAL
ok "deleted" says 0 deleted txt del www.p11.test v
ok "its serial would not move" api PUT /zones/p11.test. '{"kind": "Master", "soa_edit_api": ""}'
ok "then that is said" says 0 'p11\.test.*SOA-EDIT-API.*POWERDNS_SERIAL' -v txt add www.p11.test v
ok "deleted again" says 0 deleted txt del www.p11.test v
ok "p12.test becomes a secondary" api PUT /zones/p12.test. '{"kind": "Slave", "masters": ["192.0.2.9"]}'
ok "where writing is refused: 78" says 78 'p12\.test.*secondary.*POWERDNS_SECONDARY' txt add www.p12.test v
ok "taken back" says 0 . txt del www.p12.test v

# --- signed by the server
pdnsutil --config-dir="$LAB_PDNS_DIR" secure-zone p14.test > "$LAB_DIR/secure" 2>&1
ok "a signed zone: added below a name of its own" says 0 added txt add signed.deep.p14.test v
anchor="$LAB_DIR/anchor"
dig +short "@$LAB_PDNS" p14.test DNSKEY | while read -r flags protocol algorithm key; do
    [ "$flags" = 257 ] && echo "trust-anchors { p14.test. static-key $flags $protocol $algorithm \"$key\"; };"
done > "$anchor"
validated() { delv "@$LAB_PDNS" -a "$anchor" +root=p14.test "$@" > "$LAB_DIR/delv" 2>&1; cat "$LAB_DIR/delv"; grep -q "fully validated" "$LAB_DIR/delv"; }
ok "it is validated" validated signed.deep.p14.test TXT
ok "and so is what is not there" validated deep.p14.test TXT
ok "deleted" says 0 deleted txt del signed.deep.p14.test v
ok "its absence is validated" validated signed.deep.p14.test TXT

# --- refusals
ok "a wrong key: 11, 401" says 11 'wrongkey.*401.*API_AUTH' txt add www.p13.test v
ok "the key is not shown" says_not 'not-the-key'
ok "a zone it does not have: 78" with nozone "$(section nozone z1.test)" says 78 'z1\.test.*POWERDNS_ZONE' txt add www.z1.test v
ok "another server id: 78" with noserver "$(section noserver p13.test server_id=other)" says 78 'servers/other.*POWERDNS_SERVER' txt add www.p13.test v
ok "an address that is no API: 78" with noapi "$(section noapi p13.test "url=http://$LAB_PDNS:8081/elsewhere")" says 78 'POWERDNS_SERVER' txt add www.p13.test v
secret two.key "$(printf 'one\ntwo')"
ok "a key of two lines: 78" with twolines "$(section twolines p13.test key=two.key)" says 78 'two\.key.*POWERDNS_KEY' txt add www.p13.test v

wait "$broken"
is "at the ill-formed one itself: 11" "$?" 11
ok "named" grep -qE 'broken\.example\.org.*ill-formed.*POWERDNS_UNREADABLE' "$LAB_DIR/broken"
sqlite3 "$db" "delete from records where content = 'without quotes'"
is "the database is what it was" "$(dump | diff "$LAB_DIR/dump" -)" ""

# --- later versions: single records, and one bad name of several
"$here/mock_powerdns.py" 192.0.2.81 8081 "$LAB_API_KEY" 5.0.2 z1.test refuse=bad.z1.test > "$LAB_DIR/mock" &
mock=$!
"$here/mock_powerdns.py" 192.0.2.82 8081 "$LAB_API_KEY" 4.7.3 z1.test refuse=bad.z1.test status=413 > "$LAB_DIR/mock47" &
mock47=$!
ok "simulated servers" eventually 10 grep -q ready "$LAB_DIR/mock" "$LAB_DIR/mock47"
halves() { # NAME ADDRESS: an order with a bad name among six
    with "$1" "$(section mock z1.test "url=http://$2:8081")
[certificate six]
ca = ecert
product = multi-domain
names = $(for n in a b bad c d e; do printf '%s.z1.test ' "$n"; done)
" six
}
six() {
    begin six code-six && says 11 'bad\.z1\.test.*(422|413).*Conflicts with pre-existing.*API_STATUS' run six && says_not '\b[abcde]\.z1\.test' || return 1
    dcv cancel six > "$P/left"
    [ "$(sqlite3 "${CONF%.ini}/state/state.db" "select count(*) from ledger where state not in ('gone', 'found')")" = 0 ]
}
ok "5.0.2: one refused name does not hinder five" halves new 192.0.2.81
ok "4.7.3: the same by whole sets, refused as too large" halves old 192.0.2.82
mock() { curl -s -f -X "$1" -H "X-API-Key: $LAB_API_KEY" "http://192.0.2.81:8081/api/v1/servers/localhost/zones/z1.test." ${2:+--data "$2"}; }
ok "5.0.2: a disabled record" mock PATCH '{"rrsets": [{"name": "half.z1.test.", "type": "TXT", "ttl": 90, "changetype": "REPLACE",
    "records": [{"content": "\"on\"", "disabled": false}, {"content": "\"off\"", "disabled": true}]}]}'
mock GET > "$LAB_DIR/mock.before"
half() { with half "$(section mock z1.test "url=http://192.0.2.81:8081")" says 0 "$1" txt "$2" half.z1.test v; }
ok "is not dropped by an add" half added add
ok "as EXTEND would do" sh -c "curl -s -H 'X-API-Key: $LAB_API_KEY' http://192.0.2.81:8081/api/v1/servers/localhost/zones/z1.test | grep -q '\"off.*true'"
ok "nor by a delete" half deleted del
is "all as before" "$(mock GET | diff "$LAB_DIR/mock.before" -)" ""
ok "wrong key: taken back" sh -c "cp '$LAB_DIR/api.key' '$LAB_DIR/wrong.key'; '$DCVAGENT' --config '$P/dcvagent.ini' txt del www.p13.test v"
kill "$mock" "$mock47"
wait "$mock" "$mock47" 2> "$LAB_DIR/left"
is "the database is what it was in the end" "$(dump | diff "$LAB_DIR/dump" -)" ""
is "no open row" "$(ledger_rows)" 0
done_testing
