/* files.c: what an order puts on the disk: its key, the set that is installed, the evidence at its end. Each begins as an effect, announced by the commit
 * before it, and goes on in the worker: flushing takes as long as the disk wants, and other orders move meanwhile. The worker touches only its own
 * struct; where the run ends before it, the next run finds what a killed one would have left. */
#include "order/order_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cert/install.h"
#include "cert/key.h"
#include "cert/windows.h"
#include "order/evidence.h"

struct files {
    void (*put)(struct files *f);                         /* in the worker */
    void (*note)(struct order *o, const struct files *f); /* in the loop, what came of it */
    char *state_dir, *cert, *id;
    struct secret key;
    char *cert_pem, *chain_pem, *fullchain_pem, *evidence, *key_group;
    uint8_t *pfx, *cer, *p7b;
    struct install_set set;
    int64_t n;
    struct err err;
};

static struct files *files_new(const struct order *o)
{
    struct files *f = mem_new(sizeof *f);
    f->state_dir = mem_str(o->run->s->state_dir);
    f->cert = mem_str(o->saved.cert);
    f->id = mem_str(o->saved.id);
    f->n = fact_num(o, "archive");
    return f;
}

static void drop(void *data)
{
    struct files *f = data;
    secret_free(&f->key);
    char *const own[] = {f->state_dir, f->cert, f->id, f->cert_pem, f->chain_pem, f->fullchain_pem, f->evidence, f->key_group};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        free(own[i]);
    free(f->pfx);
    free(f->cer);
    free(f->p7b);
    free(f);
}

static void put(void *data)
{
    struct files *f = data;
    f->put(f);
}

static void done(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    struct files *f = o->job.data;
    if (e)
        f->err = *e;
    o->job.data = NULL;
    f->note(o, f);
    drop(f);
    order_settled(o);
}

static void start(struct order *o, struct files *f)
{
    work_start(o, &(struct job){.op.done = done, .work = put, .drop = drop, .data = f});
}

/* --- the key ---------------------------------------------------------------------------------------------------------------------------- */

static void put_key(struct files *f)
{
    key_store(f->state_dir, f->id, &f->key, &f->err);
}

static void note_key(struct order *o, const struct files *f)
{
    o->job_err = f->err;
    if (f->err.rc == RC_OK)
        o->key_at = KEY_STORED;
}

void files_key(void *arg)
{
    struct order *o = arg;
    struct files *f = files_new(o);
    f->put = put_key;
    f->note = note_key;
    secret_set(&f->key, o->key_pem.p, o->key_pem.n);
    start(o, f);
}

/* --- the set, and the switch to it --------------------------------------------------------------------------------------------------------- */

static void put_set(struct files *f)
{
    int64_t before = 0;
    if (install_archive(&f->set, &f->n, &f->err))
        install_switch(f->state_dir, f->cert, f->n, &before, &f->err);
}

static void note_set(struct order *o, const struct files *f)
{
    o->job_err = f->err;
    if (f->err.rc != RC_OK)
        return;
    fact_set(o, "archive", f->n);
    o->installed_files = true;
}

/* Whoever made the CSR elsewhere, mostly in IIS, completes it there with one of these. */
static bool for_windows(struct files *f, struct err *e)
{
    return windows_cer(f->cert_pem, &f->cer, &f->set.cer.n, e) && windows_p7b(f->fullchain_pem, &f->p7b, &f->set.p7b.n, e);
}

void files_install(void *arg)
{
    struct order *o = arg;
    struct files *f = files_new(o);
    bool own_key = order_own_key(o);
    f->put = put_set;
    f->note = note_set;
    f->cert_pem = mem_str(o->chain.cert_pem);
    f->chain_pem = mem_str(o->chain.chain_pem);
    f->fullchain_pem = mem_str(o->chain.fullchain_pem);
    f->key_group = o->conf ? mem_str(o->conf->key_group) : NULL;
    if (!order_load_key(o, &f->key, &o->job_err) || (!own_key && !for_windows(f, &o->job_err))) {
        drop(f);
        return;
    }
    f->evidence = evidence_document(o->run->s->store, o->saved.cert, o->saved.id);
    f->pfx = o->n_pfx ? mem_copy(o->pfx, o->n_pfx) : NULL;
    f->set = (struct install_set){.state_dir = f->state_dir,
                                  .name = f->cert,
                                  .key_pem = own_key ? &f->key : NULL,
                                  .cert_pem = f->cert_pem,
                                  .chain_pem = f->chain_pem,
                                  .fullchain_pem = f->fullchain_pem,
                                  .evidence_json = f->evidence,
                                  .pfx = {f->pfx, o->n_pfx},
                                  .cer = {f->cer, f->set.cer.n},
                                  .p7b = {f->p7b, f->set.p7b.n},
                                  .key_group = f->key_group};
    start(o, f);
}

/* --- the whole story, beside the certificate ---------------------------------------------------------------------------------------------- */

static void put_evidence(struct files *f)
{
    install_evidence(f->state_dir, f->cert, f->n, f->evidence, &f->err);
}

static void note_evidence(struct order *o, const struct files *f)
{
    if (f->err.rc != RC_OK)
        say_err(LEVEL_WARNING, &(struct about){.cert = o->saved.cert, .step = "evidence"}, &f->err);
    o->evidence_filed = true;
    bool newest =
        run_order_of(o->run, o->saved.cert) == o; /* what is kept for a newer one stays: a person may have handed over its PIN meanwhile */
    if (newest && o->at && o->at->ops->over)
        o->at->ops->over(o->at->ca, &o->ca);
}

void files_evidence(void *arg)
{
    struct order *o = arg;
    struct files *f = files_new(o);
    f->put = put_evidence;
    f->note = note_evidence;
    f->evidence = evidence_document(o->run->s->store, o->saved.cert, o->saved.id);
    start(o, f);
}
