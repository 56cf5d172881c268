"""A person's browser, small: pages with their forms as a person sees them (labels, button texts), cookies, redirects inside one set of hosts."""
import html.parser
import http.client
import re
import socket
import ssl
import urllib.parse

VOID = {"checkbox", "radio"}


class Page(html.parser.HTMLParser):
    """forms: [{action, fields: {name: value}, labels: {label: name}, buttons: [(text, name, value)], choices: {name: {text: value}}}];
    links: {text: href}."""

    def __init__(self, url, status, headers, data):
        super().__init__(convert_charrefs=True)
        self.url, self.status, self.headers, self.data = url, status, headers, data
        charset = re.search(r"charset=([\w-]+)", headers.get("Content-Type") or "") or re.search(r"charset=([\w-]+)", data[:1024].decode("latin-1"))
        self.text = data.decode(charset[1] if charset else "latin-1", "replace")
        self.charset = charset[1] if charset else "latin-1"
        self.forms, self.links, self.said = [], {}, ""
        self.cell = self.before = ""
        self.open_link = self.open_button = self.open_label = self.area = self.option = self.select = None
        self.tied = []
        self.feed(self.text)
        for form in self.forms:
            form["labels"].update({" ".join(words.split()): form["ids"][at] for at, words in self.tied if at in form["ids"]})

    def label(self):
        return " ".join((self.cell.strip() or self.before).split())

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag in ("td", "th", "tr"):
            self.before, self.cell = self.cell.strip() or self.before, ""
        elif tag == "form":
            self.forms.append({"action": a["action"], "fields": {}, "labels": {}, "buttons": [], "choices": {}, "ids": {}})
        elif tag == "a" and "href" in a:
            self.open_link = [a["href"], ""]
        elif tag == "label":
            self.open_label = [a.get("for"), ""]
        elif self.forms and tag in ("input", "textarea", "select", "button", "option"):
            self.control(tag, a, self.forms[-1])

    def control(self, tag, a, form):
        kind = a.get("type", "text") if tag == "input" else tag
        if kind == "submit" or (kind == "button" and a.get("type") == "submit"):
            form["buttons"].append((a.get("value", ""), a["name"], a.get("value", "")))
            self.open_button = [a["name"], a.get("value", ""), ""] if tag == "button" else None
        elif kind == "option":
            self.option = [self.select, a.get("value"), ""]
            form["choices"].setdefault(self.select, {})
        elif kind in VOID:
            form["ids"][a["id"]] = (a["name"], a["value"])
            if "checked" in a:
                form["fields"][a["name"]] = a["value"]
        elif kind not in ("button", "reset"):
            form["fields"][a["name"]] = a.get("value", "")
            form["ids"][a.get("id", a["name"])] = a["name"]
            if kind != "hidden":
                form["labels"][self.label()] = a["name"]
            self.select = a["name"] if kind == "select" else self.select
            self.area = a["name"] if kind == "textarea" else None

    def handle_data(self, data):
        self.said += data
        self.cell += data
        for part in (self.open_link, self.open_label, self.open_button, self.option):
            if part:
                part[-1] += data

    def handle_endtag(self, tag):
        if tag == "a" and self.open_link:
            self.links[self.open_link[1].strip()] = self.open_link[0]
            self.open_link = None
        elif tag == "label" and self.open_label:
            self.tied.append(tuple(self.open_label))
            self.open_label = None
        elif tag == "button" and self.open_button:
            name, value, words = self.open_button
            self.forms[-1]["buttons"] = [b for b in self.forms[-1]["buttons"] if b[1] != name] + [(words.strip(), name, value)]
            self.open_button = None
        elif tag == "option" and self.option:
            select, value, words = self.option
            self.forms[-1]["choices"][select][words.strip()] = value
            if len(self.forms[-1]["choices"][select]) == 1:
                self.forms[-1]["fields"][select] = value
            self.option = None

    def values(self):
        """{label: text} of the rows of two cells."""
        cells = re.findall(r"<td[^>]*>(.*?)<td[^>]*>(.*?)(?=</tr|<tr)", self.text, re.S | re.I)
        plain = lambda s: html.unescape(re.sub(r"<[^>]*>", " ", s)).strip()
        return {plain(a): plain(b) for a, b in cells}


class Browser:
    def __init__(self, address, ca_file, port=443):
        self.address, self.port = address, port
        self.tls = ssl.create_default_context(cafile=ca_file)
        self.cookies, self.page = {}, None

    def request(self, method, url, data=None):
        """One exchange: Page. OSError and http.client's faults are the caller's."""
        at = urllib.parse.urlsplit(url)
        plain = at.scheme == "http"
        if plain:
            web = http.client.HTTPConnection(self.address, 80, timeout=20)
        else:
            web = http.client.HTTPSConnection(at.hostname, timeout=20, context=self.tls)
            web._create_connection = lambda _, timeout, source: socket.create_connection((self.address, self.port), timeout)
        headers = {"Host": at.hostname, "User-Agent": "portal-selftest"}
        cookies = "; ".join(f"{k}={v}" for k, v in self.cookies.get(at.hostname, {}).items())
        if cookies and not plain:
            headers["Cookie"] = cookies
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            web.request(method, at.path + (f"?{at.query}" if at.query else ""), data, headers)
            reply = web.getresponse()
            body = reply.read()
        finally:
            web.close()
        for line in reply.headers.get_all("Set-Cookie") or []:
            name, value = line.split(";")[0].split("=", 1)
            self.cookies.setdefault(at.hostname, {})[name] = value
        return Page(url, reply.status, reply.headers, body)

    def get(self, url, method="GET", data=None):
        url = urllib.parse.urljoin(self.page.url if self.page else "", url)
        for _ in range(4):
            page = self.request(method, url, data)
            if page.status != 302:
                break
            method, data, url = "GET", None, urllib.parse.urljoin(url, page.headers["Location"])
        self.page = page
        return page

    def file(self, link):
        """What a link of this page leads to; the page stays."""
        return self.request("GET", urllib.parse.urljoin(self.page.url, self.page.links[link])).data

    def filled(self, button, values, form=0):
        """(url, body) of a form with these values by label (a part of it is enough), and this button."""
        form = self.page.forms[form]
        data = dict(form["fields"])
        for label, value in values.items():
            found = {n for words, n in form["labels"].items() if words == label} or {n for words, n in form["labels"].items() if label in words}
            if len(found) != 1:
                raise ValueError(f"{len(found)} fields are called {label}; there are {sorted(form['labels'])}")
            name = found.pop()
            if isinstance(name, tuple):
                data[name[0]] = name[1]
            else:
                data[name] = form["choices"].get(name, {}).get(value, value)
        pressed = [(n, v) for words, n, v in form["buttons"] if words == button]
        if len(pressed) != 1:
            raise ValueError(f"{len(pressed)} buttons say {button}; there are {form['buttons']}")
        data.update(pressed)
        return urllib.parse.urljoin(self.page.url, form["action"]), urllib.parse.urlencode(data, encoding=self.page.charset)

    def press(self, button, values=None, form=0):
        url, data = self.filled(button, values or {}, form)
        return self.get(url, "POST", data)
