/* state: a copy of everything, and taking it over on another machine. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "order/evidence.h"
#include "order/session.h"
#include "order/website/website.h"
#include "store/store.h"

static enum rc backup(struct call *c, const char *file)
{
    struct session s;
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_READ | SESSION_TOLERANT, &rc))
        return rc;
    if (!store_backup(s.store, file, &e))
        rc = call_fail(c, &e);
    else if (c->json)
        json_print(json_pack("{s:i, s:o}", "version", 1, "file", json_text(file)));
    else
        printf("%s holds the database, keys and certificates; unpack it over an empty state_dir, then: dcvagent state adopt\n", file);
    session_close(&s);
    return rc;
}

/* The next run puts them into the web roots of this machine; what the other one's hold nobody else can take away. */
static void note_file(void *arg, const struct website_file *f)
{
    char *place = website_place(f);
    if (*f->webroot && f->state != LEDGER_FOUND && !strs_has(arg, place))
        strs_add(arg, place);
    free(place);
}

static void report_adopted(const struct call *c, const char *state_dir, const struct strs *files)
{
    if (c->json) {
        json_print(json_pack("{s:i, s:o, s:o}", "version", 1, "adopted", json_text(state_dir), "files", json_strs(files)));
        return;
    }
    printf("%s belongs to this machine now; orders under way are looked up at the CA and in DNS by the next run. Make sure that the "
           "other machine's agent is stopped\n",
           state_dir);
    for (size_t i = 0; i < files->n; i++)
        printf("%s may still stand on the other machine: remove it there, unless both share that folder\n", files->s[i]);
}

/* Not SESSION_LOCK: that one refuses a foreign store, which is what is to be mended here. */
static enum rc adopt(struct call *c)
{
    struct session s;
    struct strs files = {0};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (!call_session(c, &s, SESSION_WRITE, &rc))
        return rc;
    if (!store_lock(s.store, &e) || !store_adopt(s.store, &e) || !evidence_command(s.store, "", c->argc, c->argv, &e) ||
        !store_turn(s.store, &e) || !website_each(s.store, note_file, &files, &e))
        rc = call_fail(c, &e);
    else
        report_adopted(c, s.state_dir, &files);
    strs_free(&files);
    session_close(&s);
    return rc;
}

enum rc cmd_state(struct call *c)
{
    const char *what = c->args.s[0];
    if (strcmp(what, "backup") == 0 && c->args.n == 2)
        return backup(c, c->args.s[1]);
    if (strcmp(what, "adopt") == 0 && c->args.n == 1)
        return adopt(c);
    say(LEVEL_ERROR, &(struct about){.step = "state"}, "USAGE", "state knows: backup FILE, adopt");
    return RC_USAGE;
}
