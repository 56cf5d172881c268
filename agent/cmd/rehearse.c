/* rehearse: a probe record in each zone, written, seen and deleted for real; no CA. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "cmd/live.h"
#include "cmd/views.h"
#include "conf/conf.h"
#include "net/net.h"
#include "order/evidence.h"
#include "order/ask/rehearse.h"

static json_t *ms_json(int64_t ms)
{
    return ms < 0 ? json_null() : json_integer(ms);
}

static json_t *rehearsal_json(void *arg, size_t i)
{
    const struct rehearsal *r = &((const struct rehearsals *)arg)->r[i];
    json_t *views = json_array();
    for (size_t k = 0; k < r->watch.n; k++) {
        json_t *v = view_json(&r->watch.view[k]);
        json_object_set_new(v, "seen_ms", ms_json(r->seen_ms ? r->seen_ms[k] : -1));
        json_array_append_new(views, v);
    }
    json_t *j = json_pack("{s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:b, s:{s:i, s:i}, s:o}", "host", r->host, "zone",
                          json_text(r->zone ? r->zone->apex : NULL), "provider", json_text(r->provider ? r->provider->name : NULL), "owner",
                          json_text(*r->probe.owner ? r->probe.owner : NULL), "ok", r->err.rc == RC_OK, "written_ms",
                          ms_json(r->written_ms), "deleted_ms", ms_json(r->deleted_ms), "visible", r->watch.seen.visible, "quorum", "want",
                          (int)r->watch.seen.want, "got", (int)r->watch.seen.got, "views", views);
    if (r->err.rc != RC_OK)
        json_object_set_new(j, "error", json_pack("{s:o, s:o}", "code", json_text(r->err.code), "text", json_text(r->err.text)));
    return j;
}

static void print_views(const struct rehearsal *r)
{
    struct columns t = {.n = 4};
    char address[320], after[32];
    for (size_t k = 0; k < r->watch.n; k++) {
        const struct view *v = &r->watch.view[k];
        bool seen = r->seen_ms && r->seen_ms[k] >= 0;
        view_address(v, address, sizeof address);
        if (seen)
            snprintf(after, sizeof after, "seen after %lld ms", (long long)r->seen_ms[k]);
        columns_row(&t, v->authority ? "authoritative" : "resolver", *v->at->name ? v->at->name : "-", address, seen ? after : view_word(v),
                    NULL);
    }
    columns_print(&t, "  ");
}

static void print_rehearsal(const struct rehearsal *r)
{
    if (!r->zone) {
        printf("%s: not found\n", r->host);
        return;
    }
    printf("%s, provider %s: ", r->zone->apex, r->provider ? r->provider->name : "none");
    if (r->written_ms < 0) {
        printf("nothing written\n");
        return;
    }
    printf("%s written in %lld ms\n", r->probe.owner, (long long)r->written_ms);
    print_views(r);
    if (r->deleted_ms >= 0)
        printf("  deleted in %lld ms\n", (long long)r->deleted_ms);
    else
        printf("  NOT deleted: the next run, gc or rehearse removes it\n");
}

/* A key that may write the names themselves and no more is what dcvagent policy gives it: a probe's name is not among them. */
static void say_fault(const struct rehearsal *r)
{
    const char *also = "";
    if (r->err.code && strcmp(r->err.code, "UPDATE_REFUSED") == 0)
        also = "; a key limited to the names themselves cannot rehearse: dcvagent doctor asks about those without writing";
    struct err e = r->err;
    size_t n = strlen(e.text);
    snprintf(e.text + n, sizeof e.text - n, "%s", also);
    say_err(LEVEL_ERROR, &(struct about){.name = r->zone ? r->zone->apex : r->host, .step = "rehearse"}, &e);
}

static enum rc report(const struct call *c, struct rehearsals *l)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < l->n; i++)
        rc = rc_worse(rc, l->r[i].err.rc);
    if (c->json)
        json_print_list(json_pack("{s:i, s:b}", "version", 1, "ok", rc == RC_OK), "zones", rehearsal_json, l, l->n);
    for (size_t i = 0; i < l->n; i++) {
        if (!c->json)
            print_rehearsal(&l->r[i]);
        fflush(stdout);
        if (l->r[i].err.rc != RC_OK)
            say_fault(&l->r[i]);
    }
    if (!l->n && !c->json)
        printf("no certificate proves its names by DNS: there is no zone to try\n");
    return rc;
}

struct showing {
    struct live *live;
    struct session *s;
    struct rehearsals *l;
};

static void show(void *arg)
{
    const struct showing *w = arg;
    struct look_row *row = mem_array(w->l->n + 1, sizeof *row);
    size_t n = 0;
    int64_t until = 0;
    for (size_t i = 0; i < w->l->n; i++) {
        const struct rehearsal *r = &w->l->r[i];
        if (!r->watch.n)
            continue;
        row[n++] = (struct look_row){r->zone->apex, &r->watch};
        until = r->watch.deadline_ms > until ? r->watch.deadline_ms : until;
    }
    live_show(w->live, row, n, until - loop_now(net_loop(w->s->net)));
    free(row);
}

enum rc cmd_rehearse(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct rehearsals l = {0};
    struct showing w = {.s = &s, .l = &l};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_LOCK | SESSION_NET, &rc))
        return rc;
    if (call_names_known(c, &s, false, &rc)) {
        w.live = live_open(c);
        bool ok = evidence_command(s.store, "", c->argc, c->argv, &e) && rehearse(&s, &c->args, w.live ? show : NULL, &w, &l, &e);
        live_close(w.live);
        rc = ok ? report(c, &l) : call_fail(c, &e);
    }
    rehearsals_free(&l);
    session_close(&s);
    return rc;
}
