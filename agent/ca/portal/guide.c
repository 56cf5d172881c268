#include "ca/portal/guide.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/portal/guide_impl.h"
#include "ca/portal/page.h"
#include "ca/portal/session.h"
#include "conf/describe.h"
#include "net/http.h"

const char *const role_words[ROLES] = {"start",  "login", "details",   "method",  "proof", "mailed",  "checking",
                                       "failed", "csr",   "csr-check", "issuing", "done",  "refused", "closed"};
const char *const page_error_words[PAGE_ERRORS] = {
    "", "login-refused", "locked", "dcv-failed", "code-expired", "csr-refused", "session-lost", "busy"};

const char must_words[] = "server_name|names|organisation|product|method|reference|key";
const char field_words[] = "server_name|server_name_ascii|reference|pin|csr|mailed_code|email|email_user|email_domain";
const char when_words[] = "|english|chinese|dns|website|email|send";
const char link_words[] = "certificate|intermediate|cross|root|guide|file";
const char product_kinds[] = "standard|wildcard|multi-domain|ev|ev-multi-domain";
const char method_kinds[] = "dns|website|email";
static const char error_kinds[] = "|login-refused|locked|dcv-failed|code-expired|csr-refused|session-lost|busy";
static const char role_kinds[] = "start|login|details|method|proof|mailed|checking|failed|csr|csr-check|issuing|done|refused|closed";

/* --- words ------------------------------------------------------------------------------------------------------------------------------- */

static int word_index(const char *words, const char *word)
{
    size_t n = strlen(word);

    for (int i = 0;; i++) {
        size_t len = strcspn(words, "|");

        if (len == n && n && strncmp(words, word, n) == 0)
            return i;
        if (!words[len])
            return -1;
        words += len + 1;
    }
}

const char *nth_word(char *out, size_t size, const char *words, int n)
{
    while (n-- > 0)
        words += strcspn(words, "|") + 1;
    snprintf(out, size, "%.*s", (int)strcspn(words, "|"), words);
    return out;
}

/* --- one key ----------------------------------------------------------------------------------------------------------------------------- */

/* What a key of a page may be: a word alone, with a number behind it (text.2), or with one of `words` (must.server_name). */
static const struct kind {
    const char *key;
    enum mark_kind kind;
    const char *words; /* NULL: none */
    bool bare, numbered;
    unsigned by; /* ways to locate; 0: XPath as it is */
} kinds[] = {
    {"known", MARK_KNOWN, NULL, true, true, 0},
    {"text", MARK_TEXT, NULL, true, true, BY_TEXT},
    {"not", MARK_NOT, NULL, true, true, BY_TEXT},
    {"must", MARK_MUST, must_words, false, false, BY_LABEL | BY_NAME | BY_XPATH},
    {"field", MARK_FIELD, field_words, false, false, BY_LABEL | BY_NAME | BY_XPATH},
    {"choose", MARK_CHOOSE, when_words, true, true, BY_TEXT | BY_XPATH},
    {"press", MARK_PRESS, when_words, true, false, BY_TEXT | BY_XPATH},
    {"follow", MARK_FOLLOW, when_words, true, false, BY_TEXT | BY_XPATH},
    {"read.code", MARK_CODE, NULL, true, false, BY_LABEL | BY_XPATH},
    {"read.rows", MARK_ROWS, NULL, true, false, BY_XPATH},
    {"read.name", MARK_ROW_NAME, NULL, true, false, BY_XPATH},
    {"read.value", MARK_ROW_VALUE, NULL, true, false, BY_XPATH},
    {"read.failed", MARK_FAILED, NULL, true, false, BY_LABEL | BY_XPATH},
    {"error", MARK_ERROR, error_kinds, false, false, BY_TEXT | BY_XPATH},
    {"link", MARK_LINK, link_words, false, false, BY_TEXT | BY_XPATH},
};

static bool is_number(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s) && strlen(s) < 4;
}

static const struct kind *kind_of(const char *key, const char **rest)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].key);

        if (strncmp(key, kinds[i].key, n) != 0 || (key[n] && key[n] != '.'))
            continue;
        *rest = key[n] ? key + n + 1 : NULL;
        return &kinds[i];
    }
    return NULL;
}

static bool texts_sound(const char *texts)
{
    bool some = false;

    for (const char *p = texts;; p++) {
        if (*p == '|' || !*p) {
            if (!some)
                return false;
            some = false;
        } else if (*p != ' ') {
            some = true;
        }
        if (!*p)
            return true;
    }
}

/* LOCATOR: label:A|B, name:x, xpath:..., or texts alone. */
static bool read_locator(struct guide *g, const struct describe_part *p, const struct describe_key *k, unsigned by, struct locator *out)
{
    static const struct {
        const char *prefix;
        enum by by;
    } ways[] = {{"label:", BY_LABEL}, {"name:", BY_NAME}, {"xpath:", BY_XPATH}};
    const char *text = k->value;
    char why[160];

    *out = (struct locator){.by = by ? BY_TEXT : BY_XPATH};
    for (size_t i = 0; by && i < sizeof ways / sizeof *ways; i++)
        if (strncmp(text, ways[i].prefix, strlen(ways[i].prefix)) == 0) {
            out->by = ways[i].by;
            text += strlen(ways[i].prefix);
        }
    text += strspn(text, " ");
    if (by && !(out->by & by))
        describe_fault(g->d, p, k, "wants%s%s%s%s", by & BY_TEXT ? " texts (A | B)" : "", by & BY_LABEL ? " label:A|B" : "",
                       by & BY_NAME ? " name:FIELD" : "", by & BY_XPATH ? " xpath:EXPRESSION" : "");
    else if (out->by == BY_XPATH && !xpath_check(text, why))
        describe_fault(g->d, p, k, "%s", why);
    else if (out->by != BY_XPATH && !texts_sound(text))
        describe_fault(g->d, p, k, "a text is empty");
    else {
        out->text = mem_str(text);
        return true;
    }
    return false;
}

static int what_of(struct guide *g, const struct describe_part *p, const struct describe_key *k, const struct kind *kind, const char *rest)
{
    int what = rest && kind->words ? word_index(kind->words, rest) : -1;

    if (what >= 0)
        return what;
    if ((!rest && kind->bare) || (rest && kind->numbered && is_number(rest)))
        return 0;
    if (kind->words)
        describe_fault(g->d, p, k, "no such key; there are %s.NAME with %s%s", kind->key, kind->words + (*kind->words == '|'),
                       kind->bare ? ", or the word alone" : "");
    else
        describe_fault(g->d, p, k, "no such key here%s", kind->numbered ? "; a number may follow: text.2" : "");
    return -1;
}

static void read_mark(struct guide *g, const struct describe_part *p, const struct describe_key *k, struct mark **list, size_t *n)
{
    const char *rest = NULL;
    const struct kind *kind = kind_of(k->name, &rest);
    struct locator at;
    int what;

    if (!kind || !describe_key(p, k->name))
        return;
    what = what_of(g, p, k, kind, rest);
    if (what < 0 || !read_locator(g, p, k, kind->by, &at))
        return;
    *list = mem_grow(*list, *n + 1, sizeof **list);
    (*list)[(*n)++] = (struct mark){.kind = kind->kind, .what = what, .at = at, .key = mem_str(k->name)};
}

const struct mark *mark_of(const struct guide_page *p, enum mark_kind kind, int what)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->mark[i].kind == kind && (what < 0 || p->mark[i].what == what))
            return &p->mark[i];
    return NULL;
}

/* --- a page ------------------------------------------------------------------------------------------------------------------------------ */

static bool uses_method(const struct guide_page *p)
{
    for (size_t i = 0; i < p->n; i++)
        if ((p->mark[i].kind == MARK_MUST && p->mark[i].what == MUST_METHOD) || strcmp(p->mark[i].at.text, "{method}") == 0)
            return true;
    return false;
}

static bool any(char *const *texts, size_t n)
{
    while (n--)
        if (texts[n])
            return true;
    return false;
}

/* What holds whatever the CA: a page on which something is pressed shows what it is about, secrets go into their own pages alone. */
static void check_page(struct guide *g, const struct describe_part *part, const struct guide_page *p)
{
    bool pressed = mark_of(p, MARK_PRESS, -1), followed = mark_of(p, MARK_FOLLOW, -1);
    static const struct {
        enum page_role role;
        enum must must;
        const char *why;
    } wants[] = {
        {ROLE_DETAILS, MUST_SERVER_NAME, "a button is pressed: must.server_name is wanted"},
        {ROLE_CSR_CHECK, MUST_SERVER_NAME, "a button is pressed: must.server_name is wanted"},
        {ROLE_PROOF, MUST_METHOD, "a button is pressed: must.method is wanted, for the page of another method must not be taken for it"},
        {ROLE_MAILED, MUST_METHOD, "a button is pressed: must.method is wanted, for the page of another method must not be taken for it"}};

    if (!mark_of(p, MARK_KNOWN, -1) && !mark_of(p, MARK_TEXT, -1))
        describe_fault(g->d, part, NULL, "nothing tells how this page is recognised: known = XPATH or text = A | B");
    if (pressed && p->role != ROLE_LOGIN && !p->unchecked &&
        !mark_of(p, MARK_MUST, -1)) /* before the login nothing is known of the order */
        describe_fault(g->d, part, NULL,
                       "a button is pressed, but nothing is compared: must.NAME = ..., or unchecked = WHY where the page shows "
                       "nothing of the order");
    for (size_t i = 0; pressed && i < sizeof wants / sizeof *wants; i++)
        if (p->role == wants[i].role && !mark_of(p, MARK_MUST, (int)wants[i].must))
            describe_fault(g->d, part, NULL, "%s", wants[i].why);
    if (p->role == ROLE_PROOF && !mark_of(p, MARK_CODE, -1) && !mark_of(p, MARK_ROWS, -1) && !mark_of(p, MARK_LINK, -1))
        describe_fault(g->d, part, NULL, "nothing is read: read.code, or read.rows with read.name and read.value, or link.file");
    if (!mark_of(p, MARK_ROWS, -1) != !mark_of(p, MARK_ROW_NAME, -1) || !mark_of(p, MARK_ROWS, -1) != !mark_of(p, MARK_ROW_VALUE, -1))
        describe_fault(g->d, part, NULL, "read.rows, read.name and read.value belong together");
    if (p->role == ROLE_CSR && pressed && !mark_of(p, MARK_FIELD, FIELD_CSR))
        describe_fault(g->d, part, NULL, "field.csr is wanted");
    if (p->role == ROLE_DONE && !mark_of(p, MARK_LINK, 0))
        describe_fault(g->d, part, NULL, "link.certificate is wanted");
    if (mark_of(p, MARK_FIELD, FIELD_PIN) && p->role != ROLE_LOGIN)
        describe_fault(g->d, part, NULL, "field.pin belongs to pages of the role login alone");
    if (mark_of(p, MARK_FIELD, FIELD_CSR) && p->role != ROLE_CSR)
        describe_fault(g->d, part, NULL, "field.csr belongs to pages of the role csr alone");
    if ((pressed || followed) && (p->role == ROLE_DONE || p->role == ROLE_REFUSED || p->role == ROLE_CLOSED))
        describe_fault(g->d, part, NULL, "nothing is pressed on a page of the role %s", role_words[p->role]);
    if ((mark_of(p, MARK_FIELD, -1) || mark_of(p, MARK_CHOOSE, -1)) && !pressed)
        describe_fault(g->d, part, NULL, "something is filled in, but nothing is pressed: press = BUTTON TEXT");
    if (uses_method(p) && !any(g->method, 3))
        describe_fault(g->d, part, NULL, "[portal] does not say how the portal names the methods: method.dns = A | B");
    if (mark_of(p, MARK_MUST, MUST_PRODUCT) && !any(g->product, 5))
        describe_fault(g->d, part, NULL, "[portal] does not say how the portal names the products: product.standard = A | B");
}

static void read_page(struct guide *g, const struct describe_part *part)
{
    struct guide_page *p;
    int role = describe_word(g->d, part, "role", role_kinds, word_index(role_kinds, part->name));

    if (role < 0 && !describe_key(part, "role"))
        describe_fault(g->d, part, NULL, "role is wanted, or a role for its name: %s", role_kinds);
    g->page = mem_grow(g->page, g->n + 1, sizeof *g->page);
    p = &g->page[g->n++];
    *p = (struct guide_page){.name = mem_str(part->name), .role = role < 0 ? ROLES : (enum page_role)role};
    p->unchecked = mem_str(describe_value(part, "unchecked"));
    p->proves = describe_yes(g->d, part, "proves", false);
    if (p->proves && p->role != ROLE_CSR)
        describe_fault(g->d, part, describe_key(part, "proves"), "belongs to pages of the role csr alone");
    size_t faults = g->d->n_fault;
    for (size_t i = 0; i < part->n; i++)
        read_mark(g, part, &part->key[i], &p->mark, &p->n);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) /* for did-you-mean */
        if (kinds[i].bare)
            describe_key(part, kinds[i].key);
    if (faults == g->d->n_fault) /* else what is missing may be what was faulty */
        check_page(g, part, p);
}

/* --- [portal] ---------------------------------------------------------------------------------------------------------------------------- */

static char *wanted(struct guide *g, const struct describe_part *p, const char *name, const char *what)
{
    const char *v = describe_value(p, name);

    if (!v || !*v)
        describe_fault(g->d, p, NULL, "%s is wanted: %s", name, what);
    return mem_str(v);
}

static void read_origins(struct guide *g, const struct describe_part *p, const char *name, bool plain, struct strs *out)
{
    const struct describe_key *k = describe_key(p, name);
    char origin[300];

    strs_split(out, k ? k->value : "");
    for (size_t i = 0; i < out->n; i++) {
        const char *host = strstr(out->s[i], "://");

        if (!http_origin(out->s[i], plain, origin, sizeof origin) || strpbrk(host + 3, "/?#"))
            describe_fault(g->d, p, k, "%s is no origin; wanted: https://HOST or https://HOST:PORT%s", out->s[i],
                           plain ? ", also with http" : "");
    }
}

static void read_urls(struct guide *g, const struct describe_part *p)
{
    const struct describe_key *start = describe_key(p, "start"), *chain = describe_key(p, "chain");

    if (start && !origin_in(&g->origins, start->value, false))
        describe_fault(g->d, p, start, "lies outside of origins");
    strs_split(&g->chain, chain ? chain->value : "");
    for (size_t i = 0; i < g->chain.n; i++)
        if (!origin_in(&g->pickup, g->chain.s[i], true) && !origin_in(&g->origins, g->chain.s[i], false))
            describe_fault(g->d, p, chain, "%s lies outside of pickup and origins", g->chain.s[i]);
    g->start = mem_str(start ? start->value : NULL);
}

static void read_names(struct guide *g, const struct describe_part *p, const char *prefix, const char *words, char **out)
{
    const struct describe_key *k;
    size_t at = 0;

    while ((k = describe_next(p, prefix, &at))) {
        int i = word_index(words, k->name + strlen(prefix));

        if (i < 0)
            describe_fault(g->d, p, k, "no such key; there are %sNAME with %s", prefix, words);
        else if (!texts_sound(k->value))
            describe_fault(g->d, p, k, "a text is empty");
        else if (!out[i])
            out[i] = mem_str(k->value);
    }
}

static void read_portal(struct guide *g, const struct describe_part *p)
{
    char *tried;

    if (!p) {
        describe_fault(g->d, NULL, NULL, "a section [portal] is wanted");
        return;
    }
    g->title = wanted(g, p, "title", "what the portal is called");
    tried = wanted(g, p, "tried", "what this description was tried against, and when");
    free(tried);
    read_origins(g, p, "origins", false, &g->origins);
    if (!g->origins.n)
        describe_fault(g->d, p, NULL, "origins is wanted: https://HOST, all that may be visited");
    read_origins(g, p, "pickup", true, &g->pickup);
    read_urls(g, p);
    strs_split(&g->caa, describe_value(p, "caa") ? describe_value(p, "caa") : "");
    read_names(g, p, "product.", product_kinds, g->product);
    read_names(g, p, "method.", method_kinds, g->method);
    for (size_t i = 0; i < p->n; i++)
        if (strncmp(p->key[i].name, "error.", 6) == 0)
            read_mark(g, p, &p->key[i], &g->error, &g->n_error);
}

struct guide *guide_load(struct description *d)
{
    static const char *const known[] = {"portal", "page", NULL};
    struct guide *g = mem_new(sizeof *g);

    g->d = d;
    if (!d->n && d->n_fault) /* it could not be read */
        return g;
    read_portal(g, describe_first(d, "portal"));
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->part[i].kind, "page") == 0)
            read_page(g, &d->part[i]);
    if (!g->n)
        describe_fault(d, NULL, NULL, "no [page NAME] is described");
    describe_unused(d, known);
    return g;
}

bool guide_open(struct guide **out, const struct strs *conf_path, const char *profile, struct err *e)
{
    char path[PATH_MAX], safe[64];
    size_t n;

    *out = NULL;
    if (!describe_find(conf_path, "ca", profile, path, sizeof path))
        return err_set(e, RC_CONF, "PORTAL_GUIDE", "there is no description ca/%s.ini; looked in %s",
                       text_safe(safe, sizeof safe, profile, strlen(profile)), path);
    struct guide *g = guide_load(describe_read(path));
    const struct conf_fault *f = guide_faults(g, &n);
    if (n) {
        struct str text = STR_INIT(300);

        conf_fault_show(f, &text);
        err_set(e, f->rc, "PORTAL_GUIDE", "%s (%zu fault%s; dcvagent config check tells all)", str_text(&text), n, n == 1 ? "" : "s");
        str_free(&text);
        guide_free(g);
        return false;
    }
    *out = g;
    return true;
}

static void free_marks(struct mark *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(m[i].at.text);
        free(m[i].key);
    }
    free(m);
}

void guide_free(struct guide *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++) {
        free_marks(g->page[i].mark, g->page[i].n);
        free(g->page[i].name);
        free(g->page[i].unchecked);
    }
    free(g->page);
    free_marks(g->error, g->n_error);
    for (size_t i = 0; i < 5; i++)
        free(g->product[i]);
    for (size_t i = 0; i < 3; i++)
        free(g->method[i]);
    strs_free(&g->origins);
    strs_free(&g->pickup);
    strs_free(&g->chain);
    strs_free(&g->caa);
    free(g->title);
    free(g->start);
    describe_free(g->d);
    free(g);
}

/* --- what it says ------------------------------------------------------------------------------------------------------------------------ */

const struct conf_fault *guide_faults(const struct guide *g, size_t *n)
{
    *n = g->d->n_fault;
    return g->d->fault;
}

const struct strs *guide_caa(const struct guide *g)
{
    return &g->caa;
}

const struct strs *guide_origins(const struct guide *g)
{
    return &g->origins;
}

const struct strs *guide_pickup(const struct guide *g)
{
    return &g->pickup;
}

const struct strs *guide_chain_urls(const struct guide *g)
{
    return &g->chain;
}

const char *guide_start(const struct guide *g)
{
    return g->start;
}

const char *guide_title(const struct guide *g)
{
    return g->title;
}

const char *guide_page_name(const struct guide_page *p)
{
    return p->name;
}

bool guide_page_proves(const struct guide_page *p)
{
    return p->proves;
}
