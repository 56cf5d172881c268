"""What the portal does wrong on demand. A fault is a dict: do=NAME, on=WHERE, times=N (1), skip=N (0: so many right ones first) and arguments.

WHERE: any, GET, POST, PAGE, GET PAGE or POST ACTION.
  Pages: login confirm method dns website email checking failed passed csr csr-confirm issuing done certificate public; second.py has its own.
  Actions: login confirm confirm-chinese choose check send-code submit issue continue back-to-method back-to-page back-to-csr.

Instead of the answer; the POST has no effect, or has it all the same with after=true:
  maintenance unknown captcha expired token   that page; expired: the session is gone, too
  status code=N    redirect url=U    rubbish
The answer as it should be, but on the wire (a POST has its effect):
  cut (closed before the first octet)   cutbody (after half)   stall seconds=N   slow seconds=S (an octet each S)   huge mb=N
  heads (100,000 of them)
In the text of the page:
  word key=K text=T       another wording (words.py; in the second look an action's button, or title)
  rename                  other field names
  refresh url=U           a meta refresh;  link url=U: every link of the last page;  action url=U: where the form goes
  twice                   the first button once more
  decoy hidden=true       a look-alike form before;  scripts: look-alikes in a comment and in a script;  deep n=N: so many elements;  html html=H
  name organisation product code value=V   shown instead of the right one;  names value=[...]: shown beside the right ones
"""
import re
import time

INSTEAD = {"maintenance", "unknown", "captcha", "expired", "token", "status", "redirect", "rubbish"}
WIRE = {"cut", "cutbody", "stall", "slow", "huge", "heads"}
SHOWN = {"name", "organisation", "product", "code", "names"}
TEXT = {"word", "rename", "refresh", "link", "action", "twice", "decoy", "scripts", "deep", "html"} | SHOWN
KNOWN = INSTEAD | WIRE | TEXT


def checked(fault):
    if fault.get("do") not in KNOWN:
        raise ValueError(f"no such fault {fault.get('do')}; known: {' '.join(sorted(KNOWN))}")
    return dict({"on": "any", "times": 1, "skip": 0}, **fault)


def take(pending, method, where):
    """The faults due at this request; each is used up by one."""
    due = []
    for fault in pending:
        if fault["on"] not in ("any", method, where, f"{method} {where}"):
            continue
        if fault["skip"] > 0:
            fault["skip"] -= 1
        elif fault["times"] > 0:
            fault["times"] -= 1
            due.append(fault)
    pending[:] = [f for f in pending if f["times"] > 0]
    return due


def first(due, kinds):
    return next((f for f in due if f["do"] in kinds), None)


class Texts:
    """The text faults of one page, as a look asks for them."""

    def __init__(self, due):
        self.due = [f for f in due if f["do"] in TEXT]

    def of(self, kind):
        return [f for f in self.due if f["do"] == kind]

    def otherwise(self):
        return {f["key"]: f["text"] for f in self.of("word")}

    def alter(self):
        return {f["do"]: f["value"] for f in self.due if f["do"] in SHOWN}

    def prefix(self):
        return "zq" if self.of("rename") else "p"

    def head(self):
        return "".join(f'<meta http-equiv="refresh" content="0;url={f["url"]}">\n' for f in self.of("refresh"))

    def link(self, href):
        return self.of("link")[0]["url"] if self.of("link") else href

    def around(self, inside):
        for f in self.due:
            if f["do"] == "action":
                inside = re.sub(r'(<form method="post" action=")[^"]*', lambda m, f=f: m[1] + f["url"], inside)
            elif f["do"] == "twice":
                inside = re.sub(r'<(?:input|button) type="submit" name="[^"]*"(?: value="1">[^<]*</button>|[^>]*>)',
                                lambda m: m[0] + re.sub(r'name="[^"]*"', 'name="p99"', m[0]), inside, count=1)
            elif f["do"] == "decoy":
                style = ' style="display:none"' if f.get("hidden", True) else ""
                inside = f"<div{style}>{look_alike(inside)}</div>{inside}"
            elif f["do"] == "scripts":
                alike = look_alike(inside)
                inside = f"<!-- {alike.replace('--', '')} --><script>var kept = {alike.replace('</script', '')!r};</script>{inside}"
            elif f["do"] == "deep":
                inside = "<div>" * int(f["n"]) + inside + "</div>" * int(f["n"])
            elif f["do"] == "html":
                inside = f["html"] + inside
        return inside


def look_alike(inside):
    """The page's form, going elsewhere under other names."""
    return re.sub(r'name="[a-z_]+', 'name="decoy', re.sub(r'(<form method="post" action=")[^"]*', r"\1/decoy", inside))


def send(handler, head, body, fault):
    """The answer, on a wire that is at fault."""
    out = handler.connection
    if fault["do"] == "cut":
        pass
    elif fault["do"] == "cutbody":
        out.sendall(head + body[:len(body) // 2])
    elif fault["do"] == "stall":
        time.sleep(float(fault["seconds"]))
        out.sendall(head + body)
    elif fault["do"] == "slow":
        for octet in head + body:
            out.sendall(bytes([octet]))
            time.sleep(float(fault["seconds"]))
    elif fault["do"] == "heads":
        out.sendall(head[:-2] + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(100000)) + b"\r\n" + body)
    handler.close_connection = True
