#!/usr/bin/python3 -B
"""tests/lab/up named unbound portal -- tests/portal/save_pages.py [FOLDER]: walks the portal and keeps its pages as a browser saves them.

FOLDER (pages/ here): tc-*.html as a browser's "complete" form leaves them (its comment, absolute addresses), en-*, big5-* and harbour-*.html as they
came. Tokens are replaced, so that a page changes only when the server does.
"""
import os
import re
import sys
import urllib.parse

import drive
from drive import PIN, REFERENCE, Person, control, csr, txt

HERE = os.path.dirname(os.path.abspath(__file__))
SHOP = {"reference": REFERENCE, "server_name": "www.example.hk", "names": ["example.hk", "電子核證.hk"], "product": "multi-domain",
        "code": "0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c1e", "subscription_end": "2099-05-31"}
ONE = {"reference": "987654321", "server_name": "*.example.hk", "product": "wildcard", "code": "d41d8cd98f00b204e9800998ecf8427e",
       "subscription_end": "2099-05-31"}
PLAIN = {"reference": "555555555", "server_name": "www.example.hk", "code": "7215ee9c7d9dc229d2921a40e899ec5f", "subscription_end": "2099-05-31"}


class Saver:
    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def keep(self, name, page):
        data = re.sub(rb'(name="_(?:tk|pg)" value=")[0-9a-f]+', rb"\g<1>5f1c", page.data)
        data = re.sub(rb"(<code>)[0-9a-f]{32}", rb"\g<1>00112233445566778899aabbccddeeff", data)
        if name.startswith("tc-"):
            at = page.url.encode()
            data = data.replace(b"\n<html", b"\n<!-- saved from url=(%04d)%s -->\n<html" % (len(at), at), 1)
            data = re.sub(rb'( (?:href|src|action)=")([^"]*)', lambda m: m[1] + urllib.parse.urljoin(page.url, m[2].decode()).encode(), data)
        with open(os.path.join(self.folder, name + ".html"), "wb") as f:
            f.write(data)


def walk(saver, lang):
    """Every page of a multi-domain order, right and wrong."""
    keep = lambda name: saver.keep(f"{lang}-{name}", p.page)
    control("reset", {})
    control("application", dict(SHOP, issue_seconds=3600))
    p = Person(lang)
    p.get(p.start)
    keep("login")
    p.login("www.example.hk", pin="9" * 16)
    keep("login-wrong-pin")
    p.login("www.example.hk")
    keep("confirm")
    p.push("confirm")
    keep("method")
    p.push("continue", dcv=p.words("dns"))
    keep("dns")
    txt(f"add www.example.hk {SHOP['code']}")
    control("change", {"reference": REFERENCE, "check_seconds": 3600})
    p.push("confirm")
    keep("checking")
    control("change", {"reference": REFERENCE, "check_seconds": 0, "checking_until": 0})
    p.get("step.do")
    keep("failed")
    p.push("back")
    txt(f"add example.hk {SHOP['code']}", f"add xn--i8s431aqn1ad1j.hk {SHOP['code']}")
    control("options", {"passed_page": True})
    p.push("confirm")
    keep("passed")
    txt(*(f"delete {n} {SHOP['code']}" for n in ("www.example.hk", "example.hk", "xn--i8s431aqn1ad1j.hk")))
    p.push("continue")
    keep("csr")
    p.push("submit", csr="no CSR")
    keep("csr-refused")
    p.push("submit", csr=csr("www.example.hk"))
    keep("csr-confirm")
    p.push("confirm")
    keep("issuing")
    control("options", {"clock": 3601, "session_seconds": 9999})
    p.get("step.do")
    keep("done")
    others(saver, lang)


def others(saver, lang):
    """The other methods and products, and what comes in between."""
    keep = lambda name: saver.keep(f"{lang}-{name}", p.page)
    control("reset", {})
    for app in (dict(ONE), dict(PLAIN, names=[]), dict(PLAIN, reference="444444444", government=True)):
        control("application", app)
    p = Person(lang)
    p.login("*.example.hk", "987654321")
    keep("confirm-wildcard")
    p.push("confirm-chinese")
    keep("method-wildcard")
    p.push("continue", dcv=p.words("email"))
    p.push("send-code")
    keep("email")
    p.login("www.example.hk", "555555555")
    p.push("confirm")
    p.push("continue", dcv=p.words("website"))
    keep("website")
    p.login("www.example.hk", "444444444")
    p.push("confirm")
    keep("csr-government")
    for page in ("maintenance", "captcha", "unknown", "token", "expired"):
        control("fault", {"do": page, "on": "GET csr"})
        p.get("step.do")
        keep(page)
    if lang == "tc":
        control("options", {"charset": "big5", "told": "meta"})
        control("change", {"reference": "555555555", "stage": "applied", "method": None})
        p.login("www.example.hk", "555555555")
        saver.keep("big5-confirm", p.page)
        p.push("confirm")
        p.push("continue", dcv=p.words("dns"))
        saver.keep("big5-dns", p.page)


def harbour(saver):
    control("reset", {})
    control("application", dict(SHOP, look="harbour", code=None))
    p = Person()
    p.get(os.environ["LAB_PORTAL2_URL"])
    keep = lambda name: saver.keep(f"harbour-{name}", p.page)
    keep("order-number")
    p.press("Next", {"Order number": REFERENCE})
    keep("key")
    p.press("Sign in", {"Access key": PIN})
    keep("details")
    p.press("Save and go on", {"The details above are correct": "yes"})
    keep("request")
    p.press("Upload", {"Signing request": csr("www.example.hk")})
    keep("methods")
    p.press("Use this way", {"DNS record": ""})
    keep("records")
    codes = drive.counters()["codes_now"]
    txt(*(f"add _harbour.{h} {c}" for h, c in codes.items() if h != "example.hk"))
    p.press("Verify all")
    keep("records-failed")
    txt(f"add _harbour.example.hk {codes['example.hk']}")
    p.press("Verify all")
    keep("ready")
    txt(*(f"delete _harbour.{h}" for h in codes))


def main(folder=os.path.join(HERE, "pages")):
    saver = Saver(folder)
    for lang in ("tc", "en"):
        walk(saver, lang)
    harbour(saver)
    control("reset", {})


if __name__ == "__main__":
    main(*sys.argv[1:])
