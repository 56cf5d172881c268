#include "net/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"

enum { PASSWORD_MAX = 1024 };

static bool take(const char *url, const char *user, const char *file, struct proxy *out, struct err *e)
{
    struct secret password = {0};
    *out = (struct proxy){.url = url && strcmp(url, "none") != 0 ? url : NULL};
    if (!out->url || !user)
        return true;
    if (file && !secret_read(&password, file, PASSWORD_MAX, e))
        return false;
    char *both = mem_fmt("%s:%s", user, password.p ? (const char *)password.p : "");
    secret_set(&out->user, both, strlen(both));
    explicit_bzero(both, strlen(both));
    free(both);
    secret_free(&password);
    return true;
}

bool proxy_of_section(const struct section *s, struct proxy *out, struct err *e)
{
    return take(section_text(s, "proxy"), section_text(s, "proxy_user"), section_text(s, "proxy_password_file"), out, e);
}

bool proxy_of_agent(const struct conf_agent *a, struct proxy *out, struct err *e)
{
    return take(a->proxy, a->proxy_user, a->proxy_password_file, out, e);
}

const char *proxy_user(const struct proxy *p)
{
    return p->user.n ? (const char *)p->user.p : NULL;
}

void proxy_clear(struct proxy *p)
{
    secret_free(&p->user);
    p->url = NULL;
}
