/* fuzz_xml.c: XML of an API, in whatever form: the places that Route 53's answers are read at. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "providers/cloud/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct xml in, unsigned depth)
{
    struct xml child;
    free(xml_text(in, ""));
    free(xml_text(in, "a/b"));
    while (depth < 20 && xml_next(&in, NULL, &child))
        walk(child, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[65];
    struct xml in;
    char *text = malloc(size ? size : 1); /* no octet beyond its end */
    memcpy(text, data, size);
    if (xml_open(text, size, name, sizeof name, &in)) {
        if (!*name || strlen(name) > 64)
            abort();
        walk(in, 0);
    }
    free(text);
    return 0;
}
