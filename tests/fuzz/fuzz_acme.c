/* fuzz_acme.c: what a CA sends. The first octet chooses: 0 a directory, 1 an order, 2 an authorization, 3 a problem, 4 renewal information,
 * 5 header fields. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ca/acme/acme_impl.h"
#include "ca/acme/order_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1800000000, NAMES = 8 };
static const char names[] = "example.hk *.example.hk www.example.hk xn--i8s431aqn1ad1j.hk";

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What is told fits on one line of a terminal and steers nothing there. */
static void plain(const char *s)
{
    for (; *s; s++)
        must((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void told(const struct err *e)
{
    must(e->rc != RC_OK && e->code && *e->code);
    plain(e->text);
    plain(e->where);
}

static void url(const struct acme_dir *d, const char *s)
{
    char origin[280];
    must(http_origin(s, false, origin, sizeof origin) && strs_has(&d->origins, origin) && strlen(s) < URL_SIZE);
    plain(s);
}

static void directory(const json_t *j)
{
    struct ca c = {.name = "fuzz", .directory = "https://acme.provider.example/directory"};
    struct err e = {0};
    if (acme_dir_read(&c, j, &e)) {
        const char *const all[] = {c.dir.new_nonce,   c.dir.new_account, c.dir.new_order,
                                   c.dir.revoke_cert, c.dir.key_change,  c.dir.renewal_info};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            must(i > 2 || all[i]);
            if (all[i])
                url(&c.dir, all[i]);
        }
        plain(c.dir.terms ? c.dir.terms : "");
        for (size_t i = 0; i < c.dir.profiles.n; i++)
            plain(c.dir.profiles.s[i]);
    } else {
        told(&e);
        must(!c.dir.known && !c.dir.new_order);
    }
    acme_dir_free(&c.dir);
    strs_free(&c.caa);
}

static void problem(const json_t *j)
{
    struct problem p = {0};
    struct err e = {0}, each[NAMES] = {0};
    problem_read(&p, j);
    must(p.kind != NULL);
    plain(p.detail);
    plain(p.url);
    problem_err(&p, "the order", 403, &e);
    told(&e);
    e = (struct err){0};
    size_t n = order_error(j, "the order", each, NAMES, &e);
    must(n <= NAMES);
    for (size_t i = 0; i < n; i++) {
        told(&each[i]);
        must(*each[i].where != 0);
    }
    if (n || json_is_object(j))
        told(&e);
}

static void order(const json_t *j)
{
    struct ca c = {.name = "fuzz", .directory = "https://acme.provider.example/directory"};
    struct err e = {0};
    strs_add(&c.dir.origins, "https://acme.provider.example:443");
    c.dir.known = true;
    const char *found = acme_url(&c, j, "finalize", &e);
    if (found)
        url(&c.dir, found);
    else
        told(&e);
    const char *status = json_str(j, "status");
    enum ca_stage stage = order_stage(status, false, true, true);
    must(stage != CA_ISSUING || strcmp(status, "valid") == 0 || strcmp(status, "processing") == 0);
    problem(json_object_get(j, "error"));
    acme_dir_free(&c.dir);
}

static void authorization(const json_t *j)
{
    struct authz a;
    struct err e = {0};
    if (!authz_read(j, names, "a-thumbprint-of-the-account-key", &a, &e)) {
        told(&e);
    } else {
        must(*a.name && strstr(names, a.name));
        must(a.state != AUTHZ_OPEN || (strlen(a.value) == 43 && acme_token_ok(a.value)));
        must((a.state == AUTHZ_FAILED) == (a.err.rc != RC_OK));
        if (a.state == AUTHZ_FAILED)
            told(&a.err);
    }
    authz_clear(&a);
}

static void renewal(const json_t *j)
{
    struct ca_renewal r = {0};
    renewal_window(&r, j);
    must((r.from == 0 && r.to == 0) || (r.from > 0 && r.to > r.from));
    plain(r.explanation);
}

static void header(const uint8_t *p, size_t n)
{
    struct str head = STR_INIT(1 << 20);
    str_put(&head, p, n);
    struct http h = {.head = head};
    char out[100];
    size_t at = 0, links = 0;
    static const char *const field[] = {"Replay-Nonce", "Location", "Content-Type", "X"};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++)
        must(!http_header(&h, field[i], out, sizeof out) || strlen(out) < sizeof out);
    for (; http_link(&h, "alternate", &at, out, sizeof out); links++)
        must(strlen(out) < sizeof out && links <= n);
    int64_t when = http_retry_after(&h, NOW);
    must(when == 0 || (when >= NOW && when <= NOW + DAY));
    str_free(&head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(const json_t *) = {directory, order, authorization, problem, renewal};
    enum { N = sizeof targets / sizeof *targets };
    if (!size)
        return 0;
    if (data[0] % (N + 1) == N) {
        header(data + 1, size - 1);
        return 0;
    }
    json_t *j = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
    if (j)
        targets[data[0] % (N + 1)](j);
    json_decref(j);
    return 0;
}
