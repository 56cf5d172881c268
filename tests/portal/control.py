"""How tests drive the portal: JSON in and out, below /control; 400 with {"error"} if it makes no sense.

POST /application {...}            creates or replaces one (office.py DEFAULTS); gives it with its reference
POST /change {reference, ...}      sets any key of it, also stage, method, wrong ...
POST /again {reference, pin}       the next certificate of the same subscription (another PIN if given)
POST /fault {...} or [{...}]       adds faults (faults.py);  POST /calm {} takes all away
POST /options {...}                changes OPTIONS; the clock: {"clock": seconds from now}
POST /reset {}                     forgets everything but the hierarchies
GET /counters?reference=R   GET /state
"""
import copy
import http.server
import json
import urllib.parse

import faults
from office import COMMON, DEFAULTS

OPTIONS = {
    "charset": "utf-8", "told": "both",   # utf-8 | big5; by header | meta | both
    "lang": "tc",                         # tc | en, where the URL does not say
    "hosts": "names",                     # after "host:" names | first | placeholder | starred
    "land": "page",                       # on return to an unfinished check: its page | the method page (method)
    "passed_page": False,                 # a page of its own after a good check
    "redirect": True,                     # a POST is answered by a redirect, or by the next page itself
    "session_seconds": 1200,
    "files": {},                          # of www1: {file: another certificate of pki ("old", "new+old"), crlf, html, text, missing}
}


class Control(http.server.BaseHTTPRequestHandler):
    office = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what, _, query = self.path.removeprefix("/control/").partition("?")
        with self.office.lock:
            try:
                result, status = getattr(self, what)(json.loads(data or "{}") or dict(urllib.parse.parse_qsl(query))), 200
            except (AttributeError, KeyError, ValueError, TypeError) as fault:
                result, status = {"error": f"{type(fault).__name__}: {fault}"}, 400
            self.office.save()
        body = json.dumps(result, ensure_ascii=False, indent=1).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def application(self, given):
        return self.office.create(given)

    def change(self, given):
        return self.office.change(given)

    def again(self, given):
        app = self.office.applications[str(given["reference"])]
        app["pin"] = given.get("pin", app["pin"])
        self.office.begin(app)
        return app

    def fault(self, given):
        pending = self.office.common["faults"]
        pending += [faults.checked(f) for f in (given if isinstance(given, list) else [given])]
        return pending

    def calm(self, _):
        self.office.common["faults"].clear()
        return []

    def options(self, given):
        self.office.common["clock"] = given.pop("clock", self.office.common["clock"])
        unknown = set(given) - set(OPTIONS)
        if unknown:
            raise ValueError(f"no options {sorted(unknown)}")
        self.office.common["options"].update(given)
        return self.office.common["options"]

    def reset(self, _):
        self.office.applications.clear()
        self.office.sessions.clear()
        self.office.common.update(copy.deepcopy(COMMON))
        open(self.office.path("log"), "w", encoding="utf-8").close()
        return {}

    def counters(self, given):
        return self.office.counters(given["reference"])

    def state(self, _):
        return {"applications": self.office.applications, "common": self.office.common, "defaults": DEFAULTS}
