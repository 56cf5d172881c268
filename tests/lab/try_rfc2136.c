/* try_rfc2136.c: what provider.h promises, tried with the rfc2136 provider on a real server. Prints TAP.
 *
 * usage: try_rfc2136 SERVER[:PORT] ZONE KEYFILE [KEY=VALUE...]      (KEYFILE: an absolute path)
 *            all promises, at the apex of ZONE (where at least one foreign TXT must stand), a name of its own, a wildcard and an underscore
 *            name; everything written is deleted again. KEYFILE "-": without a key. KEY=VALUE: more keys of the section (sign_query=yes).
 *        try_rfc2136 SERVER[:PORT] ZONE KEYFILE [KEY=VALUE...] -- OWNER RESULT [OWNER RESULT]...
 *            one batch that adds a value at each OWNER; RESULT: DONE or the wanted error code (several: CODE|CODE); what was added is
 *            deleted again. With DCVAGENT_CLOCK=+1h the clock is wrong (test build). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/net.h"
#include "providers/provider.h"

enum { MANY = 400, MANY_LENGTH = 200, NEW_TTL = 120 };

static unsigned tests, bad;
static struct net *net;
static struct provider *provider;
static const struct provider_ops *ops;
static const char *zone;
static bool waiting;
static struct err last;

static void check(bool good, const char *what, const char *more)
{
    tests++;
    bad += !good;
    printf("%s %u - %s%s%s\n", good ? "ok" : "not ok", tests, what, *more ? ": " : "", more);
}

static bool turn(void *arg)
{
    (void)arg;
    return waiting;
}

static void done(struct op *op, const struct err *e)
{
    (void)op;
    last = e ? *e : (struct err){0};
    waiting = false;
}

static void run(void)
{
    waiting = true;
    loop_run(net_loop(net), turn, NULL);
}

static bool read_sets(struct rrset *set, size_t n)
{
    struct lookup l = {.zone = zone, .set = set, .n = n};
    l.op.done = done;
    ops->read(provider, &l);
    run();
    if (last.rc)
        printf("# read: %s [%s] %s\n", last.where, last.code, last.text);
    return last.rc == RC_OK;
}

static bool apply(struct change *c, size_t n)
{
    struct batch b = {.zone = zone, .c = c, .n = n};
    b.op.done = done;
    ops->apply(provider, &b);
    run();
    bool all = true;
    for (size_t i = 0; i < n; i++) {
        all &= c[i].result == CHANGE_DONE;
        if (c[i].result != CHANGE_DONE && n < 20)
            printf("# %s %s: result %d [%s] %s%s\n", c[i].add ? "add" : "delete", c[i].rec->owner, c[i].result,
                   c[i].err.code ? c[i].err.code : "?", c[i].err.text, c[i].err.again ? " (again)" : "");
    }
    check(all == (last.rc == RC_OK), "the batch fails exactly if a change does", last.code && !all ? last.code : "");
    return all;
}

static bool same_sets(const struct rrset *a, const struct rrset *b)
{
    if (a->n != b->n || a->ttl != b->ttl || a->cname != b->cname)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!rrset_has(b, a->octets[i]))
            return false;
    return true;
}

/* Values that break careless code: three strings, zone-file characters, octets that are no text, 255 exactly, nothing at all. */
enum { VALUES = 6 };
static struct bytes values[VALUES];

static void make_values(void)
{
    static uint8_t longest[600], full[255], octets[256];
    static const uint8_t quotes[] = "a\"b;c\\d (e) $f @ \t\xe4\xb8\xad\xe6\x96\x87 \\000";
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (uint8_t)('a' + i % 26);
    memset(full, 'x', sizeof full);
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)i;
    values[0] = (struct bytes){longest, sizeof longest};
    values[1] = (struct bytes){quotes, sizeof quotes - 1};
    values[2] = (struct bytes){octets, sizeof octets};
    values[3] = (struct bytes){full, sizeof full};
    values[4] = (struct bytes){(const uint8_t *)"_dcv-plain=0123456789abcdef", 27};
    values[5] = (struct bytes){(const uint8_t *)"_DCV-PLAIN=0123456789abcdef", 27};
}

static void promises_at(const char *owner, bool foreign)
{
    struct rrset before = {.owner = owner}, after = {.owner = owner};
    struct record rec[VALUES];
    struct change c[VALUES];
    printf("# at %s\n", owner);
    check(read_sets(&before, 1), "read", owner);
    check(!foreign || before.n > 0, "a foreign value stands here", owner);
    for (int i = 0; i < VALUES; i++) {
        rec[i] = (struct record){.owner = owner, .type = TYPE_TXT, .ttl = before.n ? before.ttl : NEW_TTL, .value = values[i]};
        c[i] = (struct change){.add = true, .rec = &rec[i]};
    }
    check(apply(c, VALUES), "add 6 values", owner);
    check(apply(c, VALUES), "add them again: no fault", owner);
    bool there = read_sets(&after, 1) && after.n == before.n + VALUES;
    for (int i = 0; i < VALUES; i++)
        there = there && rrset_has(&after, values[i]);
    for (size_t i = 0; i < before.n; i++)
        there = there && rrset_has(&after, before.octets[i]);
    check(there, "all are there once, octet for octet, and those of others too", owner);
    check(after.ttl == (before.n ? before.ttl : NEW_TTL), "the TTL is that of the set, or the new one", owner);
    for (int i = 0; i < VALUES; i++)
        c[i] = (struct change){.rec = &rec[i]};
    check(apply(c, 1), "delete one", owner);
    rrset_clear(&after);
    check(read_sets(&after, 1) && after.n == before.n + VALUES - 1 && !rrset_has(&after, values[0]), "only that one is gone", owner);
    c[0] = (struct change){.rec = &rec[0]};
    check(apply(c, VALUES), "delete all, one of them a second time: no fault", owner);
    rrset_clear(&after);
    check(read_sets(&after, 1) && same_sets(&before, &after), "everything is as it was before, the TTL too", owner);
    rrset_clear(&before);
    rrset_clear(&after);
}

/* More than one message, and more questions than go out at once. */
static void many(void)
{
    static char owner[MANY][300];
    struct rrset *set = mem_array(MANY, sizeof *set);
    struct record *rec = mem_array(MANY, sizeof *rec);
    struct change *c = mem_array(MANY, sizeof *c);
    uint8_t value[MANY_LENGTH];
    memset(value, 'v', sizeof value);
    for (int i = 0; i < MANY; i++) {
        snprintf(owner[i], sizeof owner[i], "n%d.try-many.%s", i, zone);
        set[i].owner = owner[i];
        rec[i] = (struct record){.owner = owner[i], .type = TYPE_TXT, .ttl = NEW_TTL, .value = {value, sizeof value}};
        c[i] = (struct change){.add = true, .rec = &rec[i]};
    }
    int64_t start = clock_monotonic();
    check(apply(c, MANY), "add 400 values of 200 octets in one batch", "");
    int64_t written = clock_monotonic();
    bool there = read_sets(set, MANY);
    for (int i = 0; i < MANY; i++) {
        there = there && set[i].n == 1 && rrset_has(&set[i], rec[i].value);
        rrset_clear(&set[i]);
    }
    check(there, "read 400 names", "");
    printf("# written in %lld ms, read in %lld ms\n", (long long)(written - start), (long long)(clock_monotonic() - written));
    for (int i = 0; i < MANY; i++)
        c[i] = (struct change){.rec = &rec[i]};
    check(apply(c, MANY), "delete them", "");
    bool gone = read_sets(set, MANY);
    for (int i = 0; i < MANY; i++) {
        gone = gone && !set[i].n;
        rrset_clear(&set[i]);
    }
    check(gone, "all are gone", "");
    free(set);
    free(rec);
    free(c);
}

static void cancelled(void)
{
    struct rrset set = {.owner = zone};
    struct lookup l = {.zone = zone, .set = &set, .n = 1};
    struct record rec = {.owner = zone, .type = TYPE_TXT, .ttl = NEW_TTL, .value = values[4]};
    struct change c = {.rec = &rec};
    struct batch b = {.zone = zone, .c = &c, .n = 1};
    l.op.done = b.op.done = done;
    ops->read(provider, &l);
    op_cancel(&l.op);
    ops->apply(provider, &b);
    op_cancel(&b.op);
    check(read_sets(&set, 1), "after cancelled requests the connection still works", "");
    rrset_clear(&set);
}

static void promises(void)
{
    static const char *const names[] = {"", "try-new.", "*.try-wild.", "_try-under.sub."};
    char owner[300];
    ops->warm(provider, zone);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(owner, sizeof owner, "%s%s", names[i], zone);
        promises_at(owner, i == 0);
    }
    cancelled();
    many();
}

static bool wanted(const char *list, const char *code)
{
    size_t n = strlen(code);
    for (const char *p = list; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, code, n) == 0 && (p[n] == '|' || !p[n]))
            return true;
    return false;
}

static void expect(char **word, int n_words)
{
    size_t n = (size_t)n_words / 2, k = 0;
    struct record *rec = mem_array(n, sizeof *rec);
    struct change *c = mem_array(n, sizeof *c), *undo = mem_array(n, sizeof *undo);
    for (size_t i = 0; i < n; i++) {
        rec[i] = (struct record){.owner = word[2 * i], .type = TYPE_TXT, .ttl = NEW_TTL, .value = {(const uint8_t *)"try-expect", 10}};
        c[i] = (struct change){.add = true, .rec = &rec[i]};
    }
    apply(c, n);
    for (size_t i = 0; i < n; i++) {
        const char *got = c[i].result == CHANGE_DONE ? "DONE" : c[i].err.code ? c[i].err.code : "(none)";
        char more[700];
        snprintf(more, sizeof more, "%s at %s%s%s", got, rec[i].owner, c[i].err.text[0] ? ": " : "", c[i].err.text);
        check(wanted(word[2 * i + 1], got), word[2 * i + 1], more);
        if (c[i].result == CHANGE_DONE)
            undo[k++] = (struct change){.rec = &rec[i]};
    }
    if (k)
        check(apply(undo, k), "what was added is deleted again", "");
    free(rec);
    free(c);
    free(undo);
}

static struct conf *configure(int argc, char **argv, int n)
{
    struct conf_module modules[] = {{.kind = "provider", .type = "rfc2136", .keys = ops->keys}, {0}};
    struct str text = STR_INIT(65536);
    str_fmt(&text, "[provider try]\ntype = rfc2136\nzones = %s\nserver = %s\n", zone, argv[1]);
    if (strcmp(argv[3], "-") != 0)
        str_fmt(&text, "tsig_key_file = %s\n", argv[3]);
    for (int i = 4; i < n && i < argc; i++)
        str_fmt(&text, "%s\n", argv[i]);
    struct conf *c = conf_load_text("try.ini", text.p, text.n, modules);
    str_free(&text);
    for (size_t i = 0; c && i < c->n_fault; i++) {
        struct str s = STR_INIT(1000);
        conf_fault_show(&c->fault[i], &s);
        printf("# %s\n", str_text(&s));
        str_free(&s);
    }
    return c;
}

int main(int argc, char **argv)
{
    struct err e = {0};
    int n = 4;
    if (argc < 4) {
        fprintf(stderr, "usage: try_rfc2136 SERVER[:PORT] ZONE KEYFILE|- [KEY=VALUE...] [-- OWNER RESULT...]\n");
        return 2;
    }
    while (n < argc && strcmp(argv[n], "--") != 0)
        n++;
    ops = provider_type("rfc2136");
    zone = argv[2];
    make_values();
    struct conf *c = configure(argc, argv, n);
    const struct section *s = c ? conf_provider(c, "try") : NULL;
    net = net_new(&(struct net_setup){0}, &e);
    if (s && !s->broken && net && ops->open(&provider, s, net, &e)) {
        if (n < argc)
            expect(argv + n + 1, argc - n - 1);
        else
            promises();
        ops->close(provider);
    } else {
        check(false, "open", e.text);
    }
    net_free(net);
    conf_free(c);
    printf("1..%u\n", tests);
    return bad ? 1 : 0;
}
