/* hooks.c: deploy hooks: run once a run for each certificate that is due for one, until it exits 0. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

void hook_env(struct strs *env, const char *key, const char *value)
{
    char *line = mem_fmt("%s=%s", key, value);
    strs_add(env, line);
    free(line);
}

void cert_hook_env(struct strs *env, const char *state_dir, const char *name, const char *names, const char *state, int64_t not_after)
{
    char when[32] = "", *live = mem_fmt("%s/live/%s", state_dir, name);
    if (not_after)
        time_show(not_after, when);
    hook_env(env, "DCVAGENT_NAME", name);
    hook_env(env, "DCVAGENT_STATE", state);
    hook_env(env, "DCVAGENT_LIVE", live);
    hook_env(env, "DCVAGENT_NAMES", names);
    hook_env(env, "DCVAGENT_NOT_AFTER", when);
    free(live);
}

struct cert_work *run_cert(struct run *r, const char *name)
{
    return map_get(&r->cert_of, name);
}

void run_cert_installed(struct run *r, const struct order *o)
{
    struct cert_work *w = run_cert(r, o->saved.cert);
    if (!w)
        return;
    struct cert_row *row = cert_row_load(r->s->store, w->name, &r->err), *old = w->row;
    if (r->err.rc != RC_OK) { /* what could not be read is not to be written back empty */
        cert_row_free(row);
        return;
    }
    w->row = row;
    cert_row_free(old);
    w->changed = true;
    w->hook_at = w->row->c.hook_due ? HOOK_DUE : HOOK_NONE;
    deployed_expect(w, true);
}

static void ended(struct op *op, const struct err *e)
{
    struct cert_work *w = op->owner;
    char safe[160];
    const char *out = str_text(&w->hook.out), *program = w->conf->deploy_hook.s[0];
    text_safe(safe, sizeof safe, out, strlen(out));
    say(LEVEL_INFO, &(struct about){.cert = w->name, .step = "hook"}, NULL, "%s ended with %d", program, w->hook.status);
    if (w->hook_at == HOOK_DUE) /* a certificate came meanwhile: run again for that one, it is that end which counts */
        return;
    w->hook_at = HOOK_ENDED;
    w->dirty = true;
    if (e)
        w->err = *e;
    else if (w->hook.timed_out)
        err_set(&w->err, RC_HOOK, "DEPLOY_HOOK",
                "deploy_hook %s did not end within 5 min and was stopped; the certificate stays, the next run runs it again", program);
    else if (w->hook.status != 0)
        err_set(&w->err, RC_HOOK, "DEPLOY_HOOK", "deploy_hook %s ended with %d (%s); the certificate stays, the next run runs it again",
                program, w->hook.status, safe);
    else
        w->row->c.hook_due = false;
    deployed_expect(w, false);
    err_again(&w->err, 0);
}

static void start(struct cert_work *w)
{
    strs_free(&w->env);
    child_clear(&w->hook);
    cert_hook_env(&w->env, w->run->s->state_dir, w->name, w->row->c.names, "installed", w->row->c.not_after);
    w->hook_at = HOOK_RUNS;
    if (w->err.rc == RC_HOOK) /* of its last run: this one counts */
        w->err = (struct err){0};
    w->hook = (struct child){.op = {.done = ended, .owner = w}, .argv = &w->conf->deploy_hook, .env = &w->env};
    child_start(net_loop(w->run->s->net), &w->hook);
}

void hooks_pump(struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++) {
        struct cert_work *w = r->cert[i];
        if (w->hook_at != HOOK_DUE || r->stop || op_busy(&w->hook.op))
            continue;
        if (w->conf && w->conf->deploy_hook.n) {
            start(w);
        } else { /* the hook was taken out of the configuration meanwhile */
            w->hook_at = HOOK_NONE;
            w->row->c.hook_due = false;
            w->dirty = true;
        }
    }
}

bool hooks_busy(const struct run *r)
{
    for (size_t i = 0; i < r->n_cert; i++)
        if (r->cert[i]->hook_at == HOOK_RUNS || op_busy(&r->cert[i]->hook.op))
            return true;
    return false;
}
