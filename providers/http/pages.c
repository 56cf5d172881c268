/* pages.c: the items of an answer, and the way to the next page: all of them or none. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "net/http.h"
#include "providers/http/described_impl.h"

enum { PAGES_MAX = 500 };

static bool odd(const struct request *r, const char *what, struct err *e)
{
    err_set(e, RC_PAGES, "API_ANSWER",
            "[provider %s] could not %s: the answer has no %s where the description of type %s says; has the API changed?",
            r->p->section->name, r->what, what, r->p->type->ops.type);
    return err_again(e, 0);
}

/* The next page is asked of nobody else than the API. */
static bool next_url(struct pages *g, const struct request *r, const char *url, bool *more, struct err *e)
{
    char origin[280];
    free(g->url);
    g->url = *url == '/' ? mem_fmt("%s%s", r->p->origin, url) : mem_str(url);
    if (http_origin(g->url, r->p->type->plain, origin, sizeof origin) && strcmp(origin, r->p->origin) == 0)
        return *more = true;
    return err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: the API's next page is at another server, which is not asked",
                   r->p->section->name, r->what);
}

static bool follow(struct pages *g, const struct request *r, size_t n, bool *more, struct err *e)
{
    const struct step *s = r->step;
    const json_t *answer = r->call.json;
    char *text = pick_text(&s->more, answer, answer), *link = mem_array(r->call.head.n + 1, 1); /* whatever its length: never overlooked */
    unsigned long number = text ? strtoul(text, NULL, 10) : 0;
    bool good = text || !pick_at(&s->more, answer, answer) || odd(r, "text or number about its pages", e);
    switch (good ? s->paging : PAGING_NONE) {
    case PAGING_NONE:
        break;
    case PAGING_PAGES:
        good = text || odd(r, "number of pages", e);
        *more = g->number < number;
        break;
    case PAGING_TOTAL:
        good = (text && (n || g->items >= number)) || odd(r, "total of items, or as many items,", e);
        *more = g->items < number;
        break;
    case PAGING_EMPTY: /* a page that is not full may have been cut by a limit of the API's own */
        *more = n > 0;
        break;
    case PAGING_NEXT:
        good = !text || !*text || next_url(g, r, text, more, e);
        break;
    case PAGING_LINK:
        good = !api_link(&r->call, "next", link, r->call.head.n + 1) || next_url(g, r, link, more, e);
        break;
    case PAGING_CURSOR:
        *more = text && *text;
        free(g->cursor);
        g->cursor = text;
        text = NULL;
        break;
    }
    free(text);
    free(link);
    return good;
}

bool pages_take(struct pages *g, const struct request *r, item_fn *fn, void *arg, bool *more, struct err *e)
{
    const struct step *s = r->step;
    const json_t *answer = r->call.json;
    bool gone = r->answer == ANSWER_GONE, none = gone || (s->empty.n && conditions_hold(&s->empty, answer, answer)), first = g->number == 1;
    *more = false;
    if (none && first)
        return true;
    if (gone) /* the pages before it are not the whole */
        return odd(r, "items on a later page", e);
    const json_t *items = none ? NULL : pick_at(&s->each, answer, answer);
    bool list = json_is_array(items);
    size_t n = list ? json_array_size(items) : !none;
    if (!none && !list && !json_is_object(items))
        return odd(r, "list of items", e);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = list ? json_array_get(items, i) : items;
        if (conditions_hold(&s->only, answer, item) && !fn(arg, answer, item, e))
            return e->rc != RC_OK ? false : odd(r, "name, value or id in an item", e);
    }
    g->items += n;
    if (!follow(g, r, n, more, e))
        return false;
    if (*more && g->number++ >= PAGES_MAX)
        return err_set(e, RC_PAGES, "API_ANSWER", "[provider %s] could not %s: there is no end of pages; nothing is taken from it",
                       r->p->section->name, r->what);
    return true;
}

void pages_free(struct pages *g)
{
    free(g->cursor);
    free(g->url);
    *g = (struct pages){.number = 1};
}
