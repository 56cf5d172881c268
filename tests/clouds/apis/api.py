"""What the simulated DNS APIs here share: routes over HTTP, the records of one zone, and "somebody else" who writes in it (tests/lab/conform.py).

A record keeps what DNS would serve: a TTL and the strings of a TXT. How an API writes them is its class's business: `show` (strings -> text) and
`read` (text -> strings; None: refused). Each class says which documents it was written from; none was written from conf/providers/.
"""
import json
import os
import re
import sys
import threading
from http.server import ThreadingHTTPServer
from urllib.parse import unquote

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import cloud  # noqa: E402

QUOTED = re.compile(r'"(?:[^"\\]|\\\d{3}|\\[^\d])*"(?:[ \t]+"(?:[^"\\]|\\\d{3}|\\[^\d])*")*')
STRING = re.compile(r'"((?:[^"\\]|\\\d{3}|\\[^\d])*)"')
ESCAPE = re.compile(rb"\\(\d{3})|\\(.)", re.S)


def split(octets):
    """Octets as a server makes strings of them."""
    return tuple(octets[i:i + 255] for i in range(0, len(octets), 255)) or (b"",)


def show_quoted(strings):
    def escaped(c):
        return "\\" + chr(c) if c in b'"\\' else chr(c) if 32 <= c < 127 else f"\\{c:03d}"
    return " ".join('"' + "".join(escaped(c) for c in s) + '"' for s in strings)


def read_quoted(text):
    """Presentation form (RFC 1035 5.1); None: it is not, or a string is longer than 255 octets."""
    if not QUOTED.fullmatch(text):
        return None
    strings = tuple(ESCAPE.sub(lambda m: bytes([int(m.group(1))]) if m.group(1) else m.group(2), s.encode()) for s in STRING.findall(text))
    return strings if all(len(s) <= 255 for s in strings) else None


def show_raw(strings):
    return b"".join(strings).decode()


def read_raw(text):
    return split(text.encode())


def is_text(octets):
    try:
        return "\0" not in octets.decode()
    except UnicodeDecodeError:
        return False


class Record:
    def __init__(self, number, owner, kind, ttl, strings):
        self.id, self.owner, self.kind, self.ttl, self.strings = number, owner, kind, ttl, strings


class Api(cloud.Cloud):
    """routes: (method, path as a regular expression, name of the method that answers (status, JSON))."""
    routes = ()
    ttl_least = 1
    show, read = staticmethod(show_quoted), staticmethod(read_quoted)

    def __init__(self, zone):
        super().__init__()
        self.zone, self.records, self.last = zone, [], 1000

    def serve(self, address):
        server = ThreadingHTTPServer(address, cloud.handler_of(self))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()

    # --- for the classes

    @staticmethod
    def refuse(status, body, headers=None):
        raise cloud.Answer(status, body if isinstance(body, str) else json.dumps(body), headers)

    def enter(self, request):
        """Who asks? Refuses."""

    def missing(self, request):
        self.refuse(404, {"message": f"{request.method} {request.path}: there is no such thing"})

    def answer(self, request):
        self.enter(request)
        for method, path, name in self.routes:
            m = re.fullmatch(path.replace("ZONE", re.escape(self.zone)), request.path)
            if m and method == request.method:
                status, body = getattr(self, name)(request, *[unquote(g) for g in m.groups()])
                return status, "" if body is None else json.dumps(body), {"Content-Type": "application/json"}
        return self.missing(request)

    def owner(self, relative):
        return self.zone if relative in ("", "@") else f"{relative}.{self.zone}".lower()

    def relative(self, owner, apex=""):
        return owner[:-len(self.zone) - 1] or apex

    def at(self, owner=None, kind="TXT"):
        return [r for r in self.records if owner in (None, r.owner) and kind in (None, "", r.kind)]

    def number(self):
        self.last += 1
        return self.last

    def keep(self, owner, ttl, strings, kind="TXT"):
        self.records.append(Record(self.number(), owner, kind, ttl, strings))
        return self.records[-1]

    def replace(self, owner, ttl, values):
        """The whole TXT set."""
        self.records = [r for r in self.records if (r.owner, r.kind) != (owner, "TXT")]
        for strings in values:
            self.keep(owner, ttl, strings)

    def by_id(self, number):
        return next((r for r in self.records if str(r.id) == str(number)), None)

    def alias(self, owner):
        return bool(self.at(owner, "CNAME"))

    # --- somebody else; what the service makes of a TTL, and which values it can hold

    def ttl(self, wanted):
        return max(wanted, self.ttl_least)

    def carries(self, octets):
        return self.read is not read_raw or is_text(octets)

    def is_write(self, method, rest):
        return method in ("POST", "PUT", "PATCH", "DELETE")

    def stored(self, strings):
        """Who shows one text knows no strings."""
        return split(b"".join(strings)) if self.read is read_raw else strings

    def put(self, owner, ttl, *values):
        with cloud.LOCK:
            for strings in values:
                self.keep(owner, self.ttl(ttl), self.stored(strings))

    def drop(self, owner, strings):
        with cloud.LOCK:
            self.records = [r for r in self.records if (r.owner, r.kind, r.strings) != (owner, "TXT", self.stored(strings))]

    def fill(self, sets):
        for owner, strings in sets.items():
            self.put(owner, 300, strings)

    def empty(self, sets):
        for owner, strings in sets.items():
            self.drop(owner, strings)

    def cname(self, owner, there):
        with cloud.LOCK:
            if there:
                self.keep(owner, self.ttl(300), (f"www.{self.zone}".encode(),), "CNAME")
            else:
                self.records = [r for r in self.records if (r.owner, r.kind) != (owner, "CNAME")]

    def view(self):
        """{owner: (TTL, sorted values)}; TTLs that differ within a set are shown as they are."""
        with cloud.LOCK:
            sets = {}
            for r in self.at():
                sets.setdefault(r.owner, []).append(r)
        return {o: (rs[0].ttl if len({r.ttl for r in rs}) == 1 else [r.ttl for r in rs], sorted(r.strings for r in rs)) for o, rs in sets.items()}


def pages(rows, number, size):
    """(rows of page `number` from 1 on, number of pages)."""
    return rows[(number - 1) * size:number * size], max(1, -(-len(rows) // size))
