#!/usr/bin/python3 -B
"""Deaths at moments of the world's choosing: between an UPDATE and its reply, at any millisecond of the clean-up, by signals; and starts
without environment, without descriptors, without a reader. CRASH_KILLS (100) kills in the clean-up, CRASH_SEED draws their moments."""
import os
import random
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
if "LAB_DIR" not in os.environ:
    os.execv(os.path.join(HERE, "up"), [os.path.join(HERE, "up"), "named", "unbound", "--", os.path.abspath(__file__)])
from play import Broken, Play, eventually, walk  # noqa: E402

PROXY = "192.0.2.9"
STEPS = walk({"shop": 'first "code"', "wild": "wild-code"})
TO_RECORDS = next(i for i, s in enumerate(STEPS) if s.title == "run to the records")
TO_END = len(STEPS) - 1
DONE = {"shop": ["done"], "wild": ["done"]}
CANCELLED = {"shop": ["failed", "new (open)"], "wild": ["failed", "new (open)"]}
STOP_S = 10


class Tap:
    number = bad = 0

    @classmethod
    def ok(cls, what, test, *args):
        cls.number += 1
        try:
            more = test(*args) or ""
            print(f"ok {cls.number} - {what}{more}", flush=True)
        except (Broken, subprocess.SubprocessError, OSError) as fault:
            cls.bad += 1
            print(f"not ok {cls.number} - {what}\n# " + str(fault).replace("\n", "\n# "), flush=True)


def must(fine, what):
    if not fine:
        raise Broken(what)


class Proxy:
    """The way to the update server; UPDATEs meet `effect` ("" passes them)."""

    def __init__(self, play, effect=""):
        self.log = os.path.join(play.dir, "proxy.log")
        if os.path.exists(self.log):
            os.remove(self.log)
        words = [f"update={effect}"] if effect else []
        self.child = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "chaos.py"), PROXY, play.server, f"log={self.log}", *words],
                                      stdout=subprocess.PIPE, text=True)
        must(self.child.stdout.readline() == "ready\n", "the proxy does not start")

    def took(self, effect):
        """How many UPDATEs met it."""
        with open(self.log, encoding="utf-8") as f:
            return sum(line.startswith("UPDATE") and line.split()[-1] == effect for line in f)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


class Crash:
    def __init__(self):
        self.play = Play(server=PROXY)
        self.saved, self.end = {}, 0.0
        with Proxy(self.play):
            for i, s in enumerate(STEPS):
                self.saved[i] = self.play.save(str(i))
                began = time.monotonic()
                code, _, err = self.play.step(s)
                must(code in (0, 75), f"{s.title}: exit {code}, undisturbed: {err}")
                self.end = time.monotonic() - began
        self.play.finally_(DONE)
        self.saved[len(STEPS)] = self.play.save("end")

    def start(self, *words, **more):
        return subprocess.Popen(self.play.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)

    def finish(self, first):
        """The steps from there on, undisturbed."""
        with Proxy(self.play):
            for i in range(first, len(STEPS)):
                code, _, err = self.play.step(STEPS[i])
                must(code in (0, 75), f"{STEPS[i].title}: exit {code}: {err}")
                must(self.play.facts() == self.saved[i + 1][2], f"{STEPS[i].title}: {self.play.facts()}, undisturbed: {self.saved[i + 1][2]}")
        self.play.finally_(DONE)

    def stop_at_update(self, words, effect, number, updates=1):
        """Starts it, lets its UPDATEs meet the effect, sends the signal, by which it must die at once."""
        with Proxy(self.play, effect) as proxy:
            child = self.start(*words)
            if not eventually(20, lambda: proxy.took(effect) >= updates or child.poll() is not None) or child.poll() is not None:
                child.kill()
                raise Broken(f"no UPDATE left: {child.communicate()[0]}")
            began = time.monotonic()
            child.send_signal(number)
            try:
                out = child.communicate(timeout=STOP_S)[0]
            except subprocess.TimeoutExpired as fault:
                child.kill()
                child.communicate()
                raise Broken(f"still there {STOP_S} s after signal {number}") from fault
            must("Sanitizer" not in out and "runtime error" not in out, out)
            must(child.returncode == -number, f"exit {child.returncode} after signal {number}: {out}")
            self.play.always()
            return f" ({(time.monotonic() - began) * 1000:.0f} ms)"

    # --- UPDATE sent, no reply

    def reply_held(self, step, effect, number=signal.SIGKILL):
        self.play.restore(self.saved[step])
        took = self.stop_at_update(STEPS[step].words, effect, number)
        must(self.play.rows("select 1 from ledger where state in ('intended', 'leaving')"), "the ledger does not say what was under way")
        self.finish(step)
        return took

    def reply_held_twice(self):
        self.play.restore(self.saved[TO_RECORDS])
        self.stop_at_update(("run",), "hold", signal.SIGKILL, updates=2)
        must(self.play.records() == self.saved[TO_RECORDS + 1][1], "the UPDATEs of both zones were not carried out: this shows nothing")
        with Proxy(self.play, "hold") as proxy:
            code, _, err = self.play.run("run")
            must(code == 75 and not proxy.took("hold"), f"exit {code}; what stands there was not adopted but sent again: {err}")
        must(self.play.facts() == self.saved[TO_RECORDS + 1][2], f"{self.play.facts()}")
        self.finish(TO_RECORDS + 1)

    def cancel_stopped(self, effect, number):
        self.play.restore(self.saved[TO_RECORDS + 1])
        took = self.stop_at_update(("cancel", "shop"), effect, number)
        with Proxy(self.play):
            code, out, err = self.play.run("cancel", "shop")
            must(code == 0, f"cancel again: exit {code}: {out}{err}")
            left = {r[2][4] for r in self.play.records()}
            must(left == {'"wild-code"'}, f"records left after the cancel: {left}")
            code, _, err = self.play.run("cancel", "wild")
            must(code == 0, f"cancel wild: exit {code}: {err}")
            self.play.run("run")
        self.play.finally_(CANCELLED)
        return took

    def txt_stopped(self, number):
        self.play.restore(self.saved[0])
        took = self.stop_at_update(("txt", "add", "_x.example.hk", "value"), "hold", number)
        with Proxy(self.play):
            for words in (("txt", "add", "_x.example.hk", "value"), ("txt", "del", "_x.example.hk", "value")):
                code, _, err = self.play.run(*words)
                must(code == 0, f"{words}: exit {code}: {err}")
        self.play.finally_({})
        return took

    # --- killed in the clean-up

    def installed(self):
        """A checkpoint with a certificate installed whose records are still there, since their server was away; and how long a run takes from there."""
        self.play.restore(self.saved[TO_END])
        self.play.aim("127.0.0.1:9")
        self.play.run("run", "--deadline", "5s")
        self.play.aim(self.play.server)
        must(self.play.rows("select 1 from ledger join orders on orders.id = order_id where orders.state = 'installed' and ledger.state <> 'gone'"),
             "nothing is installed while the records' server is away")
        saved = self.play.save("installed")
        began = time.monotonic()
        self.play.run("run")
        return saved, time.monotonic() - began

    def clean_up(self):
        seed = os.environ.get("CRASH_SEED") or str(random.SystemRandom().randrange(10**6))
        chosen, wanted = random.Random(seed), int(os.environ.get("CRASH_KILLS", "100"))
        kills = orders = in_a_row = 0
        self.play.aim(self.play.server)
        starts = [list(self.installed())] * 3 + [[self.saved[TO_END], self.end]]
        while kills < wanted or in_a_row:
            if not in_a_row:
                start = chosen.choice(starts)
                self.play.restore(start[0])
            child, began = self.start("run"), time.monotonic()
            try:
                out = child.communicate(timeout=chosen.uniform(0, start[1] * 0.8) if kills < wanted else 60)[0]
            except subprocess.TimeoutExpired:
                child.kill()
                out = child.communicate()[0]
            if child.returncode == -signal.SIGKILL:
                kills, in_a_row = kills + 1, in_a_row + 1
                self.play.always(zones=False)
                continue
            must(child.returncode == 0, f"exit {child.returncode} after {in_a_row} kills, CRASH_SEED={seed}: {out}")
            if not in_a_row:
                start[1] = min(start[1], time.monotonic() - began)
            in_a_row, orders = 0, orders + 1
            self.play.finally_(DONE)
        return f": {kills} kills over {orders} orders, CRASH_SEED={seed}"

    # --- started without what a shell gives

    def naked(self):
        """env -i and no descriptor 0, 1, 2: every step of an order."""
        self.play.restore(self.saved[0])
        with Proxy(self.play):
            for i, s in enumerate(STEPS):
                words = [self.play.certificate(s.words[1]) if w == "FILE" else w for w in s.words]
                command = ["/bin/sh", "-c", 'exec env -i "$@" <&- >&- 2>&-', "sh", *self.play.command(*words)]
                code = subprocess.run(command, timeout=60, check=False).returncode
                must(code == (0 if s.words[0] != "run" or i == TO_END else 75), f"{s.title}: exit {code}")
                must(self.play.facts() == self.saved[i + 1][2], f"{s.title}: {self.play.facts()}")
        self.play.finally_(DONE)

    def no_reader(self, words, shell, wanted):
        command = ["/bin/sh", "-c", shell, "sh", *self.play.command(*words)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        must(done.returncode == wanted, f"exit {done.returncode}, wanted {wanted}: {done.stderr}")
        must(wanted == 0 or "standard output" in done.stderr, f"nothing is said: {done.stderr}")

    def reader_gone(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(self.play.command("status"), stdin=subprocess.DEVNULL, stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        os.close(write_end)
        must(done.returncode == 73 and "standard output" in done.stderr, f"exit {done.returncode}: {done.stderr}")

    def no_stdin(self):
        """A secret or value from a closed stdin is none: whatever file was opened first must not be read for it."""
        self.play.restore(self.saved[TO_RECORDS - 2])
        done = subprocess.run(["/bin/sh", "-c", 'exec "$@" <&-', "sh", *self.play.command("code", "shop", "-")], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        must(done.returncode == 2 and "CODE_EMPTY" in done.stdout, f"exit {done.returncode}: {done.stdout}")


def main():
    crash = Crash()
    ok = Tap.ok
    ok("killed after the UPDATE was carried out, before its reply: the next run goes on", crash.reply_held, TO_RECORDS, "hold")
    ok("and adopts what stands there without another UPDATE", crash.reply_held_twice)
    ok("killed with the UPDATE on its way, not carried out", crash.reply_held, TO_RECORDS, "keep")
    ok("killed after the deleting UPDATE, before its reply", crash.reply_held, TO_END, "hold")
    ok("killed with the deleting UPDATE not carried out", crash.reply_held, TO_END, "keep")
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        ok(f"{name} while records are written: dies by it, journalled", crash.reply_held, TO_RECORDS, "hold", getattr(signal, name))
    ok("SIGTERM while records are removed", crash.reply_held, TO_END, "keep", signal.SIGTERM)
    ok("SIGTERM in cancel: dies by it, cancelled again: done", crash.cancel_stopped, "keep", signal.SIGTERM)
    ok("SIGKILL in cancel, records removed: cancelled again: done", crash.cancel_stopped, "hold", signal.SIGKILL)
    ok("SIGINT in txt add: dies by it, added again, deleted", crash.txt_stopped, signal.SIGINT)
    ok("env -i, descriptors 0 to 2 closed: a whole order", crash.naked)
    for words in (("status",), ("status", "--json"), ("csr", "shop"), ("calendar",)):
        ok(f"{' '.join(words)} into a full device", crash.no_reader, words, 'exec "$@" > /dev/full', 73)
        ok(f"{' '.join(words)} without a stdout", crash.no_reader, words, 'exec "$@" >&-', 0)
    ok("a reader that has gone: told, no SIGPIPE", crash.reader_gone)
    ok("no stdin to read a code from", crash.no_stdin)
    ok("killed again and again in the clean-up", crash.clean_up)
    print(f"1..{Tap.number}")
    return 1 if Tap.bad else 0


sys.exit(main())
