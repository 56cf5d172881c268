/* certificate.c: what the keys of one certificate say together: the CA, the product and its limits, the method, the key. */
#include "conf/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/guess.h"
#include "base/mem.h"
#include "base/names.h"

enum { MULTI_NAMES_MAX = 50 };

struct judged {
    struct loader *l;
    struct conf_cert *t;
    const struct raw_section *r;
    char *label;
};

static void fault(struct judged *j, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void fault(struct judged *j, const char *key, const char *fmt, ...)
{
    struct place_in at = entry_at(j->r, key);
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    loader_fault(j->l, &at, j->label, key, RC_CONF, false, "%s", text);
    j->t->broken = true;
}

static bool is_given(const struct judged *j, const char *key)
{
    return entry_find(j->r->e, j->r->n, key) != NULL;
}

static void check_reference(struct judged *j, const char *key, const char *wanted, const struct section *l, size_t n)
{
    struct guess g = {.wanted = wanted};
    char maybe[96], shown[72];

    for (size_t i = 0; i < n; i++)
        guess_try(&g, l[i].name);
    fault(j, key, "there is no [%s] section named %s%s%s", *key == 'c' ? "ca" : "provider", quoted(shown, sizeof(shown), wanted),
          n ? "" : ", nor any other", guess_text(&g, maybe));
}

static const char *first_wildcard(const struct conf_cert *t)
{
    for (size_t i = 0; i < t->names.n; i++) {
        if (name_is_wildcard(t->names.s[i]))
            return t->names.s[i];
    }
    return NULL;
}

/* One "*." name and its bare name; that one is added where it is missing, and the wildcard goes in front: it is the CN. */
static void check_wildcard(struct judged *j)
{
    struct strs *names = &j->t->names;
    const char *star = first_wildcard(j->t);
    bool bare = false;

    if (!star) {
        fault(j, "names", "product = wildcard needs one name such as *.example.hk");
        return;
    }
    for (size_t i = 0; i < names->n; i++) {
        if (names->s[i] == star)
            continue;
        if (strcmp(names->s[i], name_base(star)) != 0) {
            fault(j, "names",
                  "product = wildcard takes one name with *. (and %s, which comes with it); %s does not fit: give it a certificate "
                  "of its own",
                  name_base(star), names->s[i]);
            return;
        }
        bare = true;
    }
    if (!bare)
        strs_add(names, name_base(star));
    if (names->s[0] != star) {
        char *first = names->s[0];

        names->s[0] = names->s[1];
        names->s[1] = first;
    }
}

static void check_product(struct judged *j, bool by_person)
{
    const struct conf_cert *t = j->t;
    const char *word = product_words[t->product], *star = first_wildcard(t);
    bool multi = t->product == PRODUCT_MULTI || t->product == PRODUCT_EV_MULTI;

    if (t->product == PRODUCT_NONE) {
        if (by_person && !is_given(j, "product"))
            fault(j, "product", "missing, and this CA sells by product; allowed: standard, wildcard, multi-domain, ev, ev-multi-domain");
        return;
    }
    if (t->names.n == 0)
        return; /* missing or faulty: reported */
    if (t->product == PRODUCT_WILDCARD) {
        check_wildcard(j);
        return;
    }
    if (star)
        fault(j, "names", "product = %s allows no *. name (%s)%s", word, star,
              t->product == PRODUCT_EV || t->product == PRODUCT_EV_MULTI ? ": EV certificates have no wildcards"
                                                                         : "; product = wildcard does");
    if (!multi && t->names.n > 1)
        fault(j, "names", "product = %s holds one name, here are %zu; product = %s holds up to %d", word, t->names.n,
              t->product == PRODUCT_EV ? "ev-multi-domain" : "multi-domain", MULTI_NAMES_MAX);
    if (multi && t->names.n > MULTI_NAMES_MAX)
        fault(j, "names", "product = %s holds up to %d names, here are %zu", word, MULTI_NAMES_MAX, t->names.n);
}

static void check_website(struct judged *j, bool by_person, bool ca_known)
{
    if (ca_known && !by_person)
        fault(j, "method", "website is not possible with this CA; use dns");
    if (first_wildcard(j->t))
        fault(j, "method", "website does not prove *. names; use method = dns");
    if (!is_given(j, "webroot") && !is_given(j, "website_hook"))
        fault(j, "method", "website needs webroot= or website_hook=");
    else if (is_given(j, "webroot") && is_given(j, "website_hook"))
        fault(j, "website_hook", "webroot= and website_hook= are two ways to do the same; keep one");
}

static void check_email(struct judged *j, bool by_person, bool ca_known)
{
    const struct conf_cert *t = j->t;

    if (t->product == PRODUCT_MULTI || t->product == PRODUCT_EV_MULTI)
        fault(j, "method", "email is not possible with product = %s; use dns or website", product_words[t->product]);
    if (ca_known && !by_person)
        fault(j, "method", "email is not possible with this CA; use dns");
    if (!is_given(j, "validation_email"))
        fault(j, "method", "email needs validation_email=, the address that the CA writes to");
}

/* A CSR made elsewhere brings its own key and subject. */
static void check_key(struct judged *j)
{
    static const char *const own[] = {"key_type", "key_reuse", "subject", "pfx", "key_group"};

    if (is_given(j, "csr_file")) {
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
            if (is_given(j, own[i]) && (strcmp(own[i], "pfx") != 0 || j->t->pfx))
                fault(j, own[i], "does not go with csr_file=: that CSR's key is elsewhere and its subject is fixed; remove one of the two");
        }
    }
    if (j->t->pfx && !is_given(j, "pfx_password_file"))
        fault(j, "pfx", "yes needs pfx_password_file=");
}

void check_certificate(struct loader *l, struct conf_cert *t, const struct raw_section *r)
{
    struct judged j = {.l = l, .t = t, .r = r, .label = mem_fmt("certificate %s", t->name)};
    const struct section *ca = conf_ca(l->c, t->ca);
    const struct known_type *type = ca ? type_known(l, "ca", ca->type) : NULL;
    bool by_person = type && type->m.by_person;

    if (*t->ca && !ca)
        check_reference(&j, "ca", t->ca, l->c->ca, l->c->n_ca);
    if (t->provider && strcmp(t->provider, "auto") != 0 && !conf_provider(l->c, t->provider))
        check_reference(&j, "provider", t->provider, l->c->provider, l->c->n_provider);
    check_product(&j, by_person);
    if (t->method == METHOD_WEBSITE)
        check_website(&j, by_person, type != NULL);
    if (t->method == METHOD_EMAIL)
        check_email(&j, by_person, type != NULL);
    check_key(&j);
    free(j.label);
}
