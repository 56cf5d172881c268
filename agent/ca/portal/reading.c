/* reading.c: which page it is, and what it says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "ca/handover.h"
#include "ca/portal/act.h"
#include "ca/portal/locate.h"

enum { NAMES_MAX = 4 }; /* of failed hosts in one line for people */

static void put(char *out, size_t size, const char *text)
{
    text_safe(out, size, text, strlen(text));
}

/* --- recognised ---------------------------------------------------------------------------------------------------------------------------- */

/* The first of its marks that the page does not fit; NULL: it fits. */
static const struct mark *misfit(const struct guide_page *gp, const struct page *p)
{
    for (size_t i = 0; i < gp->n; i++) {
        const struct mark *m = &gp->mark[i];

        if ((m->kind == MARK_KNOWN || m->kind == MARK_TEXT) && !locate_holds(p, &m->at))
            return m;
        if (m->kind == MARK_NOT && locate_holds(p, &m->at))
            return m;
    }
    return NULL;
}

void reading_misfits(const struct guide *g, const struct page *p, struct strs *out)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct mark *m = misfit(&g->page[i], p);
        char *line = m ? mem_fmt("[page %s] %s = %s: %s", g->page[i].name, m->key, m->at.text,
                                 m->kind == MARK_KNOWN  ? "does not hold"
                                 : m->kind == MARK_TEXT ? "is not shown"
                                                        : "is shown")
                       : mem_fmt("[page %s] fits", g->page[i].name);

        strs_add(out, line);
        free(line);
    }
}

/* several: it is not known which. */
static const struct guide_page *recognise(const struct guide *g, const struct page *p, char *said, size_t size, bool *several)
{
    const struct guide_page *found = NULL;

    for (size_t i = 0; i < g->n; i++) {
        if (misfit(&g->page[i], p))
            continue;
        if (found) {
            snprintf(said, size, "it fits [page %s] and [page %s] alike", found->name, g->page[i].name);
            *several = true;
            return NULL;
        }
        found = &g->page[i];
    }
    if (!found)
        snprintf(said, size, "it fits no page of the description");
    return found;
}

/* --- errors -------------------------------------------------------------------------------------------------------------------------------- */

/* Some portals show what was typed, in groups or not. */
static bool holds_pin(const char *line, const struct secret *pin)
{
    char *digits = mem_new(strlen(line) + 1);
    size_t n = 0;

    for (; *line; line++)
        if (*line >= '0' && *line <= '9')
            digits[n++] = *line;
    bool holds = pin && pin->n && memmem(digits, n, pin->p, pin->n);
    explicit_bzero(digits, n);
    free(digits);
    return holds;
}

static void say_line(struct reading *r, const struct page *p, const struct locator *at, const struct act_order *o)
{
    struct strs texts = {0};
    char *line = at->by == BY_TEXT ? page_line(p, at->text) : NULL;

    if (at->by == BY_XPATH)
        page_texts(p, at->text, NULL, &texts);
    const char *said = line ? line : texts.n ? texts.s[0] : "";
    put(r->said, sizeof r->said, holds_pin(said, o->pin) ? "(words with the PIN in them)" : said);
    free(line);
    strs_free(&texts);
}

static bool take_error(struct reading *r, const struct page *p, const struct mark *m, const struct act_order *o, struct err *e)
{
    if (m->kind != MARK_ERROR || !locate_holds(p, &m->at) || r->error == (enum page_error)m->what)
        return true;
    if (r->error != PAGE_FINE)
        return err_set(e, RC_PAGES, "PORTAL_PAGE", "[page %s]: what it says can mean %s and %s; nothing was pressed. Mend the description",
                       r->page ? r->page->name : "?", page_error_words[r->error], page_error_words[m->what]);
    r->error = (enum page_error)m->what;
    say_line(r, p, &m->at, o);
    return true;
}

static bool take_errors(const struct guide *g, struct reading *r, const struct page *p, const struct act_order *o, struct err *e)
{
    for (size_t i = 0; r->page && i < r->page->n; i++)
        if (!take_error(r, p, &r->page->mark[i], o, e))
            return false;
    for (size_t i = 0; i < g->n_error; i++)
        if (!take_error(r, p, &g->error[i], o, e))
            return false;
    if (r->role == ROLE_FAILED && r->error == PAGE_FINE)
        r->error = PAGE_DCV_FAILED;
    return true;
}

/* What [portal] names is told by pages too that have no section of their own. Of two meanings neither counts. */
static void take_stray_error(const struct guide *g, struct reading *r, const struct page *p, const struct act_order *o)
{
    struct reading stray = {.role = r->role};
    struct err ignored = {0};

    if (take_errors(g, &stray, p, o, &ignored) && stray.error != PAGE_FINE)
        *r = stray;
}

static void take_failed(struct reading *r, const struct page *p)
{
    const struct mark *m = mark_of(r->page, MARK_FAILED, -1);
    struct strs shown = {0}, hosts = {0};
    struct str all = STR_INIT(sizeof r->said - 1);
    char name[NAME_SIZE];

    if (!m || r->error != PAGE_DCV_FAILED)
        return;
    locate_texts(p, &m->at, &shown);
    for (size_t i = 0; i < shown.n; i++)
        strs_split(&hosts, shown.s[i]);
    str_add(&all, r->said);
    size_t n = 0;
    for (size_t i = 0; i < hosts.n; i++) {
        struct err ignored = {0};

        if (!name_parse(hosts.s[i], NAME_WILDCARD, name, &ignored))
            continue;
        if (!n)
            snprintf(r->failed_name, sizeof r->failed_name, "%s", name_base(name));
        if (n < NAMES_MAX)
            str_fmt(&all, "%s%s", n ? ", " : all.n ? ": " : "", name_base(name));
        n++;
    }
    if (n > NAMES_MAX)
        str_fmt(&all, " and %zu more", n - NAMES_MAX);
    snprintf(r->said, sizeof r->said, "%s", str_text(&all));
    str_free(&all);
    strs_free(&shown);
    strs_free(&hosts);
}

/* --- codes --------------------------------------------------------------------------------------------------------------------------------- */

static bool bad(struct err *e, const struct reading *r, const char *what, const char *about)
{
    char safe[280];

    return err_set(e, RC_PAGES, "PORTAL_PAGE", "[page %s]: %s %s; nothing was pressed", r->page->name, what,
                   text_safe(safe, sizeof safe, about, strlen(about)));
}

/* What nobody sees on the page (zero-width characters) would be published all the same. */
static bool is_code(const char *code)
{
    size_t n = 0;

    while (code[n] >= 0x20 && code[n] <= 0x7e)
        n++;
    return n && !code[n] && n <= TXT_VALUE_MAX;
}

static bool add_code(struct reading *r, const char *name, const char *shown, struct err *e)
{
    char *code = handover_code((struct bytes){(const uint8_t *)shown, strlen(shown)});
    const struct act_code *other = NULL;

    for (size_t i = 0; i < r->n_code && !other; i++)
        if (strcmp(r->code[i].name, name) == 0)
            other = &r->code[i];
    bool ok = is_code(code) ||
              bad(e, r, "what it shows (empty, too long, or with characters that no code has) is no code for", *name ? name : "the order");
    ok = ok && (!other || strcmp(other->value, code) == 0 || bad(e, r, "the page shows two codes for", name));
    if (!ok || other) {
        free(code);
        return ok;
    }
    r->code = mem_grow(r->code, r->n_code + 1, sizeof *r->code);
    r->code[r->n_code] = (struct act_code){.value = code};
    snprintf(r->code[r->n_code++].name, sizeof r->code->name, "%s", name);
    return true;
}

static bool is_ours(const struct act_order *o, const char *host)
{
    for (size_t i = 0; i < o->names->n; i++)
        if (strcmp(name_base(o->names->s[i]), host) == 0)
            return true;
    return false;
}

static bool has_code(const struct reading *r, const char *host)
{
    for (size_t i = 0; i < r->n_code; i++)
        if (strcmp(r->code[i].name, host) == 0)
            return true;
    return false;
}

static char *one_text(const struct page *p, const struct mark *m, const struct node *row)
{
    struct strs texts = {0};
    char *one;

    page_texts(p, m->at.text, row, &texts);
    one = texts.n == 1 ? mem_str(texts.s[0]) : NULL;
    strs_free(&texts);
    return one;
}

static bool take_row(struct reading *r, const struct page *p, const struct node *row, const struct act_order *o, struct err *e)
{
    char *shown = one_text(p, mark_of(r->page, MARK_ROW_NAME, -1), row), *value = one_text(p, mark_of(r->page, MARK_ROW_VALUE, -1), row);
    char name[NAME_SIZE];
    struct err why = {0};
    bool ok;

    if (!shown || !value)
        ok = bad(e, r, "a row without", !shown ? "a name" : "a value");
    else if (!name_parse(shown, NAME_WILDCARD, name, &why))
        ok = bad(e, r, "a row is for no host name:", shown);
    else if (!is_ours(o, name_base(name)))
        ok = err_set(e, RC_CA, "PORTAL_CONTRADICTS", "[page %s] shows a code for %s, which is not in the order; nothing was pressed",
                     r->page->name, name_base(name));
    else
        ok = add_code(r, name_base(name), value, e);
    free(shown);
    free(value);
    return ok;
}

static bool take_codes(struct reading *r, const struct page *p, const struct act_order *o, struct err *e)
{
    const struct mark *code = mark_of(r->page, MARK_CODE, -1), *rows = mark_of(r->page, MARK_ROWS, -1);
    struct nodes found = {0};
    char *value = NULL;
    bool ok = true;

    if (code) {
        ok = locate_text(p, r->page->name, code, &value, e) && add_code(r, "", value, e);
        free(value);
    }
    if (!ok || !rows)
        return ok;
    page_find(p, rows->at.text, NULL, &found);
    for (size_t i = 0; ok && i < found.n; i++)
        ok = take_row(r, p, found.p[i], o, e);
    nodes_free(&found);
    for (size_t i = 0; ok && i < o->names->n; i++)
        ok = has_code(r, name_base(o->names->s[i])) || bad(e, r, "no code is shown for", name_base(o->names->s[i]));
    return ok;
}

/* --- links --------------------------------------------------------------------------------------------------------------------------------- */

static void take_links(struct reading *r, const struct page *p, const struct mark *m)
{
    struct nodes found = {0};

    if (m->at.by == BY_XPATH)
        page_find(p, m->at.text, NULL, &found);
    else
        page_links(p, m->at.text, &found);
    for (size_t i = 0; i < found.n; i++) {
        char *url = page_link_url(p, found.p[i]);
        bool known = !url;

        for (size_t k = 0; !known && k < r->n_link; k++)
            known = strcmp(r->link[k].url, url) == 0;
        if (known) {
            free(url);
            continue;
        }
        r->link = mem_grow(r->link, r->n_link + 1, sizeof *r->link);
        r->link[r->n_link] = (struct act_link){.url = url};
        nth_word(r->link[r->n_link++].role, sizeof r->link->role, link_words, m->what);
    }
    nodes_free(&found);
}

/* ------------------------------------------------------------------------------------------------------------------------------------------- */

bool reading_take(const struct guide *g, const struct page *p, const struct act_order *o, struct reading *out, struct err *e)
{
    const struct mark *text;
    bool several = false;

    *out = (struct reading){.role = ROLES};
    out->page = recognise(g, p, out->said, sizeof out->said, &several);
    if (!out->page && !several)
        take_stray_error(g, out, p, o);
    if (!out->page)
        return true;
    out->role = out->page->role;
    if (!take_errors(g, out, p, o, e))
        return false;
    text = mark_of(out->page, MARK_TEXT, -1);
    if (!*out->said && text &&
        (out->role == ROLE_CLOSED || out->role == ROLE_REFUSED || out->role == ROLE_FAILED || out->role == ROLE_CHECKING))
        say_line(out, p, &text->at, o);
    take_failed(out, p);
    for (size_t i = 0; i < out->page->n; i++)
        if (out->page->mark[i].kind == MARK_LINK)
            take_links(out, p, &out->page->mark[i]);
    return take_codes(out, p, o, e);
}

void reading_clear(struct reading *r)
{
    for (size_t i = 0; i < r->n_code; i++)
        free(r->code[i].value);
    for (size_t i = 0; i < r->n_link; i++)
        free(r->link[i].url);
    free(r->code);
    free(r->link);
    *r = (struct reading){0};
}
