/* merge.c: a type's table and its kind's common one as one, and the tables as help and manual want them. */
#include "conf/load.h"

#include <string.h>

#include "base/mem.h"

static const struct conf_key *common_keys(const char *kind)
{
    return strcmp(kind, "ca") == 0 ? conf_ca_keys : conf_provider_keys;
}

static size_t count(const struct conf_key *k)
{
    size_t n = 0;

    while (k && k[n].name)
        n++;
    return n;
}

struct conf_key *merge_keys(const char *kind, const struct conf_key *own)
{
    const struct conf_key *common = common_keys(kind);
    size_t n = count(own);
    struct conf_key *t = mem_array(n + count(common) + 1, sizeof(*t));

    if (n)
        memcpy(t, own, n * sizeof(*t));
    for (; common->name; common++) {
        if (!key_find(own, common->name))
            t[n++] = *common;
    }
    return t;
}

static void each_module(const struct conf_module *m, const char *kind, conf_table_fn *fn, void *context)
{
    for (; m && m->kind; m++) {
        if (m->type && strcmp(m->kind, kind) == 0)
            fn(context, kind, m->type, m->keys);
    }
}

void conf_tables_each(const struct conf_module *modules, conf_table_fn *fn, void *context)
{
    fn(context, "agent", NULL, conf_agent_keys);
    fn(context, "verify", NULL, conf_verify_keys);
    fn(context, "zone", NULL, conf_zone_keys);
    fn(context, "certificate", NULL, conf_cert_keys);
    fn(context, "provider", NULL, conf_provider_keys);
    each_module(modules, "provider", fn, context);
    fn(context, "ca", NULL, conf_ca_keys);
    each_module(modules, "ca", fn, context);
}

static void words_form(const char *allowed, struct str *out)
{
    if (*allowed == '|')
        allowed++;
    for (; *allowed; allowed++) {
        if (*allowed == '|')
            str_add(out, " | ");
        else
            str_put(out, allowed, 1);
    }
}

void conf_key_form(const struct conf_key *k, struct str *out)
{
    static const char *const form[] = {
        [CONF_TEXT] = "text",
        [CONF_YESNO] = "yes | no",
        [CONF_DURATION] = "duration (90s 10m 24h 30d)",
        [CONF_COUNT] = "number",
        [CONF_DATE] = "date (2027-05-31)",
        [CONF_FILE] = "absolute path",
        [CONF_SECRET] = "absolute path of a secret, or credential:NAME",
        [CONF_COMMAND] = "absolute path of a program and its arguments",
        [CONF_LIST] = "list",
        [CONF_NAMES] = "list of host names",
        [CONF_ZONES] = "list of zones",
        [CONF_SERVERS] = "list of addresses, each with or without a port",
        [CONF_SERVER] = "address[:port] or name[:port]",
        [CONF_PLACES] = "name | apex | _LABEL, several",
        [CONF_QUORUM] = "all | majority | number",
        [CONF_DIGITS] = "digits",
        [CONF_RULES] = "list of HOST:PLACE",
    };

    if (k->type == CONF_WORD) {
        words_form(k->allowed, out);
        return;
    }
    str_add(out, form[k->type]);
    if (!k->allowed)
        return;
    if (k->type == CONF_COUNT)
        str_fmt(out, " %s", k->allowed);
    else if (k->type == CONF_DIGITS)
        str_fmt(out, ", %s of them", k->allowed);
    else if (k->type == CONF_DURATION || k->type == CONF_SERVERS)
        str_fmt(out, ", or %s", k->allowed);
    else if (k->type != CONF_PLACES && k->type != CONF_QUORUM)
        str_fmt(out, ", as in %s", k->allowed);
}
