/* adopt.c: import --key, key restore: a certificate in use elsewhere becomes this agent's: its key under a new id, a set in archive/, live/ switched. */
#include "cmd/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "ca/ca.h"
#include "cert/chain.h"
#include "cert/install.h"
#include "cert/issued.h"
#include "cert/key.h"
#include "cert/pfx.h"
#include "conf/conf.h"
#include "order/cas.h"
#include "order/when/due.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

enum { KEY_MAX = 65536, PASSWORD_MAX = 1024 };

struct adopting {
    struct call *c;
    struct session s;
    const struct conf_cert *conf;
    struct cas *cas;
    const struct ca_rules *rules;
    struct secret key;
    struct issued *given;
    size_t leaf;
    struct cert_facts facts;
    struct chain chain;
    char id[24]; /* names the key file */
    int64_t archive;
};

static bool note_order(void *arg, const struct saved_order *o)
{
    (void)o;
    *(bool *)arg = true;
    return false;
}

static bool may_adopt(struct adopting *a, const char *cert, struct err *e)
{
    bool ordered = false;
    a->conf = conf_cert(a->s.conf, cert);
    if (!a->conf)
        return err_set(e, RC_USAGE, "NO_SECTION", "there is no [certificate %s]; write the section first, then adopt its certificate",
                       cert);
    if (a->conf->broken)
        return err_set(e, RC_CONF, "CONFIG",
                       "certificate %s, or the provider or CA it uses, has a fault in the configuration; dcvagent config check shows it",
                       cert);
    if (a->conf->csr_file)
        return err_set(e, RC_CONF, "KEY_ELSEWHERE",
                       "certificate %s has csr_file=: its key stays where the CSR was made, so none is adopted; take csr_file= out first",
                       cert);
    if (!order_each(a->s.store, cert, note_order, &ordered, e))
        return false;
    if (ordered)
        return err_set(e, RC_USAGE, "ORDER_OPEN",
                       "an order of %s is under way: hand over its certificate without --key, or dcvagent cancel %s first", cert, cert);
    a->cas = cas_open(&a->s, false);
    a->rules = cas_rules(a->cas, a->conf->ca);
    return a->rules || err_set(e, RC_CONF, "CA_SECTION", "the CA section [ca %s] of %s cannot be used; dcvagent config check shows why",
                               a->conf->ca, cert);
}

/* secret_read() drops the final line end; a PEM file has one. */
static bool read_key(struct adopting *a, const char *file, struct err *e)
{
    struct secret raw = {0};
    if (!secret_read(&raw, file, KEY_MAX, e))
        return false;
    char *text = mem_new(raw.n + 2);
    memcpy(text, raw.p, raw.n);
    text[raw.n] = '\n';
    secret_set(&a->key, text, raw.n + 1);
    explicit_bzero(text, raw.n);
    free(text);
    secret_free(&raw);
    return true;
}

/* key_file NULL: the key is there already. */
static bool judge(struct adopting *a, const void *p, size_t n, const char *key_file, struct err *e)
{
    char spki[65];
    if ((key_file && !read_key(a, key_file, e)) || !key_check(&a->key, e) || !key_spki(&a->key, spki, e))
        return key_file && err_at(e, "%s", key_file);
    struct ordered want = {.spki = spki, .names = &a->conf->names, .organisation = a->conf->expect_organisation, .now = clock_now()};
    return issued_read(&a->given, p, n, e) && issued_check(a->given, &want, &a->leaf, e) && issued_facts(a->given, a->leaf, &a->facts, e);
}

/* What was given is in use and is taken as it is, where no chain can be built out of known roots. */
static void chain_as_given(struct adopting *a, const struct err *why)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    char *all = issued_pem(a->given, a->leaf), *second = strstr(all + 1, begin);
    say(LEVEL_WARNING, &(struct about){.cert = a->conf->name, .step = "chain"}, why->code,
        "%s; the certificates of the file are taken as they are", why->text);
    chain_clear(&a->chain);
    a->chain.cert_pem = mem_copy(all, second ? (size_t)(second - all) : strlen(all));
    a->chain.chain_pem = mem_str(second ? second : "");
    a->chain.fullchain_pem = all;
}

static void build_chain(struct adopting *a)
{
    struct err e = {0};
    struct chain_in in = {.given = a->given,
                          .leaf = a->leaf,
                          .files = a->rules->chain_files,
                          .ca_file = a->rules->ca_file,
                          .form = (enum chain_form)a->conf->chain,
                          .host = a->facts.names.n ? a->facts.names.s[0] : NULL,
                          .now = clock_now()};
    if (!chain_build(&in, &a->chain, &e)) {
        chain_as_given(a, &e);
        return;
    }
    for (size_t i = 0; i < a->chain.warnings.n; i++)
        say(LEVEL_WARNING, &(struct about){.cert = a->conf->name, .step = "chain"}, "CHAIN_WARNING", "%s", a->chain.warnings.s[i]);
}

static bool make_pfx(struct adopting *a, uint8_t **out, size_t *n, struct err *e)
{
    struct secret password = {0};
    const struct conf_cert *c = a->conf;
    if (!c->pfx)
        return true;
    bool ok = (!c->pfx_password_file || secret_read(&password, c->pfx_password_file, PASSWORD_MAX, e)) &&
              pfx_make(&a->key, a->chain.cert_pem, a->chain.chain_pem, &password, c->friendly_name ? c->friendly_name : c->name,
                       (enum pfx_encryption)c->pfx_encryption, out, n, e);
    secret_free(&password);
    return ok;
}

static bool install(struct adopting *a, struct err *e)
{
    uint8_t *pfx = NULL;
    size_t n_pfx = 0;
    int64_t before;
    if (!make_pfx(a, &pfx, &n_pfx, e) || !key_store(a->s.state_dir, a->id, &a->key, e)) {
        free(pfx);
        return false;
    }
    char *evidence = evidence_document(a->s.store, a->conf->name, a->id);
    struct install_set set = {.state_dir = a->s.state_dir,
                              .name = a->conf->name,
                              .key_pem = &a->key,
                              .cert_pem = a->chain.cert_pem,
                              .chain_pem = a->chain.chain_pem,
                              .fullchain_pem = a->chain.fullchain_pem,
                              .evidence_json = evidence,
                              .pfx = {pfx, n_pfx},
                              .key_group = a->conf->key_group};
    bool ok = install_archive(&set, &a->archive, e) && install_switch(a->s.state_dir, a->conf->name, a->archive, &before, e);
    free(evidence);
    free(pfx);
    return ok;
}

/* As the section has it: else the calendar would take a difference for a change and order anew. */
static bool note_in_use(struct adopting *a, struct err *e)
{
    const struct conf_cert *c = a->conf;
    char *names = strs_join(&c->names, " ");
    struct saved_cert row = {.name = c->name,
                             .ca = c->ca,
                             .names = names,
                             .key_type = due_key_word(c, a->rules),
                             .reference = c->reference_number ? c->reference_number : "",
                             .not_before = a->facts.not_before,
                             .not_after = a->facts.not_after,
                             .subscription_end = c->subscription_end,
                             .archive = a->archive,
                             .installed = clock_now(),
                             .next_action = "",
                             .ari = ""};
    memcpy(row.serial, a->facts.serial, sizeof row.serial);
    memcpy(row.fingerprint, a->facts.fingerprint, sizeof row.fingerprint);
    bool ok = cert_put(a->s.store, &row, e) && store_turn(a->s.store, e);
    free(names);
    return ok;
}

static bool adopt(struct adopting *a, const char *cert, const void *p, size_t n, const char *key_file, struct err *e)
{
    if (!may_adopt(a, cert, e) || !judge(a, p, n, key_file, e) || !order_new_id(a->id, clock_now(), e))
        return false;
    build_chain(a);
    char *line = json_line(json_pack("{s:s, s:s, s:o}", "serial", a->facts.serial, "fingerprint_sha256", a->facts.fingerprint, "not_after",
                                     json_time(a->facts.not_after)));
    bool ok = evidence_command(a->s.store, cert, a->c->argc, a->c->argv, e) && evidence_put(a->s.store, cert, a->id, "adopted", line, e) &&
              store_turn(a->s.store, e);
    free(line);
    return ok && install(a, e) && note_in_use(a, e);
}

static void report(const struct adopting *a)
{
    char day[32];
    day_show(a->facts.not_after, day);
    if (a->c->json)
        json_print(json_pack("{s:i, s:s, s:s, s:s, s:o, s:I}", "version", 1, "name", a->conf->name, "serial", a->facts.serial,
                             "fingerprint_sha256", a->facts.fingerprint, "not_after", json_time(a->facts.not_after), "archive",
                             (json_int_t)a->archive));
    else
        printf("%s: adopted: serial %s, valid until %s; point the service at %s/live/%s, the agent renews it from now on\n", a->conf->name,
               a->facts.serial, day, a->s.state_dir, a->conf->name);
}

static enum rc run(struct adopting *a, const char *cert, const void *p, size_t n, const char *key_file)
{
    struct err e = {0};
    enum rc rc = RC_OK;
    if (call_session(a->c, &a->s, SESSION_LOCK | SESSION_NET, &rc)) {
        if (adopt(a, cert, p, n, key_file, &e))
            report(a);
        else
            rc = call_fail(a->c, &e);
        issued_free(a->given);
        cert_facts_clear(&a->facts);
        chain_clear(&a->chain);
        cas_close(a->cas);
        session_close(&a->s);
    }
    secret_free(&a->key);
    return rc;
}

enum rc adopt_certificate(struct call *c, const char *cert, const void *p, size_t n, const char *key_file)
{
    struct adopting a = {.c = c};
    return run(&a, cert, p, n, key_file);
}

enum rc adopt_with_key(struct call *c, const char *cert, const void *p, size_t n, const struct secret *key_pem)
{
    struct adopting a = {.c = c};
    secret_set(&a.key, key_pem->p, key_pem->n);
    return run(&a, cert, p, n, NULL);
}
