#!/bin/sh
# Programs that write the records: the one in contrib/ (exec), one for lego, scripts for acme.sh with a stand-in for it; beside named, with values of
# others, and with secrets that must be seen nowhere.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound zones=4 -- "$0"
fi
. "$here/tap.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
RESOLVERS=none
. "$here/person.sh"
. "$here/dns.sh"
A=$LAB_DIR/adapters
mkdir -p "$A/acme.sh/dnsapi" "$A/bin"

# exec: what contrib/ has, with a key instead of Kerberos.
cp contrib/windows-dns/dcvagent-nsupdate "$A/bin/nsupdate-exec"
cat > "$A/exec.env" <<ENV
NSUPDATE_SERVER=$LAB_NAMED
NSUPDATE_OPTIONS=-k $LAB_KEYS/lab-key.key
SECRET='canary-in-exec-env'
ENV
cat > "$A/bin/lego" <<'SH'
#!/bin/sh
echo "said with $LEGO_SECRET" >&2
tr '\0' '\n' < /proc/$$/cmdline >> "$CALLS"
case $1 in present) op=add ;; cleanup) op=delete ;; *) exit 2 ;; esac
[ ! -e "$CALLS.broken" ] || { echo "broken, with $LEGO_SECRET"; exit 9; }
ttl=60
[ $op = add ] || ttl=
printf 'server %s\nzone %s\nupdate %s %s %s TXT "%s"\nsend\n' "$SERVER" "$ZONE" $op "$2" "$ttl" "$3" | nsupdate -v -k "$KEY"
SH
cat > "$A/lego.env" <<ENV
SERVER=$LAB_NAMED
ZONE=z1.test
KEY=$LAB_KEYS/lab-key.key
CALLS=$A/lego.calls
LEGO_SECRET=canary-in-lego-env
ENV
# What scripts of dnsapi/ find when acme.sh is loaded, as far as ours use it.
cat > "$A/acme.sh/acme.sh" <<'SH'
ACCOUNT_CONF_PATH=$LE_CONFIG_HOME/account.conf
_save_conf() { echo "$2='$3'" >> "$1"; }
_read_conf() { sed -n "s/^$2='\(.*\)'$/\1/p" "$1"; }
_clear_conf() { sed -i "/^$2=/d" "$1"; }
_saveaccountconf_mutable() { _save_conf "$ACCOUNT_CONF_PATH" "SAVED_$1" "$2"; }
_readaccountconf_mutable() { _read_conf "$ACCOUNT_CONF_PATH" "SAVED_$1"; }
_info() { echo "$*"; }
_err() { echo "$*" >&2; return 1; }
main() { [ -n "$1" ] || { echo "Usage: acme.sh"; return; }; _err "main acted on $*"; }
main "$@"
SH
# One that deletes the value it is told, and one that takes the whole set with it.
for name in exact nsupdate; do
    [ $name = exact ] && rest='TXT \"$2\"' || rest=TXT
    cat > "$A/acme.sh/dnsapi/dns_$name.sh" <<SH
dns_${name}_info='Options: LAB_SERVER LAB_ZONE LAB_KEY'
dns_${name}_add() {
    LAB_KEY="\${LAB_KEY:-\$(_readaccountconf_mutable LAB_KEY)}"
    _saveaccountconf_mutable LAB_KEY "\$LAB_KEY"
    _saveaccountconf_mutable LAB_SECRET "\$LAB_SECRET"
    echo "\$LAB_SECRET" > "\$HTTP_HEADER"
    _info "adding with \$LAB_SECRET"
    printf '%s\n' "server \$LAB_SERVER" "zone \$LAB_ZONE" "update add \$1. 60 TXT \"\$2\"" send | nsupdate -v -k "\$LAB_KEY" || _err "no: \$LAB_SECRET"
}
dns_${name}_rm() {
    printf '%s\n' "server \$LAB_SERVER" "zone \$LAB_ZONE" "update delete \$1. $rest" send | nsupdate -v -k "\$LAB_KEY"
}
SH
done
for zone in z2.test z3.test; do
    cat > "$A/$zone.env" <<ENV
LAB_SERVER=$LAB_NAMED
LAB_ZONE=$zone
LAB_KEY=$LAB_KEYS/lab-key.key
LAB_SECRET=canary-in-$zone-env
ENV
done
chmod 755 "$A"/bin/*
chmod 600 "$A"/*.env
person_setup "
[provider exec]
type = exec
command = $A/bin/nsupdate-exec
env_file = $A/exec.env
server = $LAB_NAMED
zones = z4.test
grade = A
[provider lego]
type = lego-exec
command = $A/bin/lego
env_file = $A/lego.env
server = $LAB_NAMED
zones = z1.test
limit = 20s
wait = 5s
[provider exact]
type = acmesh
acme_home = $A/acme.sh
script = dns_exact
env_file = $A/z2.test.env
server = $LAB_NAMED
zones = z2.test
[provider whole]
type = acmesh
acme_home = $A/acme.sh
script = dns_nsupdate
env_file = $A/z3.test.env
server = $LAB_NAMED
zones = z3.test"
"$here/invariants" snapshot "$LAB_DIR/before"
dcv config check > "$P/out" 2>&1
is "config check" "$? $(grep -v '^ok' "$P/out")" "0 "
foreign() { update admin-key "$LAB_NAMED" "$2" "update $1 _x.$2 300 TXT \"not ours\""; }
both() { [ "$(txt "$LAB_NAMED" "$1" | tr '\n' ' ')" = "$2" ] || { txt "$LAB_NAMED" "$1"; return 1; }; }

# --- each writes, beside itself, and deletes what it is told
for zone in z4.test z1.test z2.test z3.test; do
    ok "$zone: first value" says 0 . txt add "_x.$zone" first-value
    ok "$zone: there" both "_x.$zone" '"first-value" '
done
for zone in z4.test z1.test z2.test; do
    ok "$zone: second value" says 0 . txt add "_x.$zone" second-value
    ok "$zone: both" both "_x.$zone" '"first-value" "second-value" '
    ok "$zone: deletes the one" says 0 . txt del "_x.$zone" first-value
    ok "$zone: and not the other" both "_x.$zone" '"second-value" '
    ok "$zone: deletes the other" says 0 . txt del "_x.$zone" second-value
done
ok "z4.test: odd octets" says 0 . txt add _x.z4.test 'a "quoted" \ ; value, äöü'
ok "z4.test: there" has "$LAB_NAMED" _x.z4.test '"a \"quoted\" \\ ; value, \195\164\195\182\195\188"'
ok "z4.test: gone" says 0 . txt del _x.z4.test 'a "quoted" \ ; value, äöü'
ok "z2.test: what a script would misread is not handed to it" says 11 PROGRAM_VALUE txt add _x.z2.test 'a "quoted" value'
ok "z2.test: and each run says so, by its exit code too" says 11 '_x\.z2\.test.*PROGRAM_VALUE' run
is "z1.test: the words of the program" "$(sed -n '3,5p' "$A/lego.calls" | tr '\n' ' ')" "present _x.z1.test. first-value "

# --- beside values of others
for zone in z4.test z1.test z2.test z3.test; do ok "$zone: a value of others" foreign add "$zone"; done
ok "grade A writes beside it" says 0 . txt add _x.z4.test first-value
ok "both" both _x.z4.test '"first-value" "not ours" '
ok "and deletes its own" says 0 . txt del _x.z4.test first-value
ok "that of others is left" both _x.z4.test '"not ours" '
for zone in z1.test z2.test; do
    ok "$zone: grade C does not" says 11 SHARED_REFUSED txt add "_x.$zone" other-value
    ok "$zone: as it was" both "_x.$zone" '"not ours" '
done
sed -i 's/^zones = z3.test/zones = z3.test\nshared_rrset = merge/' "$P/conf.d/test.ini"
ok "z3.test: grade D, merge: beside the one that is to go" says 0 . txt add _x.z3.test second-value
ok "z3.test: all three" both _x.z3.test '"first-value" "not ours" "second-value" '
ok "z3.test: the script deletes the whole set" says 0 FOREIGN_RESTORED txt del _x.z3.test first-value
ok "z3.test: what is of others and what is wanted stands again" eventually 20 both _x.z3.test '"not ours" "second-value" '
ok "z3.test: and the last one goes" says 0 . txt del _x.z3.test second-value
ok "z3.test: that of others is left" both _x.z3.test '"not ours" '
ok "grade A at the apex, where others have values" says 0 . txt add z4.test at-the-apex
ok "apex there" has "$LAB_NAMED" z4.test '"at-the-apex"'
ok "apex gone" says 0 . txt del z4.test at-the-apex
for zone in z4.test z1.test z2.test z3.test; do ok "$zone: others clean up" foreign delete "$zone"; done

# --- what goes wrong, is told and leaves nothing
touch "$A/lego.calls.broken"
ok "a program that fails" says 11 'PROGRAM_FAILED|NOT_FINISHED' txt add _y.z1.test never
rm "$A/lego.calls.broken"
sed -i "s|^NSUPDATE_OPTIONS.*|NSUPDATE_OPTIONS=-k $LAB_KEYS/stranger-key.key|" "$A/exec.env"
ok "a server that refuses" says 11 'PROGRAM_FAILED' txt add _y.z4.test never
ok "with its own words" grep -qiE 'REFUSED|BADKEY|NOTAUTH' "$P/out"
sed -i "s|^NSUPDATE_OPTIONS.*|NSUPDATE_OPTIONS=-k $LAB_KEYS/lab-key.key|" "$A/exec.env"
chmod 644 "$A/exec.env"
ok "an env_file that others can read" says 77 'chmod' config check
chmod 600 "$A/exec.env"
chmod 777 "$A/acme.sh/dnsapi/dns_exact.sh"
ok "a script that others can write" says 77 'dns_exact.sh.*chmod' config check
chmod 755 "$A/acme.sh/dnsapi/dns_exact.sh"
for left in _y.z1.test=never _y.z4.test=never _x.z1.test=other-value _x.z2.test=other-value '_x.z2.test=a "quoted" value'; do
    ok "$left: taken back" says 0 . txt del "${left%%=*}" "${left#*=}"
done
ok "nothing is left for a run to say" dcv run
cat "$P"/out "$P"/log > "$A/said" 2> /dev/null
grep -h '' "$A"/*.env | grep -o 'canary[a-z0-9.-]*' > "$A/canaries"
is "canaries are known" "$(wc -l < "$A/canaries")" 4
# --- what a script keeps for a moment, when the run is killed amid it
folders() { find /dev/shm /tmp -maxdepth 1 -name 'dcvagent-acmesh-??????' 2> /dev/null; }
for n in 2 3 4 5 6; do
    DCVAGENT_KILL=$n dcv txt add _x.z2.test killed > "$P/killed" 2>&1
    [ -z "$(folders)" ] || break
done
ok "a killed run could not take its folder along" test -n "$(folders)"
ok "done again" says 0 . txt add _x.z2.test killed
ok "taken back" says 0 . txt del _x.z2.test killed
is "and the next run has taken it away" "$(folders)" ""
ok "nothing was saved by the scripts" sh -c "! find '$A' -name account.conf | grep ."
ok "invariants, and no secret anywhere" "$here/invariants" check "$LAB_DIR/before" "$P/state" --canaries "$A/canaries" --output "$A/said" "$P/state" "$A/lego.calls" "$P/log"
done_testing
