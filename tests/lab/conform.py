"""What conform.t plays with: the agent with one provider, somebody else who writes in the same zone, and a gate between agent and server.

Somebody else (Dns, Sets, or another class for another simulated server) has a zone and
    put(owner, ttl, *values)     adds TXT values, each a tuple of strings (octets); drop(owner, value) takes one away
    fill({owner: value}), empty  adds and takes away many sets
    cname(owner, there)          puts a CNAME, or takes it away
    view()                       {owner: (TTL, sorted values)} of all TXT sets, read by a way of its own
    ttl(wanted), carries(octets) what the service makes of a TTL, and whether it can hold a value
    is_write(method, rest)       of a request by HTTP, where its method does not tell
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DESCRIPTIONS = os.path.join(HERE, "descriptions")
SHIPPED = os.path.join(HERE, "..", "..", "conf", "providers")
STRINGS = re.compile(r'"((?:[^"\\]|\\\d{3}|\\[^\d])*)"')
ESCAPE = re.compile(rb"\\(\d{3})|\\(.)", re.S)


class Broken(Exception):
    """A promise that was not kept."""


def strings(text):
    """The strings of a TXT record in presentation form."""
    def plain(m):
        return bytes([int(m.group(1))]) if m.group(1) else m.group(2)
    return tuple(ESCAPE.sub(plain, s.encode("utf-8", "surrogateescape")) for s in STRINGS.findall(text))


def quoted(value):
    return " ".join('"' + "".join(chr(c) if c < 128 and chr(c).isalnum() else f"\\{c:03d}" for c in part) + '"' for part in value)


class Anything:
    """A server without bounds of its own."""
    is_write = None

    def ttl(self, wanted):
        return wanted

    def carries(self, octets):
        return True


class Dns(Anything):
    """Somebody else at a real name server: writes by nsupdate with a key of their own, looks by zone transfer."""

    def __init__(self, server, zone):
        self.server, self.zone = server, zone

    def update(self, *lines):
        script = "\n".join([f"server {self.server}", f"zone {self.zone}", *lines, "send", ""])
        subprocess.run(["nsupdate", "-v", "-k", os.path.join(os.environ["LAB_KEYS"], "admin-key.key")], input=script, text=True, check=True)

    def put(self, owner, ttl, *values):
        self.update(*[f"update add {owner}. {ttl} TXT {quoted(v)}" for v in values])

    def drop(self, owner, value):
        self.update(f"update delete {owner}. TXT {quoted(value)}")

    def fill(self, sets):
        self.update(*[f"update add {owner}. 300 TXT {quoted(v)}" for owner, v in sets.items()])

    def empty(self, sets):
        self.update(*[f"update delete {owner}. TXT {quoted(v)}" for owner, v in sets.items()])

    def cname(self, owner, there):
        self.update(f"update add {owner}. 300 CNAME www.{self.zone}." if there else f"update delete {owner}. CNAME")

    def view(self):
        """{owner: (TTL, sorted values)} of all TXT sets."""
        out = subprocess.run(["dig", "+nocmd", "+nostats", "+nocomments", "+onesoa", f"@{self.server}", self.zone, "AXFR"],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        sets = {}
        for line in out.splitlines():
            fields = line.split(None, 4)
            if len(fields) == 5 and fields[3] == "TXT":
                sets.setdefault(fields[0].rstrip("."), (int(fields[1]), []))[1].append(strings(fields[4]))
        return {owner: (ttl, sorted(values)) for owner, (ttl, values) in sets.items()}


class Sets(Anything):
    """Somebody else at a simulated server, whose sets are at hand."""

    def __init__(self, server):
        self.server, self.zone = server, server.zone

    def put(self, owner, ttl, *values):
        with self.server.lock:
            at = self.server.sets.setdefault((owner + ".", "TXT"), {"ttl": ttl, "records": [], "comments": []})
            at["records"] += [{"content": quoted(v), "disabled": False} for v in values]

    def drop(self, owner, value):
        with self.server.lock:
            at = self.server.sets[owner + ".", "TXT"]
            at["records"] = [r for r in at["records"] if strings(r["content"]) != value]
            if not at["records"]:
                del self.server.sets[owner + ".", "TXT"]

    def fill(self, sets):
        for owner, value in sets.items():
            self.put(owner, 300, value)

    def empty(self, sets):
        for owner, value in sets.items():
            self.drop(owner, value)

    def cname(self, owner, there):
        with self.server.lock:
            if there:
                record = {"content": f"www.{self.zone}.", "disabled": False}
                self.server.sets[owner + ".", "CNAME"] = {"ttl": 300, "records": [record], "comments": []}
            else:
                del self.server.sets[owner + ".", "CNAME"]

    def view(self):
        with self.server.lock:
            return {name.rstrip("."): (s["ttl"], sorted(strings(r["content"]) for r in s["records"]))
                    for (name, kind), s in self.server.sets.items() if kind == "TXT" and s["records"]}


class Gate:
    """Stands between agent and server and knows a write when it sees one. before_write is called once, ahead of the next write;
    lose_reply and throttle hold for one write too."""

    def __init__(self, listen, to, http, judge=None):
        self.to, self.http, self.judge = to, http, judge
        self.before_write, self.lose_reply, self.throttle, self.writes = None, False, False, 0
        self.socket = socket.create_server(listen)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def messages(self, client):
        """What the client sends, in whole messages."""
        data = b""
        while more := client.recv(65536):
            data += more
            while n := self.length(data):
                yield data[:n]
                data = data[n:]

    def length(self, data):
        """Of the message that stands whole at the beginning; 0: none does."""
        if self.http:
            head = data.find(b"\r\n\r\n") + 4
            body = re.search(rb"\r\ncontent-length: *(\d+)", data[:head], re.I)
            n = head + int(body.group(1) if body else 0)
            return n if 4 <= head and n <= len(data) else 0
        n = 2 + int.from_bytes(data[:2], "big")
        return n if 2 <= len(data) and n <= len(data) else 0

    def is_write(self, message):
        if self.http:
            method, rest = message.decode(errors="replace").split(" ", 1)
            return self.judge(method, rest) if self.judge else method in ("PATCH", "POST", "PUT", "DELETE")
        return len(message) > 4 and message[4] & 0x78 == 0x28

    def back(self, server, client, lost):
        try:
            while data := server.recv(65536):
                if lost.is_set():
                    break
                client.sendall(data)
        except OSError:
            pass
        for s in (server, client):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def serve(self, client):
        lost = threading.Event()
        with client, socket.create_connection(self.to) as server:
            threading.Thread(target=self.back, args=(server, client, lost), daemon=True).start()
            try:
                for message in self.messages(client):
                    if self.is_write(message):
                        self.writes += 1
                        hook, self.before_write = self.before_write, None
                        if hook:
                            hook()
                        if self.throttle:
                            self.throttle = False
                            client.sendall(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                            return
                        if self.lose_reply:
                            self.lose_reply = False
                            lost.set()
                    server.sendall(message)
            except OSError:
                pass


def moved(kind, folder):
    """A folder for conf_path with the shipped description, but for its address (http, key `gate`) and its pace, which is not what is tried here."""
    with open(os.path.join(SHIPPED, kind + ".ini"), encoding="utf-8") as f:
        text = f.read()
    address = re.search(r"^url = (?:https://[^/\n]+|(\$\{key:url\}))", text, re.M)
    text = re.sub(r"^(rate|plain) = .*\n", "", text, flags=re.M)
    if address.group(1):
        text = text.replace("\nurl = ", "\nplain = yes\nurl = ", 1)
    else:
        text = text.replace(address.group(0), "plain = yes\nurl = ${key:gate}", 1) + "\n[key gate]\ntype = url\nrequired = yes\nhelp = Where it is.\n"
    os.makedirs(os.path.join(folder, "providers"), exist_ok=True)
    with open(os.path.join(folder, "providers", kind + ".ini"), "w", encoding="utf-8") as f:
        f.write(text)
    return folder


class Agent:
    """dcvagent with one provider section."""

    def __init__(self, name, section, conf_path=DESCRIPTIONS):
        self.dir = os.path.join(os.environ["LAB_DIR"], "conform-" + re.sub(r"\W+", "-", name))
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.conf = os.path.join(self.dir, "dcvagent.ini")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"[agent]\nstate_dir = {self.dir}/state\nlog = {self.dir}/log\nconf_path = {conf_path}\n[verify]\nresolvers = {os.environ['LAB_UNBOUND']}\n"
                    f"discovery = {os.environ['LAB_UNBOUND']}\n[provider this]\n{section}\n")

    def run(self, *words, **env):
        """(exit code, stdout and stderr)"""
        done = subprocess.run([os.environ["DCVAGENT"], "--config", self.conf, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env={**os.environ, **env}, timeout=90, check=False)
        out = done.stdout.decode(errors="replace")
        if "Sanitizer" in out or "runtime error:" in out:
            raise Broken("sanitizer report:\n" + out)
        return done.returncode, out

    def must(self, wanted, *words, **env):
        code, out = self.run(*words, **env)
        if code != wanted:
            raise Broken(f"{words}: exit {code}, wanted {wanted}: {out.strip()[-800:]}")
        return out

    def add(self, owner, value, *options):
        return self.must(0, "txt", "add", *options, owner, value)

    def delete(self, owner, value):
        return self.must(0, "txt", "del", owner, value)

    def killed(self, n, *words):
        """Whether it died at its Nth durable point."""
        return self.run(*words, DCVAGENT_KILL=str(n))[0] == -signal.SIGKILL

    def points(self, *words):
        """The durable points of an undisturbed run, by name."""
        return re.findall(r"durable \d+ (\S+)", self.run("-vv", *words)[1])

    def claims(self, kind):
        """What `providers` says of a type."""
        types = json.loads(self.must(0, "providers", "--json", kind))["providers"]
        return types[0]["grade"], types[0]["capabilities"]


def eventually(what, seconds=5):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
