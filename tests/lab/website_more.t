#!/bin/sh
# method = website, seen by the commands beside `run`: check, doctor, gc, forget and state adopt know files as they know records, and a kill at any
# moment leaves none that they do not know.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/website.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
mkdir -p "$W/root" "$W/mail" "$W/odd"
cat > "$W/hook" <<SH
#!/bin/sh
test ! -e $W/bad || { echo "no space on edge"; exit 5; }
at=$W/mail/.well-known/pki-validation
case \$1 in
add) mkdir -p \$at && cat > \$at/fileauth.txt ;;
del) rm -f \$at/fileauth.txt ;;
esac
echo "\$1 \$2" >> $W/calls
SH
chmod 755 "$W/hook"
nsupdate -k "$LAB_KEYS/admin-key.key" <<UPDATE
server $LAB_NAMED
zone example.hk
update add nothing.example.hk 300 MX 10 mail.example.hk.
update add silent.example.hk 300 A 192.0.2.83
update add half.example.hk 300 A 192.0.2.80
update add half.example.hk 300 A 192.0.2.83
send
UPDATE
TIMEOUT=3s person_setup "$(section shop 'www.example.hk cdn.example.hk' multi-domain "webroot = $W/root"
    section other shop.example.hk standard "webroot = $W/root"
    section hooked mail.example.hk standard "website_hook = $W/hook")"
sed -i 's/ example.com$//' "$P/dcvagent.ini" # the CDN's zone is not ours
S=$P/state
LOG=$LAB_DIR/requests
"$here/web.py" "$LOG" "192.0.2.80:80=$W/root" "[2001:db8:2::80]:80=$W/root" "192.0.2.25:80=$W/mail" "192.0.2.81:80=$W/odd" &
web=$!
trap 'kill $web' EXIT
ok "web servers" eventually 20 test -e "$LOG.ready"
"$here/invariants" snapshot "$LAB_DIR/before"

try() { # ARGUMENT...: exit code in $code, all it says in $P/out
    dcv "$@" > "$P/out" 2> "$P/err" < /dev/null
    code=$?
}
says() { grep -qF -- "$1" "$P/out" "$P/err" || { cat "$P/out" "$P/err"; return 1; }; }
json() { python3 -c "import json,sys; j=json.load(open(sys.argv[1])); print(($1))" "$P/out"; }
left() { find "$W/root" "$W/mail" -type f | sort | tr '\n' ' '; }

# --- doctor, before anything is begun
ok "doctor: the names and the web root are sound" look 0 shop
ok "said" finds ok WEBSITE_ANSWERS 'shop www.example.hk: .*192.0.2.80.*answers \(http\)'
ok "the CDN's, too" finds ok WEBSITE_ANSWERS 'shop cdn.example.hk: 192.0.2.81'
ok "no CAA is told" finds ok CAA_NONE 'shop www.example.hk'
for code in NO_PROVIDER CNAME_FOREIGN VISIBLE_BY SERVERS_AGREE PROVIDER_READS; do ok "nothing of records: $code" lacks_code "$code"; done
is "asked beside the file, never for it" "$(awk '{ print $4 }' "$LOG" | sort -u)" "/.well-known/pki-validation/dcvagent-doctor.txt"
is "nothing was changed" "$(left)" ""
cp "$P/conf.d/test.ini" "$P/good.ini"
{
    cat "$P/good.ini"
    section nothing nothing.example.hk standard "webroot = $W/root"
    section silent silent.example.hk standard "webroot = $W/root"
    section half half.example.hk standard "webroot = $W/root"
    section noroot www.example.hk standard "webroot = $W/nowhere"
    section noright www.example.hk standard "webroot = $W/link"
    section star '*.example.hk' wildcard "webroot = $W/root"
} > "$P/conf.d/test.ini"
mkdir "$W/link" && ln -s "$W/root" "$W/link/.well-known"
ok "doctor: faults" look 1
ok "no address" finds error WEBSITE_NO_ADDRESS 'nothing nothing.example.hk: .* -> give the name an address'
ok "nobody answers" finds error WEBSITE_UNREACHABLE 'silent silent.example.hk: 192.0.2.83: .* -> start the web server'
ok "one of two answers" finds warning WEBSITE_UNREACHABLE 'half half.example.hk: 192.0.2.83: .* -> start the web server there'
ok "no such web root" finds error WEBSITE_ROOT "noroot -: webroot = $W/nowhere cannot be entered.* -> make the folder"
ok "no way into it" finds error WEBSITE_FILE 'noright -: .*symbolic link'
ok "a wildcard" finds error CONFIG_FAULT 'does not prove \*\. names'
cp "$P/good.ini" "$P/conf.d/test.ini"
answer() { # SITE WORDS: how a web server answers everything
    echo "$2" > "$W/$1/answer"
}
answer odd "403"
ok "doctor: a 403" look 0 shop
ok "said" finds warning WEBSITE_REFUSES 'shop cdn.example.hk: 192.0.2.81: HTTP status 403'
answer odd "200"
ok "doctor: a page for everything" look 0 shop
ok "said" finds info WEBSITE_ANSWERS_ALL 'shop cdn.example.hk: 192.0.2.81'
answer odd "301 http://{host}:8080/"
ok "doctor: a redirect astray" look 1 shop
ok "said" finds error WEBSITE_ASTRAY 'shop cdn.example.hk: 192.0.2.81'
rm "$W/odd/answer"
mkdir -p "$W/root/.well-known/pki-validation"
echo "of a stranger" > "$W/root/$FILE"
ok "doctor: a file of somebody" look 1 shop
ok "said" finds error WEBSITE_TAKEN "shop -: $W/root/$FILE stands there and is not ours.* -> move it away"
try gc --list --json
is "gc --list: shown as others'" "$(json 'j["foreign"], j["files"]')" "([{'file': '$W/root/$FILE'}], [])"
try gc
is "gc: left alone" "$code $(cat "$W/root/$FILE")" "0 of a stranger"
rm -r "$W/root/.well-known"

# --- check: every address of every name
try check shop
is "check without an order" "$code" 0
try run --force shop
try code shop the-code
try check shop
ok "check before the file: nothing to look for" says "it has no record to look for"
try run shop
is "the CDN does not have it: 12" "$code $(state_of shop)" "12 published propagation"
try check --json shop
is "check: not everywhere: 12" "$code" 12
is "each name, each address" "$(json 'sorted((c["host"], v["address"], v["verdict"], v["status"]) for c in j["checks"] for v in c["views"])')" \
    "[('cdn.example.hk', '192.0.2.81', 'absent', 404), ('www.example.hk', '192.0.2.80', 'match', 200), ('www.example.hk', '2001:db8:2::80', 'match', 200)]"
is "with the fields of a check" "$(json '[(c["host"], c["ok"], c["value"], c["quorum"]["want"], c["quorum"]["got"]) for c in j["checks"]]')" \
    "[('www.example.hk', True, 'the-code', 2, 2), ('cdn.example.hk', False, 'the-code', 1, 0)]"
ln -s "$W/root/.well-known" "$W/odd/.well-known"
try check shop
is "check: seen: 0" "$code" 0
ok "as a table" says "1 of 1 addresses show it: visible"
: > "$LOG"
kill "$web" && wait "$web" 2> /dev/null
try check shop
is "check: nobody answers: 69" "$code" 69
rm "$LOG.ready"
"$here/web.py" "$LOG" "192.0.2.80:80=$W/root" "[2001:db8:2::80]:80=$W/root" "192.0.2.25:80=$W/mail" "192.0.2.81:80=$W/odd" &
web=$!
ok "web servers again" eventually 20 test -e "$LOG.ready"
rm "$W/odd/.well-known"
sed -i 's/^timeout = .*/timeout = 60s/' "$P/dcvagent.ini"
dcv check --watch shop > "$P/out" 2>&1 &
watch=$!
ok "check --watch tells what is not seen" eventually 30 grep -q "cdn.example.hk: 192.0.2.81 absent" "$P/out"
ln -s "$W/root/.well-known" "$W/odd/.well-known"
wait "$watch"
is "and ends when all is" "$?" 0
ok "said" says "cdn.example.hk: 192.0.2.81 match"
sed -i 's/^timeout = .*/timeout = 3s/' "$P/dcvagent.ini"
DCVAGENT_CLOCK=+1h try run shop
is "seen" "$(DCVAGENT_CLOCK=+1h state_of shop)" "visible confirm"

# --- whose file it is
ok "doctor: our own file is no finding" look 0 shop
ok "none" lacks_code WEBSITE_TAKEN
ok "doctor: but one for another certificate" look 1 other
ok "said" finds error WEBSITE_TAKEN 'other -: .* of certificate shop'
try gc --list --json
is "gc --list: the order's file" "$(json '[(f["file"], f["cert"], f["state"], f["by"], f["leftover"], f["value"]) for f in j["files"]], j["foreign"]')" \
    "([('$W/root/$FILE', 'shop', 'present', 'webroot', False, 'the-code')], [])"
try gc --list
ok "as a table" says "open order"
try gc
is "gc leaves it to the order" "$code $(cat "$W/root/$FILE")" "0 the-code"
echo replaced > "$W/root/$FILE"
try gc --list --json
is "gc --list: replaced by others: both are told" "$(json 'len(j["files"]), j["foreign"]')" "(1, [{'file': '$W/root/$FILE'}])"
printf 'the-code' > "$W/root/$FILE"

# --- what no order needs
out_of_reach() { mv "$W/root/.well-known" "$W/aside" && ln -s "$W/aside" "$W/root/.well-known"; } # a link is not followed
within_reach() { rm "$W/root/.well-known" && mv "$W/aside" "$W/root/.well-known"; }
out_of_reach
try cancel shop
is "cancel cannot take it away" "$(state_of shop)" "failed None"
ok "but the file is there" test -e "$W/root/$FILE"
try gc --list --json
is "gc --list: a leftover" "$(json '[(f["cert"], f["state"], f["leftover"]) for f in j["files"]]')" "[('shop', 'leaving', True)]"
try gc --json
ok "gc: not yet, and why" grep -q WEBSITE_FILE "$P/out"
is "gc: the fault's exit code" "$(json 'len(j["removed"]), len(j["remaining"])')" "(0, 1)"
within_reach
ok "doctor: what is left" look 0 other
ok "said" finds warning WEBSITE_LEFT 'other -: .* order .* of shop needs it no more .*gc'
echo changed > "$W/root/$FILE"
try gc --json
is "gc: another content is not ours: left" "$code $(cat "$W/root/$FILE")" "0 changed"
ok "said in the log" grep -qF "is not ours any more; it is left as it is" "$P/log"
is "and forgotten" "$(json 'len(j["removed"]), len(j["remaining"])')" "(1, 0)"
rm -r "$W/root/.well-known"
try run --force other
try code other other-code
try run other
is "a new order" "$(state_of other)" "visible confirm"
out_of_reach
try cancel other
within_reach
ok "stands, though cancelled" test -e "$W/root/$FILE"
for n in 1 2 3 4 5 6 7 8 9 10; do
    DCVAGENT_KILL=$n try gc
    test "$code" = 137 || break
    # Killed: what stands is known, and what is known may stand.
    kill_files=$(left)
    try gc --list --json
    ok "gc killed at $n: known" sh -c "[ -z '$kill_files' ] || [ '$(json 'len(j["files"])')' = 1 ]"
done
ok "gc was killed some times ($n)" test "$n" -gt 2
try gc
is "gc: removed, the folders too" "$code $(find "$W/root" -mindepth 1)" "0 "
try gc --list
ok "gc --list: nothing" says "no order has files on web servers"

killed_at_each() { # MOST COMMAND ARGUMENT...: until it ends by itself; $n: at which point it was not killed any more
    most=$1
    shift
    for n in $(seq "$most"); do
        DCVAGENT_KILL=$n try "$@"
        test "$code" = 137 || break
        kill_files=$(find "$W/root" -name fileauth.txt)
        try gc --list --json
        ok "$1 killed at $n: known" sh -c "[ -z '$kill_files' ] || [ '$(json 'len(j["files"])')' = 1 ]"
    done
}

# --- a kill at each moment of an order: no file that gc --list does not show
try run --force other
try code other kill-code
killed_at_each 12 run other
ok "run was killed some times ($n)" test "$n" -gt 2

# --- another machine: what the first one's web roots hold is named
try state adopt --json
is "state adopt names the files" "$(json 'j["files"]')" "['$W/root/$FILE']"
killed_at_each 10 forget other
ok "forget was killed some times ($n)" test "$n" -gt 4
try forget other
is "forget removes the file itself" "$code $(find "$W/root" -mindepth 1)" "0 "

# --- by a hook
try run --force hooked
try code hooked hooked-code
try run hooked
is "there" "$(state_of hooked) $(cat "$W/mail/$FILE")" "visible confirm hooked-code"
try check --json hooked
is "check" "$code $(json '[(c["host"], v["address"], v["verdict"]) for c in j["checks"] for v in c["views"]]')" "0 [('mail.example.hk', '192.0.2.25', 'match')]"
try gc --list --json
is "gc --list: by the hook, at its URL" "$(json '[(f["file"], f["by"]) for f in j["files"]]')" "[('http://mail.example.hk/$FILE', '$W/hook')]"
touch "$W/bad"
try cancel hooked
try gc
is "gc: the hook fails: 15" "$code" 15
ok "with what it said" says "no space on edge"
try forget hooked
is "forget: not yet" "$code" 75
ok "said" says FILES_LEFT
rm "$W/bad"
try gc
is "gc: the hook is called" "$code $(tail -n 1 "$W/calls")" "0 del mail.example.hk"
try forget hooked
is "forgotten" "$code $(left)" "0 "

try evidence shop --json
is "the evidence has what became of each file" "$(json '[l["what"] for l in j["lines"] if l["kind"] == "website"]')" "['file put', 'file let go']"
is "nothing is on web servers" "$(sqlite3 "$S/state.db" "select count(*) from orders where facts like '%\"website\"%'")" 0
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$S"
done_testing
