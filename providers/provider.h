/* provider.h: a DNS service that records are written through. This header and rfc2136.c are all one needs to add another; for most HTTP APIs a
 * description file does it without C (providers/http/described.h).
 *
 * A provider translates and decides nothing. dcv/publish/publish.c batches per zone, reads before and after, keeps the ledger, merges, retries,
 * keeps rate limits. What a provider promises:
 *  - add: exactly this value is added at this owner; values of others at the same owner, and the TTL of a set already there, survive.
 *  - delete: exactly this value goes; a value that is not there is success.
 *  - values are opaque octets, owners any FQDN in the zone, the apex included.
 *  - `apply` gives every change a result, whatever the error of the batch says. CHANGE_UNSURE where the request may or may not have been
 *    carried out (a timeout): the core reads back.
 *  - `read` asks at the authority or the API, never a resolver. A partial read is an error, never a short set.
 *  - callbacks follow base/op.h. Nothing is retried inside a provider except what its protocol names (a batch split).
 * Memory: what the core puts into a batch or lookup stays the core's and lives until done(); what a provider adds is said at each field. */
#ifndef DCV_PROVIDERS_PROVIDER_H
#define DCV_PROVIDERS_PROVIDER_H

#include "base/op.h"
#include "base/record.h"

enum provider_caps {
    CAN_READ = 1,
    CAN_BATCH = 2,    /* several changes in one apply */
    CAN_SYNC = 4,     /* has a signal that all servers are in step */
    ATOMIC = 8,       /* a batch is applied as a whole or not at all */
    WRITES_SETS = 16, /* replaces whole RRsets: the core merges (before, after) */
    HAS_CAS = 32,     /* compare-and-swap by rrset.tag */
    WRITES_ZONE = 64, /* replaces the whole zone */
    COMMITS = 128,    /* what apply writes takes effect with its end alone; a read shows it before: until an apply went through it is written again,
                         and what stands there already costs no request then */
    KEEPS = 256       /* cannot delete: a value stands until the service drops it by itself, and no value of others stands beside it */
};

struct net;
struct section;
struct conf_key;
struct conf_fault;
struct conf_sink;
struct provider;
struct strs;

struct rrset { /* TXT values at one owner */
    const char *owner;
    bool cname;           /* out: a CNAME stands here */
    uint32_t ttl;         /* s; 0 where the set does not exist */
    size_t n;             /* out: values; the provider allocates octets (array and each p), rrset_clear() frees */
    struct bytes *octets; /* strings joined, to compare */
    char **native;        /* WRITES_SETS: each value as the API gave it, to be given back unchanged; else NULL */
    char *rest;           /* WRITES_SETS: what else is given back with the set (comments, disabled records), in the provider's words; NULL */
    char tag[96];         /* ETag, version: compare-and-swap */
};
void rrset_clear(struct rrset *set); /* keeps owner */
bool rrset_has(const struct rrset *set, struct bytes value);
void rrset_add(struct rrset *set, const uint8_t *p, size_t n); /* copies */
void rrset_add_native(struct rrset *set, const uint8_t *p, size_t n, const char *native); /* copies; NULL: a value that the API has not given */

enum change_result { CHANGE_OPEN, CHANGE_DONE, CHANGE_REFUSED, CHANGE_CONFLICT, CHANGE_UNSURE };

struct change {
    bool add;                           /* false: delete */
    const struct record *rec;           /* in */
    const char *ref;                    /* in, deletes only: the ledger's ref */
    const struct rrset *before, *after; /* in, WRITES_SETS: merged by the core */
    enum change_result result;          /* out */
    char new_ref[192];                  /* out */
    struct err err;                     /* out, where result is not CHANGE_DONE */
};

struct batch {
    struct op op;
    const char *zone;
    struct change *c;
    size_t n;
    char sync[96];
    bool proven; /* out, of probe */
    void *impl;
};
struct lookup {
    struct op op;
    const char *zone;
    struct rrset *set;
    size_t n;
    void *impl;
}; /* owners in, values out */

struct cost { /* requests */
    size_t reads, writes;
};

struct provider_ops {
    const char *type;
    /* For `providers` and the manual, in sentences; NULL: nothing to say. */
    const char *summary; /* one line */
    const char *rights;  /* the least right to grant, in the service's words */
    const char *limits;  /* rate limits, bounds of TTLs, traps */
    const char *links;   /* the service's own documentation, blanks between */
    const char *tried;   /* what it was tested against */
    unsigned caps;
    char grade;                                   /* safety beside foreign values: 'A' to 'D' */
    char (*graded)(const struct provider *p);     /* the same of an open provider whose server decides it; NULL: grade */
    const struct conf_key *keys;
    void (*examine)(const struct section *s, struct conf_sink *to); /* what its keys say together, files that it uses; NULL */
    bool (*takes)(struct bytes value);            /* can this TXT value be written at all? NULL: any can */
    bool (*open)(struct provider **p, const struct section *s, struct net *n, struct err *e); /* no network */
    void (*warm)(struct provider *p, const char *zone);                                       /* a connection may be opened early; NULL */
    void (*read)(struct provider *p, struct lookup *l);
    void (*apply)(struct provider *p, struct batch *b);
    /* Would these changes be allowed? Nothing is changed. CHANGE_DONE: nothing speaks against it, and where the batch is `proven` the service has looked at
     * the right to make it, not only at the key. NULL: cannot be asked; that read gets an answer is all one can know. */
    void (*probe)(struct provider *p, struct batch *b);
    /* A forecast: requests to read so many owners of a zone once, and to make so many changes in it, without log-ins and the like. NULL: reading is a matter
     * of DNS, and one write is enough. */
    struct cost (*cost)(const struct provider_ops *p, size_t owners, size_t changes);
    void (*close)(struct provider *p);
};

extern const struct provider_ops *const provider_types[];     /* built in; NULL-ended */
const struct provider_ops *provider_type(const char *type);   /* one of them; NULL: unknown */
const struct provider_ops *provider_of(const struct section *s); /* the section's, built in or described; NULL: unknown */

struct cost provider_cost(const struct provider_ops *p, size_t owners, size_t changes);

/* A type that is a description file, FOLDER/providers/TYPE.ini (conf/describe.h), and what is wrong with it. NULL: there is none.
 * The caller gives it back by provider_forget(). */
const struct provider_ops *provider_find(const struct strs *conf_path, const char *type, const struct conf_fault **fault, size_t *n_fault);
void provider_forget(const struct provider_ops *p);
void provider_names(const struct strs *conf_path, struct strs *out); /* of all: built in, then described, each sorted; appends */

#endif
