/* machine.c: the machine that this store belongs to. A copy on a second machine would order and submit everything twice. */
#include "store/store_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"

#define MODULE "store" /* its rows among the small values */

/* "" where the machine has none (some containers): then there is nothing to compare. */
static char *machine_id(void)
{
    char *id = NULL;
    size_t n;

#ifdef DCV_FAULTS
    if (getenv("DCVAGENT_MACHINE_ID"))
        return mem_str(getenv("DCVAGENT_MACHINE_ID"));
#endif
    if (!fs_read("/etc/machine-id", 256, &id, &n, NULL))
        return mem_str("");
    id[strspn(id, "0123456789abcdef")] = '\0'; /* "uninitialized", or the final newline */
    return id;
}

static bool note(struct store *s, const char *id, bool adopted, struct err *e)
{
    char when[24];
    bool own;

    if (!write_begin(s, &own, e))
        return false;
    snprintf(when, sizeof when, "%" PRId64, clock_now());
    bool ok = value_set(s, MODULE, "machine", id, e) && (!adopted || value_set(s, MODULE, "adopted", when, e));
    return write_end(s, own, ok, e);
}

bool store_machine(struct store *s, struct err *e)
{
    char *id = machine_id(), *ours = value_get(s, MODULE, "machine");
    bool ok = true;

    if (!ours || (!*ours && *id))
        ok = note(s, id, false, e);
    else if (*ours && *id && strcmp(ours, id))
        ok = err_set(e, RC_LATER, "STORE_FOREIGN_MACHINE",
                     "%s was made on another machine, which may still be working with it; nothing was done. "
                     "If this machine takes over for good, stop the agent on the other one and run here: dcvagent state adopt",
                     s->dir);
    free(id);
    free(ours);
    return ok;
}

bool store_adopt(struct store *s, struct err *e)
{
    char *id = machine_id();
    bool ok = note(s, id, true, e);

    free(id);
    return ok;
}
