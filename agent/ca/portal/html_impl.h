/* html_impl.h: a page inside its own files: html.c (the tree), labels.c, links.c, forms.c, masked.c. They alone know libxml2. */
#ifndef DCV_CA_PORTAL_HTML_IMPL_H
#define DCV_CA_PORTAL_HTML_IMPL_H

#include "ca/portal/libxml.h"
#include "ca/portal/page.h"

/* What is shown, in the order of the page: runs of text as a reader takes them together, and controls between them. */
struct bit {
    xmlNode *control; /* input, select, textarea, button; NULL: text */
    xmlNode *block;   /* the element that holds it as a line: p, td, div, ... */
    char *text;
    char *lead;       /* of a text that begins with an element of its own (<b>Name</b> value): that element's; NULL */
};

struct page {
    htmlDocPtr doc;
    xmlXPathContextPtr xpath;
    char *url, *base;
    const char *charset;
    char *text, *folded;
    struct nodes forms, labels;
    bool form_in_form; /* a browser drops the inner one: whose the fields are cannot be told for sure */
    struct bit *bit;
    size_t n_bit;
};

static inline xmlNode *node_in(const struct node *n)
{
    return (xmlNode *)(uintptr_t)n;
}

static inline const struct node *node_out(const xmlNode *n)
{
    return (const struct node *)n;
}

void nodes_add(struct nodes *l, const xmlNode *n);

bool is_element(const xmlNode *n, const char *names); /* an element of one of these names: "td|th" */
bool is_shown(const xmlNode *n);                      /* the element itself; what holds it may still be hidden */
bool is_hidden(const xmlNode *n);                     /* it, or what holds it */
bool is_inert(const xmlNode *n);                      /* within template, noscript or the like: for a browser it is not there */
bool is_block(const xmlNode *n);
bool is_control(const xmlNode *n);                    /* input that is not hidden, select, textarea, button */
bool is_button(const xmlNode *n);                     /* sends its form */
bool is_disabled(const xmlNode *n);                   /* by itself or by its fieldset */
bool is_type(const xmlNode *n, const char *types);    /* an input of one of these types */
char *attr(const xmlNode *n, const char *name);       /* NULL: none; the caller frees */
bool attr_has(const xmlNode *n, const char *name);
bool attr_is(const xmlNode *n, const char *name, const char *value); /* case of ASCII does not matter: words of HTML */
bool attr_same(const xmlNode *n, const char *name, const char *value); /* names and ids */
xmlNode *above(const xmlNode *n, const char *names);  /* nearest element around it, itself included; NULL */
xmlNode *next_in(const xmlNode *n, const xmlNode *top); /* in document order below top; NULL: the end */

enum { TEXT_BUTTONS = 1, TEXT_VALUES = 2, TEXT_PICTURES = 4 }; /* what besides text: of buttons, of controls, of img alt */
char *shown_text(const xmlNode *n, unsigned with);
char *control_value(const xmlNode *n);

char *url_join(const struct page *p, const char *href); /* absolute, without fragment; NULL: no http or https URL */

#endif
