/* must.h: what a page shows against the order: names after IDNA, words as a person compares them. Pure. */
#ifndef DCV_CA_PORTAL_MUST_H
#define DCV_CA_PORTAL_MUST_H

#include "ca/portal/act.h"
#include "ca/portal/guide_impl.h"

/* Compares one must.* of a page and adds a line to `told`. false: it does not hold (RC_CA, both named), or the page does not show it (RC_PAGES). */
bool must_hold(const struct guide *g, const struct page *p, const char *page_name, const struct mark *m, const struct act_order *o, struct strs *told,
               struct err *e);

/* The organisation expected is the one shown, alone or beside its name in the other script: "Example Limited 示例有限公司". */
bool organisation_is(const char *expected, const char *shown);

#endif
