/* order_impl.h: an order and a run as the files of order/ share them. Nobody above includes this. */
#ifndef DCV_ORDER_ORDER_IMPL_H
#define DCV_ORDER_ORDER_IMPL_H

#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/names.h"
#include "base/secret.h"
#include "cert/chain.h"
#include "cert/csr.h"
#include "cert/issued.h"
#include "cert/jws.h"
#include "conf/conf.h"
#include "dcv/preflight.h"
#include "dcv/publish/publish.h"
#include "dcv/visible.h"
#include "dcv/zone/zone.h"
#include "net/child.h"
#include "net/loop.h"
#include "net/net.h"
#include "order/cas.h"
#include "order/order.h"
#include "order/run.h"
#include "order/when/calendar.h"
#include "order/when/due.h"
#include "order/when/replacement.h"

/* One place where the record of one name goes. A wildcard and its base share it. */
struct spot {
    struct order *order;
    char name[NAME_SIZE];          /* without "*." */
    char listed[NAME_SIZE + 2];    /* as in the certificate, for preflight: the wildcard where there is one */
    struct place place;
    bool placed;                   /* by record_at */
    char owner[NAME_SIZE];         /* before CNAMEs */
    struct find find;
    const struct site *site;       /* once found */
    struct preflight preflight;
    bool preflight_done;
    struct watch watch;
    struct conf_verify verify;
    bool seen;
    struct err err;                /* of find or preflight */
    struct err unseen;             /* of watch */
};

struct order {
    struct ca_case ca;             /* ca.op: the CA's calls */
    struct saved_order saved;
    enum order_state state;
    enum waits waits;
    const struct conf_cert *conf;  /* borrowed; NULL: the section is gone */
    const struct ca_open *at;      /* the CA, opened; NULL: its section is gone or broken */
    struct run *run;
    struct order *older;           /* of the same certificate, in this run; NULL: none */
    bool runnable;
    bool resting;                  /* failed or waits in this run: no more advancing until something new comes */
    bool held;                     /* a fault of its section or CA, or names that are refused: in this run it can only be wound up */
    bool dirty;                    /* to be written in this turn */
    bool look_done;                /* the CA's stage is known in this run */
    bool recheck;                  /* inbox or restart: look again */
    bool changed;                  /* a certificate was installed in this run */
    bool shed;                     /* order_shed() was here */
    unsigned pending;              /* operations and effects under way */
    struct err err;                /* what went wrong in this run; rc RC_OK: nothing */
    json_t *facts;
    /* scratch of the steps */
    struct spot *spot;
    size_t n_spot;
    bool spots_started, spots_found, spots_warm, ca_warm;
    void (*ca_call)(struct ca *c, struct ca_case *k);
    bool ca_busy;                  /* in line, queued behind the commit, or under way */
    bool ca_in_line, ca_runs;      /* where a CA takes only so many calls at once (rules.parallel) */
    struct err ca_err;             /* of the last CA call */
    void (*effect)(void *arg);     /* of our own, queued behind the commit; one at a time */
    struct job job;                /* the worker: work.c's or files.c's; one at a time */
    struct err job_err;            /* of the last job or effect of a step */
    bool begun, confirmed, submitted, fetched, installed_files, evidence_filed;
    enum { KEY_NONE, KEY_MAKING, KEY_MADE, KEY_STORED } key_at;
    enum { BACKUP_NONE, BACKUP_RUNS, BACKUP_DONE } backup_at;
    struct secret key_pem;         /* between generation and storing */
    struct csr csr;                /* made with it, until it is stored */
    uint8_t key_known[SHA256_SIZE]; /* of a key file that the CSR is known to be made with; zero: none yet in this run */
    struct timer timer;
    struct child check;
    struct strs check_env;
    enum { CHECK_NOT, CHECK_RUNS, CHECK_PASSED, CHECK_FAILED } check_state;
    struct issued *issued;         /* saved.certificate, read; by order_issued() */
    struct chain chain;            /* once built in step_issued */
    struct vet *vet;               /* steps/vet.c's; NULL: not at it */
    bool chain_ready;
    uint8_t *pfx;
    size_t n_pfx;
    bool pfx_ready;
    struct website *website;       /* website.c's; NULL: no use was made of it in this run */
};

/* A certificate section as this run looks after it: what is in use, what the calendar says, its hook. */
struct cert_work {
    struct run *run;
    const struct conf_cert *conf;
    char *name;
    struct cert_row *row;          /* of the store; never NULL (zeroed where unknown) */
    struct calendar_out cal;
    struct err err;                /* besides its order's: configuration, hook */
    bool selected, changed, dirty;
    bool replaced;                 /* by an earlier run of the replacement under way */
    struct ca_renewal renewal;
    char *renewal_pem;
    enum { RENEWAL_NOT, RENEWAL_ASKED, RENEWAL_KNOWN } renewal_at;
    struct child hook;
    struct strs env;
    enum { HOOK_NONE, HOOK_DUE, HOOK_RUNS, HOOK_ENDED } hook_at;
    struct deployed *deployed;     /* deployed.c's, while it looks */
    enum { SERVED_NOT, SERVED_DUE, SERVED_LOOKS, SERVED_SEEN } served_at;
};

/* A saved_cert with strings of its own. */
struct cert_row {
    struct saved_cert c;
    char *own[8];
};
struct cert_row *cert_row_load(struct store *s, const char *name, struct err *e); /* never NULL; zeroed but for the name where unknown, or not to be read: e */
void cert_row_set(struct cert_row *row, const char **field, const char *text); /* field: &row->c.X */
void cert_row_free(struct cert_row *row);
void cert_row_facts(struct cert_row *row, const struct cert_facts *f);

/* renewals.c: renewal information of CAs */
bool renewal_ask(struct run *r, struct cert_work *w);   /* true: asked; renewals_pump() goes on with the certificate when the answer is in */
void renewals_pump(struct run *r);
bool renewals_busy(const struct run *r);
void renewal_replaces(const struct cert_work *w, struct order *o); /* names the certificate in use in a new order */

/* hooks.c: the environment of a hook, and deploy hooks run until they exit 0 */
void hook_env(struct strs *env, const char *key, const char *value);
void cert_hook_env(struct strs *env, const char *state_dir, const char *name, const char *names, const char *state, int64_t not_after);
void hooks_pump(struct run *r);
bool hooks_busy(const struct run *r);
void run_cert_installed(struct run *r, const struct order *o);
struct cert_work *run_cert(struct run *r, const char *name); /* NULL: not looked after */

/* deployed.c: what the servers of served= send after the hook */
void deployed_expect(struct cert_work *w, bool installed); /* it is looked at as soon as no hook is due; installed: just now */
void deployed_pump(struct run *r);
bool deployed_busy(const struct run *r);
void deployed_stop(struct cert_work *w);

struct run {
    struct run_setup setup;
    struct session *s;             /* configuration, store, net, zones, publish */
    struct order **order;
    size_t n_order;
    struct cas *cas;               /* the CA sections, opened once a run */
    struct cert_work **cert;       /* one a certificate section that this run looks after */
    size_t n_cert;
    struct map cert_of, order_of;  /* by certificate: struct cert_work; struct order, the newest */
    struct map order_by_id;
    int64_t deadline_ms, counted_at; /* loop_now() scale */
    int64_t inbox_version;
    bool stop;                     /* deadline or signal: start nothing more */
    enum { RUN_WORKS, RUN_TELLS, RUN_ENDS } phase;
    struct timer poll, limit;
    struct teller *teller;
    struct fetcher *fetcher[2];    /* what certificates name: at public addresses; at private ones too. Made when first wanted */
    struct hierarchy *known;       /* likewise */
    struct err err;                /* of the run as a whole (store) */
    struct err hand_err;           /* the first hand-over that was refused */
};

/* replacement.c */
void replacement_count(const struct run *r, struct replacement_count *out);

/* start.c: which orders this run works on */
void run_start_due(struct run *r, struct cert_work *w);  /* a new order where the calendar says so */
bool run_gather(struct run *r, struct err *e);          /* certificates, CAs, open orders, new ones that are due */
struct order *run_begin(struct run *r, const struct conf_cert *c, bool forced, struct err *e); /* an order that joins the run */
void calendar_for(const struct run *r, const struct cert_work *w, bool forced, struct calendar_out *out);

/* tell.c: what people hear of a run: waits, failures, reminders, notify_hook, and what status will show */
bool tell_start(struct run *r, struct err *e);          /* false: the store failed */
bool tell_busy(const struct run *r);
void tell_free(struct run *r);
enum rc tell_rc(const struct run *r);                    /* the worst of all */
json_t *tell_json(const struct run *r);
struct order *run_order_of(const struct run *r, const char *cert); /* the newest of this run; NULL */

/* order.c */
struct order *order_load(struct run *r, const struct saved_order *saved);
struct order *order_begin(struct run *r, const struct conf_cert *c, bool forced, struct err *e);
void order_free(struct order *o);
void order_shed(struct order *o);                       /* closed for good: what its steps needed goes, what is told of it stays */
bool order_rests(const struct order *o);                /* nothing is to be done for it now */
void order_wake(struct order *o);                       /* all that a done() does besides noting its result */
void order_advance(struct order *o, struct run *r);     /* the only writer of state; called by the turn alone */
void order_jump(struct order *o, enum order_state to);  /* for hand-overs and winding up: order.c is the only caller besides hand.c */
void order_wait(struct order *o, enum waits waits);
enum turn order_fault(struct order *o, const struct err *e); /* notes the failure, counts it, sets backoff; TURN_FAILED */
enum turn order_unseen(struct order *o, const struct err *e); /* not everybody sees it yet: waits for propagation, until another run; TURN_WAIT */
void order_save(struct order *o);                       /* facts and words into saved, marks dirty */
void order_settled(struct order *o);                    /* one operation less under way; wakes */
enum turn order_refused(struct order *o);               /* the CA's refusal, or the fault of its last call; waits as the CA says */

/* facts */
int64_t fact_num(const struct order *o, const char *key);
void fact_set(struct order *o, const char *key, int64_t n);

/* hand.c */
bool run_inbox(struct run *r, struct err *e);

/* steps/accept.c: is this the certificate that was ordered? Fills saved.certificate, else keeps it aside and says why. */
bool order_accept(struct order *o, const void *p, size_t n, struct err *e);
const struct issued *order_issued(struct order *o, struct err *e); /* saved.certificate; NULL: e. The order's, until that changes */
bool order_chain(struct order *o, const char *more_pem, struct err *e); /* fills o->chain from saved.certificate, more_pem, the configured files */

/* steps/vet.c */
enum turn order_vet(struct order *o);                   /* NEXT: o->chain is whole, and nothing of it revoked as far as is known */
void vet_stop(struct order *o);
void vet_free(struct order *o);
const struct hierarchy *run_known(struct run *r);

/* steps/ */
enum turn step_new(struct order *o, struct run *r);
enum turn step_prepared(struct order *o, struct run *r);
enum turn step_challenged(struct order *o, struct run *r);
enum turn step_published(struct order *o, struct run *r);
enum turn step_visible(struct order *o, struct run *r);
enum turn step_validated(struct order *o, struct run *r);
enum turn step_submitted(struct order *o, struct run *r);
enum turn step_issued(struct order *o, struct run *r);
enum turn step_installed(struct order *o, struct run *r);
enum turn step_done(struct order *o, struct run *r);
enum turn step_failed(struct order *o, struct run *r);

/* steps/csr.c: csr_only: key, CSR and the key's backup in whatever state the order is, which stays */
void order_csr(struct order *o);
bool order_own_key(const struct order *o);              /* steps/prepare.c; false: its CSR came from csr_file */
/* steps/issue.c: the key that the CSR was made with, out of keys/; none (true) where the CSR came from elsewhere. pem: the caller's to free */
bool order_load_key(struct order *o, struct secret *pem, struct err *e);
enum turn order_key_and_csr(struct order *o);           /* steps/prepare.c; NEXT: saved.csr is there */
bool order_backup_possible(const struct order *o, struct err *e); /* steps/issue.c; looked at before the CA is asked for anything */
enum turn order_key_backup(struct order *o);            /* steps/issue.c; NEXT: it is done, or none is wanted */

/* steps/spots.c */
void spots_start(struct order *o);                      /* discovery begins; its result is judged by spots_find */
enum turn spots_find(struct order *o);                  /* sites; NEXT when all are known */
enum turn spots_writable(struct order *o);              /* is there a provider for each, before a code is asked for? */
const struct section *spot_writer(const struct spot *s, struct err *e); /* NULL: NO_PROVIDER */
void spots_warm(struct order *o);
enum turn spots_preflight(struct order *o);
struct proof *spot_proof(const struct spot *s);         /* the CA's, by this spot's name; valid until another one is made */
enum turn spots_watch(struct order *o);
bool spots_served(struct order *o);                     /* all were seen at their authorities in this run */
void spots_reset_watch(struct order *o);
void spots_forget(struct order *o);                     /* what was found out about its names, where no other order has them */
void spots_free(struct order *o);

/* A way to prove names, as the states see it. Names proven by e-mail have no spots: records.c finds nothing to do for them. */
struct method_ops {
    enum turn (*possible)(struct order *o);    /* prepared: may it be put there? For all names, before a code is asked for */
    enum turn (*put)(struct order *o);         /* challenged: NEXT: what the CA wants is in place, and nothing older */
    enum turn (*seen)(struct order *o);        /* published: NEXT: by all who count; BACK: it is not in place any more */
    enum turn (*ready)(struct order *o);       /* visible: NEXT: the CA may look; BACK: it is not in place, or the CA wants something else */
    int64_t (*settled)(const struct order *o); /* when no cache can hold what stood there before, s */
    void (*look_anew)(struct order *o);        /* whoever has seen it looks again */
};
extern const struct method_ops by_record, by_website;

/* steps/publish.c: what the other states want of the order's method */
enum turn proofs_possible(struct order *o);
void proofs_look_anew(struct order *o);
bool proofs_release(struct order *o, struct err *e);    /* nothing of it is wanted any more */
enum turn proofs_gone(struct order *o);                 /* released, and NEXT once nothing of ours is left */

/* website.c */
void website_release(struct order *o);
enum turn website_gone(struct order *o);
void website_stop(struct order *o);                     /* the run ends: whatever is under way; what was begun is in the order's facts */
void website_free(struct order *o);

/* The CA, through wrappers: each call settles into o->ca.stage and wakes the order. */
bool ca_ready(struct order *o);                         /* the stage is known; else a look is started or under way, or ca_err says why not */
void ca_serve_line(struct run *r);                      /* the turn, after all orders: calls of CAs that take only so many at once */
void ca_stop(struct order *o);                          /* the call under way, if any: a person hands something over */
void ca_effect(struct order *o, void (*call)(struct ca *c, struct ca_case *k)); /* behind the commit */
void order_effect(struct order *o, void (*effect)(void *arg));                  /* the same for effects of our own; arg is the order */
const struct ca_rules *order_rules(const struct order *o);
enum turn order_wait_ca(struct order *o);               /* waits as the CA says; looks again in this run where that is worth it */
enum turn order_wait_until(struct order *o, int64_t when, enum waits waits); /* in this run where it ends in time, else for a later one */

/* work.c: what takes its time, in the worker: making a key and its request, the encrypted backup of a key, PKCS#12 */
void work_key(struct order *o, enum key_type type);
void work_backup(struct order *o);
void work_pfx(struct order *o);
void work_start(struct order *o, const struct job *job); /* a copy: op.done, work, drop, data; o->pending counts it */
void work_stop(struct order *o); /* whatever is under way; keys and passwords in it are wiped */

/* files.c: what is put on the disk, in the worker; effects, for order_effect(). What came of it: o->job_err, key_at, installed_files, evidence_filed */
void files_key(void *order);
void files_install(void *order);
void files_evidence(void *order);

/* evidence */
void order_evidence(struct order *o, const char *kind, json_t *j); /* takes j */
void order_log(struct order *o, enum level level, const char *step, const char *code, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
