#include "order/ask/probe.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ca/ca.h"
#include "conf/conf.h"
#include "order/ask/many.h"

struct probing {
    struct session *s;
    struct ca_case k;
    struct saved_order order;
    bool open;
};

static bool take_open(void *arg, const struct saved_order *o)
{
    struct probing *p = arg;
    saved_order_clear(&p->order);
    saved_order_copy(&p->order, o);
    p->open = true;
    return true;
}

/* No order under way: as one would be begun. */
static void as_begun(struct probing *p, const struct conf_cert *c)
{
    p->order = (struct saved_order){.cert = mem_str(c->name),
                                    .ca = mem_str(c->ca),
                                    .names = strs_join(&c->names, " "),
                                    .key_type = mem_str(""),
                                    .reference = mem_str(c->reference_number ? c->reference_number : ""),
                                    .handle = mem_str("{}"),
                                    .facts = mem_str("{}")};
}

static bool visit(struct probing *p, const struct section *section, struct str *out, struct err *e)
{
    const struct ca_ops *ops = section && !section->broken ? ca_type(section->type) : NULL;
    if (!ops)
        return err_set(e, RC_CONF, "CA_SECTION", "the CA section of this certificate cannot be used; see dcvagent config check");
    if (!ops->probe)
        return err_set(e, RC_USAGE, "NO_PORTAL", "[ca %s] is of type %s: only a portal has pages to look at", section->name, section->type);
    struct ca *ca;
    if (!ops->open(&ca, section, p->s->net, p->s->store, e))
        return false;
    struct many m;
    struct err err = {0};
    many_begin(&m, p->s, 1);
    m.stopped = "nothing was pressed";
    p->k.o = &p->order;
    many_add(&m, &p->k.op, &err);
    ops->probe(ca, &p->k);
    bool ok = many_only(&m, &err, e);
    ca_case_clear(&p->k);
    ops->close(ca);
    str_add(out, p->k.ask);
    return ok;
}

bool probe_run(struct session *s, const char *cert, struct str *out, struct err *e)
{
    struct probing p = {.s = s};
    p.k.conf = conf_cert(s->conf, cert);
    if (!p.k.conf)
        return err_set(e, RC_USAGE, "NO_SECTION", "there is no [certificate %s] in %s", cert, s->conf->path);
    bool ok = order_each(s->store, cert, take_open, &p, e);
    if (ok && !p.open)
        as_begun(&p, p.k.conf);
    ok = ok && visit(&p, conf_ca(s->conf, p.k.conf->ca), out, e);
    saved_order_clear(&p.order);
    return ok;
}
