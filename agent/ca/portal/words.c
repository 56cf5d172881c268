/* words.c: what a person is told about a page: what would be pressed, how to go on without us, and where a copy of it lies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "ca/portal/portal_impl.h"

static void where(const struct walk *w, struct str *out)
{
    char safe[200];
    const char *at = w->page ? page_url(w->page) : "";
    text_safe(safe, sizeof safe, at, url_bare(at));
    str_fmt(out, "page \"%s\" at %s", w->reading.page ? guide_page_name(w->reading.page) : "not recognised", safe);
}

void told_plan(const struct walk *w, struct str *out)
{
    where(w, out);
    for (size_t i = 0; i < w->act.told.n; i++)
        str_fmt(out, "\n  %s", w->act.told.s[i]);
    if (*w->act.button)
        str_fmt(out, "\n  button: %s", w->act.button);
}

void told_by_hand(const struct walk *w, struct str *out)
{
    const char *name = w->k->o->cert;
    switch (w->goal) {
    case GOAL_CODE:
        str_fmt(out,
                by_mail(w->k) ? "choose the e-mail method, have the code sent, then dcvagent code %s 'CODE'"
                : by_file(w->k)
                    ? "choose the website method, download fileauth.txt, then dcvagent code %s - < fileauth.txt (do not press confirm yet)"
                    : "choose the DNS method, copy the code, then dcvagent code %s 'CODE' (do not press confirm yet)",
                name);
        break;
    case GOAL_CONFIRM:
    case GOAL_LOOK:
        str_fmt(out, "press the confirm button, then dcvagent confirmed %s; if it said no: dcvagent confirmed %s --failed 'WHAT IT SAID'",
                name, name);
        break;
    case GOAL_CSR:
        str_fmt(out, "paste the CSR (dcvagent csr %s), submit it once, then dcvagent submitted %s", name, name);
        break;
    default:
        str_fmt(out, "download the certificate, then dcvagent import %s FILE", name);
    }
}

void ask_set(struct ca_case *k, struct str *text)
{
    snprintf(k->ask, sizeof k->ask, "%s", str_text(text));
    str_free(text);
}

char *page_copy(const struct walk *w, struct err *e)
{
    char day[32], digits[PIN_DIGITS + PIN_DIGITS / 4];
    day_show(clock_now(), day); /* one a day: a portal that is visited all the time does not fill the disk */
    size_t n_secret = 0, n;
    struct bytes secret[3];
    if (w->pin.n == PIN_DIGITS) { /* as typed, and in groups of four as printed */
        snprintf(digits, sizeof digits, "%.4s %.4s %.4s %.4s", w->pin.p, w->pin.p + 4, w->pin.p + 8, w->pin.p + 12);
        secret[n_secret++] = (struct bytes){w->pin.p, w->pin.n};
        secret[n_secret++] = (struct bytes){(const uint8_t *)digits, strlen(digits)};
    }
    if (w->mailed_code && *w->mailed_code)
        secret[n_secret++] = (struct bytes){(const uint8_t *)w->mailed_code, strlen(w->mailed_code)};
    char *text = page_masked(w->page, secret, n_secret, &n);
    explicit_bzero(digits, sizeof digits);
    char *folder = mem_fmt("%s/pages", store_dir(w->c->store)), *path = mem_fmt("%s/%s-%s.html", folder, w->k->o->cert, day);
    bool ok = fs_folder(folder, 0700, e) && fs_replace(path, text, n, 0600, e);
    free(text);
    free(folder);
    if (ok)
        return path;
    free(path);
    return NULL;
}
