/* authority.c: the sets at a server: a question an owner, pipelined on the one connection.
 *
 * A CNAME in the answer may be a wildcard's, which stands elsewhere and hinders nobody: then a name below the owner has it too. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/names.h"
#include "net/update.h"
#include "providers/authority.h"

enum { QUESTIONS = 50 }; /* under way at once */

struct question {
    struct exchange x;
    struct reading *r;
    struct rrset *set;
    struct update u;
    bool again;       /* asked a second time */
    char target[254]; /* of a CNAME in the owner's answer */
    char *below;      /* asked for next: a name below the owner, which nobody has */
};

struct reading {
    struct authority from;
    struct lookup *l;
    struct question *q;
    size_t next, answered, open;
};

static void reading_free(struct reading *r)
{
    r->l->impl = NULL;
    for (size_t i = 0; i < r->next; i++) {
        op_cancel(&r->q[i].x.op);
        update_free(&r->q[i].u);
        free(r->q[i].below);
    }
    free(r->q);
    free(r);
}

static void read_detach(struct op *op)
{
    struct lookup *l = (struct lookup *)op;
    reading_free(l->impl);
}

/* A partial read is an error: nothing of it is given out. */
static void read_end(struct reading *r, const struct err *e)
{
    struct lookup *l = r->l;
    for (size_t i = 0; e && i < l->n; i++)
        rrset_clear(&l->set[i]);
    reading_free(r);
    op_settle(&l->op, e);
}

static void question_done(struct op *op, const struct err *e);

static bool ask(struct question *q, struct err *e)
{
    struct reading *r = q->r;
    update_free(&q->u);
    update_question(&q->u, q->below ? q->below : q->set->owner, TYPE_TXT);
    if (!update_seal(&q->u, stream_id(r->from.stream), r->from.key, clock_now(), e))
        return false;
    q->x = (struct exchange){.out = {q->u.w.p, q->u.w.n}};
    q->x.op.done = question_done;
    q->x.op.owner = q;
    r->open++;
    stream_send(r->from.stream, &q->x);
    return true;
}

/* target: "" of a DNAME's, which no wildcard makes. */
static bool has_cname(const struct dns_reply *a, const char *owner, char target[254])
{
    bool found = false;
    *target = 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct dns_rr *rr = &a->rr[i];
        if (rr->section == SECTION_ANSWER && rr->type == TYPE_DNAME) {
            *target = 0;
            return true;
        }
        if (rr->section != SECTION_ANSWER || rr->type != TYPE_CNAME || strcmp(rr->owner, owner) != 0)
            continue;
        found = true;
        if (!dns_name_rdata(rr->rdata, target))
            *target = 0;
    }
    return found;
}

static void take_values(struct question *q, const struct dns_reply *a)
{
    struct rrset *set = q->set;
    set->cname = has_cname(a, set->owner, q->target);
    for (size_t i = 0; i < a->n; i++) {
        const struct dns_rr *rr = &a->rr[i];
        if (rr->section != SECTION_ANSWER || rr->type != TYPE_TXT || strcmp(rr->owner, set->owner) != 0)
            continue;
        uint8_t *value = mem_new(rr->rdata.n + 1);
        size_t n;
        if (dns_txt_value(rr->rdata, value, rr->rdata.n + 1, &n)) {
            rrset_add(set, value, n);
            set->ttl = rr->ttl;
        }
        free(value);
    }
}

static void take_below(struct question *q, const struct dns_reply *a)
{
    char target[254];
    if (has_cname(a, q->below, target) && *target && strcmp(target, q->target) == 0)
        q->set->cname = false;
}

static bool asks_below(struct question *q)
{
    if (!q->set->cname || !*q->target || q->below)
        return false;
    q->below = mem_fmt("dcv-%08x.%s", (unsigned)(clock_now() * 2654435761u), q->set->owner);
    q->again = false;
    return strlen(q->below) < NAME_SIZE;
}

/* An answer that is proven, as far as that was asked for: does it come from the authority? */
static bool judge_reply(const struct reading *r, struct question *q, struct bytes in, struct err *e)
{
    struct dns_reply reply;
    void *hold;
    if (!dns_parse(in.p, in.n, &reply, &hold, e))
        return err_at(e, "%s", r->from.server);
    const char *owner = q->set->owner;
    if (reply.rcode != DNS_NOERROR && reply.rcode != DNS_NXDOMAIN) {
        err_set(e, RC_NET, "READ_FAILED", "%s answers %s to the question for TXT at %s; the set there is unknown, nothing is written",
                r->from.server, dns_rcode_word(reply.rcode), owner);
        err_again(e, 0);
    } else if (!reply.aa) {
        err_set(e, RC_NET, "READ_NOT_AUTHORITATIVE",
                "%s is not authoritative for %s (zone %s of the provider): it answers without AA; set server= to the zone's primary, or "
                "zones= to the "
                "zone that %s lies in (is it delegated away?)",
                r->from.server, owner, r->l->zone, owner);
    } else if (reply.tc) {
        err_set(e, RC_NET, "READ_FAILED", "%s cut its answer for TXT at %s although it came by TCP: the set is too large", r->from.server,
                owner);
    } else if (q->below) {
        take_below(q, &reply);
    } else {
        take_values(q, &reply);
    }
    free(hold);
    return e->rc == RC_OK || err_at(e, "%s", owner);
}

static bool judge_question(const struct reading *r, struct question *q, struct err *e)
{
    struct update_answer a;
    bool proven = update_question_judge(q->x.in, &q->u, r->from.key, clock_now(), &a);
    if (a.fits && a.rcode == DNS_REFUSED) {
        err_set(e, RC_NET, "READ_REFUSED",
                "%s refuses to answer for TXT at %s (REFUSED): allow queries from this machine there%s; check server= and zones=",
                r->from.server, q->set->owner, r->from.key ? " with this key" : r->from.refused);
        return err_at(e, "%s", q->set->owner);
    }
    if (proven)
        return judge_reply(r, q, q->x.in, e);
    struct update_about about = {
        .server = r->from.server, .zone = r->l->zone, .owner = q->set->owner, .key = r->from.key, .type = TYPE_TXT, .question = true};
    update_err(&a, &about, e);
    e->rc = RC_NET;
    return false;
}

static bool ask_more(struct reading *r, struct err *e)
{
    while (r->open < QUESTIONS && r->next < r->l->n) {
        struct question *q = &r->q[r->next];
        *q = (struct question){.r = r, .set = &r->l->set[r->next]};
        r->next++;
        if (!ask(q, e))
            return false;
    }
    return true;
}

static void question_done(struct op *op, const struct err *e)
{
    struct question *q = op->owner;
    struct reading *r = q->r;
    struct err fault = {0};
    bool good;
    r->open--;
    if (e && !q->again && strcmp(e->code, "STREAM_UNSURE") == 0) { /* closed under a question: it is asked again (RFC 7766 6.2.4) */
        q->again = true;
        good = ask(q, &fault);
    } else if (e) {
        fault = *e;
        good = false;
    } else {
        good = judge_question(r, q, &fault);
        if (good && asks_below(q))
            good = ask(q, &fault);
        else
            r->answered += good;
    }
    good = good && ask_more(r, &fault);
    if (!good)
        read_end(r, &fault);
    else if (r->answered == r->l->n)
        read_end(r, NULL);
}

void authority_read(const struct authority *a, struct lookup *l)
{
    struct reading *r = mem_new(sizeof *r);
    struct err e = {0};
    *r = (struct reading){.from = *a, .l = l, .q = mem_array(l->n ? l->n : 1, sizeof *r->q)};
    l->impl = r;
    op_start(&l->op, read_detach);
    for (size_t i = 0; i < l->n; i++)
        rrset_clear(&l->set[i]);
    if (!ask_more(r, &e))
        read_end(r, &e);
    else if (l->n == 0)
        read_end(r, NULL);
}
