#!/bin/sh
# From the issued certificate to files in use: one set, one switch, hooks that fail, hang, fork and talk, reissues, and what is kept.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
H=$LAB_DIR/hooks
mkdir -p "$H"
cat > "$H/check" <<SH
#!/bin/sh
readlink "\$DCVAGENT_LIVE" >> $H/checked
test ! -e $H/bad || { echo "nginx: [emerg] something is wrong"; exit 3; }
SH
cat > "$H/hook" <<SH
#!/bin/sh
for a in "\$@"; do echo "\$a"; done > $H/arguments
env | sort > $H/environment
pwd > $H/where
ps -o pgid= -p \$\$ | tr -d ' ' > $H/group
echo \$\$ > $H/process
echo once >> $H/ran
test ! -e $H/fork || { sleep 300 & echo \$! > $H/forked; }
test ! -e $H/hang || sleep 300
test ! -e $H/talk || { head -c 3000000 /dev/zero | tr '\\0' x; printf '\\033[31mred\\n'; cat $H/secret; }
test ! -e $H/bad || { printf 'line one\\033[31m\\nline two'; exit 4; }
SH
cat > "$H/notify" <<SH
#!/bin/sh
echo "\$DCVAGENT_EVENT \$DCVAGENT_NAME|\$DCVAGENT_TEXT|\$DCVAGENT_DEADLINE" >> $H/events
SH
chmod 755 "$H"/*
printf 'pfx-password-canary\n' > "$H/pfx.password"
printf 'backup-password-canary\n' > "$H/backup.password"
chmod 600 "$H"/*.password
openssl req -new -newkey rsa:2048 -nodes -keyout "$H/iis.key" -subj /CN=iis.example.hk -addext subjectAltName=DNS:iis.example.hk -out "$H/iis.csr" 2> /dev/null
group=$(id -gn)
touch "$H/group"
! chgrp daemon "$H/group" 2> /dev/null || group=daemon
person_setup "
[certificate web]
ca = ecert
product = standard
names = www.example.hk
deploy_check = $H/check
deploy_hook = $H/hook \$(id) | ; comment
    >/etc/passwd * \"a b\" \$HOME
[certificate win]
ca = ecert
product = standard
names = win.example.hk
pfx = yes
pfx_password_file = $H/pfx.password
friendly_name = the shop
key_group = $group
[certificate old]
ca = ecert
product = standard
names = old.example.hk
pfx = yes
pfx_password_file = $H/pfx.password
pfx_encryption = 3des
key_reuse = yes
[certificate iis]
ca = ecert
product = standard
names = iis.example.hk
csr_file = $H/iis.csr
[certificate safe]
ca = ecert
product = standard
names = safe.example.hk"
sed -i "/^include/i notify_hook = $H/notify" "$P/dcvagent.ini"
S=$P/state
"$here/invariants" snapshot "$LAB_DIR/before"

try() { # ARGUMENT...: as cron would; exit code in $code, all it says in $P/out
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
    cat "$P/out" >> "$P/said"
}
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
live() { readlink "$S/live/$1"; }
serial() { openssl x509 -in "$S/live/$1/cert.pem" -noout -serial 2>&1; }
ran() { cat "$H/ran" 2> /dev/null | wc -l; }
imported() { # NAME: from nothing to a certificate handed over; the next run installs it
    try run --force "$1"
    issue "$1" && try import "$1" "$P/$1.crt"
}
modes() { (cd "$1" && stat -c '%a %n' . * | tr '\n' ' '); }

# --- row 71: the check before the set is believed --------------------------------------------------------------------------------------
touch "$H/bad"
imported web
is "imported" "$code" 0
try run web
is "deploy_check fails: 15" "$code" 15
ok "with what it said" says "nginx: [emerg] something is wrong"
ok "the first set: live is gone again" test ! -e "$S/live/web"
is "the hook did not run" "$(ran)" 0
is "the order waits to try again" "$(state_of web)" "issued None"
try run web
is "not at once" "$code $(cat "$P/out")" "15 "
rm "$H/bad"
DCVAGENT_CLOCK=+10m try run web
is "mended: the next run installs" "$code $(live web)" "0 ../archive/web/1"
is "the check saw the new set" "$(tail -n 1 "$H/checked")" "../archive/web/1"
is "the hook ran once" "$(ran)" 1
is "done" "$(state_of web)" "done None"

# --- row 72: arguments, environment ------------------------------------------------------------------------------------------------------
is "arguments are words, no shell between" "$(cat "$H/arguments")" "$(printf '%s\n' '$(id)' '|' '>/etc/passwd' '*' '"a' 'b"' '$HOME')"
end=$(date -u -d "$(openssl x509 -in "$S/live/web/cert.pem" -noout -enddate | cut -d = -f 2)" +%Y-%m-%dT%H:%M:%SZ)
is "the environment, all of it" "$(grep -vE '^(PWD|OLDPWD|SHLVL|_)=' "$H/environment")" "$(printf '%s\n' "DCVAGENT_LIVE=$S/live/web" DCVAGENT_NAME=web DCVAGENT_NAMES=www.example.hk \
    "DCVAGENT_NOT_AFTER=$end" DCVAGENT_STATE=installed PATH=/usr/sbin:/usr/bin:/sbin:/bin)"
is "a process group of its own" "$(cat "$H/group")" "$(cat "$H/process")"

# --- files -----------------------------------------------------------------------------------------------------------------------------------
is "state folder" "$(stat -c %a "$S" "$S/keys" "$S/live" "$S/archive" "$S/archive/web" "$S/archive/web/1" | tr '\n' ' ')" "711 700 755 755 755 755 "
is "the set" "$(modes "$S/archive/web/1")" "755 . 644 cert.pem 644 chain.pem 600 evidence.json 644 fullchain.pem 600 privkey.pem "
ok "live is one link" test -L "$S/live/web"
is "fullchain is cert and chain" "$(cat "$S/live/web/cert.pem" "$S/live/web/chain.pem")" "$(cat "$S/live/web/fullchain.pem")"
ok "evidence.json" python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); assert j["version"] == 1 and j["certificate"] == "web" and j["lines"]' "$S/live/web/evidence.json"
try run web
is "nothing to do: hooks stay quiet" "$code $(ran)" "0 1"

# --- reissue: another set, one switch; the old one is kept -----------------------------------------------------------------------------------
first=$(serial web)
cp -r "$S/archive/web/1" "$P/one"
DCVAGENT_CLOCK=+160d try run web
is "40 days before its end: not due" "$code" 0
DCVAGENT_CLOCK=+170d try run web
is "due" "$code $(DCVAGENT_CLOCK=+170d state_of web)" "75 prepared code"
is "the old set stays live meanwhile" "$(live web) $(serial web)" "../archive/web/1 $first"
DCVAGENT_CLOCK=+170d try run --force web
is "row 74: an order under way is the only one, its key stays" "$(find "$S/keys" -name '*.key' | wc -l)" 2
START=+170d issue web
DCVAGENT_CLOCK=+170d try import web "$P/web.crt"
touch "$H/bad"
DCVAGENT_CLOCK=+170d try run web
is "deploy_check fails: 15" "$code" 15
is "the check saw the new set" "$(tail -n 1 "$H/checked")" "../archive/web/2"
is "switched back to the old one" "$(live web) $(serial web)" "../archive/web/1 $first"
is "the hook did not run" "$(ran)" 1
rm "$H/bad"
DCVAGENT_CLOCK=+171d try run web
is "mended: switched" "$code $(live web)" "0 ../archive/web/2"
is "the hook ran" "$(ran)" 2
ok "another certificate" test "$(serial web)" != "$first"
ok "with another key" sh -c "! cmp -s '$S/archive/web/1/privkey.pem' '$S/archive/web/2/privkey.pem'"
ok "the old set is kept as it was" diff -r "$P/one" "$S/archive/web/1"
DCVAGENT_CLOCK=+171d try run web
is "then nothing is due" "$code $(cat "$P/out")" "0 "

# --- a file of the set in use is gone ---------------------------------------------------------------------------------------------------------
mv "$S/live/web/privkey.pem" "$P/away.pem"
DCVAGENT_CLOCK=+171d try run web
is "the key is gone: 74" "$code" 74
ok "told once, with the remedy" says "dcvagent key restore web FILE.pfx"
DCVAGENT_CLOCK=+171d try run web
is "then daily" "$code $(cat "$P/out")" "74 "
ok "status shows it" eval 'DCVAGENT_CLOCK=+171d dcv status web | grep -q LIVE_GONE'
mv "$P/away.pem" "$S/live/web/privkey.pem"
DCVAGENT_CLOCK=+171d try run web
is "put back: well again" "$code $(dcv status web | grep -c LIVE_GONE)" "0 0"

# --- row 71: the hook ------------------------------------------------------------------------------------------------------------------------
again() { # a reissue of web, up to the run that installs
    export DCVAGENT_CLOCK=+171d
    try run --force web
    START=+171d issue web
    try import web "$P/web.crt"
}
again
touch "$H/bad"
try run --exit-changed web
is "the check fails for now" "$code" 15
cat > "$H/check" <<SH
#!/bin/sh
SH
export DCVAGENT_CLOCK=+172d
try run --exit-changed web
is "deploy_hook fails: 15, though the certificate changed" "$code" 15
ok "with what it said" says "line one"
is "escaped, in one line" "$(grep -c "$(printf '\033')" "$P/out") $(grep -c DEPLOY_HOOK "$P/out")" "0 1"
is "the new set stays" "$(live web)" "../archive/web/3"
try run web
is "each run runs it again" "$code $(ran)" "15 4"
is "and says it once a day" "$(cat "$P/out")" ""
rm "$H/bad"
try run web
is "until it succeeds" "$code $(ran)" "0 5"
try run web
is "then no more" "$code $(ran)" "0 5"

again
touch "$H/hang"
began=$(date +%s)
try run web --deadline 3s
took=$(($(date +%s) - began))
ok "a hook that hangs: the run ends at its deadline ($took s, exit $code)" test "$took" -lt 20 -a "$code" = 75
ok "the hook does not outlive it" eventually 10 sh -c "! kill -0 $(cat "$H/process") 2>/dev/null"
is "the certificate stays" "$(live web)" "../archive/web/4"
rm "$H/hang"
touch "$H/fork" "$H/talk"
echo hook-canary > "$H/secret"
count=$(ran)
began=$(date +%s)
try run web
ok "a hook that leaves a child and talks: no wait for it" test "$(($(date +%s) - began))" -lt 20
is "it counts as done" "$code $(($(ran) - count))" "0 1"
kill "$(cat "$H/forked")" 2> /dev/null
ok "what a good hook says is told nowhere" sh -c "! grep -aq hook-canary '$P/said' '$P/log'"
rm -f "$H/fork" "$H/talk"
again
rm "$H/hook"
try run web
ok "a hook that is gone: a fault, the certificate stays or is not yet there ($code)" test "$code" = 15 -o "$code" = 78 -o "$code" = 77
unset DCVAGENT_CLOCK

# --- notify_hook ------------------------------------------------------------------------------------------------------------------------------
ok "told: waiting" grep -q '^waiting web|waiting for the verification code' "$H/events"
ok "told: failed" grep -q '^failed web|.*deploy_check' "$H/events"
ok "told: issued, with its end" grep -qE '^issued web\|.*\|20[0-9-]*T[0-9:]*Z$' "$H/events"
sed -i 's/^deploy_hook.*//; /etc.passwd/d' "$P/conf.d/test.ini"

# --- PKCS#12, key_group --------------------------------------------------------------------------------------------------------------------
imported win
try run win
is "win: done" "$code" 0
is "win: modes" "$(modes "$S/archive/win/1")" "755 . 600 bundle.pfx 644 cert.pem 644 chain.pem 600 evidence.json 644 fullchain.pem 640 privkey.pem "
is "win: the group" "$(stat -c %G "$S/live/win/privkey.pem")" "$group"
p12() { openssl pkcs12 -in "$S/live/$1/bundle.pfx" -passin file:"$H/pfx.password" -nodes "$2" > "$P/p12" 2> "$P/p12.err" || { cat "$P/p12.err"; return 1; }; }
ok "win: openssl opens the PFX" p12 win -info
is "win: key" "$(openssl pkey -in "$P/p12" -pubout)" "$(openssl pkey -in "$S/live/win/privkey.pem" -pubout)"
is "win: certificate and intermediate" "$(grep -c 'BEGIN CERTIFICATE' "$P/p12")" "$(grep -c 'BEGIN CERTIFICATE' "$S/live/win/fullchain.pem")"
ok "win: friendly name" grep -q "friendlyName: the shop" "$P/p12"
ok "win: AES-256" grep -q AES-256 "$P/p12.err"
ok "win: not with another password" sh -c "! openssl pkcs12 -in '$S/live/win/bundle.pfx' -passin pass:wrong -nodes > /dev/null 2>&1"
imported old
try run old
is "old: done" "$code" 0
ok "old: openssl opens the old PFX" p12 old -legacy
key=$(openssl pkey -in "$S/live/old/privkey.pem" -pubout)
imported old
try run old
is "key_reuse = yes: set 2, the same key" "$(live old) $(openssl pkey -in "$S/live/old/privkey.pem" -pubout)" "../archive/old/2 $key"
is "key_reuse: two key files, the old one as it was" "$(cat "$S/keys"/*.key | grep -c BEGIN)" "$(find "$S/keys" -name '*.key' | wc -l)"

# --- a CSR made elsewhere ---------------------------------------------------------------------------------------------------------------------
keys=$(find "$S/keys" -name '*.key' | wc -l)
imported iis
try run iis
is "iis: done" "$code" 0
is "iis: no key here, but files for Windows" "$(modes "$S/archive/iis/1") $(find "$S/keys" -name '*.key' | wc -l)" "755 . 644 cert.cer 644 cert.pem 644 chain.pem 600 evidence.json 644 fullchain.p7b 644 fullchain.pem  $keys"
is "iis: for its key" "$(openssl x509 -in "$S/live/iis/cert.pem" -noout -pubkey)" "$(openssl pkey -in "$H/iis.key" -pubout)"

# --- row 70: where it cannot be installed ---------------------------------------------------------------------------------------------------
kept=$(serial win)
imported win
mv "$S/live/win" "$P/link"
mkdir "$S/live/win"
try run win
is "live/win is a folder: 73" "$code" 73
ok "live/win is a folder: left alone" test -d "$S/live/win" -a ! -L "$S/live/win"
rmdir "$S/live/win"
mv "$P/link" "$S/live/win"
is "the old set is live" "$(serial win)" "$kept"
touch "$P/foreign"
mv "$S/archive/win" "$P/win"
touch "$S/archive/win"
DCVAGENT_CLOCK=+1h try run win
is "archive/win is a file: 73" "$code" 73
rm "$S/archive/win"
mv "$P/win" "$S/archive/win"
DCVAGENT_CLOCK=+1d try run win
is "mended: done" "$code $(test "$(serial win)" != "$kept" && echo new)" "0 new"

# --- the key is safe elsewhere before the CSR leaves -----------------------------------------------------------------------------------------
sed -i "/^include/i key_backup_dir = $P/mnt\nkey_backup_password_file = $H/backup.password" "$P/dcvagent.ini"
dcv pin safe --reference 123456789 > "$P/out" 2>&1
try run safe
is "no backup folder: told before a person is asked for a code" "$code $(state_of safe)" "73 prepared None"
ok "with the remedy" says "BACKUP_FOLDER"
mkdir -m 700 "$P/mnt"
try run --force safe
is "with the folder: the code is asked for" "$code $(state_of safe)" "75 prepared code"
try code safe code-safe
rmdir "$P/mnt"
try run safe
try confirmed safe
try run safe
is "no backup folder: 73" "$code" 73
is "no backup folder: stops before the CSR leaves" "$(state_of safe | cut -d ' ' -f 1)" validated
ok "no backup folder: no CSR for people" test ! -e "$S/csr/safe.pem"
try csr safe
is "no backup folder: csr gives none" "$code $(grep -c BEGIN "$P/out")" "73 0"
mkdir -m 700 "$P/mnt"
DCVAGENT_CLOCK=+1h try run safe
is "with the folder: on" "$code $(state_of safe)" "75 validated operator"
pfx=$(find "$P/mnt" -type f)
is "one file, for the agent alone" "$(find "$P/mnt" -type f | wc -l) $(stat -c %a "$pfx")" "1 600"
is "it holds the key of the CSR" "$(openssl pkcs12 -in "$pfx" -passin file:"$H/backup.password" -nodes -nocerts 2> "$P/p12.err" | openssl pkey -pubout)" \
    "$(openssl req -in "$S/csr/safe.pem" -noout -pubkey)"
try cancel safe

for canary in pfx-password-canary backup-password-canary; do
    ok "row 69: $canary is nowhere" sh -c "! grep -rqa $canary '$P/said' '$P/log' '$S' '$H/events' '$H/environment'"
done
try run
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$S" --foreign-key
done_testing
