#!/bin/sh
# What servers really send: nginx with right and wrong sites, STARTTLS, hundreds of endpoints; and the look after a deploy hook.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
N=$LAB_DIR/nginx A=192.0.2.80
mkdir -p "$N"
cat > "$N/reload" <<SH
#!/bin/sh
test ! -e $N/broken || exit 0
exec /usr/sbin/nginx -c $N/nginx.conf -s reload
SH
chmod 755 "$N/reload"
RESOLVERS=none # nobody remembers the first code when the second is looked for
person_setup "
[certificate web]
ca = ecert
product = standard
names = www.example.hk
deploy_hook = $N/reload
served = www.example.hk:8443#$A"
sed -i 's/^chain_files = .*/&\nlinks = off/' "$P/dcvagent.ini"
S=$P/state
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$N/key" -subj /CN=x -out "$N/csr" 2> /dev/null
made() { # FILE DAYS NAME [chain files]: a site's certificate file
    file=$N/$1 days=$2 names=$3
    shift 3
    "$here/pki" issue "$P/pki" "$N/csr" "$file" "$days" "$names" && for c in "$@"; do cat "$P/pki/$c"; done >> "$file"
}
made good.pem 90 good.example.hk new.pem
made alone.pem 90 alone.example.hk
made root.pem 90 root.example.hk root.pem
made other.pem 90 other.example.hk new.pem
made order.pem 90 order.example.hk root.pem new.pem
made old.pem 90 old.example.hk old.pem
START=-90days made expired.pem 60 expired.example.hk new.pem
START=-80days made soon.pem 81 soon.example.hk new.pem
openssl req -x509 -key "$N/key" -subj /CN=self.example.hk -addext subjectAltName=DNS:self.example.hk -days 90 -out "$N/self.pem"
mkdir -p "$LAB_DIR/conf/ca/chains"
cat > "$LAB_DIR/conf/ca/chains/lab.ini" <<INI
[chain]
title = Lab CA
[certificate new]
subject = Lab Intermediate CA
issuer = Lab Root CA
eku = server
leaves_from = 2025-05-01
[certificate old]
subject = Lab Intermediate CA
issuer = Lab Root CA
sha256 = $(openssl x509 -in "$P/pki/old.pem" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)
eku = none
replaced_by = new
revoked_by = 2026-06-15
INI
sed -i "s|^state_dir|conf_path = $LAB_DIR/conf\n&|" "$P/dcvagent.ini"
site() { # NAME FILE [extra]
    printf 'server { listen %s:8443 ssl; server_name %s; ssl_certificate %s; ssl_certificate_key %s; %s }\n' "$A" "$1" "$2" "${KEY:-$N/key}" "${3:-}"
}
{
    printf 'daemon off; pid %s/pid; error_log %s/error.log; worker_processes 1; events { worker_connections 4096; }\nhttp { access_log off; ssl_protocols TLSv1.2 TLSv1.3;\n' "$N" "$N"
    for d in client_body proxy fastcgi uwsgi scgi; do printf '%s_temp_path %s/%s;\n' $d "$N" $d; done
    for s in good alone root order old expired soon self; do site $s.example.hk "$N/$s.pem"; done
    site named.example.hk "$N/other.pem"
    site tls12.example.hk "$N/good.pem" "ssl_verify_client on; ssl_client_certificate $P/pki/root.pem;"
    printf 'server { listen 192.0.2.82:8443 ssl default_server; ssl_certificate %s/good.pem; ssl_certificate_key %s/key; }\n' "$N" "$N"
    KEY=$S/live/web/privkey.pem site www.example.hk "$S/live/web/fullchain.pem"
    printf '}\n'
} > "$N/nginx.conf"
grep -v live/web "$N/nginx.conf" > "$N/first.conf"
python3 -B "$here/smtp.py" 192.0.2.81 "$N/good.pem" "$N/key" &
smtp=$!
/usr/sbin/nginx -c "$N/first.conf" 2> "$N/said" &
nginx=$!
trap 'kill $nginx $smtp 2> /dev/null' EXIT
listening() { python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)' "$1" "$2" 2> /dev/null; }
ok "nginx is up" eventually 10 listening $A 8443
try() {
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
}
quiet() { [ ! -s "$P/out" ] || { cat "$P/out"; return 1; }; }
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
verdict() { # WHAT HOST EXIT FIRST-WORD CODE...: one server
    what=$1 host=$2 wanted=$3 word=$4
    shift 4
    try served "$host:8443#$A" --offline -v
    is "$what" "$code $(head -1 "$P/out" | cut -d' ' -f1) $(grep -o '\[[A-Z_]*\]$' "$P/out" | tr -d '[]' | tr '\n' ' ')" "$wanted $word $*${1:+ }"
}

# --- sites right and wrong -----------------------------------------------------------------------------------------------------------------
verdict "as it should be" good.example.hk 0 ok
ok "what is sent" says "sent: good.example.hk <- Lab Intermediate CA"
ok "by TLS 1.3" says TLSv1.3
verdict "the certificate alone" alone.example.hk 1 wrong SERVED_INCOMPLETE
ok "why" says "cert.pem instead of fullchain.pem"
verdict "the root instead of the intermediate" root.example.hk 1 wrong SERVED_INCOMPLETE SERVED_ROOT
verdict "another name's site" named.example.hk 1 wrong SERVED_NAME
ok "for whom it is" says "not for named.example.hk but for other.example.hk"
verdict "out of order" order.example.hk 0 doubtful SERVED_ORDER SERVED_ROOT
verdict "the old intermediate" old.example.hk 1 wrong SERVED_OLD_INTERMEDIATE
ok "since when" says "Lab CA: the CA has reissued it for certificates from 2025-05-01 and meant to revoke this one by 2026-06-15"
verdict "expired" expired.example.hk 1 wrong SERVED_EXPIRED
verdict "ends soon" soon.example.hk 0 doubtful SERVED_EXPIRING
verdict "self-signed" self.example.hk 1 wrong SERVED_CHAIN
verdict "wants a certificate of its visitors" tls12.example.hk 1 wrong SERVED_NAME
try served good.example.hk:8444#$A --offline
is "nobody listens: 69" "$code" 69
try served good.example.hk:8443#$A alone.example.hk:8443#$A --offline --json
is "JSON: one that is right and one that is not" "$code $(python3 -c 'import json,sys
j = json.load(open(sys.argv[1]))
print(j["version"], j["ok"], [(s["host"], s["ok"], s["port"], s["protocol"], s["live"], [f["code"] for f in s["findings"]]) for s in j["served"]])' "$P/out")" \
    "1 1 False [('good.example.hk', True, 8443, 'TLSv1.3', None, []), ('alone.example.hk', False, 8443, 'TLSv1.3', None, ['SERVED_INCOMPLETE'])]"
for bad in 192.0.2.80 "a b" host:0 host:99999 'host#nothing'; do
    try served "$bad"
    is "no server: '$bad': 2" "$code" 2
done
try served good.example.hk:25#192.0.2.81 --offline
is "a mail server, by STARTTLS" "$code" 0
try config check
is "the configuration is good" "$code" 0
try served good.example.hk:587#192.0.2.81 --offline
is "a mail server without STARTTLS: 69" "$code" 69
ok "that is said" says "does not offer STARTTLS"

sed -i.good 's/^revoked_by = .*/revoked_by = soon/' "$LAB_DIR/conf/ca/chains/lab.ini"
try config check
is "a fault in what is known of a CA: 78" "$code" 78
ok "with file and line" says "chains/lab.ini:14: certificate old: revoked_by"
mv "$LAB_DIR/conf/ca/chains/lab.ini.good" "$LAB_DIR/conf/ca/chains/lab.ini"

# --- many at once --------------------------------------------------------------------------------------------------------------------------
hosts=$(yes "good.example.hk:8443#192.0.2.82" | head -300)
start=$(date +%s%N)
try served $hosts --offline
took=$(( ($(date +%s%N) - start) / 1000000 ))
is "three hundred endpoints" "$code $(grep -c '^ok' "$P/out")" "0 300"
echo "# in $took ms (with sanitizers)"
ok "not one after the other" test "$took" -lt 30000

# --- after a deploy ------------------------------------------------------------------------------------------------------------------------
deploy_order() { person_order web "code-1" > "$P/steps" 2>&1; }
kill $nginx
wait $nginx 2> /dev/null
: > "$N/broken" # the hook does nothing, nobody listens
ok "the order itself comes to its end" eval 'deploy_order || grep -q "done None" "$P/steps" || { cat "$P/steps"; false; }'
try run
is "the servers do not send it: 15" "$code" 15
ok "said once a day" quiet
DCVAGENT_CLOCK=+25h try run
ok "which, and why" says "www.example.hk:8443 is not right"
is "status has it" "$(dcv status web --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["certificates"][0]["last_error"]["code"])')" NOT_SERVED
/usr/sbin/nginx -c "$N/nginx.conf" 2> "$N/said" &
nginx=$!
ok "nginx is back" eventually 10 listening $A 8443
try run
is "they do: 0" "$code $(cat "$P/out")" "0 "
try run
is "and are not asked again" "$code" 0
try served --offline -v
is "served without operands: those of the configuration" "$code $(grep -c '^ok .*www.example.hk' "$P/out")" "0 1"
rm "$N/broken"
dcv replace web --yes > "$P/replaced" 2>&1
again() { dcv pin web --reference 123456789 > /dev/null 2>&1; dcv run web > /dev/null 2>&1; dcv code web code-2 && dcv run web; dcv confirmed web && dcv run web; dcv submitted web && dcv run web; issue web && dcv import web "$P/web.crt"; }
again > "$P/steps" 2>&1
try run web
is "a new certificate, and a hook that reloads: seen within the run" "$code" 0
ok "nginx sends what live/ has" eval 'try served --offline; [ "$code" = 0 ]'
is "noted as evidence" "$(dcv evidence web all --json | grep -c '"served"' | sed 's/^[1-9][0-9]*$/yes/')" yes
cp "$S/live/web/fullchain.pem" "$N/kept.pem"
cp "$S/live/web/privkey.pem" "$N/kept.key"
sed -i "s|$S/live/web/fullchain.pem|$N/good.pem|; s|$S/live/web/privkey.pem|$N/key|" "$N/nginx.conf"
/usr/sbin/nginx -c "$N/nginx.conf" -s reload
not_live() { try served --offline; [ "$code" = 1 ] && says "[SERVED_NOT_LIVE]"; }
ok "another certificate than the one in use is found" eventually 10 not_live
done_testing
