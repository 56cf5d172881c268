/* conf.h: the configuration as typed structs, with every fault of every file found in one pass.
 *
 * conf_load() never stops at the first fault. Each fault knows its file and line and what it breaks: everything (syntax,
 * [agent], [verify]) or only the certificates that use the section. `config check` prints them all; `run` goes on with what is sound.
 *
 * One table of struct conf_key a section drives parsing, checking, defaults, help and the manual page. conf/ knows no
 * provider and no CA: main hands in those types (struct conf_module), and who finds types that are written in description files
 * (struct conf_finder). Provider and CA sections stay generic (struct section). */
#ifndef DCV_CONF_CONF_H
#define DCV_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/record.h"
#include "base/str.h"

enum conf_type {
    CONF_TEXT,     /* char * */
    CONF_WORD,     /* int: index into `allowed`, words separated by |; an empty first word is 0 and cannot be written: "not given" */
    CONF_YESNO,    /* bool */
    CONF_DURATION, /* int64_t, s; the words of `allowed` (auto) give -1 */
    CONF_COUNT,    /* int64_t; `allowed` "1..1024" */
    CONF_DATE,     /* int64_t, s UTC; 0: not set */
    CONF_FILE,     /* char *: absolute path */
    CONF_SECRET,   /* char *: absolute path or credential:NAME; its mode is checked */
    CONF_COMMAND,  /* struct strs: words; the first an absolute path that only root, the agent or the program's owner can write */
    CONF_LIST,     /* struct strs, words as they are */
    CONF_NAMES,    /* struct strs of host names in the inner form, wildcards allowed, duplicates dropped */
    CONF_ZONES,    /* struct strs of names in the inner form, underscores and single labels allowed */
    CONF_SERVERS,  /* struct endpoints, addresses only; a word of `allowed` (none, system) gives the empty list */
    CONF_SERVER,   /* struct endpoints of one, a name is allowed */
    CONF_PLACES,   /* struct places: name, apex, _LABEL */
    CONF_QUORUM,   /* struct conf_quorum: all, majority or a number */
    CONF_DIGITS,   /* char *: digits only, blanks dropped; `allowed` gives the count */
    CONF_RULES     /* struct record_at_rule * and size_t behind it: HOST:PLACE; certificate sections only */
};

struct conf_key {
    const char *name;
    enum conf_type type;
    const char *standard; /* default as text; NULL: none */
    const char *allowed;  /* see enum conf_type; else an example for messages */
    const char *help;     /* one sentence for help and manual */
    size_t offset;        /* where in the typed struct; unused for generic sections */
    bool required;
    bool (*check)(const char *value, char why[160]); /* more than the type can say; NULL: none */
};                                                   /* arrays end with name == NULL */

struct places {
    struct place *p;
    size_t n;
};

struct conf_quorum {
    enum { QUORUM_ALL, QUORUM_MAJORITY, QUORUM_NUMBER } rule;
    unsigned number;
};

struct conf_agent;

/* A provider or CA section: values checked by the type's table, kept as text and parsed again by the getters. */
struct section {
    char *kind, *name, *type; /* "provider", "bind", "rfc2136"; type "" where it is missing, which is a fault */
    const char *file;
    unsigned line;
    const struct conf_key *keys; /* of the type and of the kind together; NULL where the type is unknown */
    struct section_entry *entry;
    size_t n;
    struct conf_verify *verify; /* of a CA: its [verify] keys, for conf_verify(); NULL for providers */
    bool broken;                /* has a fault: whoever uses it stops with 78 */
    const struct conf_agent *agent; /* whose proxy holds where the section says nothing of one; conf_path */
    const void *impl;               /* the type as its finder made it; NULL: a built-in one. Lives as long as the configuration */
};
/* Lists that a getter fills are overwritten, not appended to; the caller frees them. A key that the table does not have reads as not set.
 * proxy, proxy_user and proxy_password_file are the agent's where the section has no proxy of its own; proxy reads as the word "none" where the
 * section switches the agent's off. */
const char *section_text(const struct section *s, const char *key); /* value, else default, else NULL */
bool section_given(const struct section *s, const char *key);       /* stands in the file */
bool section_yes(const struct section *s, const char *key);
int section_word(const struct section *s, const char *key);
int64_t section_number(const struct section *s, const char *key);                      /* COUNT, DURATION (s), DATE; 0 where not set */
void section_list(const struct section *s, const char *key, struct strs *out);         /* LIST, NAMES, ZONES, COMMAND */
void section_servers(const struct section *s, const char *key, struct endpoints *out); /* SERVER, SERVERS */
void section_places(const struct section *s, const char *key, struct places *out);
void places_free(struct places *p);

struct conf_agent {
    char *state_dir;
    int64_t run_deadline; /* s */
    int64_t parallel_orders;
    char *proxy, *proxy_user, *proxy_password_file;
    char *source_address;
    char *resolver_ca_file; /* NULL: the system's roots */
    char *key_backup_dir, *key_backup_password_file;
    struct strs conf_path;
    char *log; /* NULL, "syslog", "none" or a path */
    struct strs notify_hook;
};

enum { AUTHORITATIVE_ALL, AUTHORITATIVE_ANY, AUTHORITATIVE_OFF };

/* [verify], and the same keys in [zone] and [ca]. Merged by conf_verify(). */
struct conf_verify {
    struct endpoints resolvers;
    struct conf_quorum quorum;
    struct endpoints must, ignore; /* resolvers or authoritative addresses */
    int authoritative;
    int64_t timeout;            /* s */
    int64_t settle;             /* s; -1: auto */
    struct endpoints discovery; /* empty: the system's resolv.conf */
    uint32_t given;             /* which keys stand in the file, for merging: bit = index in the key table */
};

struct conf_zone {
    char *name;     /* inner form */
    char *provider; /* section name; NULL */
    struct endpoints servers;
    struct conf_verify verify;
    const char *file;
    unsigned line;
    bool broken;
};

enum product { PRODUCT_NONE, PRODUCT_STANDARD, PRODUCT_WILDCARD, PRODUCT_MULTI, PRODUCT_EV, PRODUCT_EV_MULTI };
enum method { METHOD_DNS, METHOD_WEBSITE, METHOD_EMAIL };
enum cname_rule { CNAME_FOLLOW, CNAME_REFUSE };
enum key_type { KEY_DEFAULT, KEY_RSA2048, KEY_RSA3072, KEY_RSA4096, KEY_P256, KEY_P384 }; /* default: the CA's */
enum chain_form { CHAIN_FULL, CHAIN_WITH_CROSS, CHAIN_LEAF };
enum pfx_encryption { PFX_AES256, PFX_3DES };

struct record_at_rule { /* record_at = HOST:PLACE ... */
    char *host;         /* inner form, without "*." */
    struct place place;
};

struct conf_cert {
    char *name; /* section name: letters, digits, . _ - ; it names a folder */
    const char *file;
    unsigned line;
    bool broken;       /* its own section, or the provider or CA that it uses, has a fault */
    char *ca;          /* section name; "" where it is missing or refused, which is a fault */
    struct strs names; /* inner form, first is the CN; for product wildcard the *. name goes in front and its bare name behind */
    int product, method;
    char *validation_email, *webroot;
    struct strs website_hook;
    int cname;
    struct record_at_rule *record_at;
    size_t n_record_at;
    int key_type;
    bool key_reuse;
    char *csr_file, *subject, *expect_organisation, *reference_number, *pin_file, *url;
    int organisation_name;    /* 0 english, 1 chinese */
    int pin;                  /* 0 new-each-time, 1 same */
    int64_t subscription_end; /* s; 0: none; the day's end counts */
    int64_t renew_before;     /* s; -1: auto */
    char *provider;           /* "auto" or a section name */
    int chain;
    bool pfx;
    char *pfx_password_file;
    int pfx_encryption;
    char *friendly_name, *key_group;
    struct strs deploy_hook, deploy_check;
    struct strs served; /* HOST[:PORT][#ADDRESS]: looked at after the hook */
};

struct conf_fault {
    char *file;
    unsigned line;       /* 0: the file as a whole */
    unsigned order;      /* of the file among those read; faults are sorted by it and by line */
    char *section, *key; /* may be NULL */
    char *text;          /* what is wrong, what is allowed, did you mean */
    enum rc rc;          /* RC_CONF or RC_PERM */
    bool fatal;          /* stops everything, not only the certificates that use the section */
};

struct conf {
    char *path;
    struct conf_agent agent;
    struct conf_verify verify;
    struct conf_zone *zone;
    size_t n_zone;
    struct section *provider, *ca;
    size_t n_provider, n_ca;
    struct conf_cert *cert;
    size_t n_cert;
    struct conf_fault *fault;
    size_t n_fault;
    struct conf_index *index; /* private: what the look-ups search in */
};

/* A section while somebody who knows its type looks at it: where faults are told. Either makes the section broken. */
struct conf_sink;
/* At the section's key, or at its header where key is NULL or not given. */
void conf_sink_fault(struct conf_sink *to, const char *key, enum rc rc, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Faults of another file that the section uses: copied, each told once however many sections use the file, never fatal. */
void conf_sink_take(struct conf_sink *to, const struct conf_fault *f, size_t n);

/* A provider or CA type as main knows it. */
struct conf_module {
    const char *kind, *type;     /* "provider", "rfc2136"; type NULL: `finder` knows more types of this kind */
    const struct conf_key *keys; /* the kind's common keys need not be repeated; one that is wins (another default) */
    bool by_person;              /* a CA where a person or a portal orders: needs product=, and method = email is possible */
    void (*examine)(const struct section *s, struct conf_sink *to); /* what its keys say together, files that it uses; NULL */
    const struct conf_finder *finder;
    const void *impl;            /* of a found type: what section.impl will be */
};

/* Finds types when a section names them: one call a type and configuration. */
struct conf_finder {
    /* Fills `found` (all but kind and type) with what lives until drop(); what is wrong with the type goes to `to`. false: none. */
    bool (*find)(const struct strs *conf_path, const char *type, struct conf_module *found, struct conf_sink *to);
    void (*list)(const struct strs *conf_path, struct strs *out); /* appends their names, for did-you-mean */
    void (*drop)(struct conf_module *found);
};

/* Reads path and what it includes. Always gives a struct (with faults, perhaps empty); NULL only where not even that makes sense.
 * modules: ends with kind == NULL; used during the call alone, but for keys and finders. Files loose in mode are faults with RC_PERM.
 * Besides each key it checks what only the whole shows: references (ca, provider) that exist, zones= of two providers that claim the same
 * zone, product limits (standard and ev: 1 name, no wildcard; wildcard: one `*.` name; multi-domain: 1 to 50 names without `*`;
 * ev-multi-domain likewise), portal and manual need product=, method bars (website not with wildcard, email not with multi-domain), webroot
 * or hook for website, authoritative = off without resolvers, key_backup_dir with its password file, pfx with its password file, a
 * certificate without names. */
struct conf *conf_load(const char *path, const struct conf_module *modules);

/* The same from memory; `name` stands in the messages. include= is not followed and no file mode of the configuration itself is checked. */
struct conf *conf_load_text(const char *name, const char *text, size_t n, const struct conf_module *modules);
void conf_free(struct conf *c);

/* RC_OK, or the exit code of what stops everything: RC_PERM where all fatal faults are of mode, else RC_CONF. */
enum rc conf_fatal(const struct conf *c);
enum rc conf_worst(const struct conf *c);                          /* of all faults: `config check`: 78, or 77 if loose files are all */
void conf_fault_show(const struct conf_fault *f, struct str *out); /* file:line: section: key: text */

const struct conf_cert *conf_cert(const struct conf *c, const char *name); /* NULL: none */
const struct section *conf_ca(const struct conf *c, const char *name);
const struct section *conf_provider(const struct conf *c, const char *name);

/* [zone] whose name is the longest that `name` lies within; NULL. */
const struct conf_zone *conf_zone(const struct conf *c, const char *name);

/* The provider that may write at `owner`, and the zone in its zones= that matched (longest match by label). `named`: a certificate's
 * provider= ("auto" or NULL: by match, a [zone]'s provider= first). NULL: none; *zone untouched. */
const struct section *conf_writer(const struct conf *c, const char *owner, const char *named, const char **zone);

/* [verify] with the keys of the CA section and then of [zone] laid over it. ca, zone: NULL allowed. The result borrows from c. */
struct conf_verify conf_verify(const struct conf *c, const struct conf_zone *zone, const struct section *ca);

/* The tables, for help, manual page and did-you-mean. */
extern const struct conf_key conf_agent_keys[], conf_verify_keys[], conf_zone_keys[], conf_cert_keys[], conf_provider_keys[],
    conf_ca_keys[];
extern const char *const key_type_words[]; /* indexed by enum key_type; [0] is "auto" */
extern const char *const product_words[];  /* indexed by enum product; [0] is "none" */

/* Every table once, in the order of the manual: agent, verify, zone, certificate, provider (common, then each type that is a row), ca
 * likewise. type: NULL for a kind's common table. */
typedef void conf_table_fn(void *context, const char *kind, const char *type, const struct conf_key *keys);
void conf_tables_each(const struct conf_module *modules, conf_table_fn *fn, void *context);
void conf_key_form(const struct conf_key *k, struct str *out); /* what may be written: "duration (90s 10m 24h 30d), or auto" */

/* Checks for the tables of modules. */
bool conf_check_url(const char *value, char why[160]);      /* where paths are put behind: http or https, a host, no user, query or blanks */
bool conf_check_https(const char *value, char why[160]);    /* https alone */
bool conf_check_positive(const char *value, char why[160]); /* a duration above zero */
bool conf_check_readable(const char *value, char why[160]); /* a plain file that can be opened */
bool conf_check_absolute(const char *value, char why[160]); /* a list of absolute paths */

#endif
