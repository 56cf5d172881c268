/* section.c: the getters of provider and CA sections. Values were checked when the file was read; a faulty one reads as not set. */
#include "conf/load.h"

#include <stdlib.h>
#include <string.h>

const struct conf_key *section_keys(const struct section *s)
{
    return s->keys ? s->keys : s->verify ? conf_ca_keys : conf_provider_keys;
}

const char *section_text(const struct section *s, const char *key)
{
    const struct section_entry *e = entry_find(s->entry, s->n, key);
    const struct conf_key *k = key_find(section_keys(s), key);

    if (e)
        return e->value;
    if (s->agent && strncmp(key, "proxy", 5) == 0 && !entry_find(s->entry, s->n, "proxy"))
        return strcmp(key, "proxy") == 0        ? s->agent->proxy
               : strcmp(key, "proxy_user") == 0 ? s->agent->proxy_user
                                                : s->agent->proxy_password_file;
    return k ? k->standard : NULL;
}

bool section_given(const struct section *s, const char *key)
{
    return entry_find(s->entry, s->n, key) != NULL;
}

/* Only where the table says that the key is of this C type: a getter of the wrong kind reads nothing instead of somebody's memory. */
static void get(const struct section *s, const char *key, unsigned types, void *out)
{
    const struct conf_key *k = key_find(section_keys(s), key);
    const char *text = section_text(s, key);

    if (k && text && (types & 1u << k->type))
        value_parse(k, text, out, NULL);
}

bool section_yes(const struct section *s, const char *key)
{
    bool v = false;

    get(s, key, 1u << CONF_YESNO, &v);
    return v;
}

int section_word(const struct section *s, const char *key)
{
    int v = 0;

    get(s, key, 1u << CONF_WORD, &v);
    return v;
}

int64_t section_number(const struct section *s, const char *key)
{
    int64_t v = 0;

    get(s, key, 1u << CONF_COUNT | 1u << CONF_DURATION | 1u << CONF_DATE, &v);
    return v;
}

void section_list(const struct section *s, const char *key, struct strs *out)
{
    *out = (struct strs){0};
    get(s, key, 1u << CONF_LIST | 1u << CONF_NAMES | 1u << CONF_ZONES | 1u << CONF_COMMAND, out);
}

void section_servers(const struct section *s, const char *key, struct endpoints *out)
{
    *out = (struct endpoints){0};
    get(s, key, 1u << CONF_SERVER | 1u << CONF_SERVERS, out);
}

void section_places(const struct section *s, const char *key, struct places *out)
{
    *out = (struct places){0};
    get(s, key, 1u << CONF_PLACES, out);
}
