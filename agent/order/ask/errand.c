#include "order/ask/errand.h"

#include "conf/conf.h"
#include "net/net.h"

struct running {
    struct session *s;
    struct ca_errand *errand;
    struct err err, store;
    bool over;
};

static void done(struct op *op, const struct err *e)
{
    struct running *r = op->owner;
    r->over = true;
    if (e)
        r->err = *e;
}

static bool turn(void *arg)
{
    struct running *r = arg;
    if (!store_turn(r->s->store, &r->store) || r->over)
        return false;
    if (!loop_signal(net_loop(r->s->net)))
        return true;
    op_cancel(&r->errand->op);
    err_set(&r->err, RC_LATER, "NOT_FINISHED", "stopped; what was sent is not undone: dcvagent account shows where it stands");
    return false;
}

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
    struct running r = {.s = s, .errand = errand};
    if (!ops->open(&ca, section, s->net, s->store, e))
        return false;
    errand->op = (struct op){.done = done, .owner = &r};
    ops->errand(ca, errand);
    loop_run(net_loop(s->net), turn, &r);
    ops->close(ca);
    if (r.err.rc != RC_OK || r.store.rc != RC_OK)
        *e = r.err.rc != RC_OK ? r.err : r.store;
    return e->rc == RC_OK;
}
