#!/usr/bin/python3 -B
"""tests/portal/portal.py FOLDER ADDRESS RESOLVER [CONTROL_ADDRESS:PORT]: a CA's web portal for tests, with a CA behind it that looks by itself.

Two looks: https://www.ecert.test/ecert/csr/start.do (ecert.py; ?lang=en) and https://portal.harbour.test/ (second.py). Public certificates:
http://www1.ecert.test/root/. FOLDER keeps everything (a restart goes on where it was): web/root.pem (trust for https), pki/ (the issuing hierarchy),
applications/, sessions/, office/, log (one JSON object a request; "violation": what no careful client does), ready.
Ports: 443; TLS faults: 444 self-signed, 445 expired, 446 another host's certificate. 80: public files; 198.51.100.9:80/443 are traps.
Control (JSON, plain HTTP, 127.0.0.1:8016): control.py; applications: office.py DEFAULTS; faults: faults.py.
"""
import http.server
import os
import secrets
import socket
import ssl
import sys
import threading
import urllib.parse

import ecert
import faults
import second
from authority import reform
from control import OPTIONS, Control
from forms import sent
from office import Office

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lab"))
import acme_issue  # noqa: E402

LOOKS = {ecert.HOST: ecert, second.HOST: second}
ROUTES = {
    ecert.HOST: {ecert.START: "start", "/ecert/csr/step.do": "step", "/ecert/csr/download.do": "certificate", "/ecert/csr/fileauth.txt": "fileauth",
                 "/ecert/doc/guide.pdf": "guide"},
    second.HOST: {"/": "home", "/step": "step", "/certificate": "certificate"},
}
AFTER = {ecert.HOST: "step.do", second.HOST: "/"}
COOKIE = {ecert.HOST: ("JSESSIONID", "/ecert"), second.HOST: ("hsid", "/")}
TRAP = "198.51.100.9"
BODY_MAX = 1 << 20


class Visit(faults.Texts):
    """One request: who comes, and what shall look wrong."""

    def __init__(self, office, look, options, session, due=()):
        super().__init__(due)
        self.office, self.look, self.options, self.session, self.sid = office, look, options, session, None
        self.app = office.applications.get(session.get("reference")) if session else None
        self.prefix, self.alter = super().prefix(), super().alter()
        self.words = look.words(self, self.otherwise())

    def enter(self, app):
        """Logged in: under a new session number."""
        self.session["reference"] = app["reference"]
        self.app, self.sid = app, secrets.token_hex(16)


class Answer:
    def __init__(self, status, body, kind="text/html", headers=(), wire=None):
        self.status, self.body, self.kind, self.headers, self.wire = status, body, kind, list(headers), wire


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    office = None

    def setup(self):
        self.request.settimeout(120)
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self):
        try:
            super().finish()
        finally:
            self.connection.close()

    def log_message(self, *_):
        pass

    def do_GET(self):
        office = self.office
        self.data = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_MAX))
        self.host = (self.headers.get("Host") or "").split(":")[0].lower()
        self.path, _, self.query = self.path.partition("?")
        self.entry = {"method": self.command, "host": self.host, "path": self.path}
        with office.lock:
            self.options = dict(OPTIONS, **office.common["options"])
            self.sid, self.touched = None, set()
            answer = self.judged()
            office.log(**dict(self.entry, status=answer.status))
            self.save()
        self.send(answer)

    do_POST = do_GET

    def save(self):
        """What this request can have changed."""
        self.office.kept.save()
        self.office.sessions.save(*self.touched | {self.sid})
        if "reference" in self.entry:
            self.office.applications.save(self.entry["reference"])

    def send(self, answer):
        body = answer.body.encode(self.options["charset"], "xmlcharrefreplace") if isinstance(answer.body, str) else answer.body
        kind = answer.kind
        if kind == "text/html" and self.options["told"] != "meta":
            kind += f"; charset={self.options['charset']}"
        if answer.wire and answer.wire["do"] == "huge":
            body += b"<!-- " + b"x" * (int(answer.wire.get("mb", 10)) << 20) + b" -->"
            answer.wire = None
        lines = [f"HTTP/1.1 {answer.status} {http.HTTPStatus(answer.status).phrase}", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                 "Cache-Control: no-store"]
        head = ("\r\n".join(lines + [f"{k}: {v}" for k, v in answer.headers]) + "\r\n\r\n").encode()
        if answer.wire:
            faults.send(self, head, body, answer.wire)
        else:
            self.wfile.write(head + body)

    def violation(self, what):
        self.entry["violation"] = "; ".join(filter(None, [self.entry.get("violation"), what]))

    # --- which page

    def judged(self):
        if not self.server.tls:
            return self.plain()
        if self.host not in LOOKS:
            self.violation("no such host")
            return Answer(421, "misdirected")
        look, what = LOOKS[self.host], ROUTES[self.host].get(self.path)
        if self.path.startswith("/ca/") and look is second:
            return self.public(self.path[4:])
        if not what:
            self.violation("no such page" if "/images/" not in self.path and "/css/" not in self.path else "pictures are not for programs")
            return Answer(404, "<html><body>404</body></html>")
        session = self.session(new=what in ("start", "home"))
        if what == "start":
            session.clear()
            session.update(self.fresh(), lang=dict(urllib.parse.parse_qsl(self.query)).get("lang"))
        visit = Visit(self.office, look, self.options, session)
        if visit.app:
            self.entry["reference"] = visit.app["reference"]
        if self.command == "POST":
            return self.posted(visit) if what == "step" else Answer(405, "method not allowed")
        if what in ("certificate", "fileauth", "guide"):
            return getattr(self, what)(visit)
        return self.page(visit) if session is not None else self.special(visit, "expired")

    def session(self, new):
        name, path = COOKIE[self.host]
        cookies = dict(c.strip().split("=", 1) for c in self.headers.get("Cookie", "").split(";") if "=" in c)
        self.sid, sessions, now = cookies.get(name), self.office.sessions, self.office.now()
        if self.sid in sessions and now > sessions[self.sid]["seen"] + self.options["session_seconds"]:
            del sessions[self.sid]
        found = sessions.get(self.sid)
        self.cookie = None
        if not found and new:
            self.sid = secrets.token_hex(16)
            found = sessions[self.sid] = self.fresh()
            self.cookie = f"{name}={self.sid}; Path={path}; Secure; HttpOnly"
        if found:
            found["seen"] = now
        return found

    def fresh(self):
        return {"forms": {}, "seen": self.office.now()}

    def page(self, visit):
        """The page the visitor is at, with what shall be wrong in it."""
        where = visit.look.landing(visit)
        due = faults.take(self.office.common["faults"], "GET", where)
        self.entry["page"] = where
        return self.instead(visit, due, after=False) or self.wired(Answer(200, self.rendered(visit, due, where), headers=self.cookies()), due)

    def rendered(self, visit, due, where):
        self.noted(due)
        return visit.look.render(Visit(self.office, visit.look, self.options, visit.session, due), where)

    def special(self, visit, where):
        self.entry["page"] = where
        return Answer(503 if where == "maintenance" else 200, visit.look.render(visit, where), headers=self.cookies())

    def cookies(self):
        return [("Set-Cookie", self.cookie)] if getattr(self, "cookie", None) else []

    def noted(self, due):
        if due:
            self.entry["fault"] = " ".join(f["do"] for f in due)

    def wired(self, answer, due):
        self.noted(due)
        answer.wire = faults.first(due, faults.WIRE)
        return answer

    def instead(self, visit, due, after):
        fault = faults.first(due, faults.INSTEAD)
        if not fault or bool(fault.get("after")) != after:
            return None
        self.noted(due)
        if fault["do"] == "expired" and self.sid:
            self.office.sessions.pop(self.sid, None)
        if fault["do"] == "status":
            return Answer(int(fault["code"]), "<html><body>Error</body></html>")
        if fault["do"] == "redirect":
            return Answer(302, "", headers=[("Location", fault["url"])])
        if fault["do"] == "rubbish":
            return Answer(200, secrets.token_bytes(4096))
        if visit.session is None:
            visit.session = self.fresh()
        return self.special(visit, fault["do"])

    # --- a form

    def posted(self, visit):
        charset = self.options["charset"]
        if self.headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded":
            self.violation("not a form's content type")
        data = urllib.parse.parse_qs(self.data.decode("ascii", "replace"), keep_blank_values=True, encoding=charset, errors="replace")
        if visit.session is None:
            return self.special(visit, "expired")
        record, values, action, wrong = sent(visit.session, data)
        self.entry["action"] = action
        tried = values["reference"] or visit.session.get("order")
        if tried:
            self.entry.setdefault("reference", tried)
        if not record or record["used"] or record["page"] != visit.look.landing(visit):
            self.violation("a form that was sent before" if record and record["used"] else "a form of another page or session")
            return self.special(visit, "token")
        for what in wrong:
            self.violation(what)
        due = faults.take(self.office.common["faults"], "POST", action)
        answer = self.instead(visit, due, after=False)
        if answer:
            return answer
        record["used"] = True
        visit.look.act(visit, action, values)
        self.renumber(visit)
        answer = self.instead(visit, due, after=True)
        if not answer and self.options["redirect"]:
            answer = Answer(302, "", headers=[("Location", AFTER[self.host])] + self.cookies())
        return self.wired(answer, due) if answer else self.wired(self.page(visit), due)

    def renumber(self, visit):
        """Who has just logged in goes on under another session number."""
        if visit.sid:
            sessions, (name, path) = self.office.sessions, COOKIE[self.host]
            sessions[visit.sid] = sessions.pop(self.sid)
            self.touched.add(self.sid)
            self.sid, self.cookie = visit.sid, f"{name}={visit.sid}; Path={path}; Secure; HttpOnly"
        if visit.app:
            self.entry["reference"] = visit.app["reference"]

    # --- files

    def certificate(self, visit):
        app = visit.app
        due = faults.take(self.office.common["faults"], "GET", "certificate")
        if not app or app["stage"] != "issued":
            return self.special(visit, "expired")
        answer = self.instead(visit, due, after=False)
        if answer:
            return answer
        app["count"]["downloads"] += 1
        self.entry["page"] = "certificate"
        pem = app["certificates"][-1].encode()
        if app["cert_format"] == "chain":
            pem += self.office.ca.public("ecert_ssl_ca_3-17_pem.crt")
        name = f"cert{app['reference']}.{'p7b' if app['cert_format'] == 'p7b' else 'cer'}"
        return self.wired(Answer(200, reform(pem, app["cert_format"]), "text/html" if app["cert_format"] == "html" else "application/x-x509-user-cert",
                                 [("Content-Disposition", f'attachment; filename="{name}"')]), due)

    def fileauth(self, visit):
        self.entry["page"] = "fileauth"
        if not visit.app or not visit.app["code_table"]:
            return self.special(visit, "expired")
        code = next(iter(visit.app["code_table"].values()))
        return Answer(200, code + "\r\n", "text/plain", [("Content-Disposition", 'attachment; filename="fileauth.txt"')])

    def guide(self, _):
        return Answer(200, b"%PDF-1.4\n%%EOF\n", "application/pdf")

    def public(self, name):
        instead = self.options["files"].get(name)
        due = faults.take(self.office.common["faults"], "GET", "public")
        self.entry["page"] = "public"
        data = None if instead == "missing" else self.office.ca.public(name, instead)
        if data is None:
            return Answer(404, "<html><body>404</body></html>")
        return self.wired(Answer(200, data, "application/x-x509-ca-cert"), due)

    def plain(self):
        if self.headers.get("Cookie"):
            self.violation("a cookie without TLS")
        if self.host == ecert.FILES and self.path.startswith("/root/"):
            return self.public(self.path[6:])
        self.violation("a portal page without TLS")
        return Answer(301, "", headers=[("Location", f"https://{ecert.HOST}{ecert.START}")])


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, handler=Handler, chain=None, key=None):
        self.tls = None
        if chain:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(chain, key)
            self.tls.set_alpn_protocols(["http/1.1"])
        super().__init__(address, handler)

    def handle_error(self, request, client_address):
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            super().handle_error(request, client_address)

    def shutdown_request(self, request):
        request.close()


def trap(office, address):
    """Another origin: nobody has any business here."""
    s = socket.create_server(address)

    def watch():
        while True:
            c, _ = s.accept()
            with office.lock:
                office.log(trap=f"{address[0]}:{address[1]}")
                office.save()
            c.close()
    threading.Thread(target=watch, daemon=True).start()


def tls_files(folder):
    """Chain and key for each TLS port; kept over restarts."""
    names = f"{ecert.HOST},{second.HOST}"
    path = lambda name: (os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key"))
    if not os.path.exists(os.path.join(folder, "other.pem")):
        web = acme_issue.Authority(folder)
        web.server("good", names)
        web.self_signed_server("self", ecert.HOST)
        web.server("old", names, start="-60days")
        web.server("other", "other.example")
    return {443: path("good"), 444: path("self"), 445: path("old"), 446: path("other")}


def main(folder, address, resolver, control="127.0.0.1:8016"):
    os.makedirs(folder, exist_ok=True)
    office = Handler.office = Control.office = Office(folder, resolver)
    servers = [Server((address, port), Handler, *files) for port, files in tls_files(os.path.join(folder, "web")).items()]
    servers.append(Server((address, 80)))
    host, _, port = control.rpartition(":")
    servers.append(Server((host, int(port)), Control))
    for port in (80, 443):
        trap(office, (TRAP, port))
    for s in servers[1:]:
        threading.Thread(target=s.serve_forever, daemon=True).start()
    with open(os.path.join(folder, "ready"), "w", encoding="ascii") as f:
        f.write("ready\n")
    servers[0].serve_forever()


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.stderr.write(__doc__)
        sys.exit(2)
    main(*sys.argv[1:])
