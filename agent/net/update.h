/* update.h: UPDATE messages (RFC 2136) and signed questions: built, sealed, and their answers judged. Pure functions over octets.
 *
 *     struct update u; update_begin(&u, zone); update_change(...)...; update_seal(&u, id, key, now, e); send u.w; update_judge(...)
 *
 * One rule for splitting TXT values into strings: 255, 255, rest. A delete names the exact RDATA, so only this rule finds our own again. */
#ifndef DCV_NET_UPDATE_H
#define DCV_NET_UPDATE_H

#include "base/record.h"
#include "net/dnsx.h"
#include "net/tsig.h"

enum { UPDATE_MAX = 60000 }; /* octets before the signature; more goes into further messages */

struct update {
    struct wire w;         /* the message */
    unsigned count;        /* changes in it */
    bool never;            /* with update_never() */
    struct tsig_sent sent; /* after update_seal() */
};

void update_begin(struct update *u, const char *zone);

/* Adds rec (class IN, its TTL) or deletes exactly it (class NONE); TXT and CNAME. false: it does not fit any more (u is as before);
 * in an empty message: it never will. */
bool update_change(struct update *u, bool add, const struct record *rec);

/* Right after update_begin(): a prerequisite that cannot be met (the apex is not in use, RFC 2136 2.4.5). Nothing of the message is carried out; YXDOMAIN
 * is the answer to what would have been, and SAYS_DONE of update_judge(). */
void update_never(struct update *u, const char *zone);

/* With update_never() alone: a change (an NSEC record) that nobody lets a key make which is there for names. false: as update_change(). */
bool update_ungranted(struct update *u, const char *owner);

/* Instead of begin and change: a question, RD=0. */
void update_question(struct update *u, const char *name, uint16_t type);

/* The id, and the signature; key NULL: unsigned. */
bool update_seal(struct update *u, uint16_t id, const struct tsig_key *key, int64_t now, struct err *e);
void update_free(struct update *u);

enum update_says {
    SAYS_DONE,   /* carried out: it is known */
    SAYS_SPLIT,  /* signed REFUSED: some of it is not permitted, nothing was done */
    SAYS_AGAIN,  /* SERVFAIL, nothing was done; worth one repetition, then a split */
    SAYS_KEY,    /* NOTAUTH with BADKEY: the key is unknown, or (knotd) some of it is not permitted */
    SAYS_NO,     /* an error for all of it, nothing was done */
    SAYS_UNKNOWN /* an answer that proves nothing: read back */
};

struct update_answer {
    uint8_t rcode;
    bool fits;                /* it is an answer to what was sent: id, QR, opcode, question */
    struct tsig_verdict tsig; /* with a key only */
};

/* The answer to a sealed UPDATE. key NULL: it was not signed, and its server decides by address: any answer that fits is taken. */
enum update_says update_judge(struct bytes reply, const struct update *u, const struct tsig_key *key, int64_t now, struct update_answer *a);

/* The answer to a sealed question: true: it fits and, with a key, is proven; its rcode is the caller's to judge. */
bool update_question_judge(struct bytes reply, const struct update *u, const struct tsig_key *key, int64_t now, struct update_answer *a);

struct update_about {
    const char *server, *zone, *owner; /* owner: "" where the fault is not one name's */
    const struct tsig_key *key;        /* NULL: none */
    uint16_t type;
    bool add;
    bool question; /* it was asked, not told to change something */
};

/* An answer that was no success as an error for an administrator: RC_WRITE, codes UPDATE_REFUSED UPDATE_NOTAUTH UPDATE_NOTZONE
 * UPDATE_SERVFAIL UPDATE_FAILED UPDATE_MALFORMED TSIG_BADKEY TSIG_BADSIG TSIG_BADTIME TSIG_BADTRUNC TSIG_UNSIGNED TSIG_FOREIGN TSIG_MALFORMED. */
void update_err(const struct update_answer *a, const struct update_about *about, struct err *e);

#endif
