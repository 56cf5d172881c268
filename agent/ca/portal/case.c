/* case.c: where a portal's order stands, from its handle alone. */
#include <string.h>

#include "base/clock.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"

bool by_mail(const struct ca_case *k)
{
    return k->conf && k->conf->method == METHOD_EMAIL;
}

bool by_file(const struct ca_case *k)
{
    return k->conf && k->conf->method == METHOD_WEBSITE;
}

void case_stand(struct ca *c, struct ca_case *k, json_t *h)
{
    bool expired = false, all = handover_proofs(h, k, c->rules.lifetime, clock_now(), &expired);
    bool proven = json_num(h, "confirmed") || json_num(h, "submitted");
    for (size_t i = 0; i < k->n_proof; i++)
        k->proof[i].valid = by_mail(k);
    k->stage = k->o->certificate.n        ? CA_ISSUED
               : json_num(h, "submitted") ? CA_ISSUING
               : json_num(h, "confirmed") ? CA_CSR
               : all                      ? CA_PROOF
                                          : CA_NONE;
    k->o->deadline = proven ? 0 : handover_deadline(k);
}

/* What a person says ends what we were not sure of; "confirmed" that a CSR did not arrive, if that was the question: else it speaks of the proof, and
 * the CSR may be on its way. */
static void sure_again(struct ca_case *k, const char *kind)
{
    json_t *h = handover_load(k->o);
    bool asked = json_object_get(h, "asked") != NULL;
    json_object_del(h, "checking");
    json_object_del(h, "asked");
    if ((asked && strcmp(kind, "confirmed") == 0) || strcmp(kind, "submitted") == 0)
        json_object_del(h, "sent");
    handover_save(k->o, h);
}

bool case_hand(struct ca *c, struct ca_case *k, const struct inbox_row *row, struct err *e)
{
    (void)c;
    if (!handover_take(k, row, e))
        return false;
    sure_again(k, row->kind);
    return true;
}
