/* walk.c: one walk through the portal's pages, for one call of ca.h.
 *
 *   a page comes -> it is recognised and read (act.h) -> walk_decide() -> a button is pressed, and the next page comes; or the walk ends (outcome.c)
 *
 * After a doubtful answer the next walk begins at the start page and only looks until the portal has shown where it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"
#include "cert/csr.h"

enum {
    LEFT_MS = 300000 /* a page that was left is good for so long */,
    LEFT_MAX = PAGE_MAX, /* octets, of all pages that were left */
    PAGES_MAX = 40,
    ASKED_FOR = HOUR,
    REFRESHES_MAX = 5,
    PIN_FILE_MAX = 256,
    CODE_MAX = 256
};

static void visited(struct op *op, const struct err *e);

/* --- the walk's own life ---------------------------------------------------------------------------------------------------------------- */

static void walk_free(struct walk *w)
{
    store_then_forget(w->c->store, w);
    op_cancel(&w->job.op);
    op_cancel(&w->timer.op);
    visit_clear(&w->visit);
    codefile_free(w->codefile);
    pickup_free(w->pickup);
    act_clear(&w->act);
    reading_clear(&w->reading);
    page_free(w->page);
    secret_free(&w->pin);
    free(w->csr);
    free(w->mailed_code);
    free(w->to);
    free(w->from);
    strs_free(&w->names);
    json_decref(w->h);
    free(w);
}

static void detach(struct op *op)
{
    struct ca_case *k = (struct ca_case *)op;
    walk_free(k->impl);
    k->impl = NULL;
}

void window_forget_page(struct window *o)
{
    str_wipe(&o->left);
    free(o->left_url);
    o->left_url = NULL;
}

/* The oldest go where there are too many to keep; their orders begin anew. */
static void make_room(struct ca *c, size_t n)
{
    for (;;) {
        struct window *oldest = NULL;
        size_t sum = n;
        for (size_t i = 0; i < c->n_window; i++) {
            struct window *o = c->window[i];
            sum += o->left.n;
            if (o->left.n && (!oldest || o->left_at < oldest->left_at))
                oldest = o;
        }
        if (!oldest || sum <= LEFT_MAX)
            return;
        window_forget_page(oldest);
    }
}

/* Where codes were taken or the CSR is wanted the order comes back, mostly soon: the page stays open, and is not fetched twice. Kept as it came: a tree
 * is ten times as large. */
static void leave_page(struct walk *w)
{
    struct window *o = w->window;
    window_forget_page(o);
    make_room(w->c, w->visit.file.n);
    o->left = w->visit.file;
    o->left_url = w->visit.at;
    memcpy(o->left_charset, w->visit.charset, sizeof o->left_charset);
    o->left_at = loop_now(net_loop(w->c->net));
    w->visit.file = (struct str){0};
    w->visit.at = NULL;
}

void walk_finish(struct walk *w, const struct err *e)
{
    struct ca_case *k = w->k;
    struct ca *c = w->c;
    struct err own = e ? *e : (struct err){0};
    if (!e && w->step != STEP_ASK)
        json_object_del(w->h, "asked");
    if (!w->probe)
        handover_save(k->o, json_incref(w->h));
    case_stand(c, k, w->h);
    if (w->stage != CA_NONE)
        k->stage = w->stage;
    if (e)
        err_at(&own, "%s", c->name);
    if (!e && !w->probe && (w->step == STEP_CODES || w->step == STEP_PROVEN))
        leave_page(w);
    k->impl = NULL;
    walk_free(w);
    op_settle(&k->op, &own);
}

/* --- the order as pages see it ---------------------------------------------------------------------------------------------------------- */

/* Has anything come of the reference number that the order has? */
static bool known_there(const json_t *h)
{
    static const char *const signs[] = {"codes", "mailed", "confirmed", "checking", "given", "sent", "submitted"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (json_object_get(h, signs[i]))
            return true;
    return false;
}

/* Handed over by `pin` for this reference number; else that of pin_file, which comes from one envelope with reference_number= and goes with no other.
 * None: it stays empty. */
static bool find_pin(struct walk *w, struct err *e)
{
    const struct conf_cert *conf = w->k->conf;
    const char *written = conf && conf->reference_number ? conf->reference_number : "";
    const char *wanted = *w->k->o->reference ? w->k->o->reference : written;
    struct secret typed = {0};
    if (!pin_kept(store_dir(w->c->store), w->k->o->cert, w->reference, &w->pin, e))
        return false;
    if (w->pin.n && (!*wanted || strcmp(wanted, w->reference) == 0))
        return true;
    secret_free(&w->pin);
    bool other = *written && strcmp(written, wanted) != 0;
    if (other && !known_there(w->h)) { /* a new envelope */
        free(w->k->o->reference);
        w->k->o->reference = mem_str(written);
        wanted = written;
        other = false;
    }
    snprintf(w->reference, sizeof w->reference, "%s", wanted);
    if (!conf || !conf->pin_file || other)
        return true;
    bool ok = secret_read(&typed, conf->pin_file, PIN_FILE_MAX, e) && pin_digits(&typed, &w->pin, e);
    secret_free(&typed);
    return ok || err_at(e, "%s", conf->pin_file);
}

static bool hex_octets(const char *hex, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned octet;
        if (sscanf(hex + 2 * i, "%2x", &octet) != 1)
            return false;
        out[i] = (uint8_t)octet;
    }
    return true;
}

static bool describe_order(struct walk *w, struct err *e)
{
    const struct saved_order *o = w->k->o;
    const struct conf_cert *conf = w->k->conf;
    struct str pem = STR_INIT(65536);
    if (!find_pin(w, e))
        return false;
    strs_split(&w->names, o->names);
    if (o->csr.n && csr_pem(o->csr.p, o->csr.n, &pem))
        w->csr = str_take(&pem);
    str_free(&pem);
    const char *mailed = by_mail(w->k) && w->k->n_proof ? w->k->proof[0].value : NULL;
    w->mailed_code = mem_str(mailed);
    w->order = (struct act_order){.names = &w->names,
                                  .reference = w->reference,
                                  .pin = w->pin.n ? &w->pin : NULL,
                                  .product = product_words[conf ? conf->product : PRODUCT_NONE],
                                  .organisation = conf ? conf->expect_organisation : NULL,
                                  .chinese = conf && conf->organisation_name,
                                  .method = by_mail(w->k)   ? ACT_EMAIL
                                            : by_file(w->k) ? ACT_WEBSITE
                                                            : ACT_DNS,
                                  .email = conf ? conf->validation_email : NULL,
                                  .mailed_code = w->mailed_code,
                                  .csr_pem = {(const uint8_t *)w->csr, w->csr ? strlen(w->csr) : 0}};
    if (strlen(o->spki) == 2 * sizeof w->spki && hex_octets(o->spki, w->spki, sizeof w->spki))
        w->order.spki = (struct bytes){w->spki, sizeof w->spki};
    return true;
}

/* --- visiting --------------------------------------------------------------------------------------------------------------------------- */

static struct window *window_of(struct ca *c, const char *order)
{
    for (size_t i = 0; i < c->n_window; i++)
        if (strcmp(c->window[i]->order, order) == 0)
            return c->window[i];
    struct window *n = mem_new(sizeof *n);
    snprintf(n->order, sizeof n->order, "%s", order);
    n->session = portal_session_new(c->http, guide_origins(c->guide));
    c->window = mem_grow(c->window, c->n_window + 1, sizeof *c->window);
    return c->window[c->n_window++] = n;
}

void walk_visit(struct walk *w, const char *url, const struct page_send *form)
{
    char *to = mem_str(url), *from = w->page ? mem_str(page_url(w->page)) : NULL;
    visit_clear(&w->visit);
    free(w->to);
    free(w->from);
    w->to = to;
    w->from = from;
    page_free(w->page);
    w->page = NULL;
    bool post = form && strcmp(form->method, "POST") == 0;
    w->visit = (struct visit){.op = {.done = visited, .owner = w}, .url = to, .post = post, .once = form, .from = from};
    if (post) {
        w->visit.body = (struct bytes){(const uint8_t *)(form->body.p ? form->body.p : ""), form->body.n};
        w->visit.content_type = form->content_type;
    }
    portal_visit(w->window->session, &w->visit);
}

static const char *start_url(const struct walk *w)
{
    const char *own = w->k->conf ? w->k->conf->url : NULL, *section = section_text(w->c->section, "url");
    return own ? own : section ? section : guide_start(w->c->guide);
}

static void visit_start(struct walk *w)
{
    page_free(w->page); /* nobody led there */
    w->page = NULL;
    walk_visit(w, start_url(w), NULL);
}

/* --- a page has come -------------------------------------------------------------------------------------------------------------------- */

/* Whoever is let in has given a good PIN, whatever else the page says. */
static bool pin_is_proven(const struct walk *w)
{
    const struct sight *s = &w->sight;
    bool inside = s->known && s->role != ROLE_START && s->role != ROLE_LOGIN && s->role != ROLE_CLOSED && s->role != ROLE_REFUSED;
    return s->logged_in && inside && s->error != PAGE_LOGIN_REFUSED && s->error != PAGE_LOCKED && s->error != PAGE_SESSION_LOST &&
           s->error != PAGE_BUSY;
}

static enum walk_doubt doubt_of(const json_t *h)
{
    const char *what = json_str(json_object_get(h, "sent"), "what");
    return strcmp(what, "final") == 0 ? DOUBT_FINAL : *what ? DOUBT_CSR : DOUBT_NOT;
}

static void look_around(struct walk *w)
{
    struct sight *s = &w->sight;
    const struct reading *r = &w->reading;
    s->goal = w->goal;
    s->known = r->page != NULL;
    s->role = r->role;
    s->error = r->error;
    s->status = w->visit.status;
    s->proves = s->known && guide_page_proves(r->page);
    s->doubt = doubt_of(w->h);
    s->given = json_num(w->h, "given") != 0;
    s->checking = json_num(w->h, "checking") != 0;
    s->mailed = json_num(w->h, "mailed") != 0;
    s->mailed_code = w->mailed_code != NULL;
    s->other_code = s->known && r->role == ROLE_PROOF && walk_other_code(w);
}

static void begin_anew(struct walk *w)
{
    portal_session_forget(w->window->session);
    w->sight.again = true;
    w->sight.pressed_login = w->sight.logged_in = w->sight.let_in = false;
    w->sight.pressed_confirm = w->sight.pressed_csr = w->sight.pressed_final = false;
    visit_start(w);
}

static void take_step(struct walk *w)
{
    switch (w->step) {
    case STEP_ON:
    case STEP_LOGIN:
    case STEP_MAIL:
    case STEP_CONFIRM:
    case STEP_GIVE_CSR:
    case STEP_SUBMIT:
        walk_press(w);
        break;
    case STEP_AGAIN:
        begin_anew(w);
        break;
    default:
        walk_outcome(w);
    }
}

/* What stands on the page is believed of the order: its codes, that it is proven, that its CSR is there. */
static bool believes(enum walk_step step)
{
    return step == STEP_CODES || step == STEP_AWAIT_MAIL || step == STEP_CHECKING || step == STEP_PROVEN || step == STEP_ISSUING ||
           step == STEP_PICKUP;
}

static bool of_another_order(struct walk *w, struct err *e)
{
    return believes(w->step) && !act_agrees(w->c->guide, w->page, &w->reading, &w->order, &w->act.told, e);
}

/* The page is read as far as it can be; why: what could not. */
static void page_is_read(struct walk *w, const struct err *why)
{
    struct err e = {0};
    look_around(w);
    if (pin_is_proven(w)) {
        w->sight.pin_proven = w->sight.let_in = true;
        if (w->pair_known && w->pair.fate != PIN_PROVEN && !pin_note(store_dir(w->c->store), &w->pair, PIN_PROVEN, clock_now(), &e)) {
            walk_finish(w, &e);
            return;
        }
    }
    w->step = walk_decide(&w->sight);
    if (why->rc != RC_OK && (w->step == STEP_UNKNOWN || w->reading.page))
        walk_unknown(w, why);
    else if (of_another_order(w, &e))
        walk_unknown(w, &e);
    else
        take_step(w);
}

static void file_is_read(struct walk *w, const struct err *e)
{
    page_is_read(w, e ? e : &(struct err){0});
}

static void here_is_page(struct walk *w)
{
    struct err why = {0};
    char url[2048], safe[200];
    const char *at = page_url(w->page);
    reading_clear(&w->reading);
    reading_take(w->c->guide, w->page, &w->order, &w->reading, &why);
    if (!w->reading.page && w->reading.error == PAGE_FINE && w->visit.status < 400 && w->refreshes < REFRESHES_MAX &&
        page_refresh(w->page, url, sizeof url)) {
        w->refreshes++;
        walk_visit(w, url, NULL);
        return;
    }
    text_safe(safe, sizeof safe, at, url_bare(at));
    say(LEVEL_INFO, &(struct about){.cert = w->k->o->cert, .step = "portal"}, NULL, "page %s at %s",
        w->reading.page ? guide_page_name(w->reading.page) : "not recognised", safe);
    if (codefile_wanted(w))
        codefile_fetch(w, file_is_read);
    else
        page_is_read(w, &why);
}

/* What was certainly not sent needs no looking after. */
static void nothing_sent(struct walk *w)
{
    struct err ignored = {0};
    if (w->sends_pin) {
        if (w->pair.fate == PIN_SENT)
            pin_note(store_dir(w->c->store), &w->pair, w->before.fate, w->before.at, &ignored);
        json_object_set_new(w->h, "used", json_integer(w->used_before));
    }
    if (w->step == STEP_GIVE_CSR || w->step == STEP_SUBMIT)
        json_object_del(w->h, "sent");
    if (w->step == STEP_GIVE_CSR)
        json_object_del(w->h, "given");
    if (w->step == STEP_MAIL)
        json_object_del(w->h, "mailed");
}

static void visited(struct op *op, const struct err *e)
{
    struct walk *w = op->owner;
    bool pressed = w->visit.once;
    act_clear(&w->act);
    if (e && pressed && w->visit.sent) {
        walk_lost(w, e);
        return;
    }
    if (e) {
        if (pressed)
            nothing_sent(w);
        walk_finish(w, e);
        return;
    }
    w->page = w->visit.page;
    w->visit.page = NULL;
    if (++w->pages <= PAGES_MAX) {
        here_is_page(w);
        return;
    }
    struct err circle = {0};
    err_set(&circle, RC_PAGES, "PORTAL_CIRCLE", "the portal's pages lead in circles; stopped after %d", PAGES_MAX);
    walk_unknown(w, &circle);
}

/* --- beginning -------------------------------------------------------------------------------------------------------------------------- */

static void left_page_taken(struct op *op, const struct err *e)
{
    (void)e;
    here_is_page(op->owner);
}

/* false: none was left by this order, or it is old. */
static bool take_left_page(struct walk *w)
{
    struct loop *l = net_loop(w->c->net);
    struct window *o = w->window;
    struct err none = {0};
    if (!o->left.n || loop_now(l) - o->left_at >= LEFT_MS) {
        window_forget_page(o);
        return false;
    }
    w->visit = (struct visit){.status = 200, .file = o->left, .at = o->left_url};
    memcpy(w->visit.charset, o->left_charset, sizeof w->visit.charset);
    o->left = (struct str){0};
    o->left_url = NULL;
    if (!page_parse(&w->page, w->visit.file.p, w->visit.file.n, w->visit.charset, w->visit.at, &none))
        return false;
    w->sight.pressed_login = w->sight.logged_in = w->sight.pin_proven = w->sight.let_in = true;
    w->timer = (struct timer){.op = {.done = left_page_taken, .owner = w}, .at = loop_now(l)};
    loop_timer(l, &w->timer);
    return true;
}

/* Only a person can tell how it goes on, and was asked: not every run of cron logs in for that. true: the walk is over. */
static bool waits_still(struct walk *w)
{
    int64_t now = clock_now(), mailed = json_num(w->h, "mailed"), asked = json_num(json_object_get(w->h, "asked"), "at");
    uint32_t lifetime = w->c->rules.lifetime;
    if (w->probe || w->k->forced || w->k->permit)
        return false;
    if (w->goal == GOAL_CODE && by_mail(w->k) && mailed && !w->mailed_code && (!lifetime || now < mailed + lifetime))
        walk_await_mail(w);
    else if (asked && asked <= now && now < asked + ASKED_FOR)
        walk_ask_again(w);
    else
        return false;
    return true;
}

void walk_start(struct ca *c, struct ca_case *k, enum walk_goal goal, bool probe)
{
    struct walk *w = mem_new(sizeof *w);
    struct err e = {0};
    w->c = c;
    w->k = k;
    w->goal = goal;
    w->probe = probe;
    w->h = handover_load(k->o);
    k->impl = w;
    k->waits = "";
    *k->ask = 0;
    k->look_again = 0;
    op_start(&k->op, detach);
    case_stand(c, k, w->h);
    if (!portal_http(c, &e) || !describe_order(w, &e)) {
        walk_finish(w, &e);
        return;
    }
    if (!start_url(w)) {
        err_set(&e, RC_CONF, "PORTAL_URL",
                "where the portal begins is not known: put the link from the CA's e-mail as url= into [certificate %s] or [ca %s]",
                k->o->cert, c->name);
        walk_finish(w, &e);
        return;
    }
    if (!probe && (!w->pin.n || !*w->reference)) {
        walk_no_pin(w);
        return;
    }
    if (waits_still(w))
        return;
    w->window = window_of(c, k->o->id);
    if (!take_left_page(w))
        visit_start(w);
}
