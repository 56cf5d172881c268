/* files.c: the files that saved orders have on web servers, told. */
#include "order/website/website_impl.h"

#include <string.h>

#include "base/mem.h"
#include "dcv/webfile.h"

static enum ledger_state state_of(const char *word)
{
    for (int i = LEDGER_FOUND; i < LEDGER_GONE; i++)
        if (strcmp(word, ledger_state_words[i]) == 0)
            return (enum ledger_state)i;
    return LEDGER_INTENDED; /* may be there */
}

struct website_file website_file_of(const struct saved_order *o, const json_t *entry)
{
    struct website_file f = {.order = o,
                             .host = json_str(entry, "host"),
                             .webroot = json_str(entry, "webroot"),
                             .hook = json_str(entry, "hook"),
                             .value = json_str(entry, "value"),
                             .state = state_of(json_str(entry, "state"))};
    f.wanted = f.state != LEDGER_LEAVING && o->open && order_state_of(o->state) < ORDER_ISSUED;
    return f;
}

char *website_place(const struct website_file *f)
{
    return *f->webroot ? mem_fmt("%s" WEBFILE_URL_PATH, f->webroot) : mem_fmt("http://%s" WEBFILE_URL_PATH, f->host);
}

void website_files(const struct saved_order *o, website_fn *fn, void *arg)
{
    if (!o->facts || !strstr(o->facts, "\"website\"")) /* years of orders have none */
        return;
    json_t *facts = json_loads(o->facts, 0, NULL), *entry;
    size_t i;
    json_array_foreach(json_object_get(facts, "website"), i, entry)
    {
        struct website_file f = website_file_of(o, entry);
        fn(arg, &f);
    }
    json_decref(facts);
}

struct each {
    website_fn *fn;
    void *arg;
};

static bool take_order(void *arg, const struct saved_order *o)
{
    const struct each *to = arg;
    website_files(o, to->fn, to->arg);
    return true;
}

bool website_each(struct store *s, website_fn *fn, void *arg, struct err *e)
{
    return order_history(s, NULL, take_order, &(struct each){fn, arg}, e);
}

static void count(void *arg, const struct website_file *f)
{
    (void)f;
    ++*(size_t *)arg;
}

size_t website_left(const char *facts)
{
    size_t n = 0;
    website_files(&(struct saved_order){.facts = (char *)(uintptr_t)facts}, count, &n);
    return n;
}
