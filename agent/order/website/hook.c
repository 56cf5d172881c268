/* hook.c: website_hook= called for one file: what it is told, and what its end means. */
#include "order/website/website_impl.h"

#include <string.h>

#include "base/fs.h"

/* The program is the configuration's, as it was when the order used it first: it is judged again. */
bool website_call_make(struct website_call *c, const char *state_dir, const struct website_file *f, const char *verb, struct err *e)
{
    website_call_clear(c);
    strs_split(&c->argv, f->hook);
    if (c->argv.n == 0)
        return err_set(e, RC_HOOK, "WEBSITE_HOOK", "it is not known how the file of %s was put there", f->host);
    if (!fs_trusted(c->argv.s[0], e))
        return false;
    strs_add(&c->argv, verb);
    strs_add(&c->argv, f->host);
    cert_hook_env(&c->env, state_dir, f->order->cert, f->order->names, f->order->state, 0);
    c->hook = (struct child){.argv = &c->argv, .env = &c->env, .in = f->value, .n_in = strlen(f->value)};
    return true;
}

bool website_call_judge(struct website_call *c, const struct err *started, struct err *e)
{
    const char *program = c->argv.s[0], *verb = c->argv.s[c->argv.n - 2], *host = c->argv.s[c->argv.n - 1], *out = str_text(&c->hook.out);
    char safe[160];
    text_safe(safe, sizeof safe, out, strlen(out));
    if (started)
        *e = *started;
    else if (c->hook.timed_out)
        err_set(e, RC_HOOK, "WEBSITE_HOOK", "website_hook %s %s %s did not end within 5 min and was stopped", program, verb, host);
    else if (c->hook.status != 0)
        err_set(e, RC_HOOK, "WEBSITE_HOOK", "website_hook %s %s %s ended with %d (%s)", program, verb, host, c->hook.status, safe);
    return !started && !c->hook.timed_out && c->hook.status == 0;
}

void website_call_clear(struct website_call *c)
{
    op_cancel(&c->hook.op);
    child_clear(&c->hook);
    strs_free(&c->argv);
    strs_free(&c->env);
}
