#!/bin/sh
# policy: what it prints is loaded by named, knotd and pdns_server; with it orders go through, and nothing else does.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot pdns unbound zones=1 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
provider() { printf '[provider %s]\ntype = rfc2136\nserver = %s\nzones = %s\ntsig_key_file = %s\n' "$@"; }
person_setup "
$(provider knot "$LAB_KNOT" example.net "$LAB_KEYS/sha384-key.key")
$(provider pdns 192.0.2.9 example.org "$LAB_KEYS/sha512-key.key")
[provider api]
type = powerdns
url = http://192.0.2.9:8081
api_key_file = $LAB_DIR/api.key
zones = z1.test
[ca apex]
type = manual
record = apex _dcv
[certificate shop]
ca = ecert
product = multi-domain
key_type = p256
names = www.example.hk shop.example.hk www.電子核證.hk www.example.net mail.example.net www.example.org
[certificate whole]
ca = apex
product = wildcard
key_type = p256
names = *.example.com
[certificate moved]
ca = ecert
product = standard
key_type = p256
names = alias.example.hk
[certificate hosted]
ca = ecert
product = standard
key_type = p256
names = www.z1.test
"
printf 'lab-api-key-7c1e5f0a\n' > "$LAB_DIR/api.key"
chmod 600 "$LAB_DIR/api.key"
ok "the configuration is sound" dcv config check
ok "a name that is a CNAME" update admin-key "$LAB_NAMED" example.hk 'update add alias.example.hk 300 CNAME dcv.example.com.'
"$here/invariants" snapshot "$LAB_DIR/before"
part() { # SERVER ZONE: the printed text for this zone
    dcv --json policy "$1" 2> "$P/err" | python3 -c 'import json, sys
for z in json.load(sys.stdin)["zones"]:
    if z["zone"] == sys.argv[1]: print(z["text"], end="")' "$2"
}

# --- what is printed
ok "bind" says 0 'grant "lab-key" name www\.example\.hk\. TXT;' policy bind
is "exactly the names, of each zone" "$(part bind example.hk | grep -c '^    grant')$(part bind example.com | grep -c '^    grant')" 23
ok "at the end of a CNAME" sh -c "grep -q 'name dcv.example.com. TXT' '$P/out' && ! grep -q 'name alias.example.hk' '$P/out'"
ok "no secret" sh -c "for k in lab-key sha384-key sha512-key; do ! grep -F \"\$(grep -oE '\"[^\"]{20,}\"' '$LAB_KEYS/'\$k.key | tr -d '\"')\" '$P/out' || exit 1; done"
ok "no such server: 2" says 2 'bind, knot or powerdns' policy nsd
ok "powerdns: the API's key cannot be narrowed" says 0 'zone z1\.test \(\[provider api\]\).*cannot be narrowed' policy powerdns

# --- named
install_bind() {
    for zone in example.hk example.com xn--i8s431aqn1ad1j.hk; do
        part bind "$zone" > "$P/policy.$zone" && [ -s "$P/policy.$zone" ] || return 1
        sed -i "/^zone \"$zone\"/s|update-policy {[^}]*};|include \"$P/policy.$zone\";|" "$LAB_NAMED_DIR/named.conf"
    done
    grep -c "$P/policy" "$LAB_NAMED_DIR/named.conf" | grep -qx 3 || return 1
    rndc=$(command -v rndc || echo /usr/sbin/rndc)
    "$rndc" -c "$LAB_NAMED_DIR/rndc.conf" reconfig
}
ok "named takes it" install_bind
# --- knotd
install_knot() {
    dcv policy knot > "$P/policy.knot" && grep -q '^  - id: dcvagent-example.net' "$P/policy.knot" || return 1
    sed -i "s|^zone:|include: \"$P/policy.zone\"\nzone:|; s/acl: \[ txt, admin, read \]/acl: [ dcvagent-example.net, read ]/" "$LAB_KNOT_DIR/knot.conf"
    # Of the acl sections only those of this server's keys: it knows no others.
    { echo acl: && part knot example.net; } > "$P/policy.zone"
    knotc=$(command -v knotc || echo /usr/sbin/knotc)
    "$knotc" -c "$LAB_KNOT_DIR/knot.conf" reload
}
ok "knotd takes it" install_knot
# --- pdns_server: another one, with the script, on the same database
install_pdns() {
    dcv policy powerdns > "$P/policy.lua" || return 1
    mkdir -p "$LAB_DIR/pdns2"
    sed "s/^local-address=.*/local-address=192.0.2.9/; s/^webserver-address=.*/webserver-address=192.0.2.9/; s|^socket-dir=.*|socket-dir=$LAB_DIR/pdns2|
        \$alua-dnsupdate-policy-script=$P/policy.lua" "$LAB_PDNS_DIR/pdns.conf" > "$LAB_DIR/pdns2/pdns.conf"
    sed -n 's/^-- pdnsutil \(add-meta.*\)/\1/p' "$P/policy.lua" > "$P/metas"
    sqlite3 "$LAB_PDNS_DIR/pdns.sqlite3" "delete from domainmetadata where kind = 'TSIG-ALLOW-DNSUPDATE'"
    pdnsutil=$(command -v pdnsutil || echo /usr/bin/pdnsutil)
    grep example.org "$P/metas" | while read -r line; do "$pdnsutil" --config-dir="$LAB_DIR/pdns2" $line || return 1; done
}
ok "pdnsutil takes it" install_pdns
pdns=$(command -v pdns_server || echo /usr/sbin/pdns_server)
"$pdns" --config-dir="$LAB_DIR/pdns2" > "$LAB_DIR/log/pdns2.log" 2>&1 &
pdns=$!
ok "pdns_server takes it" eventually 10 sh -c 'dig +short +time=1 +tries=1 @192.0.2.9 example.org SOA | grep -q .'

# --- what may be written
for name in shop moved; do
    ok "$name: an order begins" begin "$name" "code-$name"
    ok "$name: goes through with it" run_to "$name" visible confirm
done
ok "named: the records stand" has "$LAB_NAMED" shop.example.hk '"code-shop"'
ok "knotd: the records stand" has "$LAB_KNOT" mail.example.net '"code-shop"'
ok "pdns_server: the records stand" has "$LAB_PDNS" www.example.org '"code-shop"'
ok "and go again" leave shop moved

# --- what may not
for host in other.example.hk other.example.com other.example.net; do
    ok "$host: refused" says 11 UPDATE_REFUSED\|BADKEY txt add "$host" v
    ok "$host: taken back" says 0 . txt del "$host" v
done
ok "pdns_server: another name: refused" says 11 'UPDATE_REFUSED|UPDATE_NOT_APPLIED' txt add other.example.org v
ok "nothing was written" lacks "$LAB_PDNS" other.example.org '"v"'
ok "taken back" says 0 . txt del other.example.org v
nothing_else() { # KEY SERVER ZONE: another type at a name that may be written
    update "$1" "$2" "$3" "update add www.$3 60 HINFO a b" > "$P/nsupdate" 2>&1
    ! dig +short +norecurse "@$2" "www.$3" HINFO | grep .
}
ok "named: another type: refused" nothing_else lab-key "$LAB_NAMED" example.hk
ok "knotd: another type: refused" nothing_else sha384-key "$LAB_KNOT" example.net
ok "pdns_server: another type: refused" nothing_else sha512-key 192.0.2.9 example.org
shown() { [ "$(dcv --json doctor shop 2> "$P/err" | grep -o '"PROVIDER_WRITES"' | wc -l)" = 3 ]; }
ok "doctor: named and knotd may, shown without writing" shown
ok "rehearse is refused, and says why" says 11 'limited to the names themselves cannot rehearse' rehearse moved
ok "nothing is left of it" dcv gc
kill "$pdns"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
