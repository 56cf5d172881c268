/* vet.c: before a certificate is installed: what its chain lacks is fetched from where the certificates say it is, and the CA is asked whether any of
 * it was revoked.
 *
 * 1. Build the chain of what there is. Whole and of today: on to 3, nobody is asked for certificates.
 * 2. Else fetch the missing issuer, or the successor of an old one, and build again; a few times. What was fetched counts by its signatures alone
 *    (cert/chain.h) and is kept with the order once a chain came of it. Nothing to be had: a whole chain is good enough, a broken one is the fault.
 * 3. Ask for each certificate. Revoked: nothing is installed. Nobody answers: that is noted, and no reason to wait.
 *
 * A CA that hands over its chain through a verified channel (ACME, without chain_files) was asked a second ago: nothing is fetched, nobody asked. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cert/vouch.h"
#include "net/fetch.h"
#include "net/proxy.h"

enum { ROUNDS = 4, FETCHED_MAX = 256 << 10, ASK_MS = 20000 };
enum { LINKS_PUBLIC, LINKS_PRIVATE, LINKS_OFF };

struct vet {
    unsigned rounds;
    struct strs url; /* tried or about to be */
    size_t next;
    struct fetch fetch;
    struct err unfetched;
    struct str fetched; /* PEM */
    struct vouch vouch;
    struct timer limit;
    bool asked; /* vouch has what could be learnt */
};

void vet_stop(struct order *o)
{
    if (!o->vet)
        return;
    op_cancel(&o->vet->fetch.op);
    op_cancel(&o->vet->vouch.op);
    op_cancel(&o->vet->limit.op);
}

void vet_free(struct order *o)
{
    if (!o->vet)
        return;
    vet_stop(o);
    vouch_clear(&o->vet->vouch);
    strs_free(&o->vet->url);
    str_free(&o->vet->fetched);
    free(o->vet);
    o->vet = NULL;
}

static int links(const struct order *o)
{
    const struct ca_rules *rules = order_rules(o);
    if (!o->at || !rules || (rules->chain_given && !(rules->chain_files && rules->chain_files->n)))
        return LINKS_OFF;
    return section_word(o->at->section, "links");
}

/* NULL: it cannot be had. */
static struct fetcher *run_fetcher(struct run *r, bool private_too)
{
    struct fetcher **f = &r->fetcher[private_too];
    struct proxy proxy;
    struct err e = {0};
    if (*f || !proxy_of_agent(&r->s->conf->agent, &proxy, &e))
        return *f;
    *f =
        fetcher_new(r->s->net, &(struct fetch_setup){.proxy = proxy.url, .proxy_user = proxy_user(&proxy), .private_too = private_too}, &e);
    proxy_clear(&proxy);
    return *f;
}

const struct hierarchy *run_known(struct run *r)
{
    size_t n;
    if (r->known)
        return r->known;
    r->known = hierarchy_open(&r->s->conf->agent.conf_path);
    const struct conf_fault *f = hierarchy_faults(r->known, &n);
    for (size_t i = 0; i < n; i++) {
        struct str text = STR_INIT(400);
        conf_fault_show(&f[i], &text);
        say(LEVEL_WARNING, &(struct about){.step = "chain"}, "CHAIN_DATA", "%s", str_text(&text));
        str_free(&text);
    }
    return r->known;
}

/* --- 1, 2: the chain ------------------------------------------------------------------------------------------------------------------- */

static bool build(struct order *o, struct err *e)
{
    struct vet *v = o->vet;
    chain_clear(&o->chain);
    return order_chain(o, str_text(&v->fetched), e);
}

static bool begin_fetch(struct order *o);

static void fetched(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    struct vet *v = o->vet;
    struct issued *set = NULL;
    struct err fault = e ? *e : (struct err){0};
    const char *url = v->url.s[v->next - 1];
    if (!e && issued_read(&set, v->fetch.in.p, v->fetch.in.n, &fault)) {
        char *pem = issued_pem(set, 0);
        str_add(&v->fetched, pem);
        free(pem);
        order_log(o, LEVEL_INFO, "chain", NULL, "%zu certificates fetched from %s", issued_count(set), url);
        order_settled(o);
    } else {
        order_log(o, LEVEL_INFO, "chain", fault.code, "nothing usable from %s: %s", url, fault.text);
        v->unfetched = fault;
        if (begin_fetch(o))
            o->pending--; /* it counts itself */
        else
            order_settled(o);
    }
    issued_free(set);
}

/* The next URL of the chain's wishes that was not tried; false: there is none. */
static bool begin_fetch(struct order *o)
{
    struct vet *v = o->vet;
    int how = links(o);
    struct fetcher *f = how == LINKS_OFF ? NULL : run_fetcher(o->run, how == LINKS_PRIVATE);
    if (!f || v->next == v->url.n)
        return false;
    v->fetch = (struct fetch){.op = {.done = fetched, .owner = o}, .url = v->url.s[v->next++], .max = FETCHED_MAX};
    o->pending++;
    fetch_start(f, &v->fetch);
    return true;
}

/* What was fetched is the order's from now on, as far as the chain is made of it. */
static void keep_fetched(struct order *o)
{
    struct issued *all = NULL;
    if (!o->vet->fetched.n || !o->chain.path_pem || !issued_read(&all, o->saved.certificate.p, o->saved.certificate.n, NULL))
        return;
    if (issued_read(&all, o->chain.path_pem, strlen(o->chain.path_pem), NULL)) {
        char *pem = issued_pem(all, 0);
        issued_free(o->issued);
        o->issued = NULL;
        free((void *)(uintptr_t)o->saved.certificate.p);
        o->saved.certificate = (struct bytes){(const uint8_t *)pem, strlen(pem)};
        order_save(o);
    }
    issued_free(all);
}

static void log_warnings(struct order *o)
{
    for (size_t i = 0; i < o->chain.warnings.n; i++)
        order_log(o, LEVEL_WARNING, "chain", "CHAIN_WARNING", "%s", o->chain.warnings.s[i]);
}

/* NEXT: there is a chain. */
static enum turn chain_ready(struct order *o)
{
    struct vet *v = o->vet;
    struct err e = {0};
    bool ok = build(o, &e);
    for (size_t i = 0; v->rounds < ROUNDS && i < o->chain.wanted.n; i++)
        if (!strs_has(&v->url, o->chain.wanted.s[i]))
            strs_add(&v->url, o->chain.wanted.s[i]);
    if (v->next < v->url.n && (!ok || o->chain.outdated)) {
        v->rounds++;
        if (begin_fetch(o))
            return TURN_WAIT;
    }
    if (ok) {
        keep_fetched(o);
        log_warnings(o);
        return TURN_NEXT;
    }
    log_warnings(o);
    size_t n = strlen(e.text);
    if (v->unfetched.rc != RC_OK)
        snprintf(e.text + n, sizeof e.text - n, "; fetching it failed: %.120s", v->unfetched.text);
    vet_free(o);
    return order_fault(o, &e);
}

/* --- 3: revoked? ----------------------------------------------------------------------------------------------------------------------- */

static void ask_over(struct order *o)
{
    o->vet->asked = true;
    op_cancel(&o->vet->limit.op);
    op_cancel(&o->vet->vouch.op);
    order_settled(o);
}

static void vouched(struct op *op, const struct err *e)
{
    (void)e;
    ask_over(op->owner);
}

static enum turn begin_ask(struct order *o)
{
    struct vet *v = o->vet;
    int how = links(o);
    struct fetcher *f = how == LINKS_OFF || !o->chain.path_pem ? NULL : run_fetcher(o->run, how == LINKS_PRIVATE);
    struct loop *l = net_loop(o->run->s->net);
    if (!f)
        return TURN_NEXT;
    v->vouch = (struct vouch){.op = {.done = vouched, .owner = o}, .path_pem = o->chain.path_pem, .now = clock_now()};
    v->limit = (struct timer){.op = {.done = vouched, .owner = o}, .at = loop_now(l) + ASK_MS};
    o->pending++;
    loop_timer(l, &v->limit);
    vouch_start(f, &v->vouch);
    return TURN_WAIT;
}

static enum turn judge(struct order *o)
{
    static const char *const words[] = {[REVOKED_UNKNOWN] = "unknown", [REVOKED_GOOD] = "good", [REVOKED_YES] = "revoked"};
    const struct vouch *v = &o->vet->vouch;
    const struct vouch_one *bad = vouch_revoked(v);
    json_t *list = json_array();
    for (size_t i = 0; i < v->n; i++) {
        struct str text = STR_INIT(400);
        vouch_tell(v, &v->one[i], &text);
        order_log(o, LEVEL_INFO, "chain", v->one[i].is.is == REVOKED_UNKNOWN ? "CHAIN_UNVOUCHED" : NULL, "%s", str_text(&text));
        json_array_append_new(list, json_pack("{s:s, s:o}", "is", words[v->one[i].is.is], "text", json_text(str_text(&text))));
        str_free(&text);
    }
    order_evidence(o, "revocation", json_pack("{s:o}", "certificates", list));
    if (!bad)
        return TURN_NEXT;
    struct err e = {0};
    struct str text = STR_INIT(300);
    vouch_tell(v, bad, &text);
    err_set(&e, RC_CA, "CHAIN_REVOKED", "%s; nothing was installed: %s", str_text(&text),
            bad->i ? "put the intermediate that the CA issues by now into chain_files" : "ask the CA");
    str_free(&text);
    vet_free(o);
    return order_fault(o, &e);
}

enum turn order_vet(struct order *o)
{
    if (o->chain_ready)
        return TURN_NEXT;
    if (!o->vet) {
        o->vet = mem_new(sizeof *o->vet);
        o->vet->fetched = STR_INIT(1 << 20);
    }
    enum turn t = o->vet->asked ? judge(o) : chain_ready(o);
    if (t == TURN_NEXT && !o->vet->asked)
        t = begin_ask(o);
    o->chain_ready = t == TURN_NEXT;
    return t;
}
