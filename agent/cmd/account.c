/* account, revoke: what a person does at an ACME CA outside orders. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/issued.h"
#include "conf/conf.h"
#include "order/ask/errand.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

enum { PEM_MAX = 65536 };

static void report(const struct call *c, const char *name, const struct ca_errand *r)
{
    if (c->json)
        json_print(
            json_pack("{s:i, s:s, s:o, s:o}", "version", 1, "name", name, "account", json_text(r->url), "status", json_text(r->status)));
    else if (*r->url)
        printf("%s: account %s, %s\n", name, r->url, r->status);
    else
        printf("%s: %s\n", name, r->status);
}

static enum rc do_errand(struct call *c, struct session *s, const char *ca, const char *name, struct ca_errand *r)
{
    struct err e = {0};
    if (!evidence_command(s->store, name, c->argc, c->argv, &e) || !errand_run(s, ca, r, &e))
        return call_fail(c, &e);
    report(c, name, r);
    return RC_OK;
}

enum rc cmd_account(struct call *c)
{
    struct session s;
    struct ca_errand r = {.what = ERRAND_ACCOUNT};
    enum rc rc = RC_OK;
    if (call_has(c, "rollover") && call_has(c, "deactivate")) {
        say(LEVEL_ERROR, &(struct about){.step = "account"}, "USAGE", "either --rollover or --deactivate, not both");
        return RC_USAGE;
    }
    if (call_has(c, "rollover"))
        r.what = ERRAND_ROLLOVER;
    if (call_has(c, "deactivate"))
        r.what = ERRAND_DEACTIVATE;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    rc = do_errand(c, &s, c->args.s[0], c->args.s[0], &r);
    session_close(&s);
    return rc;
}

/* The certificate in use, or that of an older set in archive/NAME/N. */
static char *certificate_path(const struct session *s, const char *name, const char *set, struct err *e)
{
    if (!set)
        return mem_fmt("%s/live/%s/cert.pem", s->state_dir, name);
    if (*set && !set[strspn(set, "0123456789")])
        return mem_fmt("%s/archive/%s/%.12s/cert.pem", s->state_dir, name, set);
    err_set(e, RC_USAGE, "USAGE", "revoke wants the number of a set in archive/%s, such as 3, not \"%.40s\"", name, set);
    return NULL;
}

/* RFC 5280 5.3.1; those an owner may give (BR 4.9.1.1). */
static int reason_code(const char *word)
{
    static const struct {
        const char *word;
        int code;
    } table[] = {{"unspecified", 0}, {"keyCompromise", 1}, {"affiliationChanged", 3}, {"superseded", 4}, {"cessationOfOperation", 5}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (word && strcmp(table[i].word, word) == 0)
            return table[i].code;
    return -1;
}

struct issuer {
    const char *fingerprint;
    char *ca;
};

static bool is_its_order(void *arg, const struct saved_order *o)
{
    struct issuer *is = arg;
    struct cert_facts f = {0};
    if (issued_first(o->certificate.p, o->certificate.n, &f) && strcmp(f.fingerprint, is->fingerprint) == 0)
        is->ca = mem_str(o->ca);
    cert_facts_clear(&f);
    return !is->ca;
}

/* Which CA section it came from: ca= may name another one by now, who cannot revoke it. Caller frees; NULL: it was not ordered here. */
static char *issuing_ca(const struct session *s, const char *name, const char *pem, size_t n)
{
    struct cert_facts f = {0};
    struct issuer is = {.fingerprint = f.fingerprint};
    if (issued_first(pem, n, &f))
        order_history(s->store, name, is_its_order, &is, NULL);
    cert_facts_clear(&f);
    return is.ca;
}

enum rc cmd_revoke(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct ca_errand r = {.what = ERRAND_REVOKE, .reason = reason_code(call_flag(c, "reason"))};
    enum rc rc = RC_OK;
    if (r.reason < 0) {
        say(LEVEL_ERROR, &(struct about){.step = "revoke"}, "USAGE",
            "revoke wants --reason unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation");
        return RC_USAGE;
    }
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    struct call name = *c; /* the second operand is no name */
    name.args.n = 1;
    if (call_names_known(&name, &s, false, &rc)) {
        const struct conf_cert *cert = conf_cert(s.conf, c->args.s[0]);
        char *path = certificate_path(&s, cert->name, c->args.n > 1 ? c->args.s[1] : NULL, &e), *pem = NULL;
        size_t n;
        if (!path || !fs_read(path, PEM_MAX, &pem, &n, &e)) {
            rc = call_fail(c, &e);
        } else {
            char *ca = issuing_ca(&s, cert->name, pem, n);
            r.certificate = pem;
            if (ca && !conf_ca(s.conf, ca)) {
                err_set(&e, RC_USAGE, "NO_SECTION",
                        "the certificate came from [ca %s], which is no longer in %s: only that CA can revoke it; put the section back "
                        "under that name",
                        ca, s.conf->path);
                rc = call_fail(c, &e);
            } else {
                rc = do_errand(c, &s, ca ? ca : cert->ca, cert->name, &r);
            }
            free(ca);
        }
        free(pem);
        free(path);
    }
    session_close(&s);
    return rc;
}
