#!/bin/sh
# The doctor about names, CAA, what stands already, providers, configuration, resolvers and views: each finding with its remedy.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named knot unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
chaos slow 192.0.2.80 "$LAB_UNBOUND" delay=1300
chaos refuses 192.0.2.81 rcode=5
chaos nocaa 192.0.2.82 "$LAB_NAMED" type=257 rcode=2
# The inside of example.net: another zone than the world's.
mkdir "$LAB_DIR/inside"
printf '$TTL 300\n@ SOA inside.example.net. h 9 3600 600 86400 5\n@ NS inside\ninside A 192.0.2.9\nwww A 192.0.2.80\n' > "$LAB_DIR/inside/zone"
sed 's/9 3600/1 3600/' "$LAB_DIR/inside/zone" > "$LAB_DIR/inside/org"
cat > "$LAB_DIR/inside/named.conf" <<CONF
$(cat "$LAB_KEYS/lab-key.key")
options { directory "$LAB_DIR/inside"; pid-file none; session-keyfile none; lock-file none; listen-on { 192.0.2.9; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; };
controls { };
zone example.net { type primary; file "zone"; allow-update { key lab-key; }; };
zone example.org { type primary; file "org"; };
CONF
named=$(command -v named || echo /usr/sbin/named)
[ ! -x "$LAB_DIR/bin/named" ] || named=$LAB_DIR/bin/named
"$named" -g -n 1 -c "$LAB_DIR/inside/named.conf" > "$LAB_DIR/log/inside.log" 2>&1 &
inside=$!
person_setup "
$(cert good www.example.hk)
$(cert foreign foreign.example.hk)
$(cert refused alias2.example.hk -- 'cname = refuse')
$(cert loop loop1.example.hk)
$(cert dname www.moved.example.hk)
$(cert cname cdn.example.hk)
$(cert synthetic www.wild.example.hk)
$(RECORD=_dcv cert labelled 'www.wild.example.hk www.example.hk')
$(cert nobody x.provider.example)
$(cert cut www.corp.example.hk)
$(cert wide edge.example.com)
$(cert long "$(printf '%062d.%062d.%062d.example.hk' 1 2 3)" -- "record_at = $(printf '%062d.%062d.%062d.example.hk' 1 2 3):_$(printf '%055d' 4)")
$(cert caano caa.example.hk 'caa = ecert.gov.hk hongkongpost.gov.hk')
$(cert caashown caa.example.hk)
$(cert caayes allowed.example.hk 'caa = ecert.gov.hk')
$(cert caawild '*.allowed.example.hk' 'caa = ecert.gov.hk')
$(cert caabound bound.example.hk 'caa = ecert.gov.hk')
$(cert caadead www.example.com 'caa = ecert.gov.hk')
$(cert txt odd.example.hk)
$(cert large large.example.hk)
$(cert late example.hk)
$(cert tokens 'mail.example.hk shop.example.hk')
$(cert negative www.電子核證.hk)
$(cert alone www.example.hk 'resolvers = none')
$(cert resolvers www.example.hk "resolvers = $LAB_UNBOUND 192.0.2.80 192.0.2.81 192.0.2.1")
$(cert split www.example.net)
$(cert stranger www.example.org)
[zone example.com]
servers = 192.0.2.82
[zone example.net]
servers = 192.0.2.9
[zone example.org]
servers = 192.0.2.9
[provider net]
type = rfc2136
server = $LAB_NAMED
zones = example.net
tsig_key_file = $LAB_KEYS/lab-key.key
[provider org]
type = rfc2136
server = 192.0.2.9
zones = example.org
tsig_key_file = $LAB_KEYS/stranger-key.key
"
sed -i 's/^zones = example.hk .*/zones = example.hk xn--i8s431aqn1ad1j.hk www.example.com edge.example.com/' "$P/dcvagent.ini"
tokens() { for i in $(seq 10 69); do echo "update add large.example.hk 300 TXT \"$i$(printf '%085d' "$i")abc\""; done; }
ok "the zones made ready" update admin-key "$LAB_NAMED" example.hk \
    'update add moved.example.hk 300 DNAME example.com.' 'update add alias2.example.hk 300 CNAME www.example.hk.' \
    'update add allowed.example.hk 300 CAA 0 issue "ecert.gov.hk"' 'update add allowed.example.hk 300 CAA 0 issuewild ";"' \
    'update add bound.example.hk 300 CAA 0 issue "ecert.gov.hk; accounturi=https://ca.example/1"' \
    'update add _acme-challenge.mail.example.hk 300 TXT "0123456789abcdefghijABCDEFGHIJ_-0123456789x"' \
    'update add _acme-challenge.shop.example.hk 300 CNAME x.provider.example.' "$(tokens)"
ok "a long negative TTL" update admin-key "$LAB_NAMED" xn--i8s431aqn1ad1j.hk \
    'update add xn--i8s431aqn1ad1j.hk 86400 SOA ns1.example.hk. hostmaster.example.hk. 100 3 2 1209600 86400'
ok "the inside server is up" eventually 10 sh -c "dig +time=1 +tries=1 @192.0.2.9 example.net SOA | grep -q NOERROR"
"$here/invariants" snapshot "$LAB_DIR/before"

# --- names
ok "good: exit 0" look 0 good
ok "CAA_NONE" finds ok CAA_NONE 'good www\.example\.hk: no CAA record'
ok "SERVERS_AGREE" finds ok SERVERS_AGREE 'good example\.hk: 2 addresses of 1 name server, each answers by UDP and TCP, with serial'
ok "PROVIDER_READS" finds ok PROVIDER_READS '\[provider bind\] is let in'
ok "VISIBLE_BY: who sees it, and when" finds ok VISIBLE_BY "visible at $LAB_UNBOUND from 20..-..-.. ..:.. at the latest: the zone has a negative TTL of 5 s"
ok "DNSSEC_INSECURE" finds ok DNSSEC_INSECURE 'zone example\.hk is not signed'
ok "RESOLVER_NO_DNSSEC" finds info RESOLVER_NO_DNSSEC "$LAB_UNBOUND: the resolver does not validate.*-> have at least one"
ok "CNAME_FOREIGN: 1, with the chain and the choices" look 1 foreign
ok "CNAME_FOREIGN" finds error CNAME_FOREIGN 'foreign foreign\.example\.hk: .*x\.provider\.example.* -> x\.provider\.example -> add .*record_at = HOST:apex or HOST:_LABEL, remove the CNAME'
ok "CNAME_REFUSED" look 1 refused
ok "CNAME_REFUSED: remedy" finds error CNAME_REFUSED 'www\.example\.hk.*-> .*cname = follow'
ok "CNAME_LOOP" look 1 loop
ok "CNAME_LOOP: remedy" finds error CNAME_LOOP '-> mend one of the CNAMEs'
ok "OWNER_LONG" look 1 long
ok "OWNER_LONG: remedy" finds error OWNER_LONG '-> set record_at = HOST:apex'
ok "a DNAME" look 0 dname
ok "DNAME_FOLLOWED" finds info DNAME_FOLLOWED 'www\.moved\.example\.hk -> www\.example\.com'
ok "a CNAME" look 0 cname
ok "CNAME_FOLLOWED" finds info CNAME_FOLLOWED 'cdn\.example\.hk -> edge\.example\.com'
ok "a name that a wildcard makes" look 1 synthetic
ok "WILDCARD_SYNTHESIS" finds error WILDCARD_SYNTHESIS 'www\.wild\.example\.hk.*-> give the name address records'
ok "a label below it" look 0 labelled
ok "EMPTY_NON_TERMINAL" finds warning EMPTY_NON_TERMINAL 'while a record stands at _dcv\.www\.wild\.example\.hk the name has no addresses.*-> give www\.wild'
ok "and not below a name of its own" sh -c "! grep 'EMPTY_NON_TERMINAL labelled www.example.hk' '$P/doctor'"
ok "nobody writes there" look 1 nobody
ok "NO_PROVIDER" finds error NO_PROVIDER 'x\.provider\.example.*-> add the zone to zones='
ok "a zone cut below zones=" look 0 cut
ok "ZONE_CUT nearer" finds warning ZONE_CUT 'says example\.hk, but the name lies in the zone corp\.example\.hk, which is delegated.*-> add corp\.example\.hk to zones='
ok "a zone cut above zones=" look 0 wide
ok "ZONE_CUT farther" finds info ZONE_CUT 'says edge\.example\.com, but the name lies in the zone example\.com, which is wider'

# --- CAA
ok "CAA forbids" look 1 caano
ok "CAA_FORBIDS" finds error CAA_FORBIDS 'other\.example.*-> add caa\.example\.hk CAA 0 issue "ecert\.gov\.hk"'
ok "CAA not judged" look 0 caashown
ok "CAA_SHOWN" finds info CAA_SHOWN 'other\.example.*-> set caa ='
ok "CAA allows" look 0 caayes
ok "CAA_ALLOWS" finds ok CAA_ALLOWS 'issue "ecert\.gov\.hk" allows'
ok "issuewild forbids" look 1 caawild
ok "CAA_FORBIDS for the wildcard" finds error CAA_FORBIDS '\*\.allowed\.example\.hk: .*issuewild'
ok "RFC 8657" look 0 caabound
ok "CAA_PARAMETERS" finds warning CAA_PARAMETERS 'accounturi=https://ca\.example/1, and whether this CA heeds that is not known -> '
ok "CAA cannot be asked" look 0 caadead
ok "CAA_UNKNOWN" finds warning CAA_UNKNOWN 'a CA that cannot ask either has to refuse -> mend'

# --- what stands there
ok "values of others" look 0 txt
ok "TXT_STANDS" finds info TXT_STANDS '2 TXT values stand at odd\.example\.hk with TTL 600'
ok "VISIBLE_BY by TTL" finds ok VISIBLE_BY 'the set there has a TTL of 600 s'
ok "a large set of tokens" look 0 large
ok "ANSWER_LARGE" finds warning ANSWER_LARGE 'large\.example\.hk has [0-9]{4} octets: it comes by TCP only, and some CAs refuse.*-> have TXT values'
ok "TOKENS_LEFT, many" finds warning TOKENS_LEFT '60 values at large\.example\.hk look like validation records of others.*-> have their owners remove'
ok "a long TTL" look 0 late
ok "TXT_TTL_LONG" finds info TXT_TTL_LONG 'example\.hk has a TTL of 86400 s.*-> lower'
ok "challenges of others" look 0 tokens
ok "TOKENS_LEFT" finds info TOKENS_LEFT '1 value at _acme-challenge\.mail\.example\.hk looks like .*\(ACME\)'
ok "CHALLENGE_DELEGATED" finds info CHALLENGE_DELEGATED '_acme-challenge\.shop\.example\.hk is a CNAME to x\.provider\.example.*-> remove the CNAME'
ok "a long negative TTL is told" look 0 negative
ok "NEGATIVE_TTL_LONG" finds info NEGATIVE_TTL_LONG '86400 s.*-> lower the last number'

# --- resolvers, views
ok "no resolvers" look 0 alone
ok "DNSSEC_NOT_ASKED" finds info DNSSEC_NOT_ASKED 'no resolvers= are configured.*-> set \[verify\] resolvers='
ok "resolvers of all kinds" look 0 resolvers
ok "RESOLVER_SILENT" finds warning RESOLVER_SILENT ' 192\.0\.2\.1: .*nothing listens.*-> let this machine reach it'
ok "RESOLVER_REFUSES" finds warning RESOLVER_REFUSES ' 192\.0\.2\.81: .*REFUSED.*-> have it allow'
ok "RESOLVER_SLOW" finds info RESOLVER_SLOW ' 192\.0\.2\.80: the resolver took 1[0-9]{3} ms'
ok "another view inside, another server for updates" look 1 split
ok "which is not the primary of what is seen" finds error UPDATE_NOTAUTH 'example\.net: .*is not the primary server.* -> check server='
ok "VIEWS_DIFFER" finds warning VIEWS_DIFFER 'example\.net: 192\.0\.2\.101 sees another zone.*-> in \[zone example\.net\] set servers='
ok "HIDDEN_PRIMARY" finds info HIDDEN_PRIMARY "example\\.net: updates go to $LAB_NAMED, which is none"
ok "the provider's server does not serve it" finds error READ_REFUSED 'example\.net: .* -> '

# --- providers, clock, files, configuration
ok "an unknown key" look 1 stranger
ok "TSIG_BADKEY" finds error TSIG_BADKEY 'example\.org: .*stranger-key.*-> '
DCVAGENT_CLOCK=+1h
export DCVAGENT_CLOCK
ok "the clock an hour ahead" look 1 good
unset DCVAGENT_CLOCK
ok "CLOCK_SKEW" finds error CLOCK_SKEW 'example\.hk: .*3[0-9]{3} s.*-> '
cp "$LAB_KEYS/lab-key.key" "$P/loose.key"
chmod 644 "$P/loose.key"
printf 'a password\n' > "$P/backup.password"
chmod 600 "$P/backup.password"
sed -i "/^include/i key_backup_dir = $P/not-mounted\nkey_backup_password_file = $P/backup.password" "$P/dcvagent.ini"
printf '[provider loose]\ntype = rfc2136\nserver = %s\nzones = loose.example\ntsig_key_file = %s\n' "$LAB_NAMED" "$P/loose.key" >> "$P/conf.d/test.ini"
printf '[certificate wrong]\nca = good\nproduct = standard\nnames = a.example.hk b.example.hk\n' >> "$P/conf.d/test.ini"
ok "faults of the configuration" look 1 good
ok "LOOSE_FILE" finds error LOOSE_FILE "loose\\.key.*-> run: chmod .*$P/loose\\.key"
ok "BACKUP_FOLDER" finds error BACKUP_FOLDER "key_backup_dir $P/not-mounted: .*-> let the agent's user write there"
ok "CONFIG_FAULT: product limits" finds error CONFIG_FAULT 'wrong.*-> .*config check'
ok "the table folds names alike" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' -v doctor labelled resolvers 2>&1 | grep -q 'ok CAA_NONE www.example.hk, www.wild.example.hk'"
kill "$inside"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
