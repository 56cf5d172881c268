/* resolve.c: see resolve.h. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/names.h"
#include "net/net_impl.h"
#include "net/resolve.h"

enum { HOSTS_MAX = 1024 * 1024, LIMIT_MS = 4000 };

static void add(struct resolve *r, const char *addr)
{
    union address a;
    struct endpoint p = {.port = r->port, .via = VIA_TCP};
    if (strlen(addr) >= sizeof p.addr || strlen(r->name) >= sizeof p.name || !net_address(addr, r->port, &a, NULL))
        return;
    strncat(p.addr, addr, sizeof p.addr - 1);
    strncat(p.name, r->name, sizeof p.name - 1);
    endpoints_add(&r->out, &p);
}

static void hosts_line(struct resolve *r, char *line)
{
    static const char blanks[] = " \t\r";
    line[strcspn(line, "#")] = '\0';
    char *addr = NULL;
    for (char *word; (word = strsep(&line, blanks));) {
        if (!*word)
            continue;
        if (!addr)
            addr = word;
        else if (name_same(word, r->name))
            add(r, addr);
    }
}

static void read_hosts(struct resolve *r)
{
    char *text;
    size_t n;
    if (!fs_read("/etc/hosts", HOSTS_MAX, &text, &n, NULL))
        return;
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        hosts_line(r, line);
    free(text);
}

static void asked(struct op *op, const struct err *e);

static void ask_server(struct resolve *r)
{
    for (int i = 0; i < 2; i++) {
        r->ask[i] = (struct dns_ask){.to = &net_system_resolvers(r->net)->e[r->server],
                                     .name = r->name,
                                     .type = i ? TYPE_A : TYPE_AAAA,
                                     .rd = true,
                                     .limit_ms = LIMIT_MS};
        r->ask[i].op.done = asked;
        r->ask[i].op.owner = r;
    }
    for (int i = 0; i < 2; i++)
        dns_start(r->net, &r->ask[i]);
}

static void note_answer(struct resolve *r, const struct dns_ask *ask)
{
    const struct dns_reply *a = &ask->reply;
    char addr[46];
    for (size_t i = 0; i < a->n; i++)
        if (a->rr[i].section == SECTION_ANSWER && a->rr[i].type == ask->type && dns_addr_rdata(ask->type, a->rr[i].rdata, addr))
            add(r, addr);
    if (a->rcode != DNS_NOERROR && a->rcode != DNS_NXDOMAIN)
        err_set(&r->last, RC_NET, "RESOLVE", "resolver %s answers %s", ask->to->addr, dns_rcode_word(a->rcode));
}

static void asked(struct op *op, const struct err *e)
{
    struct resolve *r = op->owner;
    if (e)
        err_set(&r->last, RC_NET, "RESOLVE", "%s", e->text);
    else
        note_answer(r, (struct dns_ask *)op);
    if (resolve_asks(r))
        return;
    if (r->out.n) {
        op_settle(&r->op, NULL);
    } else if (r->last.rc && ++r->server < net_system_resolvers(r->net)->n) {
        r->last = (struct err){0};
        ask_server(r);
    } else {
        struct err f = {0};
        err_set(&f, RC_NET, "RESOLVE", "the address of %s could not be found: %s; write its address instead of the name, or mend the name",
                r->name, r->last.rc ? r->last.text : "it has none");
        err_at(&f, "%s", r->name);
        err_again(&f, 0);
        op_settle(&r->op, &f);
    }
}

static void detach(struct op *op)
{
    struct resolve *r = (struct resolve *)op;
    op_cancel(&r->ask[0].op);
    op_cancel(&r->ask[1].op);
}

bool resolve_asks(const struct resolve *r)
{
    return op_busy(&r->ask[0].op) || op_busy(&r->ask[1].op);
}

void resolve_start(struct net *n, struct resolve *r)
{
    r->net = n;
    r->server = 0;
    r->last = (struct err){0};
    op_start(&r->op, detach);
    read_hosts(r);
    if (r->out.n) {
        op_settle(&r->op, NULL);
    } else if (net_system_resolvers(n)->n) {
        ask_server(r);
    } else {
        struct err f = {0};
        err_set(&f, RC_NET, "RESOLVE", "the address of %s could not be found: /etc/hosts does not know it and resolv.conf names no server",
                r->name);
        err_again(&f, 0);
        op_settle(&r->op, &f);
    }
}
