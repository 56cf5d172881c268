/* pin.h: the PIN of a portal order: kept until the certificate is there, and never tried twice.
 *
 *   keys/NAME.pin     0600: reference number and PIN as `pin` handed them over; wiped once the certificate is installed (pin = new-each-time)
 *   keys/pins.tried   0600: what became of each pair of reference number and PIN that was tried, by fingerprints that cannot be turned back
 *
 * A portal locks a PIN after some wrong tries. So a login with a pair that has not proven good is noted on the disk before it is sent: PIN_SENT. If
 * its answer is lost it stays so, and a person decides (`pin` again, run --force). A refused one is never sent again. The pair is what the portal
 * counts: it is known again whatever the certificate or the CA is called in the configuration by now. All blocks. */
#ifndef DCV_CA_PORTAL_PIN_H
#define DCV_CA_PORTAL_PIN_H

#include "base/secret.h"
#include "cert/slow_hash.h"

enum { PIN_DIGITS = 16, REFERENCE_DIGITS = 9 };

enum pin_fate {
    PIN_NEW,     /* never tried */
    PIN_SENT,    /* sent, and no answer to it was understood */
    PIN_REFUSED,
    PIN_PROVEN   /* good: it may be used again */
};

/* 16 digits, blanks between them dropped. Else false: RC_CONF, PIN_DIGITS. */
bool pin_digits(const struct secret *typed, struct secret *pin, struct err *e);

bool pin_keep(const char *state_dir, const char *cert, const char *reference, const struct secret *pin, struct err *e);
/* None kept: reference "" and pin empty. RC_STATE, PIN_FILE: the file is not as it was written. */
bool pin_kept(const char *state_dir, const char *cert, char reference[REFERENCE_DIGITS + 1], struct secret *pin, struct err *e);
bool pin_wipe(const char *state_dir, const char *cert, struct err *e); /* none there is fine */

/* A pair of reference number and PIN, and what is known of it. */
struct pin_pair {
    uint8_t salt[SALT_SIZE];
    char hash[65];
    enum pin_fate fate;
    int64_t at; /* since when; 0: PIN_NEW */
};
/* Makes the memory where there is none yet: pairs that are looked up side by side have one salt. */
bool pin_find(const char *state_dir, const char *reference, const struct secret *pin, struct pin_pair *out, struct err *e);
bool pin_note(const char *state_dir, struct pin_pair *pair, enum pin_fate fate, int64_t at, struct err *e); /* on the disk when it returns */

/* A person handed PINs over at `said`: one that was PIN_SENT before may be tried once more, unless its answer may still have been on its way then, or a
 * login has had that hand-over already (used: the last one that any had; whatever the clock does, one is good for no more than one try). */
bool pin_forgiven(const struct pin_pair *pair, int64_t said, int64_t used);

#endif
