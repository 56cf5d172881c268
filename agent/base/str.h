/* str.h: strings that grow to a limit, lists of strings, and remote text made harmless.
 * Knows nothing of what the text means. */
#ifndef DCV_BASE_STR_H
#define DCV_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing string. Start from STR_INIT(max): at most max octets are kept, what comes after is dropped and `cut` set.
 * p is NULL until something is added, else NUL-terminated; it belongs to the struct until str_take(). */
struct str {
    char *p;
    size_t n, size, max;
    bool cut;
};
#define STR_INIT(limit) ((struct str){.max = (limit)})

void str_put(struct str *s, const void *p, size_t n);
void str_add(struct str *s, const char *text);
void str_fmt(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *str_take(struct str *s);       /* never NULL (an empty string at least); the caller frees it; s is empty again */
const char *str_text(struct str *s); /* never NULL; valid until the next change */
void str_free(struct str *s);        /* s is empty again, limit kept */
void str_wipe(struct str *s);        /* the same, of what may hold a secret */

/* A list of strings, each its own allocation. Zero-initialised is an empty list. */
struct strs {
    char **s;
    size_t n;
};
void strs_add(struct strs *l, const char *text); /* copies */
void strs_add_n(struct strs *l, const char *p, size_t n);
bool strs_has(const struct strs *l, const char *text);
bool strs_equal_sets(const struct strs *a, const struct strs *b); /* order and repetition do not matter */
void strs_split(struct strs *l, const char *text);                /* at blanks and commas; appends */
char *strs_join(const struct strs *l, const char *between);       /* caller frees */
void strs_copy(struct strs *to, const struct strs *from);         /* to is overwritten, not freed */
void strs_free(struct strs *l);

/* Remote octets as one printable line: control characters, quotes' partners in crime (ESC, newline, NUL, invalid UTF-8) become \xNN,
 * cut with "..." so that it fits. Valid UTF-8 passes. Returns out. */
char *text_safe(char *out, size_t size, const void *in, size_t n);

/* One code point of UTF-8 (no surrogates, no overlong forms): its length in octets, 0 where there is none. */
size_t text_utf8(const void *in, size_t n, uint32_t *code);
bool text_is_utf8(const void *in, size_t n);

/* False for what must not reach a terminal or a log: C0, DEL, C1, line separators, and what reverses the direction of text. */
bool text_harmless(uint32_t code);

/* TXT value for people and JSON: printable ASCII and valid UTF-8 as it is, `"` `\` escaped, the rest \DDD as in zone files. */
void text_txt(struct str *out, const void *in, size_t n);

/* Escaped for a URL (RFC 3986 2.3): all but letters, digits and - . _ ~ as %XX. */
void text_percent(struct str *out, const void *in, size_t n);

bool hex_show(char *out, size_t size, const void *in, size_t n); /* lower case; false: does not fit */
size_t text_distance(const char *a, const char *b); /* edits between two words (a swap of neighbours is one), for did-you-mean */
size_t text_columns(const char *utf8);              /* width on a terminal: CJK counts two */

#endif
