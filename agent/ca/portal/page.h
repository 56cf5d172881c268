/* page.h: one HTML page of a portal as a tree that can be asked: XPath 1.0, labels, forms, links. The files around html_impl.h alone know libxml2.
 *
 * Pages are hostile: at most PAGE_MAX octets, 2000 fields and 256 elements deep; nothing is fetched, no script runs; entities and external parts are
 * not followed. What is hidden (hidden, display:none, template, noscript, scripts, comments) is not shown and not found by words. Texts are
 * compared normalised: blanks of every kind (U+00A0, U+3000) are one blank, and none beside Chinese or parentheses; `*` and a final colon at the ends
 * dropped; full-width forms and typographic quotes made plain; case of ASCII ignored. */
#ifndef DCV_CA_PORTAL_PAGE_H
#define DCV_CA_PORTAL_PAGE_H

#include "base/err.h"
#include "base/record.h"
#include "base/str.h"

enum { PAGE_MAX = 2 << 20 };

struct page;
struct node; /* an element; lives as long as its page */
struct nodes {
    const struct node **p;
    size_t n;
};
void nodes_free(struct nodes *l);

/* charset: of the HTTP header, which wins over a meta element; NULL: the page's own, else UTF-8. url: where the page came from, after redirects. */
bool page_parse(struct page **out, const void *octets, size_t n, const char *charset, const char *url, struct err *e);
void page_free(struct page *p);
const char *page_url(const struct page *p);
const char *page_text(const struct page *p); /* all that is shown, runs of blanks made one */

bool xpath_check(const char *xpath, char why[160]); /* false: not XPath 1.0 */
bool page_is(const struct page *p, const char *xpath); /* boolean(xpath) */
void page_find(const struct page *p, const char *xpath, const struct node *from, struct nodes *out); /* elements that are shown; from: NULL: the document */

/* Of elements that are shown what node_text() says, of attributes and strings what they are; empty ones too. */
void page_texts(const struct page *p, const char *xpath, const struct node *from, struct strs *out);

char *node_text(const struct node *n);                     /* shown text, runs of blanks made one; of a control its value; the caller frees */
bool text_same(const char *a, const char *b);              /* after normalisation */
bool page_shows(const struct page *p, const char *texts);  /* one of `texts` ("A | B") is within page_text() */
char *page_line(const struct page *p, const char *texts);  /* the first line of text that holds one of them; NULL; the caller frees */

/* Labels: a <label for>, a wrapping label, a cell or term (td th dt) whose next one holds the thing, text right in front of it in the same line or
 * block, the block before; for radios and checkboxes the text right behind. `labels`: alternatives separated by "|". A label that is exactly the
 * same is taken before one that goes on with a hint ("reference no. (nine digits)").
 * page_control: input, select or textarea that is shown and can be changed. page_shown: values as text: "Name: value" in a line, the next cell, term
 * or block (a read-only field's value where there is no text); "" where the place of the value is empty. Several are found: all are given, the caller
 * calls it ambiguous; the same text twice is given twice. */
void page_control(const struct page *p, const char *labels, struct nodes *out);
void page_shown(const struct page *p, const char *labels, struct strs *out);
void page_named(const struct page *p, const char *name, struct nodes *out);   /* as page_control, by the name attribute */
void page_choice(const struct page *p, const char *texts, struct nodes *out); /* radio buttons, checkboxes by label; options by text */

void page_buttons(const struct page *p, const char *texts, struct nodes *out); /* what sends a form and has one of these texts */
void page_links(const struct page *p, const char *texts, struct nodes *out);   /* <a href> with one of these texts in it */
char *node_label(const struct node *n);                                        /* of a button, link or option: its text; the caller frees */
char *page_link_url(const struct page *p, const struct node *a); /* absolute, without fragment; NULL: none; the caller frees */
bool page_refresh(const struct page *p, char *url, size_t size); /* meta refresh: where to, absolute */

/* Sending a form: its successful controls as a browser would send them (HTML: disabled ones and other buttons left out, hidden ones and selected
 * options kept, in document order), with `fill` laid over. */
struct page_fill {
    const struct node *control; /* text-like or textarea: value; select: the option whose text or value is value; an option: chosen; radio,
                                   checkbox: checked */
    struct bytes value;
};
struct page_send {
    char method[8];            /* GET or POST */
    char *url;                 /* absolute; of a GET with the fields in its query */
    const char *content_type;  /* NULL: GET */
    struct str body;           /* may hold secrets: page_send_clear() wipes it */
};
bool page_submit(const struct page *p, const struct node *button, const struct page_fill *fill, size_t n, struct page_send *out, struct err *e);
void page_send_clear(struct page_send *s);

/* The page as it may be kept for a person: values of password fields, hidden tokens and every occurrence of the given secrets masked. */
char *page_masked(const struct page *p, const struct bytes *secret, size_t n_secret, size_t *len);

#endif
