/* api.c: requests to the API of one section: queued, sent at the account's pace, judged. */
#include "providers/http/api.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "net/proxy.h"
#include "providers/http/api_impl.h"

enum { PARALLEL = 4, ANSWER_MAX = 4 << 20, PAUSE_S = 30, WORDS = 160, SECRET_SHOWN = 4096 };

static void pump(struct api *a);

/* --- a section's own connections ------------------------------------------------------------------------------------------------------ */

bool api_new(struct api **out, struct net *n, const struct api_setup *setup, struct err *e)
{
    const struct section *s = setup->section;
    struct proxy proxy;
    if (!proxy_of_section(s, &proxy, e))
        return false;
    struct http_setup http = {.ca_file = section_text(s, "ca_file"),
                              .proxy = proxy.url,
                              .proxy_user = proxy_user(&proxy),
                              .agent = setup->agent ? setup->agent : "dcvagent/" DCVAGENT_VERSION,
                              .plain = setup->plain};
    struct http_client *client = http_client_new(n, &http, e);
    proxy_clear(&proxy);
    if (!client)
        return false;
    struct api *a = mem_new(sizeof *a);
    a->net = n;
    a->section = s;
    a->http = client;
    a->account = account_take(s->type, setup->credential ? setup->credential : s->name, setup->rate, setup->rate_s);
    a->parallel = setup->parallel ? setup->parallel : PARALLEL;
    a->max = setup->max ? setup->max : ANSWER_MAX;
    *out = a;
    return true;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    while (a->waiting.first) /* these first: each flight that ends lets one of them fly */
        op_cancel(&a->waiting.first->call->op);
    while (a->flying.first)
        op_cancel(&a->flying.first->call->op);
    op_cancel(&a->timer.op);
    http_client_free(a->http);
    account_leave(a->account);
    for (size_t i = 0; i < a->n_hidden; i++)
        secret_free(&a->hidden[i]);
    free(a->hidden);
    free(a);
}

unsigned api_requests(const struct api *a)
{
    return a->requests;
}

struct net *api_net(const struct api *a)
{
    return a->net;
}

static void hide(struct api *a, const void *p, size_t n)
{
    a->hidden = mem_grow(a->hidden, a->n_hidden + 1, sizeof *a->hidden);
    a->hidden[a->n_hidden] = (struct secret){0};
    secret_set(&a->hidden[a->n_hidden++], p, n);
}

/* As it is, and as it stands in a URL or a form. */
void api_hide(struct api *a, const struct secret *secret)
{
    struct str encoded = STR_INIT(3 * SECRET_SHOWN);
    if (!secret->n)
        return;
    hide(a, secret->p, secret->n);
    api_encode(&encoded, (const char *)secret->p);
    if (encoded.n != secret->n && !encoded.cut)
        hide(a, encoded.p, encoded.n);
    if (encoded.p)
        explicit_bzero(encoded.p, encoded.n);
    str_free(&encoded);
}

void api_hold(struct api *a, int64_t until)
{
    account_hold(a->account, loop_now(net_loop(a->net)) + (until - clock_now()) * 1000);
}

/* --- flights -------------------------------------------------------------------------------------------------------------------------- */

static void list_add(struct flights *l, struct flight *f)
{
    f->prev = l->last;
    f->next = NULL;
    *(l->last ? &l->last->next : &l->first) = f;
    l->last = f;
    l->n++;
}

static void list_remove(struct flights *l, struct flight *f)
{
    *(f->prev ? &f->prev->next : &l->first) = f->next;
    *(f->next ? &f->next->prev : &l->last) = f->prev;
    l->n--;
}

static void flight_free(struct flight *f)
{
    list_remove(f->queued ? &f->api->waiting : &f->api->flying, f);
    http_clear(&f->http);
    f->call->impl = NULL;
    free(f);
}

static void call_detach(struct op *op)
{
    struct flight *f = ((struct api_call *)op)->impl;
    struct api *a = f->api;
    bool flew = !f->queued;
    flight_free(f);
    if (flew)
        pump(a);
}

static void settle(struct flight *f, const struct err *e)
{
    struct api_call *c = f->call;
    struct err own = e ? *e : (struct err){0};
    flight_free(f);
    op_settle(&c->op, &own);
}

/* --- judging -------------------------------------------------------------------------------------------------------------------------- */

static const char *what_of(const struct api_call *c)
{
    return c->what ? c->what : "ask";
}

static bool success(long status)
{
    return status >= 200 && status < 300;
}

void api_refused(const struct api *a, struct api_call *c)
{
    char shown[WORDS + 4] = "";
    const char *name = a->section->name, *what = what_of(c), *words = api_words(c->json);
    if (!*words && c->in.n && c->in.p[strspn(c->in.p, " \t\r\n")] != '<')
        words = c->in.p; /* no JSON, but no web page either */
    api_show(c, words, shown, WORDS);
    const char *colon = *shown ? ": " : "";
    if (c->status == 401 || c->status == 403)
        err_set(&c->why, RC_WRITE, "API_AUTH",
                "[provider %s] may not %s: the API answers %ld%s%s; check that its key is whole and valid, that it has the rights that "
                "`dcvagent providers %s` names, and that this machine's address is allowed",
                name, what, c->status, colon, shown, a->section->type);
    else if (c->status >= 300 && c->status < 400)
        err_set(&c->why, RC_PAGES, "API_ANSWER",
                "[provider %s] could not %s: the API sends elsewhere (%ld), which is not followed; check its address", name, what,
                c->status);
    else
        err_set(&c->why, RC_WRITE, "API_STATUS", "[provider %s] could not %s: the API answers %ld%s%s", name, what, c->status, colon,
                shown);
    if (c->status >= 500 || c->status == 408 || c->status == 409 || c->status == 412 || c->status == 425)
        err_again(&c->why, 0);
}

static bool throttled(struct flight *f)
{
    struct api_call *c = f->call;
    const struct http answer = {.head = c->head};
    int64_t now = clock_now(), until = http_retry_after(&answer, now);
    char when[32];
    if (c->status != 429 && (c->status != 503 || !until))
        return false;
    if (until <= now)
        until = now + (until ? 1 : PAUSE_S);
    api_hold(f->api, until);
    time_local(until, when);
    err_set(&c->why, RC_LATER, "API_RATE", "[provider %s] could not %s: the API answers %ld, too many requests; it is asked again after %s",
            f->api->section->name, what_of(c), c->status, when);
    err_again(&c->why, until);
    return true;
}

/* Only what is a success has to be JSON: refusals come as pages of whatever stands in front of the API, too. */
static bool parse(struct flight *f)
{
    struct api_call *c = f->call;
    json_error_t fault;
    if (c->raw || !c->in.n)
        return true;
    c->json = json_loadb(c->in.p, c->in.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (c->json)
        str_free(&c->in);
    if (c->json || !success(c->status))
        return true;
    char shown[64];
    api_show(c, c->in.p, shown, sizeof shown);
    err_set(
        &c->why, RC_PAGES, "API_ANSWER",
        "[provider %s] could not %s: the API answers %ld with something that is no JSON (line %d, column %d), it begins with \"%s\"; is a "
        "proxy or a login page in between?",
        f->api->section->name, what_of(c), c->status, fault.line, fault.column, shown);
    err_again(&c->why, 0);
    return false;
}

static void answered(struct op *op, const struct err *e)
{
    struct flight *f = op->owner;
    struct api *a = f->api;
    struct api_call *c = f->call;
    c->sent = f->http.sent;
    c->status = f->http.status;
    if (c->sent && !c->repeatable)
        durable("api");
    if (e) {
        c->why = (struct err){.again = e->again, .not_before = e->not_before};
        err_set(&c->why, e->rc, e->code, "[provider %s] could not %s: %s", a->section->name, what_of(c), e->text);
    } else {
        c->in = f->http.in;
        c->head = f->http.head;
        f->http.in = f->http.head = (struct str){0};
        if (!throttled(f) && parse(f) && !(c->ok ? c->ok(c) : success(c->status)))
            api_refused(a, c);
    }
    struct err why = c->why;
    settle(f, why.rc == RC_OK ? NULL : &why);
    pump(a);
}

bool api_unsure(const struct api_call *c)
{
    bool refused = c->status >= 400 && c->status < 500 && c->status != 408 && c->status != 499;
    return c->sent && !refused;
}

/* --- the queue ------------------------------------------------------------------------------------------------------------------------ */

static void timer_done(struct op *op, const struct err *e)
{
    (void)e;
    pump(op->owner);
}

static void give_up(struct api *a, int64_t wait_ms)
{
    int64_t until = clock_now() + (wait_ms + 999) / 1000;
    char when[32];
    time_local(until, when);
    while (a->waiting.first) {
        struct flight *f = a->waiting.first;
        struct err e = {0};
        err_set(&e, RC_LATER, "API_RATE", "[provider %s] did not %s: the API's limit of requests is used up; it is asked again after %s",
                a->section->name, what_of(f->call), when);
        err_again(&e, until);
        settle(f, &e);
    }
}

static void fly(struct flight *f)
{
    struct api *a = f->api;
    struct api_call *c = f->call;
    list_remove(&a->waiting, f);
    f->queued = false;
    list_add(&a->flying, f);
    struct err e = {0};
    if (c->seal && !c->seal(c, &e)) {
        settle(f, &e);
        return;
    }
    a->requests++;
    account_sent(a->account, loop_now(net_loop(a->net)));
    f->http = (struct http){.op = {.done = answered, .owner = f},
                            .method = c->method,
                            .url = c->url,
                            .headers = &c->headers,
                            .body = {(const uint8_t *)c->body.p, c->body.n},
                            .max = a->max,
                            .repeatable = c->repeatable};
    http_start(a->http, &f->http);
}

static void pump(struct api *a)
{
    op_cancel(&a->timer.op);
    while (a->waiting.first && a->flying.n < a->parallel) {
        int64_t now = loop_now(net_loop(a->net)), wait = account_wait(a->account, now);
        if (wait > API_PATIENCE_S * 1000) {
            give_up(a, wait);
        } else if (wait) {
            a->timer = (struct timer){.at = now + wait, .op = {.done = timer_done, .owner = a}};
            loop_timer(net_loop(a->net), &a->timer);
            return;
        } else {
            fly(a->waiting.first);
        }
    }
}

static void clear_answer(struct api_call *c)
{
    json_decref(c->json);
    c->json = NULL;
    str_free(&c->in);
    str_free(&c->head);
    c->status = 0;
    c->sent = false;
    c->why = (struct err){0};
}

void api_start(struct api *a, struct api_call *c)
{
    struct flight *f = mem_new(sizeof *f);
    clear_answer(c);
    *f = (struct flight){.api = a, .call = c, .queued = true};
    c->impl = f;
    c->api = a;
    op_start(&c->op, call_detach);
    list_add(&a->waiting, f);
    pump(a);
}

void api_call_clear(struct api_call *c)
{
    clear_answer(c);
    for (size_t i = 0; i < c->headers.n; i++)
        explicit_bzero(c->headers.s[i], strlen(c->headers.s[i]));
    strs_free(&c->headers);
    if (c->body.p)
        explicit_bzero(c->body.p, c->body.n);
    str_free(&c->body);
    if (c->url)
        explicit_bzero(c->url, strlen(c->url));
    free(c->url);
    c->url = NULL;
}

/* --- header fields of the answer ------------------------------------------------------------------------------------------------------ */

bool api_header(const struct api_call *c, const char *name, char *out, size_t size)
{
    const struct http h = {.head = c->head};
    return http_header(&h, name, out, size);
}

bool api_link(const struct api_call *c, const char *rel, char *out, size_t size)
{
    const struct http h = {.head = c->head};
    size_t at = 0;
    return http_link(&h, rel, &at, out, size);
}
