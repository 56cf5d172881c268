/* key: private keys saved as PKCS#12, brought back, listed. */
#include "cmd/key.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "order/session.h"

enum { PASSWORD_MAX = 1024 };

bool key_password(const struct call *c, bool twice, struct secret *out, struct err *e)
{
    const char *file = call_flag(c, "password-file");
    struct secret again = {0};
    if (file)
        return secret_read(out, file, PASSWORD_MAX, e);
    if (!secret_ask(out, twice ? "New password of the PFX: " : "Password of the PFX: ", PASSWORD_MAX, e))
        return false;
    if (!twice || !isatty(STDIN_FILENO))
        return true;
    bool ok = secret_ask(&again, "The same once more: ", PASSWORD_MAX, e);
    if (ok && (again.n != out->n || memcmp(again.p, out->p, out->n) != 0))
        ok = err_set(e, RC_USAGE, "PASSWORDS_DIFFER", "the two passwords differ; nothing was written");
    secret_free(&again);
    return ok;
}

bool key_session(struct call *c, struct session *s, unsigned parts, enum rc *rc)
{
    if (!call_session(c, s, parts, rc))
        return false;
    if (call_names_known(c, s, true, rc))
        return true;
    session_close(s);
    return false;
}

/* The operands behind the first one are the part's own. */
static enum rc run_part(struct call *c, enum rc (*part)(struct call *c))
{
    struct strs all = c->args;
    c->args = (struct strs){.s = all.s + 1, .n = all.n - 1};
    enum rc rc = part(c);
    c->args = all;
    return rc;
}

enum rc cmd_key(struct call *c)
{
    const char *what = c->args.s[0];
    if (strcmp(what, "backup") == 0 && c->args.n == 3)
        return run_part(c, key_backup);
    if (strcmp(what, "restore") == 0 && c->args.n == 3)
        return run_part(c, key_restore);
    if (strcmp(what, "list") == 0)
        return run_part(c, key_list);
    say(LEVEL_ERROR, &(struct about){.step = "key"}, "USAGE", "key knows: backup NAME FILE, restore NAME FILE, list [NAME...]");
    return RC_USAGE;
}
