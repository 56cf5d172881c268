/* masked.c: a page as it may be kept for a person to look at: no secret, no token, no script. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/portal/html_impl.h"

#define MASK "(hidden)"

enum { TOKEN_MIN = 16 }; /* octets of a query value that may be a token */

struct masking {
    const struct bytes *secret;
    size_t n;
};

/* Octets of text that spell the secret, blanks and hyphens between its signs left out ("1234 5678"); 0: they do not. */
static size_t spells(const char *text, const struct bytes *secret)
{
    size_t i = 0, k = 0;

    while (k < secret->n && text[i]) {
        if ((uint8_t)text[i] == secret->p[k]) {
            i++;
            k++;
        } else if (k && (text[i] == ' ' || text[i] == '-')) {
            i++;
        } else if (k && strncmp(text + i, "\xc2\xa0", 2) == 0) {
            i += 2;
        } else {
            return 0;
        }
    }
    return k == secret->n ? i : 0;
}

static char *without_secrets(const struct masking *m, const char *text)
{
    struct str out = STR_INIT(PAGE_MAX * 8);

    while (*text) {
        size_t n = 0;

        for (size_t i = 0; i < m->n && !n; i++)
            n = m->secret[i].n ? spells(text, &m->secret[i]) : 0;
        if (n)
            str_add(&out, MASK);
        else
            str_put(&out, text, 1);
        text += n ? n : 1;
    }
    return str_take(&out);
}

/* Session numbers in addresses: ;jsessionid=..., ?token=... */
static char *without_tokens(const char *url)
{
    struct str out = STR_INIT(PAGE_MAX);

    while (*url) {
        size_t name = strcspn(url, "=");

        name += url[name] == '=';
        size_t value = url[name - 1] == '=' ? strcspn(url + name, "&;#?") : 0;
        str_put(&out, url, name);
        if (value >= TOKEN_MIN)
            str_add(&out, MASK);
        else
            str_put(&out, url + name, value);
        url += name + value;
    }
    return str_take(&out);
}

static void mask_attr(const struct masking *m, xmlNode *n, xmlAttr *a)
{
    xmlChar *v = libxml.xmlNodeListGetString(n->doc, a->children, 1);
    const char *name = (const char *)a->name;
    char *own = attr(n, "name"), *text;

    if (strcasecmp(name, "href") == 0 || strcasecmp(name, "action") == 0 || strcasecmp(name, "src") == 0 ||
        strcasecmp(name, "formaction") == 0 || (strcasecmp(name, "content") == 0 && attr_is(n, "http-equiv", "refresh")))
        text = without_tokens(v ? (char *)v : "");
    else if (strcasecmp(name, "content") == 0 && own && (strcasestr(own, "token") || strcasestr(own, "csrf")))
        text = mem_str(MASK);
    else if (strcasecmp(name, "value") == 0 && v && *v && is_type(n, "hidden|password"))
        text = mem_str(MASK);
    else
        text = mem_str(v ? (char *)v : "");
    char *clean = without_secrets(m, text);
    if (v && strcmp(clean, (char *)v) != 0)
        libxml.xmlSetProp(n, a->name, (const xmlChar *)clean);
    free(clean);
    free(text);
    free(own);
    libxml_free(v);
}

static void mask_text(const struct masking *m, xmlNode *n)
{
    bool script = is_element(n->parent, "script");
    char *clean = without_secrets(m, n->content ? (char *)n->content : "");

    if (script || (n->content && strcmp(clean, (char *)n->content) != 0)) {
        libxml.xmlNodeSetContent(n, NULL);
        libxml.xmlNodeAddContent(n, (const xmlChar *)(script ? "" : clean)); /* added as it is; setting it would read entities */
    }
    free(clean);
}

/* The tree first, where a secret is not yet written with entities; then the text, which has names of elements and attributes too. */
char *page_masked(const struct page *p, const struct bytes *secret, size_t n_secret, size_t *len)
{
    struct masking m = {secret, n_secret};
    xmlDocPtr copy = libxml.xmlCopyDoc(p->doc, 1);
    char *url = without_tokens(p->url), *all, *clean;
    xmlChar *text = NULL;
    int n = 0;

    for (xmlNode *at = (xmlNode *)copy->children; at; at = next_in(at, NULL)) {
        if (at->type == XML_TEXT_NODE || at->type == XML_CDATA_SECTION_NODE || at->type == XML_COMMENT_NODE)
            mask_text(&m, at);
        for (xmlAttr *a = at->type == XML_ELEMENT_NODE ? at->properties : NULL; a; a = a->next)
            mask_attr(&m, at, a);
    }
    libxml.htmlSetMetaEncoding(copy, (const xmlChar *)"UTF-8");
    libxml.htmlDocDumpMemory(copy, &text, &n);
    all = mem_fmt("<!-- saved from url=(%04zu)%s -->\n%s", strlen(url), strstr(url, "--") ? "" : url, text ? (char *)text : "");
    clean = without_secrets(&m, all);
    free(url);
    free(all);
    libxml_free(text);
    libxml.xmlFreeDoc(copy);
    *len = strlen(clean);
    return clean;
}
