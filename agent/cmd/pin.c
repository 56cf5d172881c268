/* pin: the reference number of the PIN envelope, and for a portal the PIN in it. */
#include "cmd/cmd.h"

#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "ca/ca.h"
#include "ca/portal/pin.h"
#include "cmd/hand.h"
#include "conf/conf.h"
#include "order/session.h"

enum { TYPED_MAX = 64 };

static bool not_refused(const char *state_dir, const char *reference, const struct secret *pin, struct err *e)
{
    struct pin_pair pair;
    return pin_find(state_dir, reference, pin, &pair, e) &&
           (pair.fate != PIN_REFUSED ||
            err_set(e, RC_USAGE, "PIN_REFUSED",
                    "the portal has refused this PIN with this reference number; it is not kept and not tried again"));
}

/* Neither a word of the command line nor a row of the store: it goes from the terminal into a file of its own. */
static bool keep_pin(struct session *s, struct hand *h, struct err *e)
{
    const struct conf_cert *cert = conf_cert(s->conf, h->cert);
    const struct section *ca = cert ? conf_ca(s->conf, cert->ca) : NULL;
    const struct ca_ops *ops = ca ? ca_type(ca->type) : NULL;
    const char *reference = (const char *)h->text.p;
    struct secret typed = {0}, pin = {0};
    if (!ops || !ops->by_pin)
        return true;
    bool ok = secret_ask(&typed, "PIN (16 digits, not shown): ", TYPED_MAX, e) && pin_digits(&typed, &pin, e) &&
              not_refused(s->state_dir, reference, &pin, e) && pin_keep(s->state_dir, h->cert, reference, &pin, e);
    secret_free(&typed);
    secret_free(&pin);
    h->done =
        "reference number and PIN are noted, the order can start; the PIN is wiped once the certificate is installed (pin = same keeps it)";
    return ok;
}

static enum rc bad_reference(const char *text)
{
    say(LEVEL_ERROR, &(struct about){.step = "pin"}, "USAGE", "%s", text);
    return RC_USAGE;
}

enum rc cmd_pin(struct call *c)
{
    const char *reference = call_flag(c, "reference");
    char digits[REFERENCE_DIGITS + 1] = "";
    size_t n = 0;
    if (!reference)
        return bad_reference("pin wants --reference N, the reference number on the envelope");
    for (const char *p = reference; *p; p++) {
        if (*p == ' ')
            continue;
        if (*p < '0' || *p > '9' || n >= REFERENCE_DIGITS)
            return bad_reference("the reference number has 9 digits");
        digits[n++] = *p;
    }
    if (n != REFERENCE_DIGITS)
        return bad_reference("the reference number has 9 digits");
    struct hand h = {.cert = c->args.s[0],
                     .kind = "pin",
                     .text = {(const uint8_t *)digits, n},
                     .done = "the reference number is noted, the order can start; a manual CA needs no PIN, so none is kept",
                     .before = keep_pin};
    return hand_over(c, &h);
}
