/* manual.c: the CA interface with a person behind it. Nothing here has an effect on the world: every call reads the handle and
 * says what comes next. */
#include "ca/manual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/names.h"
#include "ca/handover.h"
#include "conf/conf.h"

struct ca {
    struct ca_rules rules;
    struct places places;
    struct strs caa, chain_files;
    const struct section *section;
};

/* The section's own keys come from the kind's common table (record, record_ttl, code_lifetime, caa, chain_files); url only helps the person. */
static const struct conf_key manual_keys[] = {
    {.name = "url",
     .type = CONF_TEXT,
     .allowed = "https://...",
     .help = "Start page of the CA's web form, shown in what a person is asked to do."},
    {0},
};

static bool manual_open(struct ca **out, const struct section *s, struct net *n, struct store *st, struct err *e)
{
    (void)n;
    (void)st;
    (void)e;
    struct ca *c = mem_new(sizeof *c);
    c->section = s;
    section_places(s, "record", &c->places);
    section_list(s, "caa", &c->caa);
    section_list(s, "chain_files", &c->chain_files);
    c->rules = (struct ca_rules){.place = c->places.p,
                                 .n_place = c->places.n,
                                 .type = TYPE_TXT,
                                 .ttl = (uint32_t)section_number(s, "record_ttl"),
                                 .lifetime = (uint32_t)section_number(s, "code_lifetime"),
                                 .by_person = true,
                                 .by_website = true,
                                 .settles = true,
                                 .key_type = "rsa2048",
                                 .caa = &c->caa,
                                 .chain_files = &c->chain_files,
                                 .ca_file = NULL};
    *out = c;
    return true;
}

static void manual_close(struct ca *c)
{
    places_free(&c->places);
    strs_free(&c->caa);
    strs_free(&c->chain_files);
    free(c);
}

static const struct ca_rules *manual_rules(const struct ca *c)
{
    return &c->rules;
}

static const char *page(const struct ca *c, const struct ca_case *k)
{
    const char *url = k->conf && k->conf->url ? k->conf->url : section_text(c->section, "url");
    return url && *url ? url : "the CA's page (its link is in the e-mail \"Submission of Certificate Signing Request (CSR)\")";
}

/* The names on the certificate cannot be altered after issue: which of the two confirm buttons matters. */
static const char *name_button(const struct conf_cert *c)
{
    return c && c->organisation_name ? "\"confirm, use Chinese name\"" : "\"confirm\" (English organisation name)";
}

static bool by_file(const struct ca_case *k)
{
    return k->conf && k->conf->method == METHOD_WEBSITE;
}

static void ask_code(const struct ca *c, struct ca_case *k, bool expired)
{
    char first[NAME_SIZE * 2];
    struct strs names = {0};
    strs_split(&names, k->o->names);
    name_show(names.n ? names.s[0] : "", first, sizeof first);
    snprintf(k->ask, sizeof k->ask,
             "%s1. Open %s\n2. Log in for server name %s%s%s, check what is shown and press %s; on the domain verification page choose the "
             "%s method\n"
             "3. %s and hand it over: dcvagent code %s %s\n"
             "   (one code a name: add --for HOST to each). Do not press the confirm button yet: dcvagent says when.",
             expired ? "The verification code has expired, a new one is needed.\n" : "", page(c, k), first,
             *k->o->reference ? ", reference number " : "", k->o->reference, name_button(k->conf), by_file(k) ? "website" : "DNS",
             by_file(k) ? "Download fileauth.txt" : "Copy the verification code", k->o->cert, by_file(k) ? "- < fileauth.txt" : "'CODE'");
    strs_free(&names);
}

static void ask_pin(struct ca_case *k)
{
    snprintf(k->ask, sizeof k->ask,
             "The first order of %s starts when you say so:\n  dcvagent pin %s --reference N   (the 9 digits on the PIN envelope), or\n  "
             "dcvagent run --force %s",
             k->o->cert, k->o->cert, k->o->cert);
}

static void ask_confirm(const struct ca *c, struct ca_case *k)
{
    json_t *h = handover_load(k->o);
    const char *said = json_str(json_object_get(h, "failed"), "text");
    char safe[200];
    text_safe(safe, sizeof safe, said, strlen(said));
    snprintf(k->ask, sizeof k->ask,
             "%s%s%sThe %s in place and seen by the public.\n1. Open %s and press the confirm button of the %s method\n"
             "2. It succeeded: dcvagent confirmed %s      It said no: dcvagent confirmed %s --failed 'WHAT IT SAID'",
             *safe ? "The last try failed: " : "", safe, *safe ? "\n" : "", by_file(k) ? "validation file is" : "TXT records are",
             page(c, k), by_file(k) ? "website" : "DNS", k->o->cert, k->o->cert);
    json_decref(h);
}

static void ask_submit(const struct ca *c, struct ca_case *k, const char *csr_path)
{
    snprintf(k->ask, sizeof k->ask,
             "1. Open %s and paste the certificate signing request: dcvagent csr %s  (also in %s)\n"
             "2. Check the server names shown there, submit once, then: dcvagent submitted %s",
             page(c, k), k->o->cert, csr_path, k->o->cert);
}

static void ask_certificate(const struct ca *c, struct ca_case *k)
{
    (void)c;
    snprintf(k->ask, sizeof k->ask,
             "1. Download the certificate (and the intermediate, if offered) from the CA's last page or its \"search and download "
             "certificate\" page\n"
             "2. dcvagent import %s FILE      (PEM, DER or PKCS#7)",
             k->o->cert);
}

/* Where the case stands, from the handle alone. */
static void manual_look(struct ca *c, struct ca_case *k)
{
    op_start(&k->op, NULL);
    json_t *h = handover_load(k->o);
    int64_t now = clock_now();
    bool expired = false;
    k->waits = "";
    *k->ask = 0;
    k->look_again = 0;
    bool all = handover_proofs(h, k, c->rules.lifetime, now, &expired);
    bool settled_by_person = json_num(h, "confirmed") || json_num(h, "submitted");
    if (k->o->certificate.n) {
        k->stage = CA_ISSUED;
    } else if (json_num(h, "submitted")) {
        k->stage = CA_ISSUING;
        k->waits = "certificate";
        ask_certificate(c, k);
    } else if (json_num(h, "confirmed")) {
        k->stage = CA_CSR;
    } else if (all) {
        k->stage = CA_PROOF;
    } else {
        k->stage = CA_PERSON;
        k->waits = "code";
        ask_code(c, k, expired);
    }
    k->o->deadline = settled_by_person ? 0 : handover_deadline(k);
    json_decref(h);
    op_settle(&k->op, NULL);
}

/* A first order starts by hand; the order machine asks with waits "pin" and calls this for the words. */
static void manual_begin(struct ca *c, struct ca_case *k)
{
    manual_look(c, k);
}

static void manual_confirm(struct ca *c, struct ca_case *k)
{
    manual_look(c, k);
    if (k->stage == CA_PROOF) {
        k->waits = "confirm";
        ask_confirm(c, k);
    }
}

static void manual_submit(struct ca *c, struct ca_case *k)
{
    manual_look(c, k);
    if (k->stage == CA_CSR) {
        char path[512];
        handover_csr_path(k->o, path, sizeof path);
        k->waits = "operator";
        ask_submit(c, k, path);
    }
}

static bool manual_hand(struct ca *c, struct ca_case *k, const struct inbox_row *row, struct err *e)
{
    (void)c;
    return handover_take(k, row, e);
}

static void manual_ask_start(struct ca *c, struct ca_case *k)
{
    (void)c;
    ask_pin(k);
}

const struct ca_ops manual_ca = {
    .type = "manual",
    .summary = "a person uses the CA's web pages, the agent does all the rest",
    .by_person = true,
    .keys = manual_keys,
    .open = manual_open,
    .rules = manual_rules,
    .look = manual_look,
    .begin = manual_begin,
    .confirm = manual_confirm,
    .submit = manual_submit,
    .fetch = manual_look,
    .hand = manual_hand,
    .ask_start = manual_ask_start,
    .close = manual_close,
};
