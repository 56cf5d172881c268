/* guide_impl.h: a description as guide.c reads it and as reading.c and act.c use it. Nobody else includes this. */
#ifndef DCV_CA_PORTAL_GUIDE_IMPL_H
#define DCV_CA_PORTAL_GUIDE_IMPL_H

#include "ca/portal/guide.h"

/* Where on a page something is. */
struct locator {
    enum by { BY_TEXT = 1, BY_LABEL = 2, BY_NAME = 4, BY_XPATH = 8 } by;
    char *text;
};

enum mark_kind {
    MARK_KNOWN,  /* recognised: XPath that holds, texts that are shown, texts that are not */
    MARK_TEXT,
    MARK_NOT,
    MARK_MUST,   /* what: must_words */
    MARK_FIELD,  /* what: field_words */
    MARK_CHOOSE, /* what: when_words, like the next two */
    MARK_PRESS,
    MARK_FOLLOW,
    MARK_CODE,
    MARK_ROWS,
    MARK_ROW_NAME,
    MARK_ROW_VALUE,
    MARK_FAILED,
    MARK_ERROR, /* what: enum page_error */
    MARK_LINK   /* what: link_words */
};

enum must { MUST_SERVER_NAME, MUST_NAMES, MUST_ORGANISATION, MUST_PRODUCT, MUST_METHOD, MUST_REFERENCE, MUST_KEY };
enum field {
    FIELD_SERVER_NAME,
    FIELD_SERVER_NAME_ASCII,
    FIELD_REFERENCE,
    FIELD_PIN,
    FIELD_CSR,
    FIELD_MAILED_CODE,
    FIELD_EMAIL,
    FIELD_EMAIL_USER,
    FIELD_EMAIL_DOMAIN
};
enum when { WHEN_ALWAYS, WHEN_ENGLISH, WHEN_CHINESE, WHEN_DNS, WHEN_WEBSITE, WHEN_EMAIL, WHEN_SEND };
extern const char must_words[], field_words[], when_words[], link_words[], product_kinds[], method_kinds[]; /* "a|b|c" */
const char *nth_word(char *out, size_t size, const char *words, int n);

struct mark {
    enum mark_kind kind;
    int what;
    struct locator at;
    char *key; /* as in the file */
};

struct guide_page {
    char *name;
    enum page_role role;
    bool proves;
    char *unchecked; /* why nothing is compared; NULL */
    struct mark *mark;
    size_t n;
};

struct guide {
    struct description *d;
    char *title, *start;
    struct strs origins, pickup, chain, caa;
    char *product[5], *method[3]; /* texts; NULL: not named */
    struct mark *error;
    size_t n_error;
    struct guide_page *page;
    size_t n;
};

const struct mark *mark_of(const struct guide_page *p, enum mark_kind kind, int what); /* what -1: any; NULL: none */

#endif
