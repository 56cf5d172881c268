#include "ca/portal/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "ca/portal/locate.h"
#include "ca/portal/wording.h"

struct held {
    const struct guide *g;
    const struct page *p;
    const char *page_name;
    const struct mark *m;
    const struct act_order *o;
    struct strs *told;
    struct err *e;
};

static bool judge(struct held *h, const char *what, const char *shown, const char *wanted, bool same)
{
    char safe[200], want[200];
    char *line;

    text_safe(safe, sizeof safe, shown, strlen(shown));
    text_safe(want, sizeof want, wanted, strlen(wanted));
    line = mem_fmt("%s: %s %s, the order says %s", same ? "agrees" : "CONTRADICTS", what, safe, want);
    strs_add(h->told, line);
    free(line);
    return same || err_set(h->e, RC_CA, "PORTAL_CONTRADICTS",
                           "[page %s] shows the %s %s, but the order says %s; nothing was pressed. Correct [certificate], or ask the CA",
                           h->page_name, what, safe, want);
}

/* --- names --------------------------------------------------------------------------------------------------------------------------------- */

static bool strange(struct held *h, const char *shown)
{
    char safe[120];

    return err_set(h->e, RC_PAGES, "PORTAL_PAGE", "[page %s] %s: \"%s\" is no host name; nothing was pressed. Mend the description",
                   h->page_name, h->m->key, text_safe(safe, sizeof safe, shown, strlen(shown)));
}

/* "a, b；c d" : names as lists write them, in Chinese too. */
static void split_names(const char *text, struct strs *out)
{
    static const char *const between[] = {" ", ",", ";", "、", "，", "；", "\xe3\x80\x80"};
    const char *from = text;

    for (const char *p = text;;) {
        size_t gap = 0;

        for (size_t i = 0; *p && !gap && i < sizeof between / sizeof *between; i++)
            if (strncmp(p, between[i], strlen(between[i])) == 0)
                gap = strlen(between[i]);
        if (gap || !*p) {
            if (p > from)
                strs_add_n(out, from, (size_t)(p - from));
            from = p + gap;
        }
        if (!*p)
            return;
        p += gap ? gap : 1;
    }
}

static bool parse_names(struct held *h, const struct strs *shown, struct strs *out)
{
    struct strs parts = {0};
    bool ok = true;

    for (size_t i = 0; i < shown->n; i++)
        split_names(shown->s[i], &parts);
    for (size_t i = 0; ok && i < parts.n; i++) {
        char name[NAME_SIZE];
        struct err why = {0};

        ok = name_parse(parts.s[i], NAME_WILDCARD, name, &why) || strange(h, parts.s[i]);
        if (ok && !strs_has(out, name))
            strs_add(out, name);
    }
    strs_free(&parts);
    return ok && (out->n > 0 || err_set(h->e, RC_PAGES, "PORTAL_PAGE", "[page %s] %s = %.120s: the page shows no name; nothing was pressed",
                                        h->page_name, h->m->key, h->m->at.text));
}

/* With a wildcard comes its base, whether it is written down or not. */
static void without_bases(const struct strs *names, struct strs *out)
{
    for (size_t i = 0; i < names->n; i++) {
        char *wild = mem_fmt("*.%s", names->s[i]);

        if (!strs_has(names, wild))
            strs_add(out, names->s[i]);
        free(wild);
    }
}

static char *show_names(const struct strs *names)
{
    struct strs all = {0};
    char *joined;

    for (size_t i = 0; i < names->n; i++) {
        char shown[2 * NAME_SIZE + 8];

        name_show(names->s[i], shown, sizeof shown);
        strs_add(&all, shown);
    }
    joined = strs_join(&all, ", ");
    strs_free(&all);
    return joined;
}

static bool names_hold(struct held *h, const struct strs *shown, bool server_name)
{
    struct strs found = {0}, wanted = {0}, a = {0}, b = {0};
    bool ok = parse_names(h, shown, &found);

    for (size_t i = 0; i < (server_name ? 1 : h->o->names->n); i++)
        strs_add(&wanted, h->o->names->s[i]);
    if (ok) {
        char *left = show_names(&found), *right = show_names(&wanted);

        without_bases(&found, &a);
        without_bases(&wanted, &b);
        ok = judge(h, server_name ? "server name" : "names", left, right, strs_equal_sets(&a, &b));
        free(left);
        free(right);
    }
    strs_free(&found);
    strs_free(&wanted);
    strs_free(&a);
    strs_free(&b);
    return ok;
}

/* --- words --------------------------------------------------------------------------------------------------------------------------------- */

static bool all_ascii(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80)
            return false;
    return true;
}

static bool no_letters(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9'))
            return false;
    return true;
}

bool organisation_is(const char *expected, const char *shown)
{
    char *want = word_fold(expected), *have = word_fold(shown), *at = *want ? strstr(have, want) : NULL;
    bool is = false;

    if (at) {
        size_t before = (size_t)(at - have), after = strlen(at + strlen(want));
        const char *rest = at + strlen(want);

        if (all_ascii(want, strlen(want))) /* what else is there is in Chinese */
            is = no_letters(have, before) && no_letters(rest, after);
        else
            is = all_ascii(have, before) && all_ascii(rest, after);
    }
    free(want);
    free(have);
    return is;
}

static bool organisation_holds(struct held *h, const char *shown)
{
    char safe[200];

    if (h->o->organisation)
        return judge(h, "organisation", shown, h->o->organisation, organisation_is(h->o->organisation, shown));
    char *line =
        mem_fmt("not compared: organisation %s (expect_organisation is not set)", text_safe(safe, sizeof safe, shown, strlen(shown)));
    strs_add(h->told, line);
    free(line);
    return true;
}

static bool same_word(void *arg, const char *folded)
{
    return word_match(folded, arg) == WORD_SAME;
}

static bool hinted_word(void *arg, const char *folded)
{
    return word_match(folded, arg) != WORD_OTHER;
}

/* The kind that the shown words name; -1: none or several. hints: "DNS change (recommended)" is "DNS change" too. */
static int kind_shown(char *const *texts, int n, const char *shown, bool hints)
{
    char *folded = word_fold(shown);
    int found = -1;

    for (int i = 0; i < n; i++) {
        if (!texts[i] || !word_any(texts[i], hints ? hinted_word : same_word, folded))
            continue;
        if (found >= 0) {
            found = -1;
            break;
        }
        found = i;
    }
    free(folded);
    return found;
}

static bool kind_holds(struct held *h, const char *what, const char *shown, char *const *texts, const char *words, int n,
                       const char *wanted, bool hints)
{
    int kind = kind_shown(texts, n, shown, hints);
    char word[24], safe[120], both[200];

    text_safe(safe, sizeof safe, shown, strlen(shown));
    if (kind < 0)
        return err_set(
            h->e, RC_PAGES, "PORTAL_PAGE",
            "[page %s] %s: what the page shows, \"%s\", is none of the %ss that [portal] names, or several; nothing was pressed. "
            "Mend the description",
            h->page_name, h->m->key, safe, what);
    nth_word(word, sizeof word, words, kind);
    snprintf(both, sizeof both, "%s (%s)", word, safe);
    return judge(h, what, both, wanted, strcmp(word, wanted) == 0);
}

static bool key_holds(struct held *h, const char *shown)
{
    char own[2 * 64 + 1] = "", hex[2 * 64 + 1];
    size_t n = 0;

    if (!h->o->spki.n || !hex_show(own, sizeof own, h->o->spki.p, h->o->spki.n))
        return err_set(h->e, RC_LATER, "PORTAL_WANTS", "[page %s] shows a key, and the order has none yet to compare it with",
                       h->page_name);
    for (const char *p = shown; *p && n < sizeof hex - 1; p++)
        if (!strchr(" :-", *p))
            hex[n++] = (char)(*p >= 'A' && *p <= 'F' ? *p + 32 : *p);
    hex[n] = '\0';
    return judge(h, "key", hex, own, strcmp(hex, own) == 0);
}

static bool text_holds(struct held *h, const char *shown)
{
    char method[16];

    switch ((enum must)h->m->what) {
    case MUST_ORGANISATION:
        return organisation_holds(h, shown);
    case MUST_PRODUCT:
        return kind_holds(h, "product", shown, h->g->product, product_kinds, 5, h->o->product, false);
    case MUST_METHOD:
        return kind_holds(h, "method", shown, h->g->method, method_kinds, 3,
                          nth_word(method, sizeof method, method_kinds, (int)h->o->method), true);
    case MUST_REFERENCE:
        return judge(h, "reference number", shown, h->o->reference, strcmp(shown, h->o->reference) == 0);
    case MUST_KEY:
        return key_holds(h, shown);
    case MUST_SERVER_NAME:
    case MUST_NAMES:
        break;
    }
    return false;
}

bool must_hold(const struct guide *g, const struct page *p, const char *page_name, const struct mark *m, const struct act_order *o,
               struct strs *told, struct err *e)
{
    struct held h = {g, p, page_name, m, o, told, e};
    bool ok;

    if (m->what == MUST_SERVER_NAME || m->what == MUST_NAMES) {
        struct strs shown = {0};

        locate_texts(p, &m->at, &shown);
        ok = names_hold(&h, &shown, m->what == MUST_SERVER_NAME);
        strs_free(&shown);
        return ok;
    }
    char *shown = NULL;
    ok = locate_text(p, page_name, m, &shown, e) && text_holds(&h, shown);
    free(shown);
    return ok;
}
