#include "tests/scenario/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/record.h"
#include "base/str.h"
#include "net/child.h"

enum { PROGRAM_MS = 50, PROGRAM_LIMIT_MS = 300000 };

struct happening {
    struct happening *next;
    int64_t at;
    void (*fn)(void *arg);
    void *arg;
};

struct program {
    char name[32], codes[64];
};

struct call {
    char *program, *env;
};

static struct {
    int64_t ms, ahead;
    int signal;
    struct happening *first;
    struct world_zone *zone;
    size_t n_zone;
    struct world_server server[WORLD_ZONES];
    size_t n_server;
    struct world_record *record;
    size_t n_record;
    struct program program[16];
    size_t n_program;
    struct call *call;
    size_t n_call;
} world;

/* --- time ------------------------------------------------------------------------------------------------------------------------- */

int64_t world_ms(void)
{
    return world.ms;
}

int64_t world_clock(void)
{
    return world.ms + world.ahead;
}

void world_clock_ahead(int64_t seconds)
{
    world.ahead = seconds * 1000;
}

void world_jump(int64_t ms)
{
    world.ms = ms > world.ms ? ms : world.ms;
}

void world_at(int64_t ms, void (*fn)(void *arg), void *arg)
{
    struct happening *h = mem_new(sizeof *h), **at = &world.first;
    *h = (struct happening){.at = ms, .fn = fn, .arg = arg};
    while (*at && (*at)->at <= ms)
        at = &(*at)->next;
    h->next = *at;
    *at = h;
}

bool world_drop(void *arg)
{
    for (struct happening **at = &world.first; *at; at = &(*at)->next)
        if ((*at)->arg == arg) {
            struct happening *h = *at;
            *at = h->next;
            free(h);
            return true;
        }
    return false;
}

bool world_next(int64_t *ms)
{
    if (world.first)
        *ms = world.first->at;
    return world.first != NULL;
}

void world_happen(void)
{
    while (world.first && world.first->at <= world.ms) {
        struct happening h = *world.first;
        free(world.first);
        world.first = h.next;
        h.fn(h.arg);
    }
}

void world_signal(int number)
{
    world.signal = number;
}

int world_signalled(void)
{
    return world.signal;
}

/* --- zones and servers ------------------------------------------------------------------------------------------------------------ */

struct world_server *world_server(const char *addr)
{
    for (size_t i = 0; i < world.n_server; i++)
        if (strcmp(world.server[i].addr, addr) == 0)
            return &world.server[i];
    return NULL;
}

static struct world_server *new_server(const char *addr)
{
    struct world_server *s = world_server(addr);
    if (s)
        return s;
    if (world.n_server == WORLD_ZONES)
        abort();
    s = &world.server[world.n_server++];
    snprintf(s->addr, sizeof s->addr, "%s", addr);
    return s;
}

struct world_server *world_resolver(const char *addr)
{
    struct world_server *s = new_server(addr);
    s->resolver = true;
    return s;
}

struct world_zone *world_zone(const char *apex, uint32_t negative_ttl, const char *servers)
{
    struct strs l = {0};
    if (world.n_zone == WORLD_ZONES)
        abort();
    struct world_zone *z = &world.zone[world.n_zone++];
    snprintf(z->apex, sizeof z->apex, "%s", apex);
    z->negative_ttl = negative_ttl;
    strs_split(&l, servers);
    for (size_t i = 0; i < l.n && i < WORLD_HOSTS; i++) {
        const char *eq = strchr(l.s[i], '=');
        snprintf(z->host[z->n_host].name, sizeof z->host->name, "%.*s", (int)(eq - l.s[i]), l.s[i]);
        snprintf(z->host[z->n_host++].addr, sizeof z->host->addr, "%s", eq + 1);
        new_server(eq + 1);
    }
    strs_free(&l);
    return z;
}

struct world_zone *world_zone_of(const char *name)
{
    struct world_zone *best = NULL;
    for (size_t i = 0; i < world.n_zone; i++)
        if (name_within(name, world.zone[i].apex) && (!best || strlen(world.zone[i].apex) > strlen(best->apex)))
            best = &world.zone[i];
    return best;
}

const struct world_zone *world_zone_each(size_t i)
{
    return i < world.n_zone ? &world.zone[i] : NULL;
}

struct world_zone *world_served(const char *addr, const char *name)
{
    struct world_zone *best = NULL;
    for (size_t i = 0; i < world.n_zone; i++) {
        struct world_zone *z = &world.zone[i];
        bool serves = false;
        for (size_t k = 0; k < z->n_host; k++)
            serves |= strcmp(z->host[k].addr, addr) == 0;
        if (serves && name_within(name, z->apex) && (!best || strlen(z->apex) > strlen(best->apex)))
            best = z;
    }
    return best;
}

/* --- records ---------------------------------------------------------------------------------------------------------------------- */

const struct world_record *world_each(size_t i)
{
    return i < world.n_record ? &world.record[i] : NULL;
}

const struct world_record *world_find(const char *owner, uint16_t type, const char *text, int64_t at)
{
    for (size_t i = 0; i < world.n_record; i++) {
        const struct world_record *r = &world.record[i];
        if (r->from <= at && at < r->until && (!type || r->type == type) && strcmp(r->owner, owner) == 0 &&
            (!text || strcmp(r->text, text) == 0))
            return r;
    }
    return NULL;
}

void world_put(const char *owner, uint16_t type, uint32_t ttl, const char *text)
{
    if (world_find(owner, type, text, world.ms))
        return;
    world.record = mem_grow(world.record, world.n_record + 1, sizeof *world.record);
    struct world_record *r = &world.record[world.n_record++];
    *r = (struct world_record){.type = type, .ttl = ttl, .from = world.ms, .until = INT64_MAX};
    snprintf(r->owner, sizeof r->owner, "%s", owner);
    snprintf(r->text, sizeof r->text, "%s", text);
}

void world_put_ours(const char *owner, uint32_t ttl, const char *text)
{
    size_t before = world.n_record;
    world_put(owner, TYPE_TXT, ttl, text);
    if (world.n_record > before)
        world.record[before].ours = true;
}

void world_remove(const char *owner, uint16_t type, const char *text)
{
    for (size_t i = 0; i < world.n_record; i++) {
        struct world_record *r = &world.record[i];
        if (r->until == INT64_MAX && r->type == type && strcmp(r->owner, owner) == 0 && (!text || strcmp(r->text, text) == 0))
            r->until = world.ms;
    }
}

size_t world_count(uint16_t type)
{
    size_t n = 0;
    for (size_t i = 0; i < world.n_record; i++)
        n += world.record[i].type == type && world.record[i].until == INT64_MAX;
    return n;
}

/* --- programs --------------------------------------------------------------------------------------------------------------------- */

void world_program(const char *name, const char *codes)
{
    struct program *p = NULL;
    for (size_t i = 0; i < world.n_program; i++)
        if (strcmp(world.program[i].name, name) == 0)
            p = &world.program[i];
    if (!p)
        p = &world.program[world.n_program++];
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->codes, sizeof p->codes, "%s", codes);
}

static const char *base_of(const char *path)
{
    return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static void next_code(const char *name, char out[16])
{
    snprintf(out, 16, "0");
    for (size_t i = 0; i < world.n_program; i++) {
        char *codes = world.program[i].codes;
        if (strcmp(world.program[i].name, name) != 0)
            continue;
        size_t n = strcspn(codes, " ");
        snprintf(out, 16, "%.*s", (int)n, codes);
        if (codes[n])
            memmove(codes, codes + n + 1, strlen(codes + n + 1) + 1);
    }
}

static void ends(void *arg)
{
    op_settle(arg, NULL);
}

void world_start(struct child *c)
{
    char code[16];
    world.call = mem_grow(world.call, world.n_call + 1, sizeof *world.call);
    world.call[world.n_call++] = (struct call){mem_str(base_of(c->argv->s[0])), strs_join(c->env, "\n")};
    next_code(base_of(c->argv->s[0]), code);
    c->timed_out = strcmp(code, "hang") == 0;
    c->status = c->timed_out ? 128 + 15 : (int)strtol(code, NULL, 10);
    world_at(world.ms + (!c->timed_out ? PROGRAM_MS : c->limit_ms ? c->limit_ms : PROGRAM_LIMIT_MS), ends, &c->op);
}

unsigned world_calls(const char *name, const char *with)
{
    unsigned n = 0;
    for (size_t i = 0; i < world.n_call; i++)
        n += strcmp(world.call[i].program, name) == 0 && (!with || strstr(world.call[i].env, with));
    return n;
}

/* --- beginning and end ------------------------------------------------------------------------------------------------------------ */

void world_new(int64_t start)
{
    memset(&world, 0, sizeof world);
    world_forget_answers();
    world.ms = start * 1000;
    world.zone = mem_array(WORLD_ZONES, sizeof *world.zone);
    world_zone("", 86400, "a.root-servers.test=192.0.2.240");
    world_zone("hk", 3600, "ns.hk=192.0.2.241");
    world_zone("com", 900, "ns.com=192.0.2.242");
    world_zone("example.hk", 3600, "ns1.example.hk=192.0.2.1 ns2.example.hk=192.0.2.2");
    world_zone("example.com", 300, "ns1.example.com=192.0.2.3 ns2.example.com=192.0.2.4");
    world_resolver("192.0.2.7");
    world_resolver("192.0.2.8");
    world_resolver("192.0.2.9");
}

void world_free(void)
{
    while (world.first) {
        struct happening *h = world.first;
        world.first = h->next;
        free(h);
    }
    for (size_t i = 0; i < world.n_call; i++) {
        free(world.call[i].program);
        free(world.call[i].env);
    }
    free(world.call);
    free(world.record);
    free(world.zone);
    memset(&world, 0, sizeof world);
}
