/* template.h: texts and JSON bodies with ${...} in them, read once, filled in for each request.
 *
 * Nothing is ever pasted: a text in a URL is percent-encoded, a form is encoded, and a JSON body is a tree whose strings are filled in
 * before jansson writes it. In JSON a string that is one ${...} and nothing else becomes what the variable is: ${ttl} ${page} ${offset} numbers,
 * ${values} a list. ${text:X} makes it a string, ${number:X} a number. ${path:X} in a URL keeps "/" and ":" of a reference as they are.
 * In a list "${each:adds}", X stand for one X for each change that adds; deletes and sets likewise. */
#ifndef DCV_PROVIDERS_HTTP_TEMPLATE_H
#define DCV_PROVIDERS_HTTP_TEMPLATE_H

#include "base/json.h"
#include "base/secret.h"
#include "providers/provider.h"

enum var {
    VAR_ZONE,        /* example.hk */
    VAR_ZONE_ID,     /* what [zone] found, or the section says */
    VAR_FQDN,        /* www.example.hk */
    VAR_RELATIVE,    /* www; empty at the apex */
    VAR_RELATIVE_AT, /* www; @ at the apex */
    VAR_VALUE,       /* TXT content in the API's form */
    VAR_VALUES,      /* of a whole set, each in the form the API gave it */
    VAR_TTL,
    VAR_REF,    /* the API's name for the record */
    VAR_TAG,    /* of the set as it was read: compare-and-swap */
    VAR_TOKEN,  /* of [login] */
    VAR_PAGE,   /* 1, 2, ... */
    VAR_OFFSET, /* items read so far */
    VAR_CURSOR, /* empty for the first page */
    VAR_SYNC,   /* what the write gave to ask about */
    VAR_KEY,    /* ${key:NAME}: of the section */
    VAR_SECRET, /* ${secret:NAME}: what is in the file that the section's key names */
    VARS
};
#define USES(var) (1u << (var))

struct part { /* a text, or a variable */
    char *text;
    enum var var;
    char *key;
    enum { AS_IT_IS, AS_TEXT, AS_NUMBER, AS_PATH } as;
};
struct template {
    struct part *part;
    size_t n;
    uint32_t uses; /* USES() of its variables */
};

enum each { EACH_NONE, EACH_ADDS, EACH_DELETES, EACH_SETS };
struct node { /* of a JSON body */
    json_t *fixed;
    struct template text;
    bool object, list;
    enum each each; /* in a list: once for each of them */
    struct node *child;
    char **name; /* of an object's children */
    size_t n;
};

struct item { /* what a request is about: a record to add or delete, a set to write, an owner to read */
    bool add;
    const char *owner, *ref, *tag;
    struct bytes value;
    uint32_t ttl;
    const struct rrset *after; /* a whole set */
};

enum txt_form {
    TXT_RAW,    /* as it is; the API makes strings of it */
    TXT_QUOTED, /* "strings" of at most 255 octets */
    TXT_SPLIT,  /* as it is up to 255 octets, quoted strings beyond */
    TXT_PLAIN   /* as it is between one pair of quotes, whatever its length; no quotes inside */
};

struct scope { /* what the variables are for one request; all borrowed */
    const struct section *section;
    const struct conf_key *keys;
    const struct secret *secret; /* one for each of keys */
    enum txt_form txt;
    const struct node *element; /* a new value of a set */
    const char *zone, *zone_id, *token, *cursor, *sync;
    unsigned page;
    size_t offset;
    const struct item *item;
    const struct item *all; /* of the request */
    size_t n;
};

bool template_parse(struct template *t, const char *text, char why[160]);
void template_free(struct template *t);
enum escape { ESCAPE_NONE, ESCAPE_URL };
bool template_put(const struct template *t, const struct scope *s, enum escape escape, struct str *out, struct err *e);
json_t *template_json(const struct template *t, const struct scope *s, struct err *e); /* NULL: a fault */

struct node *node_parse(const char *json, char why[160]);
void node_free(struct node *n);
uint32_t node_uses(const struct node *n);
json_t *node_json(const struct node *n, const struct scope *s, struct err *e);

typedef bool part_fn(void *arg, const struct part *p);
bool template_each(const struct template *t, part_fn *fn, void *arg);
bool node_each(const struct node *n, part_fn *fn, void *arg); /* all variables of a tree; false: fn said so */

#endif
