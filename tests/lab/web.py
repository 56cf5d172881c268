#!/usr/bin/python3 -B
"""web.py LOG ADDRESS:PORT=ROOT...

Plain web servers for the tests of the website method, one for each address, and https where the port is 443 (with a certificate of its own
making that has expired). ROOT is served as /, but a file ROOT/answer says how everything is answered: "STATUS [LOCATION]", "large" or "packed" (though nobody asked for it).
Each request is a line of LOG: address, scheme, host, path, headers that a plain visitor does not send.
"""
import gzip
import http.server
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

log = open(sys.argv[1], "a", buffering=1, encoding="utf-8")


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        plain = ("host", "user-agent", "accept") + (("accept-encoding",) if self.headers["Accept-Encoding"] == "identity" else ())
        odd = [h for h in self.headers if h.lower() not in plain]
        print(self.server.server_address[0], self.server.scheme, self.headers["Host"], self.path, *odd, file=log)
        try:
            with open(os.path.join(self.server.root, "answer"), encoding="utf-8") as f:
                words = f.read().split()
        except FileNotFoundError:
            words = []
        if words and words[0] == "large":
            self.answer(200, b"x" * 1000000)
        elif words and words[0] == "packed":
            self.answer(200, gzip.compress(b"answer"), packed=True)
        elif words:
            self.answer(int(words[0]), b"answer", words[1:])
        else:
            try:
                with open(self.server.root + self.path, "rb") as f:
                    self.answer(200, f.read())
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                self.answer(404, b"no such file")

    def answer(self, status, body, location=(), packed=False):
        self.send_response(status)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        for where in location:
            self.send_header("Location", where.replace("{host}", self.headers["Host"]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def certificate():
    folder = tempfile.mkdtemp(dir=os.path.dirname(sys.argv[1]))
    command = ["faketime", "-f", "-100d", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10", "-subj", "/CN=old.test", "-keyout", folder + "/key",
               "-out", folder + "/cert"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder + "/cert", folder + "/key")
    return context


for word in sys.argv[2:]:
    at, root = word.split("=", 1)
    address, port = at.rsplit(":", 1)

    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        daemon_threads = True

    web = Server((address.strip("[]"), int(port)), Web)
    web.root, web.scheme = root, "https" if port == "443" else "http"
    if port == "443":
        web.socket = certificate().wrap_socket(web.socket, server_side=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
open(sys.argv[1] + ".ready", "w", encoding="utf-8").close()
threading.Event().wait()
