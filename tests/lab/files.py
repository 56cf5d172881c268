#!/usr/bin/python3 -B
"""files.py ADDRESS PORT FOLDER: the web server where a CA puts its certificates and CRLs. Serves FOLDER, and worse: /redirect/X sends to http://X,
/large sends octets without end, /silent nothing at all. FOLDER/asked has a line for each request."""
import http.server
import os
import sys
import time


class Files(http.server.BaseHTTPRequestHandler):
    folder = ""

    def do_GET(self):  # pylint: disable=invalid-name
        with open(os.path.join(self.folder, "asked"), "a", encoding="ascii") as log:
            log.write(f"{self.command} {self.path}\n")
        if self.path.startswith("/redirect/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path[len("/redirect/"):])
            self.end_headers()
        elif self.path == "/silent":
            time.sleep(300)
        elif self.path == "/large":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"\x30\x82" * 32768)
            except OSError:
                pass
        else:
            self.file(os.path.join(self.folder, os.path.basename(self.path)))

    def file(self, path):
        try:
            with open(path, "rb") as f:
                octets = f.read()
        except OSError:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


Files.folder = sys.argv[3]
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Files).serve_forever()
