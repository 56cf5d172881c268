/* lists.c: values of several words. Every faulty word gets a fault of its own. */
#include "conf/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/guess.h"
#include "base/mem.h"
#include "base/names.h"

bool parse_list(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct strs *l = out;

    (void)k;
    strs_split(l, text);
    if (l->n)
        return true;
    sink_fault(sink, RC_CONF, "the list is empty; give words or remove the line");
    return false;
}

/* Duplicates are found through a sorted copy: a list may hold tens of thousands of names. */
static int by_text(const void *a, const void *b)
{
    char **x = *(char **const *)a, **y = *(char **const *)b;
    int d = strcmp(*x, *y);

    return d ? d : (x > y) - (x < y);
}

static void drop_duplicates(struct strs *l)
{
    char ***sorted;
    size_t n = 0;

    if (l->n < 2)
        return;
    sorted = mem_array(l->n, sizeof(*sorted));
    for (size_t i = 0; i < l->n; i++)
        sorted[i] = &l->s[i];
    qsort(sorted, l->n, sizeof(*sorted), by_text);
    for (size_t i = l->n - 1; i > 0; i--) {
        if (strcmp(*sorted[i - 1], *sorted[i]) == 0) {
            free(*sorted[i]);
            *sorted[i] = NULL;
        }
    }
    for (size_t i = 0; i < l->n; i++) {
        if (l->s[i])
            l->s[n++] = l->s[i];
    }
    l->n = n;
    free(sorted);
}

static bool add_name(struct strs *l, const char *word, unsigned may, struct value_sink *sink)
{
    char name[NAME_SIZE];
    struct err e = {0};

    if (!name_parse(word, may, name, &e)) {
        sink_fault(sink, RC_CONF, "%s", e.text);
        return false;
    }
    strs_add(l, name);
    return true;
}

bool parse_names(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct strs words = {0};
    bool good = parse_list(k, text, &words, sink);

    for (size_t i = 0; i < words.n; i++)
        good &= add_name(out, words.s[i], NAME_WILDCARD, sink);
    strs_free(&words);
    drop_duplicates(out);
    return good;
}

/* A zone may be one label ("lan"), which is no host name: it is judged below another label. */
static bool add_zone(struct strs *l, const char *word, struct value_sink *sink)
{
    size_t n = strlen(word);
    char name[NAME_SIZE];
    char below[NAME_SIZE + 2];

    if (n > 1 && word[n - 1] == '.')
        n--;
    if (n >= NAME_SIZE || memchr(word, '.', n))
        return add_name(l, word, NAME_UNDERSCORE, sink);
    memcpy(below, "x.", 2);
    memcpy(below + 2, word, n);
    below[n + 2] = '\0';
    if (n == 0 || !name_parse(below, NAME_UNDERSCORE, name, NULL))
        return add_name(l, word, NAME_UNDERSCORE, sink);
    strs_add(l, name + 2);
    return true;
}

bool parse_zones(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct strs words = {0};
    bool good = parse_list(k, text, &words, sink);

    for (size_t i = 0; i < words.n; i++)
        good &= add_zone(out, words.s[i], sink);
    strs_free(&words);
    drop_duplicates(out);
    return good;
}

/* Updates go by plain TCP: TSIG is their protection. */
static bool update_carried(const struct endpoint *p, const char *text, struct value_sink *sink)
{
    char shown[72];

    if (p->via != VIA_TLS && p->via != VIA_HTTPS)
        return true;
    sink_fault(sink, RC_CONF, "%s: tls:// and https:// are for resolvers; write ADDRESS[:PORT] or NAME[:PORT]",
               quoted(shown, sizeof(shown), text));
    return false;
}

static bool add_server(struct endpoints *l, const char *word, bool names, struct value_sink *sink)
{
    struct endpoint p = {0};
    struct err e = {0};

    if (!endpoint_parse(word, names, &p, &e)) {
        sink_fault(sink, RC_CONF, "%s", e.text);
        return false;
    }
    if (names && !update_carried(&p, word, sink))
        return false;
    endpoints_add(l, &p);
    return true;
}

bool parse_servers(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct strs words = {0};
    bool good = parse_list(k, text, &words, sink);

    for (size_t i = 0; i < words.n; i++) {
        if (!word_is(k->allowed, words.s[i])) {
            good &= add_server(out, words.s[i], false, sink);
        } else if (words.n > 1) {
            sink_fault(sink, RC_CONF, "\"%s\" stands alone or not at all", words.s[i]);
            good = false;
        }
    }
    strs_free(&words);
    return good;
}

bool parse_server(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    (void)k;
    if (strpbrk(text, " ,")) {
        sink_fault(sink, RC_CONF, "one server is wanted here: address[:port] or name[:port]");
        return false;
    }
    return add_server(out, text, true, sink);
}

/* name, apex or one label with its underscore. */
static bool place_parse(const char *word, struct place *out, struct value_sink *sink)
{
    struct guess g = {.wanted = word};
    char below[80], name[NAME_SIZE], maybe[96], shown[72];
    size_t n = strlen(word);

    if (strcmp(word, "name") == 0 || strcmp(word, "apex") == 0) {
        out->at = word[0] == 'n' ? AT_NAME : AT_APEX;
        return true;
    }
    if (word[0] == '_' && n > 1 && n < 64 && !strchr(word, '.')) {
        memcpy(below, word, n);
        memcpy(below + n, ".x.x", 5);
        if (name_parse(below, NAME_UNDERSCORE, name, NULL)) {
            out->at = AT_LABEL;
            out->label = mem_copy(name, strlen(name) - 4);
            return true;
        }
    }
    guess_try(&g, "name");
    guess_try(&g, "apex");
    sink_fault(sink, RC_CONF, "%s is no place for a record; allowed: name, apex, or one label such as _acme-challenge%s",
               quoted(shown, sizeof(shown), word), guess_text(&g, maybe));
    return false;
}

static bool same_place(const struct place *a, const struct place *b)
{
    return a->at == b->at && (a->at != AT_LABEL || strcmp(a->label, b->label) == 0);
}

bool parse_places(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct places *l = out;
    struct strs words = {0};
    bool good = parse_list(k, text, &words, sink);

    if (words.n > 8) {
        sink_fault(sink, RC_CONF, "more than 8 places");
        strs_free(&words);
        return false;
    }
    l->p = mem_array(words.n + 1, sizeof(*l->p));
    for (size_t i = 0; i < words.n; i++) {
        struct place p = {0};
        size_t j = 0;

        if (!place_parse(words.s[i], &p, sink)) {
            good = false;
            continue;
        }
        while (j < l->n && !same_place(&l->p[j], &p))
            j++;
        if (j == l->n)
            l->p[l->n++] = p;
        else
            free(p.label);
    }
    strs_free(&words);
    return good;
}

void places_free(struct places *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->p[i].label);
    free(l->p);
    *l = (struct places){0};
}

static bool rule_parse(const char *word, struct record_at_rule *out, struct value_sink *sink)
{
    const char *colon = strrchr(word, ':');
    char name[NAME_SIZE], shown[72];
    struct err e = {0};
    char *host;
    bool good;

    if (!colon || colon == word) {
        sink_fault(sink, RC_CONF, "%s: write HOST:PLACE, as in cdn.example.hk:apex", quoted(shown, sizeof(shown), word));
        return false;
    }
    host = mem_copy(word, (size_t)(colon - word));
    good = name_parse(host, NAME_WILDCARD, name, &e);
    free(host);
    if (!good) {
        sink_fault(sink, RC_CONF, "%s", e.text);
        return false;
    }
    if (!place_parse(colon + 1, &out->place, sink))
        return false;
    out->host = mem_str(name_base(name));
    return true;
}

bool parse_rules(const struct conf_key *k, const char *text, void *out, struct value_sink *sink)
{
    struct record_at_rules *l = out;
    struct strs words = {0};
    bool good = parse_list(k, text, &words, sink);

    l->r = mem_array(words.n + 1, sizeof(*l->r));
    for (size_t i = 0; i < words.n; i++) {
        if (rule_parse(words.s[i], &l->r[l->n], sink))
            l->n++;
        else
            good = false;
    }
    strs_free(&words);
    return good;
}

void rules_free(struct record_at_rules *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->r[i].host);
        free(l->r[i].place.label);
    }
    free(l->r);
    *l = (struct record_at_rules){0};
}
