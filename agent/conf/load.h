/* load.h: how a configuration is read; private to conf/.
 *
 * reader.c turns texts into raw sections, load.c turns those into the structs of conf.h by the tables, check.c judges the whole.
 * All three report through loader_fault(), so that one pass finds everything. */
#ifndef DCV_CONF_LOAD_H
#define DCV_CONF_LOAD_H

#include "conf/conf.h"

enum {
    LINE_SIZE = 65536,     /* octets of one line */
    TOTAL_SIZE = 16 << 20, /* octets of all files */
    INCLUDE_DEPTH = 8,
    FAULTS_MAX = 10000 /* a wrong file (an image, a log) must not fill the memory with messages */
};

struct place_in { /* where something stands */
    const char *file;
    unsigned order; /* of the file */
    unsigned line;
};

struct section_entry {
    char *key, *value;
    struct place_in at;
    char *swallowed; /* a word in front of "=" in an indented line that was joined to the value; NULL: none */
    unsigned swallowed_line;
};

struct raw_section {
    char *kind, *name; /* name may be "" */
    struct place_in at;
    struct section_entry *e; /* one that was given twice has value NULL */
    size_t n, room;
    bool faulty; /* given twice: said already */
};

struct loader {
    struct conf *c;
    const struct conf_module *modules;
    struct raw_section **raw; /* in the order of the files */
    size_t n_raw, room_raw;
    size_t octets;       /* read so far */
    bool full;           /* FAULTS_MAX reached */
    struct trust *trust; /* paths.c: commands already judged */
    struct strs taken;   /* modules.c: other files whose faults are told already */
    /* where each typed section comes from, for the checks over the whole */
    struct raw_section *agent, *verify, **zone, **cert;
};

/* What a section's values report through; NULL for the getters, which then look at no file again. */
struct value_sink {
    struct loader *l;
    struct place_in at;
    const char *section; /* "certificate shop" */
    const char *key;     /* NULL: the section as a whole */
    bool fatal;
    bool faulty; /* out */
};

/* Of a whole section: see conf_sink_fault(). */
struct conf_sink {
    struct value_sink at; /* its header */
    const struct section_entry *e;
    size_t n;
};

/* section, key: NULL allowed. */
void loader_fault(struct loader *l, const struct place_in *at, const char *section, const char *key, enum rc rc, bool fatal,
                  const char *fmt, ...) __attribute__((format(printf, 7, 8)));
void sink_fault(struct value_sink *k, enum rc rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* reader.c: appends to l->raw. `text` need not end with NUL. */
void reader_parse(struct loader *l, const char *file, unsigned order, const char *text, size_t n);

/* files.c: the file and all that it includes. */
void files_read(struct loader *l, const char *path);
struct place_in files_new(struct loader *l, const char *path);   /* its place in the order of files */
struct place_in files_place(struct loader *l, const char *path); /* that of one that was told of before, else a new one */

/* types.c */
size_t value_size(enum conf_type type);
bool value_parse(const struct conf_key *k, const char *text, void *out, struct value_sink *sink); /* out: zeroed, as enum conf_type says */
void value_free(enum conf_type type, void *p);
int word_find(const char *allowed, const char *word); /* index; -1: none */
bool word_is(const char *allowed, const char *word);  /* not the empty one */

/* paths.c */
struct trust *trust_new(void);
void trust_free(struct trust *t);

/* tables.c */
const struct conf_key *key_find(const struct conf_key *keys, const char *name);

/* merge.c */
struct conf_key *merge_keys(const char *kind, const struct conf_key *own); /* with the kind's common ones; the caller frees */

/* modules.c: types that sections name. */
struct known_type {
    struct conf_module m;            /* type: a copy */
    const struct conf_finder *found; /* who found it; NULL: a row */
    struct conf_key *keys;           /* merged with the common keys */
    bool faulty;                     /* its description has faults: no section may use it */
};
/* Looked for in the rows, then by the finders, who report through `to`. NULL: none. */
const struct known_type *type_get(struct loader *l, const char *kind, const char *type, struct conf_sink *to);
const struct known_type *type_known(const struct loader *l, const char *kind, const char *type); /* one that type_get() gave before */
void type_names(const struct loader *l, const char *kind, struct strs *out);                       /* of all, for messages */
void types_free(struct conf_index *x);

/* duplicates.c: what is given twice is reported; a section's second part is joined to the first. */
void drop_repeated(struct loader *l);

/* load.c: raw sections into typed ones. */
void load_sections(struct loader *l);
struct place_in entry_at(const struct raw_section *r, const char *key); /* of the key, else of the header */
/* The table of the section's type; with the type unknown the keys common to its kind, for what can still be said of it. */
const struct conf_key *section_keys(const struct section *s);
const struct section_entry *entry_find(const struct section_entry *e, size_t n, const char *key); /* NULL: not given */

/* check.c: the whole. certificate.c: what one certificate's keys say together. */
void check_whole(struct loader *l);
void check_certificate(struct loader *l, struct conf_cert *t, const struct raw_section *r);

/* conf.c */
char *quoted(char *out, size_t size, const char *value); /* harmless and cut, for messages */
struct conf *conf_new(struct loader *l, const char *path, const struct conf_module *modules); /* empty, and a loader that fills it */
void loader_free(struct loader *l); /* what was needed to read; the configuration stays */
void cert_clear(struct conf_cert *t);
void zone_clear(struct conf_zone *z);

/* index.c */
void index_build(struct conf *c);
void index_free(struct conf_index *x, size_t n_provider);

struct conf_index {
    char **file; /* names of all files read, shared by faults and sections */
    size_t n_file;
    struct known_type **type; /* those that sections name */
    size_t n_type;
    struct conf_cert **cert; /* each sorted by name */
    struct section **ca, **provider;
    struct conf_zone **zone;
    struct claim { /* sorted by zone, then by section */
        const char *zone;
        struct section *s;
    } * claim;
    size_t n_claim;
    struct strs *zones; /* zones= of each provider, as in c->provider; claims point into them */
};

#endif
