#include "cmd/version.h"

#include <stdio.h>

#ifndef DCVAGENT_VERSION
#define DCVAGENT_VERSION "unversioned"
#endif

const char *version_text(void)
{
    return DCVAGENT_VERSION;
}

void version_print(void)
{
    printf("dcvagent %s\n", version_text());
}
