/* work.c: what blocks, done in the worker: making a key and its request, the encrypted backup of a key, PKCS#12. The worker touches only its own struct;
 * an order that goes away meanwhile leaves it to drop(). */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/csr.h"
#include "cert/key.h"
#include "cert/pfx.h"

struct work {
    enum { WORK_KEY, WORK_BACKUP, WORK_PFX } what;
    enum key_type type;
    struct strs names;
    char *subject;
    struct csr csr;
    struct secret pem, password;
    char *cert, *chain, *friendly, *backup_path;
    enum pfx_encryption how;
    uint8_t *pfx;
    size_t n_pfx;
    struct err err;
};

static void drop(void *data)
{
    struct work *w = data;
    secret_free(&w->pem);
    secret_free(&w->password);
    strs_free(&w->names);
    free(w->subject);
    csr_clear(&w->csr);
    free(w->cert);
    free(w->chain);
    free(w->friendly);
    free(w->backup_path);
    free(w->pfx);
    free(w);
}

static void work(void *data)
{
    struct work *w = data;
    if (w->what == WORK_KEY)
        csr_with_key(w->type, &w->names, w->subject, &w->pem, &w->csr, &w->err);
    else
        pfx_make(&w->pem, w->cert, w->chain, &w->password, w->friendly, w->how, &w->pfx, &w->n_pfx, &w->err);
}

/* The backup reaches its folder only through an effect: it must be durable, and announced, before the CSR leaves. */
static void backup_now(void *arg)
{
    struct order *o = arg;
    struct work *w = o->job.data;
    if (fs_create(w->backup_path, w->pfx, w->n_pfx, 0600, &o->job_err) || (o->job_err.code && strcmp(o->job_err.code, "EXISTS") == 0)) {
        o->job_err = (struct err){0};
        o->backup_at = BACKUP_DONE;
        order_log(o, LEVEL_INFO, "backup", NULL, "the key is backed up in %s", w->backup_path);
    }
    o->job.data = NULL;
    drop(w);
}

static void done(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    struct work *w = o->job.data;
    o->job_err = e ? *e : w->err;
    bool keep = false;
    if (o->job_err.rc != RC_OK) {
        o->key_at = o->key_at == KEY_MAKING ? KEY_NONE : o->key_at;
        o->backup_at = BACKUP_NONE;
    } else if (w->what == WORK_KEY) {
        secret_set(&o->key_pem, w->pem.p, w->pem.n);
        o->csr = w->csr;
        w->csr = (struct csr){0};
        o->key_at = KEY_MADE;
    } else if (w->what == WORK_BACKUP) {
        keep = true;
        order_effect(o, backup_now);
    } else {
        o->pfx = w->pfx;
        o->n_pfx = w->n_pfx;
        w->pfx = NULL;
        o->pfx_ready = true;
    }
    if (!keep) {
        o->job.data = NULL;
        drop(w);
    }
    order_settled(o);
}

void work_start(struct order *o, const struct job *job)
{
    o->job = *job;
    o->job.op.owner = o;
    o->pending++;
    loop_job(net_loop(o->run->s->net), &o->job);
}

static void start(struct order *o, struct work *w)
{
    work_start(o, &(struct job){.op.done = done, .work = work, .drop = drop, .data = w});
}

void work_stop(struct order *o)
{
    void *data = o->job.data;
    bool in_worker = op_busy(&o->job.op);
    op_cancel(&o->job.op); /* the loop drops what is still in the worker */
    if (data && !in_worker)
        o->job.drop(data);
    o->job.data = NULL;
}

void work_key(struct order *o, enum key_type type)
{
    struct work *w = mem_new(sizeof *w);
    w->what = WORK_KEY;
    w->type = type;
    strs_split(&w->names, o->saved.names);
    w->subject = o->conf && o->conf->subject ? mem_str(o->conf->subject) : NULL;
    o->key_at = KEY_MAKING;
    start(o, w);
}

static bool read_password(const char *file, struct order *o, struct work *w)
{
    return !file || secret_read(&w->password, file, 1024, &o->job_err);
}

void work_backup(struct order *o)
{
    const struct conf_agent *a = &o->run->s->conf->agent;
    struct work *w = mem_new(sizeof *w);
    w->what = WORK_BACKUP;
    w->friendly = mem_str(o->saved.cert);
    w->backup_path = mem_fmt("%s/%s-%s.pfx", a->key_backup_dir, o->saved.cert, o->saved.id);
    if (!key_load(o->run->s->state_dir, o->saved.id, &w->pem, &o->job_err) || !read_password(a->key_backup_password_file, o, w)) {
        o->backup_at = BACKUP_NONE;
        drop(w);
        order_wake(o);
        return;
    }
    start(o, w);
}

void work_pfx(struct order *o)
{
    struct work *w = mem_new(sizeof *w);
    w->what = WORK_PFX;
    w->how = (enum pfx_encryption)o->conf->pfx_encryption;
    w->cert = mem_str(o->chain.cert_pem);
    w->chain = mem_str(o->chain.chain_pem);
    w->friendly = mem_str(o->conf->friendly_name ? o->conf->friendly_name : o->saved.cert);
    if (!key_load(o->run->s->state_dir, o->saved.id, &w->pem, &o->job_err) || !read_password(o->conf->pfx_password_file, o, w)) {
        drop(w);
        order_wake(o);
        return;
    }
    start(o, w);
}
