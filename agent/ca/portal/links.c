/* links.c: buttons, links, and where they lead. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/portal/html_impl.h"
#include "ca/portal/wording.h"
#include "net/http.h"

enum { LINK_MAX = 4096 };

/* Browsers take blanks around away and encode what a URL cannot hold. */
static char *url_clean(const char *href)
{
    struct str out = STR_INIT(LINK_MAX * 3);
    size_t n = strlen(href);

    while (n && (unsigned char)href[n - 1] <= ' ')
        n--;
    while (n && (unsigned char)*href <= ' ') {
        href++;
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)href[i];

        if (c == '\t' || c == '\r' || c == '\n')
            continue;
        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
            str_fmt(&out, "%%%02X", c);
        else
            str_put(&out, &c, 1);
    }
    return str_take(&out);
}

char *url_join(const struct page *p, const char *href)
{
    char *clean = url_clean(href), url[LINK_MAX], origin[300];
    bool ok = strlen(clean) < LINK_MAX && http_join(p->base, clean, url, sizeof url) && http_origin(url, true, origin, sizeof origin);

    free(clean);
    if (!ok)
        return NULL;
    url[strcspn(url, "#")] = '\0';
    return mem_str(url);
}

static char *button_text(const xmlNode *n)
{
    char *text;

    if (is_element(n, "button"))
        return shown_text(n, TEXT_PICTURES);
    text = attr(n, is_type(n, "image") ? "alt" : "value");
    return text ? text : mem_str("");
}

struct words {
    const char *folded;
    bool whole; /* the same, else: within */
};

static bool fits(void *arg, const char *text)
{
    const struct words *w = arg;

    return w->whole ? strcmp(text, w->folded) == 0 : strstr(w->folded, text) != NULL;
}

static bool says(char *shown, const char *texts, bool whole)
{
    char *folded = word_fold(shown);
    struct words w = {folded, whole};
    bool yes = word_any(texts, fits, &w);

    free(folded);
    free(shown);
    return yes;
}

void page_buttons(const struct page *p, const char *texts, struct nodes *out)
{
    for (size_t i = 0; i < p->n_bit; i++) {
        const xmlNode *n = p->bit[i].control;

        if (n && is_button(n) && !is_disabled(n) && says(button_text(n), texts, true))
            nodes_add(out, n);
    }
}

/* Links are not among the bits: they are text. Hidden ones are left out with what hides them. */
static void links_below(const xmlNode *top, const char *texts, struct nodes *out)
{
    for (const xmlNode *n = top->children; n; n = n->next) {
        if (n->type != XML_ELEMENT_NODE || !is_shown(n))
            continue;
        if (is_element(n, "a") && attr_has(n, "href") && says(shown_text(n, TEXT_PICTURES | TEXT_BUTTONS), texts, false))
            nodes_add(out, n);
        links_below(n, texts, out);
    }
}

void page_links(const struct page *p, const char *texts, struct nodes *out)
{
    links_below(libxml.xmlDocGetRootElement(p->doc), texts, out);
}

char *page_link_url(const struct page *p, const struct node *a)
{
    char *href = attr(node_in(a), "href"), *url = href ? url_join(p, href) : NULL;

    free(href);
    return url;
}

char *node_label(const struct node *node)
{
    const xmlNode *n = node_in(node);
    char *text = is_control(n) && is_button(n) ? button_text(n) : shown_text(n, TEXT_PICTURES);
    char *line = word_collapse(text, strlen(text));

    free(text);
    return line;
}

/* "5; url='next.do'": HTML's rules for http-equiv=refresh. */
static char *refresh_url(const char *content)
{
    const char *p = content + strspn(content, " \t\r\n\f");
    char quote = 0;
    size_t n;

    p += strspn(p, "0123456789.");
    p += strspn(p, " \t\r\n\f;,");
    if (strncasecmp(p, "url", 3) == 0) {
        const char *eq = p + 3 + strspn(p + 3, " \t\r\n\f");
        if (*eq == '=')
            p = eq + 1 + strspn(eq + 1, " \t\r\n\f");
    }
    if (*p == '"' || *p == '\'')
        quote = *p++;
    n = quote && strchr(p, quote) ? (size_t)(strchr(p, quote) - p) : strlen(p);
    return n ? mem_copy(p, n) : NULL; /* without a URL it reloads the page itself */
}

bool page_refresh(const struct page *p, char *url, size_t size)
{
    for (const xmlNode *n = libxml.xmlDocGetRootElement(p->doc); n; n = next_in(n, NULL)) {
        char *content = is_element(n, "meta") && attr_is(n, "http-equiv", "refresh") && !is_inert(n) ? attr(n, "content") : NULL;
        char *href = content ? refresh_url(content) : NULL;
        char *to = href ? url_join(p, href) : NULL;
        bool fit = to && strlen(to) < size;

        if (fit)
            memcpy(url, to, strlen(to) + 1);
        free(content);
        free(href);
        free(to);
        if (fit)
            return true;
    }
    return false;
}
