/* world.h: the world that a scenario lives in: a clock that jumps, DNS zones and their servers, resolvers with caches, programs that hooks
 * start. The fakes beside it (clock.c loop.c net.c dnsx.c child.c provider.c) show it to the agent through the headers of the real ones.
 *
 * Records know since when and until when they are there, so a server that lags, or stands still, only looks at an earlier moment; and a
 * resolver's cache is the moment at which it asked. */
#ifndef DCV_SCENARIO_WORLD_H
#define DCV_SCENARIO_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world_record {
    char owner[254], text[1024]; /* text: TXT octets, address, host name, CAA as "0 issue ca.example" */
    uint16_t type;
    uint32_t ttl;
    int64_t from, until; /* ms: at the primary */
    bool ours;           /* the provider put it there */
};

struct world_server { /* one address, of a name server or a resolver */
    char addr[46];
    bool resolver, dead, lame, bogus;
    int rcode;          /* answers this to everything; 0: properly */
    int64_t lag;        /* ms: how late it sees changes */
    int64_t stands;     /* ms: it still shows this moment, a resolver asks one that does; 0: it follows */
    unsigned asked;     /* questions so far */
    unsigned early;     /* resolvers: TXT asked while no authority had one: it caches that */
};

enum { WORLD_ZONES = 160, WORLD_HOSTS = 4 };
struct world_zone {
    char apex[254];
    uint32_t negative_ttl;
    struct {
        char name[254], addr[46];
    } host[WORLD_HOSTS];
    size_t n_host;
    unsigned batches, changes; /* what the provider was told to do */
    bool refuses, offline;     /* the provider says no; does not answer */
};

void world_new(int64_t start); /* wall clock, s: the root, hk, com, example.hk, example.com, two servers each, resolvers .8 and .9 */
void world_free(void);

int64_t world_ms(void); /* wall clock */
int64_t world_clock(void); /* ms: what the agent's clock says */
void world_clock_ahead(int64_t seconds); /* that one is wrong */
void world_jump(int64_t ms);
void world_at(int64_t ms, void (*fn)(void *arg), void *arg); /* something that happens during a run, or before the next one */
bool world_drop(void *arg);                                  /* takes that back */
bool world_next(int64_t *ms);                                /* when the next of these is due */
void world_happen(void);                                     /* what is due now */
void world_signal(int number);                               /* to the run that is on */
int world_signalled(void);

struct world_zone *world_zone(const char *apex, uint32_t negative_ttl, const char *servers); /* "ns1.example.hk=192.0.2.1 ..." */
struct world_zone *world_zone_of(const char *name);
struct world_zone *world_served(const char *addr, const char *name); /* the deepest zone of name that this address serves */
struct world_server *world_server(const char *addr);                 /* NULL: nothing answers there */
struct world_server *world_resolver(const char *addr);
void world_put(const char *owner, uint16_t type, uint32_t ttl, const char *text);
void world_put_ours(const char *owner, uint32_t ttl, const char *text); /* TXT */
void world_remove(const char *owner, uint16_t type, const char *text); /* NULL: all of the type */
const struct world_record *world_find(const char *owner, uint16_t type, const char *text, int64_t at); /* type 0, text NULL: any */
const struct world_record *world_each(size_t i);                                                       /* NULL: no more */
size_t world_count(uint16_t type);                                                                     /* there now */
const struct world_zone *world_zone_each(size_t i);

void world_program(const char *name, const char *codes); /* exit codes one after the other, the last for good: "1 1 0"; "hang" */
unsigned world_calls(const char *name, const char *with); /* how often it was started with this in its environment; NULL: at all */

struct child;
void world_start(struct child *c);
void world_ask(const char *resolver, const char *name, uint16_t type); /* somebody else asks it: it remembers the answer */
void world_forget_answers(void); /* dnsx.c: the resolvers' caches are empty */

#endif
