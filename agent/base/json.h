/* json.h: the few things all writers of JSON here want. jansson does the work. */
#ifndef DCV_BASE_JSON_H
#define DCV_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/record.h"
#include "base/str.h"

json_t *json_time(int64_t when);                  /* RFC 3339 UTC; null for 0 */
json_t *json_text(const char *s);                 /* invalid UTF-8 escaped as text_safe does; NULL gives null */
json_t *json_txt(struct bytes value);             /* a TXT value: as it is where it is valid UTF-8, else \DDD-escaped */
json_t *json_strs(const struct strs *l);
void json_print(json_t *j);                       /* to stdout with a newline, keys in order; takes the reference */
/* head, and behind its members a list `key` of n items, made and printed one by one: what thousands of them would need is never held at once. */
void json_print_list(json_t *head, const char *key, json_t *(*item)(void *arg, size_t i), void *arg, size_t n);
char *json_line(json_t *j);                       /* compact, caller frees; takes the reference */
const char *json_str(const json_t *obj, const char *key); /* "" where missing or of another type */
int64_t json_num(const json_t *obj, const char *key);     /* 0 likewise */

#endif
