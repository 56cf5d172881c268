#include "order/ask/errand.h"

#include "conf/conf.h"
#include "order/ask/many.h"

bool errand_run(struct session *s, const char *ca_section, struct ca_errand *errand, struct err *e)
{
    const struct section *section = conf_ca(s->conf, ca_section);
    if (!section)
        return err_set(e, RC_USAGE, "NO_SECTION", "there is no [ca %s] in %s", ca_section, s->conf->path);
    const struct ca_ops *ops = section->broken ? NULL : ca_type(section->type);
    if (!ops)
        return err_set(e, RC_CONF, "CA_SECTION", "[ca %s] cannot be used; see dcvagent config check", ca_section);
    if (!ops->errand)
        return err_set(e, RC_USAGE, "NO_ACCOUNT",
                       "[ca %s] is of type %s, which has no accounts and revokes nothing by itself: use the CA's pages", ca_section,
                       section->type);
    struct ca *ca;
    struct many m;
    struct err err = {0};
    if (!ops->open(&ca, section, s->net, s->store, e))
        return false;
    many_begin(&m, s, 1);
    m.stopped = "what was sent is not undone: run the command again, or dcvagent account shows where it stands";
    many_add(&m, &errand->op, &err);
    ops->errand(ca, errand);
    bool ok = many_only(&m, &err, e);
    ops->close(ca);
    return ok;
}
