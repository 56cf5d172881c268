/* pick.h: where something stands in a JSON answer, and what has to stand there.
 *
 * A pointer is RFC 6901 with two additions: one that begins with "." starts at the item in hand instead of the whole answer, and "/" alone
 * is the whole answer. A condition is `POINTER is A|B`, `POINTER not A|B`, `POINTER present` or `POINTER absent`; several are joined by `and`.
 * An absent value, and null, is no text: `is` is false for it and `not` true. */
#ifndef DCV_PROVIDERS_HTTP_PICK_H
#define DCV_PROVIDERS_HTTP_PICK_H

#include "base/json.h"
#include "base/str.h"

struct pick {
    bool given, item; /* item: starts at the item in hand */
    struct strs step;
};
bool pick_parse(struct pick *p, const char *text);
void pick_free(struct pick *p);
const json_t *pick_at(const struct pick *p, const json_t *answer, const json_t *item); /* NULL: not there, or null */

/* A string, number or truth value as text; the caller frees. NULL: not there, or a list or object. */
char *pick_text(const struct pick *p, const json_t *answer, const json_t *item);
char *json_scalar(const json_t *j);

enum test { TEST_IS, TEST_NOT, TEST_PRESENT, TEST_ABSENT };
struct condition {
    struct pick at;
    enum test test;
    struct strs words;
};
struct conditions {
    struct condition *c;
    size_t n;
};
bool conditions_parse(struct conditions *l, const char *text);
void conditions_free(struct conditions *l);
bool conditions_hold(const struct conditions *l, const json_t *answer, const json_t *item); /* none: true */

#endif
