"""The CA's own eyes: DNS through its own resolver, web sites by plain http. Results: ok, or a text of words.py."""
import http.client
import re
import subprocess

TRIES = ["+time=2", "+tries=2"]
FILE = "/.well-known/pki-validation/fileauth.txt"
FILE_MAX = 4096


def dig(resolver, name, kind):
    """(rcode, [rdata]) of the answer; rcode "" if there was none."""
    command = ["dig", "+noall", "+answer", "+comments", *TRIES, f"@{resolver}", name, kind]
    out = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True).stdout
    rcode = re.search(r"status: (\w+)", out)
    rows = [line.split(None, 4) for line in out.splitlines() if line and not line.startswith(";")]
    return rcode[1] if rcode else "", [r[4] for r in rows if len(r) == 5 and r[3] == kind]


def strings(rdata):
    """The one text that a TXT record's strings make."""
    return "".join(re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], s) for s in re.findall(r'"((?:[^"\\]|\\.)*)"', rdata))


def txt(resolver, name, code):
    rcode, found = dig(resolver, name, "TXT")
    if code in [strings(r) for r in found]:
        return "ok"
    if rcode not in ("NOERROR", "NXDOMAIN"):
        return "dcv-error"
    return "dcv-other" if found else "dcv-absent"


def website(resolver, name, code):
    for address in dig(resolver, name, "A")[1]:
        web = http.client.HTTPConnection(address, 80, timeout=5)
        try:
            web.request("GET", FILE, headers={"Host": name})
            reply = web.getresponse()
            body = reply.read(FILE_MAX).decode("latin-1").strip()
        except (OSError, http.client.HTTPException):
            continue
        finally:
            web.close()
        return "ok" if reply.status == 200 and body == code else "dcv-other"
    return "dcv-absent"
