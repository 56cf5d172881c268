#!/bin/sh
# method = website with a manual CA: the file in a web root and through a hook, seen at every address by http and https, what others put there left
# alone, nothing left behind after a crash, a cancel or a section that went.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/website.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
mkdir -p "$W/root" "$W/mail" "$W/cdn" "$W/hooked"
cat > "$W/hook" <<SH
#!/bin/sh
cat > $W/stdin
echo "\$1 \$2 \$(cat $W/stdin) \$DCVAGENT_NAME" >> $W/hooked/calls
test ! -e $W/bad || { echo "no space on edge"; exit 5; }
at=$W/mail/.well-known/pki-validation
case \$1 in
add) mkdir -p \$at && cp $W/stdin \$at/fileauth.txt ;;
del) rm -f \$at/fileauth.txt ;;
esac
SH
chmod 755 "$W/hook"
TIMEOUT=3s person_setup "$(section shop 'www.example.hk example.hk cdn.example.hk' multi-domain "webroot = $W/root"
    section other shop.example.hk standard "webroot = $W/root"
    section hooked mail.example.hk standard "website_hook = $W/hook"
    section gone www.example.hk standard "webroot = $W/root")"
sed -i 's/ example.com$//' "$P/dcvagent.ini" # the CDN's zone is not ours
S=$P/state
LOG=$LAB_DIR/requests
"$here/web.py" "$LOG" "192.0.2.80:80=$W/root" "[2001:db8:2::80]:80=$W/root" "192.0.2.80:443=$W/secure" "192.0.2.25:80=$W/mail" "192.0.2.81:80=$W/cdn" &
web=$!
trap 'kill $web' EXIT
ok "web servers" eventually 20 test -e "$LOG.ready"
ln -s "$W/root/.well-known" "$W/cdn/.well-known" # as a CDN fetches it
"$here/invariants" snapshot "$LAB_DIR/before"

try() { # ARGUMENT...: exit code in $code, all it says in $P/out
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
    cat "$P/out" >> "$P/said"
}
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
shows() { grep -qF -- "$1" "$P/log" || { tail -n 20 "$P/log"; return 1; }; }
left() { find "$W/root" -mindepth 1 | sort | tr '\n' ' '; }
facts() { sqlite3 "$S/state.db" "select facts from orders where cert = '$1' order by id desc limit 1" | grep -o '"website".*' | grep -o '"state":"[a-z]*"' | tr '\n' ' '; }

# --- the configuration
ok "sound" dcv config check
cp "$P/conf.d/test.ini" "$P/good.ini"
refused() { # LINE SED: what config check says
    sed -i "$2" "$P/conf.d/test.ini"
    try config check
    is "$1: 78" "$code" 78
    ok "$1: said" says "$1"
    cp "$P/good.ini" "$P/conf.d/test.ini"
}
refused "does not prove *. names" 's/^names = shop.example.hk/names = *.example.hk/; s/^product = standard/product = wildcard/'
refused "webroot= or website_hook=" "s|^webroot = .*||"
cat >> "$P/conf.d/test.ini" <<INI
[ca auto]
type = acme
directory = https://acme.example/directory
INI
refused "not possible with this CA" 's/^ca = ecert/ca = auto/'

# --- one file for three names, one of them a CNAME to a CDN in a zone of others
try run --force shop
is "waits for the code" "$code $(state_of shop)" "75 prepared code"
try plan shop
ok "plan names the file" says "/.well-known/pki-validation/fileauth.txt of each name, by $W/root"
try run shop
is "no request before the file is there" "$(cat "$LOG" 2> /dev/null)" ""
ok "told to take the website method" sh -c "'$DCVAGENT' --config '$P/dcvagent.ini' code shop --for nosuch.example.hk x 2>&1 | grep -q CODE_NAME"
printf 'the-verification-code\r\n' > "$P/fileauth.txt"
dcv code shop - < "$P/fileauth.txt" > "$P/out" 2>&1
try run shop
is "seen: to be confirmed" "$code $(state_of shop)" "75 visible confirm"
is "the file" "$(cat "$W/root/$FILE")" "the-verification-code"
is "for everybody" "$(stat -c %a "$W/root/$FILE" "$W/root/.well-known" | tr '\n' ' ')" "644 755 "
is "every address was asked by http, as anybody asks" "$(sort -u "$LOG")" "$(printf '%s\n' "192.0.2.80 http example.hk /$FILE" "192.0.2.80 http www.example.hk /$FILE" \
    "192.0.2.81 http cdn.example.hk /$FILE" "2001:db8:2::80 http www.example.hk /$FILE" | sort)"
is "no record in DNS" "$(sqlite3 "$S/state.db" "select count(*) from ledger")" 0
try evidence shop --json
ok "the evidence knows who saw it" grep -q '"verdict": *"match"' "$P/out"

# --- another order's file, a stranger's file
try run --force other
try code other another-code
try run other
is "the same web root is in use: 73" "$code $(state_of other)" "73 challenged None"
ok "said" says "WEBSITE_TAKEN"
is "the first one's file stays" "$(cat "$W/root/$FILE")" "the-verification-code"
try cancel other
is "cancelled" "$code" 0
is "the file is still the first one's" "$(cat "$W/root/$FILE")" "the-verification-code"

# --- a second code
try code shop second-code
try run shop
is "a second code replaces the first" "$(state_of shop) $(cat "$W/root/$FILE")" "visible confirm second-code"

# --- somebody removes it
rm "$W/root/$FILE"
try run shop
is "removed by others: put back" "$(state_of shop) $(cat "$W/root/$FILE")" "visible confirm second-code"
echo foreign > "$W/root/$FILE"
try run shop
is "replaced by others: 73, left alone" "$code $(cat "$W/root/$FILE")" "73 foreign"
rm "$W/root/$FILE"
DCVAGENT_CLOCK=+1h try run shop
is "mended" "$(DCVAGENT_CLOCK=+1h state_of shop)" "visible confirm"

# --- the CA says no: what do we see?
try confirmed shop --failed "cannot reach example.hk"
: > "$LOG"
DCVAGENT_CLOCK=+1h try run shop
is "looked at again, asked again" "$(DCVAGENT_CLOCK=+1h state_of shop)" "visible confirm"
ok "really" test -s "$LOG"

# --- to the end
try confirmed shop
try run shop
try submitted shop
try run shop
issue shop && try import shop "$P/shop.crt"
try run shop
is "done" "$code $(state_of shop)" "0 done None"
is "nothing is left, the folders neither" "$(left)" ""

# --- what is not the file
see() { # WHAT WANTED-CODE TEXT [STATUS LOCATION]: how the web server answers, what comes of it
    what=$1 wanted=$2 text=$3
    shift 3
    : > "$P/log"
    [ "$#" = 0 ] || echo "$@" > "$W/root/answer"
    try code other seen-or-not
    try run other
    is "$what" "$code" "$wanted"
    ok "$what: said" shows "$text"
    rm -f "$W/root/answer"
}
try run --force other
see "a 404" 12 "WEBSITE_UNSEEN" 404
see "a server fault" 12 "HTTP status 503" 503
see "another content" 12 "is not the code" 200
see "a megabyte" 12 "far longer than a code" large
see "packed, though nobody asked for it" 12 "which nobody asked for" packed
see "a redirect to another port" 12 "leads nowhere that a CA follows" 302 "http://{host}:8080/"
see "redirects in a circle" 12 "more than 10 redirects" 302 "http://{host}/$FILE"
see "a redirect of a kind that CAs do not follow" 12 "HTTP status 303" 303 "http://192.0.2.25/x"
see "to where nobody is" 12 "WEBSITE_UNSEEN" 301 "http://nosuch.example.hk/$FILE"
mkdir -p "$W/mail/.well-known/pki-validation"
echo seen-or-not > "$W/mail/$FILE"
see "to another host that has it" 75 "WAITING_CONFIRM" 301 "http://mail.example.hk/$FILE"
is "followed" "$(state_of other)" "visible confirm"
rm -r "$W/mail/.well-known"
mkdir "$W/secure"
ln -s "$W/root/.well-known" "$W/secure/.well-known"
: > "$LOG"
see "by https where http shows nothing, whatever its certificate" 75 "WAITING_CONFIRM" 404
ok "really" grep -q '^192.0.2.80 https shop.example.hk' "$LOG"
kill $web
wait $web 2> /dev/null
see "nobody there: 69" 69 "WEBSITE_UNREACHABLE"
rm "$LOG.ready"
"$here/web.py" "$LOG" "192.0.2.80:80=$W/root" "[2001:db8:2::80]:80=$W/root" "192.0.2.25:80=$W/mail" &
web=$!
ok "web servers again" eventually 20 test -e "$LOG.ready"
try cancel other
is "cancel takes the file away" "$code $(left)" "0 "

# --- what may not be trusted in a web root
ln -s "$P" "$W/root/.well-known"
try run --force other
is "a symbolic link is not followed: 73" "$code" 73
ok "said" says "symbolic link"
rm "$W/root/.well-known"
mkdir "$W/root/.well-known"
touch "$W/root/.well-known/security.txt"
DCVAGENT_CLOCK=+1h try run other
is "mended" "$(DCVAGENT_CLOCK=+1h state_of other)" "prepared code"

# --- a code of its own for each name does not go into one file
try run --force shop
try code shop code-a --for www.example.hk
try code shop code-b --for example.hk
try code shop code-c --for cdn.example.hk
try run shop
is "codes differ, one web root: 78" "$code" 78
ok "said" says "WEBSITE_CODES"
try cancel shop

# --- killed at each moment: nothing unknown is left
try code other kept-code
for n in 1 2 3 4 5 6 7 8; do
    DCVAGENT_KILL=$n try run other
    test "$code" = 137 || break
done
ok "killed some times ($n)" test "$n" -gt 2
try run other
is "then as if nothing had been" "$(state_of other)" "visible confirm"
is "one file" "$(find "$W/root" -type f | sort | tr '\n' ' ')" "$W/root/$FILE $W/root/.well-known/security.txt "
for n in 1 2 3 4 5 6 7 8 9 10; do
    DCVAGENT_KILL=$n try cancel other
    test "$code" = 137 || break
done
ok "killed while it goes ($n)" test "$n" -gt 2
try run
is "only ours is gone" "$(find "$W/root" -mindepth 1 | sort | tr '\n' ' ')" "$W/root/.well-known $W/root/.well-known/security.txt "
rm -r "$W/root/.well-known"

# --- a section that goes
try run --force gone
try code gone code-of-gone
try run gone
is "there" "$(cat "$W/root/$FILE")" code-of-gone
sed -i '/^\[certificate gone\]/,$d' "$P/conf.d/test.ini"
try run
is "its section is gone: the file, too" "$(left)" ""

# --- by a hook
try run --force hooked
try code hooked hooked-code
touch "$W/bad"
try run hooked
is "a hook that fails: 15" "$code" 15
ok "with what it said" says "no space on edge"
rm "$W/bad"
DCVAGENT_CLOCK=+1h try run hooked
is "then seen" "$(DCVAGENT_CLOCK=+1h state_of hooked)" "visible confirm"
is "told host and content" "$(tail -n 1 "$W/hooked/calls")" "add mail.example.hk hooked-code hooked"
try code hooked hooked-second
try run hooked
is "a second code: del, then add" "$(tail -n 2 "$W/hooked/calls" | tr '\n' ' ')" "del mail.example.hk hooked-code hooked add mail.example.hk hooked-second hooked "
touch "$W/bad"
try forget hooked
is "forget with a hook that fails: not yet" "$code" 75
rm "$W/bad"
DCVAGENT_CLOCK=+1h try run hooked
is "the next run removes it" "$(tail -n 1 "$W/hooked/calls")" "del mail.example.hk hooked-second hooked"
try forget hooked
is "forgotten" "$code" 0

ok "what was put there is all accounted for" test -z "$(sqlite3 "$S/state.db" "select facts from orders where facts like '%\"website\"%'")"
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$S"
done_testing
