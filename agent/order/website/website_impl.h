/* website_impl.h: what the files of website/ share, and ask/sweep.c with them. */
#ifndef DCV_ORDER_WEBSITE_IMPL_H
#define DCV_ORDER_WEBSITE_IMPL_H

#include "dcv/webview.h"
#include "net/proxy.h"
#include "order/order_impl.h"
#include "order/website/website.h"

struct page { /* of a spot: one name looked at */
    struct order *o;
    const struct spot *spot;
    struct web_watch watch;
    bool seen;
    struct err unseen;
};

struct website_call {          /* of a hook for one file */
    struct child hook;
    struct strs argv, env;
};

struct website {
    struct page *page; /* as many as spots */
    size_t n;
    struct proxy proxy;
    struct website_call call;
    size_t at;         /* the entry that is worked on */
    unsigned put_back;
    struct err err;    /* of the last effect */
};

struct website *website_of(struct order *o);           /* made where there is none */
const char *website_value(const struct spot *s);       /* what the CA wants to see at this name; NULL: nothing */

/* website/files.c */
struct website_file website_file_of(const struct saved_order *o, const json_t *entry); /* borrows from both */

/* website/hook.c: made, then started by the caller, then judged. `started`: what the child's done() was told. */
bool website_call_make(struct website_call *c, const char *state_dir, const struct website_file *f, const char *verb, struct err *e);
bool website_call_judge(struct website_call *c, const struct err *started, struct err *e);
void website_call_clear(struct website_call *c);       /* ends it if it runs */

/* website/views.c */
enum turn website_watch(struct order *o);              /* NEXT: seen at all names */
void website_look_anew(struct order *o);
void website_pages_clear(struct website *w);

#endif
