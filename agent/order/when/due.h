/* due.h: a certificate section against what is in use: the input of the calendar. */
#ifndef DCV_ORDER_DUE_H
#define DCV_ORDER_DUE_H

#include "order/when/calendar.h"
#include "order/session.h"

struct ca;
struct ca_ops;
struct ca_rules;
struct conf_cert;
struct saved_cert;
struct saved_order;
struct section;
struct strs;

/* rules NULL (the CA section is faulty): judged like a by-person CA. */
void due_in(const struct conf_cert *c, const struct saved_cert *row, const struct ca_rules *rules, bool forced, struct calendar_in *in);

/* What is kept of the CA's renewal information (saved_cert.ari, written by renewals.c). All 0: nothing. */
struct due_renewal {
    int64_t from, to; /* the CA's window */
    int64_t at;       /* the moment in it that was chosen */
    int64_t ask;      /* the CA is not asked again before */
    bool named;       /* a renewal can name what it replaces */
};
void due_renewal(const char *ari, struct due_renewal *out);

bool due_other_names(const char *was, const struct strs *now);                     /* was: as saved, blanks between; "": never other */
const char *due_key_word(const struct conf_cert *c, const struct ca_rules *rules); /* key type as saved: "rsa2048", "csr" */

/* An order begun for its CSR alone, before anything was due: until then it orders nothing. */
bool due_sleeps(const struct saved_order *o);

#endif
