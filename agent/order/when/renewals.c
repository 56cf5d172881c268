/* renewals.c: what CAs say about when their certificates should be replaced (ACME Renewal Information, RFC 9773): asked when they want to be asked,
 * kept across runs, one random moment a window. Kept as JSON in the certificate's row: {"id","from","to","at","ask"}. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

enum { PEM_MAX = 65536, ASK_LEAST = HOUR, ASK_MOST = DAY, ASK_USUALLY = 6 * HOUR };

static json_t *load(const struct cert_work *w)
{
    json_t *j = *w->row->c.ari ? json_loads(w->row->c.ari, 0, NULL) : NULL;
    if (!json_is_object(j)) {
        json_decref(j);
        j = json_object();
    }
    return j;
}

/* A moment in the window, any of them as likely as any other; a window in the past: now. */
static int64_t moment(int64_t from, int64_t to, int64_t now)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = 0;
    int64_t at = from + (int64_t)(random % (uint64_t)(to - from));
    return at < now ? now : at;
}

static void answered(struct op *op, const struct err *e)
{
    struct cert_work *w = op->owner;
    const struct ca_renewal *a = &w->renewal;
    int64_t now = clock_now(), again = a->ask_again ? a->ask_again - now : ASK_USUALLY;
    json_t *j = load(w);
    again = again < ASK_LEAST ? ASK_LEAST : again > ASK_MOST ? ASK_MOST : again;
    json_object_set_new(j, "ask", json_integer(now + again));
    if (e) {
        say(LEVEL_INFO, &(struct about){.cert = w->name, .step = "renewal"}, e->code, "%s", e->text);
    } else if (a->from && a->to > a->from) {
        bool same = json_num(j, "from") == a->from && json_num(j, "to") == a->to;
        if (!same)
            json_object_set_new(j, "at", json_integer(moment(a->from, a->to, now)));
        if (!same && *a->explanation)
            say(LEVEL_NOTICE, &(struct about){.cert = w->name, .step = "renewal"}, NULL, "the CA explains its renewal window: %s",
                a->explanation);
        json_object_set_new(j, "from", json_integer(a->from));
        json_object_set_new(j, "to", json_integer(a->to));
        json_object_set_new(j, "id", json_string(a->id));
    }
    char *line = json_line(j);
    cert_row_set(w->row, &w->row->c.ari, line);
    free(line);
    w->dirty = true;
    w->renewal_at = RENEWAL_KNOWN;
}

static bool ask_due(const struct cert_work *w)
{
    json_t *j = load(w);
    int64_t now = clock_now(), ask = json_num(j, "ask");
    json_decref(j);
    return now >= ask || ask > now + ASK_MOST; /* noted by a clock that was ahead */
}

bool renewal_ask(struct run *r, struct cert_work *w)
{
    const struct ca_open *at = cas_find(r->cas, w->conf ? w->conf->ca : NULL);
    char *path = mem_fmt("%s/live/%s/cert.pem", r->s->state_dir, w->name);
    size_t n;
    bool ask = at && at->ops->renewal && w->row->c.not_after && !w->conf->broken && !r->setup.hand_only && ask_due(w) &&
               fs_read(path, PEM_MAX, &w->renewal_pem, &n, NULL);
    free(path);
    if (!ask)
        return false;
    w->renewal_at = RENEWAL_ASKED;
    w->renewal = (struct ca_renewal){.op = {.done = answered, .owner = w}, .certificate = w->renewal_pem};
    at->ops->renewal(at->ca, &w->renewal);
    return true;
}

void renewals_pump(struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++)
        if (r->cert[i]->renewal_at == RENEWAL_KNOWN) {
            free(r->cert[i]->renewal_pem);
            r->cert[i]->renewal_pem = NULL;
            r->cert[i]->renewal_at = RENEWAL_NOT;
            run_start_due(r, r->cert[i]);
        }
}

bool renewals_busy(const struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++)
        if (r->cert[i]->renewal_at != RENEWAL_NOT)
            return true;
    return false;
}

void renewal_replaces(const struct cert_work *w, struct order *o)
{
    json_t *j = load(w);
    if (*json_str(j, "id")) {
        free(o->saved.handle);
        o->saved.handle = json_line(json_pack("{s:s}", "replaces", json_str(j, "id")));
    }
    json_decref(j);
}
