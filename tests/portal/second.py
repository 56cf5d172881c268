"""Another CA, invented: one that shares no word, no page order and no field with the e-Cert look. Harbour Trust asks for the CSR before it validates,
gives one code a name, published below a label of its own, has labels and radio buttons, and a login in two pages. It issues as soon as all names hold."""
from authority import Refused
from forms import Form, text
from words import Words

HOST = "portal.harbour.test"
HOME = START = "/"
METHODS = {"dns": "DNS record", "website": "File on the web server", "email": "E-mail to the domain's administrator"}
PRODUCTS = {"standard": "Organisation SSL", "wildcard": "Organisation SSL Wildcard", "multi-domain": "Organisation SSL Multi-Name",
            "ev": "Extended SSL", "ev-multi-domain": "Extended SSL Multi-Name"}
STATUS = {"ok": "Verified", "dcv-absent": "Not found", "dcv-other": "Different value found", "dcv-error": "Name server failure",
          "dcv-expired": "Value expired",
          "dcv-code": "Wrong code"}
SAID = {"wrong-pin": "We do not recognise this order number and access key.", "used-pin": "This access key was already used.",
        "locked": "Sign-in to this order is suspended. Call our help desk.", "csr-bad": "This is not a certificate signing request.",
        "csr-key": "Keys must be RSA with at least 2048 bits.", "csr-name": "The common name is not the one you ordered.",
        "csr-country": "The country must be HK.", "method": "Choose one of the methods.", "unchecked": "Please tick the box."}
SPECIAL = {"maintenance": "We will be back soon: planned works.",
           "expired": "You were signed out for inactivity.", "token": "This step was already taken.",
           "unknown": "Meet our new mobile app!", "captcha": "Prove that you are human."}


def landing(visit):
    app, session = visit.app, visit.session
    if not app:
        return "key" if session.get("order") else "order-number"
    visit.office.settle(app)
    if session.get("at"):
        return session["at"]
    if app["stage"] in ("confirmed", "validated") and not app["csr"]:
        return "request"
    if app["stage"] == "confirmed":
        return {"dns": "records", "website": "file", "email": "mail"}.get(app["method"], "methods")
    return {"applied": "details", "issuing": "working", "issued": "ready"}[app["stage"]]


def act(visit, action, values):
    session, app, office = visit.session, visit.app, visit.office
    session["at"] = session["said"] = None
    try:
        if action == "number":
            session["order"] = values["reference"]
        elif action == "login":
            visit.enter(office.login(session.pop("order"), values["pin"]))
        elif action == "confirm":
            if "correct" not in values:
                raise Refused("unchecked")
            office.confirm(app, values["language"])
        elif action == "submit":
            office.receive(app, values["csr"])
        elif action == "choose":
            office.choose(app, values.get("method"))
        elif action == "send-code":
            office.send_code(app, *values["address"].split("@"))
        elif action == "check":
            office.check(app, values.get("code", ""))
        elif action == "other-method":
            session["at"] = "methods"
        if app and app["stage"] == "validated" and app["csr"]:
            office.pay(app)
    except Refused as refused:
        session["said"] = [str(refused)]


def frame(visit, title, inside):
    said = visit.session.get("said") if visit.session else None
    alert = f'<p role="alert">{text(SAID[said[0]])}</p>' if said else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">{visit.head()}<title>{text(visit.words.otherwise.get("title", title))} | Harbour Trust</title></head>
<body><header><nav><a href="/">Harbour Trust</a> <a href="/help">Help</a></nav></header>
<main><h1>{text(visit.words.otherwise.get("title", title))}</h1>{alert}
{visit.around(inside)}
</main></body></html>
"""


def form(visit, page, title, build):
    f = Form(visit.session, page, visit.prefix)
    return frame(visit, title, f.html("/step", build(f)))


def said(visit, key, usual):
    return visit.words.otherwise.get(key, usual)


def order_number(visit):
    return form(visit, "order-number", "Welcome", lambda f: "".join(f.labelled("reference", "Order number"))
                + f.button_element("number", said(visit, "number", "Next")))


def key(visit):
    return form(visit, "key", "Sign in", lambda f: "".join(f.labelled("pin", "Access key", "password"))
                + f.button_element("login", said(visit, "login", "Sign in")))


def details(visit):
    app = visit.app
    names = [visit.alter.get("name") or app["server_name"]] + app["names"]
    terms = [("Common name", names[0]), ("Product", PRODUCTS[app["product"]]), ("Valid until", app["subscription_end"])]
    if names[1:]:
        terms.insert(1, ("Further names", ", ".join(names[1:])))
    shown = "".join(f"<dt>{t}</dt><dd>{text(v)}</dd>" for t, v in terms)
    choices = [("english", visit.alter.get("organisation") or app["organisation"]), ("chinese", app["organisation_chinese"])]

    def build(f):
        radios = "".join(f"{i} {label}<br>" for i, label in f.radios("language", [c for c in choices if c[1]], "english"))
        label, box = f.labelled("correct", "The details above are correct", "checkbox", ' value="yes"')
        return (f'<dl>{shown}</dl><fieldset><legend>Organisation in the certificate</legend>{radios}</fieldset>'
                f'{box} {label} {f.button_element("confirm", said(visit, "confirm", "Save and go on"))}')
    return form(visit, "details", "Your order", build)


def request(visit):
    def build(f):
        wire = f.name("fields", "csr")
        return (f'<label for="r">Signing request (PEM)</label><textarea id="r" name="{wire}"></textarea>'
                f'{f.button_element("submit", said(visit, "submit", "Upload"))}')
    return form(visit, "request", "Signing request", build)


def methods(visit):
    def build(f):
        radios = "".join(f"<p>{i} {label}</p>" for i, label in f.radios("method", [(m, METHODS[m]) for m in visit.office.methods(visit.app)]))
        return (f'<fieldset><legend>How will you prove control?</legend>{radios}</fieldset>'
                f'{f.button_element("choose", said(visit, "choose", "Use this way"))}')
    return form(visit, "methods", "Proof of control", build)


def records(visit):
    app = visit.app
    codes, results = visit.office.codes(app, shown=True), dict(app["results"])
    lines = "".join(f"<tr><th scope=row>{text(h)}</th><td>{text(app['record'] + h)}</td><td><code>{text(c)}</code></td>"
                    f"<td>{text(STATUS.get(results.get(h), 'Waiting'))}</td></tr>" for h, c in codes.items())
    return form(visit, "records", "Publish these TXT records", lambda f: (
        f"<table><thead><tr><th>Domain</th><th>Record name</th><th>Record data</th><th>Status</th></tr></thead><tbody>{lines}</tbody></table>"
        f'{f.button_element("other-method", "Other way")} {f.button_element("check", said(visit, "check", "Verify all"))}'))


def file(visit):
    codes = visit.office.codes(visit.app, shown=True)
    lines = "".join(f"<tr><th>{text(h)}</th><td><code>{text(c)}</code></td></tr>" for h, c in codes.items())
    return form(visit, "file", "Publish these files", lambda f: f'<table>{lines}</table>{f.button_element("check", said(visit, "check", "Verify all"))}')


def mail(visit):
    addresses = [f"{local}@{visit.office.hosts(visit.app)[0]}" for local in ("admin", "hostmaster", "postmaster")]

    def build(f):
        radios = "".join(f"{i} {label}<br>" for i, label in f.radios("address", [(a, a) for a in addresses], addresses[0]))
        return (f'{radios}{f.button_element("send-code", "Send me a code")}<hr>{"".join(f.labelled("code", "Code from the e-mail"))}'
                f'{f.button_element("check", said(visit, "check", "Verify all"))}')
    return form(visit, "mail", "E-mail", build)


def working(visit):
    return frame(visit, "We are preparing your certificate", '<p>This takes a few minutes.</p>')


def ready(visit):
    links = [("/certificate", "Your certificate"), ("/ca/ecert_ssl_ca_3-17_pem.crt", "Issuing CA"), ("/ca/root_ca_3_pem.crt", "Root CA")]
    return frame(visit, "Your certificate is ready", "<ul>" + "".join(f'<li><a href="{visit.link(h)}" download>{t}</a></li>' for h, t in links) + "</ul>")


PAGES = {"order-number": order_number, "key": key, "details": details, "request": request, "methods": methods,
         "records": records, "file": file, "mail": mail,
         "working": working, "ready": ready}


def render(visit, page):
    if page in SPECIAL:
        return frame(visit, SPECIAL[page], '<p><a href="/">Start page</a></p>')
    return PAGES[page](visit)


def words(_, otherwise):
    return Words("en", otherwise)
