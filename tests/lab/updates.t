#!/bin/sh
# Writing: each refusal named with key, zone and remedy; replies lost, forged, false; a server that stops; one UPDATE a zone for a hundred names.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound zones=10 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
hosts() { # PREFIX: five names in each of ten zones
    for z in 1 2 3 4 5 6 7 8 9 10; do for n in 1 2 3 4 5; do printf '%s%s.z%s.test ' "$1" "$n" "$z"; done; done
}
person_setup "
[provider many]
type = rfc2136
server = 192.0.2.80
zones = z1.test z2.test z3.test z4.test z5.test z6.test z7.test z8.test z9.test z10.test
tsig_key_file = $LAB_KEYS/lab-key.key
[certificate three]
ca = ecert
product = multi-domain
names = www.example.hk mail.example.hk shop.example.hk
[certificate one]
ca = ecert
product = standard
names = www.example.com
[certificate first]
ca = ecert
product = multi-domain
names = $(hosts a)
[certificate second]
ca = ecert
product = multi-domain
names = $(hosts b)
"
"$here/invariants" snapshot "$LAB_DIR/before"
# provider KEY=VALUE...: [provider bind] of a configuration of its own, $CONF, and a state of its own
with() { # NAME [server=S] [key=FILE]... COMMAND...
    with_name=$1 with_server=$LAB_NAMED with_key=$LAB_KEYS/lab-key.key
    shift
    while :; do
        case $1 in
        server=*) with_server=${1#server=} ;;
        key=*) with_key=${1#key=} ;;
        *) break ;;
        esac
        shift
    done
    mkdir -p "$P/with/$with_name"
    sed "s|^state_dir.*|state_dir = $P/with/$with_name/state|; s|^log = .*|log = $P/with/$with_name/log|; s|^include.*|include = ../../conf.d/*.ini|
        s|^server = $LAB_NAMED|server = $with_server|; s|^tsig_key_file = .*/lab-key.key|tsig_key_file = $with_key|" "$P/dcvagent.ini" \
        > "$P/with/$with_name/dcvagent.ini"
    (CONF="$P/with/$with_name/dcvagent.ini" P="$P/with/$with_name"; "$@")
}
there() { has "$LAB_NAMED" "$1" "\"$2\""; }
gone() { ! there "$@"; }

# --- what `txt add` says holds now, not when it was written
ok "txt add" with anew says 0 added txt add _anew.example.hk value
ok "somebody removes it" update admin-key "$LAB_NAMED" example.hk "update delete _anew.example.hk TXT"
ok "txt add once more" with anew says 0 added txt add _anew.example.hk value
ok "it stands there" there _anew.example.hk value
ok "and is one of ours still" with anew says 0 deleted txt del _anew.example.hk value
ok "it is gone" gone _anew.example.hk value

# --- refusals
narrow="$LAB_KEYS/narrow-key.key"
ok "narrow key: an order begins" with narrow key="$narrow" begin three code-narrow
ok "REFUSED for two names of three: 11, with key, zone and grant" with narrow key="$narrow" says 11 \
    'narrow-key.*example\.hk.*grant narrow-key name (mail|shop)\.example\.hk\. TXT.*UPDATE_REFUSED' run three
for name in mail shop; do ok "$name is told what to grant" grep -q "grant narrow-key name $name\.example\.hk\. TXT" "$P/with/narrow/out"; done
ok "both are named at once" grep -qE 'ERROR publish (mail\.example\.hk, shop|shop\.example\.hk, mail)\.example\.hk: ' "$P/with/narrow/out"
ok "the permitted one is published" there www.example.hk code-narrow
ok "the others are not" gone mail.example.hk code-narrow
ok "with a wider key the order goes on" with narrow says 75 WAITING_CONFIRM run --force three
ok "narrow: wound up" with narrow leave three
ok "an unknown key: 11, BADKEY" with stranger key="$LAB_KEYS/stranger-key.key" says 11 'stranger-key.*BADKEY' txt add www.example.hk v
sed 's/secret "..../secret "AAAA/' "$LAB_KEYS/lab-key.key" > "$LAB_KEYS/wrong.key"
chmod 600 "$LAB_KEYS/wrong.key"
ok "a wrong secret: 11, BADSIG" with wrong key="$LAB_KEYS/wrong.key" says 11 'lab-key.*secret.*BADSIG' txt add www.example.hk v
late() { DCVAGENT_CLOCK=+2h; export DCVAGENT_CLOCK; begin one code-late && says 11 "$1" run one; }
ok "a wrong clock: 11, with the skew" with late late 'clock is (7199|7200|7201) s ahead of.*TSIG_BADTIME'
ok "late: wound up with the clock put right" with late leave one

# --- replies that are lost, late, false
chaos noreply 192.0.2.81 "$LAB_NAMED" update=noreply times=1 log="$LAB_DIR/noreply.log"
ok "a lost reply: read back, found, done" with noreply server=192.0.2.81 says 0 added txt add www.example.hk noreply
is "one UPDATE was enough" "$(grep -c UPDATE "$LAB_DIR/noreply.log")" 1
ok "and taken away" with noreply server=192.0.2.81 says 0 deleted txt del www.example.hk noreply
chaos swallow 192.0.2.82 "$LAB_NAMED" update=swallow times=1 log="$LAB_DIR/swallow.log"
ok "a swallowed UPDATE: read back, missing, sent again" with swallow server=192.0.2.82 says 0 added txt add www.example.hk swallow
is "two UPDATEs" "$(grep -c UPDATE "$LAB_DIR/swallow.log")" 2
ok "swallow: taken away" with swallow server=192.0.2.82 says 0 deleted txt del www.example.hk swallow
calm swallow
chaos unsigned 192.0.2.82 "$LAB_NAMED" update=unsigned times=1
ok "an unsigned yes is not believed, but read back" with unsigned server=192.0.2.82 says 0 added txt add www.example.hk unsigned
ok "unsigned: it stands" there www.example.hk unsigned
ok "unsigned: taken away" with unsigned server=192.0.2.82 says 0 deleted txt del www.example.hk unsigned
chaos liar 192.0.2.83 "$LAB_NAMED" update=liar key="$LAB_KEYS/lab-key.key" log="$LAB_DIR/liar.log"
with liar server=192.0.2.83 dcv txt add www.example.hk lie > "$LAB_DIR/lie" 2>&1 &
lie=$!
chaos servfail 192.0.2.9 "$LAB_NAMED" update=rcode:2 key="$LAB_KEYS/lab-key.key"
chaos notzone 192.0.2.1 "$LAB_NAMED" update=rcode:10 key="$LAB_KEYS/lab-key.key"
chaos notauth 192.0.2.25 "$LAB_NAMED" update=rcode:9 key="$LAB_KEYS/lab-key.key"
chaos yxrrset 198.51.100.9 "$LAB_NAMED" update=rcode:7 key="$LAB_KEYS/lab-key.key"
ok "SERVFAIL, signed: an order begins" with servfail server=192.0.2.9 begin one code-servfail
ok "SERVFAIL, signed: tried again, told why" with servfail server=192.0.2.9 says 75 'SERVFAIL.*www\.example\.com.*tried again.*UPDATE_SERVFAIL' \
    run --deadline 4s one
ok "NOTZONE, signed: 11" with notzone server=192.0.2.1 says 11 'example\.hk.*UPDATE_NOTZONE' txt add www.example.hk v
ok "NOTAUTH, signed: 11" with notauth server=192.0.2.25 says 11 'lab-key.*example\.hk.*UPDATE_NOTAUTH\b|example\.hk.*lab-key.*UPDATE_NOTAUTH' txt add www.example.hk v
ok "YXRRSET, signed: 11" with yxrrset server=198.51.100.9 says 11 'YXRRSET.*example\.hk.*UPDATE_FAILED' txt add www.example.hk v
calm servfail
ok "servfail: wound up" with servfail leave one
ok "nobody listens: an order begins" with unreachable server=203.0.113.9 begin one code-unreachable
ok "nobody listens: tried again, told why" with unreachable server=203.0.113.9 says 75 '203\.0\.113\.9.*cannot be reached.*nothing was sent; tried again' \
    run --deadline 4s one
ok "and goes on once it is back" with unreachable says 75 WAITING_CONFIRM run one
ok "unreachable: wound up" with unreachable leave one

# --- a set that is full: named takes 100 values at most
full() { for i in $(seq 100); do echo "update add full.example.hk 60 TXT \"v$i\""; done; }
update admin-key "$LAB_NAMED" example.hk "$(full)"
is "a full set" "$(txt "$LAB_NAMED" full.example.hk | wc -l)" 100
with full dcv txt add full.example.hk v101 > "$LAB_DIR/full" 2>&1 &
full=$!

# --- named stops in the middle
kill -STOP "$LAB_NAMED_PID"
with stopped dcv txt add www.example.com stopped > "$LAB_DIR/stopped" 2>&1 &
stopped=$!
sleep 2
kill -CONT "$LAB_NAMED_PID"
wait "$stopped"
is "named stopped for a while: done in the end" "$?" 0
ok "stopped: once" sh -c "[ \$(dig +norecurse +short @$LAB_NAMED www.example.com TXT | grep -c stopped) = 1 ]"
ok "stopped: taken away" with stopped says 0 deleted txt del www.example.com stopped

# --- a hundred names in ten zones, two orders in one run
chaos counted 192.0.2.80 "$LAB_NAMED" log="$LAB_DIR/counted.log"
counted() { grep -c '^UPDATE' "$LAB_DIR/counted.log"; }
zones() { grep '^UPDATE' "$LAB_DIR/counted.log" | cut -d' ' -f2 | sort | uniq -c | awk '{ print $1 }' | sort -u | tr '\n' ' '; }
begin first code-1 && begin second code-2
ok "a hundred names: all seen" says 75 WAITING_CONFIRM run first second
is "ten UPDATEs added them" "$(counted)" 10
is "one a zone" "$(zones)" "1 "
for order in first second; do
    : > "$LAB_DIR/counted.log"
    ok "$order: cancelled" says 0 removed cancel "$order"
    is "$order: ten UPDATEs deleted its fifty" "$(counted)" 10
    is "$order: one a zone" "$(zones)" "1 "
done

# --- what took its time meanwhile
wait "$full"
is "the 101st value: 11" "$?" 11
ok "and says what may be the matter" grep -qE 'full\.example\.hk.*may be full.*max-records-per-type' "$LAB_DIR/full"
is "the hundred stand" "$(txt "$LAB_NAMED" full.example.hk | wc -l)" 100
update admin-key "$LAB_NAMED" example.hk "update delete full.example.hk TXT"
wait "$lie"
is "a liar: 11" "$?" 11
ok "a liar: named" grep -qE '192\.0\.2\.83 said yes.*UPDATE_NOT_APPLIED' "$LAB_DIR/lie"
calm liar
for left in 'liar www.example.hk lie' 'full full.example.hk v101' 'notauth www.example.hk v' 'notzone www.example.hk v' \
    'stranger www.example.hk v' 'wrong www.example.hk v' 'yxrrset www.example.hk v'; do
    set -- $left
    ok "$1: taken back" with "$1" says 0 '.' txt del "$2" "$3"
done
ok "no open row anywhere" sh -c "for db in '$P'/with/*/state/state.db; do sqlite3 \$db \"select '\$db', owner, state, err_text from ledger where state not in ('gone', 'found')\"; done | (! grep .)"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
