/* account.c: the account: its key, found or made, its contact kept up to date; a rollover that was interrupted is looked up. */
#include "ca/acme/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/key.h"

static const char module[] = "acme";
static const char *const eab_algs[] = {"HS256", "HS384", "HS512"};

/* --- the key's file -------------------------------------------------------------------------------------------------------------- */

static char *key_file(const struct ca *c, unsigned n)
{
    return mem_fmt("%s/keys/account-%s-%u.key", store_dir(c->store), c->name, n);
}

bool account_key_there(const struct ca *c, unsigned n)
{
    char *path = key_file(c, n);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

struct jws_key *account_key_read(const struct ca *c, unsigned n, struct err *e)
{
    char *path = key_file(c, n);
    struct secret pem = {0};
    struct jws_key *key = secret_read(&pem, path, 65536, e) ? jws_key_open(&pem, e) : NULL;
    if (!key)
        err_at(e, "%s", path);
    secret_free(&pem);
    free(path);
    return key;
}

void account_key_drop(const struct ca *c, unsigned n)
{
    char *path = key_file(c, n);
    unlink(path);
    free(path);
}

bool account_key_make(const struct ca *c, unsigned n, struct err *e)
{
    char *path = key_file(c, n);
    struct secret pem = {0};
    bool ok = key_generate(KEY_P256, &pem, e) && fs_create(path, pem.p, pem.n, 0600, e);
    secret_free(&pem);
    free(path);
    return ok;
}

/* --- what is remembered ----------------------------------------------------------------------------------------------------------- */

static char *contact_text(const struct ca *c)
{
    struct strs l = {0};
    for (size_t i = 0; i < c->contact.n; i++) {
        char *uri = mem_fmt("%s%s", strchr(c->contact.s[i], ':') ? "" : "mailto:", c->contact.s[i]);
        strs_add(&l, uri);
        free(uri);
    }
    char *text = strs_join(&l, " ");
    strs_free(&l);
    return text;
}

static json_t *contact_json(const struct ca *c)
{
    struct strs l = {0};
    char *text = contact_text(c);
    strs_split(&l, text);
    json_t *j = json_strs(&l);
    strs_free(&l);
    free(text);
    return j;
}

void account_save(struct ca *c)
{
    struct acme_account *a = &c->account;
    char *key = mem_fmt("%s/account", c->name);
    char *text = json_line(json_pack("{s:s, s:i, s:s, s:s, s:b}", "directory", c->directory, "n", (int)a->n, "url", a->url ? a->url : "",
                                     "contact", a->contact ? a->contact : "", "deactivated", a->deactivated));
    struct err e = {0};
    value_put(c->store, module, key, text, &e); /* where it fails the turn fails, and says so */
    free(text);
    free(key);
}

static void set(char **field, const char *text)
{
    char *copy = mem_str(text);
    free(*field);
    *field = copy;
}

static unsigned newest_key(const struct ca *c)
{
    unsigned n = 1;
    while (account_key_there(c, n + 1))
        n++;
    return n;
}

static void restore(struct ca *c)
{
    struct acme_account *a = &c->account;
    char *key = mem_fmt("%s/account", c->name), *text = value_get(c->store, module, key);
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const char *url = json_str(j, "url");
    a->n = json_num(j, "n") > 0 ? (unsigned)json_num(j, "n") : newest_key(c);
    if (strcmp(json_str(j, "directory"), c->directory) == 0) {
        a->deactivated = json_is_true(json_object_get(j, "deactivated"));
        set(&a->url, *url ? url : NULL);
        set(&a->contact, json_str(j, "contact"));
    }
    json_decref(j);
    free(text);
    free(key);
}

/* The key of the account; a lost one means a new account. *made: nobody can know it yet. */
static bool have_key(struct ca *c, bool *made, struct err *e)
{
    struct acme_account *a = &c->account;
    if (!account_key_there(c, a->n)) {
        if (a->url)
            say(LEVEL_WARNING, &(struct about){.name = c->name, .step = "account"}, "ACCOUNT_KEY_LOST",
                "keys/account-%s-%u.key, the key of the account %s, is not there any more; another account is registered", c->name, a->n,
                a->url);
        set(&a->url, NULL);
        *made = true;
        if (!account_key_make(c, a->n, e))
            return false;
    }
    jws_key_free(a->key);
    a->key = account_key_read(c, a->n, e);
    return a->key != NULL;
}

/* --- asking the CA ------------------------------------------------------------------------------------------------------------------ */

void account_post(struct ca *c, const char *url, json_t *payload, bool by_key, const struct jws_key *key, op_fn *done)
{
    struct acme_account *a = &c->account;
    if (!a->request)
        a->request = mem_new(sizeof *a->request);
    acme_request_clear(a->request);
    *a->request = (struct acme_request){.op = {.done = done, .owner = c},
                                        .about = "the account",
                                        .url = mem_str(url),
                                        .payload = payload ? json_line(payload) : NULL,
                                        .by_key = by_key,
                                        .key = key};
    acme_send(c, a->request);
}

static void over(struct ca *c, const struct err *e)
{
    c->account.step = e ? ACCOUNT_UNKNOWN : ACCOUNT_READY;
    acme_ready_pump(c, e);
}

static bool bind_external(struct ca *c, json_t *payload, struct err *e)
{
    const char *kid = section_text(c->section, "eab_kid"), *file = section_text(c->section, "eab_key_file");
    const char *alg = eab_algs[section_word(c->section, "eab_alg")], *jwk = jws_jwk(c->account.key);
    struct secret text = {0}, key = {0};
    struct str out = STR_INIT(65536);
    if (!kid || !file)
        return !c->dir.eab || err_set(e, RC_CONF, "EAB_NEEDED", "the CA makes accounts with an external account binding only; %s",
                                      "set eab_kid and eab_key_file, which it hands out");
    char *header = json_line(json_pack("{s:s, s:s, s:s}", "alg", alg, "kid", kid, "url", c->dir.new_account));
    bool ok = secret_read(&text, file, 4096, e);
    if (ok && !b64url_read((const char *)text.p, text.n, &key))
        ok = err_set(e, RC_CONF, "EAB_KEY", "%s holds no key in base64url, as the CA hands it out", file);
    ok = ok && jws_mac(alg, &key, header, (struct bytes){(const uint8_t *)jwk, strlen(jwk)}, &out, e);
    if (ok)
        json_object_set_new(payload, "externalAccountBinding", json_loads(str_text(&out), 0, NULL));
    secret_free(&text);
    secret_free(&key);
    str_free(&out);
    free(header);
    return ok;
}

static void found(struct op *op, const struct err *e);

static void register_now(struct ca *c)
{
    struct err e = {0};
    json_t *payload = json_pack("{s:b, s:o}", "termsOfServiceAgreed", 1, "contact", contact_json(c));
    bool ok =
        !c->dir.terms || section_yes(c->section, "accept_terms") ||
        err_set(&e, RC_CONF, "TERMS", "the CA wants its terms of service agreed to: read %s and set accept_terms = yes", c->dir.terms);
    ok = ok && bind_external(c, payload, &e);
    if (ok) {
        account_post(c, c->dir.new_account, payload, true, NULL, found);
        return;
    }
    json_decref(payload);
    err_at(&e, "%s", c->name);
    over(c, &e);
}

/* What newAccount answered: the account, old or new. Status and URL are the CA's. */
static bool take_account(struct ca *c, struct err *e)
{
    struct acme_account *a = &c->account;
    char url[URL_SIZE], safe[40];
    const char *status = json_str(a->request->json, "status");
    text_safe(safe, sizeof safe, status, strlen(status));
    if (strcmp(status, "valid") != 0)
        return err_set(e, RC_CONF, "ACCOUNT_CLOSED",
                       "the CA says that the account of this key is %s; dcvagent account %s registers another", safe, c->name);
    if (!http_header(&a->request->http, "Location", url, sizeof url))
        *url = 0;
    if (!acme_url_ok(c, url, "URL of the account", e))
        return false;
    set(&a->url, url);
    return true;
}

static void found(struct op *op, const struct err *e)
{
    struct ca *c = op->owner;
    struct acme_account *a = &c->account;
    struct err fault = e ? *e : (struct err){0};
    if (e && problem_is(&a->request->problem, "accountDoesNotExist") && a->request->payload &&
        strstr(a->request->payload, "onlyReturnExisting")) {
        register_now(c);
        return;
    }
    if (e || !take_account(c, &fault)) {
        over(c, &fault);
        return;
    }
    char *contact = contact_text(c);
    set(&a->contact, contact);
    free(contact);
    account_save(c);
    say(LEVEL_INFO, &(struct about){.name = c->name, .step = "account"}, NULL, "account %s", a->url);
    over(c, NULL);
}

static void contact_told(struct op *op, const struct err *e)
{
    struct ca *c = op->owner;
    struct acme_account *a = &c->account;
    if (e && problem_is(&a->request->problem, "accountDoesNotExist")) {
        set(&a->url, NULL);
        register_now(c);
        return;
    }
    if (!e) {
        char *contact = contact_text(c);
        set(&a->contact, contact);
        free(contact);
        account_save(c);
    }
    over(c, e);
}

/* Key n + 1 is on the disk: did the CA take it before the run was cut off? */
static void rollover_looked_up(struct op *op, const struct err *e)
{
    struct ca *c = op->owner;
    struct acme_account *a = &c->account;
    struct err fault = {0};
    if (e && !problem_is(&a->request->problem, "accountDoesNotExist")) {
        over(c, e);
        return;
    }
    if (!e && take_account(c, &fault)) {
        jws_key_free(a->key);
        a->key = a->next;
        a->next = NULL;
        a->n++;
        account_save(c);
    } else if (e) {
        account_key_drop(c, a->n + 1);
    }
    over(c, fault.rc != RC_OK ? &fault : NULL);
}

static json_t *existing_only(void)
{
    return json_pack("{s:b}", "onlyReturnExisting", 1);
}

/* What is left to do with an account that is known. */
static void keep_up(struct ca *c)
{
    struct acme_account *a = &c->account;
    struct err e = {0};
    char *contact = contact_text(c);
    bool same = a->contact && strcmp(contact, a->contact) == 0;
    free(contact);
    if (account_key_there(c, a->n + 1)) {
        jws_key_free(a->next);
        a->next = account_key_read(c, a->n + 1, &e);
        if (a->next)
            account_post(c, c->dir.new_account, existing_only(), true, a->next, rollover_looked_up);
        else
            over(c, &e);
    } else if (!same) {
        account_post(c, a->url, json_pack("{s:o}", "contact", contact_json(c)), false, NULL, contact_told);
    } else {
        over(c, NULL);
    }
}

void account_pump(struct ca *c)
{
    struct acme_account *a = &c->account;
    struct err e = {0};
    bool made = false;
    if (a->step != ACCOUNT_UNKNOWN)
        return;
    if (!a->n)
        restore(c);
    a->step = ACCOUNT_WORKS;
    if (a->deactivated)
        err_set(&e, RC_CONF, "ACCOUNT_CLOSED", "the account was deactivated; dcvagent account %s registers another", c->name);
    if (a->deactivated || !have_key(c, &made, &e)) {
        err_at(&e, "%s", c->name);
        over(c, &e);
    } else if (a->url) {
        keep_up(c);
    } else if (made) {
        register_now(c);
    } else { /* the key may be older than what the store remembers */
        account_post(c, c->dir.new_account, existing_only(), true, NULL, found);
    }
}

void account_forget_url(struct ca *c)
{
    set(&c->account.url, NULL);
    c->account.step = ACCOUNT_UNKNOWN;
}

void account_reopen(struct ca *c)
{
    struct acme_account *a = &c->account;
    if (!a->n)
        restore(c);
    if (!a->deactivated)
        return;
    a->deactivated = false;
    a->n++;
    set(&a->url, NULL);
}

void account_close(struct ca *c)
{
    struct acme_account *a = &c->account;
    if (a->request) {
        acme_request_clear(a->request);
        free(a->request);
    }
    jws_key_free(a->key);
    jws_key_free(a->next);
    free(a->url);
    free(a->contact);
}
