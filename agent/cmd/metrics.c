/* metrics: Prometheus text for the node exporter's text-file collector. Reads only. */
#include "cmd/cmd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "conf/conf.h"
#include "order/session.h"
#include "store/store.h"

enum { TEXT_MAX = 64 << 20 };

struct metrics {
    const struct conf *conf;
    struct str not_after, waiting, deadline;
    int64_t last_run;
};

/* A label's value: backslash, quote and line feed are escaped, all else stays. */
static void add_label(struct str *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            str_fmt(out, "\\%c", *text);
        else if (*text == '\n')
            str_add(out, "\\n");
        else
            str_put(out, text, 1);
    }
}

static void add_sample(struct str *out, const char *metric, const char *name, const char *waits, int64_t value)
{
    str_fmt(out, "%s{name=\"", metric);
    add_label(out, name);
    if (waits) {
        str_add(out, "\",for=\"");
        add_label(out, waits);
    }
    str_fmt(out, "\"} %" PRId64 "\n", value);
}

static bool take_cert(void *arg, const struct saved_cert *c)
{
    struct metrics *m = arg;
    if (c->last_run > m->last_run)
        m->last_run = c->last_run;
    if (c->not_after && conf_cert(m->conf, c->name))
        add_sample(&m->not_after, "dcvagent_certificate_not_after_seconds", c->name, NULL, c->not_after);
    return true;
}

static bool take_order(void *arg, const struct saved_order *o)
{
    struct metrics *m = arg;
    if (*o->waits)
        add_sample(&m->waiting, "dcvagent_waiting", o->cert, o->waits, 1);
    if (o->deadline)
        add_sample(&m->deadline, "dcvagent_deadline_seconds", o->cert, NULL, o->deadline);
    return true;
}

static void add_family(struct str *out, const char *metric, const char *help, struct str *samples)
{
    str_fmt(out, "# HELP %s %s\n# TYPE %s gauge\n%s", metric, help, metric, str_text(samples));
    str_free(samples);
}

static bool collect(struct session *s, struct str *out, struct err *e)
{
    struct metrics m = {.conf = s->conf, .not_after = STR_INIT(TEXT_MAX), .waiting = STR_INIT(TEXT_MAX), .deadline = STR_INIT(TEXT_MAX)};
    struct str run = STR_INIT(200);
    bool ok = cert_each(s->store, take_cert, &m, e) && order_each(s->store, NULL, take_order, &m, e);
    if (m.last_run)
        str_fmt(&run, "dcvagent_last_run_timestamp_seconds %" PRId64 "\n", m.last_run);
    add_family(out, "dcvagent_certificate_not_after_seconds", "End of the certificate in use, seconds since 1970.", &m.not_after);
    add_family(out, "dcvagent_waiting", "An order waits for this (pin, code, propagation, time, confirm, operator, certificate, ca).",
               &m.waiting);
    add_family(out, "dcvagent_deadline_seconds", "When what an order waits for is too late, seconds since 1970.", &m.deadline);
    add_family(out, "dcvagent_last_run_timestamp_seconds", "When a run last looked after certificates, seconds since 1970.", &run);
    return ok;
}

enum rc cmd_metrics(struct call *c)
{
    struct session s;
    struct err e = {0};
    struct str out = STR_INIT(TEXT_MAX);
    const char *file = call_flag(c, "output");
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_TOLERANT, &rc))
        return rc;
    if (!collect(&s, &out, &e) || (file && strcmp(file, "-") != 0 && !fs_replace(file, str_text(&out), out.n, 0644, &e)))
        rc = call_fail(c, &e);
    else if (!file || strcmp(file, "-") == 0)
        fputs(str_text(&out), stdout);
    str_free(&out);
    session_close(&s);
    return rc;
}
