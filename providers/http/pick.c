#include "providers/http/pick.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- pointers ------------------------------------------------------------------------------------------------------------------------- */

/* One reference token; false: a lone "~". */
static bool token(struct strs *steps, const char *p, size_t n)
{
    struct str out = STR_INIT(256);
    bool good = n < 256;
    for (size_t i = 0; good && i < n; i++) {
        if (p[i] != '~') {
            str_put(&out, p + i, 1);
            continue;
        }
        good = ++i < n && (p[i] == '0' || p[i] == '1');
        if (good)
            str_add(&out, p[i] == '0' ? "~" : "/");
    }
    if (good)
        strs_add(steps, str_text(&out));
    str_free(&out);
    return good;
}

bool pick_parse(struct pick *p, const char *text)
{
    *p = (struct pick){.given = true, .item = *text == '.'};
    const char *at = text + p->item;
    if (*at != '/' && !(p->item && !*at))
        return false;
    if (at[0] == '/' && !at[1])
        return !p->item;
    while (*at) {
        size_t n = strcspn(++at, "/");
        if (!token(&p->step, at, n)) {
            pick_free(p);
            return false;
        }
        at += n;
    }
    return true;
}

void pick_free(struct pick *p)
{
    strs_free(&p->step);
    *p = (struct pick){0};
}

static const json_t *child(const json_t *j, const char *name)
{
    if (json_is_object(j))
        return json_object_get(j, name);
    size_t n = strlen(name);
    if (!json_is_array(j) || n == 0 || n > 9 || strspn(name, "0123456789") != n || (n > 1 && *name == '0'))
        return NULL;
    return json_array_get(j, (size_t)strtoul(name, NULL, 10));
}

const json_t *pick_at(const struct pick *p, const json_t *answer, const json_t *item)
{
    const json_t *j = p->given ? p->item ? item : answer : NULL;
    for (size_t i = 0; j && i < p->step.n; i++)
        j = child(j, p->step.s[i]);
    return json_is_null(j) ? NULL : j;
}

char *json_scalar(const json_t *j)
{
    if (json_is_string(j))
        return mem_str(json_string_value(j));
    if (json_is_integer(j))
        return mem_fmt("%lld", (long long)json_integer_value(j));
    if (json_is_real(j))
        return mem_fmt("%.17g", json_real_value(j));
    if (json_is_boolean(j))
        return mem_str(json_is_true(j) ? "true" : "false");
    return NULL;
}

char *pick_text(const struct pick *p, const json_t *answer, const json_t *item)
{
    return json_scalar(pick_at(p, answer, item));
}

/* --- conditions ----------------------------------------------------------------------------------------------------------------------- */

static void split_bar(struct strs *l, const char *text)
{
    for (;;) {
        size_t n = strcspn(text, "|");
        strs_add_n(l, text, n);
        if (!text[n])
            return;
        text += n + 1;
    }
}

/* Words from *at on: a pointer, what is tested, and for two of the tests a list. */
static bool condition(struct condition *c, const struct strs *words, size_t *at)
{
    static const char *const tests[] = {[TEST_IS] = "is", [TEST_NOT] = "not", [TEST_PRESENT] = "present", [TEST_ABSENT] = "absent"};
    *c = (struct condition){0};
    if (*at + 2 > words->n || !pick_parse(&c->at, words->s[*at]))
        return false;
    const char *test = words->s[*at + 1];
    while (c->test <= TEST_ABSENT && strcmp(tests[c->test], test) != 0)
        c->test++;
    *at += 2;
    if (c->test == TEST_PRESENT || c->test == TEST_ABSENT)
        return true;
    if (c->test > TEST_ABSENT || *at == words->n)
        return false;
    split_bar(&c->words, words->s[(*at)++]);
    return true;
}

bool conditions_parse(struct conditions *l, const char *text)
{
    struct strs words = {0};
    size_t at = 0;
    bool good;
    *l = (struct conditions){0};
    strs_split(&words, text);
    do {
        l->c = mem_grow(l->c, l->n + 1, sizeof *l->c);
        good = condition(&l->c[l->n++], &words, &at) && (at == words.n || strcmp(words.s[at], "and") == 0);
    } while (good && at++ < words.n);
    strs_free(&words);
    if (!good)
        conditions_free(l);
    return good;
}

void conditions_free(struct conditions *l)
{
    for (size_t i = 0; i < l->n; i++) {
        pick_free(&l->c[i].at);
        strs_free(&l->c[i].words);
    }
    free(l->c);
    *l = (struct conditions){0};
}

static bool holds(const struct condition *c, const json_t *answer, const json_t *item)
{
    const json_t *j = pick_at(&c->at, answer, item);
    if (c->test == TEST_PRESENT || c->test == TEST_ABSENT)
        return (j != NULL) == (c->test == TEST_PRESENT);
    char *text = json_scalar(j);
    bool among = text && strs_has(&c->words, text);
    free(text);
    return among == (c->test == TEST_IS);
}

bool conditions_hold(const struct conditions *l, const json_t *answer, const json_t *item)
{
    for (size_t i = 0; i < l->n; i++)
        if (!holds(&l->c[i], answer, item))
            return false;
    return true;
}
