/* load.c: a description file understood: the service, the keys of its sections, and whether its steps make a provider. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "providers/http/described_impl.h"
#include "providers/sign/sign.h"

enum { PAUSE_S = 60 };
enum { ON_EVERY_REQUEST = USES(VAR_KEY) | USES(VAR_SECRET) | USES(VAR_TOKEN) };

/* --- keys of its sections ------------------------------------------------------------------------------------------------------------- */

static bool check_plain_url(const char *value, char why[160])
{
    return conf_check_url(value, why);
}

static bool check_identifier(const char *value, char why[160])
{
    for (const char *p = value; *p; p++)
        if (*p <= ' ' || *p > '~') {
            snprintf(why, 160, "blanks and control characters are not allowed");
            return false;
        }
    return true;
}

static void load_key(struct described *t, const struct describe_part *p)
{
    static const enum conf_type types[] = {CONF_TEXT, CONF_SECRET, CONF_TEXT, CONF_FILE, CONF_WORD, CONF_YESNO, CONF_COUNT};
    struct conf_key *k = &t->keys[t->n_keys];
    int type = describe_word(t->d, p, "type", "text|secret|url|file|word|yesno|number", 0);
    bool required = describe_yes(t->d, p, "required", false);
    bool named = *p->name && strcmp(p->name, "server") != 0 && strcmp(p->name, "wait") != 0 &&
                 strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(p->name);
    if (!named)
        describe_fault(t->d, p, NULL, "a key's name is made of a-z, 0-9 and _, and neither server nor wait");
    for (size_t i = 0; i < t->n_keys; i++)
        if (strcmp(t->keys[i].name, p->name) == 0)
            describe_fault(t->d, p, NULL, "this key is described twice");
    *k = (struct conf_key){.name = p->name,
                           .type = types[type < 0 ? 0 : type],
                           .standard = describe_value(p, "default"),
                           .allowed = describe_value(p, "allowed"),
                           .help = describe_value(p, "help"),
                           .required = required};
    if (!k->help)
        describe_fault(t->d, p, NULL, "help= is missing: one sentence for `dcvagent providers`");
    if ((k->type == CONF_WORD || k->type == CONF_COUNT) && !k->allowed)
        describe_fault(t->d, p, NULL, "allowed= is missing: a|b|c for a word, 1..100 for a number");
    k->check = type == 2 ? t->plain ? check_plain_url : conf_check_https : k->type == CONF_TEXT ? check_identifier : NULL;
    if (named && k->help && (k->allowed || (k->type != CONF_WORD && k->type != CONF_COUNT)))
        t->n_keys++;
}

/* What the API cannot show is read where DNS has it. */
static void add_server_keys(struct described *t)
{
    static const struct conf_key own[] = {
        {.name = "server",
         .type = CONF_SERVER,
         .allowed = "192.0.2.53",
         .required = true,
         .help = "A name server that has the zone; the records are read there, since the API does not show them."},
        {.name = "wait", .type = CONF_DURATION, .standard = "1m", .help = "How long server= may take to show what was written."}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        t->keys[t->n_keys++] = own[i];
}

static void load_keys(struct described *t)
{
    for (size_t i = 0; i < t->d->n; i++)
        if (strcmp(t->d->part[i].kind, "key") == 0)
            load_key(t, &t->d->part[i]);
}

/* --- the service ---------------------------------------------------------------------------------------------------------------------- */

/* "60..86400" */
static void load_ttl(struct described *t, const struct describe_part *p)
{
    const struct describe_key *k = describe_key(p, "ttl");
    long long least, most;
    char end;
    t->ttl_least = 1;
    t->ttl_most = INT32_MAX;
    if (!k)
        return;
    if (sscanf(k->value, "%10lld..%10lld%c", &least, &most, &end) != 2 || least < 1 || most < least || most > INT32_MAX) {
        describe_fault(t->d, p, k, "the bounds that the service sets, as 60..86400, are wanted");
        return;
    }
    t->ttl_least = (uint32_t)least;
    t->ttl_most = (uint32_t)most;
}

/* "1200/300s" */
static void load_rate(struct described *t, const struct describe_part *p)
{
    const struct describe_key *k = describe_key(p, "rate");
    const char *slash = k ? strchr(k->value, '/') : NULL;
    char *end;
    int64_t s;
    if (!k)
        return;
    unsigned long n = strtoul(k->value, &end, 10);
    if (slash && end == slash && n > 0 && n <= 10000 && duration_parse(slash + 1, &s) && s > 0 && s <= DAY) {
        t->rate = (unsigned)n;
        t->rate_s = (unsigned)s;
    } else {
        describe_fault(t->d, p, k, "requests and the time they hold for, as 1200/300s, are wanted (at most 10,000 and a day)");
    }
}

/* The name of one of its keys. */
static char *load_own(struct described *t, const struct describe_part *p, const char *name, bool secret, bool required)
{
    const struct describe_key *k = describe_key(p, name);
    for (size_t i = 0; k && i < t->n_keys; i++)
        if (strcmp(t->keys[i].name, k->value) == 0 && (t->keys[i].type == CONF_SECRET) == secret)
            return mem_str(k->value);
    if (k)
        describe_fault(t->d, p, k, "there is no [key %s]%s", k->value, secret ? " of type secret" : ", or it is a secret");
    else if (required)
        describe_fault(t->d, p, NULL, "%s= is missing: the name of a key", name);
    return NULL;
}

static void load_signature(struct described *t, const struct describe_part *p)
{
    const struct describe_key *scheme = describe_key(p, "sign"), *region = describe_key(p, "sign.region"),
                              *service = describe_key(p, "sign.service");
    bool wanted = scheme != NULL;
    t->sign.id = load_own(t, p, "sign.id", false, wanted);
    t->sign.secret = load_own(t, p, "sign.secret", true, wanted);
    t->sign.token = load_own(t, p, "sign.token", true, false);
    if (region)
        load_template(t, p, region, &t->sign.region, USES(VAR_KEY));
    if (service)
        load_template(t, p, service, &t->sign.service, USES(VAR_KEY));
    if (wanted && !sign_known(scheme->value))
        describe_fault(t->d, p, scheme, "no such signature");
    else if (wanted)
        t->sign.scheme = mem_str(scheme->value);
}

static void load_words(struct described *t, const struct describe_part *p)
{
    struct provider_ops *o = &t->ops;
    o->summary = describe_value(p, "summary");
    o->rights = describe_value(p, "rights");
    o->limits = describe_value(p, "limits");
    o->links = describe_value(p, "links");
    o->tried = describe_value(p, "tried");
    int grade = describe_word(t->d, p, "grade", "A|B|C|D", -1);
    o->grade = grade < 0 ? 'D' : (char)('A' + grade);
    if (!o->summary || !describe_value(p, "grade") || !o->links)
        describe_fault(t->d, p, NULL, "summary=, grade= and links= are wanted");
}

static void load_provider(struct described *t)
{
    const struct describe_part *p = describe_first(t->d, "provider");
    t->keys = mem_array(t->d->n + 3, sizeof *t->keys);
    if (!p) {
        describe_fault(t->d, NULL, NULL, "no [provider] section");
        return;
    }
    const struct describe_key *url = describe_key(p, "url");
    t->plain = describe_yes(t->d, p, "plain", false);
    load_keys(t);
    load_words(t, p);
    if (url)
        load_template(t, p, url, &t->url, USES(VAR_KEY));
    else
        describe_fault(t->d, p, NULL, "url= is missing: where the API is");
    load_fields(t, p, "header.", &t->header, ON_EVERY_REQUEST);
    load_fields(t, p, "query.", &t->query, ON_EVERY_REQUEST);
    load_verdicts(t, p, &t->verdicts);
    load_ttl(t, p);
    load_rate(t, p);
    load_signature(t, p);
    t->ttl_unset = (uint32_t)describe_number(t->d, p, "ttl_unset", true, 1, INT32_MAX, 0);
    t->parallel = (unsigned)describe_number(t->d, p, "parallel", false, 1, 64, 0);
    t->pause_s = (unsigned)describe_number(t->d, p, "pause", true, 1, HOUR, PAUSE_S);
    int txt = describe_word(t->d, p, "txt", "raw|quoted|split|plain", TXT_RAW);
    t->txt = txt < 0 ? TXT_RAW : (enum txt_form)txt;
    static const enum txt_form read_as[] = {TXT_RAW, TXT_QUOTED, TXT_PLAIN};
    int as = describe_word(t->d, p, "txt_read", "raw|quoted|plain", t->txt == TXT_PLAIN ? 2 : t->txt != TXT_RAW);
    t->txt_read = read_as[as < 0 ? 0 : as];
    t->fqdn = describe_word(t->d, p, "names", "relative|fqdn", 0) > 0;
    t->keeps = describe_yes(t->d, p, "keeps", false);
    t->account = load_own(t, p, "account", false, false);
    t->user = load_own(t, p, "basic.user", false, false);
    t->password = load_own(t, p, "basic.password", true, t->user != NULL);
}

/* --- the whole ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t fields_use(const struct fields *f)
{
    uint32_t all = 0;
    for (size_t i = 0; i < f->n; i++)
        all |= f->f[i].value.uses;
    return all;
}

static uint32_t uses(const struct step *s)
{
    return s->url.uses | node_uses(s->json) | fields_use(&s->header) | fields_use(&s->query) | fields_use(&s->form);
}

static bool given(const struct described *t, int step)
{
    return t->step[step].given;
}

static unsigned caps_of(const struct described *t)
{
    unsigned caps = CAN_READ | CAN_BATCH;
    if (given(t, STEP_SYNC))
        caps |= CAN_SYNC;
    if (given(t, STEP_WRITE))
        caps |= WRITES_SETS;
    if (given(t, STEP_WRITE) && uses(&t->step[STEP_WRITE]) & USES(VAR_TAG))
        caps |= HAS_CAS;
    if (t->step[STEP_COMMIT].given)
        caps |= COMMITS;
    if (t->keeps)
        caps |= KEEPS;
    return caps;
}

static void check_grade(struct described *t, const struct describe_part *p)
{
    bool reads = described_reads(t), sets = t->ops.caps & WRITES_SETS, guarded = t->ops.caps & HAS_CAS && given(t, STEP_CREATE);
    char best = !reads ? 'C' : sets && !guarded ? 'B' : 'A';
    if (t->ops.grade < best)
        describe_fault(t->d, p, describe_key(p, "grade"), "at best %c: %s", best,
                       !reads ? "what the API cannot show it may lose"
                              : "whole sets are written without compare-and-swap (${tag} in [write], and in [create] a condition that "
                                "there is none yet)");
}

static void check_whole(struct described *t)
{
    const struct describe_part *p = describe_first(t->d, "provider");
    bool records = given(t, STEP_ADD), sets = given(t, STEP_WRITE), reads = described_reads(t);
    uint32_t all = fields_use(&t->header) | fields_use(&t->query);
    if (!p)
        return;
    for (int i = 0; i < STEPS; i++)
        all |= uses(&t->step[i]);
    if (records == sets)
        describe_fault(t->d, p, NULL, "[add] and [delete] for single records, or [write] for whole sets: one of them is wanted");
    if (records && given(t, STEP_DELETE) == t->keeps)
        describe_fault(t->d, p, NULL, "[delete] is wanted, or keeps = yes where the service drops records by itself");
    if (sets && !reads)
        describe_fault(t->d, p, NULL, "whole sets can only be written where they can be read: [read] or [list] is missing");
    if (given(t, STEP_LIST) && t->step[STEP_LIST].from && !given(t, STEP_READ))
        describe_fault(t->d, p, NULL, "from= of [list] says when it stands in for [read], which is missing");
    if (all & USES(VAR_ZONE_ID) && !given(t, STEP_ZONE))
        describe_fault(t->d, p, NULL, "${zone_id} is used, but [zone], which finds it, is missing");
    if (all & USES(VAR_TOKEN) && !given(t, STEP_LOGIN))
        describe_fault(t->d, p, NULL, "${token} is used, but [login], which gets it, is missing");
    if (all & USES(VAR_SYNC) && !given(t, STEP_SYNC))
        describe_fault(t->d, p, NULL, "[sync] is missing");
    if (uses(&t->step[STEP_DELETE]) & USES(VAR_REF) && !t->step[STEP_READ].ref.given && !t->step[STEP_LIST].ref.given &&
        !t->step[STEP_ADD].ref.given)
        describe_fault(t->d, p, NULL, "[delete] uses ${ref}, but nothing says where it comes from: ref= in [read], [list] or [add]");
    check_grade(t, p);
}

void load_description(struct described *t)
{
    static const char *const kinds[] = {"provider", "key",    "login",  "zone",  "read",   "list", "add", "delete",
                                        "write",    "create", "remove", "batch", "commit", "sync", NULL};
    load_provider(t);
    load_steps(t);
    if (!described_reads(t))
        add_server_keys(t);
    t->ops.caps = caps_of(t);
    check_whole(t);
    describe_unused(t->d, kinds);
}
