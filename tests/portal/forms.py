"""HTML forms as servers of this kind send them: fields and buttons whose names say nothing, a hidden token that is good for one POST.

What a name means is kept in the session beside the token, so that names can change from one page to the next.
"""
import html
import secrets

KEPT = 12  # forms a session remembers


def text(value):
    return html.escape(str(value), quote=True)


class Form:
    def __init__(self, session, page, prefix="p"):
        self.token, self.prefix = secrets.token_hex(12), prefix
        self.record = {"page": page, "fields": {}, "buttons": {}, "used": False}
        session["forms"][self.token] = self.record
        for old in list(session["forms"])[:-KEPT]:
            del session["forms"][old]

    def name(self, table, meaning):
        wire = f"{self.prefix}{len(self.record['fields']) + len(self.record['buttons']) + 1:02d}"
        self.record[table][wire] = meaning
        return wire

    def field(self, meaning, kind="text", more=""):
        return f'<input type="{kind}" name="{self.name("fields", meaning)}"{more}>'

    def labelled(self, meaning, words, kind="text", more=""):
        """(label, input), tied together by an id."""
        wire = self.name("fields", meaning)
        return f'<label for="i-{wire}">{words}</label>', f'<input type="{kind}" id="i-{wire}" name="{wire}"{more}>'

    def area(self, meaning, more=""):
        return f'<textarea name="{self.name("fields", meaning)}" rows="12" cols="70"{more}></textarea>'

    def select(self, meaning, choices):
        options = "".join(f'<option value="{text(v)}">{text(t)}</option>' for v, t in choices)
        return f'<select name="{self.name("fields", meaning)}">{options}</select>'

    def radios(self, meaning, choices, chosen=None):
        """[(input, label)] of one name."""
        wire = self.name("fields", meaning)
        return [(f'<input type="radio" id="{wire}-{n}" name="{wire}" value="{text(v)}"{" checked" if v == chosen else ""}>',
                 f'<label for="{wire}-{n}">{text(t)}</label>') for n, (v, t) in enumerate(choices)]

    def button(self, action, words):
        return f'<input type="submit" name="{self.name("buttons", action)}" value="{text(words)}">'

    def button_element(self, action, words):
        return f'<button type="submit" name="{self.name("buttons", action)}" value="1">{text(words)}</button>'

    def html(self, action, inside, more=""):
        return (f'<form method="post" action="{text(action)}"{more}><input type="hidden" name="_tk" value="{self.token}">'
                f'<input type="hidden" name="_pg" value="{secrets.token_hex(3)}">{inside}</form>')


class Values(dict):
    """What was typed: a field that was not sent is empty."""

    def __missing__(self, _):
        return ""


def sent(session, data):
    """(record, {meaning: value}, action, [faults]) of what a client posted: {wire name: [values]}. record None: the token is none of ours."""
    record = session["forms"].get(data.get("_tk", [""])[0]) if session else None
    if not record:
        return None, {}, "", []
    faults = [f"{name} sent {len(values)} times" for name, values in data.items() if len(values) > 1]
    pressed = [record["buttons"][n] for n in data if n in record["buttons"]]
    if len(pressed) != 1:
        faults.append(f"{len(pressed)} buttons pressed")
    faults += [f"unknown field {n}" for n in data if n not in record["fields"] and n not in record["buttons"] and n not in ("_tk", "_pg")]
    faults += [f"{n} missing" for n in ("_pg",) if n not in data]
    values = Values({meaning: data[wire][0] for wire, meaning in record["fields"].items() if wire in data})
    return record, values, pressed[0] if pressed else next(iter(record["buttons"].values()), ""), faults
