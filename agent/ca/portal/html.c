/* html.c: octets into a tree, questions by XPath, and the text that is shown. */
#include "ca/portal/html_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/portal/charset.h"
#include "ca/portal/wording.h"

enum {
    XPATH_STEPS = 20000000, /* of libxml2's own count: about a second */
    FIELDS_MAX = 2000
};

/* --- parsing -------------------------------------------------------------------------------------------------------------------------- */

/* Over what holds no tags: comments, scripts, styles, text areas. */
static const char *past(const char *p)
{
    static const struct {
        const char *open, *close;
    } raw[] = {{"<!--", "-->"}, {"<script", "</script"}, {"<style", "</style"}, {"<textarea", "</textarea"}};

    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        if (strncasecmp(p, raw[i].open, strlen(raw[i].open)) != 0)
            continue;
        const char *end = strcasestr(p + strlen(raw[i].open), raw[i].close);
        return end ? end + 1 : p + strlen(p);
    }
    return p + 1;
}

/* libxml2 closes a form where another begins, browsers ignore the other: the tree does not show it any more. */
static bool nests_forms(const char *p)
{
    bool open = false;

    while ((p = strchr(p, '<'))) {
        if (strncasecmp(p, "</form", 6) == 0) {
            open = false;
        } else if (strncasecmp(p, "<form", 5) == 0 && strchr(" \t\r\n\f>/", p[5])) {
            if (open)
                return true;
            open = true;
        }
        p = past(p);
    }
    return false;
}

static htmlDocPtr parse(const char *text, size_t n, struct err *e)
{
    htmlParserCtxtPtr c = libxml.htmlNewParserCtxt();
    htmlDocPtr doc;

    if (!c)
        err_bug("libxml2 gave no parser");
    doc = libxml.htmlCtxtReadMemory(c, text, (int)n, NULL, "UTF-8",
                                    HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
    if (c->disableSAX || !doc || !libxml.xmlDocGetRootElement(doc)) {
        err_set(e, RC_PAGES, "PORTAL_HTML",
                c->disableSAX ? "the page is nested deeper than a page for people is; nothing was pressed"
                              : "what the portal sent is no HTML page; nothing was pressed");
        libxml.xmlFreeDoc(doc);
        doc = NULL;
    }
    libxml.htmlFreeParserCtxt(c);
    return doc;
}

/* What has to be looked up again and again is found once; a page with more of it than any page for people is refused. */
static bool survey(struct page *p, struct err *e)
{
    unsigned fields = 0;
    bool based = false;

    for (xmlNode *n = libxml.xmlDocGetRootElement(p->doc); n; n = next_in(n, NULL)) {
        if (n->type != XML_ELEMENT_NODE || is_inert(n))
            continue;
        if (is_element(n, "form"))
            nodes_add(&p->forms, n);
        else if (is_element(n, "label"))
            nodes_add(&p->labels, n);
        else if (is_element(n, "input|select|textarea|button"))
            fields++;
        else if (is_element(n, "base") && !based) { /* the first one counts */
            char *href = attr(n, "href"), *base = href ? url_join(p, href) : NULL;

            based = href != NULL;
            free(href);
            if (base) {
                free(p->base);
                p->base = base;
            }
        }
    }
    return (fields <= FIELDS_MAX && p->labels.n <= FIELDS_MAX && p->forms.n <= FIELDS_MAX) ||
           err_set(e, RC_PAGES, "PORTAL_HTML", "the page has more than %d fields; nothing was pressed", FIELDS_MAX);
}

struct reader {
    struct page *p;
    struct str run;
    bool filled; /* the run has more than blanks */
    char *lead;
};

static void add_bit(struct page *p, struct bit b)
{
    if ((p->n_bit & (p->n_bit - 1)) == 0) /* room doubles */
        p->bit = mem_grow(p->bit, p->n_bit ? p->n_bit * 2 : 1, sizeof *p->bit);
    p->bit[p->n_bit++] = b;
}

static void flush(struct reader *r, xmlNode *block)
{
    if (r->filled)
        add_bit(r->p, (struct bit){.block = block, .text = word_collapse(r->run.p, r->run.n), .lead = r->lead});
    else
        free(r->lead);
    r->lead = NULL;
    r->filled = false;
    str_free(&r->run);
}

static void add_run(struct reader *r, const char *text)
{
    char *line = r->filled ? NULL : word_collapse(text, strlen(text));

    r->filled = r->filled || *line;
    free(line);
    if (r->filled)
        str_add(&r->run, text);
}

/* Depth is bounded by the parser (256). */
static void read_below(struct reader *r, xmlNode *top, xmlNode *block)
{
    for (xmlNode *n = top->children; n; n = n->next) {
        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
            add_run(r, (const char *)n->content);
        if (n->type != XML_ELEMENT_NODE || !is_shown(n))
            continue;
        if (is_control(n)) {
            flush(r, block);
            add_bit(r->p, (struct bit){.control = n, .block = block});
        } else if (is_element(n, "br|hr")) {
            flush(r, block);
        } else if (is_block(n)) {
            flush(r, block);
            read_below(r, n, n);
            flush(r, n);
        } else {
            bool first = !r->filled;

            read_below(r, n, block);
            if (first && r->filled && !r->lead)
                r->lead = word_collapse(r->run.p, r->run.n);
        }
    }
}

static void read_page(struct page *p)
{
    xmlNode *root = libxml.xmlDocGetRootElement(p->doc);
    struct reader r = {.p = p, .run = STR_INIT(PAGE_MAX * 3)};

    read_below(&r, root, root);
    flush(&r, root);
    p->text = shown_text(root, TEXT_BUTTONS | TEXT_PICTURES);
    p->folded = word_fold(p->text);
    p->xpath = libxml.xmlXPathNewContext(p->doc);
    if (!p->xpath)
        err_bug("libxml2 gave no XPath context");
    p->xpath->error = libxml_hush;
    p->xpath->opLimit = XPATH_STEPS;
}

bool page_parse(struct page **out, const void *octets, size_t n, const char *charset, const char *url, struct err *e)
{
    struct page *p;
    char *text = NULL;
    size_t len = 0;
    bool ok;

    *out = NULL;
    if (!libxml_load(e))
        return false;
    if (n > PAGE_MAX)
        return err_set(e, RC_PAGES, "PORTAL_HTML", "the page has more than %d octets; nothing was pressed", PAGE_MAX);
    p = mem_new(sizeof *p);
    p->charset = charset_find(octets, n, charset);
    p->url = mem_str(url);
    p->base = mem_str(url);
    ok = charset_decode(octets, n, p->charset, &text, &len, e) && (p->doc = parse(text, len, e)) && survey(p, e);
    if (ok) {
        p->form_in_form = nests_forms(text);
        read_page(p);
    } else {
        page_free(p);
        p = NULL;
    }
    free(text);
    *out = p;
    return ok;
}

void page_free(struct page *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_bit; i++) {
        free(p->bit[i].text);
        free(p->bit[i].lead);
    }
    free(p->bit);
    nodes_free(&p->forms);
    nodes_free(&p->labels);
    libxml.xmlXPathFreeContext(p->xpath);
    libxml.xmlFreeDoc(p->doc);
    free(p->url);
    free(p->base);
    free(p->text);
    free(p->folded);
    free(p);
}

const char *page_url(const struct page *p)
{
    return p->url;
}

const char *page_text(const struct page *p)
{
    return p->text;
}

static bool is_within(void *arg, const char *folded)
{
    const struct page *p = arg;

    return strstr(p->folded, folded) != NULL;
}

bool page_shows(const struct page *p, const char *texts)
{
    return word_any(texts, is_within, (void *)(uintptr_t)p);
}

static bool holds_words(void *arg, const char *folded)
{
    return strstr(arg, folded) != NULL;
}

char *page_line(const struct page *p, const char *texts)
{
    for (size_t i = 0; i < p->n_bit; i++) {
        char *folded = p->bit[i].control ? NULL : word_fold(p->bit[i].text);
        bool found = folded && word_any(texts, holds_words, folded);

        free(folded);
        if (found)
            return mem_str(p->bit[i].text);
    }
    return NULL;
}

/* --- XPath ----------------------------------------------------------------------------------------------------------------------------- */

static xmlXPathObjectPtr ask(const struct page *p, const char *xpath, const struct node *from)
{
    p->xpath->node = from ? node_in(from) : (xmlNode *)p->doc;
    p->xpath->opCount = 0;
    return libxml.xmlXPathEval((const xmlChar *)xpath, p->xpath);
}

bool xpath_check(const char *xpath, char why[160])
{
    static const char sample[] = "<html><body><form><table><tr><td>a</td></tr></table><input name='a' value='a'></form></body></html>";
    struct page *p = NULL;
    struct err e = {0};
    xmlXPathObjectPtr r;

    if (!page_parse(&p, sample, strlen(sample), "utf-8", "https://portal.example/", &e)) {
        snprintf(why, 160, "%.159s", e.text);
        return false;
    }
    r = ask(p, xpath, NULL);
    if (!r) {
        const char *said = p->xpath->lastError.message ? p->xpath->lastError.message : "";
        snprintf(why, 160, "not XPath 1.0: %.*s", (int)strcspn(said, "\n"), *said ? said : "it cannot be read");
    }
    bool sound = r != NULL;
    libxml.xmlXPathFreeObject(r);
    page_free(p);
    return sound;
}

bool page_is(const struct page *p, const char *xpath)
{
    xmlXPathObjectPtr r = ask(p, xpath, NULL);
    bool is = r && libxml.xmlXPathCastToBoolean(r);

    libxml.xmlXPathFreeObject(r);
    return is;
}

void nodes_add(struct nodes *l, const xmlNode *n)
{
    if ((l->n & (l->n - 1)) == 0)
        l->p = mem_grow(l->p, l->n ? l->n * 2 : 1, sizeof *l->p);
    l->p[l->n++] = node_out(n);
}

void nodes_free(struct nodes *l)
{
    free(l->p);
    *l = (struct nodes){0};
}

void page_find(const struct page *p, const char *xpath, const struct node *from, struct nodes *out)
{
    xmlXPathObjectPtr r = ask(p, xpath, from);

    for (int i = 0; r && r->nodesetval && i < r->nodesetval->nodeNr; i++)
        if (r->nodesetval->nodeTab[i]->type == XML_ELEMENT_NODE && !is_hidden(r->nodesetval->nodeTab[i]))
            nodes_add(out, r->nodesetval->nodeTab[i]);
    libxml.xmlXPathFreeObject(r);
}

static void add_text(struct strs *out, xmlChar *text)
{
    char *line = word_collapse(text ? (char *)text : "", text ? strlen((char *)text) : 0);

    strs_add(out, line);
    free(line);
    libxml_free(text);
}

void page_texts(const struct page *p, const char *xpath, const struct node *from, struct strs *out)
{
    xmlXPathObjectPtr r = ask(p, xpath, from);

    for (int i = 0; r && r->nodesetval && i < r->nodesetval->nodeNr; i++) {
        xmlNode *n = r->nodesetval->nodeTab[i];

        if (n->type == XML_ELEMENT_NODE && !is_hidden(n)) {
            char *text = node_text(node_out(n));
            strs_add(out, text);
            free(text);
        } else if (n->type == XML_ATTRIBUTE_NODE || n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) {
            add_text(out, libxml.xmlNodeGetContent(n));
        }
    }
    if (r && r->type != XPATH_NODESET)
        add_text(out, libxml.xmlXPathCastToString(r));
    libxml.xmlXPathFreeObject(r);
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------ */

static void put_attr(struct str *out, const xmlNode *n, const char *name)
{
    char *v = attr(n, name);

    if (v)
        str_fmt(out, " %s ", v);
    free(v);
}

static void put_control(struct str *out, const xmlNode *n, unsigned with)
{
    char *v = NULL;

    if (is_type(n, "submit|reset|button|image") && (with & TEXT_BUTTONS))
        put_attr(out, n, is_type(n, "image") ? "alt" : "value");
    else if (with & TEXT_VALUES)
        v = control_value(n);
    if (v)
        str_fmt(out, " %s ", v);
    free(v);
}

static void put_below(struct str *out, const xmlNode *top, unsigned with)
{
    for (xmlNode *n = top->children; n; n = n->next) {
        if ((n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE) && n->content)
            str_add(out, (const char *)n->content);
        if (n->type != XML_ELEMENT_NODE || !is_shown(n))
            continue;
        if (is_element(n, "img") && (with & TEXT_PICTURES))
            put_attr(out, n, "alt");
        if (is_element(n, "input|select|textarea")) {
            put_control(out, n, with);
        } else if (!is_element(n, "button") || (with & TEXT_BUTTONS)) {
            bool apart = is_block(n) || is_element(n, "br|hr|button");

            str_add(out, apart ? "\n" : "");
            put_below(out, n, with);
            str_add(out, apart ? "\n" : "");
        }
    }
}

char *shown_text(const xmlNode *n, unsigned with)
{
    struct str out = STR_INIT(PAGE_MAX * 3);
    char *line;

    put_below(&out, n, with);
    line = word_collapse(str_text(&out), out.n);
    str_free(&out);
    return line;
}

static char *chosen_option(const xmlNode *select)
{
    const xmlNode *chosen = NULL;

    for (const xmlNode *n = select->children; n; n = next_in(n, select))
        if (is_element(n, "option") && (!chosen || attr_has(n, "selected")))
            chosen = n;
    return chosen ? shown_text(chosen, 0) : mem_str("");
}

/* Of a control as it stands on the page; nothing of a password. */
char *control_value(const xmlNode *n)
{
    char *v = NULL;

    if (is_element(n, "select"))
        return chosen_option(n);
    if (is_element(n, "textarea")) {
        xmlChar *text = libxml.xmlNodeGetContent(n);
        v = mem_str(text ? (char *)text : "");
        libxml_free(text);
    } else if (is_element(n, "input") && !is_type(n, "password|hidden|radio|checkbox|file|submit|reset|button|image")) {
        v = attr(n, "value");
    }
    return v ? v : mem_str("");
}

char *node_text(const struct node *node)
{
    const xmlNode *n = node_in(node);
    char *text;

    if (is_element(n, "input|select|textarea")) {
        char *v = control_value(n);
        text = word_collapse(v, strlen(v));
        free(v);
        return text;
    }
    text = shown_text(n, 0);
    if (!*text) { /* a cell that shows its value in a field */
        free(text);
        text = shown_text(n, TEXT_VALUES);
    }
    return text;
}
