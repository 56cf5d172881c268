#!/usr/bin/python3 -B
"""PowerDNS Authoritative Server's HTTP API as its documentation has it (doc.powerdns.com/authoritative/http-api/zone.html): zones in memory.

For what Debian's version does not have: EXTEND and PRUNE (4.9.12, 5.0.2) and include_disabled (5.0.0). As a program:
    mock_powerdns.py ADDRESS PORT KEY VERSION ZONE [refuse=NAME]...      prints "ready"; each request goes to stdout
"""
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

FORM = re.compile(r'"(?:[^"\\]|\\\d{3}|\\[^\d])*"(?: "(?:[^"\\]|\\\d{3}|\\[^\d])*")*')


class Refused(Exception):
    """422 with these words."""


class PowerDns(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, port, key, version, zone, refuse=(), log=None):
        super().__init__((address, port), Handler)
        self.key, self.zone, self.refuse, self.log = key, zone, set(refuse), log
        self.version, self.status = version, 422
        numbers = tuple(int(n) for n in version.split(".")[:3])
        self.single = numbers >= (5, 0, 2) or (4, 9, 12) <= numbers < (5, 0, 0)
        self.shows_disabled = numbers >= (5, 0, 0)
        self.sets = {}  # (name, type) -> {"ttl", "records", "comments"}
        self.before_write = None
        self.lock = threading.Lock()

    def rrsets(self, wanted=None, disabled=True):
        out = []
        for (name, rtype), s in sorted(self.sets.items()):
            if wanted and name != wanted:
                continue
            records = [r for r in s["records"] if disabled or not r["disabled"]]
            if records or s["comments"]:
                out.append({"name": name, "type": rtype, "ttl": s["ttl"], "records": records, "comments": s["comments"]})
        return out

    def checked(self, entry):
        for record in entry.get("records", []):
            if entry["type"] == "TXT" and not FORM.fullmatch(record["content"]):
                raise Refused(f"Record {entry['name']}/TXT '{record['content']}': Not in expected format")
        records = [{"content": r["content"], "disabled": bool(r.get("disabled"))} for r in entry.get("records", [])]
        if len({r["content"] for r in records}) != len(records):
            raise Refused(f"Duplicate record in RRset {entry['name']} IN {entry['type']}")
        return records

    def patch(self, entries):
        """All or nothing."""
        sets = {k: {**v, "records": list(v["records"])} for k, v in self.sets.items()}
        for e in entries:
            name, kind, change = e["name"].lower(), e["type"], e["changetype"].upper()
            at = sets.get((name, kind), {"ttl": 0, "records": [], "comments": []})
            if name.rstrip(".") in self.refuse:
                raise Refused(f"RRset {name} IN {kind}: Conflicts with pre-existing RRset")
            if not name.endswith(self.zone + "."):
                raise Refused(f"RRset {name} IN {kind}: Name is out of zone")
            if kind != "CNAME" and change in ("REPLACE", "EXTEND") and e.get("records") and (name, "CNAME") in sets:
                raise Refused(f"RRset {name} IN {kind}: Conflicts with pre-existing RRset")
            if change == "DELETE":
                at = None
            elif change == "REPLACE":
                records = self.checked(e)
                at = {"ttl": e["ttl"], "records": records, "comments": e.get("comments", at["comments"] if records else [])}
            elif change in ("EXTEND", "PRUNE") and self.single:
                (record,) = self.checked(e)
                standing = [r for r in at["records"] if not r["disabled"]]  # the server's own look-up does not see the others
                same = [r for r in standing if r["content"] == record["content"]]
                if bool(same) == (change == "EXTEND"):
                    continue
                if change == "EXTEND" and standing and at["ttl"] != e["ttl"]:
                    raise Refused(f"RRset {name} IN {kind}: has records with different TTLs")
                standing = standing + [record] if change == "EXTEND" else [r for r in standing if r["content"] != record["content"]]
                at = {"ttl": e["ttl"] if change == "EXTEND" else at["ttl"], "records": standing, "comments": at["comments"] if standing else []}
            else:
                raise Refused("Changetype not understood")
            sets[name, kind] = at
            if not at or not (at["records"] or at["comments"]):
                del sets[name, kind]
        self.sets = sets


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):  # noqa: A002
        if self.server.log:
            self.server.log.write(f"{self.command} {self.path}\n")
            self.server.log.flush()

    def say(self, status, body=None):
        text = b"" if body is None else json.dumps(body).encode() if not isinstance(body, str) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)
        self.close_connection = True

    def answer(self):
        s, parts = self.server, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        base = "/api/v1/servers/localhost"
        if self.headers.get("X-API-Key") != s.key:
            return self.say(401, "Unauthorized")
        path, query = unquote(parts.path), {k: v[0] for k, v in parse_qs(parts.query).items()}
        if path == base and self.command == "GET":
            return self.say(200, {"type": "Server", "id": "localhost", "daemon_type": "authoritative", "version": s.version})
        if path == f"{base}/search-data" and self.command == "GET":
            found = [{"object_type": "record", "zone": s.zone + ".", "name": e["name"], "type": e["type"], "ttl": e["ttl"], **r}
                     for e in s.rrsets() for r in e["records"] if e["name"].rstrip(".") == query["q"].rstrip(".")]
            return self.say(200, found)
        if path.rstrip(".") != f"{base}/zones/{s.zone}":
            return self.say(404, "Not Found")
        if self.command == "PATCH":
            if s.before_write:
                s.before_write()
            with s.lock:
                try:
                    s.patch(json.loads(body)["rrsets"])
                except Refused as why:
                    return self.say(s.status, {"error": str(why)})
            return self.say(204)
        disabled = "rrset_name" not in query or (s.shows_disabled and query.get("include_disabled") == "true")
        return self.say(200, {"id": s.zone + ".", "name": s.zone + ".", "kind": "Native", "serial": 1, "soa_edit_api": "DEFAULT",
                              "rrsets": s.rrsets(query.get("rrset_name", "").lower() or None, disabled)})

    do_GET = do_PATCH = do_PUT = answer


def main(address, port, key, version, zone, *more):
    refuse = [w.split("=", 1)[1] for w in more if w.startswith("refuse=")]
    server = PowerDns(address, int(port), key, version, zone, refuse, sys.stdout)
    server.status = next((int(w.split("=", 1)[1]) for w in more if w.startswith("status=")), 422)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
