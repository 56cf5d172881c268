/* views.h: who sees a record: the matrix of views of `check` and `txt check`. */
#ifndef DCV_CMD_VIEWS_H
#define DCV_CMD_VIEWS_H

#include "base/json.h"
#include "base/names.h"
#include "cmd/cmd.h"
#include "dcv/visible.h"
#include "order/session.h"

struct webviews;

struct view_check {          /* one record to be looked for */
    const char *cert;        /* "" or NULL: none */
    char host[NAME_SIZE];    /* the name it proves, as shown */
    char ask[NAME_SIZE];     /* what resolvers are asked: the owner before CNAMEs */
    const struct site *site; /* NULL: err says why */
    struct bytes value;
    const struct section *ca; /* whose [verify] keys count; NULL */
    struct err err;
};

struct view_how {
    struct webviews *web; /* asked and shown behind the records; NULL: none */
    bool resolvers_at_once;
    bool watch; /* until the quorum is met or timeout= is over; a live matrix on a terminal, else changes are printed as they come */
};

/* Asks and prints, as a table or JSON. 0: the quorum is met for all, 12: it is not, 69: nobody could be asked. */
enum rc views_run(struct call *c, struct session *s, struct view_check *v, size_t n, const struct view_how *how);

json_t *view_json(const struct view *v);
const char *view_word(const struct view *v); /* its verdict; "no route", "not asked yet" */
void view_address(const struct view *v, char *out, size_t size);

/* One record, once. */
enum rc views_check(struct call *c, struct session *s, const char *host, const struct site *site, struct bytes value);

#endif
