#!/usr/bin/python3 -B
"""tests/lab/chaos.py LISTEN[:PORT] [UPSTREAM[:PORT]] [EFFECT...]: a DNS proxy that misbehaves in a repeatable way.

Prints "ready" once it listens. Whatever no effect takes goes to UPSTREAM by the transport it came by, and the answer back.
    seed=N              of all chance (1)
    loss=PERCENT        of datagrams, each way          dup=PERCENT    of datagrams back
    delay=MS            before each answer              jitter=MS      more, by chance: answers overtake one another
    only=NAME           effects on answers hold for names at or below NAME; others pass
    type=NUMBER         and only for questions of this type
    rcode=N             answers with this rcode; NOERROR: an empty answer
    lie=SECONDS         NXDOMAIN with an SOA whose minimum and TTL is SECONDS
    silent=yes          swallows the question
    cut=yes             UDP answers are empty and have TC  tcp=no        nothing listens on TCP; tcp=hang: accepts and says nothing
    bogus=yes           as a validating resolver does with wrong signatures: SERVFAIL unless CD is set
    udp=no              swallows what comes by UDP        edns=drop      swallows questions with EDNS; edns=formerr: knows it not
    garble=yes          answers that cannot be read
    signed=yes          sets AD                         noaa=yes       clears AA, as a lame server's cache does
    forge=id|case|name|port   somebody off the path guesses: before each answer by UDP 30 that say NXDOMAIN, with other ids, with the question in other
                        letters, for another name, or from another port
  UPDATEs (opcode 5), by TCP and UDP alike:
    update=noreply      is carried out, its reply lost (with times=N: the first N)
    update=swallow      is not carried out and not answered (times=N)
    update=hold         is carried out, its reply never comes and the connection stays; update=keep: not carried out either
    update=unsigned     is carried out, its reply comes without TSIG
    update=liar         is not carried out; the reply is a well signed NOERROR (key=FILE)
    update=rcode:N      is not carried out; the reply is well signed and has this rcode (key=FILE)
    update=slow         reaches the server DELAY ms late
    log=FILE            one line for each message taken: opcode, zone or name, type, transport, what was done
    wire=FILE           one line for each message taken: its id, the peer's port, the name in the letters it came in
"""
import base64
import ctypes
import hashlib
import hmac
import random
import re
import signal
import socket
import struct
import sys
import threading
import time

EFFECTS = ("seed loss dup delay jitter only type rcode lie silent cut tcp udp edns garble bogus signed noaa forge update times key log wire").split()
UPDATE = 5


def endpoint(text):
    found = re.fullmatch(r"\[([^]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", text)
    return (found[1] or found[3], int(found[2] or found[4] or 53))


def family(at):
    return socket.AF_INET6 if ":" in at[0] else socket.AF_INET


class Question:
    """The header and the first question (the zone of an UPDATE)."""

    def __init__(self, packet):
        self.packet = packet
        self.id, self.flags, self.counts = struct.unpack(">H", packet[:2])[0], struct.unpack(">H", packet[2:4])[0], struct.unpack(">4H", packet[4:12])
        self.opcode, self.cd = self.flags >> 11 & 15, bool(self.flags & 0x10)
        labels, at = [], 12  # as written: resolvers and agents mix letters
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
            at += 1 + packet[at]
        self.letters = ".".join(labels)
        self.name = self.letters.lower()
        self.type = struct.unpack(">H", packet[at + 1:at + 3])[0]
        self.section = packet[12:at + 5]

    def reply(self, rcode, flags=0, authority=b""):
        kept = self.flags & 0x7910  # opcode, RD, CD
        return struct.pack(">6H", self.id, 0x8000 | kept | flags | rcode, 1, 0, 1 if authority else 0, 0) + self.section + authority


def name_wire(name):
    return b"".join(bytes([len(p)]) + p.encode("latin-1") for p in name.strip(".").split(".") if p) + b"\0"


def soa_record(zone, seconds):
    rdata = name_wire("ns." + zone) + name_wire("hostmaster." + zone) + struct.pack(">5I", 1, 3600, 600, 86400, seconds)
    return name_wire(zone) + struct.pack(">HHIH", 6, 1, seconds, len(rdata)) + rdata


class Tsig:
    """Signs replies as RFC 8945 wants, with hmac-sha256 or whatever the key file says."""

    def __init__(self, path):
        with open(path, encoding="ascii") as f:
            text = f.read()
        self.name = re.search(r'key\s+"?([^"\s{]+)', text)[1]
        self.algorithm = re.search(r"algorithm\s+([\w-]+)", text)[1]
        self.secret = base64.b64decode(re.search(r'secret\s+"([^"]+)"', text)[1])

    def sign(self, reply, request):
        at = last_record(request)
        mac_at = at + len(name_wire(self.name)) + 10 + len(name_wire(self.algorithm)) + 8
        size = struct.unpack(">H", request[mac_at:mac_at + 2])[0]
        now = struct.pack(">HIH", 0, int(time.time()), 300)
        variables = name_wire(self.name) + struct.pack(">HI", 255, 0) + name_wire(self.algorithm) + now + struct.pack(">HH", 0, 0)
        covered = request[mac_at:mac_at + 2 + size] + reply + variables
        mac = hmac.new(self.secret, covered, getattr(hashlib, self.algorithm.split("-")[1])).digest()
        rdata = name_wire(self.algorithm) + now + struct.pack(">H", len(mac)) + mac + struct.pack(">3H", struct.unpack(">H", reply[:2])[0], 0, 0)
        record = name_wire(self.name) + struct.pack(">HHIH", 250, 255, 0, len(rdata)) + rdata
        return reply[:10] + struct.pack(">H", struct.unpack(">H", reply[10:12])[0] + 1) + reply[12:] + record


def skip_name(packet, at):
    while packet[at]:
        if packet[at] & 0xC0:
            return at + 2
        at += 1 + packet[at]
    return at + 1


def last_record(packet):
    """Offset of the last record (the TSIG)."""
    counts = struct.unpack(">4H", packet[4:12])
    at, start = 12, 0
    for _ in range(counts[0]):
        at = skip_name(packet, at) + 4
    for _ in range(sum(counts[1:])):
        start = at
        at = skip_name(packet, at)
        at += 10 + struct.unpack(">H", packet[at + 8:at + 10])[0]
    return start


def without_last(packet):
    return packet[:10] + struct.pack(">H", struct.unpack(">H", packet[10:12])[0] - 1) + packet[12:last_record(packet)]


class Chaos:
    def __init__(self, words):
        plain = [w for w in words if "=" not in w]
        self.at, self.upstream = endpoint(plain[0]), endpoint(plain[1]) if len(plain) > 1 else None
        self.e = dict(w.split("=", 1) for w in words if "=" in w)
        for key in self.e:
            if key not in EFFECTS:
                sys.exit(f"chaos: unknown effect {key}=")
        self.random = random.Random(int(self.e.get("seed", "1")))
        self.lock, self.left = threading.Lock(), int(self.e.get("times", "1000000"))
        self.tsig = Tsig(self.e["key"]) if "key" in self.e else None
        self.log, self.wire = (open(self.e[k], "a", buffering=1, encoding="utf-8") if k in self.e else None for k in ("log", "wire"))

    def chance(self, effect):
        with self.lock:
            return self.random.random() * 100 < float(self.e.get(effect, "0"))

    def spend(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0

    def pause(self):
        with self.lock:
            more = self.random.random() * float(self.e.get("jitter", "0"))
        time.sleep((float(self.e.get("delay", "0")) + more) / 1000)

    def note(self, q, how, what, port):
        if self.log:
            self.log.write(f"{'UPDATE' if q.opcode == UPDATE else 'QUERY'} {q.name} {q.type} {how} {what}\n")
        if self.wire:
            self.wire.write(f"{q.id} {port} {q.letters}\n")

    def forge(self, s, packet, peer):
        """What an attacker sends who sees nothing of the question but its name."""
        q, kind = Question(packet), self.e["forge"]
        if q.opcode == UPDATE or not self.meant(q):
            return
        section = q.section
        if kind == "case":
            section = section.swapcase()[:-4] + section[-4:]
        elif kind == "name":
            section = name_wire("x" + q.name[1:]) + section[-4:]
        for n in range(30):
            number = (q.id + 1 + n * 2011) % 65536 if kind == "id" else q.id
            lie = struct.pack(">6H", number, 0x8483, 1, 0, 1, 0) + section + soa_record(q.name.split(".", 1)[-1], 3600)
            s.sendto(lie, peer)

    def ask(self, packet, tcp):
        """The upstream's answer; None if there is none."""
        if not self.upstream:
            return None
        try:
            with socket.socket(family(self.upstream), socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
                s.settimeout(10)
                s.connect(self.upstream)
                if not tcp:
                    s.send(packet)
                    return s.recv(65535)
                s.sendall(struct.pack(">H", len(packet)) + packet)
                return read_message(s)
        except OSError:
            return None

    def update(self, q, tcp):
        kind = self.e.get("update", "")
        if not kind or not self.spend():
            return self.ask(q.packet, tcp), "passed"
        if kind in ("swallow", "keep"):
            return None, kind
        if kind == "slow":
            return self.ask(q.packet, tcp), kind
        if kind in ("noreply", "hold"):
            self.ask(q.packet, tcp)
            return None, kind
        if kind == "unsigned":
            return without_last(self.ask(q.packet, tcp)), kind
        rcode = int(kind.split(":")[1]) if kind.startswith("rcode:") else 0
        return self.tsig.sign(q.reply(rcode), q.packet), kind

    def meant(self, q):
        only = self.e.get("only", "").lower()
        return (not only or q.name == only or q.name.endswith("." + only)) and int(self.e.get("type", q.type)) == q.type

    def query(self, q, tcp):
        e = self.e
        if not self.meant(q):
            return self.ask(q.packet, tcp), "passed"
        if "silent" in e or (e.get("udp") == "no" and not tcp):
            return None, "silent"
        if "edns" in e and q.counts[3] and not tcp:
            return (None, "silent") if e["edns"] == "drop" else (q.reply(1), "formerr")
        if "garble" in e:
            return q.reply(0, 0x0400)[:6] + b"\0\7" + q.packet[8:12] + q.section + b"\xc0\xff" * 9, "garbled"
        if "cut" in e and not tcp:
            return q.reply(0, 0x0280), "cut"
        if "rcode" in e:
            return q.reply(int(e["rcode"]), 0x0080), "rcode"
        if "lie" in e:
            return q.reply(3, 0x0080, soa_record(e.get("only") or q.name, int(e["lie"]))), "lie"
        if "bogus" in e and not q.cd:
            return q.reply(2, 0x0080), "bogus"
        answer = self.ask(q.packet, tcp)
        if answer and "signed" in e:
            answer = answer[:3] + bytes([answer[3] | 0x20]) + answer[4:]
        if answer and "noaa" in e:
            answer = answer[:2] + bytes([answer[2] & ~4]) + answer[3:]
        return answer, "passed"

    def answer(self, packet, tcp, peer):
        try:
            q = Question(packet)
        except (IndexError, struct.error):
            return None
        answer, what = self.update(q, tcp) if q.opcode == UPDATE else self.query(q, tcp)
        self.note(q, "tcp" if tcp else "udp", what, peer[1])
        self.pause()
        return answer

    # --- transports

    def datagram(self, s, packet, peer):
        if self.chance("loss"):
            return
        if "forge" in self.e:
            with socket.socket(family(self.at), socket.SOCK_DGRAM) as other:
                other.bind((self.at[0], 0))
                self.forge(other if self.e["forge"] == "port" else s, packet, peer)
        answer = self.answer(packet, False, peer)
        if answer is None or self.chance("loss"):
            return
        for _ in range(2 if self.chance("dup") else 1):
            s.sendto(answer, peer)

    def serve_udp(self):
        s = socket.socket(family(self.at), socket.SOCK_DGRAM)
        s.bind(self.at)
        return lambda: self.udp_loop(s)

    def udp_loop(self, s):
        while True:
            packet, peer = s.recvfrom(65535)
            threading.Thread(target=self.datagram, args=(s, packet, peer), daemon=True).start()

    def connection(self, c, peer):
        with c:
            c.settimeout(60)
            while self.e.get("tcp") == "hang":
                time.sleep(1)
            try:
                while True:
                    packet = read_message(c)
                    answer = self.answer(packet, True, peer) if packet else None
                    if answer:
                        c.sendall(struct.pack(">H", len(answer)) + answer)
                    elif not packet or (Question(packet).opcode == UPDATE and self.e["update"] not in ("hold", "keep")):
                        # a lost reply breaks the connection, as a dying server does
                        return
            except OSError:
                return

    def serve_tcp(self):
        s = socket.socket(family(self.at), socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(self.at)
        s.listen(200)
        return lambda: self.tcp_loop(s)

    def tcp_loop(self, s):
        while True:
            c, peer = s.accept()
            threading.Thread(target=self.connection, args=(c, peer), daemon=True).start()

    def run(self):
        loops = [self.serve_udp()] + ([self.serve_tcp()] if self.e.get("tcp") != "no" else [])
        print("ready", flush=True)
        for loop in loops[1:]:
            threading.Thread(target=loop, daemon=True).start()
        loops[0]()


def read_message(s):
    """One framed message; None at the end."""
    head = read_exactly(s, 2)
    return read_exactly(s, struct.unpack(">H", head)[0]) if head else None


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            return None
        data += part
    return data


if len(sys.argv) < 2 or "=" in sys.argv[1]:
    sys.stderr.write(__doc__)
    sys.exit(2)
ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: ends with the test that started it
Chaos(sys.argv[1:]).run()
