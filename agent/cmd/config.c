/* config check: every fault of every file, or ok. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "cert/hierarchy.h"
#include "conf/conf.h"
#include "order/session.h"

static json_t *fault_json(const struct conf_fault *f)
{
    return json_pack("{s:o, s:i, s:o, s:o, s:o, s:i}", "file", json_text(f->file), "line", (int)f->line, "section", json_text(f->section),
                     "key", json_text(f->key), "text", json_text(f->text), "exit", (int)f->rc);
}

static void print_fault(const struct conf_fault *f)
{
    struct str line = STR_INIT(4096);
    conf_fault_show(f, &line);
    printf("%s\n", str_text(&line));
    str_free(&line);
}

/* more: those of files that no section names (what is known of CAs' certificates). */
static void print_faults(const struct conf *conf, const struct conf_fault *more, size_t n)
{
    for (size_t i = 0; i < conf->n_fault; i++)
        print_fault(&conf->fault[i]);
    for (size_t i = 0; i < n; i++)
        print_fault(&more[i]);
    if (conf->n_fault + n == 0)
        printf("ok: %zu certificate%s, %zu provider%s, %zu CA%s in %s\n", conf->n_cert, conf->n_cert == 1 ? "" : "s", conf->n_provider,
               conf->n_provider == 1 ? "" : "s", conf->n_ca, conf->n_ca == 1 ? "" : "s", conf->path);
}

enum rc cmd_config(struct call *c)
{
    if (strcmp(c->args.s[0], "check") != 0) {
        say(LEVEL_ERROR, &(struct about){.step = "config"}, "USAGE", "config knows only: check");
        return RC_USAGE;
    }
    struct err e = {0};
    struct conf *conf = session_conf(c->config, &e);
    if (!conf)
        return call_fail(c, &e);
    struct hierarchy *known = hierarchy_open(&conf->agent.conf_path);
    size_t n;
    const struct conf_fault *more = hierarchy_faults(known, &n);
    enum rc rc = conf_worst(conf);
    for (size_t i = 0; i < n; i++)
        rc = rc_worse(rc, more[i].rc);
    if (c->json) {
        json_t *faults = json_array();
        for (size_t i = 0; i < conf->n_fault; i++)
            json_array_append_new(faults, fault_json(&conf->fault[i]));
        for (size_t i = 0; i < n; i++)
            json_array_append_new(faults, fault_json(&more[i]));
        json_print(json_pack("{s:i, s:b, s:o}", "version", 1, "ok", conf->n_fault + n == 0, "faults", faults));
    } else {
        print_faults(conf, more, n);
    }
    hierarchy_free(known);
    conf_free(conf);
    return rc;
}
