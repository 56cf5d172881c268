/* directory.c: the directory, once a run, and the queue of those who need it or the account. */
#include "ca/acme/acme_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void acme_dir_free(struct acme_dir *d)
{
    char **const url[] = {&d->new_nonce, &d->new_account, &d->new_order, &d->revoke_cert, &d->key_change, &d->renewal_info, &d->terms};
    for (size_t i = 0; i < sizeof url / sizeof *url; i++)
        free(*url[i]);
    strs_free(&d->caa);
    strs_free(&d->profiles);
    strs_free(&d->origins);
    *d = (struct acme_dir){0};
}

/* Before the directory is known any https server is good: here the CA says where its services are. */
static bool take(struct ca *c, struct acme_dir *d, const json_t *j, const char *key, bool needed, char **out, struct err *e)
{
    char origin[280];
    if (!needed && !*json_str(j, key))
        return true;
    const char *url = acme_url(c, j, key, e);
    if (!url)
        return false;
    *out = mem_str(url);
    if (http_origin(url, false, origin, sizeof origin) && !strs_has(&d->origins, origin))
        strs_add(&d->origins, origin);
    return true;
}

static void take_meta(struct acme_dir *d, const json_t *meta)
{
    char safe[300];
    const char *terms = json_str(meta, "termsOfService"), *name;
    json_t *value;
    size_t i;
    if (*terms)
        d->terms = mem_str(text_safe(safe, sizeof safe, terms, strlen(terms)));
    d->eab = json_is_true(json_object_get(meta, "externalAccountRequired"));
    json_array_foreach(json_object_get(meta, "caaIdentities"), i, value)
    {
        char id[NAME_SIZE];
        if (json_is_string(value) && name_parse(json_string_value(value), NAME_SINGLE, id, NULL) && d->caa.n < 64)
            strs_add(&d->caa, id);
    }
    json_object_foreach(json_object_get(meta, "profiles"), name, value)
    {
        if (d->profiles.n < 64)
            strs_add(&d->profiles, text_safe(safe, sizeof safe, name, strlen(name)));
    }
}

bool acme_dir_read(struct ca *c, const json_t *j, struct err *e)
{
    struct acme_dir d = {0};
    char origin[280];
    if (http_origin(c->directory, false, origin, sizeof origin))
        strs_add(&d.origins, origin);
    bool ok = take(c, &d, j, "newNonce", true, &d.new_nonce, e) && take(c, &d, j, "newAccount", true, &d.new_account, e) &&
              take(c, &d, j, "newOrder", true, &d.new_order, e) && take(c, &d, j, "revokeCert", false, &d.revoke_cert, e) &&
              take(c, &d, j, "keyChange", false, &d.key_change, e) && take(c, &d, j, "renewalInfo", false, &d.renewal_info, e);
    if (!ok) {
        acme_dir_free(&d);
        return false;
    }
    take_meta(&d, json_object_get(j, "meta"));
    d.known = true;
    acme_dir_free(&c->dir);
    c->dir = d;
    if (c->caa.n == 0) /* not configured: what the CA itself says it answers to */
        strs_copy(&c->caa, &d.caa);
    return true;
}

/* --- who waits ------------------------------------------------------------------------------------------------------------------------ */

static void unlink_ready(struct ca *c, struct acme_ready *r)
{
    struct acme_ready **at = &c->waiting;
    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
}

void acme_ready_pump(struct ca *c, const struct err *e)
{
    struct acme_ready **at = &c->waiting;
    while (*at) {
        struct acme_ready *r = *at;
        if (!e && !(c->dir.known && (!r->account || c->account.step == ACCOUNT_READY))) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        op_settle(&r->op, e);
    }
}

static size_t nonces_wanted(const struct ca *c)
{
    size_t nonces = 0, early = 0;
    for (const struct acme_ready *r = c->waiting; r; r = r->next)
        *(r == &c->warm ? &early : &nonces) += r->nonces;
    return early > nonces ? early : nonces; /* the early ones are for the same orders */
}

static void got_directory(struct op *op, const struct err *e)
{
    struct ca *c = op->owner;
    struct err fault = e ? *e : (struct err){0};
    bool account = false;
    if (e || !acme_dir_read(c, c->dir_request->json, &fault)) {
        acme_ready_pump(c, &fault);
        return;
    }
    for (const struct acme_ready *r = c->waiting; r; r = r->next)
        account |= r->account;
    nonce_at(c, c->dir.new_nonce);
    nonce_fetch(c, nonces_wanted(c));
    if (account)
        account_pump(c);
    acme_ready_pump(c, NULL);
}

static void fetch_directory(struct ca *c)
{
    if (c->dir_request && op_busy(&c->dir_request->op))
        return;
    if (!c->dir_request)
        c->dir_request = mem_new(sizeof *c->dir_request);
    acme_request_clear(c->dir_request);
    *c->dir_request = (struct acme_request){
        .op = {.done = got_directory, .owner = c}, .about = "its directory", .url = mem_str(c->directory), .plain = true};
    acme_send(c, c->dir_request);
    nonce_recall(c);
}

static void forget_ready(struct op *op)
{
    struct acme_ready *r = (struct acme_ready *)op;
    unlink_ready(r->ca, r);
}

void acme_ready(struct ca *c, struct acme_ready *r)
{
    op_start(&r->op, forget_ready);
    r->ca = c;
    struct acme_ready **at = &c->waiting;
    while (*at)
        at = &(*at)->next;
    *at = r;
    r->next = NULL;
    if (!c->dir.known) {
        fetch_directory(c);
        if (acme_may_ask(c, NULL, NULL))
            nonce_fetch(c, nonces_wanted(c));
        return;
    }
    nonce_fetch(c, r->nonces);
    if (r->account)
        account_pump(c);
    acme_ready_pump(c, NULL);
}
