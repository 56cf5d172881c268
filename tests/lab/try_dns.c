/* try_dns: try_dns CA_FILE N TYPE NAME SERVER...: the same question N times at once to each server (as in resolvers=); prints a line a server: how many answers came,
 * how many connections failed and why. For tests/lab/secure.t. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/dnsx.h"

static size_t under_way;

static void done(struct op *op, const struct err *e)
{
    struct dns_ask *a = (struct dns_ask *)op;
    struct err *kept = op->owner;
    under_way--;
    if (e)
        *kept = *e;
    else if (a->reply.rcode != DNS_NOERROR || !a->reply.tcp || a->reply.n == 0)
        err_set(kept, RC_FAILED, "ANSWER", "rcode %u, %zu records, %s", a->reply.rcode, a->reply.n, a->reply.tcp ? "tcp" : "udp");
}

static bool waits(void *arg)
{
    (void)arg;
    return under_way > 0;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    if (argc < 6)
        return 2;
    struct net_setup setup = {
        .resolv_conf = "/dev/null", .resolver_ca_file = strcmp(argv[1], "-") ? argv[1] : NULL, .proxy = getenv("TRY_PROXY")};
    struct net *net = net_new(&setup, &e);
    size_t n = strtoul(argv[2], NULL, 10);
    uint16_t type = (uint16_t)strtoul(argv[3], NULL, 10);
    for (int i = 5; net && i < argc; i++) {
        struct endpoint to;
        if (!endpoint_parse(argv[i], false, &to, &e))
            break;
        struct dns_ask *ask = mem_array(n, sizeof *ask);
        struct err *err = mem_array(n, sizeof *err);
        for (int round = 0; round < 2; round++) {
            size_t good = 0;
            const struct err *bad = NULL;
            for (size_t k = 0; k < n; k++) {
                err[k] = (struct err){0};
                ask[k] = (struct dns_ask){
                    .op = {.done = done, .owner = &err[k]}, .to = &to, .name = argv[4], .type = type, .rd = true, .limit_ms = 5000};
                under_way++;
                dns_start(net, &ask[k]);
            }
            loop_run(net_loop(net), waits, NULL);
            for (size_t k = 0; k < n; k++) {
                good += err[k].rc == RC_OK;
                bad = err[k].rc == RC_OK ? bad : &err[k];
            }
            printf("%s %zu of %zu %s %s\n", argv[i], good, n, bad ? bad->code : "-", bad ? bad->text : "");
        }
        free(ask);
        free(err);
    }
    if (e.rc != RC_OK)
        printf("%s\n", e.text);
    net_free(net);
    return e.rc;
}
