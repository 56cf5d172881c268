/* labels.c: which words belong to which control, and which value to which words. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/portal/html_impl.h"
#include "ca/portal/wording.h"

static bool holds(const xmlNode *outer, const xmlNode *n)
{
    while (n && n != outer)
        n = n->parent;
    return n;
}

static bool holds_control(const xmlNode *outer)
{
    for (const xmlNode *n = next_in(outer, outer); n; n = next_in(n, outer))
        if (n->type == XML_ELEMENT_NODE && is_control(n))
            return true;
    return false;
}

/* A cell between label and value that holds nothing but a colon. */
static bool is_separator(const xmlNode *n)
{
    char *text, *folded;
    bool is;

    if (!is_element(n, "td|th"))
        return false;
    text = shown_text(n, 0);
    folded = word_fold(text);
    is = *text && !*folded;
    free(text);
    free(folded);
    return is;
}

static const xmlNode *element_before(const xmlNode *n)
{
    for (n = n->prev; n && (n->type != XML_ELEMENT_NODE || is_element(n, "br|script|style") || is_separator(n)); n = n->prev)
        ;
    return n;
}

static const xmlNode *element_behind(const xmlNode *n)
{
    for (n = n->next; n && (n->type != XML_ELEMENT_NODE || is_element(n, "br|script|style") || is_separator(n)); n = n->next)
        ;
    return n;
}

/* --- the words of a control ------------------------------------------------------------------------------------------------------------ */

static void add_words(struct strs *words, const char *text)
{
    char *folded = word_fold(text ? text : "");

    if (*folded)
        strs_add(words, folded);
    free(folded);
}

static void add_attr(struct strs *words, const xmlNode *n, const char *name)
{
    char *v = attr(n, name);

    add_words(words, v);
    free(v);
}

static void add_node(struct strs *words, const xmlNode *n)
{
    char *text = shown_text(n, TEXT_PICTURES);

    add_words(words, text);
    free(text);
}

static void own_labels(const struct page *p, const xmlNode *control, struct strs *words)
{
    char *id = attr(control, "id");
    const xmlNode *around = above(control, "label");

    if (around && !attr_has(around, "for"))
        add_node(words, around);
    for (size_t i = 0; id && *id && i < p->labels.n; i++)
        if (attr_same(node_in(p->labels.p[i]), "for", id))
            add_node(words, node_in(p->labels.p[i]));
    free(id);
    add_attr(words, control, "aria-label");
    add_attr(words, control, "placeholder");
}

static bool has_one_cell(const xmlNode *row)
{
    unsigned cells = 0;

    for (const xmlNode *n = row->children; n; n = n->next)
        cells += is_element(n, "td|th");
    return cells == 1;
}

/* The block before, climbing while nothing stands in front: <div>Name</div><div><input></div>, cells, terms; the row above where both rows
 * have one cell. */
static void block_before(const xmlNode *control, struct strs *words)
{
    for (const xmlNode *n = control; n && !is_element(n, "form|body|table|tbody|fieldset|html"); n = n->parent) {
        const xmlNode *before = element_before(n);

        if (!before)
            continue;
        if (is_element(n, "tr") && !(has_one_cell(n) && has_one_cell(before)))
            return;
        if (is_shown(before) && !is_control(before) && !holds_control(before))
            add_node(words, before);
        return;
    }
}

/* Lines of the same block in front, back to the control before. */
static bool lines_before(const struct page *p, size_t at, struct strs *words)
{
    size_t first = at;
    struct str all = STR_INIT(4096);

    while (first && !p->bit[first - 1].control && p->bit[first - 1].block == p->bit[at].block)
        first--;
    for (size_t i = first; i < at; i++) {
        add_words(words, p->bit[i].text);
        str_fmt(&all, "%s ", p->bit[i].text);
    }
    if (at - first > 1)
        add_words(words, str_text(&all));
    str_free(&all);
    return at > first;
}

static void text_behind(const struct page *p, size_t at, struct strs *words)
{
    const xmlNode *cell = above(p->bit[at].control, "td|th");
    const struct bit *next = at + 1 < p->n_bit ? &p->bit[at + 1] : NULL;

    if (next && !next->control && next->block == p->bit[at].block)
        add_words(words, next->text);
    else if (next && !next->control && cell && (cell = element_behind(cell)) && holds(cell, next->block))
        add_node(words, cell);
}

static void words_of(const struct page *p, size_t at, struct strs *words)
{
    const xmlNode *control = p->bit[at].control;

    own_labels(p, control, words);
    if (is_type(control, "radio|checkbox"))
        text_behind(p, at, words);
    else if (!lines_before(p, at, words))
        block_before(control, words);
}

struct hunt {
    const struct strs *words;
    enum word_match best;
};

static bool hunt(void *arg, const char *label)
{
    struct hunt *h = arg;

    for (size_t i = 0; i < h->words->n; i++) {
        enum word_match m = word_match(label, h->words->s[i]);
        if (m > h->best)
            h->best = m;
    }
    return h->best == WORD_SAME;
}

static enum word_match best_match(const char *labels, const struct strs *words)
{
    struct hunt h = {.words = words};

    word_any(labels, hunt, &h);
    return h.best;
}

/* Only the best ones stay: a label that is the same drops those with a hint. */
struct ranking {
    struct nodes *out;
    enum word_match best;
};

static void rank(struct ranking *r, const xmlNode *n, enum word_match m)
{
    if (m == WORD_OTHER || m < r->best)
        return;
    if (m > r->best)
        nodes_free(r->out);
    r->best = m;
    nodes_add(r->out, n);
}

static bool is_field(const xmlNode *n)
{
    return !is_element(n, "button") && !is_type(n, "submit|image|reset|button") && !is_disabled(n) &&
           (!attr_has(n, "readonly") || is_type(n, "radio|checkbox"));
}

void page_control(const struct page *p, const char *labels, struct nodes *out)
{
    struct ranking r = {.out = out};

    for (size_t i = 0; i < p->n_bit; i++) {
        struct strs words = {0};

        if (!p->bit[i].control || !is_field(p->bit[i].control))
            continue;
        words_of(p, i, &words);
        rank(&r, p->bit[i].control, best_match(labels, &words));
        strs_free(&words);
    }
}

static void rank_options(struct ranking *r, const xmlNode *select, const char *texts)
{
    for (const xmlNode *n = next_in(select, select); n; n = next_in(n, select)) {
        struct strs words = {0};

        if (!is_element(n, "option") || attr_has(n, "disabled"))
            continue;
        add_node(&words, n);
        rank(r, n, best_match(texts, &words));
        strs_free(&words);
    }
}

void page_choice(const struct page *p, const char *texts, struct nodes *out)
{
    struct ranking r = {.out = out};

    for (size_t i = 0; i < p->n_bit; i++) {
        const xmlNode *n = p->bit[i].control;
        struct strs words = {0};

        if (!n || !is_field(n))
            continue;
        if (is_element(n, "select"))
            rank_options(&r, n, texts);
        if (is_type(n, "radio|checkbox")) {
            words_of(p, i, &words);
            rank(&r, n, best_match(texts, &words));
            strs_free(&words);
        }
    }
}

void page_named(const struct page *p, const char *name, struct nodes *out)
{
    for (size_t i = 0; i < p->n_bit; i++) {
        char *own = p->bit[i].control && is_field(p->bit[i].control) ? attr(p->bit[i].control, "name") : NULL;

        if (own && strcmp(own, name) == 0)
            nodes_add(out, p->bit[i].control);
        free(own);
    }
}

/* --- the value of words ---------------------------------------------------------------------------------------------------------------- */

/* What stands after the label's block: the next line of it, the next cell or term, the next block. NULL: nothing does. */
static char *value_after(const struct page *p, size_t at)
{
    const struct bit *b = &p->bit[at];
    const xmlNode *n = b->block;

    if (!is_element(n, "td|th|dt") && at + 1 < p->n_bit && !b[1].control && b[1].block == n)
        return mem_str(b[1].text);
    for (; n && !is_element(n, "tr|table|form|body|fieldset|html|dl|ul|ol"); n = n->parent) {
        const xmlNode *next = element_behind(n);

        if (next && !is_element(next, "tr|form") && is_shown(next))
            return node_text(node_out(next));
        if (is_element(n, "td|th|dt"))
            return NULL;
    }
    return NULL;
}

/* Octets of a colon, ASCII or full width. */
static size_t colon(const char *p)
{
    return *p == ':' ? 1 : strncmp(p, "：", strlen("：")) == 0 ? strlen("：") : 0;
}

/* Where the label at the front of a line ends; 0: it does not begin with it. */
static size_t label_end(const struct bit *b, const char *label)
{
    char *front = b->lead ? word_fold(b->lead) : NULL;
    size_t end = front && word_match(label, front) == WORD_SAME ? strlen(b->lead) : 0;
    bool longer = false;

    free(front);
    for (size_t i = 0; !end && !longer && b->text[i]; i++) {
        if (!colon(b->text + i))
            continue;
        char *cut = mem_copy(b->text, i);
        front = word_fold(cut);
        if (strcmp(front, label) == 0)
            end = i;
        longer = strlen(front) > strlen(label);
        free(front);
        free(cut);
    }
    return end;
}

/* "Name: value" in one line: the value in its own letters; NULL: this is no such line. */
static char *rest_of_line(const struct bit *b, const char *label)
{
    const char *rest = b->text + label_end(b, label);

    if (rest == b->text)
        return NULL;
    while (*rest == ' ' || colon(rest))
        rest += *rest == ' ' ? 1 : colon(rest);
    return *rest ? mem_str(rest) : NULL;
}

struct ask {
    const struct page *p;
    size_t at;
    const char *folded; /* of the text at that place */
    enum word_match match;
    char *value;
};

static bool ask(void *arg, const char *label)
{
    struct ask *a = arg;
    const struct bit *b = &a->p->bit[a->at];

    a->match = WORD_SAME;
    a->value = rest_of_line(b, label);
    if (a->value)
        return true;
    a->match = word_match(label, a->folded);
    if (a->match != WORD_OTHER)
        a->value = value_after(a->p, a->at);
    return a->value != NULL;
}

void page_shown(const struct page *p, const char *labels, struct strs *out)
{
    enum word_match best = WORD_HINTED;

    for (size_t i = 0; i < p->n_bit; i++) {
        struct ask a = {.p = p, .at = i};
        char *folded;

        if (p->bit[i].control)
            continue;
        folded = word_fold(p->bit[i].text);
        a.folded = folded;
        word_any(labels, ask, &a);
        free(folded);
        if (!a.value)
            continue;
        if (a.match > best) {
            strs_free(out);
            best = a.match;
        }
        if (a.match == best)
            strs_add(out, a.value);
        free(a.value);
    }
}
