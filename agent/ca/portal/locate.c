#include "ca/portal/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void find_controls(const struct page *p, const struct locator *at, struct nodes *out)
{
    if (at->by == BY_LABEL)
        page_control(p, at->text, out);
    else if (at->by == BY_NAME)
        page_named(p, at->text, out);
    else
        page_find(p, at->text, NULL, out);
}

void locate_texts(const struct page *p, const struct locator *at, struct strs *out)
{
    struct nodes found = {0};

    if (at->by == BY_LABEL) {
        page_shown(p, at->text, out);
    } else if (at->by == BY_XPATH) {
        page_texts(p, at->text, NULL, out);
    } else {
        page_named(p, at->text, &found);
        for (size_t i = 0; i < found.n; i++) {
            char *text = node_text(found.p[i]);
            strs_add(out, text);
            free(text);
        }
        nodes_free(&found);
    }
}

static bool missing(const char *page_name, const struct mark *m, const char *what, const char *how, struct err *e)
{
    return err_set(e, RC_PAGES, "PORTAL_PAGE",
                   "[page %s] %s = %.120s: %s %s; nothing was pressed. If the page has changed, mend the description", page_name, m->key,
                   m->at.text, how, what);
}

bool locate_text(const struct page *p, const char *page_name, const struct mark *m, char **out, struct err *e)
{
    struct strs texts = {0};
    const char *found = NULL;
    bool several = false;

    locate_texts(p, &m->at, &texts);
    for (size_t i = 0; i < texts.n; i++) {
        if (!*texts.s[i])
            continue;
        several = several || (found && !text_same(found, texts.s[i]));
        found = found ? found : texts.s[i];
    }
    *out = found && !several ? mem_str(found) : NULL;
    strs_free(&texts);
    return *out || missing(page_name, m, "such value", several ? "the page shows more than one" : "the page shows no", e);
}

static const struct node *only(const char *page_name, const struct mark *m, const char *what, struct nodes *found, struct err *e)
{
    const struct node *n = found->n == 1 ? found->p[0] : NULL;

    if (!n)
        missing(page_name, m, what, found->n ? "the page has more than one" : "the page has no", e);
    nodes_free(found);
    return n;
}

const struct node *locate_control(const struct page *p, const char *page_name, const struct mark *m, struct err *e)
{
    struct nodes found = {0};

    find_controls(p, &m->at, &found);
    return only(page_name, m, "such field", &found, e);
}

const struct node *locate_choice(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e)
{
    struct nodes found = {0};

    if (m->at.by == BY_XPATH)
        page_find(p, m->at.text, NULL, &found);
    else
        page_choice(p, texts, &found);
    return only(page_name, m, "such choice", &found, e);
}

const struct node *locate_button(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e)
{
    struct nodes found = {0};

    if (m->at.by == BY_XPATH)
        page_find(p, m->at.text, NULL, &found);
    else
        page_buttons(p, texts, &found);
    return only(page_name, m, "such button", &found, e);
}

/* Several links to one address are one. */
static void drop_repeated_links(const struct page *p, struct nodes *found)
{
    struct strs urls = {0};
    size_t kept = 0;

    for (size_t i = 0; i < found->n; i++) {
        char *url = page_link_url(p, found->p[i]);

        if (url && !strs_has(&urls, url)) {
            strs_add(&urls, url);
            found->p[kept++] = found->p[i];
        }
        free(url);
    }
    found->n = kept;
    strs_free(&urls);
}

const struct node *locate_link(const struct page *p, const char *page_name, const struct mark *m, const char *texts, struct err *e)
{
    struct nodes found = {0};

    if (m->at.by == BY_XPATH)
        page_find(p, m->at.text, NULL, &found);
    else
        page_links(p, texts, &found);
    drop_repeated_links(p, &found);
    return only(page_name, m, "such link", &found, e);
}

bool locate_holds(const struct page *p, const struct locator *at)
{
    return at->by == BY_XPATH ? page_is(p, at->text) : page_shows(p, at->text);
}
