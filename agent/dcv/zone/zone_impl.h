/* zone_impl.h: what the files of the find operation share.
 *
 * A site is one name on its way: it waits for its start (a cut), asks there, follows a referral to the next cut, a CNAME to the next
 * site, and in the end waits until the servers of its cut are known. Sites live until zones_forget(), all the rest until zones_free(). */
#ifndef DCV_DCV_ZONE_IMPL_H
#define DCV_DCV_ZONE_IMPL_H

#include "base/map.h"
#include "conf/conf.h"
#include "dcv/tour.h"
#include "dcv/zone/zone.h"

enum { HOPS_MAX = 8, DEPTH_MAX = 32, WALKERS = 4, WALK_MAX = 16, NS_MAX = 32, GLUE_MAX = 64 };

struct zhost { /* a name server's name and its addresses, from discovery */
    struct zhost *next;
    char name[254];
    struct zones *of;
    struct endpoints at;
    struct tour tour[2];
    unsigned open;
    bool done;
    struct waits waits;
};

struct gate { /* the first name below a label asks, those with the same label wait: a referral may serve them all */
    struct gate *next;
    char key[254];
    struct waits waits;
};

struct zcut { /* a zone cut, or a start that is taken for one until an authority says otherwise */
    struct zone z;
    struct zcut *next;
    struct zones *of;
    struct strs ns;        /* from discovery, the referral, in the end the zone's own */
    struct endpoints glue; /* name: the server's */
    struct endpoints walk; /* addresses to ask while walking */
    char moved[254];       /* no cut of its own: this is where it lies; "" */
    bool started, ready, completing, whole;
    size_t hosts_open;
    struct err err;
    struct waits on_ready, on_whole;
    struct tour start, child; /* NS from discovery; NS from the zone itself */
    struct gate *gate;
};

enum site_mode { SITE_FOLLOW, SITE_STAY, SITE_ANYWHERE, SITE_MODES };
enum site_answer { SAID_NOTHING, SAID_ZONE, SAID_ALIAS, SAID_REFERRAL };

struct zsite {
    struct site s;
    struct zones *of;
    enum site_mode mode;
    bool climbing;     /* looking for the cut of an alias that stays */
    struct zcut *cut;  /* asked at */
    struct zcut *home; /* the cut of the name */
    unsigned gate_depth, depth;
    struct gate *gate; /* held by this one */
    enum site_answer said;
    bool nxdomain;
    struct way {       /* NULL once it is done: thousands of sites are kept */
        struct tour tour;
        char ask[254]; /* the name asked now: the name itself, or a parent of an alias */
        char apex[254], target[254], mname[254];
    } *way;
    uint32_t serial, negative_ttl;
    struct strs ns; /* of a referral */
    struct endpoints glue;
    struct wild *wild;
    struct zsite *waiting_for;
    bool done;
    struct err err;
    struct waits waits;
};

struct zones {
    struct net *net;
    const struct conf *conf;
    struct zhost *host;
    struct zcut *cut;
    struct map site_of[SITE_MODES]; /* by name */
    struct map caa_of, ahead_of;    /* preflight's, shared likewise */
    struct sec_known *sec;
    char random[16]; /* label that nobody has */
};

/* zone/addr.c: servers of a cut and their addresses */
struct zcut *cut_known(const struct zones *z, const char *apex);
struct zcut *cut_make(struct zones *z, const char *apex);
void cut_ready(struct zcut *c, void (*go)(void *arg), void *arg); /* walk is known, or err is set, or moved */
void cut_whole(struct zcut *c, void (*go)(void *arg), void *arg); /* z.server is known, or err is set */
void cut_free(struct zcut *c);
void host_free(struct zhost *h);

/* zone/walk.c: from the start to the authority */
void site_begin(struct zsite *s);

/* zone/wild.c: is it there by itself, or a wildcard's? */
void wild_start(struct zsite *s, void (*go)(void *arg)); /* sets s->s.wildcard */
void wild_free(struct zsite *s);

/* preflight_caa.c, preflight_dnssec.c */
void caa_forget(struct zones *z, const char *name); /* NULL: all */
void sec_forget(struct zones *z);

/* zone.c */
struct zsite *site_get(struct zones *z, const char *name, enum site_mode mode, unsigned depth);
void site_finish(struct zsite *s);
bool site_failed(struct zsite *s, const struct err *e);

#endif
