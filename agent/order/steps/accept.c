/* accept.c: is this the certificate that was ordered, and which chain belongs to it? */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cert/install.h"

/* Not accepted: kept aside for a person, never installed. */
static bool put_aside(struct order *o, const void *p, size_t n, struct err *e)
{
    char path[512];
    struct err second = {0};
    if (e->code && strcmp(e->code, "CERT_PRIVATE_KEY") == 0) /* the one thing that is not kept aside */
        return false;
    if (install_reject(o->run->s->state_dir, o->saved.cert, p, n, path, sizeof path, &second)) {
        size_t at = strlen(e->text);
        snprintf(e->text + at, sizeof e->text - at, "; nothing was installed, the file is kept as %s", path);
    }
    order_evidence(o, "rejected", json_pack("{s:s, s:s}", "code", e->code ? e->code : "", "text", e->text));
    return false;
}

bool order_accept(struct order *o, const void *p, size_t n, struct err *e)
{
    if (!*o->saved.spki)
        return err_set(e, RC_CA, "NO_CSR", "the order of %s has no key yet, so no certificate can belong to it", o->saved.cert);
    struct issued *i = NULL;
    size_t leaf;
    struct strs names = {0};
    strs_split(&names, o->saved.names);
    struct ordered want = {
        .spki = o->saved.spki, .names = &names, .organisation = o->conf ? o->conf->expect_organisation : NULL, .now = clock_now()};
    bool ok = issued_read(&i, p, n, e);
    struct cert_facts f = {0};
    if (ok)
        ok = issued_check(i, &want, &leaf, e);
    if (ok)
        ok = issued_facts(i, leaf, &f, e);
    if (ok && f.not_after - f.not_before > calendar_longest(f.not_before))
        order_log(o, LEVEL_WARNING, "certificate", "CERT_LONG",
                  "the certificate is valid for longer than the rules of its day allow; browsers may refuse it");
    char *pem = ok ? issued_pem(i, leaf) : NULL;
    free((void *)(uintptr_t)o->saved.certificate.p);
    o->saved.certificate = (struct bytes){(const uint8_t *)pem, pem ? strlen(pem) : 0};
    if (ok) {
        char end[32];
        day_show(f.not_after, end);
        order_log(o, LEVEL_NOTICE, "certificate", NULL, "serial %s for %s accepted, valid until %s", f.serial, o->saved.names, end);
        order_evidence(
            o, "certificate",
            json_pack("{s:s, s:s, s:o}", "serial", f.serial, "fingerprint_sha256", f.fingerprint, "not_after", json_time(f.not_after)));
    } else {
        put_aside(o, p, n, e);
    }
    order_save(o);
    issued_free(o->issued);
    o->issued = ok && leaf == 0 ? i : NULL;
    if (!o->issued)
        issued_free(i);
    cert_facts_clear(&f);
    strs_free(&names);
    return ok;
}

const struct issued *order_issued(struct order *o, struct err *e)
{
    if (!o->issued)
        issued_read(&o->issued, o->saved.certificate.p, o->saved.certificate.n, e);
    return o->issued;
}

bool order_chain(struct order *o, const char *more_pem, struct err *e)
{
    const struct ca_rules *rules = order_rules(o);
    struct issued *with_more = NULL;
    struct strs names = {0};
    strs_split(&names, o->saved.names);
    struct chain_in in = {.leaf = 0,
                          .files = rules ? rules->chain_files : NULL,
                          .ca_file = rules ? rules->ca_file : NULL,
                          .trust_given = rules && rules->chain_given,
                          .form = o->conf ? (enum chain_form)o->conf->chain : CHAIN_FULL,
                          .host = names.n ? names.s[0] : NULL,
                          .known = rules && rules->chain_given ? NULL : run_known(o->run),
                          .now = clock_now()};
    in.given = order_issued(o, e);
    if (in.given && *more_pem && issued_read(&with_more, o->saved.certificate.p, o->saved.certificate.n, NULL)) {
        issued_read(&with_more, more_pem, strlen(more_pem), NULL); /* too many: what there is must do */
        in.given = with_more;
    }
    bool ok = in.given && chain_build(&in, &o->chain, e);
    strs_free(&names);
    issued_free(with_more);
    return ok;
}
