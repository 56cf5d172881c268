/* types.h: one parser for each enum conf_type; private to conf/. `out` is of the C type that conf.h names there. Faults go to the sink. */
#ifndef DCV_CONF_TYPES_H
#define DCV_CONF_TYPES_H

#include "conf/load.h"

typedef bool value_fn(const struct conf_key *k, const char *text, void *out, struct value_sink *sink);

value_fn parse_file, parse_secret, parse_command;                                                      /* paths.c */
value_fn parse_list, parse_names, parse_zones, parse_servers, parse_server, parse_places, parse_rules; /* lists.c */

/* The pair of struct conf_cert that CONF_RULES fills: record_at and n_record_at, in that order. */
struct record_at_rules {
    struct record_at_rule *r;
    size_t n;
};
_Static_assert(offsetof(struct conf_cert, n_record_at) - offsetof(struct conf_cert, record_at) == offsetof(struct record_at_rules, n),
               "record_at and n_record_at must lie as in struct record_at_rules");
void rules_free(struct record_at_rules *l);

void split_blanks(struct strs *l, const char *text);

#endif
