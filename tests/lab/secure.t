#!/bin/sh
# DNS over TLS and HTTPS as views: a real unbound on 853 and 443, its certificate checked, many questions on one connection, through a proxy, and what goes wrong.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound unbound2 secure=yes -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
try="${TEST_BUILD:-build/test}/lab/try_dns"
dot="tls://$LAB_UNBOUND#unbound.lab.test" doh="https://unbound.lab.test/dns-query#$LAB_UNBOUND"

try() { # WANTED LINE-PATTERN ARGUMENTS...
    wanted=$1
    shift
    "$try" "$@" > "$LAB_DIR/out" 2>&1
    [ "$(grep -c -- "$wanted" "$LAB_DIR/out")" = 2 ] || { cat "$LAB_DIR/out"; return 1; }
}
ok "DoT: an answer, and again on the same connection" try ' 1 of 1 ' "$LAB_UNBOUND_CA" 1 16 example.hk "$dot"
ok "DoH: the same" try ' 1 of 1 ' "$LAB_UNBOUND_CA" 1 16 example.hk "$doh"
ok "DoT: 500 questions at once" try ' 500 of 500 ' "$LAB_UNBOUND_CA" 500 16 example.hk "$dot"
ok "DoH: 500 questions at once" try ' 500 of 500 ' "$LAB_UNBOUND_CA" 500 16 example.hk "$doh"
ok "DoT: a name that the certificate does not have" try ' 0 of 3 DNS_SECURE .*wrong.lab.test' "$LAB_UNBOUND_CA" 3 16 example.hk "tls://$LAB_UNBOUND#wrong.lab.test"
ok "DoH: a name that the certificate does not have" try ' 0 of 3 DNS_SECURE .*wrong.lab.test' "$LAB_UNBOUND_CA" 3 16 example.hk \
    "https://wrong.lab.test/dns-query#$LAB_UNBOUND"
ok "DoT: an unknown root" try ' 0 of 1 DNS_SECURE .*certificate' "$LAB_UNBOUND2_CA" 1 16 example.hk "$dot"
ok "DoH: the system's roots know nothing of the lab" try ' 0 of 1 DNS_SECURE .*certificate' - 1 16 example.hk "$doh"
ok "DoT: nothing listens there" try ' 0 of 1 DNS_SECURE .*Failed to connect' "$LAB_UNBOUND_CA" 1 16 example.hk "tls://$LAB_UNBOUND:54#unbound.lab.test"
ok "DoH: another path" try ' 0 of 1 DNS_SECURE .*status is 404' "$LAB_UNBOUND_CA" 1 16 example.hk "https://unbound.lab.test/nothing#$LAB_UNBOUND"

# A proxy that the address behind # is asked of, by CONNECT; it keeps what it was asked.
python3 - "$LAB_DIR/connects" > "$LAB_DIR/proxy.port" <<'END' &
import socket, sys, threading
def pump(a, b):
    try:
        while (data := a.recv(65536)):
            b.sendall(data)
    except OSError:
        pass
    b.close()
def serve(c):
    head = b""
    while b"\r\n\r\n" not in head:
        head += c.recv(4096)
    where = head.split()[1].decode()
    with open(sys.argv[1], "a") as f:
        print(where, file=f)
    host, port = where.rsplit(":", 1)
    up = socket.create_connection((host, int(port)))
    c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    threading.Thread(target=pump, args=(c, up), daemon=True).start()
    pump(up, c)
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
END
proxy=$!
eventually 10 test -s "$LAB_DIR/proxy.port"
TRY_PROXY=http://127.0.0.1:$(cat "$LAB_DIR/proxy.port")
export TRY_PROXY
ok "DoT through a proxy" try ' 20 of 20 ' "$LAB_UNBOUND_CA" 20 16 example.hk "$dot"
ok "DoH through a proxy" try ' 20 of 20 ' "$LAB_UNBOUND_CA" 20 16 example.hk "$doh"
is "the proxy was asked for addresses, no name" "$(sort "$LAB_DIR/connects" | tr '\n' ' ')" "$LAB_UNBOUND:443 $LAB_UNBOUND:853 "
kill $proxy
unset TRY_PROXY

# In a run: each resolver is a view of its own.
person_setup "
[zone example.hk]
resolvers = $dot $doh $LAB_UNBOUND2
"
sed -i "s|^\[agent\]|&\nresolver_ca_file = $LAB_UNBOUND_CA|" "$P/dcvagent.ini"
ok "the configuration is sound" dcv config check
dcv txt add www.example.hk secure-views > /dev/null
dcv --json txt check www.example.hk secure-views > "$LAB_DIR/check.json"
is "each transport is told apart" "$(python3 -c '
import json, sys
views = json.load(open(sys.argv[1]))["checks"][0]["views"]
print(sorted(v["transport"] + ":" + v["verdict"] for v in views if v["kind"] == "resolver"))' "$LAB_DIR/check.json")" "['https:match', 'tls:match', 'udp:match']"
done_testing
