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

/* section, key: NULL allowed. */
void loader_fault(struct loader *l, const struct place_in *at, const char *section, const char *key, enum rc rc, bool fatal,
                  const char *fmt, ...) __attribute__((format(printf, 7, 8)));
void sink_fault(struct value_sink *k, enum rc rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* reader.c: appends to l->raw. `text` need not end with NUL. */
void reader_parse(struct loader *l, const char *file, unsigned order, const char *text, size_t n);

/* files.c: the file and all that it includes. */
void files_read(struct loader *l, const char *path);
struct place_in files_new(struct loader *l, const char *path); /* its place in the order of files */

/* types.c */
size_t value_size(enum conf_type type);
bool value_parse(const struct conf_key *k, const char *text, void *out, struct value_sink *sink); /* out: zeroed, as enum conf_type says */
void value_free(enum conf_type type, void *p);
int word_find(const char *allowed, const char *word); /* index; -1: none */
bool word_is(const char *allowed, const char *word);  /* not the empty one */

/* paths.c */
struct trust *trust_new(void);
void trust_free(struct trust *t);

/* guess.c: ", did you mean X?" or "" */
struct guess {
    const char *wanted;
    const char *best;
    size_t distance;
};
void guess_try(struct guess *g, const char *candidate);
const char *guess_text(const struct guess *g, char out[96]);
char *quoted(char *out, size_t size, const char *value); /* harmless and cut, for messages */

/* tables.c */
const struct conf_key *key_find(const struct conf_key *keys, const char *name);

/* merge.c */
const struct conf_key *table_of(struct loader *l, const struct conf_module *m);
const struct conf_module *module_find(const struct conf_module *m, const char *kind, const char *type);

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
    struct conf_key **table; /* of each module, merged with the common keys */
    size_t n_table;
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
