/* prepare.c: new -> prepared -> challenged: key and CSR, where the records go, preflight, and the codes of the CA. */
#include "order/order_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/csr.h"
#include "cert/key.h"

enum { CSR_FILE_MAX = 65536, KEY_FILE_MAX = 65536 };

/* A first order of a by-person CA costs the person's attention (and an envelope): it starts only when a person says so. */
static bool waits_for_start(struct order *o)
{
    if (!order_rules(o)->by_person || o->saved.forced || !fact_num(o, "first"))
        return false;
    if (o->at->ops->ask_start)
        o->at->ops->ask_start(o->at->ca, &o->ca);
    order_wait(o, WAITS_PIN);
    return true;
}

/* key_reuse: the key of the certificate in use, ordered or adopted, unless key_type= asks for another type. */
static bool key_in_use(struct order *o)
{
    char word[16], *text, *path = mem_fmt("%s/live/%s/privkey.pem", o->run->s->state_dir, o->saved.cert);
    size_t n;
    bool ok = fs_read(path, KEY_FILE_MAX, &text, &n, NULL);
    if (ok) {
        secret_set(&o->key_pem, text, n);
        explicit_bzero(text, n);
        free(text);
        ok = key_type_of(&o->key_pem, word, NULL) && (o->conf->key_type == KEY_DEFAULT || strcmp(word, o->saved.key_type) == 0);
    }
    free(path);
    return ok;
}

/* The name of the key file is the order's id, which is never used again: a key found there is ours, from before a crash. */
static enum turn have_key(struct order *o)
{
    struct session *s = o->run->s;
    if (o->job_err.rc != RC_OK) {
        struct err e = o->job_err;
        o->job_err = (struct err){0};
        o->key_at = KEY_NONE;
        csr_clear(&o->csr); /* its key may not be the one that the next try finds */
        return order_fault(o, &e);
    }
    if (op_busy(&o->job.op) || o->effect) /* the order's other work, discovery, goes on beside */
        return TURN_WAIT;
    if (o->key_at == KEY_STORED)
        return TURN_NEXT;
    if (o->key_at == KEY_MADE) {
        order_effect(o, files_key);
        return TURN_WAIT;
    }
    struct err e = {0};
    if (key_load(s->state_dir, o->saved.id, &o->key_pem, &e)) {
        o->key_at = KEY_STORED;
        return TURN_NEXT;
    }
    if (!e.code || strcmp(e.code, "NO_KEY") != 0)
        return order_fault(o, &e);
    if (o->conf && o->conf->key_reuse && fact_num(o, "key_reuse") && key_in_use(o)) {
        o->key_at = KEY_MADE;
        order_effect(o, files_key);
        return TURN_WAIT;
    }
    enum key_type type = KEY_RSA2048;
    for (int i = KEY_RSA2048; i <= KEY_P384; i++)
        if (strcmp(key_type_words[i], o->saved.key_type) == 0)
            type = (enum key_type)i;
    work_key(o, type);
    return TURN_WAIT;
}

static bool csr_from_file(struct order *o, struct csr *csr, struct err *e)
{
    char *text;
    size_t n;
    if (!fs_read(o->conf->csr_file, CSR_FILE_MAX, &text, &n, e))
        return false;
    bool ok = csr_read(text, n, csr, e);
    free(text);
    struct strs names = {0};
    strs_split(&names, o->saved.names);
    if (ok && *csr->cn && strcmp(csr->cn, names.s[0]) != 0)
        ok = err_set(e, RC_CONF, "CSR_NAME",
                     "the CSR in %s is for %s, the order's first name is %s; make a CSR for that name or change names=", o->conf->csr_file,
                     csr->cn, names.s[0]);
    strs_free(&names);
    return ok;
}

static bool csr_from_key(struct order *o, struct csr *csr, struct err *e)
{
    struct strs names = {0};
    if (o->csr.n) {
        *csr = o->csr;
        o->csr = (struct csr){0};
        return true;
    }
    strs_split(&names, o->saved.names);
    bool ok = csr_make(&o->key_pem, &names, o->conf ? o->conf->subject : NULL, csr, e);
    strs_free(&names);
    return ok;
}

static enum turn have_csr(struct order *o, bool own_key)
{
    struct csr csr = {0};
    struct err e = {0};
    if (!(own_key ? csr_from_key(o, &csr, &e) : csr_from_file(o, &csr, &e))) {
        csr_clear(&csr);
        return order_fault(o, &e);
    }
    free((void *)(uintptr_t)o->saved.csr.p);
    o->saved.csr = (struct bytes){mem_copy(csr.der, csr.n), csr.n};
    memcpy(o->saved.spki, csr.spki, sizeof o->saved.spki);
    csr_clear(&csr);
    if (own_key)
        sha256(o->key_pem.p, o->key_pem.n, o->key_known);
    secret_free(&o->key_pem);
    order_save(o);
    return TURN_NEXT;
}

bool order_own_key(const struct order *o)
{
    return strcmp(o->saved.key_type, "csr") != 0;
}

/* Until there is a CSR the section says whose key it is; from then on the order knows. */
enum turn order_key_and_csr(struct order *o)
{
    bool file = o->conf && o->conf->csr_file;
    struct err e = {0};
    if (o->saved.csr.n)
        return TURN_NEXT;
    if (file == order_own_key(o) && o->conf && order_rules(o)) {
        free(o->saved.key_type);
        o->saved.key_type = mem_str(due_key_word(o->conf, order_rules(o)));
    }
    if (!order_own_key(o) && !file) {
        err_set(&e, RC_CONF, "CSR_FILE_GONE",
                "the order %s of %s was begun with csr_file=, which is gone; put it back, or dcvagent cancel %s", o->saved.id,
                o->saved.cert, o->saved.cert);
        return order_fault(o, &e);
    }
    enum turn t = file ? TURN_NEXT : have_key(o);
    return t == TURN_NEXT ? have_csr(o, !file) : t;
}

enum turn step_new(struct order *o, struct run *r)
{
    (void)r;
    if (due_sleeps(&o->saved) || waits_for_start(o))
        return TURN_WAIT;
    order_wait(o, WAITS_NOT);
    spots_start(o); /* discovery needs only names: it goes on beside the key */
    if (!o->ca_warm && o->at->ops->warm)
        o->at->ops->warm(o->at->ca, &o->ca);
    o->ca_warm = true;
    return order_key_and_csr(o);
}

static enum turn ca_begun(struct order *o)
{
    if (!ca_ready(o))
        return TURN_WAIT;
    if (o->ca_err.rc != RC_OK)
        return order_refused(o);
    if (o->ca.stage >= CA_PROOF && o->ca.stage != CA_REFUSED)
        return TURN_NEXT;
    if (!o->begun) {
        o->begun = true;
        ca_effect(o, o->at->ops->begin);
        return TURN_WAIT;
    }
    return order_wait_ca(o);
}

/* Before a person is asked for anything all names must have passed the preflight. An automatic CA costs nobody a walk: it is asked beside
 * discovery, and the preflight has to be through before it is told to check. */
enum turn step_prepared(struct order *o, struct run *r)
{
    (void)r;
    struct err e = {0};
    if (o->ca.stage < CA_PROOF && !order_backup_possible(o, &e))
        return order_fault(o, &e);
    enum turn t = spots_find(o);
    if (t == TURN_NEXT)
        t = proofs_possible(o);
    if (t == TURN_NEXT) {
        bool judged =
            order_rules(o)->by_person || order_rules(o)->caa->n || o->ca.stage >= CA_PROOF; /* the CA may have told its CAA identifiers */
        t = judged ? spots_preflight(o) : TURN_WAIT;
    }
    if (order_rules(o)->by_person)
        return t == TURN_NEXT ? ca_begun(o) : t;
    enum turn c = t == TURN_FAILED ? t : ca_begun(o);
    bool places = o->spots_found; /* the preflight may still be under way */
    return c == TURN_NEXT && !places ? TURN_WAIT : c;
}
