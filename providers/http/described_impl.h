/* described_impl.h: a description as it is understood (load*.c), and what interprets it (request.c read.c write.c). */
#ifndef DCV_PROVIDERS_HTTP_DESCRIBED_IMPL_H
#define DCV_PROVIDERS_HTTP_DESCRIBED_IMPL_H

#include "providers/http/api.h"
#include "providers/http/described.h"
#include "providers/http/pick.h"
#include "providers/http/template.h"
#include "providers/seen.h"

/* --- understood ----------------------------------------------------------------------------------------------------------------------- */

enum {
    STEP_LOGIN,
    STEP_ZONE,
    STEP_READ,   /* the set at one owner */
    STEP_LIST,   /* all sets of a zone */
    STEP_ADD,    /* one record */
    STEP_DELETE, /* one record */
    STEP_WRITE,  /* a whole set */
    STEP_CREATE, /* a whole set where there was none; else STEP_WRITE */
    STEP_REMOVE, /* a whole set that is empty now; else STEP_WRITE */
    STEP_BATCH,  /* several records or sets */
    STEP_COMMIT,
    STEP_SYNC,
    STEPS
};

struct field { /* of a header, query or form */
    char *name;
    struct template value;
};
struct fields {
    struct field *f;
    size_t n;
};

enum answer { ANSWER_OK, ANSWER_GONE, ANSWER_EXISTS, ANSWER_CONFLICT, ANSWER_THROTTLED, ANSWERS, ANSWER_REFUSED = ANSWERS };

struct verdicts { /* words that a status or an error code of the answer is compared with */
    struct strs words[ANSWERS];
    struct pick code; /* where the API's own error code stands */
    struct conditions success;
};

enum paging { PAGING_NONE, PAGING_PAGES, PAGING_NEXT, PAGING_LINK, PAGING_CURSOR, PAGING_TOTAL, PAGING_EMPTY };

struct step {
    bool given;
    const char *method;
    struct template url;
    struct fields header, query, form;
    struct node *json, *element;
    struct verdicts verdicts;
    /* what its answer holds */
    struct pick each, values, value, name, ttl, ref, id, token, sync, tag;
    char *tag_header;
    struct conditions only, empty, done, failed;
    enum paging paging;
    struct pick more;    /* pages, next, cursor, total */
    int64_t from;        /* STEP_LIST: for so many owners or more; 0: always */
    int64_t most;        /* STEP_BATCH: changes in one request */
    int64_t life;        /* STEP_LOGIN: s */
    int64_t every, limit; /* STEP_SYNC: s */
    char *id_key;        /* STEP_ZONE: the section's key that gives the id */
};

struct signature {
    char *scheme, *id, *secret, *token; /* the scheme's name; names of keys */
    struct template region, service;
};

struct described {
    struct provider_ops ops;
    struct description *d;
    struct conf_key *keys; /* name == NULL ends them */
    size_t n_keys;
    struct template url;
    struct fields header, query;
    struct verdicts verdicts;
    struct step step[STEPS];
    enum txt_form txt, txt_read;
    bool fqdn, plain, keeps; /* names in answers are FQDNs; http:// allowed; there is no way to delete */
    uint32_t ttl_least, ttl_most, ttl_unset; /* ttl_unset: what holds where the API gives none, 0 or 1 ("automatic") */
    unsigned rate, rate_s, parallel, pause_s;
    char *account;               /* names of keys: whose account it is, */
    char *user, *password;       /* and HTTP's own log-in (Basic) */
    struct signature sign;
};

/* By the API itself; else at server=, a name server that has the zone. */
static inline bool described_reads(const struct described *t)
{
    return t->step[STEP_READ].given || t->step[STEP_LIST].given;
}

/* load.c, load_step.c */
void load_description(struct described *t);
void load_steps(struct described *t);
bool load_template(struct described *t, const struct describe_part *p, const struct describe_key *k, struct template *out, uint32_t may);
void load_fields(struct described *t, const struct describe_part *p, const char *prefix, struct fields *out, uint32_t may);
void load_verdicts(struct described *t, const struct describe_part *p, struct verdicts *v);
void load_pick(struct described *t, const struct describe_part *p, const char *name, struct pick *out);
void fields_free(struct fields *f);
void verdicts_free(struct verdicts *v);
void step_free(struct step *s);

/* --- at work -------------------------------------------------------------------------------------------------------------------------- */

struct known_zone {
    struct known_zone *next;
    char *name, *id;
};

/* What the last read of an owner showed: the API's name for each value. One with p == NULL says that the owner was read at all. */
struct known_ref {
    char *zone, *owner, *ref;
    uint8_t *p;
    size_t n;
    int64_t at; /* loop_now(), ms */
};

struct provider {
    const struct described *type;
    const struct section *section;
    struct api *api;
    struct secret *secret; /* one for each key */
    char *url;             /* base, without a final slash */
    char origin[280];
    char *token;
    int64_t token_until; /* s */
    struct known_zone *zone;
    struct known_ref *ref;
    size_t n_ref;
    struct entry *first, *last;
    struct authority at; /* server=, where the API cannot show what it has */
    char server[320];
    uint32_t wait_ms;
};

struct pages { /* of an answer that comes in several */
    unsigned number;
    size_t items; /* so far */
    char *cursor, *url;
};

struct request { /* one request of a step */
    struct op op;
    struct api_call call;
    struct provider *p;
    const struct step *step;
    enum answer answer; /* out */
    char what[200];
};
/* s: what the step is about, used up when this returns; what the provider knows of itself is set here. page: NULL, or which one. */
void request_start(struct provider *p, struct request *r, const struct step *step, const struct scope *s, const struct pages *page);
void request_clear(struct request *r);

/* Gives each item of the answer to fn; false: the answer is not what the description says, or fn said so. *more: there is another page. */
typedef bool item_fn(void *arg, const json_t *answer, const json_t *item, struct err *e);
bool pages_take(struct pages *g, const struct request *r, item_fn *fn, void *arg, bool *more, struct err *e);
void pages_free(struct pages *g);

/* Before anything else: the token, and the zone's id. */
struct entry {
    struct op op;
    struct provider *p;
    const char *zone;
    const struct known_zone *known; /* out; NULL where the API needs no id */
    struct request r;
    struct pages page;
    char *found;
    struct entry *prev, *next;
};
void entry_start(struct provider *p, struct entry *n, const char *zone);
void known_zones_free(struct provider *p);

void described_read(struct provider *p, struct lookup *l);
void described_apply(struct provider *p, struct batch *b);

/* refs.c */
void refs_note(struct provider *p, const char *zone, const char *owner, const struct bytes *value, const char *ref);
void refs_forget(struct provider *p, const char *zone, const char *owner);
bool refs_known(const struct provider *p, const char *zone, const char *owner); /* read a moment ago */
void refs_spend(struct provider *p, const char *zone, const char *owner, struct bytes value); /* the record that refs_find names is gone */
bool refs_has(const struct provider *p, const char *zone, const char *owner, struct bytes value);
const char *refs_find(const struct provider *p, const char *zone, const char *owner, struct bytes value); /* NULL: not there, or without a name */

#endif
