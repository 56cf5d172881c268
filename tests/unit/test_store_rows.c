/* Every field of every row comes back as it was put, 10,000 rows come back fast, callbacks may write. */
#include "tests/unit/store_tools.h"

#include "base/clock.h"

static const struct err some_err = {.rc = RC_UNSEEN,
                                    .code = "SECONDARY_LAG",
                                    .again = true,
                                    .not_before = 1800000001,
                                    .where = "ns2.example.hk",
                                    .text = "still lacks the TXT; 電子核證"};

static void same_err(const struct err *a, const struct err *b)
{
    assert_int_equal(a->rc, b->rc);
    assert_string_equal(a->code, b->code);
    assert_int_equal(a->again, b->again);
    assert_int_equal(a->not_before, b->not_before);
    assert_string_equal(a->where, b->where);
    assert_string_equal(a->text, b->text);
}

static const uint8_t binary[] = {'a', 0, 0xff, 0, '\n', '"', 0x80};

static struct ledger_row full_row(void)
{
    return (struct ledger_row){
        .order = "20261128-0f3a9c21d7",
        .cert = "shop",
        .host = "*.shop.example.hk",
        .provider = "ns",
        .zone = "example.hk",
        .rec = {.owner = "_acme.shop.example.hk", .type = TYPE_TXT, .ttl = 4294967295U, .value = {binary, sizeof binary}},
        .state = LEDGER_LEAVING,
        .wanted = true,
        .ref = "id/17",
        .written = 11,
        .settled = 12,
        .old_ttl = 13,
        .negative_ttl = 14,
        .again = 15,
        .last = some_err};
}

struct seen {
    unsigned n;
    int64_t last_id;
    struct store *s;
};

static bool check_row(void *arg, const struct ledger_row *r)
{
    struct seen *seen = arg;
    struct ledger_row w = full_row();
    assert_int_equal(r->id, seen->last_id);
    assert_string_equal(r->order, w.order);
    assert_string_equal(r->cert, w.cert);
    assert_string_equal(r->host, w.host);
    assert_string_equal(r->provider, w.provider);
    assert_string_equal(r->zone, w.zone);
    assert_string_equal(r->rec.owner, w.rec.owner);
    assert_int_equal(r->rec.type, w.rec.type);
    assert_int_equal(r->rec.ttl, w.rec.ttl);
    assert_int_equal(r->rec.value.n, sizeof binary);
    assert_memory_equal(r->rec.value.p, binary, sizeof binary);
    assert_int_equal(r->state, w.state);
    assert_int_equal(r->wanted, w.wanted);
    assert_string_equal(r->ref, w.ref);
    assert_int_equal(r->written, w.written);
    assert_int_equal(r->settled, w.settled);
    assert_int_equal(r->old_ttl, w.old_ttl);
    assert_int_equal(r->negative_ttl, w.negative_ttl);
    assert_int_equal(r->again, w.again);
    same_err(&r->last, &w.last);
    seen->n++;
    return true;
}

static void ledger_round_trip(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    struct ledger_row row = full_row();
    struct seen seen = {0};
    (void)state;
    assert_ok(ledger_put(s, &row, &e), e);
    assert_int_not_equal(row.id, 0);
    seen.last_id = row.id;
    assert_ok(ledger_put(s, &row, &e), e); /* the same row again: an update */
    assert_int_equal(row.id, seen.last_id);
    assert_ok(store_turn(s, &e), e);
    store_close(s);
    s = open_store(false);
    assert_ok(ledger_each(s, NULL, check_row, &seen, &e), e);
    assert_ok(ledger_each(s, "example.hk", check_row, &seen, &e), e);
    assert_ok(ledger_each(s, "other.hk", check_row, &seen, &e), e);
    assert_ok(ledger_of(s, row.order, check_row, &seen, &e), e);
    assert_int_equal(seen.n, 3);
    store_close(s);
}

static bool count_row(void *arg, const struct ledger_row *r)
{
    struct seen *seen = arg;
    if (!r->wanted)
        seen->last_id = r->id;
    seen->n++;
    return true;
}

static bool finish_row(void *arg, const struct ledger_row *r)
{
    struct seen *seen = arg;
    struct ledger_row gone = *r, more = *r;
    struct seen inner = {0};
    gone.state = LEDGER_GONE;
    more.id = 0;
    assert_true(ledger_put(seen->s, &gone, NULL));
    assert_true(ledger_put(seen->s, &more, NULL)); /* must not be met by this walk */
    assert_true(ledger_each(seen->s, NULL, count_row, &inner, NULL));
    assert_int_equal(inner.n, 5);
    assert_string_equal(r->cert, "shop"); /* still whole */
    return ++seen->n < 50;
}

static void ledger_states(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    struct ledger_row row = full_row();
    struct seen seen = {.s = s};
    (void)state;
    for (int i = LEDGER_FOUND; i <= LEDGER_GONE; i++) {
        row.id = 0;
        row.state = (enum ledger_state)i;
        assert_ok(ledger_put(s, &row, &e), e);
        row.id = 0;
        snprintf(row.order, sizeof row.order, "%s", i ? "" : "rehearse");
        row.state = LEDGER_GONE;
        assert_ok(ledger_put(s, &row, &e), e);
        snprintf(row.order, sizeof row.order, "%s", "20261128-0f3a9c21d7");
    }
    row.id = 0;
    row.state = LEDGER_FOUND;
    row.rec.value = (struct bytes){0};
    row.cert = NULL;
    assert_ok(ledger_put(s, &row, &e), e);
    row.cert = "shop";
    row.state = LEDGER_GONE;
    assert_ok(ledger_put(s, &row, &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(ledger_each(s, NULL, count_row, &seen, &e), e);
    assert_int_equal(seen.n, 4);
    seen.n = 0;
    assert_ok(ledger_of(s, row.order, count_row, &seen, &e), e);
    assert_int_equal(seen.n, 6);
    seen.n = 0;
    row.id = 0; /* one open row more: five are open */
    row.state = LEDGER_PRESENT;
    assert_ok(ledger_put(s, &row, &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(ledger_each(s, NULL, finish_row, &seen, &e), e);
    assert_int_equal(seen.n, 5);
    assert_false(store_clean(s));
    row.wanted = false;
    assert_ok(ledger_put(s, &row, &e), e);
    assert_ok(store_turn(s, &e), e);
    seen.last_id = 0;
    assert_ok(ledger_of(s, row.order, count_row, &seen, &e), e);
    assert_int_not_equal(seen.last_id, 0);
    store_close(s);
}

static struct saved_order full_order(void)
{
    struct saved_order o = {.id = "20261128-0f3a9c21d7",
                            .state = "published",
                            .waits = "propagation",
                            .begun = 1,
                            .changed = 2,
                            .waiting_since = 3,
                            .deadline = 4,
                            .due = 5,
                            .subscription_end = 6,
                            .sent = true,
                            .failures = 7,
                            .forced = true,
                            .open = true,
                            .last = some_err,
                            .last_at = 8};
    o.cert = mem_str("shop");
    o.ca = mem_str("ecert");
    o.names = mem_str("shop.example.hk *.shop.example.hk");
    o.key_type = mem_str("p256");
    o.reference = mem_str("0012345");
    o.handle = mem_str("{\"url\":\"https://ca.example/1\"}");
    o.facts = mem_str("{}");
    memset(o.spki, 'b', 64);
    o.csr = (struct bytes){mem_copy(binary, sizeof binary), sizeof binary};
    o.certificate = (struct bytes){mem_copy("PEM", 3), 3};
    return o;
}

static void same_order(const struct saved_order *a, const struct saved_order *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->cert, b->cert);
    assert_string_equal(a->ca, b->ca);
    assert_string_equal(a->names, b->names);
    assert_string_equal(a->key_type, b->key_type);
    assert_string_equal(a->reference, b->reference);
    assert_string_equal(a->handle, b->handle);
    assert_string_equal(a->facts, b->facts);
    assert_string_equal(a->state, b->state);
    assert_string_equal(a->waits, b->waits);
    assert_int_equal(a->begun, b->begun);
    assert_int_equal(a->changed, b->changed);
    assert_int_equal(a->waiting_since, b->waiting_since);
    assert_int_equal(a->deadline, b->deadline);
    assert_int_equal(a->due, b->due);
    assert_int_equal(a->subscription_end, b->subscription_end);
    assert_string_equal(a->spki, b->spki);
    assert_int_equal(a->sent, b->sent);
    assert_int_equal(a->failures, b->failures);
    assert_int_equal(a->forced, b->forced);
    assert_int_equal(a->open, b->open);
    same_err(&a->last, &b->last);
    assert_int_equal(a->last_at, b->last_at);
    assert_int_equal(a->csr.n, b->csr.n);
    assert_memory_equal(a->csr.p, b->csr.p, b->csr.n);
    assert_int_equal(a->certificate.n, b->certificate.n);
    assert_memory_equal(a->certificate.p, b->certificate.p, b->certificate.n);
}

struct orders {
    struct saved_order o[8];
    unsigned n;
};

static bool keep_order(void *arg, const struct saved_order *o)
{
    struct orders *l = arg;
    saved_order_copy(&l->o[l->n++], o);
    return l->n < 8;
}

static void drop_orders(struct orders *l)
{
    while (l->n)
        saved_order_clear(&l->o[--l->n]);
}

static void order_round_trip(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    struct saved_order o = full_order(), young = full_order(), empty = {.id = "20270101-0000000000", .begun = 20};
    struct orders l = {0};
    (void)state;
    snprintf(young.id, sizeof young.id, "%s", "20270101-1111111111");
    young.begun = 30;
    assert_ok(order_put(s, &young, &e), e);
    assert_ok(order_put(s, &o, &e), e);
    assert_ok(order_put(s, &empty, &e), e); /* NULL strings, no octets, closed */
    assert_ok(store_turn(s, &e), e);
    store_close(s);

    s = open_store(true);
    assert_ok(order_each(s, NULL, keep_order, &l, &e), e);
    assert_int_equal(l.n, 2);
    same_order(&l.o[0], &o); /* oldest first */
    same_order(&l.o[1], &young);
    drop_orders(&l);
    assert_ok(order_each(s, "shop", keep_order, &l, &e), e);
    assert_ok(order_each(s, "other", keep_order, &l, &e), e);
    assert_int_equal(l.n, 2);
    drop_orders(&l);
    assert_ok(order_history(s, NULL, keep_order, &l, &e), e);
    assert_int_equal(l.n, 3);
    same_order(&l.o[0], &young); /* newest first */
    assert_string_equal(l.o[1].names, "");
    assert_int_equal(l.o[1].csr.n, 0);
    assert_int_equal(l.o[1].last.rc, RC_OK);
    drop_orders(&l);

    young.open = false;
    snprintf(young.state, sizeof young.state, "%s", "done");
    assert_ok(order_put(s, &young, &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(order_each(s, NULL, keep_order, &l, &e), e);
    assert_int_equal(l.n, 1);
    drop_orders(&l);
    assert_ok(order_history(s, "shop", keep_order, &l, &e), e);
    assert_int_equal(l.n, 2);
    same_order(&l.o[0], &young);
    drop_orders(&l);
    saved_order_clear(&o);
    saved_order_clear(&young);
    saved_order_clear(&empty);
    store_close(s);
}

static void order_ids(void **state)
{
    char a[24], b[24];
    struct err e = {0};
    int64_t when;
    (void)state;
    assert_true(time_parse("2026-11-28T23:59:59Z", &when));
    assert_ok(order_new_id(a, when, &e), e);
    assert_ok(order_new_id(b, when, &e), e);
    assert_int_equal(strlen(a), 19);
    assert_memory_equal(a, "20261128-", 9);
    assert_int_equal(strspn(a + 9, "0123456789abcdef"), 10);
    assert_string_not_equal(a, b);
    setenv("DCVAGENT_FAIL", "getrandom:ENOSYS", 1);
    assert_false(order_new_id(a, when, &e));
    unsetenv("DCVAGENT_FAIL");
    assert_int_equal(e.rc, RC_STATE);
}

static const struct saved_cert some_cert = {.name = "shop",
                                            .ca = "ecert",
                                            .names = "shop.example.hk",
                                            .key_type = "rsa2048",
                                            .reference = "17",
                                            .serial = "0a0b",
                                            .fingerprint = "ffee",
                                            .not_before = 1,
                                            .not_after = 2,
                                            .subscription_end = 3,
                                            .archive = 4,
                                            .installed = 5,
                                            .hook_due = true,
                                            .last_run = 6,
                                            .next_at = 7,
                                            .next_action = "renew",
                                            .ari = "{}",
                                            .last = some_err,
                                            .last_at = 8,
                                            .failures = 9,
                                            .not_before_retry = 10};

static bool check_cert(void *arg, const struct saved_cert *c)
{
    const struct saved_cert *w = &some_cert;
    assert_string_equal(c->name, w->name);
    assert_string_equal(c->ca, w->ca);
    assert_string_equal(c->names, w->names);
    assert_string_equal(c->key_type, w->key_type);
    assert_string_equal(c->reference, w->reference);
    assert_string_equal(c->serial, w->serial);
    assert_string_equal(c->fingerprint, w->fingerprint);
    assert_int_equal(c->not_before, w->not_before);
    assert_int_equal(c->not_after, w->not_after);
    assert_int_equal(c->subscription_end, w->subscription_end);
    assert_int_equal(c->archive, w->archive);
    assert_int_equal(c->installed, w->installed);
    assert_int_equal(c->hook_due, w->hook_due);
    assert_int_equal(c->last_run, w->last_run);
    assert_int_equal(c->next_at, w->next_at);
    assert_string_equal(c->next_action, w->next_action);
    assert_string_equal(c->ari, w->ari);
    same_err(&c->last, &w->last);
    assert_int_equal(c->last_at, w->last_at);
    assert_int_equal(c->failures, w->failures);
    assert_int_equal(c->not_before_retry, w->not_before_retry);
    ++*(unsigned *)arg;
    return true;
}

enum { JOINED = 64 };

static void append(char *to, const char *text)
{
    size_t n = strlen(to);
    snprintf(to + n, JOINED - n, "%s", text);
}

static bool join_names(void *arg, const struct saved_cert *c)
{
    append(arg, c->name);
    return strcmp(c->name, "shop") != 0;
}

static void certs(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    struct saved_cert other = {.name = "zoo"};
    char names[JOINED] = "";
    unsigned n = 0;
    (void)state;
    assert_ok(cert_put(s, &other, &e), e);
    other.name = "apex";
    assert_ok(cert_put(s, &other, &e), e);
    assert_ok(cert_put(s, &some_cert, &e), e);
    assert_ok(cert_put(s, &some_cert, &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(cert_get(s, "shop", check_cert, &n, &e), e);
    assert_int_equal(n, 1);
    assert_ok(cert_get(s, "shopping", check_cert, &n, &e), e);
    assert_int_equal(n, 1);
    assert_ok(cert_each(s, join_names, names, &e), e);
    assert_string_equal(names, "apexshop"); /* by name, stopped by the callback */
    assert_ok(cert_forget(s, "shop", &e), e);
    assert_ok(store_turn(s, &e), e);
    assert_ok(cert_get(s, "shop", check_cert, &n, &e), e);
    assert_int_equal(n, 1);
    store_close(s);
}

static bool check_inbox(void *arg, const struct inbox_row *r)
{
    int64_t *id = arg;
    assert_string_equal(r->cert, "shop");
    assert_string_equal(r->kind, "code");
    assert_string_equal(r->host, *id ? "" : "a.example.hk");
    assert_int_equal(r->text.n, sizeof binary);
    assert_memory_equal(r->text.p, binary, sizeof binary);
    assert_int_equal(r->received, *id ? 0 : 77);
    assert_true(r->at > 1600000000);
    assert_true(r->id > *id);
    *id = r->id;
    return true;
}

static void inbox(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    int64_t id = 0;
    struct bytes text = {binary, sizeof binary};
    (void)state;
    assert_ok(inbox_put(s, "shop", "code", "a.example.hk", text, 77, &e), e);
    assert_true(store_clean(s)); /* its own transaction */
    assert_ok(inbox_put(s, "shop", "code", NULL, text, 0, &e), e);
    assert_ok(inbox_each(s, check_inbox, &id, &e), e);
    assert_int_not_equal(id, 0);
    assert_ok(inbox_done(s, id, &e), e);
    assert_false(store_clean(s));
    assert_ok(store_turn(s, &e), e);
    id = 0;
    assert_ok(inbox_each(s, check_inbox, &id, &e), e);
    assert_ok(inbox_done(s, id, &e), e);
    assert_ok(store_turn(s, &e), e);
    id = 0;
    assert_ok(inbox_each(s, check_inbox, &id, &e), e);
    assert_int_equal(id, 0);
    store_close(s);
}

static bool add_kind(void *arg, int64_t at, const char *cert, const char *order, const char *kind, const char *json)
{
    assert_true(at > 1600000000);
    assert_true(*cert && order && json[0] == '{');
    append(arg, kind);
    return true;
}

static void evidence(void **state)
{
    static const struct {
        const char *cert, *order, *kinds;
    } cases[] = {{NULL, NULL, "abcd"}, {"shop", NULL, "acd"}, {"shop", "o1", "a"}, {"shop", "", "d"}, {"none", NULL, ""}};
    struct err e = {0};
    struct store *s = open_store(true);
    (void)state;
    assert_ok(evidence_put(s, "shop", "o1", "a", "{\"x\":1}", &e), e);
    assert_true(store_clean(s));
    assert_ok(evidence_put(s, "zoo", "o1", "b", "{}", &e), e);
    assert_ok(evidence_put(s, "shop", "o2", "c", "{}", &e), e);
    assert_ok(value_put(s, "m", "k", "v", &e), e);
    assert_ok(evidence_put(s, "shop", NULL, "d", "{}", &e), e); /* in the turn */
    assert_false(store_clean(s));
    assert_ok(store_turn(s, &e), e);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char kinds[JOINED] = "";
        assert_ok(evidence_each(s, cases[i].cert, cases[i].order, add_kind, kinds, &e), e);
        assert_string_equal(kinds, cases[i].kinds);
    }
    store_close(s);
}

static void note_in_effect(void *arg)
{
    struct err e = {0};
    assert_ok(evidence_note(arg, "shop", "o1", "e", "{}", &e), e);
    assert_true(store_clean(arg));
}

/* Observations ride with their turn; an effect starts from a clean store and leaves one. */
static void evidence_in_turns(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char kinds[JOINED] = "";
    (void)state;
    assert_ok(evidence_note(s, "shop", "o1", "a", "{}", &e), e);
    assert_false(store_clean(s));
    assert_ok(evidence_note(s, "shop", "o1", "b", "{}", &e), e);
    store_then(s, note_in_effect, s);
    store_then(s, note_in_effect, s);
    assert_ok(store_turn(s, &e), e);
    assert_true(store_clean(s));
    assert_ok(evidence_note(s, "shop", "o1", "lost", "{}", &e), e);
    store_close(s); /* without its COMMIT */
    s = open_store(true);
    assert_ok(evidence_each(s, NULL, NULL, add_kind, kinds, &e), e);
    assert_string_equal(kinds, "abee");
    store_close(s);
}

static void begun_turn(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true), *other = open_store(false);
    (void)state;
    assert_ok(store_begin(s, &e), e);
    assert_ok(store_begin(s, &e), e);
    assert_false(store_clean(s));
    assert_ok(value_put(s, "m", "k", "v", &e), e);
    assert_null(value_get(other, "m", "k"));
    assert_ok(store_turn(s, &e), e);
    assert_true(store_clean(s));
    char *v = value_get(other, "m", "k");
    assert_string_equal(v, "v");
    free(v);
    assert_false(store_begin(other, &e));
    assert_int_equal(e.rc, RC_BUG);
    store_close(s);
    store_close(other);
}

static void notices_and_values(void **state)
{
    struct err e = {0};
    struct store *s = open_store(true);
    char *v;
    (void)state;
    assert_int_equal(notice_last(s, "wait/shop/confirm"), 0);
    assert_ok(notice_said(s, "wait/shop/confirm", 5, &e), e);
    assert_ok(notice_said(s, "wait/shop/confirm", 6, &e), e);
    assert_ok(notice_said(s, "wait/shop2/confirm", 7, &e), e);
    assert_ok(notice_said(s, "wait/sho%/confirm", 8, &e), e);
    assert_int_equal(notice_last(s, "wait/shop/confirm"), 6);
    assert_ok(notice_forget(s, "wait/shop/", &e), e);
    assert_ok(notice_forget(s, "wait/sho_", &e), e);
    assert_int_equal(notice_last(s, "wait/shop/confirm"), 0);
    assert_int_equal(notice_last(s, "wait/shop2/confirm"), 7);
    assert_int_equal(notice_last(s, "wait/sho%/confirm"), 8);
    assert_false(notice_forget(s, "", &e));
    e = (struct err){0};

    assert_null(value_get(s, "acme", "le"));
    assert_ok(value_put(s, "acme", "le", "one", &e), e);
    assert_ok(value_put(s, "acme", "le", "two", &e), e);
    assert_ok(value_put(s, "dns", "le", "", &e), e);
    assert_ok(store_turn(s, &e), e);
    v = value_get(s, "acme", "le");
    assert_string_equal(v, "two");
    free(v);
    v = value_get(s, "dns", "le");
    assert_string_equal(v, "");
    free(v);
    assert_ok(value_put(s, "acme", "le", NULL, &e), e);
    assert_null(value_get(s, "acme", "le"));
    assert_ok(store_turn(s, &e), e);
    store_close(s);
}

static bool count_cert(void *arg, const struct saved_cert *c)
{
    ++*(unsigned *)arg;
    return c->name[0];
}

static bool count_order(void *arg, const struct saved_order *o)
{
    ++*(unsigned *)arg;
    return o->open;
}

static void ten_thousand(void **state)
{
    enum { MANY = 10000 };
    struct err e = {0};
    struct store *s = open_store(true);
    struct saved_cert c = some_cert;
    struct saved_order o = full_order();
    struct ledger_row row = full_row();
    struct seen seen = {0};
    char name[32], pem[6000];
    unsigned n = 0;
    int64_t t[6];
    (void)state;
    memset(pem, 'A', sizeof pem);
    free((void *)(uintptr_t)o.certificate.p);
    o.certificate = (struct bytes){mem_copy(pem, sizeof pem), sizeof pem};
    c.name = name;
    t[0] = clock_monotonic();
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "cert%05d", i);
        snprintf(o.id, sizeof o.id, "20261128-%010d", i);
        row.id = 0;
        row.state = i % 10 ? LEDGER_GONE : LEDGER_PRESENT;
        assert_ok(cert_put(s, &c, &e) && order_put(s, &o, &e) && ledger_put(s, &row, &e), e);
    }
    assert_ok(store_turn(s, &e), e);
    t[1] = clock_monotonic();
    assert_ok(cert_each(s, count_cert, &n, &e), e);
    assert_int_equal(n, MANY);
    t[2] = clock_monotonic();
    n = 0;
    assert_ok(order_each(s, NULL, count_order, &n, &e), e);
    assert_int_equal(n, MANY);
    t[3] = clock_monotonic();
    assert_ok(ledger_each(s, NULL, count_row, &seen, &e), e);
    assert_int_equal(seen.n, MANY / 10);
    t[4] = clock_monotonic();
    store_close(s);
    s = open_store(true); /* with its check */
    t[5] = clock_monotonic();
    print_message("3 x 10,000 rows written %d ms, certs %d ms, orders %d ms, 1,000 open ledger rows %d ms, close and open %d ms\n",
                  (int)(t[1] - t[0]), (int)(t[2] - t[1]), (int)(t[3] - t[2]), (int)(t[4] - t[3]), (int)(t[5] - t[4]));
    assert_true(t[4] - t[1] < 5000); /* far above what it takes, for sanitizers on a busy machine */
    store_close(s);
    saved_order_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_dir(ledger_round_trip),
        with_dir(ledger_states),
        with_dir(order_round_trip),
        with_dir(order_ids),
        with_dir(certs),
        with_dir(inbox),
        with_dir(evidence),
        with_dir(evidence_in_turns),
        with_dir(begun_turn),
        with_dir(notices_and_values),
        with_dir(ten_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
