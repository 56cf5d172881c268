/* update.c: see update.h; the texts are in update_err.c. */
#include <string.h>

#include "net/update.h"

enum { FLAGS_UPDATE = 5 << 11, OPCODE_UPDATE = 5, OPCODE_QUERY = 0, TXT_STRING = 255, REPLY_MAX = 16384, COUNT_MAX = 0xffff };
enum { AT_QD = 4, AT_PREREQUISITES = 6, AT_UPDATES = 8, TYPE_NSEC = 47, TYPE_ANY = 255 };

static void header(struct update *u, unsigned flags, const char *name, unsigned type)
{
    *u = (struct update){.w = WIRE_INIT(WIRE_MESSAGE_MAX)};
    wire_u16(&u->w, 0);
    wire_u16(&u->w, flags);
    wire_u16(&u->w, 1);
    wire_u16(&u->w, 0);
    wire_u32(&u->w, 0);
    wire_name(&u->w, name);
    wire_u16(&u->w, type);
    wire_u16(&u->w, CLASS_IN);
}

void update_begin(struct update *u, const char *zone)
{
    header(u, FLAGS_UPDATE, zone, TYPE_SOA);
}

void update_question(struct update *u, const char *name, uint16_t type)
{
    header(u, 0, name, type);
}

void update_never(struct update *u, const char *zone)
{
    wire_name(&u->w, zone);
    wire_u16(&u->w, TYPE_ANY);
    wire_u16(&u->w, CLASS_NONE);
    wire_u32(&u->w, 0);
    wire_u16(&u->w, 0);
    wire_set16(&u->w, AT_PREREQUISITES, 1);
    u->never = true;
}

static void rdata(struct wire *w, const struct record *rec)
{
    size_t length = w->n;
    wire_u16(w, 0);
    if (rec->type == TYPE_CNAME) {
        char target[1024];
        if (rec->value.n >= sizeof target || memchr(rec->value.p, 0, rec->value.n)) {
            w->bad = true;
            return;
        }
        memcpy(target, rec->value.p, rec->value.n);
        target[rec->value.n] = '\0';
        wire_name(w, target);
    } else {
        size_t at = 0;
        do { /* an empty value is one empty string */
            size_t n = rec->value.n - at < TXT_STRING ? rec->value.n - at : TXT_STRING;
            wire_u8(w, (unsigned)n);
            wire_put(w, rec->value.p + at, n);
            at += n;
        } while (at < rec->value.n);
    }
    if (!w->bad)
        wire_set16(w, length, (unsigned)(w->n - length - 2));
}

bool update_change(struct update *u, bool add, const struct record *rec)
{
    struct wire *w = &u->w;
    size_t before = w->n;
    if (w->bad || u->count == COUNT_MAX)
        return false;
    wire_name(w, rec->owner);
    wire_u16(w, rec->type);
    wire_u16(w, add ? CLASS_IN : CLASS_NONE);
    wire_u32(w, add ? rec->ttl : 0);
    rdata(w, rec);
    if (w->bad || w->n > UPDATE_MAX) {
        w->bad = false;
        w->n = before;
        return false;
    }
    u->count++;
    return true;
}

bool update_ungranted(struct update *u, const char *owner)
{
    static const uint8_t types[] = {0, 3, 0, 0, 0x80}; /* TXT */
    struct wire *w = &u->w;
    size_t length;
    wire_name(w, owner);
    wire_u16(w, TYPE_NSEC);
    wire_u16(w, CLASS_IN);
    wire_u32(w, 60);
    length = w->n;
    wire_u16(w, 0);
    wire_name(w, owner);
    wire_put(w, types, sizeof types);
    if (w->bad)
        return false;
    wire_set16(w, length, (unsigned)(w->n - length - 2));
    u->count++;
    return true;
}

bool update_seal(struct update *u, uint16_t id, const struct tsig_key *key, int64_t now, struct err *e)
{
    if (u->w.bad)
        return err_set(e, RC_BUG, "UPDATE", "a message to the name server could not be built: a name in it is malformed");
    wire_set16(&u->w, 0, id);
    wire_set16(&u->w, AT_UPDATES, u->count);
    u->sent = (struct tsig_sent){.id = id};
    return !key || tsig_sign(&u->w, key, now, &u->sent, e);
}

void update_free(struct update *u)
{
    wire_free(&u->w);
}

/* Header of an answer to what was sent. */
static bool fits(struct bytes reply, const struct update *u, unsigned opcode)
{
    return reply.n >= WIRE_HEADER && wire_at16(reply.p) == u->sent.id && (reply.p[2] & 0x80) && (reply.p[2] >> 3 & 15) == opcode;
}

static enum update_says judge_rcode(unsigned rcode, bool never)
{
    switch (rcode) {
    case DNS_NOERROR:
        return SAYS_DONE;
    case DNS_YXDOMAIN:
        return never ? SAYS_DONE : SAYS_NO;
    case DNS_REFUSED:
        return SAYS_SPLIT;
    case DNS_SERVFAIL:
        return SAYS_AGAIN;
    default:
        return SAYS_NO;
    }
}

enum update_says update_judge(struct bytes reply, const struct update *u, const struct tsig_key *key, int64_t now, struct update_answer *a)
{
    *a = (struct update_answer){.fits = fits(reply, u, OPCODE_UPDATE) && reply.n <= REPLY_MAX};
    if (!a->fits)
        return SAYS_UNKNOWN;
    a->rcode = reply.p[3] & 15;
    if (!key) /* a server that knows no key decides by address: for all names alike */
        return a->rcode == DNS_REFUSED ? SAYS_NO : judge_rcode(a->rcode, u->never);
    a->tsig = tsig_verify(reply.p, reply.n, &u->sent, key, now);
    switch (a->tsig.result) {
    case TSIG_OK:
        return judge_rcode(a->rcode, u->never);
    case TSIG_BADKEY:
        return a->rcode == DNS_NOTAUTH ? SAYS_KEY : SAYS_UNKNOWN;
    case TSIG_UNSIGNED:
    case TSIG_BADSIG_SAID:
    case TSIG_BADTRUNC:
    case TSIG_ERROR:
        return a->rcode == DNS_NOERROR ? SAYS_UNKNOWN : SAYS_NO;
    case TSIG_BADTIME: /* said with NOTAUTH: nothing was done; found by ourselves: who knows */
        return a->rcode == DNS_NOTAUTH ? SAYS_NO : SAYS_UNKNOWN;
    default:
        return SAYS_UNKNOWN;
    }
}

/* The question comes back as it was sent; letters may change their case. */
static bool same_question(struct bytes reply, const struct update *u)
{
    struct wire_in theirs = {.p = reply.p, .n = reply.n, .at = WIRE_HEADER}, ours = {.p = u->w.p, .n = u->w.n, .at = WIRE_HEADER};
    uint8_t a[WIRE_NAME_MAX], b[WIRE_NAME_MAX];
    size_t n = wire_in_name(&theirs, a);
    return wire_at16(reply.p + AT_QD) == 1 && n && n == wire_in_name(&ours, b) && memcmp(a, b, n) == 0 &&
           wire_in_u32(&theirs) == wire_in_u32(&ours) && !theirs.bad;
}

bool update_question_judge(struct bytes reply, const struct update *u, const struct tsig_key *key, int64_t now, struct update_answer *a)
{
    *a = (struct update_answer){.fits = fits(reply, u, OPCODE_QUERY)};
    if (!a->fits)
        return false;
    a->rcode = reply.p[3] & 15;
    if (key) {
        a->tsig = tsig_verify(reply.p, reply.n, &u->sent, key, now);
        if (a->tsig.result != TSIG_OK)
            return false;
    }
    a->fits = same_question(reply, u) || a->rcode == DNS_FORMERR; /* an error of form may come without the question */
    return a->fits;
}
