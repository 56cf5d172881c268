"""The office behind the pages: applications, PINs, validation codes, checks, certificates. It knows nothing of HTML; looks (ecert.py, second.py) ask it.

An application is a dict, kept in FOLDER/applications/REFERENCE.json (docs of its keys: DEFAULTS). Its stage:
applied -> confirmed -> [method chosen, checked] -> validated -> requested (a CSR waits for its confirmation) -> issuing -> issued.
At the other CA (second.py) the CSR comes before the check, and issue follows the check.
"""
import copy
import datetime
import json
import os
import secrets
import threading
import time

import checks
from authority import Authority, Refused
from kept import Kept

PRODUCTS = {  # product: methods that hold for it, in the order of the page
    "standard": ("website", "dns", "email"), "wildcard": ("dns", "email"), "multi-domain": ("website", "dns"),
    "ev": ("website", "dns", "email"), "ev-multi-domain": ("website", "dns"),
}
PIN_TRIES = 5
CODE_DAYS = 30
LONGEST_DAYS = 199
DEFAULTS = {
    "pin": "1234567890123456", "server_name": "www.example.hk", "names": [], "product": "standard", "government": False,
    "organisation": "Example Limited", "organisation_chinese": "示例有限公司", "branch": "Information Technology Branch", "branch_chinese": "資訊科技部",
    "br": "12345678-000", "ci": "", "other": "", "years": 1, "subscription_end": None,
    "pin_use": "order",       # order: until the certificate is issued, then it shows it | login: one login only | always: begins the next one too
    "codes": "order",         # one code an order, or one a name (name)
    "code": None,             # given instead of a random one (one code an order)
    "code_changes": False,    # a new code each time the page is shown; only the last one counts
    "code_seconds": CODE_DAYS * 86400,
    "record": "",             # where TXT records are looked for: "" at the name, "_label." before it
    "dcv_fail": 0,            # so many checks fail, whatever stands in DNS
    "dcv_fail_names": None,   # only these hosts do
    "check_seconds": 0,       # how long the CA's check takes
    "issue_seconds": 0,       # how long the CA works on the certificate
    "forgetful": False,       # an accepted CSR is not shown on return: the CSR page comes again until the certificate is there
    "csr_refuse": None,       # a reason of words.py (csr-...)
    "cert": "",               # what is wrong with the certificate: authority.py
    "cert_format": "pem",     # pem der crlf text p7b chain html
    "days": None,
    "look": "ecert",          # whose pages: ecert | harbour
}
HARBOUR = {"codes": "name", "record": "_harbour."}  # what is different at the other CA
ZERO = {"logins": 0, "wrong_pins": 0, "confirms": 0, "checks": 0, "failed_checks": 0, "csrs": 0, "refused_csrs": 0,
        "paid": 0, "issued": 0, "downloads": 0, "codes": 0, "codes_sent": 0}


def ascii_name(name):
    """As in DNS: A-labels, lower case; names that are none stay as they are."""
    try:
        return name.strip().rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        return name.strip().lower()


def host_of(name):
    return ascii_name(name).removeprefix("*.")


COMMON = {"faults": [], "options": {}, "clock": 0, "violations": 0, "traps": 0, "tries": {}}


class Office:
    def __init__(self, folder, resolver):
        self.dir, self.resolver = folder, resolver
        self.lock = threading.RLock()
        self.ca = Authority(os.path.join(folder, "pki"))
        self.applications, self.sessions = (Kept(os.path.join(folder, n)) for n in ("applications", "sessions"))
        self.kept = Kept(os.path.join(folder, "office"))
        self.common = self.kept.setdefault("common", {})
        for key, value in COMMON.items():
            self.common.setdefault(key, copy.deepcopy(value))

    def path(self, name):
        return os.path.join(self.dir, name)

    def save(self):
        for kept in (self.kept, self.applications, self.sessions):
            kept.save()

    def log(self, **entry):
        for key in ("violation", "trap"):
            if key in entry:
                self.common[key + "s"] += 1
        with open(self.path("log"), "a", encoding="utf-8") as f:
            f.write(json.dumps(dict(entry, time=round(time.time(), 3)), ensure_ascii=False) + "\n")

    def now(self):
        return time.time() + self.common["clock"]

    # --- applications

    def create(self, given):
        unknown = set(given) - set(DEFAULTS) - {"reference"}
        if unknown:
            raise ValueError(f"an application has no {sorted(unknown)}")
        app = dict(DEFAULTS, **dict(HARBOUR if given.get("look") == "harbour" else {}, **given))
        app["reference"] = str(given.get("reference") or secrets.randbelow(900000000) + 100000000)
        app["pin"] = app["pin"].replace(" ", "")
        if app["product"] not in PRODUCTS:
            raise ValueError(f"products: {' '.join(PRODUCTS)}")
        if (app["product"] == "wildcard") != app["server_name"].startswith("*."):
            raise ValueError("*. and the product wildcard go together")
        if app["names"] and "multi-domain" not in app["product"]:
            raise ValueError("only multi-domain has more names")
        app.update(count=dict(ZERO), checks=[], mail=[], certificates=[], subscription_end=app["subscription_end"] or self.in_a_year(app["years"]))
        self.begin(app)
        self.applications[app["reference"]] = app
        return app

    def in_a_year(self, years):
        return time.strftime("%Y-%m-%d", time.gmtime(self.now() + years * 365 * 86400))

    def begin(self, app):
        """A certificate of the subscription is to be had: everything from the confirmation page on."""
        app.update(stage="applied", language=None, method=None, code_table={}, code_born=0, csr=None,
                   wrong=0, used=False, ready_at=0, results=[], checking_until=0)

    def change(self, given):
        app = self.applications[str(given.pop("reference"))]
        unknown = set(given) - set(app)
        if unknown:
            raise ValueError(f"an application has no {sorted(unknown)}")
        app.update(given)
        return app

    def names(self, app):
        """What the certificate will hold, the subject's name first."""
        if app["product"] == "wildcard":
            return [ascii_name(app["server_name"]), host_of(app["server_name"])]
        return list(dict.fromkeys(ascii_name(n) for n in [app["server_name"]] + app["names"]))

    def hosts(self, app):
        return list(dict.fromkeys(host_of(n) for n in self.names(app)))

    def methods(self, app):
        return PRODUCTS[app["product"]]

    # --- login

    def login(self, reference, pin, server_name=None):
        """The application; Refused names the text of words.py."""
        reference, pin = reference.strip(), "".join(pin.split())
        tries = self.common["tries"].setdefault(reference, {}).setdefault(pin, {"right": 0, "wrong": 0})
        app = self.applications.get(reference)
        if app and app["wrong"] >= PIN_TRIES:
            tries["wrong"] += 1
            raise Refused("locked")
        if not app or pin != app["pin"] or (server_name is not None and ascii_name(server_name) != ascii_name(app["server_name"])):
            tries["wrong"] += 1
            if app:
                app["wrong"] += 1
                app["count"]["wrong_pins"] += 1
            raise Refused("wrong-pin")
        if app["pin_use"] == "login" and app["used"]:
            tries["wrong"] += 1
            raise Refused("used-pin")
        tries["right"] += 1
        app["count"]["logins"] += 1
        app.update(wrong=0, used=True)
        if app["pin_use"] == "always" and app["stage"] == "issued" and app["count"]["downloads"] >= app["count"]["issued"]:
            self.begin(app)
        return app

    # --- the way of an application

    def settle(self, app):
        if app["stage"] == "issuing" and self.now() >= app["ready_at"]:
            app["stage"] = "issued"

    def confirm(self, app, language):
        app["count"]["confirms"] += 1
        app["language"] = language
        app["stage"] = "validated" if app["government"] else "confirmed"

    def choose(self, app, method):
        if method not in self.methods(app):
            raise Refused("method")
        app["method"] = method

    def codes(self, app, shown=False):
        """{host: code}; new ones when there are none, they ran out, or they change each time they are shown."""
        if not app["code_table"] or self.code_expired(app) or (shown and app["code_changes"]):
            one = app["code"] or secrets.token_hex(16)
            each = app["codes"] == "name"
            app["code_table"] = {h: secrets.token_hex(16) if each else one for h in self.hosts(app)}
            app["code_born"] = self.now()
            app["count"]["codes"] += 1
        return app["code_table"]

    def code_expired(self, app):
        return bool(app["code_table"]) and self.now() > app["code_born"] + app["code_seconds"]

    def check(self, app, typed=""):
        """The CA looks by itself. [(host, result)]; result: ok, or a text of words.py (dcv-...)."""
        app["count"]["checks"] += 1
        if self.code_expired(app):
            results = [(h, "dcv-expired") for h in self.hosts(app)]
            self.codes(app)
        elif app["method"] == "email":
            wanted = app["mail"][-1]["code"] if app["mail"] else None
            good = wanted is not None and typed.strip() == wanted
            results = [(h, "ok" if good else "dcv-code") for h in self.hosts(app)]
        else:
            look = checks.website if app["method"] == "website" else checks.txt
            results = [(h, look(self.resolver, app["record"] + h if look is checks.txt else h, code)) for h, code in self.codes(app).items()]
        if app["dcv_fail"]:
            app["dcv_fail"] -= 1
            blamed = app["dcv_fail_names"] or self.hosts(app)
            results = [(h, "dcv-absent" if h in blamed else r) for h, r in results]
        app["results"], app["checking_until"] = results, self.now() + app["check_seconds"]
        app["checks"].append({"at": round(self.now(), 3), "method": app["method"], "results": dict(results)})
        if all(r == "ok" for _, r in results):
            app["stage"] = "validated"
        else:
            app["count"]["failed_checks"] += 1
        return results

    def send_code(self, app, local, domain):
        app["count"]["codes_sent"] += 1
        app["mail"].append({"to": f"{local}@{domain}", "code": secrets.token_hex(8), "at": self.now()})

    def receive(self, app, csr):
        """A CSR: refused, or it waits for its confirmation."""
        try:
            if app["csr_refuse"]:
                raise Refused(app["csr_refuse"])
            parsed = self.ca.parse(csr)
            if ascii_name(parsed["cn"]) != ascii_name(app["server_name"]):
                raise Refused("csr-name")
        except Refused:
            app["count"]["refused_csrs"] += 1
            raise
        app["count"]["csrs"] += 1
        app["csr"], app["csr_shown"] = csr, parsed
        if app["look"] == "ecert":
            app["stage"] = "requested"

    def pay(self, app):
        """The CSR is confirmed: from here on it costs."""
        app["count"]["paid"] += 1
        app["count"]["issued"] += 1
        days = (datetime.datetime.strptime(app["subscription_end"], "%Y-%m-%d") - datetime.datetime.utcfromtimestamp(self.now())).days
        days = app["days"] or max(1, min(LONGEST_DAYS, days))
        organisation = app["organisation_chinese"] if app["language"] == "chinese" else app["organisation"]
        pem = self.ca.issue(app["csr"], self.names(app), organisation, days, app["product"].startswith("ev"), self.common["clock"], app["cert"])
        app["certificates"].append(pem)
        app["ready_at"] = self.now() + app["issue_seconds"]
        app["stage"] = "issuing"
        self.settle(app)

    def counters(self, reference):
        app = self.applications[reference]
        tries = self.common["tries"].get(reference, {})
        return dict(app["count"], stage=app["stage"], method=app["method"], language=app["language"], locked=app["wrong"] >= PIN_TRIES,
                    tries=tries, most_wrong=max((t["wrong"] for t in tries.values()), default=0), checks_at=[c["at"] for c in app["checks"]],
                    results=[c["results"] for c in app["checks"]], mail=app["mail"], codes_now=app["code_table"], violations=self.common["violations"],
                    traps=self.common["traps"])
