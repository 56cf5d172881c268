/* portal: a CA's web pages: what stands there and what would be pressed. --page tries the description on a page that was saved: no network, no state. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/portal/act.h"
#include "ca/portal/session.h"
#include "cmd/portal_walk.h"
#include "conf/conf.h"
#include "order/session.h"

enum { URL_MAX = 2048 };

/* What stands for what the configuration does not have: digits of the right length, so that fields take it. */
static const char stand_in_reference[] = "000000000", stand_in_pin[] = "0000000000000000", stand_in_code[] = "mailed-code",
                  stand_in_csr[] = "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n";

struct trial {
    struct call *call;
    const struct conf_cert *cert;
    struct guide *guide;
    struct secret pin;
    struct act_order order;
    struct page *page;
    struct reading reading;
    struct act act;
    struct err fault;
    bool planned;
};

/* Browsers write where a page came from into what they save, and so does the copy that is kept of an unknown page. */
static bool saved_from(const char *html, char *url, size_t size)
{
    const char *at = strstr(html, "<!-- saved from url=("), *from = at ? strchr(at, ')') : NULL;
    size_t n = from ? strcspn(from + 1, " \r\n") : 0;

    if (!n || n >= size || strncmp(from + 1, "https://", 8) != 0)
        return false;
    snprintf(url, size, "%.*s", (int)n, from + 1);
    return true;
}

static void page_address(const struct trial *t, const char *html, char *url, size_t size)
{
    const char *given = call_flag(t->call, "url"), *start = guide_start(t->guide);

    if (given)
        snprintf(url, size, "%s", given);
    else if (!saved_from(html, url, size))
        snprintf(url, size, "%s%s", start ? start : guide_origins(t->guide)->s[0], start ? "" : "/");
}

static bool read_page(struct trial *t, struct err *e)
{
    char *html = NULL, url[URL_MAX];
    size_t n = 0;

    if (!fs_read(call_flag(t->call, "page"), PAGE_MAX, &html, &n, e))
        return false;
    page_address(t, html, url, sizeof url);
    bool ok = page_parse(&t->page, html, n, NULL, url, e);
    free(html);
    return ok;
}

static void make_order(struct trial *t)
{
    const struct conf_cert *c = t->cert;

    secret_set(&t->pin, stand_in_pin, strlen(stand_in_pin));
    t->order = (struct act_order){
        .names = &c->names,
        .reference = c->reference_number ? c->reference_number : stand_in_reference,
        .pin = &t->pin,
        .product = product_words[c->product],
        .organisation = c->expect_organisation,
        .chinese = c->organisation_name == 1,
        .method = (enum act_method)c->method,
        .email = c->validation_email,
        .mailed_code = call_has(t->call, "mailed") ? stand_in_code : NULL,
        .csr_pem = {(const uint8_t *)stand_in_csr, strlen(stand_in_csr)},
    };
}

/* --- printed ------------------------------------------------------------------------------------------------------------------------------- */

/* Why no page of the description fits, or which do. */
static void print_misfits(const struct trial *t)
{
    struct strs lines = {0};

    reading_misfits(t->guide, t->page, &lines);
    for (size_t i = 0; i < lines.n; i++)
        printf("  %s\n", lines.s[i]);
    strs_free(&lines);
}

static void print_text(const struct trial *t)
{
    const struct reading *r = &t->reading;
    char safe[512];

    printf("portal: %s\n", guide_title(t->guide));
    printf("page: %s", r->page ? guide_page_name(r->page) : "not recognised");
    printf(r->page ? " (%s)\n" : "\n", r->page ? role_words[r->role] : "");
    if (r->error != PAGE_FINE)
        printf("  error: %s\n", page_error_words[r->error]);
    if (*r->said)
        printf("  %s: %s\n", r->page || r->error != PAGE_FINE ? "it says" : "because", r->said);
    if (*r->failed_name)
        printf("  failed for: %s\n", r->failed_name);
    if (!r->page && r->error == PAGE_FINE)
        print_misfits(t);
    for (size_t i = 0; i < r->n_code; i++)
        printf("  code%s%s: %s\n", *r->code[i].name ? " for " : "", r->code[i].name,
               text_safe(safe, sizeof safe, r->code[i].value, strlen(r->code[i].value)));
    for (size_t i = 0; i < r->n_link; i++)
        printf("  link %s: %s\n", r->link[i].role, text_safe(safe, sizeof safe, r->link[i].url, strlen(r->link[i].url)));
    for (size_t i = 0; i < t->act.told.n; i++)
        printf("  %s\n", t->act.told.s[i]);
    if (t->act.send.url)
        printf("would press: %s (%s %s)\n", t->act.button, t->act.send.method,
               text_safe(safe, sizeof safe, t->act.send.url, url_bare(t->act.send.url))); /* a query may hold what was filled in */
    else if (t->planned)
        printf("nothing would be pressed\n");
}

static json_t *codes_json(const struct reading *r)
{
    json_t *all = json_array();

    for (size_t i = 0; i < r->n_code; i++)
        json_array_append_new(all, json_pack("{s:s, s:o}", "name", r->code[i].name, "value", json_text(r->code[i].value)));
    return all;
}

static json_t *links_json(const struct reading *r)
{
    json_t *all = json_array();

    for (size_t i = 0; i < r->n_link; i++)
        json_array_append_new(all, json_pack("{s:s, s:o}", "role", r->link[i].role, "url", json_text(r->link[i].url)));
    return all;
}

static json_t *fault_json(const struct err *e)
{
    return e->rc == RC_OK ? json_null() : json_pack("{s:s, s:o, s:i}", "code", e->code, "text", json_text(e->text), "exit", (int)e->rc);
}

static void print_json(const struct trial *t)
{
    const struct reading *r = &t->reading;
    json_t *told = json_array();
    char url[URL_MAX] = "";

    for (size_t i = 0; i < t->act.told.n; i++)
        json_array_append_new(told, json_text(t->act.told.s[i]));
    if (t->act.send.url)
        snprintf(url, sizeof url, "%.*s", (int)url_bare(t->act.send.url), t->act.send.url);
    json_print(json_pack("{s:i, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "version", 1, "name", t->cert->name,
                         "portal", json_text(guide_title(t->guide)), "page", json_text(r->page ? guide_page_name(r->page) : NULL), "role",
                         json_text(r->page ? role_words[r->role] : NULL), "error", page_error_words[r->error], "said", json_text(r->said),
                         "failed", r->failed_name, "codes", codes_json(r), "links", links_json(r), "told", told, "button",
                         json_text(*t->act.button ? t->act.button : NULL), "url", json_text(*url ? url : NULL), "fault",
                         fault_json(&t->fault)));
}

/* --- --page -------------------------------------------------------------------------------------------------------------------------------- */

static bool find_guide(struct trial *t, const struct conf *conf, struct err *e)
{
    const char *name = t->call->args.s[0];
    const struct section *ca;

    t->cert = conf_cert(conf, name);
    if (!t->cert)
        return err_set(e, RC_USAGE, "USAGE", "there is no section [certificate %s]", name);
    ca = conf_ca(conf, t->cert->ca);
    if (!ca || strcmp(ca->type, "portal") != 0)
        return err_set(e, RC_USAGE, "USAGE", "[certificate %s]: its CA has no portal: ca = a section with type = portal is wanted", name);
    return guide_open(&t->guide, &conf->agent.conf_path, section_text(ca, "profile"), e);
}

static enum rc try_page(struct call *c)
{
    struct trial t = {.call = c};
    struct err e = {0};
    struct conf *conf = session_conf(c->config, &e);
    bool ok = conf && find_guide(&t, conf, &e) && read_page(&t, &e);
    enum rc rc = RC_OK;

    if (ok) {
        make_order(&t);
        t.planned = reading_take(t.guide, t.page, &t.order, &t.reading, &t.fault) &&
                    act_plan(t.guide, t.page, &t.reading, &t.order, &t.act, &t.fault);
        (c->json ? print_json : print_text)(&t);
        if (!t.planned && !c->json)
            call_fail(c, &t.fault);
        rc = t.fault.rc;
    } else {
        rc = call_fail(c, &e);
    }
    act_clear(&t.act);
    reading_clear(&t.reading);
    page_free(t.page);
    secret_free(&t.pin);
    guide_free(t.guide);
    conf_free(conf);
    return rc;
}

enum rc cmd_portal(struct call *c)
{
    bool page = call_has(c, "page"), probe = call_has(c, "probe"), step = call_has(c, "step");

    if (page + probe + step != 1 || (!page && (call_has(c, "url") || call_has(c, "mailed")))) {
        say(LEVEL_ERROR, &(struct about){.step = "portal"}, "USAGE",
            page + probe + step == 1 ? "--url and --mailed belong to --page" : "one of --probe, --step, --page FILE is wanted");
        return RC_USAGE;
    }
    return page ? try_page(c) : probe ? portal_probe(c) : portal_step(c);
}
