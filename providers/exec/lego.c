/* lego.c: programs written for lego's exec provider: PROGRAM present|cleanup FQDN. VALUE, one change a run. */
#include "providers/exec/adapter.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct conf_key keys[] = {
    {.name = "command",
     .type = CONF_COMMAND,
     .required = true,
     .allowed = "/usr/local/lib/dcvagent/dns-hook",
     .help = "The program; present|cleanup, the name with a final dot and the value stand behind its own words."},
    ADAPTER_SERVER(true, "A name server of the zone where what was done can be read: address[:port] or a name; best the primary."),
    ADAPTER_GRADE,
    ADAPTER_KEYS,
    {0}};

static bool args(const struct provider *p, const struct change *c, struct strs *out, struct err *e)
{
    const struct bytes v = c->rec->value;
    if (c->rec->type != TYPE_TXT || memchr(v.p, 0, v.n)) {
        err_at(e, "%s", c->rec->owner);
        return err_set(e, RC_WRITE, "PROGRAM_VALUE", "[provider %s]: a program of type lego-exec takes TXT values without NUL alone",
                       p->section->name);
    }
    char *fqdn = mem_fmt("%s.", c->rec->owner);
    strs_add(out, c->add ? "present" : "cleanup");
    strs_add(out, fqdn);
    strs_add_n(out, (const char *)v.p, v.n);
    free(fqdn);
    return true;
}

static void apply(struct provider *p, struct batch *b)
{
    each_apply(p, b, args);
}

extern const struct provider_ops provider_lego_exec;
const struct provider_ops provider_lego_exec = {
    .type = "lego-exec",
    .summary = "A program of yours, called as lego's exec provider calls it: present|cleanup FQDN. VALUE",
    .rights = "Whatever the program needs, in env_file.",
    .limits = "One change a run, one run at a time. After it server= is asked until it shows the change, at most wait=.",
    .links = "https://go-acme.github.io/lego/dns/exec/",
    .tried = "A script with nsupdate beside named of Debian 12.",
    .caps = CAN_READ | CAN_BATCH,
    .grade = 'C',
    .graded = adapter_grade,
    .keys = keys,
    .examine = adapter_examine,
    .open = adapter_open,
    .read = adapter_read,
    .apply = apply,
    .cost = each_cost,
    .close = adapter_close,
};
