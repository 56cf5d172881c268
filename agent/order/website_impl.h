/* website_impl.h: what website.c and website_views.c share. */
#ifndef DCV_ORDER_WEBSITE_IMPL_H
#define DCV_ORDER_WEBSITE_IMPL_H

#include "dcv/webview.h"
#include "net/proxy.h"
#include "order/order_impl.h"

struct page { /* of a spot: one name looked at */
    struct order *o;
    const struct spot *spot;
    struct web_watch watch;
    bool seen;
    struct err unseen;
};

struct website {
    struct page *page; /* as many as spots */
    size_t n;
    struct proxy proxy;
    struct child hook;
    struct strs argv, env;
    size_t at;         /* the entry that is worked on */
    unsigned put_back;
    struct err err;    /* of the last effect */
};

struct website *website_of(struct order *o);           /* made where there is none */
const char *website_value(const struct spot *s);       /* what the CA wants to see at this name; NULL: nothing */

/* website_views.c */
enum turn website_watch(struct order *o);              /* NEXT: seen at all names */
void website_look_anew(struct order *o);
void website_pages_clear(struct website *w);

#endif
