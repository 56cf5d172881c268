/* acme_impl.h: what the files of ca/acme/ share. Nobody else includes this. */
#ifndef DCV_CA_ACME_IMPL_H
#define DCV_CA_ACME_IMPL_H

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "conf/conf.h"
#include "ca/ca.h"
#include "ca/acme/poll.h"
#include "ca/acme/problem.h"
#include "cert/jws.h"
#include "net/http.h"
#include "net/net.h"

enum { URL_SIZE = 2048, ANSWER_MAX = 4 << 20, NAMES_MAX = 1000, NONCES_MAX = 1024, BAD_NONCES = 16 };
enum { REMEMBERED = 30 * DAY }; /* what an earlier run learned of a CA's servers */

struct acme_request;
struct nonce_head;

struct acme_dir {
    bool known;
    char *new_nonce, *new_account, *new_order, *revoke_cert, *key_change, *renewal_info; /* the last three may be NULL */
    char *terms;
    bool eab;
    struct strs caa, profiles;
    struct strs origins; /* where the CA may send us: the servers that the directory names */
};

enum account_step { ACCOUNT_UNKNOWN, ACCOUNT_WORKS, ACCOUNT_READY };

struct acme_account {
    enum account_step step;
    unsigned n;      /* which key file */
    char *url;       /* NULL: none known */
    char *contact;   /* as the CA knows it, blanks between */
    bool deactivated;
    struct jws_key *key;
    struct jws_key *next; /* of a rollover under way */
    struct acme_request *request;
};

struct acme_ready {
    struct op op;
    bool account;    /* the account too, made if need be */
    unsigned nonces; /* as many are fetched ahead */
    struct ca *ca;
    struct acme_ready *next;
};

struct ca {
    struct ca_rules rules;
    struct places places;
    struct strs caa, chain_files, contact;
    const struct section *section;
    const char *name, *directory;
    struct net *net;
    struct store *store;
    struct http_client *http; /* made with the first request */
    struct acme_dir dir;
    struct acme_request *dir_request;
    struct acme_ready *waiting; /* for directory or account */
    struct acme_ready warm;
    struct acme_account account;
    int64_t waits;              /* as kept in the store; -1: not read yet */
    /* nonce.c */
    char *nonce_url;            /* newNonce; NULL: neither the directory nor an earlier run has told it */
    struct strs nonces;
    struct nonce_head *head;    /* under way */
    size_t n_head, n_given;     /* n_given: of those since there was none under way */
    bool too_many;              /* the CA refused some of those */
    long nonce_status;          /* HTTP status, where it gave none of the last; else 0 */
    size_t nonce_most, nonce_left; /* HEADs that the CA bears in a run; and of those that are left */
    size_t n_signed;            /* requests under way: each brings a nonce back */
    struct acme_request *first, *last; /* waiting for a nonce */
    size_t n_waiting;
    /* early.c */
    enum { PACE_UNKNOWN, PACE_QUICK, PACE_SLOW } pace[2]; /* slow: asked early, the CA was not through with its checks; with issuing */
};

/* --- ca.c: the section ----------------------------------------------------------------------------------------------------------- */

struct http_client *acme_http(struct ca *c, struct err *e); /* NULL: e */

/* A URL out of the CA's JSON or headers: https, one of its own servers, not too long. NULL: e (RC_CA, CA_URL). Borrowed from j. */
const char *acme_url(const struct ca *c, const json_t *j, const char *key, struct err *e);
bool acme_url_ok(const struct ca *c, const char *url, const char *what, struct err *e);

/* --- memory.c, address.c: what an earlier run learned of the CA's servers ----------------------------------------------------------- */

json_t *memory_recall(const struct ca *c, const char *topic);   /* the caller's; NULL: nothing, or too long ago */
void memory_keep(struct ca *c, const char *topic, json_t *j);   /* j: an object, taken */
struct http_memory acme_addresses(struct ca *c);

/* --- directory.c: what every call stands on --------------------------------------------------------------------------------------- */

void acme_ready(struct ca *c, struct acme_ready *r);
void acme_ready_pump(struct ca *c, const struct err *e); /* directory or account came, or failed */
void acme_dir_free(struct acme_dir *d);
bool acme_dir_read(struct ca *c, const json_t *j, struct err *e);

/* --- nonce.c ---------------------------------------------------------------------------------------------------------------------- */

void nonce_recall(struct ca *c);                          /* what an earlier run knew of this directory */
void nonce_at(struct ca *c, const char *url);             /* the directory has told newNonce */
void nonce_fetch(struct ca *c, size_t n);                 /* so that n are at hand, or on their way, beside those in use */
void nonce_more(struct ca *c, size_t n);
void nonce_wait(struct ca *c, struct acme_request *r);    /* acme_request_go() follows, or acme_request_fail() */
void nonce_leave(struct ca *c, struct acme_request *r);
bool nonce_take(struct ca *c, const struct http *h);      /* Replay-Nonce of an answer; false: there is none */
void nonce_pump(struct ca *c);                            /* n_signed fell, or a nonce was taken */
bool nonce_refused(const struct ca *c, struct err *e, int64_t away); /* false, with CA_NONCE; away: when to ask again, wall clock, s; 0: unknown */
void nonce_close(struct ca *c);

/* --- request.c: one signed request ------------------------------------------------------------------------------------------------- */

struct acme_request {
    struct op op;
    struct ca *ca;
    const char *about;         /* static: "the order", for messages */
    char *url;                 /* the request's */
    char *payload;             /* the request's; NULL: POST-as-GET */
    bool by_key;               /* signed as a stranger: the JWK instead of the account's URL */
    bool plain;                /* GET without a signature */
    bool repeatable;           /* it has an effect, which is the same when it comes twice */
    const struct jws_key *key; /* NULL: the account's; borrowed */
    const char *accept;        /* static: the media type wanted; NULL: JSON */
    const char *wait_key;      /* "SECTION/wait/HASH": a rate limit concerns this order alone; NULL: the whole section. The caller's */
    /* out */
    json_t *json;              /* of an answer in JSON, also of a problem; NULL */
    struct problem problem;    /* rc RC_CA and others: what the CA says */
    struct http http;
    bool sent;                 /* it may have been carried out, though it failed */
    int64_t retry_after;       /* wall clock, s; 0: none */
    /* request.c's */
    struct strs headers;
    struct str body;
    unsigned bad_nonces, broken;
    size_t unread;
    struct acme_request *next; /* waiting for a nonce */
    bool queued, counted;      /* counted: in n_signed */
};
/* url and payload must be set (mem_*). Success: status 2xx and the media type wanted. Faults: see problem.h, and CA_ANSWER (neither JSON nor a
 * problem), CA_WAITS (the CA asked not to be asked before; nothing is sent), CA_NONCE. */
void acme_send(struct ca *c, struct acme_request *r);
void acme_request_clear(struct acme_request *r); /* cancels and frees what it holds */
/* RC_LATER, CA_WAITS: not yet; key as wait_key. */
bool acme_may_ask(struct ca *c, const char *key, struct err *e);
/* Whether this answer asks to be left alone (429, or what `limited` says: for key; 503: for all), which is kept: until when; else 0. */
int64_t acme_stay_away(struct ca *c, const char *key, const struct http *h, bool limited);
void acme_request_go(struct acme_request *r, const char *nonce);
void acme_request_fail(struct acme_request *r, const struct err *e);

/* --- account.c --------------------------------------------------------------------------------------------------------------------- */

void account_pump(struct ca *c);         /* makes it ready; acme_ready_pump() follows */
void account_forget_url(struct ca *c);   /* the CA does not know it: it is looked for anew */
void account_close(struct ca *c);
void account_errand(struct ca *c, struct ca_errand *r);

/* --- case.c, renewal.c ------------------------------------------------------------------------------------------------------------- */

void case_warm(struct ca *c, const struct ca_case *k);
void case_look(struct ca *c, struct ca_case *k);
void case_begin(struct ca *c, struct ca_case *k);
void case_confirm(struct ca *c, struct ca_case *k);
void case_submit(struct ca *c, struct ca_case *k);
void case_fetch(struct ca *c, struct ca_case *k);
void acme_renewal(struct ca *c, struct ca_renewal *r);
void renewal_window(struct ca_renewal *r, const json_t *j); /* pure: of the answer; a window that ends before it begins is none */

#endif
