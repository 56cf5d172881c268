/* libxml.h: libxml2, loaded with the first page or the first XPath of a description. It brings ICU and the C++ runtime along, 2 MB and 2 ms of every run of cron's, and most
 * owners have no portal: so the program is not linked to it. The declarations are libxml2's own, so each call is checked by the compiler as ever. */
#ifndef DCV_CA_PORTAL_LIBXML_H
#define DCV_CA_PORTAL_LIBXML_H

#include <libxml/HTMLtree.h>
#include <libxml/xpath.h>

#include "base/err.h"

#define LIBXML_CALLS(X)                                                                                                                          \
    X(htmlCtxtReadMemory) X(htmlDocDumpMemory) X(htmlFreeParserCtxt) X(htmlNewParserCtxt) X(htmlSetMetaEncoding)                                 \
    X(xmlCopyDoc) X(xmlDocGetRootElement) X(xmlFree) X(xmlFreeDoc) X(xmlGetProp) X(xmlHasProp) X(xmlInitParser) X(xmlNodeAddContent)             \
    X(xmlNodeGetContent) X(xmlNodeListGetString) X(xmlNodeSetContent) X(xmlSetExternalEntityLoader) X(xmlSetGenericErrorFunc) X(xmlSetProp)      \
    X(xmlSetStructuredErrorFunc) X(xmlXPathCastToBoolean) X(xmlXPathCastToString) X(xmlXPathEval) X(xmlXPathFreeContext) X(xmlXPathFreeObject)   \
    X(xmlXPathNewContext)

struct libxml {
#define LIBXML_MEMBER(call) __typeof__(&call) call;
    LIBXML_CALLS(LIBXML_MEMBER)
#undef LIBXML_MEMBER
};
extern struct libxml libxml; /* to be used once libxml_load() was true */

void libxml_hush(void *ctx, xmlErrorPtr e); /* an error handler that says nothing */
bool libxml_load(struct err *e);            /* false: LIBXML_MISSING (RC_CONF). Costs nothing after the first time */

static inline void libxml_free(void *p)
{
    (*libxml.xmlFree)(p); /* a variable of the library, which holds the function */
}

#endif
