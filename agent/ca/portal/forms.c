/* forms.c: what a browser would send when a button is pressed (HTML: constructing the entry list, form submission). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/portal/charset.h"
#include "ca/portal/html_impl.h"
#include "ca/portal/wording.h"

/* One boundary for all: a value that holds it is refused. */
#define BOUNDARY "----formboundary-6f1d0c58a3b94e27"

enum { BODY_MAX = 4 << 20 };

struct entry {
    char *name;
    uint8_t *value;
    size_t n;
    bool file;
};

struct sending {
    const struct page *p;
    const xmlNode *form, *button;
    const struct page_fill *fill;
    size_t n_fill, used;
    const char *charset;
    struct entry *entry;
    size_t n;
    struct err *e;
};

static bool refuse(struct sending *s, const xmlNode *control, const char *what)
{
    char *name = control ? attr(control, "name") : NULL, safe[64];

    err_set(s->e, RC_PAGES, "PORTAL_FORM", "%s%s%s: nothing was pressed; mend the description, or go on by hand",
            name ? text_safe(safe, sizeof safe, name, strlen(name)) : "the form", name ? ": " : " ", what);
    free(name);
    return false;
}

static const xmlNode *by_id(const struct page *p, const char *id)
{
    for (size_t i = 0; i < p->forms.n; i++)
        if (attr_same(node_in(p->forms.p[i]), "id", id))
            return node_in(p->forms.p[i]);
    return NULL;
}

static const xmlNode *owner(const struct page *p, const xmlNode *control)
{
    char *id = attr(control, "form");
    const xmlNode *form = id ? by_id(p, id) : above(control, "form");

    free(id);
    return form;
}

static void add_octets(struct sending *s, const char *name, const void *value, size_t n, bool file)
{
    if ((s->n & (s->n - 1)) == 0)
        s->entry = mem_grow(s->entry, s->n ? s->n * 2 : 1, sizeof *s->entry);
    s->entry[s->n++] = (struct entry){.name = mem_str(name), .value = mem_copy(value, n), .n = n, .file = file};
}

static void add(struct sending *s, const char *name, const char *value)
{
    add_octets(s, name, value, strlen(value), false);
}

static const struct page_fill *fill_of(struct sending *s, const xmlNode *control)
{
    for (size_t i = 0; i < s->n_fill; i++)
        if (node_in(s->fill[i].control) == control ||
            (is_element(node_in(s->fill[i].control), "option") && above(node_in(s->fill[i].control), "select") == control))
            return &s->fill[i];
    return NULL;
}

/* Another radio button of the same name is filled in: this one is off. */
static bool switched_off(struct sending *s, const xmlNode *radio, const char *name)
{
    for (size_t i = 0; i < s->n_fill; i++) {
        const xmlNode *other = node_in(s->fill[i].control);

        if (other != radio && is_type(other, "radio") && owner(s->p, other) == s->form && attr_same(other, "name", name))
            return true;
    }
    return false;
}

static void add_box(struct sending *s, const xmlNode *n, const char *name, bool filled)
{
    char *value;

    if (!filled && (!attr_has(n, "checked") || (is_type(n, "radio") && switched_off(s, n, name))))
        return;
    value = attr(n, "value");
    add(s, name, value ? value : "on");
    free(value);
}

static char *option_value(const xmlNode *option)
{
    char *value = attr(option, "value");

    return value ? value : shown_text(option, 0);
}

static bool is_option(const xmlNode *n)
{
    const xmlNode *group = above(n, "optgroup");

    return is_element(n, "option") && !attr_has(n, "disabled") && !(group && attr_has(group, "disabled"));
}

/* The option that is meant, by its text, else its value. NULL: none, or several. */
static const xmlNode *option_named(const xmlNode *select, const char *wanted)
{
    const xmlNode *found = NULL;

    for (int by_value = 0; by_value < 2 && !found; by_value++)
        for (const xmlNode *n = next_in(select, select); n; n = next_in(n, select)) {
            if (!is_option(n))
                continue;
            char *own = by_value ? option_value(n) : shown_text(n, 0);
            bool same = by_value ? strcmp(own, wanted) == 0 : text_same(own, wanted);

            free(own);
            if (same && found)
                return NULL;
            if (same)
                found = n;
        }
    return found;
}

static void add_option(struct sending *s, const xmlNode *option, const char *name)
{
    char *value = option_value(option);

    add(s, name, value);
    free(value);
}

/* As it stands: the options that are chosen, one that is switched off too (a placeholder: nothing is sent then); of a list of one line the first. */
static void add_chosen(struct sending *s, const xmlNode *select, const char *name)
{
    bool many = attr_has(select, "multiple");
    char *size = attr(select, "size");
    bool one_line = !many && (!size || strtol(size, NULL, 10) <= 1);
    const xmlNode *first = NULL, *chosen = NULL;

    free(size);
    for (const xmlNode *o = next_in(select, select); o; o = next_in(o, select)) {
        if (!is_element(o, "option"))
            continue;
        if (!first && is_option(o))
            first = o;
        if (!attr_has(o, "selected"))
            continue;
        if (many && is_option(o))
            add_option(s, o, name);
        chosen = o;
    }
    if (!chosen && one_line)
        chosen = first;
    if (!many && chosen && is_option(chosen))
        add_option(s, chosen, name);
}

static bool add_select(struct sending *s, const xmlNode *n, const char *name, const struct page_fill *f)
{
    const xmlNode *chosen;

    if (!f) {
        add_chosen(s, n, name);
        return true;
    }
    if (is_element(node_in(f->control), "option")) {
        chosen = is_option(node_in(f->control)) ? node_in(f->control) : NULL;
    } else {
        char *wanted = mem_copy(f->value.p, f->value.n);
        chosen = option_named(n, wanted);
        free(wanted);
    }
    if (!chosen)
        return refuse(s, n, "has no such choice, or several");
    add_option(s, chosen, name);
    return true;
}

/* Line ends become CRLF, as in what browsers send. */
static void add_lines(struct sending *s, const char *name, const char *value, size_t n)
{
    struct str out = STR_INIT(n * 2 + 1);

    out.p = mem_new(n * 2 + 1); /* never moved: no copy of a secret is left behind */
    out.size = n * 2 + 1;
    for (size_t i = 0; i < n; i++) {
        if (value[i] == '\r' || value[i] == '\n') {
            str_add(&out, "\r\n");
            i += value[i] == '\r' && i + 1 < n && value[i + 1] == '\n';
        } else {
            str_put(&out, value + i, 1);
        }
    }
    add_octets(s, name, out.p, out.n, false);
    str_wipe(&out);
}

static bool fits(struct sending *s, const xmlNode *n, const struct page_fill *f)
{
    char *most = attr(n, "maxlength");
    char *end = most;
    long limit = most ? strtol(most, &end, 10) : -1;
    size_t chars = 0;

    if (end == most) /* no number */
        limit = -1;
    free(most);
    for (size_t i = 0; i < f->value.n; i++)
        chars += (f->value.p[i] & 0xc0) != 0x80;
    if (limit >= 0 && chars > (size_t)limit)
        return refuse(s, n, "takes fewer characters than what is to be filled in has");
    return true;
}

static bool add_text(struct sending *s, const xmlNode *n, const char *name, const struct page_fill *f)
{
    char *own;

    if (f && is_type(n, "file")) {
        add_octets(s, name, f->value.p, f->value.n, true);
        return true;
    }
    if (f) {
        if (!fits(s, n, f))
            return false;
        add_lines(s, name, (const char *)f->value.p, f->value.n);
        return true;
    }
    if (is_element(n, "textarea")) {
        xmlChar *content = libxml.xmlNodeGetContent(n);
        const char *text = content ? (char *)content : "";

        text += *text == '\n'; /* HTML drops one line end right behind the tag */
        add_lines(s, name, text, strlen(text));
        libxml_free(content);
        return true;
    }
    own = attr(n, "value");
    if (is_type(n, "file"))
        add_octets(s, name, "", 0, true);
    else if (is_type(n, "hidden") && strcasecmp(name, "_charset_") == 0)
        add(s, name, s->charset);
    else
        add(s, name, own ? own : "");
    free(own);
    return true;
}

static bool is_chosen_of_its_name(struct sending *s, const xmlNode *radio, const char *name)
{
    for (const xmlNode *n = libxml.xmlDocGetRootElement(s->p->doc); n; n = next_in(n, NULL))
        if (is_type(n, "radio") && attr_same(n, "name", name) && owner(s->p, n) == owner(s->p, radio) &&
            (attr_has(n, "checked") || fill_of(s, n)))
            return true;
    return false;
}

/* A browser does not send the form before this is filled in. `before`: entries there were before it. */
static bool is_missing(struct sending *s, const xmlNode *n, const char *name, size_t before)
{
    if (!attr_has(n, "required") || attr_has(n, "readonly") || is_type(n, "hidden") || attr_has(s->form, "novalidate") ||
        attr_has(s->button, "formnovalidate"))
        return false;
    if (is_type(n, "radio"))
        return !is_chosen_of_its_name(s, n, name);
    return s->n == before || s->entry[s->n - 1].n == 0;
}

static bool add_control(struct sending *s, const xmlNode *n)
{
    const struct page_fill *f = fill_of(s, n);
    size_t before = s->n;
    char *name = attr(n, "name");
    bool ok = true, box = is_type(n, "radio|checkbox");

    if (f)
        s->used++;
    if (f && (is_disabled(n) || !name || !*name))
        ok = refuse(s, n, "the field to be filled in is switched off or has no name");
    else if (n == s->button && is_type(n, "image")) { /* a click at its corner */
        char *x = name && *name ? mem_fmt("%s.x", name) : mem_str("x"), *y = name && *name ? mem_fmt("%s.y", name) : mem_str("y");
        add(s, x, "0");
        add(s, y, "0");
        free(x);
        free(y);
    } else if (is_disabled(n) || !name || !*name) {
        ok = true;
    } else if (is_element(n, "button") || is_type(n, "submit|image|reset|button")) {
        char *value = n == s->button ? attr(n, "value") : NULL;
        if (n == s->button)
            add(s, name, value ? value : "");
        free(value);
    } else {
        if (box)
            add_box(s, n, name, f != NULL);
        else
            ok = is_element(n, "select") ? add_select(s, n, name, f) : add_text(s, n, name, f);
        if (ok && is_missing(s, n, name, before))
            ok = refuse(s, n, "is required, and the description fills nothing in");
    }
    free(name);
    return ok;
}

/* In document order, whether shown or not. */
static bool collect(struct sending *s)
{
    for (const xmlNode *n = libxml.xmlDocGetRootElement(s->p->doc); n; n = next_in(n, NULL)) {
        if (!is_element(n, "input|select|textarea|button") || is_inert(n) || owner(s->p, n) != s->form)
            continue;
        if (!add_control(s, n))
            return false;
    }
    if (s->used != s->n_fill)
        return refuse(s, s->n_fill ? node_in(s->fill[0].control) : NULL, "not all fields to be filled in are in the form of the button");
    return true;
}

/* --- encoding -------------------------------------------------------------------------------------------------------------------------- */

static void put_escaped(struct sending *s, struct str *out, const void *text, size_t n)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-._";
    struct str octets = STR_INIT(n * 10 + 1);

    octets.p = mem_new(n * 10 + 1);
    octets.size = n * 10 + 1;
    charset_encode(text, n, s->charset, &octets);
    for (size_t i = 0; i < octets.n; i++) {
        unsigned char c = (unsigned char)octets.p[i];

        if (c == ' ')
            str_add(out, "+");
        else if (c && strchr(plain, c))
            str_put(out, &c, 1);
        else
            str_fmt(out, "%%%02X", c);
    }
    str_wipe(&octets);
}

static void put_pairs(struct sending *s, struct str *out)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct entry *en = &s->entry[i];

        str_add(out, i ? "&" : "");
        put_escaped(s, out, en->name, strlen(en->name));
        str_add(out, "=");
        if (!en->file) /* without multipart a file is sent as its name: none */
            put_escaped(s, out, en->value, en->n);
    }
}

static bool put_parts(struct sending *s, struct str *out)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct entry *en = &s->entry[i];

        if (memmem(en->value, en->n, BOUNDARY, strlen(BOUNDARY)) || strpbrk(en->name, "\"\r\n"))
            return refuse(s, NULL, "has a field that cannot be sent");
        str_fmt(out, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"");
        charset_encode(en->name, strlen(en->name), s->charset, out);
        str_add(out, en->file && en->n ? "\"; filename=\"request.csr\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                     : en->file        ? "\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                                       : "\"\r\n\r\n");
        if (en->file)
            str_put(out, en->value, en->n);
        else
            charset_encode((const char *)en->value, en->n, s->charset, out);
        str_add(out, "\r\n");
    }
    str_add(out, "--" BOUNDARY "--\r\n");
    return true;
}

/* The button's own word goes before the form's. */
static char *attr_for(struct sending *s, const char *of_button, const char *of_form)
{
    return attr_has(s->button, of_button) ? attr(s->button, of_button) : attr(s->form, of_form);
}

static const char *charset_for(struct sending *s)
{
    char *accept = attr(s->form, "accept-charset");
    const char *name = accept ? charset_named(accept, strcspn(accept, " ,")) : "";

    free(accept);
    if (!*name)
        name = s->p->charset;
    return strncmp(name, "UTF-16", 6) == 0 ? "UTF-8" : name;
}

static bool encode(struct sending *s, struct page_send *out)
{
    char *method = attr_for(s, "formmethod", "method"), *type = attr_for(s, "formenctype", "enctype");
    bool post = method && strcasecmp(method, "post") == 0, dialog = method && strcasecmp(method, "dialog") == 0;
    bool parts = post && type && strcasecmp(type, "multipart/form-data") == 0, lines = post && type && strcasecmp(type, "text/plain") == 0;
    struct str url = STR_INIT(BODY_MAX);

    free(method);
    free(type);
    if (dialog || lines)
        return refuse(s, NULL, "is sent in a way that this program does not know");
    memcpy(out->method, post ? "POST" : "GET", post ? 5 : 4);
    if (parts) {
        out->content_type = "multipart/form-data; boundary=" BOUNDARY;
        if (!put_parts(s, &out->body))
            return false;
    } else if (post) {
        out->content_type = "application/x-www-form-urlencoded";
        put_pairs(s, &out->body);
    } else {
        str_put(&url, out->url, strcspn(out->url, "?"));
        str_add(&url, "?");
        put_pairs(s, &url);
        free(out->url);
        out->url = str_take(&url);
    }
    return !out->body.cut || refuse(s, NULL, "is larger than a form for people");
}

bool page_submit(const struct page *p, const struct node *button, const struct page_fill *fill, size_t n, struct page_send *out,
                 struct err *e)
{
    struct sending s = {.p = p, .button = node_in(button), .fill = fill, .n_fill = n, .e = e};
    char *action = NULL;
    bool ok;

    *out = (struct page_send){.body = STR_INIT(BODY_MAX)};
    s.form = owner(p, s.button);
    if (p->form_in_form)
        return refuse(&s, NULL, "stands within another form, which browsers read each in its own way");
    if (!s.form || !is_button(s.button) || is_disabled(s.button))
        return refuse(&s, s.button, "belongs to no form that it could send");
    s.charset = charset_for(&s);
    action = attr_for(&s, "formaction", "action");
    out->url = action && action[strspn(action, " \t\r\n\f")] ? url_join(p, action) : mem_str(p->url);
    free(action);
    if (out->url)
        out->url[strcspn(out->url, "#")] = '\0';
    size_t room = 65536; /* reserved at once: a body that grows would leave copies of secrets behind */
    for (size_t i = 0; i < n; i++)
        room += fill[i].value.n * 10;
    out->body.size = room < BODY_MAX ? room : BODY_MAX;
    out->body.p = mem_new(out->body.size);
    ok = out->url ? collect(&s) && encode(&s, out) : refuse(&s, NULL, "leads to no http or https address");
    for (size_t i = 0; i < s.n; i++) {
        explicit_bzero(s.entry[i].value, s.entry[i].n);
        free(s.entry[i].value);
        free(s.entry[i].name);
    }
    free(s.entry);
    if (!ok)
        page_send_clear(out);
    return ok;
}

void page_send_clear(struct page_send *s)
{
    str_wipe(&s->body);
    if (s->url)
        explicit_bzero(s->url, strlen(s->url));
    free(s->url);
    *s = (struct page_send){0};
}
