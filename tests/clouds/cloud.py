"""What the simulated DNS APIs of clouds share: an HTTP server on 127.0.0.1, record sets, and a person at the side who plays tricks.

The person writes JSON lines to stdin, each answered by a line on stdout:
  {"do": "put", "owner": "a.example.hk", "type": "TXT", "ttl": 300, "values": [...]}   a record set, as the API writes values; [] removes it
  {"do": "get", "owner": "a.example.hk", "type": "TXT"}                                -> {"ttl": ..., "values": [...]} or null
  {"do": "fault", "match": "POST /2013", "status": 500, "headers": {}, "body": "", "times": 1, "after": false, "close": false}
        the next requests that begin so meet it: "after": once they were carried out; "close": no answer at all
  {"do": "calm"}                                                                       no faults any more
  {"do": "set", "name": ..., "value": ...}                                             a switch of the cloud (self.switch)
  {"do": "log"}                                                                        -> the requests since the last time
The first line on stdout is the port.
"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

LOCK = threading.Lock()


class Answer(Exception):
    """A refusal: status and body."""

    def __init__(self, status, body, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


class Cloud:
    zone = "example.hk"

    def __init__(self):
        self.sets, self.faults, self.log, self.switch = {}, [], [], {}

    def answer(self, request):
        """Returns (status, body, headers); raises Answer."""
        raise NotImplementedError

    def command(self, c):
        key = (c.get("owner"), c.get("type"))
        if c["do"] == "put":
            self.sets.pop(key, None)
            if c["values"]:
                self.sets[key] = {k: v for k, v in c.items() if k not in ("do", "owner", "type")}
        elif c["do"] == "get":
            return self.sets.get(key)
        elif c["do"] == "fault":
            self.faults.append(c)
        elif c["do"] == "calm":
            self.faults = []
        elif c["do"] == "set":
            self.switch[c["name"]] = c["value"]
        elif c["do"] == "log":
            log, self.log = self.log, []
            return log
        return True


class Request:
    def __init__(self, handler):
        self.method, self.target = handler.command, handler.path
        parts = urlsplit(handler.path)
        self.path, self.query = parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
        self.headers = handler.headers
        self.body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))


def handler_of(cloud):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body in one packet

        def log_message(self, *args):
            pass

        def send(self, status, body, headers):
            body = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self):
            try:
                super().handle()
            except ConnectionError:  # whoever asked is gone
                pass

        def respond(self):
            request = Request(self)
            with LOCK:
                line = f"{request.method} {request.target}"
                cloud.log.append(line)
                fault = next((f for f in cloud.faults if f.get("times", 1) > 0 and line.startswith(f["match"])), None)
                if fault:
                    fault["times"] = fault.get("times", 1) - 1
                result = None
                if not fault or fault.get("after"):
                    try:
                        result = cloud.answer(request)
                    except Answer as a:
                        result = a.status, a.body, a.headers
            if fault and fault.get("close"):
                self.close_connection = True
                return
            if fault:
                result = fault["status"], fault.get("body", ""), fault.get("headers", {})
            self.send(*result)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = respond

    return Handler


def serve(cloud):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(cloud))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    for line in sys.stdin:
        with LOCK:
            print(json.dumps(cloud.command(json.loads(line))), flush=True)
