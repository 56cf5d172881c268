/* api.h: HTTP to the API of one provider section: what all HTTP providers share below their translation.
 *
 * Requests of a section wait in one queue: at most `parallel` are under way, and one account (sections of a type with the same credential in
 * the same run share it) holds the API's rate. A 429, or a 503 with Retry-After, stops the account until then; where that is longer than
 * API_PATIENCE_S the request fails with not_before set, so that the next run waits too. Nothing is repeated here: the core reads back and
 * decides.
 *
 * Answers are hostile: at most `max` octets, JSON strict (duplicates refused), content never shown but cut and escaped, secrets never.
 * Errors of a request: RC_NET (HTTP_*: nobody reached, or no answer: look at `sent`), RC_WRITE API_STATUS (the API said no; its words in
 * text), RC_WRITE API_AUTH (401, 403: which key, which right), RC_LATER API_RATE, RC_PAGES API_ANSWER (not what its documentation promises). */
#ifndef DCV_PROVIDERS_HTTP_API_H
#define DCV_PROVIDERS_HTTP_API_H

#include "base/json.h"
#include "base/op.h"
#include "base/record.h"
#include "base/secret.h"
#include "base/str.h"

struct net;
struct section;
struct api;

enum { API_PATIENCE_S = 300 };

struct api_setup {
    const struct section *section; /* name for messages, proxy, ca_file; borrowed */
    const char *credential;        /* what identifies the account (key id, token file's path): one bucket each; NULL: the section */
    const char *agent;             /* User-Agent; NULL: dcvagent */
    bool plain;                    /* http:// allowed: a server in one's own house */
    unsigned parallel;             /* requests under way; 0: 4 */
    unsigned rate, rate_s;         /* at most `rate` requests in `rate_s` seconds; 0: no limit known */
    size_t max;                    /* octets of an answer; 0: 4 MiB */
};
bool api_new(struct api **out, struct net *n, const struct api_setup *setup, struct err *e);
void api_free(struct api *a);      /* requests under way are cancelled */

struct api_call {
    struct op op;                  /* success: a status that `ok` accepts, and the body parsed where wanted */
    const char *method;            /* caller's until done(), as all that follows */
    char *url;                     /* absolute; caller's */
    struct strs headers;           /* "Name: value"; may hold secrets: api_call_clear() wipes */
    struct str body;               /* the same */
    const char *what;              /* "read the TXT records at www.example.hk": for messages */
    bool repeatable;               /* may reach the server twice (http.h) */
    bool raw;                      /* the body is not JSON: answer stays in `in` */
    /* Right before it leaves, maybe minutes after api_start(): adds to the headers what must be fresh (a signature). Called once; false: the call
       fails with e. NULL */
    bool (*seal)(struct api_call *c, struct err *e);
    bool (*ok)(struct api_call *c);/* NULL: 2xx. Sees every answer but those that throttle: status, json, in; its fault goes into c->why */
    bool sent;                     /* out: may have reached the server */
    long status;                   /* out; 0: no answer */
    json_t *json;                  /* out; NULL: no body, raw, or (other statuses than 2xx) none that parses. Scalars are JSON too */
    struct str in;                 /* out: raw, or what did not parse */
    struct str head;               /* out: header lines, for api_header() */
    struct err why;                /* from ok() */
    const struct api *api;         /* out: where it was sent, whose secrets are not shown */
    void *impl;
};
void api_start(struct api *a, struct api_call *c);
void api_call_clear(struct api_call *c); /* all but op; not while under way */
bool api_header(const struct api_call *c, const char *name, char *out, size_t size); /* ETag, Link, ... */
bool api_link(const struct api_call *c, const char *rel, char *out, size_t size);    /* the URL of `Link: <URL>; rel="next"` */
unsigned api_requests(const struct api *a);
struct net *api_net(const struct api *a); /* for timers and jobs */

/* The API wants to be left alone until then (wall clock, s), and says so in another way than by status. */
void api_hold(struct api *a, int64_t until);

/* The API may repeat what it was sent: words of it that hold this secret are shown with *** in its place. What stands in request headers
 * (but Accept and Content-Type) is hidden anyway; this is for secrets in URLs and bodies. Copies. */
void api_hide(struct api *a, const struct secret *secret);

/* What a JSON answer says about a refusal: the first text under error, message, detail and the like; "" where there is none. */
const char *api_words(const json_t *json);
/* The same as it is shown: cut, escaped, without secrets. Returns out. */
char *api_show(const struct api_call *c, const char *words, char *out, size_t size);

/* After a failed write: may it have been carried out? Then CHANGE_UNSURE. false: certainly not (nothing sent; 4xx; 429). */
bool api_unsure(const struct api_call *c);

/* Percent-encoding of one path segment or query value (RFC 3986: all but unreserved). */
void api_encode(struct str *out, const char *text);

/* TXT content as APIs write it: quoted strings of at most 255 octets, RFC 1035 5.1 escapes (\" \\ \DDD), and back. false: no such text. */
void txt_quote(struct str *out, struct bytes value);
bool txt_unquote(const char *text, uint8_t **p, size_t *n); /* also of several strings, joined; the caller frees */

#endif
