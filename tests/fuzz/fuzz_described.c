/* fuzz_described.c: descriptions of providers, and what an API answers. The first octet chooses: 0 a description file, 1 a JSON body with a
 * variable in it, 2 a pointer and a condition (one line each) and the JSON they look at, 3 an answer with items and pages, 4 TXT content. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "net/http.h"
#include "providers/http/described_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char section_name[] = "fuzz";
static const struct section section = {.name = section_name, .type = section_name};
static const struct conf_key no_keys[] = {{0}};
static const struct secret no_secret;

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void description(const uint8_t *p, size_t n)
{
    size_t faults;
    struct provider_ops *t = described_type(describe_text("fuzz.ini", (const char *)p, n));
    described_faults(t, &faults);
    must(t->keys && t->type && t->caps && t->grade >= 'A' && t->grade <= 'D');
    must(faults || (t->summary && t->links));
    described_free(t);
}

/* Whatever a body is filled with, jansson writes it, and its keys are those of the template. */
static void body(const char *text)
{
    const struct item items[] = {
        {.add = true, .owner = "www.example.hk", .ref = "\"},{", .value = {(const uint8_t *)"a\"b\\", 4}, .ttl = 60},
        {.owner = "example.hk", .ref = "9"}};
    const struct scope s = {
        .section = &section, .keys = no_keys, .secret = &no_secret, .zone = "example.hk", .item = items, .all = items, .n = 2};
    struct err e = {0};
    char why[160];
    struct node *n = node_parse(text, why);
    if (!n)
        return;
    json_t *j = node_uses(n) & USES(VAR_KEY) ? NULL : node_json(n, &s, &e);
    char *out = j ? json_dumps(j, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    must(!j || out);
    free(out);
    json_decref(j);
    node_free(n);
}

static void looking(char *text)
{
    char *second = strchr(text, '\n'), *third = second ? strchr(second + 1, '\n') : NULL;
    struct pick p;
    struct conditions c;
    if (!third)
        return;
    *second++ = *third++ = 0;
    json_t *j = json_loads(third, JSON_DECODE_ANY, NULL);
    if (pick_parse(&p, text)) {
        free(pick_text(&p, j, j));
        pick_free(&p);
    }
    if (conditions_parse(&c, second)) {
        conditions_hold(&c, j, j);
        conditions_free(&c);
    }
    json_decref(j);
}

static bool take(void *arg, const json_t *answer, const json_t *item, struct err *e)
{
    struct pick value;
    uint8_t *p;
    size_t n;
    (void)e;
    pick_parse(&value, "./content");
    char *text = pick_text(&value, answer, item);
    bool known = text != NULL;
    if (text && txt_unquote(text, &p, &n)) {
        must(n <= strlen(text));
        free(p);
    }
    pick_free(&value);
    ++*(size_t *)arg;
    free(text);
    return known;
}

/* One for each way of paging; made once. */
static const struct described *way(unsigned i)
{
    static const char *const ways[] = {"", "pages = /pages\n", "next = /next\n", "cursor = /cursor\n", "total = /total\n", "full = 2\n"};
    static struct provider_ops *made[6];
    if (!made[i]) {
        char *text = mem_fmt("[provider]\nsummary = s\nlinks = l\ngrade = A\nurl = https://api.example\n[read]\nget = /\neach = /items\n"
                             "value = ./content\nref = ./id\nempty = /none present\nif = ./type not A\n%s",
                             ways[i]);
        made[i] = described_type(describe_text("fuzz.ini", text, strlen(text)));
        free(text);
    }
    return (const struct described *)made[i];
}

static void answer(const uint8_t *p, size_t n)
{
    const struct described *t = way(n ? *p % 6 : 0);
    struct provider provider = {.type = t, .section = &section, .origin = "https://api.example:443"};
    struct request r = {.p = &provider, .step = &t->step[STEP_READ], .answer = ANSWER_OK};
    struct pages g = {.number = 1};
    struct err e = {0};
    size_t items = 0;
    bool more;
    r.call.json = n ? json_loadb((const char *)p + 1, n - 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL) : NULL;
    bool good = pages_take(&g, &r, take, &items, &more, &e);
    must(good == (e.rc == RC_OK) && (good || !more || g.url) && items <= g.items + n);
    char origin[280];
    if (g.url && good && more)
        must(http_origin(g.url, false, origin, sizeof origin) && strcmp(origin, provider.origin) == 0);
    must(strlen(api_words(r.call.json)) <= n);
    json_decref(r.call.json);
    pages_free(&g);
}

static void txt(const uint8_t *p, size_t n)
{
    struct str out = STR_INIT(1 << 22);
    char *text = mem_copy(p, n);
    uint8_t *back;
    size_t length;
    if (txt_unquote(text, &back, &length))
        free(back);
    txt_quote(&out, (struct bytes){p, n});
    must(txt_unquote(str_text(&out), &back, &length) && length == n && memcmp(back, p, n) == 0);
    free(back);
    free(text);
    str_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    char *text = mem_copy(data + 1, size - 1);
    switch (*data) {
    case 0:
        description(data + 1, size - 1);
        break;
    case 1:
        body(text);
        break;
    case 2:
        looking(text);
        break;
    case 3:
        answer(data + 1, size - 1);
        break;
    case 4:
        txt(data + 1, size < 4096 ? size - 1 : 4095);
        break;
    default:
        break;
    }
    free(text);
    return 0;
}
