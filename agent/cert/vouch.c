#include "cert/vouch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

static void ask(struct vouch_one *o);

static const char *url_of(const struct vouch_one *o)
{
    return o->at < o->ocsp.n ? o->ocsp.s[o->at] : o->at < o->ocsp.n + o->crl.n ? o->crl.s[o->at - o->ocsp.n] : NULL;
}

static void one_over(struct vouch_one *o)
{
    if (--o->all->pending == 0)
        op_settle(&o->all->op, NULL);
}

static void answered(struct op *op, const struct err *e)
{
    struct vouch_one *o = op->owner;
    struct revoked is = {0};
    if (e)
        text_safe(is.why, sizeof is.why, e->text, strlen(e->text));
    else if (o->at < o->ocsp.n)
        revoked_ocsp(o->all->chain, o->i, o->fetch.in, o->all->now, &is);
    else
        revoked_crl(o->all->chain, o->i, o->fetch.in, o->all->now, &is);
    if (is.is == REVOKED_UNKNOWN && o->at == 0)
        snprintf(o->before, sizeof o->before, "%.150s: %s", url_of(o), is.why);
    if (is.is != REVOKED_UNKNOWN || o->at == 0) { /* the first place's reason is the one to tell */
        o->is = is;
        snprintf(o->from, sizeof o->from, "%s", url_of(o));
    }
    o->at++;
    if (is.is == REVOKED_UNKNOWN && url_of(o))
        ask(o);
    else
        one_over(o);
}

static void ask(struct vouch_one *o)
{
    uint8_t *question = NULL;
    size_t n = 0;
    bool ocsp = o->at < o->ocsp.n;
    if (ocsp)
        revoked_question(o->all->chain, o->i, &question, &n);
    o->fetch = (struct fetch){.op = {.done = answered, .owner = o},
                              .url = url_of(o),
                              .body = {question, n},
                              .type = "application/ocsp-request",
                              .max = ocsp ? REVOKED_OCSP_MAX : REVOKED_CRL_MAX};
    fetch_start(o->all->fetcher, &o->fetch);
    free(question);
}

/* What came with the certificate spares the question. */
static bool stapled(struct vouch_one *o, struct bytes staple)
{
    if (o->i != 0 || !staple.n)
        return false;
    revoked_ocsp(o->all->chain, 0, staple, o->all->now, &o->is);
    if (o->is.is == REVOKED_UNKNOWN)
        return false;
    snprintf(o->from, sizeof o->from, "the answer stapled by the server");
    return true;
}

static void forget(struct op *op)
{
    struct vouch *v = (struct vouch *)op;
    for (size_t i = 0; i < v->n; i++)
        op_cancel(&v->one[i].fetch.op);
}

void vouch_start(struct fetcher *f, struct vouch *v)
{
    v->fetcher = f;
    v->chain = NULL;
    v->n = 0;
    op_start(&v->op, forget);
    if (v->path_pem)
        issued_read(&v->chain, v->path_pem, strlen(v->path_pem), NULL);
    v->pending = 1; /* ours, until all are on their way */
    for (size_t i = 0; i + 1 < issued_count(v->chain) && i < VOUCH_CERTS; i++) {
        struct vouch_one *o = &v->one[v->n++];
        *o = (struct vouch_one){.all = v, .i = i};
        revoked_urls(v->chain, i, &o->ocsp, &o->crl);
        if (stapled(o, v->staple))
            continue;
        if (!url_of(o)) {
            snprintf(o->is.why, sizeof o->is.why, "it names no place that could be asked");
            continue;
        }
        v->pending++;
        ask(o);
    }
    if (--v->pending == 0)
        op_settle(&v->op, NULL);
}

void vouch_clear(struct vouch *v)
{
    op_cancel(&v->op);
    for (size_t i = 0; i < v->n; i++) {
        strs_free(&v->one[i].ocsp);
        strs_free(&v->one[i].crl);
    }
    issued_free(v->chain);
    v->chain = NULL;
    v->n = 0;
}

const struct vouch_one *vouch_revoked(const struct vouch *v)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->one[i].is.is == REVOKED_YES)
            return &v->one[i];
    return NULL;
}

void vouch_tell(const struct vouch *v, const struct vouch_one *o, struct str *out)
{
    char name[128], day[32] = "";
    revoked_name(v->chain, o->i, name, sizeof name);
    if (o->is.at)
        day_show(o->is.at, day);
    if (o->is.is == REVOKED_YES)
        str_fmt(out, "\"%s\" was revoked%s%s%s%s%s, says %s", name, *day ? " on " : "", day, *o->is.reason ? " (" : "", o->is.reason,
                *o->is.reason ? ")" : "", o->from);
    else if (o->is.is == REVOKED_GOOD)
        str_fmt(out, "\"%s\" is not revoked, says %s%s%s%s", name, o->from, *o->before ? " (before it in vain " : "", o->before,
                *o->before ? ")" : "");
    else
        str_fmt(out, "whether \"%s\" is revoked could not be learnt%s%s: %s", name, *o->from ? " from " : "", o->from,
                *o->is.why ? o->is.why : "no answer in time");
}
