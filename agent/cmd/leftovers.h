/* leftovers.h: what stands in the world by us, or may, and whose it is: open rows of the ledger, files on web servers. For gc and gc --list. */
#ifndef DCV_CMD_LEFTOVERS_H
#define DCV_CMD_LEFTOVERS_H

#include "base/json.h"
#include "cmd/cmd.h"
#include "order/session.h"
#include "store/store.h"

enum whose { OF_TXT, OF_PROBE, OF_OPEN_ORDER, OF_OVER_ORDER };

struct leftover {
    bool file;      /* else a record */
    char order[24];
    char *cert, *host;
    char *owner;    /* of a file: its path in the web root, or the URL where a hook puts it */
    char *provider; /* of a file: "webroot", or the hook */
    char *zone;     /* of a file: "" */
    struct bytes value;
    enum ledger_state state;
    enum whose whose;
    bool wanted;
    struct err err;
};

struct leftovers {
    struct leftover *row;
    size_t n;
    struct strs open; /* ids of open orders */
};

bool leftovers_load(struct leftovers *l, struct session *s, struct err *e);
void leftovers_free(struct leftovers *l);
bool leftover_goes(const struct leftover *o); /* gc removes it */
json_t *leftover_json(const struct leftover *o);

/* gc --list: all of them, and what looks like somebody else's validation beside our names. */
enum rc leftovers_list(struct call *c, struct session *s);

#endif
