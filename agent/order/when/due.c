#include "order/when/due.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "ca/ca.h"
#include "conf/conf.h"
#include "store/store.h"

bool due_other_names(const char *was, const struct strs *now)
{
    struct strs old = {0};
    strs_split(&old, was);
    bool other = old.n && !strs_equal_sets(&old, now);
    strs_free(&old);
    return other;
}

const char *due_key_word(const struct conf_cert *c, const struct ca_rules *rules)
{
    if (c->csr_file)
        return "csr";
    return c->key_type != KEY_DEFAULT ? key_type_words[c->key_type] : rules->key_type;
}

void due_renewal(const char *ari, struct due_renewal *out)
{
    json_t *j = ari && *ari ? json_loads(ari, 0, NULL) : NULL;
    *out = (struct due_renewal){.from = json_num(j, "from"),
                                .to = json_num(j, "to"),
                                .at = json_num(j, "at"),
                                .ask = json_num(j, "ask"),
                                .named = *json_str(j, "id") != 0};
    json_decref(j);
}

static int64_t renewal_moment(const char *ari)
{
    struct due_renewal r;
    due_renewal(ari, &r);
    return r.at;
}

void due_in(const struct conf_cert *c, const struct saved_cert *row, const struct ca_rules *rules, bool forced, struct calendar_in *in)
{
    struct strs done = {0};
    strs_split(&done, row->reference);
    *in = (struct calendar_in){.kind = rules && !rules->by_person ? CALENDAR_ACME : CALENDAR_PERSON,
                               .now = clock_now(),
                               .not_before = row->not_before,
                               .not_after = row->not_after,
                               .subscription_end = c->subscription_end,
                               .renew_before = c->renew_before,
                               .ari_at = renewal_moment(row->ari),
                               .names_changed = due_other_names(row->names, &c->names),
                               .ca_changed = *row->ca && strcmp(row->ca, c->ca) != 0,
                               .key_changed = rules && *row->key_type && strcmp(row->key_type, due_key_word(c, rules)) != 0,
                               .new_reference = c->reference_number && !strs_has(&done, c->reference_number),
                               .new_subscription = c->subscription_end && c->subscription_end != row->subscription_end,
                               .forced = forced};
    strs_free(&done);
}

bool due_sleeps(const struct saved_order *o)
{
    if (strcmp(o->state, "new") != 0 || o->forced)
        return false;
    json_t *facts = json_loads(o->facts, 0, NULL);
    bool early = json_num(facts, "early") != 0;
    json_decref(facts);
    return early;
}
