#!/usr/bin/python3 -B
"""tests/lab/up named unbound portal -- tests/portal/selftest.py: the simulated portal is itself walked, with real records, to certificates; its
faults and counters are seen to do what faults.py and office.py say. TAP."""
import contextlib
import filecmp
import http.client
import http.server
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import save_pages
from drive import PIN, REFERENCE, Person, control, counters, csr, log, txt

HERE = os.path.dirname(os.path.abspath(__file__))
PKI = os.environ["LAB_PORTAL_PKI"]
IDN = "xn--i8s431aqn1ad1j.hk"
count, bad = [0], [0]


def is_(what, got, wanted):
    count[0] += 1
    if got == wanted:
        print(f"ok {count[0]} - {what}")
    else:
        bad[0] += 1
        print(f"not ok {count[0]} - {what}\n# got:    {got}\n# wanted: {wanted}")


def begin(**app):
    control("reset", {})
    return control("application", dict({"reference": REFERENCE}, **app))


def show(certificate, *options):
    command = ["openssl", "x509", "-noout", "-nameopt", "utf8,-esc_msb,sep_comma_plus_space", *options]
    return subprocess.run(command, input=certificate, stdout=subprocess.PIPE, check=True).stdout.decode()


def names(certificate):
    return sorted(n.strip()[4:] for n in show(certificate, "-ext", "subjectAltName").splitlines()[1].split(","))


def verified(certificate, *untrusted, root="root"):
    with tempfile.NamedTemporaryFile() as f:
        f.write(certificate)
        f.flush()
        options = [w for u in untrusted for w in ("-untrusted", f"{PKI}/{u}.pem")]
        return subprocess.run(["openssl", "verify", "-purpose", "sslserver", "-CAfile", f"{PKI}/{root}.pem", *options, f.name], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode == 0


@contextlib.contextmanager
def published(code, *hosts):
    txt(*(f"add {h} {code}" for h in hosts))
    yield
    txt(*(f"delete {h} {code}" for h in hosts))


def code_now():
    return next(iter(counters()["codes_now"].values()))


def to_certificate(person, server_name, chinese=False):
    """From the CSR page on; the certificate's octets."""
    person.push("submit", csr=csr(server_name))
    person.push("confirm")
    return person.file(person.words("get-cert"))


# --- whole walks

def walk_standard():
    begin(server_name="www.example.hk")
    p = Person()
    p.to_dns("www.example.hk", pin="1234 5678 9012 3456")
    values = p.page.values()
    is_("the DNS page shows host, value and TTL",
        [values[p.words(k)] for k in ("dns-type", "dns-host")] + [values["TTL:"]], ["TXT", "www.example.hk", "3600"])
    is_("and a code of 128 bits", len(values[p.words("dns-value")]), 32)
    p.push("confirm")
    is_("without the record the check fails, naming the name", p.page.values().get("www.example.hk"), p.words("dcv-absent"))
    p.push("back")
    with published("another", "www.example.hk"):
        p.push("confirm")
        is_("another value is told as such", p.page.values().get("www.example.hk"), p.words("dcv-other"))
        p.push("back")
        with published(code_now(), "www.example.hk"):
            p.push("confirm")
    is_("with it, beside others, comes the CSR page", (p.at(), p.words("passed") in p.page.text), ("csr", True))
    certificate = to_certificate(p, "www.example.hk")
    is_("certificate: names", names(certificate), ["www.example.hk"])
    is_("certificate: subject", show(certificate, "-subject").strip(), "subject=C=HK, O=Example Limited, CN=www.example.hk")
    is_("certificate: 199 days", "days=199" if subprocess.run(["openssl", "x509", "-noout", "-checkend", str(198 * 86400)], input=certificate,
        stdout=subprocess.DEVNULL, check=False).returncode == 0 else "less", "days=199")
    is_("verifies by the new intermediate, and by the cross certificate",
        (verified(certificate, "new"), verified(certificate, "new", "cross", root="other-root")),
        (True, True))
    got = counters()
    is_("counters", {k: got[k] for k in ("logins", "confirms", "checks", "failed_checks", "csrs", "paid", "issued", "downloads", "codes", "violations")},
        {"logins": 1, "confirms": 1, "checks": 3, "failed_checks": 2, "csrs": 1, "paid": 1, "issued": 1, "downloads": 1, "codes": 1, "violations": 0})
    for link in ("get-root", "get-new", "get-old", "get-cross"):
        is_(f"plain http: {link}", show(p.file(p.words(link)), "-subject").startswith("subject=C=HK"), True)
    p.login("www.example.hk")
    is_("who comes back after the issue sees the last page", p.at(), "done")


def walk_wildcard():
    begin(server_name="*.example.hk", product="wildcard", organisation_chinese="示例／甲+乙有限公司")
    p = Person("en")
    p.login("*.example.hk")
    is_("English: type", p.page.values()[p.words("c-type")], p.words("wildcard"))
    p.push("confirm-chinese")
    is_("a wildcard is not offered the website", list(p.page.forms[0]["choices"].values())[0], {p.words("dns"): "2", p.words("email"): "3"})
    p.push("continue", dcv=p.words("dns"))
    with published(code_now(), "example.hk"):
        p.push("confirm")
    certificate = to_certificate(p, "*.example.hk")
    is_("wildcard and base in one certificate", names(certificate), ["*.example.hk", "example.hk"])
    is_("Chinese organisation", show(certificate, "-subject").strip(), "subject=C=HK, O=示例／甲+乙有限公司, CN=*.example.hk")


def walk_multi():
    begin(server_name="www.電子核證.hk", names=["example.hk", "www.example.com"], product="ev-multi-domain", subscription_end=time.strftime("%Y-%m-%d",
          time.gmtime(time.time() + 50 * 86400)))
    p = Person()
    p.login(f"WWW.{IDN}.")
    is_("a Chinese server name may be typed as A-label, it is shown as ordered", p.page.values()[p.words("c-server-name")], "www.電子核證.hk")
    is_("the further names are shown", p.page.values()[p.words("c-names")].split(), ["example.hk", "www.example.com"])
    p.push("confirm")
    is_("multi-domain is not offered e-mail", list(list(p.page.forms[0]["choices"].values())[0]), [p.words("website"), p.words("dns")])
    p.push("continue", dcv=p.words("dns"))
    with published(code_now(), f"www.{IDN}", "www.example.com"):
        p.push("confirm")
        values = p.page.values()
        is_("one of three fails", [values[n] for n in ("www.電子核證.hk", "example.hk", "www.example.com")],
            [p.words("ok"), p.words("dcv-other"), p.words("ok")])
        p.push("back")
        with published(code_now(), "example.hk"):
            p.push("confirm")
    certificate = to_certificate(p, "www.電子核證.hk")
    is_("EV, three names", names(certificate), ["example.hk", "www.example.com", f"www.{IDN}"])
    is_("by the EV intermediate only", (verified(certificate, "ev-new"), verified(certificate, "new")), (True, False))
    end = show(certificate, "-enddate").strip().partition("=")[2]
    days = (time.mktime(time.strptime(end, "%b %d %H:%M:%S %Y GMT")) - time.time()) / 86400
    is_("not beyond the subscription's end", 47 < days < 51, True)


def walk_government():
    begin(server_name="www.example.hk", government=True)
    p = Person()
    p.login("www.example.hk")
    p.push("confirm")
    is_("a government order comes to the CSR at once", p.at(), "csr")
    is_("and to its certificate", names(to_certificate(p, "www.example.hk")), ["www.example.hk"])
    is_("unchecked", counters()["checks"], 0)


def walk_website():
    begin(server_name="www.example.hk")
    p = Person()
    p.login("www.example.hk")
    p.push("confirm")
    p.push("continue", dcv=p.words("website"))
    body = p.file("fileauth.txt")
    p.push("confirm")
    is_("no web server: failed", p.at(), "failed")
    p.push("back")

    class Web(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path == "/.well-known/pki-validation/fileauth.txt" and self.headers["Host"] == "www.example.hk"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    web = http.server.HTTPServer(("192.0.2.80", 80), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    p.push("confirm")
    web.shutdown()
    is_("the file at its place: passed", p.at(), "csr")


def walk_email():
    begin(server_name="www.example.hk")
    p = Person()
    p.login("www.example.hk")
    p.push("confirm")
    p.push("continue", dcv=p.words("email"))
    p.push("send-code")
    is_("the code is mailed to the address chosen", counters()["mail"][0]["to"], "admin@www.example.hk")
    p.push("confirm", code="wrong")
    is_("a wrong code", p.page.values().get("www.example.hk"), p.words("dcv-code"))
    p.push("back")
    p.push("confirm", code=counters()["mail"][0]["code"])
    is_("the right one", p.at(), "csr")


def walk_harbour():
    begin(server_name="www.example.hk", names=["example.hk"], product="multi-domain", look="harbour")
    p = Person()
    p.get(os.environ["LAB_PORTAL2_URL"])
    p.press("Next", {"Order number": REFERENCE})
    p.press("Sign in", {"Access key": PIN})
    p.press("Save and go on")
    is_("second look: the box must be ticked", "tick the box" in p.page.text, True)
    p.press("Save and go on", {"The details above are correct": "yes", "示例有限公司": ""})
    p.press("Upload", {"Signing request": csr("www.example.hk")})
    p.press("Use this way", {"DNS record": ""})
    codes = counters()["codes_now"]
    is_("second look: a code a name, all shown", [c in p.page.text for c in codes.values()] + [len(set(codes.values()))], [True, True, 2])
    with published(codes["www.example.hk"], "_harbour.www.example.hk"):
        p.press("Verify all")
        is_("second look: one name fails", [line for line in ("Verified", "Not found") if line in p.page.text], ["Verified", "Not found"])
        with published(codes["example.hk"], "_harbour.example.hk"):
            p.press("Verify all")
    certificate = p.file("Your certificate")
    is_("second look: certificate", (names(certificate), "示例有限公司" in show(certificate, "-subject")), (["example.hk", "www.example.hk"], True))
    got = counters()
    is_("second look: counters", (got["paid"], got["csrs"], got["checks"], got["violations"]), (1, 1, 2, 0))


# --- rules

def pins():
    begin(server_name="www.example.hk")
    p = Person()
    for n in range(6):
        p.login("www.example.hk", pin=f"{n:016d}")
        is_(f"wrong PIN {n + 1}", p.words("locked" if n == 5 else "wrong-pin") in p.page.text, True)
    p.login("www.example.hk")
    is_("locked for the right one, too", (p.at(), p.words("locked") in p.page.text), ("login", True))
    got = counters()
    is_("counted for each PIN", (got["wrong_pins"], got["most_wrong"], got["locked"], got["logins"]), (5, 1, True, 0))
    begin(pin_use="login")
    p.login("www.example.hk")
    is_("good for one login", p.at(), "confirm")
    p.login("www.example.hk")
    is_("and no more", p.words("used-pin") in p.page.text, True)
    begin(pin_use="always", government=True)
    p.login("www.example.hk")
    p.push("confirm")
    to_certificate(p, "www.example.hk")
    p.login("www.example.hk")
    is_("the same PIN begins the next certificate", p.at(), "confirm")
    p.login("www.other.hk")
    is_("the server name must fit", p.at(), "login")


def codes():
    begin(server_name="www.example.hk")
    p = Person()
    p.to_dns("www.example.hk")
    first = code_now()
    p.login("www.example.hk")
    is_("on return the same page with the same code", (p.at(), code_now() == first), ("dns", True))
    control("options", {"land": "method"})
    p.login("www.example.hk")
    is_("or the methods, if so wished", p.at(), "method")
    control("options", {"land": "page", "clock": 31 * 86400, "session_seconds": 1 << 30})
    p.login("www.example.hk")
    is_("after 30 days another code", code_now() == first, False)
    control("change", {"reference": REFERENCE, "code_born": 0})
    with published(code_now(), "www.example.hk"):
        p.push("confirm")
        is_("a code that ran out is told as such", p.page.values().get("www.example.hk"), p.words("dcv-expired"))
    begin(code_changes=True)
    p.to_dns("www.example.hk")
    shown = code_now()
    p.get("step.do")
    is_("a code that changes each time it is shown", code_now() == shown, False)
    begin(server_name="www.example.hk", check_seconds=3600)
    p.to_dns("www.example.hk")
    p.push("confirm")
    is_("a check may take its time", p.at(), "checking")
    control("options", {"clock": 3601, "session_seconds": 1 << 30})
    p.get("step.do")
    is_("then it is told", p.at(), "failed")
    begin(codes="name", names=["mail.example.hk"], product="multi-domain")
    p.to_dns("www.example.hk")
    is_("a code a name", [c in p.page.text for c in set(counters()["codes_now"].values())], [True, True])


def csrs():
    begin(government=True)
    p = Person()
    p.login("www.example.hk")
    p.push("confirm")
    broken = csr("www.example.hk")
    wrong = {"csr-bad": ["no CSR", broken[:200] + ("A" if broken[200] != "A" else "B") + broken[201:]], "csr-name": [csr("mail.example.hk")],
             "csr-key": [csr("www.example.hk", "p256"), csr("www.example.hk", "rsa:1024")], "csr-country": [csr("www.example.hk", country="CN")]}
    for why, requests in wrong.items():
        for request in requests:
            p.push("submit", csr=request)
            is_(f"refused: {why}", p.words(why) in p.page.text, True)
    is_("none of them counts as submitted", [counters()[k] for k in ("csrs", "refused_csrs", "paid")], [0, 6, 0])


def forms():
    begin(server_name="www.example.hk")
    p = Person()
    p.login("www.example.hk")
    url, data = p.filled(p.words("confirm"), {})
    p.get(url, "POST", data)
    p.get(url, "POST", data)
    is_("a form sent twice has no second effect", (p.words("token") in p.page.text, counters()["confirms"], counters()["violations"]), (True, 1, 1))
    p.get("step.do")
    url, data = p.filled(p.words("continue"), {})
    p.get(url, "POST", data + "&p77=1")
    is_("an unknown field is noticed", counters()["violations"], 2)
    for how, shown in (("names", f"www.example.hk {IDN}"), ("first", "www.example.hk"), ("placeholder", "[域名]"), ("starred", "www.example.hk 電子核證.hk")):
        begin(server_name="www.example.hk", names=["電子核證.hk"], product="multi-domain")
        control("options", {"hosts": how, "redirect": False})
        p.to_dns("www.example.hk")
        is_(f"host shown: {how}, and no redirect",
            (" ".join(p.page.values()[p.words("dns-host")].split()), p.page.url.endswith("step.do")), (shown, True))
    for charset, told in (("big5", "meta"), ("big5", "header"), ("utf-8", "meta"), ("utf-8", "header")):
        begin(server_name="www.電子核證.hk")
        control("options", {"charset": charset, "told": told})
        p.login("www.電子核證.hk")
        is_(f"{charset} by {told}", (p.page.charset, p.page.values()[p.words("c-type")]), (charset, p.words("standard")))


# --- faults

def cut():
    begin(government=True)
    p = Person()
    p.login("www.example.hk")
    p.push("confirm")
    p.push("submit", csr=csr("www.example.hk"))
    control("fault", {"do": "cut", "on": "POST issue"})
    try:
        p.push("confirm")
        is_("the connection is cut", "answered", "cut")
    except (OSError, http.client.HTTPException):
        is_("the connection is cut after the CSR was accepted", counters()["paid"], 1)
    p.login("www.example.hk")
    is_("who looks sees that it is issued", p.at(), "done")
    begin(government=True, forgetful=True, issue_seconds=60)
    p.login("www.example.hk")
    p.push("confirm")
    p.push("submit", csr=csr("www.example.hk"))
    is_("a forgetful portal knows the CSR while one stays", p.at(), "csr-confirm")
    p.login("www.example.hk")
    is_("and shows the CSR page to who comes back", p.at(), "csr")


def instead():
    for do, wanted in (("maintenance", "maintenance"), ("unknown", "unknown"), ("captcha", "captcha"), ("expired", "expired"), ("token", "token")):
        begin(server_name="www.example.hk")
        p = Person()
        p.login("www.example.hk")
        control("fault", {"do": do, "on": "POST confirm"})
        p.push("confirm")
        is_(f"{do} instead of the confirmation", (p.words(wanted) in p.page.text, counters()["confirms"]), (True, 0))
        p.login("www.example.hk")
        control("fault", {"do": do, "on": "POST", "after": True})
        p.push("confirm")
        is_(f"{do} after it", (p.words(wanted) in p.page.text, counters()["confirms"]), (True, 1))
    control("fault", {"do": "redirect", "url": "https://evil.ecert.test/x", "on": "GET login"})
    is_("redirect", p.request("GET", p.start).headers["Location"], "https://evil.ecert.test/x")
    begin(server_name="www.example.hk")
    control("fault", [{"do": "status", "code": 500, "skip": 1}, {"do": "maintenance", "times": 2, "on": "login", "skip": 2}])
    is_("skip and times", [p.get(p.start).status for _ in range(5)], [200, 500, 503, 503, 200])
    is_("an unknown fault is refused", "error" in control("fault", {"do": "nonsense"}), True)


def texts():
    begin(server_name="www.example.hk")
    p = Person()

    def page(**fault):
        control("calm", {})
        control("fault", dict(fault, on="GET login"))
        return p.get(p.start)
    is_("word", [b[0] for b in page(do="word", key="submit", text="傳送").forms[0]["buttons"]], ["傳送"])
    is_("rename", all(n.startswith(("zq", "_")) for n in page(do="rename").forms[0]["fields"]), True)
    is_("twice", [b[0] for b in page(do="twice").forms[0]["buttons"]], [p.words("submit")] * 2)
    is_("action", page(do="action", url="https://evil.ecert.test/").forms[0]["action"], "https://evil.ecert.test/")
    is_("decoy", [f["action"] for f in page(do="decoy").forms], ["/decoy", "step.do"])
    is_("scripts", [f["action"] for f in page(do="scripts").forms], ["step.do"])
    is_("refresh", 'content="0;url=https://evil.ecert.test/"' in page(do="refresh", url="https://evil.ecert.test/").text, True)
    is_("deep", page(do="deep", n=5000).text.count("<div>"), 5000)
    is_("html", "<b>more</b>" in page(do="html", html="<b>more</b>").text, True)
    is_("huge", len(page(do="huge", mb=3).data) > 3 << 20, True)
    control("fault", {"do": "name", "value": "www.evil.hk", "on": "confirm"})
    p.login("www.example.hk")
    is_("name", p.page.values()[p.words("c-server-name")], "www.evil.hk")
    for do in ("cutbody", "heads", "rubbish"):
        try:
            got = page(do=do).text[:9]
        except (OSError, http.client.HTTPException) as fault:
            got = type(fault).__name__
        is_(f"{do} is no page", got.startswith("<!DOCTYPE"), False)
    began = time.monotonic()
    page(do="stall", seconds=1)
    is_("stall", time.monotonic() - began >= 1, True)
    control("calm", {})


def wrong_certificates():
    for kind, fault in (("otherkey", "key"), ("missing", "names"), ("extra", "names"), ("expired", "dates"), ("organisation", "organisation")):
        begin(government=True, cert=kind)
        p = Person()
        p.login("www.example.hk")
        p.push("confirm")
        certificate = to_certificate(p, "www.example.hk")
        with open(os.path.join(os.environ["LAB_DIR"], "key"), encoding="ascii") as f:
            key = subprocess.run(["openssl", "pkey", "-pubout"], input=f.read(), text=True, stdout=subprocess.PIPE, check=True).stdout
        found = {"key": show(certificate, "-pubkey") != key, "names": names(certificate) != ["www.example.hk"], "dates": not verified(certificate, "new"),
                 "organisation": "Another Company" in show(certificate, "-subject")}
        is_(f"certificate: {kind}", [k for k, v in found.items() if v], [fault])
    for form, start in (("der", b"\x30\x82"), ("crlf", b"-----BEGIN CERTIFICATE-----\r\n"), ("text", b"\xef\xbb\xbfCertificate:"),
                        ("p7b", b"-----BEGIN PKCS7-----"),
                        ("html", b"<html>")):
        control("change", {"reference": REFERENCE, "cert_format": form})
        is_(f"certificate as {form}", p.file(p.words("get-cert"))[:len(start)], start)
    control("options", {"files": {"ecert_ssl_ca_3-17_pem.crt": "old"}})
    is_("the file of the new intermediate may hold the old one", "Extended Key" in show(p.file(p.words("get-new")), "-text"), False)


# --- the server

def origins():
    begin()
    for port in (444, 445, 446):
        try:
            Person(port=port).get(os.environ["LAB_PORTAL_URL"])
            is_(f"port {port}", "accepted", "refused")
        except ssl.SSLCertVerificationError:
            is_(f"port {port}: its certificate is refused", True, True)
    with contextlib.suppress(OSError, http.client.HTTPException):
        web = http.client.HTTPConnection("198.51.100.9", 80, timeout=5)
        web.request("GET", "/")
        web.getresponse()
    is_("a trap counts its visitors", counters()["traps"], 1)


def restart():
    begin(server_name="www.example.hk")
    p = Person()
    p.to_dns("www.example.hk")
    code = code_now()
    p.login("www.example.hk")
    stranger = Person()
    stranger.login("www.example.hk", pin="9" * 16)
    before = counters()
    folder = os.environ["LAB_PORTAL_DIR"]
    os.unlink(os.path.join(folder, "ready"))
    os.kill(int(os.environ["LAB_PORTAL_PID"]), signal.SIGKILL)
    child = subprocess.Popen([os.path.join(HERE, "portal.py"), folder, os.environ["LAB_PORTAL"], "203.0.113.16"])
    end = time.monotonic() + 20
    while not os.path.exists(os.path.join(folder, "ready")) and time.monotonic() < end:
        time.sleep(0.05)
    p.get("step.do")
    is_("after a restart the same counters", counters(), before)
    is_("after a restart the same session, page and code", (p.at(), p.page.values()[p.words("dns-value")]), ("dns", code))
    return child


def saved():
    with tempfile.TemporaryDirectory() as at:
        save_pages.main(at)
        kept = os.path.join(HERE, "pages")
        same, other, missing = filecmp.cmpfiles(at, kept, sorted(set(os.listdir(at)) | set(os.listdir(kept))), shallow=False)
        is_(f"the {len(same)} saved pages are as the portal shows them (save_pages.py makes them)", other + missing, [])


def main():
    for test in (walk_standard, walk_wildcard, walk_multi, walk_government, walk_website, walk_email, walk_harbour,
                 pins, codes, csrs, forms, cut, instead, texts,
                 wrong_certificates, origins, saved):
        try:
            test()
        except Exception:  # pylint: disable=broad-except
            is_(f"{test.__name__} runs through", "\n#".join(traceback.format_exc().splitlines() + [str(e) for e in log()[-6:]]), "")
    child = restart()
    child.kill()
    child.wait()
    print(f"1..{count[0]}")
    sys.exit(1 if bad[0] else 0)


if __name__ == "__main__":
    main()
