#!/usr/bin/python3 -B
"""tests/lab/acme_server.py FOLDER ADDRESS HOST DNS_ADDRESS: a small ACME CA (RFC 8555, RFC 9773, profiles), dns-01 only, that does wrong on demand.

It writes FOLDER/pki (its hierarchy; root.pem is what clients trust), FOLDER/log (one JSON object a request), FOLDER/ready, and obeys
FOLDER/mode, read anew at each request: lines KEY=VALUE.
  at.WHAT=FAULT[:ARG][*TIMES|+TIMES]   a fault of acme_bad.py at this kind of request, the first TIMES times since the mode was set, or after
                                those. WHAT: directory newNonce newAccount newOrder account order authz challenge finalize certificate renewalInfo revokeCert keyChange, post, all
  url.WHAT=URL                  given out instead of the right one: newOrder ... authorizations challenge finalize certificate order-at account-at;
                                {base} is ours; escapes as in Python
  badnonce=PERCENT              of the good nonces refused             token=KIND    of acme_bad.TOKENS
  cert=KIND                     of acme_issue.py                       days=N        life of certificates
  fail=NAME,NAME failtext=evil  validations that fail                  orderfail=NAME,NAME  names that finalize then finds forbidden
  expires=SECONDS               from now, of orders
  processing=authz|order        never ends                             validating=S issuing=S   how long they take; now: done before the answer
  reuse=yes                     valid authorizations serve new orders  challenges=http   no dns-01 is offered
  eab=yes terms=yes profiles=no what the directory names               ari=FROM:TO[:RETRY]  seconds from now (or texts), ari=none
  do=forget-accounts|close-accounts|forget-orders|forget-authz   once, when the mode is set
Ports: 443; TLS faults: 444 self-signed, 445 expired, 446 another host's certificate, 447 TLS 1.1 only. 80, 4443 and 192.0.2.9:80/443 are traps:
who connects there is logged as "trap". A request against the RFCs' rules is answered as they want, and logged with "violation".
"""
import functools
import http.server
import json
import os
import re
import socket
import ssl
import sys
import threading
import time

import acme_bad
import acme_issue
from acme_bad import Answer, problem
from acme_jose import Bad, Message, b64, check_binding, thumbprint, unb64
from acme_world import POSTS, Frozen, World, stamp

EAB_KEYS = {"kid-1": b"external account binding key, 48 octets of it ...."}
DIRECTORY = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo")
PROFILES = {"classic": "the usual", "tlsserver": "TLS servers only"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    world = host = None

    # --- the connection

    def setup(self):
        self.request.settimeout(120)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.number = next(self.world.connections)
        super().setup()

    def finish(self):
        try:
            super().finish()
        finally:
            self.connection.close()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.serve()

    do_HEAD = do_POST = do_PUT = do_GET

    def serve(self):
        world = self.world
        self.base = f"https://{self.headers.get('Host', self.host)}"
        self.data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what, _, self.arg = self.path.lstrip("/").partition("/")
        with world.lock:
            world.mode.load()
            if world.mode.fresh and world.mode.get("do"):
                world.once(world.mode.get("do"))
            fault, arg = world.mode.fault(what)
            self.entry = {"what": what, "method": self.command, "path": self.path, "connection": self.number}
            if not self.headers.get("User-Agent"):
                self.entry["violation"] = "no User-Agent (RFC 8555 6.1)"
            answer = acme_bad.BEFORE[fault](arg) if fault in acme_bad.BEFORE else self.judged(what)
            answer = acme_bad.AFTER[fault](answer, arg) if fault in acme_bad.AFTER else self.complete(answer, fault)
            world.log(**dict(self.entry, status=answer.status, **({"fault": fault} if fault else {})))
        self.send(answer)

    def complete(self, answer, fault):
        if fault and fault not in acme_bad.BEFORE:
            self.entry["unknown"] = fault
        return answer

    def judged(self, what):
        call = getattr(self, "do_" + what, None)
        try:
            if not call or what in ("GET", "HEAD", "POST", "PUT"):
                return problem("malformed", "no such place", 404)
            answer = call()
        except Bad as bad:
            answer = problem(bad.kind, str(bad), 401 if bad.kind == "unauthorized" else 400)
            if bad.kind == "badSignatureAlgorithm":
                answer = problem(bad.kind, str(bad), algorithms=["ES256"])
            if bad.kind in ("malformed", "badPublicKey"):
                self.entry["violation"] = str(bad)
            self.entry["refused"] = bad.kind
        if what in POSTS or what == "newNonce":
            answer.set("Replay-Nonce", self.world.nonce())
        if what in POSTS:
            answer.headers.append(("Link", f'<{self.base}/directory>;rel="index"'))
        return answer

    def send(self, a):
        head = [f"HTTP/1.1 {a.status} {'OK' if a.status < 300 else 'Error'}", f"Date: {self.date_time_string()}", f"Content-Type: {a.kind}",
                "Cache-Control: no-store"]
        if not (self.command == "HEAD" or a.status in (204, 304)):
            head.append(f"Content-Length: {len(a.body)}")
        head = "\r\n".join(head + [f"{n}: {v}" for n, v in a.headers]).encode() + b"\r\n\r\n"
        try:
            if a.raw:
                self.close_connection = True
                a.raw(self, head)
            else:
                self.wfile.write(head + (b"" if self.command == "HEAD" or a.status in (204, 304) else a.body))
        except OSError:
            self.close_connection = True

    # --- signed requests

    def url(self, kind, right):
        told = self.world.mode.get("url." + kind)
        return told.encode("latin-1").decode("unicode_escape").replace("{base}", self.base) if told else self.base + right

    def signed(self, by_key=False, either=False):
        """The message, checked; self.account is set unless signed by a bare key."""
        world, mode = self.world, self.world.mode
        if self.command != "POST":
            raise Bad("malformed", "POST is wanted")
        if self.headers.get("Content-Type") != "application/jose+json":
            raise Bad("malformed", "Content-Type application/jose+json is wanted")
        m = Message(self.data)
        self.entry["kid" if "kid" in m.header else "jwk"] = True
        self.entry["payload"] = m.payload.decode(errors="replace")
        if m.header["nonce"] not in world.nonces or world.random.random() * 100 < float(mode.get("badnonce", "0")):
            world.nonces.discard(m.header["nonce"])
            raise Bad("badNonce", "take another")
        world.nonces.discard(m.header["nonce"])
        if m.header["url"] != self.base + self.path:
            raise Bad("malformed", "the url of the protected header is another one")
        self.account = None
        if by_key != ("jwk" in m.header) and not either:
            raise Bad("malformed", "signed by a jwk where a kid is wanted, or the reverse")
        if "jwk" in m.header:
            m.verify(m.header["jwk"])
            return m
        self.account = world.accounts.get(m.header["kid"].removeprefix(self.base))
        if not self.account:
            raise Bad("accountDoesNotExist", "no such account")
        m.verify(self.account["jwk"])
        if self.account["status"] != "valid":
            raise Bad("unauthorized", "the account is deactivated")
        return m

    def own(self, table, wrong="malformed"):
        """The object that the path names: POST-as-GET, of this account."""
        m = self.signed()
        thing = table.get(int(self.arg.split("/")[0])) if self.arg.split("/")[0].isdigit() else None
        if not thing or thing["account"] != self.account["url"]:
            raise Bad(wrong, "no such object")
        return m, thing

    # --- unsigned

    def do_directory(self):
        mode = self.world.mode
        meta = {"website": "https://acme.provider.example", "caaIdentities": ["acme.provider.example"]}
        if mode.get("terms") == "yes":
            meta["termsOfService"] = f"{self.base}/terms/1"
        if mode.get("eab") == "yes":
            meta["externalAccountRequired"] = True
        if mode.get("profiles") != "no":
            meta["profiles"] = PROFILES
        names = [n for n in DIRECTORY if not (n == "renewalInfo" and mode.get("ari") == "absent")]
        return Answer(200, dict({n: self.url(n, f"/{n}") for n in names}, meta=meta, **{b64(os.urandom(6)): "https://example.com/random-entry"}))

    def do_newNonce(self):
        return Answer(200 if self.command == "HEAD" else 204)

    def do_renewalInfo(self):
        """RFC 9773 4.2."""
        ari = self.world.mode.get("ari", "none")
        if self.arg not in {c["id"] for c in self.world.certs.values()}:
            self.entry["violation"] = "renewalInfo of a certificate that was never issued"
            return problem("malformed", "no such certificate", 404)
        if ari == "none":
            return problem("malformed", "nothing is known", 404)
        start, end, retry = (ari.split(":", 2) + ["21600"])[:3]
        moment = lambda text: stamp(time.time() + int(text)) if re.fullmatch(r"-?\d+", text) else text.replace("_", ":")
        a = Answer(200, {"suggestedWindow": {"start": moment(start), "end": moment(end)}, "explanationURL": "https://acme.provider.example/why"})
        a.set("Retry-After", acme_bad.retry_after(retry))
        return a

    # --- accounts

    def shown_account(self, account, status):
        return Answer(status, {"status": account["status"], "contact": account["contact"], "orders": f"{self.base}{account['url']}/orders"},
                      [("Location", self.url("account-at", account["url"]))])

    def do_newAccount(self):
        m = self.signed(by_key=True)
        data, jwk, world = m.json(), m.header["jwk"], self.world
        there = [a for a in world.accounts.values() if a["thumb"] == thumbprint(jwk)]
        if there:
            if there[0]["status"] != "valid":
                raise Bad("unauthorized", "the account is deactivated")
            return self.shown_account(there[0], 200)
        if data.get("onlyReturnExisting"):
            raise Bad("accountDoesNotExist", "no account has this key")
        if world.mode.get("terms") == "yes" and data.get("termsOfServiceAgreed") is not True:
            return acme_bad.user_action("")
        if world.mode.get("eab") == "yes":
            if "externalAccountBinding" not in data:
                raise Bad("externalAccountRequired", "an external account binding is wanted")
            check_binding(data["externalAccountBinding"], jwk, self.base + self.path, EAB_KEYS)
        account = {"url": f"/account/{next(world.numbers)}", "jwk": jwk, "thumb": thumbprint(jwk), "status": "valid", "contact": self.contact(data)}
        world.accounts[account["url"]] = account
        return self.shown_account(account, 201)

    def contact(self, data):
        contact = data.get("contact", [])
        for c in contact:
            if not re.fullmatch(r"mailto:[^,?@]+@[^,?@]+", c):
                raise Bad("unsupportedContact", "mailto: with one address, without header fields")
        return contact

    def do_account(self):
        m = self.signed()
        if self.base + self.account["url"] != self.base + self.path:
            raise Bad("unauthorized", "another's account")
        data = m.json() if m.payload else {}
        if data.get("status") == "deactivated":
            self.account["status"] = "deactivated"
        if "contact" in data:
            self.account["contact"] = self.contact(data)
        return self.shown_account(self.account, 200)

    def do_keyChange(self):
        """RFC 8555 7.3.5."""
        m = self.signed()
        inner = Message(m.json(), nonce_wanted=False)
        if "jwk" not in inner.header or inner.header["url"] != m.header["url"]:
            raise Bad("malformed", "the inner JWS wants a jwk and the outer's url")
        jwk = inner.header["jwk"]
        inner.verify(jwk)
        data = inner.json()
        if data.get("account") != self.base + self.account["url"] or thumbprint(data.get("oldKey", {})) != self.account["thumb"]:
            raise Bad("malformed", "account or oldKey are not the account's")
        if any(a["thumb"] == thumbprint(jwk) for a in self.world.accounts.values()):
            return problem("malformed", "the key is another account's", 409)
        self.account.update(jwk=jwk, thumb=thumbprint(jwk))
        return self.shown_account(self.account, 200)

    # --- orders

    def do_newOrder(self):
        data, world, mode = self.signed().json(), self.world, self.world.mode
        names = [i["value"] for i in data.get("identifiers", []) if i.get("type") == "dns"]
        if not names or len(set(names)) != len(names) or any(n != n.lower() or n.endswith(".") for n in names):
            raise Bad("malformed", "identifiers: each name once, lower case, no final dot")
        unknown = set(data) - {"identifiers", "replaces", "profile"}
        if unknown:
            raise Bad("malformed", f"a newOrder has no {unknown}")
        if "profile" in data and (mode.get("profiles") == "no" or data["profile"] not in PROFILES):
            raise Bad("invalidProfile", "see the directory")
        if "replaces" in data:
            old = [c for c in world.certs.values() if c["id"] == data["replaces"]]
            if not old or old[0]["account"] != self.account["url"]:
                raise Bad("malformed", "replaces names a certificate that is not this account's")
            if old[0]["replaced"]:
                return problem("alreadyReplaced", "that certificate is replaced already", 409)
            old[0]["replaced"] = True
        order = {"n": next(world.numbers), "account": self.account["url"], "names": names, "status": "pending", "error": None, "cert": None,
                 "authz": [self.authz_of(n) for n in names], "profile": data.get("profile"), "replaces": data.get("replaces")}
        world.orders[order["n"]] = order
        self.entry["order"] = order["n"]
        a = self.shown_order(order)
        a.status = 201
        return a

    def authz_of(self, name):
        world = self.world
        bare = name.removeprefix("*.")
        if world.mode.get("reuse") == "yes":
            for n, a in world.authzs.items():
                if (a["account"], a["identifier"]["value"], a["wildcard"], a["status"]) == (self.account["url"], bare, bare != name, "valid"):
                    return n
        n = next(world.numbers)
        world.authzs[n] = {"n": n, "account": self.account["url"], "identifier": {"type": "dns", "value": bare}, "wildcard": bare != name,
                           "status": "pending", "token": b64(os.urandom(32)), "validating": False}
        return n

    def shown_order(self, order):
        self.world.settle(order)
        self.entry["state"] = order["status"]
        at = f"/order/{order['n']}"
        data = {"status": order["status"], "expires": self.expires(),
                "identifiers": [{"type": "dns", "value": n} for n in order["names"]],
                "authorizations": [self.url("authorizations", f"/authz/{a}") for a in order["authz"]],
                "finalize": self.url("finalize", f"/finalize/{order['n']}")}
        if order["error"]:
            data["error"] = order["error"]
        if order["status"] == "valid":
            data["certificate"] = self.url("certificate", f"/certificate/{order['cert']}")
        data.update({k: order[k] for k in ("profile", "replaces") if order[k]})
        return Answer(200, data, [("Location", self.url("order-at", at))])

    def expires(self):
        told = self.world.mode.get("expires", "86400")
        return stamp(time.time() + int(told)) if re.fullmatch(r"-?\d+", told) else told

    def do_order(self):
        m, order = self.own(self.world.orders)
        if m.payload:
            raise Bad("malformed", "POST-as-GET has an empty payload")
        return self.shown_order(order)

    def challenges(self, authz):
        kind = "http-01" if self.world.mode.get("challenges") == "http" else "dns-01"
        status = authz["status"] if authz["status"] != "pending" else "processing" if authz["validating"] else "pending"
        token = self.world.mode.get("token")
        c = {"type": kind, "url": self.url("challenge", f"/challenge/{authz['n']}"), "status": "invalid" if status == "deactivated" else status,
             "token": acme_bad.TOKENS[token] if token else authz["token"]}
        if "error" in authz:
            c["error"] = authz["error"]
        return [{"type": "http-01", "url": c["url"], "status": "pending", "token": b64(b"other")}, c]

    def do_authz(self):
        m, authz = self.own(self.world.authzs)
        if m.payload:
            data = m.json()
            if data != {"status": "deactivated"}:
                raise Bad("malformed", "an authorization can only be deactivated")
            authz["status"] = "deactivated"
        data = {"identifier": authz["identifier"], "status": authz["status"], "expires": stamp(time.time() + 86400), "challenges": self.challenges(authz)}
        if authz["wildcard"]:
            data["wildcard"] = True
        return Answer(200, data)

    def begin(self, key, work, *args):
        """In the background, or before the answer leaves, which does not tell yet."""
        args += (Frozen(self.world.mode.values),)
        if self.world.mode.get(key) == "now":
            work(*args)
        else:
            threading.Thread(target=work, args=args, daemon=True).start()

    def do_challenge(self):
        m, authz = self.own(self.world.authzs)
        begin = lambda: None
        if m.payload not in (b"", b"{}"):
            raise Bad("malformed", "a challenge is answered by {}")
        if m.payload and authz["status"] == "pending" and not authz["validating"]:
            authz["validating"] = True
            begin = functools.partial(self.begin, "validating", self.world.validate, authz, self.account)
        a = Answer(200, self.challenges(authz)[1])
        begin()
        a.headers.append(("Link", f'<{self.base}/authz/{authz["n"]}>;rel="up"'))
        return a

    def do_finalize(self):
        m, order = self.own(self.world.orders)
        csr = unb64(m.json().get("csr"))
        self.world.settle(order)
        self.entry["order"] = order["n"]
        if order["status"] != "ready":
            return problem("orderNotReady", f"the order is {order['status']}", 403)
        try:
            names = acme_issue.csr_names(csr)
        except ValueError as fault:
            raise Bad("badCSR", str(fault)) from None
        if names != set(order["names"]):
            raise Bad("badCSR", f"the CSR has {sorted(names)}, the order {sorted(order['names'])}")
        order["status"] = "processing"
        self.entry["accepted"] = True
        a = self.shown_order(order)
        self.begin("issuing", self.world.issue, order, csr)
        return a

    def do_certificate(self):
        _, cert = self.own(self.world.certs)
        other = self.arg.endswith("/alternate")
        a = Answer(200, cert["alternate" if other else "chain"], kind="application/pem-certificate-chain")
        if not other:
            a.headers.append(("Link", f'<{self.url("alternate", self.path + "/alternate")}>;rel="alternate"'))
        return a

    def do_revokeCert(self):
        m = self.signed(either=True)
        data, der = m.json(), None
        der = unb64(data.get("certificate"))
        for cert in self.world.certs.values():
            if acme_issue.run("openssl", "x509", "-outform", "DER", data=cert["chain"]) == der:
                if cert["revoked"]:
                    return problem("alreadyRevoked", "it is revoked already")
                if data.get("reason", 0) not in (0, 1, 3, 4, 5):
                    raise Bad("badRevocationReason", "not that one")
                cert["revoked"] = True
                return Answer(200)
        return problem("malformed", "no such certificate", 404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, chain, key, old=False):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if old:
            self.tls.set_ciphers("ALL:@SECLEVEL=0")
            self.tls.minimum_version, self.tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        self.tls.load_cert_chain(chain, key)
        self.tls.set_alpn_protocols(["http/1.1"])
        super().__init__(address, Handler)

    def handle_error(self, request, client_address):
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            super().handle_error(request, client_address)

    def shutdown_request(self, request):
        request.close()


def trap(world, address):
    """Nobody has any business here."""
    s = socket.create_server(address)

    def watch():
        while True:
            c, _ = s.accept()
            c.settimeout(1)
            try:
                first = c.recv(200)
            except OSError:
                first = b""
            world.log(what="trap", at=f"{address[0]}:{address[1]}", first=repr(first))
            c.close()
    threading.Thread(target=watch, daemon=True).start()


def main(folder, address, host, dns):
    os.makedirs(folder, exist_ok=True)
    for name in ("mode", "log"):
        with open(os.path.join(folder, name), "a", encoding="utf-8"):
            pass
    world = World(folder, dns)
    Handler.world, Handler.host = world, host
    ca = world.ca
    good = ca.server("tls", host)
    servers = [Server((address, 443), *good), Server((address, 444), *ca.self_signed_server("tls-self", host)),
               Server((address, 445), *ca.server("tls-old", host, start="-60days")), Server((address, 446), *ca.server("tls-other", "other.example")),
               Server((address, 447), *good, old=True)]
    for at in ((address, 80), (address, 4443), ("192.0.2.9", 80), ("192.0.2.9", 443)):
        trap(world, at)
    for s in servers[1:]:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    with open(os.path.join(folder, "ready"), "w", encoding="ascii") as f:
        f.write("ready\n")
    servers[0].serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.stderr.write(__doc__)
        sys.exit(2)
    main(*sys.argv[1:])
