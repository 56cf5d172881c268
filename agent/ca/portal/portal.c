/* portal.c: a portal's section: its keys, its description, its connections; and the CA interface over walks. */
#include "ca/portal/portal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"
#include "conf/describe.h"
#include "net/proxy.h"

#ifndef DCVAGENT_VERSION
#define DCVAGENT_VERSION "unversioned"
#endif

enum { WALK_S = 30 };

static const struct conf_key portal_keys[] = {
    {.name = "profile",
     .type = CONF_TEXT,
     .allowed = "hongkongpost-ecert",
     .required = true,
     .help = "Description of the CA's pages: conf/ca/NAME.ini, in conf_path or among the installed ones."},
    {.name = "url",
     .type = CONF_TEXT,
     .allowed = "https://...",
     .check = conf_check_https,
     .help = "Start page of the portal, from the CA's e-mail; its origin must be one of the description's. May stand in the certificate."},
    {.name = "unattended",
     .type = CONF_YESNO,
     .standard = "no",
     .help =
         "Whether buttons are pressed without a person. no: each run stops before a button and says which; set it to yes once an order has "
         "gone through by dcvagent portal NAME --step."},
    {0},
};

static void portal_examine(const struct section *s, struct conf_sink *to)
{
    const char *profile = section_text(s, "profile"), *url = section_text(s, "url");
    char path[512];
    if (!profile)
        return;
    if (!describe_find(&s->agent->conf_path, "ca", profile, path, sizeof path)) {
        conf_sink_fault(to, "profile", RC_CONF, "there is no description of this name: %s", path);
        return;
    }
    struct guide *g = guide_load(describe_read(path));
    size_t n;
    const struct conf_fault *f = guide_faults(g, &n);
    conf_sink_take(to, f, n);
    if (n == 0 && url && !origin_in(guide_origins(g), url, false))
        conf_sink_fault(to, "url", RC_CONF, "its origin is none of the origins= in %s: is the link really the CA's? If so, add it there",
                        path);
    guide_free(g);
}

static bool portal_open(struct ca **out, const struct section *s, struct net *n, struct store *st, struct err *e)
{
    struct guide *guide;
    if (!guide_open(&guide, &s->agent->conf_path, section_text(s, "profile"), e))
        return false;
    struct ca *c = mem_new(sizeof *c);
    c->section = s;
    c->name = s->name;
    c->guide = guide;
    c->net = n;
    c->store = st;
    c->unattended = section_yes(s, "unattended");
    section_places(s, "record", &c->places);
    section_list(s, "chain_files", &c->chain_files);
    if (section_given(s, "caa"))
        section_list(s, "caa", &c->caa);
    else
        strs_copy(&c->caa, guide_caa(guide));
    c->rules = (struct ca_rules){.place = c->places.p,
                                 .n_place = c->places.n,
                                 .type = TYPE_TXT,
                                 .ttl = (uint32_t)section_number(s, "record_ttl"),
                                 .lifetime = (uint32_t)section_number(s, "code_lifetime"),
                                 .parallel = 1,
                                 .grace = WALK_S,
                                 .by_person = true,
                                 .by_email = true,
                                 .by_website = true,
                                 .settles = true,
                                 .key_type = "rsa2048",
                                 .caa = &c->caa,
                                 .chain_files = &c->chain_files};
    *out = c;
    return true;
}

static void portal_close(struct ca *c)
{
    for (size_t i = 0; i < c->n_window; i++) {
        window_forget_page(c->window[i]);
        portal_session_free(c->window[i]->session);
        free(c->window[i]);
    }
    free(c->window);
    for (size_t i = 0; i < c->n_file; i++) {
        free(c->file[i].url);
        free((void *)(uintptr_t)c->file[i].octets.p);
    }
    http_client_free(c->http);
    http_client_free(c->plain);
    guide_free(c->guide);
    places_free(&c->places);
    strs_free(&c->caa);
    strs_free(&c->chain_files);
    free(c);
}

static const struct ca_rules *portal_rules(const struct ca *c)
{
    return &c->rules;
}

static unsigned portal_requests(const struct ca *c)
{
    return (c->http ? http_client_requests(c->http) : 0) + (c->plain ? http_client_requests(c->plain) : 0);
}

bool portal_http(struct ca *c, struct err *e)
{
    struct proxy proxy;
    if (c->http && c->plain)
        return true;
    if (!proxy_of_section(c->section, &proxy, e))
        return false;
    struct http_setup setup = {.ca_file = section_text(c->section, "ca_file"),
                               .proxy = proxy.url,
                               .proxy_user = proxy_user(&proxy),
                               .agent = "dcvagent/" DCVAGENT_VERSION};
    if (!c->http)
        c->http = http_client_new(c->net, &setup, e);
    setup.plain = true;
    if (c->http && !c->plain)
        c->plain = http_client_new(c->net, &setup, e);
    proxy_clear(&proxy);
    return c->http && c->plain;
}

/* --- the CA interface ------------------------------------------------------------------------------------------------------------------ */

/* The handle says where an order stands; the portal is asked only where it had not finished, and said so in this run. */
static void portal_look(struct ca *c, struct ca_case *k)
{
    json_t *h = handover_load(k->o);
    bool was_busy = k->look_again && k->look_again <= clock_now() && !k->o->certificate.n, submitted = json_num(h, "submitted");
    if (was_busy && (submitted || json_num(h, "checking"))) {
        json_decref(h);
        walk_start(c, k, submitted ? GOAL_CERTIFICATE : GOAL_LOOK, false);
        return;
    }
    op_start(&k->op, NULL);
    k->waits = "";
    *k->ask = 0;
    k->look_again = 0;
    case_stand(c, k, h);
    json_decref(h);
    op_settle(&k->op, NULL);
}

static void portal_begin(struct ca *c, struct ca_case *k)
{
    walk_start(c, k, GOAL_CODE, false);
}

static void portal_confirm(struct ca *c, struct ca_case *k)
{
    walk_start(c, k, GOAL_CONFIRM, false);
}

static void portal_submit(struct ca *c, struct ca_case *k)
{
    walk_start(c, k, GOAL_CSR, false);
}

static void portal_fetch(struct ca *c, struct ca_case *k)
{
    walk_start(c, k, GOAL_CERTIFICATE, false);
}

/* What the next run would come for. */
static void portal_probe(struct ca *c, struct ca_case *k)
{
    json_t *h = handover_load(k->o);
    case_stand(c, k, h);
    json_decref(h);
    static const enum walk_goal goals[] = {
        [CA_NONE] = GOAL_CODE, [CA_PERSON] = GOAL_CODE,         [CA_PROOF] = GOAL_CONFIRM,      [CA_CHECKING] = GOAL_LOOK,
        [CA_CSR] = GOAL_CSR,   [CA_ISSUING] = GOAL_CERTIFICATE, [CA_ISSUED] = GOAL_CERTIFICATE, [CA_REFUSED] = GOAL_LOOK};
    walk_start(c, k, goals[k->stage], true);
}

static void portal_ask_start(struct ca *c, struct ca_case *k)
{
    (void)c;
    struct str s = STR_INIT(sizeof k->ask - 1);
    str_fmt(&s,
            "The first order of %s starts when you say so:\n  dcvagent pin %s --reference N   (9 digits on the PIN envelope; the PIN is "
            "asked for), "
            "or, with reference_number and pin_file set,\n  dcvagent run --force %s",
            k->o->cert, k->o->cert, k->o->cert);
    ask_set(k, &s);
}

/* The certificate is installed: a PIN that is not used again goes. */
static void portal_over(struct ca *c, struct ca_case *k)
{
    struct err e = {0};
    if (k->conf && k->conf->pin)
        return;
    if (!pin_wipe(store_dir(c->store), k->o->cert, &e))
        say_err(LEVEL_WARNING, &(struct about){.cert = k->o->cert, .step = "portal"}, &e);
}

const struct ca_ops portal_ca = {
    .type = "portal",
    .summary = "walks a CA's web pages by a description file: Hongkong Post e-Cert and the like",
    .by_person = true,
    .by_pin = true,
    .keys = portal_keys,
    .examine = portal_examine,
    .open = portal_open,
    .rules = portal_rules,
    .look = portal_look,
    .begin = portal_begin,
    .confirm = portal_confirm,
    .submit = portal_submit,
    .fetch = portal_fetch,
    .hand = case_hand,
    .ask_start = portal_ask_start,
    .probe = portal_probe,
    .over = portal_over,
    .requests = portal_requests,
    .close = portal_close,
};
