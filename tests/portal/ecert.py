"""The e-Cert look: the pages of part C of the CA's user guide. Nested tables without label elements, loose HTML as pages of that age have it."""
from authority import Refused
from forms import Form, text
from office import host_of
from words import Words

HOST, FILES = "www.ecert.test", "www1.ecert.test"
HOME = "/ecert/csr/"
START = HOME + "start.do"
LOCALS = ("admin", "administrator", "webmaster", "hostmaster", "postmaster")
METHODS = {"1": "website", "2": "dns", "3": "email"}
SPECIAL = {"maintenance", "expired", "token", "unknown", "captcha"}
SCRIPT = """<script type="text/javascript">
function copyCode() { var e = document.getElementById("vcode"); if (navigator.clipboard && e) navigator.clipboard.writeText(e.innerText); }
function help() { document.write("<form><input name='x'><input type='submit' value='?'></form>"); return false; }
</script>"""
DOCTYPE = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">'


def landing(visit):
    """The page that this application and session are at."""
    app, session = visit.app, visit.session
    if not app:
        return "login"
    visit.office.settle(app)
    if visit.office.now() < app["checking_until"]:
        return "checking"
    if session.get("at"):
        return session["at"]
    if app["forgetful"] and not session.get("submitted") and app["stage"] in ("requested", "issuing"):
        return "csr"
    if app["stage"] == "confirmed":
        return app["method"] if app["method"] and visit.options["land"] == "page" else "method"
    return {"applied": "confirm", "validated": "csr", "requested": "csr-confirm", "issuing": "issuing", "issued": "done"}[app["stage"]]


# --- what a button does

def act(visit, action, values):
    session, app, office = visit.session, visit.app, visit.office
    session["at"] = session["said"] = None
    try:
        if action == "login":
            visit.enter(office.login(values["reference"], values["pin"], values["server-name"]))
        elif action in ("confirm", "confirm-chinese"):
            office.confirm(app, "chinese" if action == "confirm-chinese" else "english")
        elif action == "choose":
            office.choose(app, METHODS.get(values["method"]))
            session["at"] = app["method"]
        elif action == "check":
            checked(visit, office.check(app, values.get("code", "")))
        elif action == "send-code":
            office.send_code(app, values["local"], values["domain"])
            session.update(at="email", said=["code-sent", app["mail"][-1]["to"]])
        elif action == "submit":
            office.receive(app, values["csr"])
            session["submitted"] = True
        elif action == "issue":
            office.pay(app)
        elif action in ("back-to-method", "back-to-page"):
            session["at"] = "method" if action == "back-to-method" else app["method"]
        elif action == "back-to-csr":
            session["at"] = "csr"
    except Refused as refused:
        session.update(at=session_page(action), said=[str(refused)])


def checked(visit, results):
    good = all(r == "ok" for _, r in results)
    if not good:
        visit.session["at"] = "failed"
    elif visit.options["passed_page"]:
        visit.session["at"] = "passed"
    else:
        visit.session["said"] = ["passed"]


def session_page(action):
    return {"login": "login", "choose": "method"}.get(action, "csr")


# --- pages

def rows(pairs):
    return "".join(f"<tr><td class=l nowrap>{label}<td class=v>{value}</tr>\n" for label, value in pairs)


def said(visit):
    line = visit.session.get("said") if visit.session else None
    return f'<tr><td colspan=2><font color="#cc0000"><b>{text(visit.words(*line))}</b></font>\n' if line else ""


def frame(visit, inside):
    w = visit.words
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={visit.options["charset"]}">\n' if visit.options["told"] != "header" else ""
    return f"""{DOCTYPE}
<html lang="{"en" if w.column else "zh-Hant"}"><head>
{meta}{visit.head()}<title>{text(w("title"))}</title>
<link rel="stylesheet" type="text/css" href="../css/main.css">
{SCRIPT}
</head><body bgcolor="#ffffff">
<table width="780" border=0 cellpadding=0 cellspacing=0><tr><td width=130 valign=top><img src="../images/logo.gif" alt="Hongkong Post e-Cert"><br>
<a href="/ecert/index.html"><img src="../images/home.gif" border=0 alt=""></a>
<td valign=top><img src="../images/banner.jpg" alt="The solution for e-Security"><br>
<h2>{text(w("title"))}</h2>
{inside}
</tr></table>
<hr><p align=center>2007 &copy; | <a href="/ecert/notice.html">{text(w("notice"))}</a> | <a href="/ecert/policy.html">{text(w("policy"))}</a>
</body></html>
"""


def form(visit, page, build, more=""):
    """A page with one form; build(form) gives what stands in it."""
    f = Form(visit.session, page, visit.prefix)
    return frame(visit, visit.around(f.html("step.do", build(f), more)))


def login(visit):
    w = visit.words

    def build(f):
        fields = [(w("server"), ""), (w("server-name"), f.field("server-name", more=" size=40 maxlength=255")), (w("envelope"), ""),
                  (f'{w("reference")}<br><small>{w("reference-hint")}</small>', f.field("reference", more=" size=12 maxlength=9")),
                  (f'{w("pin")}<br><small>{w("pin-hint")}</small>', f.field("pin", "password", " size=22 maxlength=19 autocomplete=off"))]
        chain = "".join(f"<li>{text(w(k))}" for k in ("new-chain-1", "new-chain-2", "new-chain-3"))
        return (f'<p><small>{text(w("privacy"))}</small></p><table border=0>{said(visit)}{rows(fields)}<tr><td><td>{f.button("login", w("submit"))}'
                f'<input type="reset" value="{text(w("reset"))}"></tr></table>\n<p>{text(w("new-chain"))}<ol>{chain}</ol>')
    return form(visit, "login", build, ' name="csrForm"')


def confirm(visit):
    w, app = visit.words, visit.app
    name = visit.alter.get("name") or app["server_name"]
    english, chinese = visit.alter.get("organisation") or app["organisation"], app["organisation_chinese"]
    one = [(w("c-server-name"), text(name))]
    if app["names"]:
        one.append((w("c-names"), "<br>".join(text(n) for n in app["names"] + visit.alter.get("names", []))))
    one += [(w("c-organisation"), f"{text(english)} {text(chinese)}".strip()),
            (w("c-branch"), f'{text(app["branch"])} {text(app["branch_chinese"])}'.strip()),
            (w("c-br"), text(app["br"])), (w("c-ci"), text(app["ci"])), (w("c-other"), text(app["other"]))]
    product = visit.alter.get("product") or app["product"]
    two = [(w("c-type"), text(w(product))), (w("c-period"), w("years", app["years"]))]

    def build(f):
        buttons = f'<p>{text(w("confirm-hint"))} {f.button("confirm", w("confirm"))}'
        if chinese:
            buttons += f'<p>{text(w("chinese-hint"))} {f.button("confirm-chinese", w("confirm-chinese"))}'
        return (f'<table border=1 width="100%"><tr><th colspan=2>{text(w("subscriber"))}</tr>\n{rows(one)}</table>'
                f'<br><table border=1 width="100%"><tr><th colspan=2>{text(w("certificate"))}</tr>\n{rows(two)}</table>{buttons}<p>{text(w("idn-hint"))}')
    return form(visit, "confirm", build)


def method(visit):
    w, office = visit.words, visit.office

    def build(f):
        choices = [(value, w(m)) for value, m in METHODS.items() if m in office.methods(visit.app)]
        return (f'<table border=0>{said(visit)}<tr><td colspan=2>{text(w("choose-hint"))}\n{rows([(w("dcv"), f.select("method", choices))])}</table>'
                f'{f.button("choose", w("continue"))}')
    return form(visit, "method", build)


def shown_hosts(visit):
    """What stands after the label of the host: nobody outside knows which it is."""
    app, how = visit.app, visit.options["hosts"]
    if how == "placeholder":
        return text(visit.words("placeholder"))
    if how == "first":
        return text(host_of(app["server_name"]))
    names = [app["server_name"]] + app["names"] if how == "starred" else visit.office.hosts(app)
    return "<br>".join(text(n) for n in names)


def dns(visit):
    w, app = visit.words, visit.app
    codes = visit.office.codes(app, shown=True)
    value = visit.alter.get("code", None)

    def one():
        code = next(iter(codes.values())) if value is None else value
        pairs = [(w("dns-type"), "TXT"), (w("dns-host"), shown_hosts(visit)), (w("dns-value"), f'<span id="vcode">{text(code)}</span>'), ("TTL:", "3600")]
        return f"<table border=0>{rows(pairs)}</table>"

    def each():
        lines = "".join(f"<tr><td>TXT<td>{text(app['record'] + h)}<td>{text(c)}<td>3600</tr>\n" for h, c in codes.items())
        heads = "".join(f'<th>{w(k).rstrip(":")}' for k in ("dns-type", "dns-host", "dns-value"))
        return f"<table border=1><tr>{heads}<th>TTL</tr>\n{lines}</table>"

    def build(f):
        table = each() if app["codes"] == "name" else one()
        return (f'<table border=0>{rows([(w("dcv"), text(w("dns")))])}</table><p>{text(w("instructions"))}<ol>'
                f'<li><b>{text(w("dns-1"))}</b><br>{w("dns-1-text")}{table}<input type="button" value="{text(w("copy"))}" onclick="copyCode()">'
                f'<li><b>{text(w("dns-2"))}</b>{text(w("dns-2-text"))}<li><b>{text(w("step-confirm"))}</b>{text(w("dns-3-text"))}{text(w("later"))}</ol>'
                f'<center>{f.button("check", w("confirm"))} {f.button("back-to-method", w("back"))}</center>')
    return form(visit, "dns", build)


def website(visit):
    w = visit.words
    visit.office.codes(visit.app, shown=True)
    places = "".join(f"<li>{p}://{text(w('placeholder'))}/.well-known/pki-validation/fileauth.txt" for p in ("http", "https"))

    def build(f):
        return (f'<table border=0>{rows([(w("dcv"), text(w("website")))])}</table><p>{text(w("instructions"))}<ol>'
                f'<li><b>{text(w("web-1"))}</b><br>{text(w("web-1-text"))} (<a href="fileauth.txt">fileauth.txt</a>)'
                f'<li><b>{text(w("web-2"))}</b><br>{text(w("web-2-text"))}<ul>{places}</ul><li><b>{text(w("web-3"))}</b>{text(w("web-3-text"))}'
                f'<li><b>{text(w("step-confirm"))}</b>{text(w("web-4-text"))}{text(w("later"))}</ol>'
                f'<center>{f.button("check", w("confirm"))} {f.button("back-to-method", w("back"))}</center>')
    return form(visit, "website", build)


def email(visit):
    w, hosts = visit.words, visit.office.hosts(visit.app)
    labels = hosts[0].split(".")
    domains = [".".join(labels[n:]) for n in range(len(labels) - 1)]

    def build(f):
        chosen = f'{f.select("local", [(n, n) for n in LOCALS])} @ {f.select("domain", [(d, d) for d in domains])}'
        return (f'<table border=0>{said(visit)}{rows([(w("dcv"), text(w("email")))])}</table><p>{text(w("instructions"))}<ol>'
                f'<li><b>{text(w("mail-1"))}</b><br>{text(w("mail-1-text"))}<br>{chosen} {f.button("send-code", w("send-code"))}'
                f'<li><b>{text(w("step-confirm"))}</b><table border=0>{rows([(w("code"), f.field("code", more=" size=30"))])}</table>'
                f'{text(w("mail-2-text"))}</ol>'
                f'<center>{f.button("check", w("confirm"))} {f.button("back-to-method", w("back"))}</center>')
    return form(visit, "email", build)


def failed(visit):
    w = visit.words
    spelt = {host_of(n): n.removeprefix("*.") for n in [visit.app["server_name"]] + visit.app["names"]}
    lines = "".join(f"<tr><td>{text(spelt[h])}<td>{text(w(r))}</tr>\n" for h, r in visit.app["results"])

    def build(f):
        return (f'<h3>{text(w("failed"))}</h3><p>{text(w("failed-text"))}'
                f'<table border=1><tr><th>{text(w("domain"))}<th>{text(w("result"))}</tr>\n{lines}</table>'
                f'{f.button("back-to-page", w("back"))}')
    return form(visit, "failed", build)


def passed(visit):
    w = visit.words
    return form(visit, "passed", lambda f: f'<h3>{text(w("passed"))}</h3><p>{text(w("passed-text"))}<p>{f.button("continue", w("continue"))}')


def csr(visit):
    w = visit.words

    def build(f):
        return (f'<table border=0>{said(visit)}<tr><td colspan=2>{text(w("csr-hint"))}\n{rows([(w("csr"), f.area("csr"))])}</table>'
                f'{f.button("submit", w("submit"))}<input type="reset" value="{text(w("reset"))}">')
    return form(visit, "csr", build)


def csr_confirm(visit):
    w, app = visit.words, visit.app
    shown = app["csr_shown"]
    chinese = app["language"] == "chinese"
    pairs = [(w("csr-cn"), text(visit.alter.get("name") or shown["cn"])), (w("csr-names"), "<br>".join(text(n) for n in visit.office.names(app))),
             (w("c-organisation"), text(app["organisation_chinese"] if chinese else app["organisation"])),
             (w("csr-bits"), f'{shown["key"]} {w("bits", shown["bits"])}')]

    def build(f):
        return (f'<table border=1>{rows(pairs)}</table><p>{text(w("csr-check"))}<p>'
                f'{f.button("issue", w("confirm"))} {f.button("back-to-csr", w("back"))}')
    return form(visit, "csr-confirm", build)


def waiting(key):
    """The CA works: the page that says so, and loads itself again."""
    def page(visit):
        w = visit.words
        again = '<meta http-equiv="refresh" content="15;url=step.do">'
        return frame(visit, visit.around(f'{again}<p>{text(w(key))}<p><a href="step.do">{text(w("refresh"))}</a>'))
    return page


def done(visit):
    w = visit.words
    ev = "ev_" if visit.app["product"].startswith("ev") else ""
    files = f"http://{FILES}/root/"
    links = [("download.do?type=cert&amp;fmt=1", "get-cert"), (files + "root_ca_3_pem.crt", "get-root"), ("/ecert/doc/guide.pdf", "get-guide")]
    more = [(f"{files}ecert_{ev}ssl_ca_3-17_pem.crt", "get-new"), (f"{files}ecert_{ev}ssl_ca_3-17_pem_old.crt", "get-old"),
            (files + "root_ca_3_x_gscar3_pem.crt", "get-cross")]
    lists = ["".join(f'<li><a href="{visit.link(href)}" target=_blank>{text(w(key))}</a>' for href, key in part) for part in (links, more)]
    return frame(visit, visit.around(f'<p>{text(w("done"))}<ol>{lists[0]}</ol><p><b>{text(w("hint"))}</b><br>{text(w("cross-hint"))}<ul>{lists[1]}</ul>'))


def special(visit, page):
    """Pages that come in between."""
    w = visit.words
    if page == "captcha":
        return form(visit, page, lambda f: f'<p>{text(w("captcha"))}'
                    f'<p><img src="captcha.jpg" alt=""> {f.field("captcha")} {f.button("captcha", w("submit"))}')
    if page == "unknown":
        return form(visit, page, lambda f: f'<h3>{text(w("unknown"))}</h3><p>{text(w("unknown-text"))}<p>{f.button("next", w("next"))}')
    again = f'<p><a href="start.do">{text(w("login-again"))}</a>' if page in ("expired", "token") else ""
    return frame(visit, visit.around(f"<p><b>{text(w(page))}</b>{again}"))


PAGES = {"login": login, "confirm": confirm, "method": method, "dns": dns, "website": website, "email": email, "checking": waiting("checking"),
         "failed": failed, "passed": passed, "csr": csr, "csr-confirm": csr_confirm, "issuing": waiting("issuing"), "done": done}


def render(visit, page):
    return special(visit, page) if page in SPECIAL else PAGES[page](visit)


def words(visit, otherwise):
    return Words(visit.session.get("lang") or visit.options["lang"] if visit.session else visit.options["lang"], otherwise)
