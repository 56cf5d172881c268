/* libxml.c: libxml2 loaded, and kept quiet and at home. Its name is that of the library whose headers the program was built with (Makefile). */
#include "ca/portal/libxml.h"

#include <dlfcn.h>

#include "base/fault.h"

struct libxml libxml;

void libxml_hush(void *ctx, xmlErrorPtr e)
{
    (void)ctx;
    (void)e;
}

static void hush_text(void *ctx, const char *fmt, ...)
{
    (void)ctx;
    (void)fmt;
}

static xmlParserInputPtr fetch_nothing(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
    (void)url;
    (void)id;
    (void)ctxt;
    return NULL;
}

static bool calls_found(void *library)
{
    bool all = true;
#define LIBXML_FIND(call) all = all && (*(void **)&libxml.call = dlsym(library, #call)); /* dlsym(3) says why the cast */
    LIBXML_CALLS(LIBXML_FIND)
#undef LIBXML_FIND
    return all;
}

bool libxml_load(struct err *e)
{
    static bool loaded;
    if (loaded)
        return true;
    void *library = fault_errno("dlopen") ? NULL : dlopen(LIBXML2_SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library || !calls_found(library)) {
        const char *why = dlerror();
        err_set(e, RC_CONF, "LIBXML_MISSING", "libxml2, which reads a portal's pages, cannot be loaded (%s); Debian: apt install libxml2",
                why ? why : LIBXML2_SONAME);
        if (library)
            dlclose(library);
        return false;
    }
    libxml.xmlInitParser();
    libxml.xmlSetStructuredErrorFunc(NULL, libxml_hush);
    libxml.xmlSetGenericErrorFunc(NULL, hush_text);
    libxml.xmlSetExternalEntityLoader(fetch_nothing);
    loaded = true;
    return true;
}
