/* describe.h: description files: data that teach the agent a CA's web pages (conf/ca/NAME.ini) or a DNS service (conf/providers/NAME.ini).
 *
 * The syntax is that of the configuration: [kind name] sections, key = value, an indented line continues the value above, ` ;` begins a comment.
 * A key given twice is a fault. Whoever understands a file asks for its keys; what nobody asked for is a fault with a did-you-mean
 * (describe_unused), so that a misspelt key is never silently without effect. All faults of a file are found in one pass, each with its line.
 * A file is data and hostile until checked: at most 1 MiB, refused (RC_PERM) where others than root, the agent or the program's owner can write it. */
#ifndef DCV_CONF_DESCRIBE_H
#define DCV_CONF_DESCRIBE_H

#include "conf/conf.h"

struct describe_key {
    char *name, *value; /* value: trimmed, continuation lines joined by a blank */
    unsigned line;
    bool asked;
};

struct describe_part { /* one section */
    char *kind, *name; /* name may be "" */
    unsigned line;
    struct describe_key *key;
    size_t n;
    struct strs known; /* names of keys that were asked for */
};

struct description {
    char *file; /* path, as in messages */
    struct describe_part *part; /* in the order of the file */
    size_t n;
    struct conf_fault *fault;
    size_t n_fault;
};

/* The first FOLDER/kind/name.ini: in conf_path, then among the installed ones (or, in a build tree, its conf/). kind: "ca" or "providers". A name is
 * made of a-z, 0-9 and "-"; anything else is not found. false: none, out says where was looked. */
bool describe_find(const struct strs *conf_path, const char *kind, const char *name, char *out, size_t size);

/* Appends the names of all description files of the kind, sorted, without those that the list has already. */
void describe_list(const struct strs *conf_path, const char *kind, struct strs *out);

/* Always gives one, with what is wrong as faults. */
struct description *describe_read(const char *path);
struct description *describe_text(const char *name, const char *text, size_t n);
void describe_free(struct description *d);

const struct describe_part *describe_first(const struct description *d, const char *kind);                   /* NULL: none */
const struct describe_part *describe_part(const struct description *d, const char *kind, const char *name); /* NULL: none */

/* NULL: not given. Given twice: the first, beside the fault. The key counts as asked for. */
const struct describe_key *describe_key(const struct describe_part *p, const char *name);
const char *describe_value(const struct describe_part *p, const char *name);

/* Next key that begins with `prefix` ("field."), from *at (0 first); NULL: no more. Counts as asked for. */
const struct describe_key *describe_next(const struct describe_part *p, const char *prefix, size_t *at);

/* Notes a fault. part, key: NULL where the whole is meant. */
void describe_fault(struct description *d, const struct describe_part *p, const struct describe_key *k, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A word of `allowed` ("a|b|c"), as index; -1: a fault was noted (or `standard` where the key is not given). */
int describe_word(struct description *d, const struct describe_part *p, const char *name, const char *allowed, int standard);
bool describe_yes(struct description *d, const struct describe_part *p, const char *name, bool standard);
/* A whole number within bounds; with `duration` also 90s 10m 24h 30d, in seconds. */
int64_t describe_number(struct description *d, const struct describe_part *p, const char *name, bool duration, int64_t least, int64_t most,
                        int64_t standard);

/* Sections of a kind not among `kinds` (NULL-ended), and keys nobody asked for: faults. Call it last. */
void describe_unused(struct description *d, const char *const *kinds);

#endif
