/* served: what servers really send, with a verdict on each address. */
#include "order/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "cmd/cmd.h"
#include "conf/conf.h"
#include "net/proxy.h"
#include "order/ask/many.h"
#include "order/session.h"

struct asking {
    struct session *s;
    struct served served;
};

/* --- what is asked --------------------------------------------------------------------------------------------------------------------- */

static bool add_target(struct asking *a, const char *text, struct err *e)
{
    struct served *s = &a->served;
    struct served_target t = {0};
    if (!endpoint_parse_tls_host(text, &t.at, e)) {
        e->rc = RC_USAGE;
        return false;
    }
    served_live(a->s->store, t.at.name, &t.live);
    s->target = mem_grow(s->target, s->n + 1, sizeof *s->target);
    s->target[s->n++] = t;
    return true;
}

static bool add_targets(struct asking *a, const struct call *c, struct err *e)
{
    const struct conf *conf = a->s->conf;
    for (size_t i = 0; i < c->args.n; i++)
        if (!add_target(a, c->args.s[i], e))
            return false;
    for (size_t i = 0; c->args.n == 0 && i < conf->n_cert; i++)
        for (size_t k = 0; k < conf->cert[i].served.n; k++)
            if (!add_target(a, conf->cert[i].served.s[k], e))
                return false;
    return a->served.n > 0 ||
           err_set(e, RC_USAGE, "NO_SERVERS",
                   "no server was named, and no [certificate] says served = HOST[:PORT]: dcvagent served HOST[:PORT]...");
}

/* Roots that the configuration knows are trusted beside the system's: a private CA's servers are no less right. */
static struct roots *load_roots(const struct asking *a)
{
    struct strs all = {0};
    for (size_t i = 0; i < a->s->conf->n_ca; i++) {
        struct strs files = {0};
        const struct section *ca = &a->s->conf->ca[i];
        section_list(ca, "chain_files", &files);
        for (size_t k = 0; k < files.n; k++)
            if (!strs_has(&all, files.s[k]))
                strs_add(&all, files.s[k]);
        strs_free(&files);
    }
    struct roots *roots = roots_new(&all);
    strs_free(&all);
    return roots;
}

static bool open_fetcher(struct asking *a, const struct call *c, struct err *e)
{
    struct proxy proxy;
    if (call_has(c, "offline"))
        return true;
    if (!proxy_of_agent(&a->s->conf->agent, &proxy, e))
        return false;
    struct fetch_setup setup = {.proxy = proxy.url, .proxy_user = proxy_user(&proxy), .private_too = call_has(c, "private")};
    a->served.fetcher = fetcher_new(a->s->net, &setup, e);
    proxy_clear(&proxy);
    return a->served.fetcher != NULL;
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------------------ */

static json_t *finding_json(const struct shown_finding *f)
{
    static const char *const words[] = {
        [LEVEL_ERROR] = "error", [LEVEL_WARNING] = "warning", [LEVEL_NOTICE] = "info", [LEVEL_INFO] = "info"};
    return json_pack("{s:s, s:s, s:o}", "code", f->code, "severity", words[f->level], "text", json_text(f->text));
}

static json_t *view_json(const struct served_target *t, const struct served_view *v)
{
    json_t *findings = json_array();
    const struct cert_facts *f = &v->shown.facts;
    for (size_t i = 0; i < v->shown.n; i++)
        json_array_append_new(findings, finding_json(&v->shown.f[i]));
    const struct err *e = t->err.rc != RC_OK ? &t->err : &v->err;
    return json_pack("{s:s, s:i, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "host", t->at.name, "port", (int)t->at.port,
                     "address", json_text(*v->at.addr ? v->at.addr : NULL), "ok", e->rc == RC_OK && shown_worst(&v->shown) != LEVEL_ERROR,
                     "error", e->rc == RC_OK ? json_null() : json_pack("{s:s, s:o}", "code", e->code, "text", json_text(e->text)),
                     "protocol", json_text(*v->version ? v->version : NULL), "serial", json_text(*f->serial ? f->serial : NULL),
                     "fingerprint_sha256", json_text(*f->fingerprint ? f->fingerprint : NULL), "not_before", json_time(f->not_before),
                     "not_after", json_time(f->not_after), "names", json_strs(&f->names), "sent", json_strs(&v->shown.sent), "live",
                     t->live.n ? json_boolean(strs_has(&t->live, f->fingerprint)) : json_null(), "findings", findings);
}

static void print_json(const struct served *s)
{
    static const struct served_view none;
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < s->target[i].n; k++)
            json_array_append_new(list, view_json(&s->target[i], &s->target[i].view[k]));
        if (s->target[i].n == 0)
            json_array_append_new(list, view_json(&s->target[i], &none));
    }
    json_print(json_pack("{s:i, s:b, s:o}", "version", 1, "ok", served_rc(s) == RC_OK, "served", list));
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------ */

static const char *verdict(const struct served_target *t, const struct served_view *v)
{
    if (t->err.rc != RC_OK || v->err.rc != RC_OK)
        return "unreachable";
    enum level worst = shown_worst(&v->shown);
    return worst == LEVEL_ERROR ? "wrong" : worst == LEVEL_WARNING ? "doubtful" : "ok";
}

static void print_view(const struct call *c, const struct served_target *t, const struct served_view *v)
{
    char host[NAME_SIZE + 8], end[32] = "";
    const struct shown *s = &v->shown;
    served_show(&t->at, host, sizeof host);
    printf("%-11s %s%s%s%s", verdict(t, v), host, *v->at.addr ? " (" : "", v->at.addr, *v->at.addr ? ")" : "");
    if (s->facts.not_after) {
        day_show(s->facts.not_after, end);
        printf("  %s until %s, serial %s", *v->version ? v->version : "TLS", end, s->facts.serial);
    }
    printf("\n");
    if (s->sent.n && (c->verbose || shown_worst(s) <= LEVEL_WARNING)) {
        char *sent = strs_join(&s->sent, " <- ");
        printf("  sent: %s\n", sent);
        free(sent);
    }
    if (t->err.rc != RC_OK || v->err.rc != RC_OK)
        printf("  %s [%s]\n", t->err.rc != RC_OK ? t->err.text : v->err.text, t->err.rc != RC_OK ? t->err.code : v->err.code);
    for (size_t i = 0; i < s->n; i++)
        if (s->f[i].level <= LEVEL_WARNING || c->verbose)
            printf("  %s: %s [%s]\n",
                   s->f[i].level == LEVEL_ERROR     ? "ERROR"
                   : s->f[i].level == LEVEL_WARNING ? "WARNING"
                                                    : "info",
                   s->f[i].text, s->f[i].code);
}

static void print_text(const struct call *c, const struct served *s)
{
    static const struct served_view none;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; k < s->target[i].n; k++)
            print_view(c, &s->target[i], &s->target[i].view[k]);
        if (s->target[i].n == 0)
            print_view(c, &s->target[i], &none);
    }
}

/* --------------------------------------------------------------------------------------------------------------------------------------- */

static enum rc ask(struct call *c, struct session *s)
{
    struct asking a = {.s = s, .served = {.net = s->net, .now = clock_now()}};
    struct hierarchy *known = hierarchy_open(&s->conf->agent.conf_path);
    struct err e = {0};
    enum rc rc;
    a.served.known = known;
    struct roots *roots = load_roots(&a);
    a.served.roots = roots;
    if (add_targets(&a, c, &e) && open_fetcher(&a, c, &e)) {
        struct many m;
        many_begin(&m, s, 1);
        many_add(&m, &a.served.op, NULL);
        served_start(&a.served);
        many_end(&m, &e);
    }
    rc = e.rc != RC_OK ? call_fail(c, &e) : served_rc(&a.served);
    if (e.rc == RC_OK && c->json)
        print_json(&a.served);
    else if (e.rc == RC_OK)
        print_text(c, &a.served);
    served_clear(&a.served);
    fetcher_free(a.served.fetcher);
    free(a.served.target);
    hierarchy_free(known);
    roots_free(roots);
    return rc;
}

enum rc cmd_served(struct call *c)
{
    struct session s;
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_NET | SESSION_TOLERANT, &rc))
        return rc;
    rc = ask(c, &s);
    session_close(&s);
    return rc;
}
