/* webviews.h: who sees the validation files of orders: what views.h is for records. */
#ifndef DCV_CMD_WEBVIEWS_H
#define DCV_CMD_WEBVIEWS_H

#include "base/json.h"
#include "base/names.h"
#include "cmd/cmd.h"
#include "dcv/webview.h"
#include "order/session.h"

struct section;

struct web_check {            /* one name at which a file is to be seen */
    char *cert, *value;
    char host[NAME_SIZE];
    const struct section *ca; /* whose [verify] keys count; NULL */
    const struct site *site;  /* out; NULL: err says why */
    struct web_watch watch;   /* out */
    struct strs said;         /* while waiting: the last line of each address */
    struct err err;
};

struct webviews {
    struct web_check *p;
    size_t n;
};

void webviews_add(struct webviews *l, const char *cert, const struct section *ca, const char *host, const char *value);

/* wait: until all of them see it, or timeout= is over, and what changes is printed as it comes (not with JSON); else one round. false: stopped by a signal, or the proxy's password cannot be read. */
bool webviews_look(const struct call *c, struct session *s, struct webviews *l, bool wait, struct err *e);
enum rc webviews_rc(const struct webviews *l); /* 0: seen at every name, 12: not, 69: nobody could be asked */
json_t *webview_json(const struct web_check *p);
void webview_print(const struct web_check *p);
void webviews_free(struct webviews *l);

#endif
