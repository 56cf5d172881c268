/* act.c: what would be filled in and pressed on a page that was read. */
#include "ca/portal/act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "ca/portal/locate.h"
#include "ca/portal/must.h"
#include "ca/portal/session.h"

enum { FILLS_MAX = 24 };

struct plan {
    const struct guide *g;
    const struct page *p;
    const struct guide_page *gp;
    const struct act_order *o;
    struct act *out;
    struct page_fill fill[FILLS_MAX];
    size_t n;
    char name[NAME_SIZE * 2];
    struct err *e;
};

static void tell(struct plan *s, const char *what, const char *value)
{
    char safe[280];
    char *line = mem_fmt("%s: %s", what, text_safe(safe, sizeof safe, value, strlen(value)));

    strs_add(&s->out->told, line);
    free(line);
}

/* --- which keys hold for this order ------------------------------------------------------------------------------------------------------ */

static bool when_holds(const struct act_order *o, int when)
{
    switch ((enum when)when) {
    case WHEN_ALWAYS:
        return true;
    case WHEN_ENGLISH:
        return !o->chinese;
    case WHEN_CHINESE:
        return o->chinese;
    case WHEN_DNS:
        return o->method == ACT_DNS;
    case WHEN_WEBSITE:
        return o->method == ACT_WEBSITE;
    case WHEN_EMAIL:
        return o->method == ACT_EMAIL;
    case WHEN_SEND:
        return !o->mailed_code;
    }
    return false;
}

/* The one key of its kind for this order; the one with a condition goes before the one without. */
static const struct mark *key_for(const struct plan *s, enum mark_kind kind)
{
    const struct mark *found = NULL;

    for (size_t i = 0; i < s->gp->n; i++) {
        const struct mark *m = &s->gp->mark[i];

        if (m->kind == kind && when_holds(s->o, m->what) && (!found || found->what == WHEN_ALWAYS))
            found = m;
    }
    return found;
}

/* --- filling in ---------------------------------------------------------------------------------------------------------------------------- */

static bool lacks(struct plan *s, const char *what, const char *remedy)
{
    return err_set(s->e, RC_LATER, "PORTAL_WANTS", "[page %s] wants the %s, which is not there yet: %s", s->gp->name, what, remedy);
}

/* By enum field: what it is called, how it can be had. */
static const struct {
    const char *what, *remedy;
} fields[] = {
    [FIELD_SERVER_NAME] = {"server name", "names = in [certificate]"},
    [FIELD_SERVER_NAME_ASCII] = {"server name", "names = in [certificate]"},
    [FIELD_REFERENCE] = {"reference number", "reference_number = in [certificate], or dcvagent pin NAME --reference N"},
    [FIELD_PIN] = {"PIN", "dcvagent pin NAME --reference N"},
    [FIELD_CSR] = {"CSR", "dcvagent run makes it"},
    [FIELD_MAILED_CODE] = {"mailed code", "dcvagent code NAME VALUE"},
    [FIELD_EMAIL] = {"e-mail address", "validation_email = in [certificate]"},
    [FIELD_EMAIL_USER] = {"e-mail address", "validation_email = in [certificate]"},
    [FIELD_EMAIL_DOMAIN] = {"e-mail address", "validation_email = in [certificate]"},
};

/* {method}, {email} and {organisation} stand for what the order has. NULL: it has none, e says so. */
static const char *texts_of(struct plan *s, const struct mark *m)
{
    const struct act_order *o = s->o;
    const char *text = m->at.text;

    if (m->at.by != BY_TEXT || *text != '{')
        return text;
    if (strcmp(text, "{method}") == 0 && !(text = s->g->method[o->method]))
        err_set(s->e, RC_PAGES, "PORTAL_PAGE",
                "[portal] has no words for the order's method; nothing was pressed. Add them to the description");
    else if (text && strcmp(text, "{email}") == 0 && !(text = o->email))
        lacks(s, fields[FIELD_EMAIL].what, fields[FIELD_EMAIL].remedy);
    else if (text && strcmp(text, "{organisation}") == 0 && !(text = o->organisation))
        lacks(s, "organisation's name", "expect_organisation = in [certificate]");
    return text;
}

static bool add_fill(struct plan *s, const struct node *control, const void *value, size_t n)
{
    if (s->n == FILLS_MAX)
        return err_set(s->e, RC_PAGES, "PORTAL_PAGE", "[page %s] fills in more than %d fields; nothing was pressed", s->gp->name,
                       FILLS_MAX);
    s->fill[s->n++] = (struct page_fill){control, {value, n}};
    return true;
}

static struct bytes octets(const char *text)
{
    return (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0};
}

static struct bytes field_value(struct plan *s, enum field field)
{
    const struct act_order *o = s->o;
    const char *at = o->email ? strchr(o->email, '@') : NULL;

    switch (field) {
    case FIELD_SERVER_NAME:
        name_unicode(o->names->s[0], s->name, sizeof s->name);
        return octets(s->name);
    case FIELD_SERVER_NAME_ASCII:
        return octets(o->names->s[0]);
    case FIELD_REFERENCE:
        return octets(o->reference);
    case FIELD_PIN:
        return o->pin ? (struct bytes){o->pin->p, o->pin->n} : octets(NULL);
    case FIELD_CSR:
        return o->csr_pem;
    case FIELD_MAILED_CODE:
        return octets(o->mailed_code);
    case FIELD_EMAIL:
        return octets(o->email);
    case FIELD_EMAIL_USER:
        return at ? (struct bytes){(const uint8_t *)o->email, (size_t)(at - o->email)} : octets(NULL);
    case FIELD_EMAIL_DOMAIN:
        return octets(at ? at + 1 : NULL);
    }
    return octets(NULL);
}

static bool is_email(int field)
{
    return field == FIELD_EMAIL || field == FIELD_EMAIL_USER || field == FIELD_EMAIL_DOMAIN;
}

static void tell_field(struct plan *s, enum field field, struct bytes v)
{
    char *text;

    if (field == FIELD_PIN || field == FIELD_MAILED_CODE) {
        tell(s, fields[field].what, "(hidden)");
    } else if (field == FIELD_CSR) {
        tell(s, fields[field].what, "(PEM)");
    } else {
        text = mem_copy(v.p, v.n);
        tell(s, fields[field].what, text);
        free(text);
    }
}

static bool fill_field(struct plan *s, const struct mark *m, bool sending)
{
    enum field field = (enum field)m->what;
    bool optional = is_email(m->what) && !sending; /* the address was chosen when the code was sent for */
    struct err none = {0};
    const struct node *control;
    struct bytes v;

    if (field == FIELD_MAILED_CODE && sending)
        return true;
    control = locate_control(s->p, s->gp->name, m, optional ? &none : s->e);
    if (!control)
        return optional;
    v = field_value(s, field);
    if (!v.n)
        return lacks(s, fields[field].what, fields[field].remedy);
    tell_field(s, field, v);
    return add_fill(s, control, v.p, v.n);
}

static bool choose(struct plan *s, const struct mark *m)
{
    const char *texts = texts_of(s, m);
    const struct node *n = texts ? locate_choice(s->p, s->gp->name, m, texts, s->e) : NULL;
    char *label;

    if (!n)
        return false;
    label = node_label(n);
    tell(s, "choice", *label ? label : texts); /* of a radio button or checkbox the words by which it was found */
    free(label);
    return add_fill(s, n, "", 0);
}

static bool fill_in(struct plan *s, bool sending)
{
    for (size_t i = 0; i < s->gp->n; i++) {
        const struct mark *m = &s->gp->mark[i];

        if (m->kind == MARK_FIELD && !fill_field(s, m, sending))
            return false;
        if (m->kind == MARK_CHOOSE && when_holds(s->o, m->what) && !choose(s, m))
            return false;
    }
    return true;
}

/* --- pressing ------------------------------------------------------------------------------------------------------------------------------ */

static bool at_home(struct plan *s)
{
    char safe[160];
    const char *url = s->out->send.url;

    return origin_in(&s->g->origins, url, false) || err_set(s->e, RC_PAGES, "PORTAL_ORIGIN",
                                                            "[page %s] leads to %s, which is none of the origins= of the description; "
                                                            "nothing was pressed. If the CA really has moved, add the "
                                                            "origin there",
                                                            s->gp->name, text_safe(safe, sizeof safe, url, url_bare(url)));
}

static void take_label(struct plan *s, const struct node *n, const struct mark *m)
{
    char *label = node_label(n);
    const char *text = *label ? label : m->at.text;

    text_safe(s->out->button, sizeof s->out->button, text, strlen(text));
    free(label);
}

static bool press(struct plan *s, const struct mark *m)
{
    const char *texts = texts_of(s, m);
    const struct node *button = texts ? locate_button(s->p, s->gp->name, m, texts, s->e) : NULL;

    if (!button || !fill_in(s, m->what == WHEN_SEND) || !page_submit(s->p, button, s->fill, s->n, &s->out->send, s->e))
        return false;
    take_label(s, button, m);
    return at_home(s);
}

static bool follow(struct plan *s, const struct mark *m)
{
    const char *texts = texts_of(s, m);
    const struct node *link = texts ? locate_link(s->p, s->gp->name, m, texts, s->e) : NULL;

    if (!link)
        return false;
    s->out->send = (struct page_send){.method = "GET", .url = page_link_url(s->p, link)};
    take_label(s, link, m);
    return at_home(s);
}

bool act_agrees(const struct guide *g, const struct page *p, const struct reading *r, const struct act_order *o, struct strs *told,
                struct err *e)
{
    bool ok = true;

    for (size_t i = 0; i < r->page->n; i++) /* all of them: a person wants to see every contradiction */
        if (r->page->mark[i].kind == MARK_MUST)
            ok = must_hold(g, p, r->page->name, &r->page->mark[i], o, told, e) && ok;
    return ok;
}

bool act_plan(const struct guide *g, const struct page *p, const struct reading *r, const struct act_order *o, struct act *out,
              struct err *e)
{
    struct plan s = {.g = g, .p = p, .gp = r->page, .o = o, .out = out, .e = e};
    const struct mark *button, *link;
    bool ok;

    *out = (struct act){0};
    if (!s.gp && r->error != PAGE_FINE)
        return true;
    if (!s.gp)
        return err_set(e, RC_PAGES, "PORTAL_PAGE", "the page is not recognised: %s; nothing was pressed", r->said);
    button = key_for(&s, MARK_PRESS);
    link = key_for(&s, MARK_FOLLOW);
    ok = act_agrees(g, p, r, o, &out->told, e) && (button ? press(&s, button) : link ? follow(&s, link) : true);
    if (!ok) {
        page_send_clear(&out->send);
        *out->button = '\0';
    }
    return ok;
}

void act_clear(struct act *a)
{
    strs_free(&a->told);
    page_send_clear(&a->send);
    *a = (struct act){0};
}
