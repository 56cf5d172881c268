/* xml.h: what stands at fixed places of a small XML document. Elements and text only: attributes and comments are passed over, a DTD or CDATA
 * is refused, and so is what is not well formed or deeper than 16. Nothing is copied: the document must live as long as what points into it. */
#ifndef DCV_PROVIDERS_CLOUD_XML_H
#define DCV_PROVIDERS_CLOUD_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct xml { /* what is inside an element */
    const char *p;
    size_t n;
};

/* The document's outermost element; false: no such document. */
bool xml_open(const char *text, size_t n, char *name, size_t size, struct xml *inside);

/* The next child of that name (NULL: any) from *rest on, which moves behind it; false: no more. */
bool xml_next(struct xml *rest, const char *name, struct xml *child);

/* The first element at a path of names below, "ChangeInfo/Status". */
bool xml_find(struct xml in, const char *path, struct xml *out);

/* Its text, entities decoded, blanks at both ends dropped; the caller frees. NULL: none at that path, elements in it, an unknown entity. "": in itself. */
char *xml_text(struct xml in, const char *path);

void xml_escape(struct str *out, const char *text); /* for text in a document that is written */

#endif
