/* dns_channel.c: a server and transport: its carrier, its timer, and how many messages are under way. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dns_impl.h"
#include "net/loop_uv.h"
#include "net/net_impl.h"

int64_t dns_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static void on_timer(uv_timer_t *h)
{
    struct channel *c = h->data;
    c->due = 0;
    if (c->by->tick)
        c->by->tick(c);
    c->event(c->arg);
}

void channel_wake(struct channel *c, int64_t at)
{
    if (c->due && c->due <= at)
        return;
    int64_t now = loop_now(net_loop(c->net));
    c->due = at;
    uv_timer_start(c->timer, on_timer, at > now ? (uint64_t)(at - now) : 0, 0);
}

void channel_waits(struct channel *c, bool waits)
{
    if (waits) {
        uv_ref(c->timer);
        return;
    }
    uv_unref(c->timer);
    if (!c->carried) {
        uv_timer_stop(c->timer);
        c->due = 0;
    }
}

struct channel *channel_new(struct net *net, const struct endpoint *to, fate_fn *fn)
{
    const struct carrier *by = to->via == VIA_TLS ? &by_tls : to->via == VIA_HTTPS ? &by_https : &by_ares;
    struct channel *c = mem_new(by->size);
    uv_timer_t *timer = mem_new(sizeof *timer);
    *c = (struct channel){.by = by, .net = net, .to = *to, .fate = fn, .timer = timer};
    uv_timer_init(loop_uv(net_loop(net)), timer);
    timer->data = c;
    uv_unref((uv_handle_t *)timer);
    return c;
}

void channel_rest(struct channel *c)
{
    if (!c->carried)
        c->by->rest(c);
}

void channel_free(struct channel *c)
{
    c->by->close(c);
    loop_uv_close(c->timer);
    free(c);
}

bool channel_is(const struct channel *c, const struct endpoint *to)
{
    return endpoint_same(&c->to, to);
}

size_t channel_carried(const struct channel *c)
{
    return c->carried;
}

const char *channel_text(const struct channel *c)
{
    return c->text;
}

void channel_on_event(struct channel *c, void (*event)(void *arg), void *arg)
{
    c->event = event;
    c->arg = arg;
}

void channel_send(struct channel *c, const uint8_t *msg, size_t n, void *item)
{
    c->carried++;
    c->by->send(c, msg, n, item);
}

void channel_fate(struct channel *c, void *item, enum fate fate, int why, const uint8_t *msg, size_t n)
{
    c->carried--;
    c->fate(item, fate, why, msg, n);
}
