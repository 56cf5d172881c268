#!/usr/bin/python3 -B
"""smtp.py ADDRESS CERT KEY: mail servers that know EHLO and STARTTLS, and no more, on ports 25 (with STARTTLS) and 587 (without)."""
import socketserver
import ssl
import sys
import threading

ADDRESS, CERT, KEY = sys.argv[1], sys.argv[-2], sys.argv[-1]


class Mail(socketserver.StreamRequestHandler):
    starttls = True

    def handle(self):
        self.wfile.write(b"220-mail.example.hk\r\n220 ready\r\n")
        while True:
            word = self.rfile.readline(512).strip().upper()
            if word.startswith(b"EHLO"):
                self.wfile.write(b"250-mail.example.hk\r\n" + (b"250-STARTTLS\r\n" if self.starttls else b"") + b"250 8BITMIME\r\n")
            elif word == b"STARTTLS" and self.starttls:
                self.wfile.write(b"220 go ahead\r\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERT, KEY)
                try:
                    context.wrap_socket(self.connection, server_side=True).close()
                except OSError:
                    pass
                return
            else:
                return


class Plain(Mail):
    starttls = False


socketserver.ThreadingTCPServer.allow_reuse_address = True
for port, kind in ((25, Mail), (587, Plain)):
    server = socketserver.ThreadingTCPServer((ADDRESS, port), kind)
    threading.Thread(target=server.serve_forever).start()
