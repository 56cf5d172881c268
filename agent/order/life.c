/* life.c: an order in memory: begun anew, or taken up from the store. */
#include "order/order_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

static struct order *order_new(struct run *r)
{
    struct order *o = mem_new(sizeof *o);
    o->run = r;
    o->ca.o = &o->saved;
    return o;
}

static void attach(struct order *o)
{
    o->conf = conf_cert(o->run->s->conf, o->saved.cert);
    o->at = cas_find(o->run->cas, o->saved.ca);
    o->ca.conf = o->conf;
    o->ca.forced = o->run->setup.force;
    o->ca.permit = o->run->setup.permit;
    o->ca.permit_arg = o->run->setup.permit_arg;
}

struct order *order_load(struct run *r, const struct saved_order *saved)
{
    struct order *o = order_new(r);
    saved_order_copy(&o->saved, saved);
    o->state = order_state_of(saved->state);
    o->waits = waits_of(saved->waits);
    o->facts = saved->facts && *saved->facts ? json_loads(saved->facts, 0, NULL) : NULL;
    if (!json_is_object(o->facts)) {
        json_decref(o->facts);
        o->facts = json_object();
    }
    attach(o);
    return o;
}

static bool method_possible(const struct conf_cert *c, const struct ca_rules *rules)
{
    return c->method == METHOD_EMAIL ? rules->by_email : c->method == METHOD_WEBSITE ? rules->by_website : true;
}

struct order *order_begin(struct run *r, const struct conf_cert *c, bool forced, struct err *e)
{
    struct order *o = order_new(r);
    o->saved.cert = mem_str(c->name);
    o->saved.ca = mem_str(c->ca);
    attach(o);
    if (!o->at) {
        err_set(e, RC_CONF, "CA_SECTION", "the CA section [ca %s] of certificate %s cannot be used; see dcvagent config check", c->ca,
                c->name);
        order_free(o);
        return NULL;
    }
    if (!method_possible(c, order_rules(o))) {
        err_set(e, RC_CONF, "METHOD", "certificate %s: names are not proven that way at [ca %s]; set method = dns%s", c->name, c->ca,
                order_rules(o)->by_website ? " or website" : "");
        order_free(o);
        return NULL;
    }
    int64_t now = clock_now();
    if (!order_new_id(o->saved.id, now, e)) {
        order_free(o);
        return NULL;
    }
    o->saved.names = strs_join(&c->names, " ");
    o->saved.key_type = mem_str(due_key_word(c, order_rules(o)));
    o->saved.reference = mem_str(c->reference_number ? c->reference_number : "");
    o->saved.handle = mem_str("{}");
    o->saved.begun = now;
    o->saved.subscription_end = c->subscription_end;
    o->saved.forced = forced;
    o->saved.open = true;
    o->facts = json_object();
    o->state = ORDER_NEW;
    order_save(o);
    order_evidence(o, "begun", json_pack("{s:s, s:s}", "names", o->saved.names, "ca", o->saved.ca));
    order_log(o, LEVEL_INFO, "order", NULL, "order %s begun for %s", o->saved.id, o->saved.names);
    order_wake(o);
    return o;
}

/* What the steps worked with. */
static void free_scratch(struct order *o)
{
    spots_free(o);
    website_free(o);
    child_clear(&o->check);
    strs_free(&o->check_env);
    ca_case_clear(&o->ca);
    secret_free(&o->key_pem);
    csr_clear(&o->csr);
    vet_free(o);
    issued_free(o->issued);
    o->issued = NULL;
    chain_clear(&o->chain);
    free(o->pfx);
    o->pfx = NULL;
    o->n_pfx = 0;
}

void order_shed(struct order *o)
{
    if (o->saved.open || o->pending || o->shed)
        return;
    o->shed = true;
    spots_forget(o);
    free_scratch(o);
}

void order_free(struct order *o)
{
    if (!o)
        return;
    op_cancel(&o->ca.op);
    op_cancel(&o->timer.op);
    op_cancel(&o->check.op);
    work_stop(o);
    free_scratch(o);
    json_decref(o->facts);
    saved_order_clear(&o->saved);
    free(o);
}
