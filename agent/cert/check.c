/* check.c: is what the CA issued what was ordered? */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "cert/certs.h"

enum { NAMES_SHOWN = 4 };

/* Names of a that b does not have, as " missing: x, y and 3 more;". */
static void show_difference(struct str *out, const char *word, const struct strs *a, const struct strs *b)
{
    size_t count = 0;
    char shown[2 * NAME_SIZE];
    for (size_t i = 0; i < a->n; i++) {
        if (strs_has(b, a->s[i]) || count++ >= NAMES_SHOWN)
            continue;
        name_show(a->s[i], shown, sizeof shown);
        str_fmt(out, count == 1 ? "%s: %s" : "%.0s, %s", word, shown);
    }
    if (count > NAMES_SHOWN)
        str_fmt(out, " and %zu more", count - NAMES_SHOWN);
    if (count)
        str_add(out, "; ");
}

static bool check_names(const struct cert_facts *f, const struct ordered *o, struct err *e)
{
    if (strs_equal_sets(&f->names, o->names))
        return true;
    struct str s = STR_INIT(300);
    show_difference(&s, "missing", o->names, &f->names);
    show_difference(&s, "not ordered", &f->names, o->names);
    err_set(e, RC_CA, "CERT_NAMES", "the certificate is for other names than ordered: %snot installed; ask the CA", str_text(&s));
    str_free(&s);
    return false;
}

/* Lower case in ASCII, runs of blanks (also the ideographic and the no-break one) as one, none at the ends. */
static char *fold(const char *s)
{
    static const char *const blanks[] = {" ", "\t", "\u3000", "\u00a0"};
    char *out = mem_new(strlen(s) + 2), *to = out;
    bool gap = false;
    while (*s) {
        size_t blank = 0;
        for (size_t i = 0; i < sizeof blanks / sizeof *blanks && !blank; i++)
            if (!strncmp(s, blanks[i], strlen(blanks[i])))
                blank = strlen(blanks[i]);
        if (blank) {
            gap = to > out;
            s += blank;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        *to++ = (char)((unsigned char)*s < 0x80 ? tolower((unsigned char)*s) : *s);
        s++;
    }
    *to = '\0';
    return out;
}

static bool check_organisation(const struct cert_facts *f, const struct ordered *o, struct err *e)
{
    if (!o->organisation || !*o->organisation)
        return true;
    char *is = fold(f->organisation), *should = fold(o->organisation);
    bool same = !strcmp(is, should);
    free(is);
    free(should);
    return same || err_set(e, RC_CA, "CERT_ORGANISATION",
                           "the certificate names the organisation \"%.120s\", expected was \"%.120s\"; not installed", f->organisation,
                           o->organisation);
}

static bool check_time(const struct cert_facts *f, const struct ordered *o, struct err *e)
{
    char when[32];
    if (f->not_after < o->now) {
        time_show(f->not_after, when);
        return err_set(e, RC_CA, "CERT_EXPIRED", "the certificate ended at %s; not installed (is the clock right?)", when);
    }
    if (f->not_before > o->now + DAY) {
        time_show(f->not_before, when);
        return err_set(e, RC_CA, "CERT_NOT_YET", "the certificate is valid from %s only; not installed (is the clock right?)", when);
    }
    if (f->not_after < f->not_before)
        return err_set(e, RC_CA, "CERT_EXPIRED", "the certificate ends before it begins; not installed");
    if (o->longest && f->not_after - f->not_before + 1 > o->longest) {
        long long is = f->not_after - f->not_before + 1, may = o->longest;
        return err_set(e, RC_CA, "CERT_TOO_LONG",
                       "the certificate is valid for %lld days and %lld s, the rules of its day allow %lld days and %lld s: browsers "
                       "refuse it; not installed",
                       is / DAY, is % DAY, may / DAY, may % DAY);
    }
    return true;
}

static bool check_kind(const struct cert_facts *f, struct err *e)
{
    if (f->ca)
        return err_set(e, RC_CA, "CERT_IS_CA", "the certificate for our key is a CA certificate; not installed");
    if (!f->server_auth)
        return err_set(e, RC_CA, "CERT_EKU", "the certificate is not for servers: its extended key usage lacks serverAuth; not installed");
    return true;
}

static bool check_one(const struct issued *i, size_t at, const struct ordered *o, int64_t *begins, struct err *e)
{
    struct cert_facts f;
    if (!issued_facts(i, at, &f, e))
        return false;
    *begins = f.not_before;
    bool ok = check_kind(&f, e) && check_names(&f, o, e) && check_organisation(&f, o, e) && check_time(&f, o, e);
    cert_facts_clear(&f);
    return ok;
}

static bool no_key(const struct issued *i, struct err *e)
{
    struct str s = STR_INIT(200);
    char name[80];
    for (size_t k = 0; k < issued_count(i) && k < NAMES_SHOWN; k++)
        str_fmt(&s, "%s%s", k ? ", " : "", cert_subject(i->x[k], name, sizeof name));
    if (issued_count(i) > NAMES_SHOWN)
        str_fmt(&s, " and %zu more", issued_count(i) - NAMES_SHOWN);
    err_set(e, RC_CA, "CERT_KEY", "no certificate for this order's key is there; certificates handed over: %s",
            issued_count(i) ? str_text(&s) : "none");
    str_free(&s);
    return false;
}

bool issued_check(const struct issued *i, const struct ordered *o, size_t *leaf, struct err *e)
{
    /* A key that is used again has several certificates: the newest that is as ordered counts, else the fault of the newest. */
    struct err worst = {0};
    int64_t newest = 0, newest_good = 0;
    bool any = false, good = false;
    for (size_t k = 0; k < issued_count(i); k++) {
        char spki[65];
        struct err fault = {0};
        int64_t begins = 0;
        if (!cert_spki(i->x[k], spki) || strcmp(spki, o->spki))
            continue;
        bool ok = check_one(i, k, o, &begins, &fault);
        if (ok && (!good || begins > newest_good)) {
            newest_good = begins;
            *leaf = k;
        }
        if (!ok && (!any || begins > newest)) {
            newest = begins;
            worst = fault;
        }
        good = good || ok;
        any = true;
    }
    if (good)
        return true;
    return any ? err_set(e, worst.rc, worst.code, "%s", worst.text) : no_key(i, e);
}
