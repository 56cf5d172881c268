#!/bin/sh
# Bad configuration, bad command lines, loose files: what is wrong is said with its place, everything at once, and only what it concerns stops.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
T=$LAB_DIR/config
mkdir -p "$T/conf.d"
cp "$LAB_KEYS/lab-key.key" "$T/bind.key"
chmod 600 "$T/bind.key"

dcv() { "$DCVAGENT" --config "$T/dcvagent.ini" "$@"; }
base() { # a sound configuration with one certificate, on 16 lines
    cat <<INI
[agent]
state_dir = $T/state
log = none
[verify]
resolvers = $LAB_UNBOUND
discovery = $LAB_UNBOUND
[provider bind]
type = rfc2136
server = $LAB_NAMED
zones = example.hk
tsig_key_file = $T/bind.key
[ca ecert]
type = manual
[certificate sound]
ca = ecert
product = standard
names = www.example.hk
INI
}
ini() { { base; cat; } > "$T/dcvagent.ini"; }
check() { dcv config check > "$T/out" 2> "$T/err"; }
faulty() { # WHAT EXIT TEXT...: config check ends so and says all of this
    what=$1 wanted=$2
    shift 2
    check
    is "$what: exit $wanted" "$?" "$wanted"
    for text in "$@"; do ok "$what: says $text" says "$text"; done
}
says() { grep -qF -- "$1" "$T/out" || { cat "$T/out" "$T/err"; return 1; }; }
silent() { ! grep -qF -- "$1" "$T/out" "$T/err" || { cat "$T/out" "$T/err"; return 1; }; }

# --- the command line ---------------------------------------------------------------------------------------------------------------
ini < /dev/null
commands=$("$DCVAGENT" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
usage_of() { [ "$("$DCVAGENT" "$1" --help 2>&1 | head -n 1 | cut -d ' ' -f 1-3)" = "Usage: dcvagent $1" ]; }
ok "there are commands" test "$(echo "$commands" | wc -l)" -ge 20
for c in $commands; do ok "$c --help prints usage, exit 0" usage_of "$c"; done
ok "--version" "$DCVAGENT" --version
usage_error() { dcv "$@" > "$T/out" 2> "$T/err" < /dev/null; [ $? = 2 ] && [ ! -s "$T/out" ] && [ -s "$T/err" ]; }
while read -r line; do
    # shellcheck disable=SC2086
    ok "usage error, exit 2, nothing on stdout: '$line'" usage_error $line
done <<LINES

stauts
run --nope
run -x
run --deadline
run --deadline 5
run --deadline -5m
run --force
run nosuch
status nosuch
pin
pin sound
pin sound --reference 12345678
pin sound --reference 1234567890
pin sound --reference 12345678x
code sound
code sound a b
code sound x --received tomorrow
code sound x --received 2999-01-01
confirmed
submitted
import sound
cancel nosuch
txt add
txt frob www.example.hk x
txt add www.example.hk
txt add --provider nosuch www.example.hk x
config
config frob
state
state backup
state frob
evidence
calendar --until soon
status --json=yes
LINES
dcv code sound - > "$T/out" 2> "$T/err" < "$T"
is "what cannot be read is no value" "$? $(grep -c 'cannot read from standard input' "$T/err")" "2 1"
ok "a near miss is named" sh -c "'$DCVAGENT' stauts 2>&1 | grep -q \"did you mean 'status'\""
ok "of an option too" sh -c "'$DCVAGENT' run --forse 2>&1 | grep -q \"did you mean '--force'\""
ok "what is not near is not" sh -c "! '$DCVAGENT' ls 2>&1 | grep -q 'did you mean'"
ok "a near miss of a certificate is named" sh -c "'$DCVAGENT' --config '$T/dcvagent.ini' status sounb 2>&1 | grep -q 'did you mean sound'"

# --- row 64: what is written wrongly ------------------------------------------------------------------------------------------------
faulty "a sound file" 0 "ok: 1 certificate"
label=$(printf 'a%.0s' $(seq 64))
long=$(printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.%.0s' $(seq 9))
ini <<INI
naems = x.example.hk
[verify]
timeuot = 5m
timeout = 5
[certificate sound]
ca = ecert
[certficate lost]
[certificate names]
ca = ecert
ca = ecert
product = multi-domain
names = ok.example.hk $label.example.hk ${long}example.hk \$(id).example.hk a;b.example.hk foo..hk 192.0.2.1
[provider bind2]
type = rfc2137
zones = example.com
[ca other]
type = manual
record = nonsense!
[certificate nobody]
ca = nowhere
product = satndard
names = b.example.hk
INI
f=$T/dcvagent.ini
faulty "all faults in one pass" 78 "$f:18: certificate sound: naems: no such key here, did you mean names?" \
    "$f:19: verify: the section is given twice, first in $f:4" "$f:20: verify: timeuot: no such key here, did you mean timeout?" \
    "$f:21: verify: timeout:" "$f:22: certificate sound: the section is given twice, first in $f:14" \
    "$f:24: \"certficate\" is no kind of section, did you mean certificate?" "$f:27: certificate names: ca: the key is given twice, first in $f:26" \
    "is longer than 63 octets" "it is longer than 253 octets" "label \"\$(id)\" has a character" "foo..hk" "192.0.2.1" "provider bind2: type:" \
    "did you mean rfc2136?" "ca other: record:" "there is no [ca] section named \"nowhere\"" "did you mean standard?"
ok "the same as JSON" sh -c "'$DCVAGENT' --config '$f' --json config check | python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d[\"version\"] == 1 and d[\"ok\"] is False
assert all(set(x) >= {\"file\", \"line\", \"section\", \"key\", \"text\", \"exit\"} for x in d[\"faults\"])
assert any(x[\"line\"] == 18 and x[\"key\"] == \"naems\" for x in d[\"faults\"])'"
dcv run > "$T/out" 2> "$T/err"
is "a fault in [verify] stops run: 78" "$?" 78
is "in one line" "$(grep -c ERROR "$T/err")" 1

base | sed 's/$/\r/; 1s/^/\xef\xbb\xbf/' > "$f"
faulty "CRLF and a BOM" 0 "ok: 1 certificate"
{ base; printf 'subject = C=HK\0\n'; } > "$f"
faulty "a NUL octet" 78 "$f:18: this line holds a NUL octet"
{ base; printf 'subject = '; head -c 70000 /dev/zero | tr '\0' x; echo; } > "$f"
faulty "an over-long line" 78 "$f:18: this line is longer than 64 KiB"
head -c 20000000 /dev/zero | tr '\0' '\n' > "$T/huge.ini"
ini <<INI
[agent]
INI
"$DCVAGENT" --config "$T/huge.ini" config check > "$T/out" 2>&1
is "20 MB of configuration: refused" "$?" 78
rm -f "$T/huge.ini"
ini <<INI
[certificate idn]
ca = ecert
product = multi-domain
names = 電子核證.hk xn--i8s431aqn1ad1j.hk WWW.Example.HK. www.example.hk
    shop.example.hk  SHOP.EXAMPLE.HK ; the same again
provider = bind
INI
faulty "U-labels, A-labels, upper case, a final dot" 0 "ok: 2 certificates"
is "duplicates are one, as A-labels" "$(dcv --json status idn | python3 -c 'import json,sys; print(*json.load(sys.stdin)["certificates"][0]["names"])')" \
    "xn--i8s431aqn1ad1j.hk www.example.hk shop.example.hk"

# --- row 65: limits before anything starts ------------------------------------------------------------------------------------------
ini <<INI
[certificate many]
ca = ecert
product = multi-domain
names = $(for i in $(seq 51); do echo "h$i.example.hk"; done | tr '\n' ' ')
[certificate twice]
ca = ecert
product = multi-domain
names = $(for i in $(seq 51); do echo "h1.example.hk H1.example.hk."; done | tr '\n' ' ')
[certificate star]
ca = ecert
product = multi-domain
names = a.example.hk *.example.hk
[certificate plain]
ca = ecert
product = standard
names = *.example.hk
[certificate stars]
ca = ecert
product = wildcard
names = *.example.hk *.a.example.hk
[certificate none]
ca = ecert
names = a.example.hk
INI
faulty "limits of the products" 78 "certificate many: names: product = multi-domain holds up to 50 names, here are 51" "certificate star: names:" \
    "certificate plain: names:" "certificate stars: names:" "certificate none: product: missing"
ok "51 times the same name is one" silent "certificate twice"
dcv run many > "$T/out" 2> "$T/err"
is "too many names: run ends 78" "$?" 78
ok "and orders nothing" test -z "$(ls "$T/state/keys")"

# --- one section's fault stops no other ---------------------------------------------------------------------------------------------
rm -rf "$T/state"
ini <<INI
[certificate sick]
ca = ecert
product = standard
naems = a.example.hk
[provider broken]
type = rfc2137
zones = example.com
INI
dcv run --force --all > "$T/out" 2> "$T/err"
is "run goes on with the sound one and ends 78" "$?" 78
is "the sound one has its key and waits for its code" \
    "$(dcv --json status sound | python3 -c 'import json,sys; c=json.load(sys.stdin)["certificates"][0]; print(c["state"], c["waiting_for"])')" "prepared code"
is "one line for the sick one" "$(grep -c 'config sick: .*\[CONFIG\]' "$T/err")" 1
dcv run > "$T/out" 2> "$T/err"
is "the same again: 78" "$?" 78
is "and silent" "$(cat "$T/out" "$T/err")" ""
dcv run sound > "$T/out" 2> "$T/err"
is "the sound one alone: 75" "$?" 75

ini <<INI
[provider untyped]
zones = example.com
[ca untyped]
contact = mailto:a@example.hk
[certificate no-ca]
product = standard
names = a.example.hk
[certificate quoted-ca]
ca = "ecert"
product = standard
names = b.example.com
[certificate untyped-ca]
ca = untyped
names = c.example.hk
[certificate no-names]
ca = ecert
product = standard
INI
dcv run > "$T/out" 2> "$T/err"
is "what every section needs is missing in some: 78" "$?" 78
is "and the sound one goes on" \
    "$(dcv --json status sound | python3 -c 'import json,sys; c=json.load(sys.stdin)["certificates"][0]; print(c["state"], c["waiting_for"])')" "prepared code"
for c in "plan" "plan --replace --json" "status" "calendar" "check" "policy bind" "key list" "gc --list" "metrics" "txt list a.example.hk"; do
    # shellcheck disable=SC2086
    dcv $c > "$T/out" 2> "$T/err"
    code=$?
    ok "'$c' tells what it can ($code)" test "$code" = 0 -o "$code" = 12 -o "$code" = 13 -o "$code" = 69 -o "$code" = 78
done
for n in no-ca quoted-ca untyped-ca no-names; do
    for c in "run --force $n" "csr $n" "code $n abc" "cancel $n" "pin $n --reference 123456789" "key backup $n $T/x.pfx" "revoke $n --reason superseded" \
        "portal $n --probe" "evidence $n" "account untyped"; do
        # shellcheck disable=SC2086
        dcv $c > "$T/out" 2> "$T/err" < /dev/null
        code=$?
        ok "'$c' ends in order ($code)" test "$code" -lt 128 -a "$code" != 70 -a "$code" != 1
    done
done

# --- views that prove nothing, includes, foreign proxies ---------------------------------------------------------------------------
base | sed "s/^resolvers.*/authoritative = off/" > "$f"
faulty "authoritative = off without resolvers" 78 "$f:5: verify: authoritative: authoritative = off without resolvers proves nothing"
base | sed "s/^log = none/&\ninclude = conf.d\/*.ini nothing.d\/*.ini/" > "$f"
printf '[certificate b]\nca = ecert\nproduct = standard\nnames = b.example.hk\n' > "$T/conf.d/20-b.ini"
printf '[certificate a]\nca = ecert\nproduct = standard\nnames = a.example.hk\ntypo = 1\n' > "$T/conf.d/10-a.ini"
printf 'rubbish' > "$T/conf.d/30-c.ini.bak"
faulty "included files" 78 "$T/conf.d/10-a.ini:5: certificate a: typo: no such key"
is "only the fault" "$(wc -l < "$T/out")" 1
sed -i '/typo/d' "$T/conf.d/10-a.ini"
faulty "include without match, and others" 0 "ok: 3 certificates"
printf '[certificate b]\nca = ecert\n' > "$T/conf.d/10-a.ini"
faulty "twice over two files" 78 "$T/conf.d/20-b.ini:1: certificate b: the section is given twice, first in $T/conf.d/10-a.ini:1"
rm -f "$T/conf.d"/*
sed -i 's/nothing.d/dcvagent.ini &/' "$f"
faulty "a file that includes itself" 0 "ok: 1 certificate"
ini < /dev/null
http_proxy=http://192.0.2.9:1 https_proxy=http://192.0.2.9:1 ALL_PROXY=socks5://192.0.2.9:1 dcv --json check sound > "$T/out" 2>&1
is "proxies of the environment are not used" "$?" "$(dcv --json check sound > /dev/null 2>&1; echo $?)"

# --- the examples that people begin with
mkdir -p "$T/ecert" "$T/backup"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$T/ca.key" -out "$T/ecert/root.pem" -days 9 -subj /CN=root 2> "$T/err"
(umask 077 && echo secret > "$T/backup.password")
here_paths() {
    sed "s|/etc/dcvagent|$T|; s|/var/lib/dcvagent|$T/state|; s|/var/log|$T|; s|/mnt/backup|$T/backup|; s|ssl-cert|$(id -gn)|;
        s|/usr/bin/sudo|/usr/bin/true|; s|/usr/local/lib/dcvagent/[a-z]*|/usr/bin/true|"
}
here_paths < "$here/../../contrib/dcvagent.ini" > "$f"
faulty "contrib/dcvagent.ini" 0 "ok: 1 certificate"
sed 's/^;//' "$here/../../contrib/dcvagent.ini" | here_paths > "$f"
faulty "contrib/dcvagent.ini with all that one may want" 0 "ok: 2 certificates"
awk '/^```ini/ { on = 1; next } /^```/ { on = 0 } on' "$here/../../README.md" | here_paths > "$f"
faulty "README.md" 0 "ok: 2 certificates"
ini < /dev/null

# --- rows 66, 67: files that others can change or read ------------------------------------------------------------------------------
chmod 644 "$T/bind.key"
faulty "a key file for everybody" 77 "$T/bind.key has mode 0644 and may be used by everybody; run: chmod u=rw,g"
dcv run > "$T/out" 2> "$T/err"
is "run ends 77" "$?" 77
ok "and says what to do" grep -q "run: chmod" "$T/err"
chmod 660 "$T/bind.key"
faulty "a key file for its group" 77 "run: chmod"
chmod 600 "$T/bind.key"
mv "$T/bind.key" "$T/real.key"
ln -s real.key "$T/bind.key"
faulty "a key file that is a link" 77 "it is a symbolic link"
rm "$T/bind.key"
mkfifo -m 600 "$T/bind.key"
ok "a key file that is a pipe: no hang" timeout 5 "$DCVAGENT" --config "$f" --version
faulty "a key file that is a pipe" 77 "it is not a plain file"
rm "$T/bind.key"
faulty "no key file" 78 "tsig_key_file"
mv "$T/real.key" "$T/bind.key"
chmod g+w "$f"
faulty "a configuration that the group can write" 77 "run: chmod g-w $f"
dcv run > "$T/out" 2> "$T/err"
is "run refuses it: 77" "$?" 77
chmod g-w "$f"
chmod g+w "$T"
faulty "its folder that the group can write" 77 "run: chmod g-w $T"
chmod g-w "$T"
if [ "$(id -u)" = 0 ] && chown 12345 "$f" 2> /dev/null; then
    faulty "a configuration of another user" 77 "belongs to user 12345" "run: chown root $f"
    chown 0 "$f"
else
    skip "a configuration of another user" "no other user to be had here"
fi
ini <<INI
deploy_hook = $T/hook
INI
printf '#!/bin/sh\n' > "$T/hook"
chmod 777 "$T/hook"
faulty "a hook that everybody can write" 77 "run: chmod go-w $T/hook"
chmod 755 "$T/hook"
faulty "mended" 0 "ok: "
sed -i "s|^deploy_hook.*|deploy_hook = hook.sh|" "$f"
faulty "a hook without a path" 78 "deploy_hook"
ini <<INI
naems = x
INI
chmod 644 "$T/bind.key"
faulty "loose files and faults: 78" 78 "naems" "chmod"
chmod 600 "$T/bind.key"

ini < /dev/null
for kind in link fifo device; do
    rm -rf "$T/state" "$T/elsewhere"
    mkdir -p "$T/elsewhere"
    case $kind in
    link) ln -s "$T/elsewhere" "$T/state" && chown -h 12345 "$T/state" 2> /dev/null || continue ;;
    fifo) mkfifo "$T/state" ;;
    device) ln -s /dev/null "$T/state" ;;
    esac
    timeout 10 "$DCVAGENT" --config "$f" run > "$T/out" 2> "$T/err"
    code=$?
    ok "state_dir is a $kind: refused ($code)" test "$code" = 73 -o "$code" = 74 -o "$code" = 77
    is "state_dir is a $kind: nothing written" "$(ls "$T/elsewhere")" ""
done
for part in state.db keys run.lock archive live; do
    rm -rf "$T/state"
    mkdir -m 711 "$T/state"
    echo precious > "$T/precious"
    ln -s "$T/precious" "$T/state/$part"
    dcv run --force sound > "$T/out" 2> "$T/err"
    code=$?
    ok "$part is a link: refused ($code)" test "$code" = 73 -o "$code" = 74 -o "$code" = 77
    is "$part is a link: its target is untouched" "$(cat "$T/precious")" precious
done

# --- row 68 ---------------------------------------------------------------------------------------------------------------------------
for mask in 000 777; do
    rm -rf "$T/state"
    (umask $mask && dcv run --force sound) > "$T/out" 2> "$T/err"
    is "umask $mask: waits for the code" "$?" 75
    is "umask $mask: modes" "$(cd "$T/state" && stat -c '%a %n' . state.db keys archive live | tr '\n' ' ')" "711 . 600 state.db 700 keys 755 archive 755 live "
    is "umask $mask: the key" "$(stat -c %a "$T/state/keys"/*)" 600
done
rm -rf "$T/state"
mkdir -m 2777 "$T/setgid"
sed "s|^state_dir.*|state_dir = $T/setgid/state|" "$f" > "$T/setgid.ini"
"$DCVAGENT" --config "$T/setgid.ini" run --force sound > "$T/out" 2> "$T/err"
is "below a setgid folder: waits for the code" "$?" 75
is "below a setgid folder: modes" "$(stat -c %a "$T/setgid/state" "$T/setgid/state/keys" "$T/setgid/state/keys"/*.key | tr '\n' ' ')" "711 700 600 "
done_testing
