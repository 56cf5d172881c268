/* locate.h: what a description means on a page that is there: one control, one button, one text, or an error that says what was looked for. */
#ifndef DCV_CA_PORTAL_LOCATE_H
#define DCV_CA_PORTAL_LOCATE_H

#include "ca/portal/guide_impl.h"
#include "ca/portal/page.h"

/* Texts of what the locator finds; contradictions are the caller's to judge. */
void locate_texts(const struct page *p, const struct locator *at, struct strs *out);

/* The one text there is, however often it is shown. false: none, or different ones: RC_PAGES. */
bool locate_text(const struct page *p, const char *page_name, const struct mark *m, char **out, struct err *e);

/* The one node. `texts`: what a BY_TEXT locator looks for (placeholders replaced). false: none, or several: RC_PAGES. */
const struct node *locate_control(const struct page *p, const char *page_name, const struct mark *m, struct err *e);
const struct node *locate_choice(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e);
const struct node *locate_button(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e);
const struct node *locate_link(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e);

bool locate_holds(const struct page *p, const struct locator *at); /* texts are shown, XPath is true */

#endif
