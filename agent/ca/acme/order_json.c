#include "ca/acme/order_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ca/acme/problem.h"
#include "cert/jws.h"

enum { TOKEN_MAX = 128 };

enum ca_stage order_stage(const char *status, bool expired, bool sent, bool unproven)
{
    if (!status)
        return sent ? CA_REFUSED : CA_NONE;
    if (strcmp(status, "processing") == 0 || strcmp(status, "valid") == 0)
        return CA_ISSUING;
    if (strcmp(status, "ready") == 0)
        return expired ? CA_NONE : CA_CSR;
    if (strcmp(status, "pending") == 0)
        return expired ? CA_NONE : unproven ? CA_PROOF : CA_CHECKING;
    return CA_REFUSED;
}

bool acme_token_ok(const char *token)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t n = strspn(token, allowed);
    return n > 0 && n <= TOKEN_MAX && !token[n];
}

void acme_dns_value(const char *token, const char *thumbprint, char out[44])
{
    uint8_t md[SHA256_SIZE];
    char *text = mem_fmt("%s.%s", token, thumbprint);
    struct str value = STR_INIT(43);
    sha256(text, strlen(text), md);
    b64url_put(&value, md, sizeof md);
    memcpy(out, value.p, 44);
    str_free(&value);
    free(text);
}

/* --- authorizations ---------------------------------------------------------------------------------------------------------------- */

/* Octet for octet: what was ordered is in the inner form, and a CA that writes it otherwise is asked for by nobody. */
static bool listed(const char *names, const char *name)
{
    struct strs l = {0};
    strs_split(&l, names);
    bool is = strs_has(&l, name);
    strs_free(&l);
    return is;
}

static bool read_name(const json_t *j, const char *names, struct authz *a, struct err *e)
{
    const json_t *id = json_object_get(j, "identifier");
    const char *value = json_str(id, "value");
    char parsed[NAME_SIZE], safe[120];
    struct err quiet = {0};
    bool dns = strcmp(json_str(id, "type"), "dns") == 0 && name_parse(value, NAME_WILDCARD, parsed, &quiet);
    if (dns)
        snprintf(a->name, sizeof a->name, "%s%s", json_is_true(json_object_get(j, "wildcard")) ? "*." : "", name_base(parsed));
    if (dns && listed(names, a->name))
        return true;
    text_safe(safe, sizeof safe, value, strlen(value));
    *a->name = 0;
    return err_set(e, RC_CA, "CA_NAME", "the CA sends an authorization for \"%s\", which was not ordered", safe);
}

static const json_t *dns_challenge(const json_t *j, struct str *offers)
{
    const json_t *all = json_object_get(j, "challenges");
    const json_t *found = NULL;
    char safe[40];
    for (size_t i = 0; i < json_array_size(all) && !found; i++) {
        const json_t *c = json_array_get(all, i);
        const char *type = json_str(c, "type");
        if (strcmp(type, "dns-01") == 0)
            found = c;
        else
            str_fmt(offers, "%s%s", offers->n ? ", " : "", text_safe(safe, sizeof safe, type, strlen(type)));
    }
    return found;
}

/* Why the CA did not accept it: the challenge's own error. */
static void why_failed(const json_t *j, const json_t *challenge, const char *status, struct authz *a)
{
    const json_t *error = json_object_get(challenge, "error"), *all = json_object_get(j, "challenges");
    struct problem p = {0};
    char safe[40];
    for (size_t i = 0; i < json_array_size(all) && !error; i++)
        error = json_object_get(json_array_get(all, i), "error");
    problem_read(&p, error);
    if (error)
        err_set(&a->err, p.kind->rc, p.kind->code, "%s%s%s", p.detail, *p.kind->advice ? "; " : "", p.kind->advice);
    else
        err_set(&a->err, RC_CA, "CA_REFUSED", "the authorization is %s, no reason given",
                text_safe(safe, sizeof safe, status, strlen(status)));
    err_at(&a->err, "%s", a->name);
    if (p.kind->again)
        err_again(&a->err, 0);
}

static bool read_challenge(const json_t *c, const char *thumbprint, struct authz *a, struct err *e)
{
    const char *token = json_str(c, "token"), *status = json_str(c, "status");
    char value[44], safe[80];
    if (!acme_token_ok(token))
        return err_set(e, RC_CA, "CA_TOKEN", "the CA's token for %s, \"%s\", is not what RFC 8555 allows; it is not used", a->name,
                       text_safe(safe, sizeof safe, token, strlen(token)));
    acme_dns_value(token, thumbprint, value);
    free(a->value);
    free(a->challenge);
    a->value = mem_str(value);
    a->challenge = mem_str(json_str(c, "url"));
    if (a->state == AUTHZ_OPEN && *status && strcmp(status, "pending") != 0)
        a->state = AUTHZ_ASKED;
    return true;
}

bool authz_read(const json_t *j, const char *names, const char *thumbprint, struct authz *a, struct err *e)
{
    const char *status = json_str(j, "status");
    struct str offers = STR_INIT(100);
    *a = (struct authz){.challenge = mem_str(""), .value = mem_str("")};
    bool pending = strcmp(status, "pending") == 0, valid = strcmp(status, "valid") == 0;
    if (!read_name(j, names, a, e))
        return false;
    time_parse(json_str(j, "expires"), &a->expires);
    a->state = valid ? AUTHZ_VALID : pending ? AUTHZ_OPEN : AUTHZ_FAILED;
    const json_t *c = dns_challenge(j, &offers);
    bool ok = true;
    if (a->state == AUTHZ_FAILED)
        why_failed(j, c, status, a);
    else if (pending && !c)
        ok = err_set(e, RC_CA, "CA_NO_DNS", "the CA offers no dns-01 for %s (it offers: %s)", a->name,
                     offers.n ? str_text(&offers) : "nothing");
    else if (pending)
        ok = read_challenge(c, thumbprint, a, e);
    str_free(&offers);
    return ok || err_at(e, "%s", a->name);
}

void authz_clear(struct authz *a)
{
    free(a->challenge);
    free(a->value);
    *a = (struct authz){0};
}

/* --- failures ---------------------------------------------------------------------------------------------------------------------- */

void names_err(const struct err *err, size_t n, size_t of, struct err *e)
{
    struct str text = STR_INIT(sizeof e->text - 60);
    if (n == 0)
        return;
    if (n == 1) {
        *e = err[0];
        return;
    }
    for (size_t i = 0; i < n; i++)
        str_fmt(&text, "%s%s: %.150s", i ? "; " : "", err[i].where, err[i].text);
    *e = (struct err){0};
    err_set(e, err[0].rc, err[0].code, "%s", str_text(&text));
    err_at(e, "%zu of %zu names", n, of > n ? of : n);
    for (size_t i = 0; i < n && !e->again; i++)
        e->again = err[i].again;
    str_free(&text);
}

size_t order_error(const json_t *problem, const char *about, struct err *err, size_t max, struct err *e)
{
    char name[LISTED_SIZE];
    size_t at = 0, n = 0;
    while (n < max && problem_sub(problem, &at, name, &err[n]))
        n++;
    if (n) {
        names_err(err, n, n, e);
    } else if (json_is_object(problem)) {
        struct problem p = {0};
        problem_read(&p, problem);
        problem_err(&p, about, (long)json_num(problem, "status"), e);
    }
    return n;
}
