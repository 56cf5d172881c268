#!/bin/bash
# contrib/hooks with real servers: nginx, Apache, HAProxy, Postfix and Dovecot send the new certificate after a run; with a broken configuration
# they go on with the old one, live/ is switched back, exit 15.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 exec "$here/up" named unbound pebble -- "$0"
fi
. "$here/tap.sh"
. "$here/pebble.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}" PATH="$PATH:/usr/sbin:/sbin"
S=$LAB_DIR/servers
mkdir -p "$S"
cp -r "$here/../../contrib/hooks" "$S/hooks"
chmod -R go-w "$S"
H=$S/hooks
pebble_setup
"$here/invariants" snapshot "$LAB_DIR/before"
ca_json 15000/roots/0 > "$P/root.pem"
SECTION="chain_files = $P/root.pem" section lab "$LAB_PEBBLE_DIRECTORY" # so that a private root is right in what is served

live() { openssl x509 -in "$P/state/live/$1/cert.pem" -noout -serial; }
sent() { # ADDRESS:PORT NAME [S_CLIENT OPTION...]: serial of what a client is shown
    local at=$1 name=$2
    shift 2
    openssl s_client -connect "$at" -servername "$name" "$@" < /dev/null 2> "$S/client" | openssl x509 -noout -serial 2>> "$S/client"
}
sends_live() { # CERTIFICATE ADDRESS:PORT NAME [OPTION...]
    local cert=$1 got
    shift
    got=$(sent "$@")
    [ "$got" = "$(live "$cert")" ] || { echo "sent: $got, live: $(live "$cert")"; cat "$S/client"; return 1; }
}
said() { grep -qF -e "$1" "$P/out" || { cat "$P/out" "$P/log"; return 1; }; }
add() { printf '%s\n' "$2" >> "$P/conf.d/cert-$1.ini"; }
renewed() { # CERTIFICATE ADDRESS:PORT NAME [OPTION...]: a reissue; the server shows it
    local before code
    before=$(live "$1")
    dcv run --force "$1" > "$P/out" 2>&1
    code=$?
    [ "$code" = 0 ] || { echo "exit $code"; cat "$P/out" "$P/log"; return 1; }
    [ "$(live "$1")" != "$before" ] || { echo "the same certificate"; return 1; }
    eventually 10 sends_live "$@" || sends_live "$@"
}
refused() { # CERTIFICATE ADDRESS:PORT NAME TEXT [OPTION...]: the configuration is broken: 15, switched back, the old one is still shown
    local cert=$1 text=$4 before code
    shift
    before=$(readlink "$P/state/live/$cert")
    dcv run --force "$cert" > "$P/out" 2>&1
    code=$?
    [ "$code" = 15 ] || { echo "exit $code"; cat "$P/out"; return 1; }
    said "$text" || return 1
    [ "$(readlink "$P/state/live/$cert")" = "$before" ] || { echo "live: $(readlink "$P/state/live/$cert"), wanted $before"; return 1; }
    sends_live "$cert" "$1" "$2" "${@:4}"
}
mended() { # CERTIFICATE ADDRESS:PORT NAME [OPTION...]: a person mends it and runs again: the set that waited is put in place
    local before
    before=$(readlink "$P/state/live/$1")
    sqlite3 "$P/state/state.db" "update orders set due = 0 where open" # nobody waits for the backoff here
    dcv run "$1" > "$P/out" 2>&1 || { cat "$P/out" "$P/log"; return 1; }
    [ "$(readlink "$P/state/live/$1")" != "$before" ] || { echo "not switched"; return 1; }
    eventually 10 sends_live "$@" || sends_live "$@"
}
first() { # CERTIFICATE NAME...: the one a server starts with
    local cert=$1
    shift
    certificate "$cert" lab "$@"
    is "$cert: a first certificate" "$(rc dcv run "$cert")" 0
}
stop() { [ ! -s "$1" ] || kill "$(head -n 1 "$1" | tr -d ' ')" 2> "$S/kill"; }
gone() { # at the end, whatever happened
    stop "$S/nginx.pid"
    stop "$S/apache.pid"
    stop "$S/haproxy.pid"
    [ ! -d "$S/postfix" ] || postfix -c "$S/postfix" stop 2> "$S/kill"
    stop "$S/dovecot/master.pid"
    kill $(jobs -p) 2> "$S/kill" # pebbles
}
trap gone EXIT
real_root() { [ "$(id -u)" = 0 ] && grep -q '^ *0 *0 *4294967295$' /proc/self/uid_map; }

# --- nginx ----------------------------------------------------------------------------------------------------------------------------------
first web www.example.hk
nginx_conf() { # EXTRA
    cat > "$S/nginx.conf" <<CONF
user root;
worker_processes 1;
pid $S/nginx.pid;
error_log $S/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $S/body;
    proxy_temp_path $S/proxy;
    fastcgi_temp_path $S/fastcgi;
    uwsgi_temp_path $S/uwsgi;
    scgi_temp_path $S/scgi;
    server {
        listen 192.0.2.80:443 ssl;
        server_name www.example.hk;
        ssl_certificate $P/state/live/web/fullchain.pem;
        ssl_certificate_key $P/state/live/web/privkey.pem;
        return 200;
        $1
    }
}
CONF
}
nginx_conf
ok "nginx starts" nginx -c "$S/nginx.conf"
ok "nginx: sends it" eventually 10 sends_live web 192.0.2.80:443 www.example.hk
add web "deploy_check = /usr/sbin/nginx -t -q -c $S/nginx.conf
deploy_hook = $H/nginx -c $S/nginx.conf
served = www.example.hk:443#192.0.2.80"
sqlite3 "$P/state/state.db" "insert into notices values ('served/web2/', 1)"
ok "nginx: a reissue is sent after the run" renewed web 192.0.2.80:443 www.example.hk
is "nginx: what another certificate's servers still have to show is not forgotten with it" "$(sqlite3 "$P/state/state.db" "select key from notices where key like 'served/%'")" served/web2/
is "nginx: served finds nothing wrong with it" "$(rc dcv served --offline 'www.example.hk:443#192.0.2.80')" 0
ok "nginx: and shows it" grep -qi "$(live web | cut -d = -f 2)" "$P/out"
nginx_conf 'no_such_directive on;'
ok "nginx: with a broken configuration: 15, switched back, the old one is sent" refused web 192.0.2.80:443 www.example.hk no_such_directive
nginx_conf
ok "nginx: mended" mended web 192.0.2.80:443 www.example.hk
nginx_conf 'no_such_directive on;'
ok "nginx: the hook alone fails loudly, too" eval '! "$H/nginx" -c "$S/nginx.conf" 2> "$P/out" && said "not reloaded, its configuration has a fault" && sends_live web 192.0.2.80:443 www.example.hk'
nginx_conf

# --- a hook that hangs, with what it started --------------------------------------------------------------------------------------------------
cat > "$H/hangs" <<SH
#!/bin/sh
sleep 600 &
echo \$! > $S/child
sleep 600
SH
chmod 755 "$H/hangs"
sed -i "s|^deploy_hook = .*|deploy_hook = $H/hangs|" "$P/conf.d/cert-web.ini"
began=$(date +%s)
code=$(rc dcv run --force web --deadline 8s)
ok "a hook that hangs is ended with the run (exit $code)" test "$code" = 75 -a "$(($(date +%s) - began))" -lt 30
ok "and what it started" eventually 5 sh -c "! grep -q '^State:.[^Z]' '/proc/$(cat "$S/child")/status' 2> '$S/kill'" # buried later
sed -i "s|^deploy_hook = .*|deploy_hook = $H/nginx -c $S/nginx.conf|" "$P/conf.d/cert-web.ini"
is "the next run runs the hook again" "$(rc dcv run web)" 0
ok "nginx: sends what was installed" eventually 10 sends_live web 192.0.2.80:443 www.example.hk

# --- Apache -----------------------------------------------------------------------------------------------------------------------------------
if real_root; then
    first shop shop.example.hk
    apache_conf() { # EXTRA
        cat > "$S/apache.conf" <<CONF
ServerRoot $S
ServerName shop.example.hk
PidFile $S/apache.pid
ErrorLog $S/apache.log
Mutex file:$S
DefaultRuntimeDir $S
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
Listen 192.0.2.81:443
<VirtualHost 192.0.2.81:443>
    SSLEngine on
    SSLCertificateFile $P/state/live/shop/fullchain.pem
    SSLCertificateKeyFile $P/state/live/shop/privkey.pem
</VirtualHost>
$1
CONF
    }
    apache_conf
    ok "Apache starts" apache2 -f "$S/apache.conf" -k start
    ok "Apache: sends it" eventually 10 sends_live shop 192.0.2.81:443 shop.example.hk
    add shop "deploy_check = /usr/sbin/apache2 -t -f $S/apache.conf
deploy_hook = $H/apache -f $S/apache.conf"
    ok "Apache: a reissue is sent after the run" renewed shop 192.0.2.81:443 shop.example.hk
    apache_conf NoSuchDirective
    ok "Apache: with a broken configuration: 15, switched back, the old one is sent" refused shop 192.0.2.81:443 shop.example.hk NoSuchDirective
    apache_conf
    ok "Apache: mended" mended shop 192.0.2.81:443 shop.example.hk
else
    skip "Apache" "wants real root"
fi

# --- HAProxy ------------------------------------------------------------------------------------------------------------------------------------
first edge edge.example.hk
mkdir -m 700 "$S/certs"
haproxy_conf() { # EXTRA
    cat > "$S/haproxy.cfg" <<CONF
global
    log stderr format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend edge
    bind 192.0.2.82:443 ssl crt $S/certs/
    http-request return status 200
    $1
CONF
}
haproxy_conf
at="$P/state/live/edge $S/certs $S/haproxy.cfg $S/haproxy.pid"
ok "HAProxy: chain and key in one file, nothing reloaded yet" "$H/haproxy" -n edge $at
is "nobody else may read it" "$(stat -c %a "$S/certs/edge.pem")" 600
ok "HAProxy starts" haproxy -W -D -f "$S/haproxy.cfg" -p "$S/haproxy.pid"
ok "HAProxy: sends it" eventually 10 sends_live edge 192.0.2.82:443 edge.example.hk
add edge "deploy_check = $H/haproxy -n edge $at
deploy_hook = $H/haproxy edge $at"
ok "HAProxy: a reissue is sent after the run" renewed edge 192.0.2.82:443 edge.example.hk
is "one file, without leftovers" "$(ls -A "$S/certs")" edge.pem
haproxy_conf no-such-keyword
ok "HAProxy: with a broken configuration: 15, switched back, the old one is sent" refused edge 192.0.2.82:443 edge.example.hk "its configuration has a fault"
is "the file, too" "$(openssl x509 -in "$S/certs/edge.pem" -noout -serial)" "$(live edge)"
is "without leftovers" "$(ls -A "$S/certs")" edge.pem
haproxy_conf
ok "HAProxy: mended" mended edge 192.0.2.82:443 edge.example.hk
cp "$S/certs/edge.pem" "$S/edge.pem"
ok "HAProxy: again: the same file" eval '"$H/haproxy" edge $at && cmp "$S/certs/edge.pem" "$S/edge.pem"'
for name in '' ../edge .edge nothing; do
    ok "HAProxy: refused: '$name'" eval '! "$H/haproxy" "$name" 2> "$P/out" && said haproxy: && [ "$(ls -A "$S/certs")" = edge.pem ]'
done
ok "a key is told nowhere" eval '! grep -qF "$(sed -n 2p "$P/state/live/edge/privkey.pem")" "$P/out" "$P/log"'

# --- Postfix, Dovecot -----------------------------------------------------------------------------------------------------------------------
first mail mail.example.hk
dovecot_conf() { # CERTIFICATE FILE
    mkdir -p "$S/dovecot"
    cat > "$S/dovecot.conf" <<CONF
base_dir = $S/dovecot
state_dir = $S/dovecot
log_path = $S/dovecot.log
protocols = imap
listen = 192.0.2.83
ssl = required
ssl_cert = <$1
ssl_key = <$P/state/live/mail/privkey.pem
service imap-login {
  inet_listener imap {
    port = 0
  }
}
passdb {
  driver = static
  args = nopassword=y
}
CONF
}
dovecot_conf "$P/state/live/mail/fullchain.pem"
if real_root && dovecot -c "$S/dovecot.conf" > "$S/start" 2>&1 && eventually 5 sends_live mail 192.0.2.83:993 mail.example.hk > "$S/tried"; then
    add mail "deploy_check = /usr/bin/doveconf -c $S/dovecot.conf -x ssl_cert
deploy_hook = $H/dovecot -c $S/dovecot.conf"
    ok "Dovecot: a reissue is sent after the run" renewed mail 192.0.2.83:993 mail.example.hk
    dovecot_conf "$S/nothing.pem"
    ok "Dovecot: with a broken configuration: 15, switched back, the old one is sent" refused mail 192.0.2.83:993 mail.example.hk "deploy_check /usr/bin/doveconf ended with"
    dovecot_conf "$P/state/live/mail/fullchain.pem"
    ok "Dovecot: mended" mended mail 192.0.2.83:993 mail.example.hk
else
    skip "Dovecot" "does not start here: $(tail -n 1 "$S/start" "$S/dovecot.log" 2>&1 | tr '\n' ' ')"
fi
if real_root && getent passwd postfix > "$S/user"; then
    mkdir -p "$S/postfix" "$S/queue" "$S/data"
    cat > "$S/postfix/main.cf" <<CONF
compatibility_level = 3.6
myhostname = mail.example.hk
inet_interfaces = 192.0.2.83
inet_protocols = ipv4
queue_directory = $S/queue
data_directory = $S/data
maillog_file = $S/postfix.log
maillog_file_prefixes = $S
mynetworks = 192.0.2.0/24
smtpd_tls_security_level = may
smtpd_tls_chain_files = $P/state/live/mail/privkey.pem, $P/state/live/mail/fullchain.pem
CONF
    awk '/^[a-z]/ && NF > 7 { $5 = "n" } { print }' /usr/share/postfix/master.cf.dist > "$S/postfix/master.cf" # no chroot: its files are not there
    chown postfix "$S/data"
fi
if [ -d "$S/postfix" ] && postfix -c "$S/postfix" start > "$S/start" 2>&1 && eventually 10 sends_live mail 192.0.2.83:25 mail.example.hk -starttls smtp > "$S/tried"; then
    sed -i '/^deploy_/d' "$P/conf.d/cert-mail.ini"
    add mail "deploy_hook = $H/postfix -c $S/postfix"
    ok "Postfix: a reissue is sent after the run" renewed mail 192.0.2.83:25 mail.example.hk -starttls smtp
else
    skip "Postfix" "does not start here: $(tail -n 1 "$S/start" "$S/postfix.log" 2>&1 | tr '\n' ' ')"
fi
ok "invariants" "$here/invariants" check "$LAB_DIR/before" "$P/state"
done_testing
