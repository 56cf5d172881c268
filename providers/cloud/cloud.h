/* cloud.h: what Route 53, Google Cloud DNS and Azure DNS have in common. Each of them replaces whole TXT sets under a condition (what stood there
 * before, an ETag), so a write that meets somebody else's is refused by the API itself.
 *
 * A visit is one lookup or one batch: it gets a token where the cloud wants one and the zone's id where the cloud does not go by its name, then asks
 * for each set, or writes as many sets as a request holds. A cloud fills requests and judges answers (struct cloud_ops), nothing else. */
#ifndef DCV_PROVIDERS_CLOUD_CLOUD_H
#define DCV_PROVIDERS_CLOUD_CLOUD_H

#include "net/loop.h"
#include "providers/cloud/token.h"
#include "providers/http/api.h"
#include "providers/provider.h"

struct visit;
struct cloud_ops;
struct conf_key;

struct provider {
    const struct cloud_ops *ops;
    const struct section *section;
    struct net *net;
    struct api *api;
    char *endpoint;        /* without a slash at its end */
    struct strs zone_ids;  /* "example.hk=ID": configured, and those found */
    struct token token;    /* where ops->token */
    void *own;             /* the cloud's */
};

/* A TXT set to be written: all changes of a batch at one owner. */
struct swap {
    const struct rrset *before, *after;
};

/* A leg of a visit: one request, and those that follow from it (pages, polls). */
struct leg {
    struct visit *visit;
    struct leg *prev, *next;
    struct api_call call;
    struct timer timer;
    struct rrset *set;    /* reading: filled */
    struct swap *swap;    /* writing: n of them */
    size_t n;
    unsigned turn;        /* requests so far */
    char more[512];       /* the cloud's: next page, id of the change to ask about */
};

enum cloud_says {
    CLOUD_DONE,
    CLOUD_MORE,     /* once more: ops fills the next request from what it put into leg->more */
    CLOUD_FAILED,   /* with e */
    CLOUD_CONFLICT, /* writing: what stood there is not what was read */
    CLOUD_SPLIT     /* writing: refused as a whole because of one of its sets: each half by itself */
};

struct cloud_ops {
    bool token;       /* requests carry p->token */
    bool serial;      /* one write at a time */
    size_t sets_max;  /* sets in one write */
    size_t octets_max;/* of their values together, as the API writes them; 0: no limit */

    bool (*sign)(struct provider *p, struct api_call *c, struct err *e); /* right before it leaves; NULL */

    void (*find)(struct leg *s, const char *zone); /* the request that finds the zone's id; NULL: the zone's name will do */
    enum cloud_says (*found)(struct leg *s, const char *zone, char *id, size_t size, struct err *e);

    void (*ask)(struct leg *s);                    /* the request for the TXT set and a CNAME at s->set->owner */
    enum cloud_says (*heard)(struct leg *s, const struct err *fault, struct err *e);

    bool (*write)(struct leg *s, struct err *e);   /* the request that swaps s->swap[0..n); false: it cannot be said to this API */
    enum cloud_says (*wrote)(struct leg *s, const struct err *fault, struct err *e); /* a change that is not everywhere yet: its id in more */

    void (*poll)(struct leg *s);                   /* the request whether the change in more is everywhere yet */
    bool (*synced)(struct leg *s);
};

const char *leg_zone(const struct leg *s);        /* the zone's name */
const char *leg_zone_id(const struct leg *s);
struct provider *leg_provider(const struct leg *s);
void leg_request(struct leg *s, const char *method, char *url); /* takes url */
void leg_json(struct leg *s, json_t *body);       /* takes body */

/* How the API writes value i: as it was read, else `quote` of it. The caller frees. */
char *cloud_native(const struct rrset *set, size_t i, void (*quote)(struct str *out, struct bytes value));

/* Keys that all of them have, and the metadata server of the two that ask one for tokens. */
#define CLOUD_ENDPOINT(STANDARD, HELP) \
    {.name = "endpoint", .type = CONF_TEXT, .standard = STANDARD, .check = conf_check_url, .help = "Address of the API" HELP "."}
#define CLOUD_RATE(STANDARD) \
    {.name = "rate", .type = CONF_COUNT, .standard = STANDARD, .allowed = "1..1000", \
     .help = "Requests a second at most; the limit of the account is shared with whoever else uses it."}
#define CLOUD_METADATA \
    {.name = "metadata", .type = CONF_TEXT, .standard = "http://169.254.169.254", .check = conf_check_url, \
     .help = "Address of the machine's metadata server."}

/* open: what is common, from the keys endpoint, rate and zone_ids. credential: what identifies the account. */
bool cloud_open(struct provider **out, const struct cloud_ops *ops, const struct section *s, struct net *n, const char *credential, struct err *e);
void cloud_close(struct provider *p); /* all but what own points to */
struct cost cloud_cost(const struct provider_ops *p, size_t owners, size_t changes); /* a question an owner, one write */
void cloud_read(struct provider *p, struct lookup *l);
void cloud_apply(struct provider *p, struct batch *b);

bool cloud_check_zone_ids(const char *value, char why[160]);

#endif
