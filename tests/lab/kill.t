#!/usr/bin/python3 -B
"""Killed at each durable point (base/fault.h) of a whole manual order, a renewal, a second code, a cancel and `txt`.

A round: back to the checkpoint before a step, the step killed at its Nth point (each third round: killed there a second time), the step
repeated, the rest played to the end; then the world must look as if nothing had happened (play.py: always, facts, finally_).
Plain: a sample drawn by KILL_SEED, for KILL_SECONDS (40, the undisturbed walk included). KILL_ALL=1: every point. KILL_ONLY=PATH:STEP:POINT[:twice]
repeats one round. KILL_LABS (2) labs run side by side.
"""
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from play import Broken, Play, Step, walk  # noqa: E402

ORDER = [Step("csr shop", "csr", "shop")] + walk({"shop": 'first "code"', "wild": "wild-code"})
AFTER_RECORDS = 1 + next(i for i, s in enumerate(ORDER) if s.title == "run to the records")
DONE = {"shop": ["done"], "wild": ["done"]}
OVER = ("NO_ORDER",)
SAMPLE_LEAST = 8
BEGAN = time.monotonic()

# path: (title, path and step whose checkpoint it starts from, steps, orders in the end)
PATHS = {
    "order": ("a whole order", None, ORDER, DONE),
    "renewal": ("a renewal over a set in use", ("order", len(ORDER)), walk({"wild": "wild-code-2"}), {"shop": ["done"], "wild": ["done", "done"]}),
    "recode": ("a second code", ("order", AFTER_RECORDS),
               [Step("code again", "code", "shop", "second-code"), Step("run to the new records", "run")] + ORDER[AFTER_RECORDS:], DONE),
    "cancel": ("a cancel", ("order", AFTER_RECORDS),
               [Step("cancel shop", "cancel", "shop", may=OVER), Step("run beside it", "run"), Step("cancel wild", "cancel", "wild", may=OVER),
                Step("run after all", "run")], {"shop": ["failed", "new (open)"], "wild": ["failed", "new (open)"]}),
    "txt": ("txt", None,
            [Step("txt add", "txt", "add", "_x.example.hk", "txt value"), Step("txt add at the apex", "txt", "add", "example.hk", "txt apex"),
             Step("txt del", "txt", "del", "_x.example.hk", "txt value", may=("NOT_OURS",)),
             Step("txt del at the apex", "txt", "del", "example.hk", "txt apex", may=("NOT_OURS",))], {}),
}
# From here on a path goes where another has been shown already.
SHOWN = {"recode": 2}


class Rounds:
    def __init__(self):
        self.play = Play()
        self.saved, self.points, self.codes = {}, {}, {}
        self.fresh = self.play.save("fresh")
        for path in PATHS:
            self.clean(path)

    def clean(self, path):
        """Undisturbed: a checkpoint before each step, and the number of its durable points."""
        _, start, steps, orders = PATHS[path]
        self.play.restore(self.saved[start] if start else self.fresh)
        for i, s in enumerate(steps):
            self.saved[path, i] = self.play.save(f"{path}-{i}")
            code, _, err = self.play.step(s, "-vv")
            self.points[path, i] = [m.group(1) for m in re.finditer(r"durable \d+ (\S+)", err)]
            self.codes[path, i] = code
            if code not in (0, 75):
                raise Broken(f"{path}: {s.title}: exit {code}, undisturbed: {err[-2000:]}")
        self.saved[path, len(steps)] = self.play.save(f"{path}-{len(steps)}")
        self.play.finally_(orders)

    def killed(self, path, i, n):
        code, _, err = self.play.step(PATHS[path][2][i], DCVAGENT_KILL=str(n))
        if code == -signal.SIGKILL:
            return True
        self.judge(path, i, code, err)
        return False

    def judge(self, path, i, code, err):
        s = PATHS[path][2][i]
        done_before = any(f"[{word}]" in err for word in s.may)
        if code != self.codes[path, i] and not done_before:
            raise Broken(f"{s.title}: exit {code}, undisturbed {self.codes[path, i]}: {err.strip()[-1500:]}")
        facts, wanted = self.play.facts(), self.saved[path, i + 1][2]
        for what in wanted:
            if facts[what] != wanted[what]:
                raise Broken(f"{s.title}: {what}: {facts[what]}, undisturbed: {wanted[what]}; exit {code} {err.strip()[-1500:]}")
        if s.words[0] in ("run", "cancel", "txt") and self.play.records() != self.saved[path, i + 1][1]:
            raise Broken(f"{s.title}: records {self.play.records()}, undisturbed: {self.saved[path, i + 1][1]}")

    def round(self, path, i, n, twice):
        """True if the process died at that point."""
        _, _, steps, orders = PATHS[path]
        self.play.restore(self.saved[path, i])
        if not self.killed(path, i, n):
            return False
        self.play.always()
        exposed = self.play.exposed()
        if not twice or self.killed(path, i, n):
            code, _, err = self.play.step(steps[i])
            self.judge(path, i, code, err)
        for k in range(i + 1, len(steps)):
            code, _, err = self.play.step(steps[k])
            self.judge(path, k, code, err)
        self.play.finally_(orders)
        after = self.play.exposed()
        lost = [o for o, csr in exposed.items() if after.get(o) != csr]
        if lost:
            raise Broken(f"a CSR that was in the store changed: {lost}")
        return True


def everything(rounds, part, parts):
    """Every point, and on until a process is not killed any more: how many there are depends on what arrives in one turn."""
    for path, (_, _, steps, _) in PATHS.items():
        for i in range(SHOWN.get(path, len(steps))):
            for n in range(1, len(rounds.points[path, i]) + 3):
                if (i + n) % parts == part:
                    yield path, i, n, (i + n) // parts % 3 == 0


def sample(rounds, part, parts, seed):
    """Points drawn from all, until the time is up."""
    chosen = random.Random(seed)
    drawn = [r for r in everything(rounds, part, parts) if r[2] <= len(rounds.points[r[0], r[1]])]
    chosen.shuffle(drawn)
    end = BEGAN + float(os.environ.get("KILL_SECONDS", "40"))
    for number, r in enumerate(drawn):
        if number >= SAMPLE_LEAST and time.monotonic() > end:
            return
        yield r


def one(text):
    words = text.split(":")
    yield words[0], int(words[1]), int(words[2]), "twice" in words


def in_lab(part, parts, seed):
    """Plays a part of the rounds; one JSON line a round on stdout."""
    rounds = Rounds()
    print(json.dumps({"points": {f"{p}:{i}": names for (p, i), names in rounds.points.items()}}), flush=True)
    only = os.environ.get("KILL_ONLY")
    todo = one(only) if only else everything(rounds, part, parts) if os.environ.get("KILL_ALL") else sample(rounds, part, parts, seed)
    for path, i, n, twice in todo:
        fault = ""
        try:
            died = rounds.round(path, i, n, twice)
        except (Broken, subprocess.TimeoutExpired) as broken:
            died, fault = True, str(broken)
        print(json.dumps({"path": path, "step": i, "point": n, "twice": twice, "died": died, "fault": fault}), flush=True)


def report(results, points, seed):
    failed, number = 0, 0
    for path, (title, _, steps, _) in PATHS.items():
        for i, s in enumerate(steps):
            mine = [r for r in results if r["path"] == path and r["step"] == i]
            if not mine:
                continue
            number += 1
            died, bad = [r for r in mine if r["died"]], [r for r in mine if r["fault"]]
            failed += bool(bad)
            print(f"{'not ok' if bad else 'ok'} {number} - {title}: {s.title}: killed at {len(died)} of {len(points.get(f'{path}:{i}', []))} points, "
                  f"{sum(r['twice'] for r in died)} of them twice")
            for r in bad[:5]:
                name = (points.get(f"{path}:{i}", []) + ["?"] * 99)[r["point"] - 1]
                print(f"# KILL_ONLY={path}:{i}:{r['point']}{':twice' if r['twice'] else ''} ({name}): " + r["fault"].replace("\n", "\n#   "))
    rounds = sum(r["died"] for r in results)
    print(f"{'ok' if rounds else 'not ok'} {number + 1} - {rounds} rounds, {sum(bool(r['fault']) for r in results)} failed; KILL_SEED={seed}")
    print(f"1..{number + 1}")
    return failed or not rounds


def main():
    parts = 1 if os.environ.get("KILL_ONLY") else int(os.environ.get("KILL_LABS", "2"))
    seed = os.environ.get("KILL_SEED") or str(random.SystemRandom().randrange(10**6))
    if os.environ.get("LAB_DIR"):
        in_lab(int(os.environ["KILL_PART"]), parts, seed)
        return 0
    labs = [subprocess.Popen([os.path.join(HERE, "up"), "named", "unbound", "--", os.path.abspath(__file__)], stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "KILL_PART": str(p), "KILL_SEED": seed}) for p in range(parts)]
    results, points, wrong = [], {}, 0
    for lab in labs:
        for line in lab.communicate()[0].splitlines():
            r = json.loads(line)
            points.update(r.get("points", {}))
            results += [r] if "path" in r else []
        wrong += lab.returncode != 0
    failed = report(results, points, seed)
    return 1 if failed or wrong else 0


sys.exit(main())
