#!/bin/sh
# Who sees a record: resolvers that are dead, slow, lie, remember, cut or lose answers; quorum, must, ignore; DNSSEC and CAA before a code is asked for.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named named2 unbound unbound2 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
both="$LAB_UNBOUND $LAB_UNBOUND2"
chaos slow 192.0.2.80 "$LAB_UNBOUND" delay=10000
chaos liar 192.0.2.81 "$LAB_UNBOUND" lie=3600 only=example.hk type=16
chaos cut 192.0.2.82 "$LAB_UNBOUND" cut=yes tcp=no
chaos lossy 192.0.2.83 "$LAB_UNBOUND" loss=30 dup=20 jitter=20 seed=7
chaos lossy1 192.0.2.25 "$LAB_NAMED" loss=30 jitter=20 seed=8
chaos lossy2 192.0.2.1 "$LAB_NAMED2" loss=30 jitter=20 seed=9
chaos bogus 198.51.100.9 "$LAB_UNBOUND" bogus=yes only=example.com
chaos rcode1 203.0.113.9:5301 rcode=1
chaos rcode2 203.0.113.9:5302 rcode=2
chaos rcode4 203.0.113.9:5304 rcode=4
chaos rcode5 203.0.113.9:5305 rcode=5
order() { # NAME HOSTS LINE...: a certificate and a CA of its own, with these keys of [verify]
    printf '[ca %s]\ntype = manual\nrecord = name\n' "$1"
    order_name=$1 order_hosts=$2
    shift 2
    for line in "$@"; do printf '%s\n' "$line"; done
    product=standard
    case $order_hosts in \**) product=wildcard ;; *\ *) product=multi-domain ;; esac
    printf '[certificate %s]\nca = %s\nproduct = %s\nkey_type = p256\nnames = %s\n' "$order_name" "$order_name" "$product" "$order_hosts"
}
person_setup "
$(order dead d.example.hk "resolvers = $both 192.0.2.9")
$(order slow s.example.hk "resolvers = $both 192.0.2.80")
$(order lying l.example.hk "resolvers = $both 192.0.2.81")
$(order alldead ad.example.com "resolvers = 192.0.2.9 192.0.2.9:54" 'timeout = 2s')
$(order cached c.example.com "resolvers = $LAB_UNBOUND" 'timeout = 2s')
$(order words w.example.hk "resolvers = 203.0.113.9:5301 203.0.113.9:5302 203.0.113.9:5304 203.0.113.9:5305 192.0.2.9" 'timeout = 1s')
$(order cut t.example.hk "resolvers = 192.0.2.82" 'timeout = 1s')
$(order lossy 'www.電子核證.hk a.電子核證.hk b.電子核證.hk' "resolvers = 192.0.2.83" 'timeout = 60s')
$(order bogus www.example.com "resolvers = 198.51.100.9")
$(order caa 'caa.example.hk mail.example.hk' 'caa = ecert.gov.hk hongkongpost.gov.hk')
$(order caasub 'deep.caa.example.hk' 'caa = ecert.gov.hk')
$(order caaok allowed.example.hk 'caa = ecert.gov.hk')
$(order caawild '*.allowed.example.hk' 'caa = ecert.gov.hk')
$(order caashown caa.example.hk)
$(order all q1.example.hk "resolvers = $LAB_UNBOUND 192.0.2.81" 'quorum = all' 'timeout = 1s')
$(order number q2.example.hk "resolvers = $LAB_UNBOUND 192.0.2.81" 'quorum = 1')
$(order toomany q3.example.hk "resolvers = $LAB_UNBOUND 192.0.2.81" 'quorum = 2' 'timeout = 1s')
$(order must q4.example.hk "resolvers = $both" 'must = 192.0.2.9' 'timeout = 1s')
$(order ignore q5.example.hk "resolvers = $LAB_UNBOUND 192.0.2.81" 'quorum = all' 'ignore = 192.0.2.81')
$(order off q6.example.hk "resolvers = $LAB_UNBOUND" 'authoritative = off')
$(order alone q7.example.hk 'resolvers = none')
[zone 電子核證.hk]
servers = 192.0.2.25 192.0.2.1
"
ok "CAA records put in" update admin-key "$LAB_NAMED" example.hk 'update add allowed.example.hk 300 CAA 0 issue "ecert.gov.hk"' \
    'update add allowed.example.hk 300 CAA 0 issuewild ";"' 'update add allowed.example.hk 300 A 192.0.2.80'
"$here/invariants" snapshot "$LAB_DIR/before"
ok "the configuration is sound" dcv config check

# --- one of several (rows 26, 27)
# Three names through 30 % loss each way take their time: another agent does it meanwhile.
lossy() {
    CONF="$P/lossy.ini"
    sed "s|^state_dir.*|state_dir = $P/lossy/state|; s|^log = .*|log = $P/lossy/log|" "$P/dcvagent.ini" > "$CONF"
    P=$P/lossy
    mkdir "$P"
    begin lossy code-lossy && through && leave lossy
}
through() { # a run that loses all of one question's tries says so and is tried again later
    for late in 0 120 600 3600; do
        DCVAGENT_CLOCK=+${late}s says 75 WAITING_CONFIRM run lossy && return
        grep -q DISCOVERY "$P/out" || return 1
    done > "$P/tries"
    cat "$P/tries"
    return 1
}
(lossy) > "$LAB_DIR/lossy" 2>&1 &
lossy=$!
seen() { # NAME PATTERN: the order's records are seen by enough
    begin "$1" "code-$1" && says 75 WAITING_CONFIRM run "$1" && grep -qE -e "${2:-.}" "$P/out" || { cat "$P/out"; return 1; }
}
ok "one of three resolvers dead: seen, and told" seen dead 'WARNING verify d\.example\.hk: 192\.0\.2\.9 (does not answer|has not answered yet).*RESOLVER_DISSENTS'
t=$(date +%s)
ok "one slow: seen, and told" seen slow 'WARNING verify s\.example\.hk: 192\.0\.2\.80 has not answered yet.*RESOLVER_DISSENTS'
ok "nobody waited for it" [ $(($(date +%s) - t)) -lt 12 ]
ok "one lies NXDOMAIN: seen, and told" seen lying 'WARNING verify l\.example\.hk: 192\.0\.2\.81 (says that the name does not exist|has not answered yet).*RESOLVER_DISSENTS'

# --- too few (rows 28, 29, 31, 32)
unseen() { # NAME EXIT PATTERN: the record is there, but not seen
    begin "$1" "code-$1" && says "$2" "$3" run "$1"
}
later() { DCVAGENT_CLOCK=$1; export DCVAGENT_CLOCK; shift; "$@"; }
ok "all resolvers dead: 75 until the negative TTL is over" unseen alldead 75 '192\.0\.2\.9.*records kept.*UNSEEN'
ok "then 12, naming it" sh -c ". '$here/tap.sh'; . '$here/person.sh'; . '$here/dns.sh'; DCVAGENT_CLOCK=+2h; export DCVAGENT_CLOCK
    says 12 'ad\.example\.com: 192\.0\.2\.9.*does not answer.*nothing listens.*records kept.*next run.*UNSEEN' run --force alldead"
ok "the record stays" has "$LAB_NAMED" ad.example.com '"code-alldead"'
dig +short "@$LAB_UNBOUND" c.example.com TXT > "$LAB_DIR/asked" # somebody was curious: the "no" is kept for an hour
ok "a cached no: 75, with the time it may last" unseen cached 75 \
    "NOTICE verify c\.example\.com.*$LAB_UNBOUND says that the name does not exist.*cache may keep that until $(date -d '+59 min' '+%Y-%m-%d %H'):[0-9]+.*UNSEEN"
ok "status says when" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' status --json cached | python3 -c '
import json, sys, time, calendar
c = json.load(sys.stdin)[\"certificates\"][0]
assert c[\"waiting_for\"] == \"propagation\", c
at = calendar.timegm(time.strptime(c[\"next_at\"], \"%Y-%m-%dT%H:%M:%SZ\")) - time.time()
assert 3300 < at < 3700, at'"
forget
ok "forgotten: seen" says 75 WAITING_CONFIRM run cached
ok "error answers: not seen" unseen words 75 UNSEEN
verdicts() { dcv check --resolvers --json "$1" | python3 -c '
import json, sys
for v in json.load(sys.stdin)["checks"][0]["views"]:
    if v["kind"] == "resolver": print(v["port"], v["verdict"], v["rcode"])'; }
is "check: each has its verdict and rcode" "$(verdicts words)" "5301 servfail 1
5302 servfail 2
5304 servfail 4
5305 refused 5
53 unreachable None"
ok "check: 12, and says each rcode" says 12 SERVFAIL check --resolvers words
for word in FORMERR NOTIMP REFUSED; do ok "check: $word" grep -q "$word" "$P/out"; done
ok "check: and why one is unreachable" grep -q '192.0.2.9: .*nothing listens' "$P/out"
ok "truncated, and TCP is closed: said" unseen cut 75 '192\.0\.2\.82 does not answer \(the answer by UDP was truncated, and by TCP: .*UNSEEN'

# --- who counts
ok "quorum = all: one lies, not seen" unseen all 75 '192\.0\.2\.81 says that the name does not exist'
ok "quorum = 1: enough" seen number
ok "quorum = 2: too few" unseen toomany 75 UNSEEN
ok "must = a dead one: it blocks" unseen must 75 '192\.0\.2\.9.*does not answer'
ok "ignore = the liar: seen" seen ignore
ok "ignored ones are no dissenters" says_not 'RESOLVER_DISSENTS'
ok "authoritative = off: seen by the resolver alone" seen off
ok "no authority was asked" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' check --json off | python3 -c '
import json, sys
assert [v[\"kind\"] for v in json.load(sys.stdin)[\"checks\"][0][\"views\"]] == [\"resolver\"]'"
ok "resolvers = none: seen by the authorities alone" seen alone

# --- before a code is asked for (row 34, CAA)
before() { # NAME PATTERN: 13, nothing asked of the person, nothing written
    says 13 "$2" run --force "$1" && says_not WAITING_CODE
}
ok "bogus signatures: 13" before bogus '198\.51\.100\.9 finds the signatures of zone example\.com bogus.*DNSSEC_BOGUS'
ok "CAA forbids: 13, with the record to add" before caa 'caa\.example\.hk.*other\.example.*add caa\.example\.hk CAA 0 issue "ecert\.gov\.hk".*CAA_FORBIDS'
ok "CAA of a parent forbids: 13" before caasub 'deep\.caa\.example\.hk: CAA at caa\.example\.hk.*CAA_FORBIDS'
ok "CAA allows: goes on" says 75 WAITING_CODE run --force caaok
ok "issuewild forbids the wildcard: 13" before caawild '\*\.allowed\.example\.hk.*issuewild.*CAA_FORBIDS'
ok "an unknown CA identifier blocks nothing" says 75 WAITING_CODE run --force caashown

wait "$lossy"
is "30 % loss to authorities and resolver: three names are seen, and cleaned up" "$? $(cat "$LAB_DIR/lossy")" "0 "
for name in dead slow lying alldead cached words cut bogus caa caasub caaok caawild caashown all number toomany must ignore off alone; do
    dcv cancel "$name" >> "$P/out" 2>&1
done
dcv gc > "$P/gc" 2>&1
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
