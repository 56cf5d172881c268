"""What the lab's ACME server does wrong when it is told to: instead of an answer (BEFORE: nothing is carried out), or to one (AFTER)."""
import email.utils
import gzip
import json
import socket
import struct
import time

from acme_jose import b64

URN = "urn:ietf:params:acme:error:"
EVIL = "red \x1b[31m line\ndcvagent: ERROR forged [FORGED] %n%s%99999d \u202e \x9b2J \x07 end"
MIB = 1 << 20
TOKENS = {
    "slash": "a/b/c", "dots": "../../../../tmp/dcvagent-token", "nul": "abc\0def", "newline": "abc\ndef", "quote": "abc\"def'`$(id)",
    "long": "x" * 10240, "empty": "", "number": 17, "blank": "abc def", "utf8": "t\u00f6ken",
}


class Answer:
    def __init__(self, status, body=b"", headers=(), kind="application/json"):
        self.status, self.headers, self.raw = status, list(headers), None
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.kind = kind

    def set(self, name, value):
        self.headers = [(n, v) for n, v in self.headers if n != name] + [(name, value)]


def problem(kind, detail, status=400, **more):
    return Answer(status, dict(type=URN + kind, detail=detail, status=status, **more), kind="application/problem+json")


def retry_after(arg):
    """30, date:30 (the same as an HTTP date), or any text as it is."""
    if arg.startswith("date:"):
        return email.utils.formatdate(time.time() + float(arg[5:]), usegmt=True)
    return arg


def limited(arg, kind, status):
    a = problem(kind, "come back later", status)
    if arg:
        a.set("Retry-After", retry_after(arg))
    return a


def user_action(_):
    a = problem("userActionRequired", "the terms have changed", 403, instance="https://acme.provider.example/agree")
    a.set("Link", '<https://acme.provider.example/terms/2>;rel="terms-of-service"')
    return a


def bare(status, text, kind):
    return Answer(status, text.encode(), kind=kind)


def redirect(arg):
    return Answer(302, b"", [("Location", arg or "http://192.0.2.9/directory")])


BEFORE = {
    "rateLimited": lambda arg: limited(arg, "rateLimited", 429),
    "unavailable": lambda arg: limited(arg, "serverInternal", 503),
    "away": lambda arg: Answer(503, b"<html>down</html>", [("Retry-After", retry_after(arg))] if arg else [], "text/html"),
    "internal": lambda arg: problem("serverInternal", "an inner fault", 500),
    "userAction": user_action,
    "noAccount": lambda arg: problem("accountDoesNotExist", "no such account"),
    "closed": lambda arg: problem("unauthorized", "the account is not valid: deactivated", 401),
    "rejected": lambda arg: problem("rejectedIdentifier", "policy forbids it"),
    "gone": lambda arg: problem("malformed", "no such object", 404),
    "evil": lambda arg: problem("malformed", EVIL, 400, title=EVIL, instance="javascript:alert(1)\n"),
    "evil10m": lambda arg: problem("malformed", EVIL * (10 * MIB // len(EVIL)), 400),
    "strange": lambda arg: Answer(400, {"type": "urn:other:error:\x1b[2J", "detail": 17}, kind="application/problem+json"),
    "notjson": lambda arg: bare(400, "{nonsense", "application/problem+json"),
    "html": lambda arg: bare(200, "<html><body>Log in</body></html>", "text/html"),
    "htmljson": lambda arg: bare(200, "<html><body>Log in</body></html>", "application/json"),
    "redirect": redirect,
    "teapot": lambda arg: Answer(418, b""),
}


def fields(a, text):
    """The answer's JSON with more text inside its first brace."""
    body = a.body.decode()
    a.body = (text + body[1:]).encode() if body.startswith("{") else text.encode()
    return a


def wrong_type(a, _):
    a.kind = "text/plain"
    return a


def no_location(a, _):
    a.headers = [h for h in a.headers if h[0] != "Location"]
    return a


def bomb(a, _):
    a.body = gzip.compress(b"{\"a\":\"" + b"x" * (64 * MIB) + b"\"}", 9)
    a.set("Content-Encoding", "gzip")
    return a


def many_heads(a, _):
    a.headers += [(f"X-Head-{i}", "x" * 60) for i in range(100000)]
    return a


def body(make):
    def damage(a, arg):
        a.body = make(a.body, arg)
        return a
    return damage


def raw(send):
    """The connection itself misbehaves: send(handler, answer, head) writes, then the connection is cut."""
    def damage(a, arg):
        a.raw = lambda handler, head: send(handler, a, head, arg)
        return a
    return damage


def reset(handler, *_):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def slow(handler, a, head, arg):
    handler.wfile.write(head)
    for octet in a.body:
        handler.wfile.write(bytes([octet]))
        time.sleep(float(arg or 1))


def late(handler, a, head, arg):
    """SECONDS[:RETRY-AFTER]"""
    wait, _, retry = arg.partition(":")
    time.sleep(float(wait))
    handler.wfile.write((head[:-2] + f"Retry-After: {retry}\r\n\r\n".encode() if retry else head) + a.body)


def endless(handler, _, head, __):
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
    handler.wfile.write(b"\r\n".join(lines[:-2]) + b"\r\nConnection: close\r\n\r\n{\"a\":\"")
    while True:
        handler.wfile.write(b"x" * 65536)


def stuck(handler, *_):
    time.sleep(3600)


AFTER = {
    "reset": raw(reset),
    "hangup": raw(lambda *_: None),
    "slow": raw(slow),
    "late": raw(late),
    "stuck": raw(stuck),
    "endless": raw(endless),
    "truncated": raw(lambda handler, a, head, _: handler.wfile.write(head + a.body[:max(1, len(a.body) // 2)])),
    "rubbish": raw(lambda handler, a, head, _: handler.wfile.write(b"\0\xff SSH-2.0-nonsense\r\n\r\n" * 9)),
    "huge": body(lambda b, _: b"{\"a\":\"" + b"x" * (10 * MIB) + b"\"}"),
    "broken": body(lambda b, _: b[:-1] if b else b"{"),
    "empty": body(lambda b, _: b""),
    "array": body(lambda b, _: b"[" + b"1," * 999999 + b"1]"),
    "deep": body(lambda b, _: b"{\"a\":" + b"[" * 100000 + b"]" * 100000 + b"}"),
    "nan": lambda a, _: fields(a, "{\"n\":NaN,"),
    "nul": lambda a, _: fields(a, "{\"n\\u0000m\":\"a\\u0000b\","),
    "duplicate": lambda a, _: fields(a, "{\"status\":\"valid\",\"finalize\":\"https://192.0.2.9/f\",\"newOrder\":\"https://192.0.2.9/o\","),
    "latin1": body(lambda b, _: b"{\"n\":\"\xff\xfe\"," + b[1:]),
    "wrongtype": wrong_type,
    "noLocation": no_location,
    "bomb": bomb,
    "heads": many_heads,
    "retry": lambda a, arg: (a.set("Retry-After", retry_after(arg)), a)[1],
    "badnonces": lambda a, _: (a.set("Replay-Nonce", "no/nonce\x01" + b64(b"x")), a)[1],
    "nononce": lambda a, _: (setattr(a, "headers", [h for h in a.headers if h[0] != "Replay-Nonce"]), a)[1],
}
