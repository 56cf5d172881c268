/* scene.h: what scenarios are written with: a configuration, runs of cron, what a person hands over, and what is expected of it all.
 *
 * Every scene has a folder of its own with the real store, keys and certificates. Expectations say what was wanted and what came, with the
 * messages of the last run. A run is what `dcvagent run` does without a terminal; a hand-over what `dcvagent code` and the like do. */
#ifndef DCV_SCENARIO_SCENE_H
#define DCV_SCENARIO_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/record.h"
#include "order/run.h"
#include "store/store.h"
#include "tests/scenario/world.h"

enum { SPRING_2026 = 1777593600 }; /* 2026-05-01: certificates last 199 days */

struct scene_conf { /* lines added to the sections; NULL: none */
    const char *agent, *provider, *ca;
    const char *verify; /* NULL: settle = 0s */
    const char *shop;   /* all of [certificate shop] but ca and key_type; NULL: www.example.hk example.hk, multi-domain */
    const char *more;   /* further sections */
    bool no_shop, no_provider;
};
void scene_config(const struct scene_conf *c); /* writes it; from the next run on */
#define config(...) scene_config(&(struct scene_conf){__VA_ARGS__})
const char *scene_path(const char *name); /* within the scene's folder; valid until the eighth call after */

int scene_begin(void **state);
int scene_end(void **state);
#define scenario(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)
/* All of them, or those that $SCENE names (with * and ?); $SCENE_VERBOSE shows every run. */
#define scenes(tests) (cmocka_set_test_filter(getenv("SCENE")), cmocka_run_group_tests(tests, NULL, NULL))

void later(int64_t seconds);

/* Runs. The exit code is that of `dcvagent run`. */
enum rc scene_run(const struct run_setup *setup);
void scene_expect_run(const struct run_setup *setup, enum rc want, const char *file, int line);
#define run_gives(want) scene_expect_run(&(struct run_setup){0}, want, __FILE__, __LINE__)
#define run_with(want, ...) scene_expect_run(&(struct run_setup){__VA_ARGS__}, want, __FILE__, __LINE__)

/* What a person does. */
void scene_hand(const char *cert, const char *kind, const char *host, struct bytes text, enum rc want, const char *file, int line);
static inline struct bytes text_of(const char *s)
{
    return (struct bytes){(const uint8_t *)s, strlen(s)};
}
#define hand(cert, kind, text) scene_hand(cert, kind, "", text_of(text), RC_OK, __FILE__, __LINE__)
#define hand_for(cert, kind, host, text) scene_hand(cert, kind, host, text_of(text), RC_OK, __FILE__, __LINE__)
#define hand_refused(want, cert, kind, text) scene_hand(cert, kind, "", text_of(text), want, __FILE__, __LINE__)
const char *scene_certificate(const char *cert, int days, const char *names, int64_t until); /* what the CA issues for the CSR; names NULL: the order's; until 0: in `days` */
const char *scene_other_key(const char *names); /* a certificate for another key */
#define import(cert, days) hand(cert, "import", scene_certificate(cert, days, NULL, 0))

/* Takes the order of a certificate from where it is to this state by runs and hand-overs, and says the exit code of the last run. */
enum { TO_PIN, TO_CODE, TO_CONFIRM, TO_SUBMIT, TO_IMPORT, TO_DONE };
void scene_walk(const char *cert, int to, const char *file, int line);
#define walk(cert, to) scene_walk(cert, to, __FILE__, __LINE__)

/* Expectations. */
void scene_at(const char *cert, const char *state, const char *waits, const char *file, int line);
void scene_said(const char *text, unsigned times, const char *file, int line);
void scene_txt(const char *owner, const char *value, bool there, const char *file, int line);
unsigned scene_heard(const char *text); /* how often the last run said it */
void scene_debug(bool on);              /* runs with -vv */
#define at(cert, state, waits) scene_at(cert, state, waits, __FILE__, __LINE__)
#define said(text) scene_said(text, 1, __FILE__, __LINE__)
#define not_said(text) scene_said(text, 0, __FILE__, __LINE__)
#define silent() scene_said("", 0, __FILE__, __LINE__)
#define txt_there(owner, value) scene_txt(owner, value, true, __FILE__, __LINE__)
#define txt_gone(owner, value) scene_txt(owner, value, false, __FILE__, __LINE__)
#define notified(event) world_calls("notify", "DCVAGENT_EVENT=" event)
int64_t live(const char *cert);       /* N that live/NAME shows; 0: none */
unsigned ledger_rows(void);           /* open */
unsigned orders(const char *cert);    /* ever begun */
bool order_kept(const char *cert, unsigned back, struct saved_order *out); /* the newest but `back`; the caller clears it */
bool order_spki(const char *cert, unsigned back, char out[65]);
unsigned evidence_of(const char *cert, const char *kind);

#endif
