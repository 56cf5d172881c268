/* doctor_web.c: what the doctor asks, and finds, where names are proven by a file on their web servers. */
#include "order/ask/doctor_impl.h"

#include <stdlib.h>
#include <string.h>

#include "ca/ca.h"
#include "base/mem.h"
#include "dcv/survey/webplace.h"
#include "dcv/webfile.h"
#include "dcv/zone/zone.h"
#include "net/net.h"
#include "order/ask/many.h"
#include "order/website/website.h"

void doctor_web_add(struct doctor *d, const struct conf_cert *c, const struct ca_rules *rules)
{
    for (size_t i = 0; i < c->names.n && !c->broken; i++) {
        d->web = mem_grow(d->web, d->n_web + 1, sizeof *d->web);
        struct doctor_web *w = &d->web[d->n_web++];
        *w = (struct doctor_web){.conf = c, .rules = rules, .name = c->names.s[i]};
    }
}

/* A CNAME may lead anywhere, as in an order. */
bool doctor_web_find(struct doctor *d, struct err *e)
{
    struct find *f = mem_array(d->n_web + 1, sizeof *f);
    struct err *err = mem_array(d->n_web + 1, sizeof *err);
    for (size_t i = 0; i < d->n_web; i++)
        f[i] = (struct find){.name = d->web[i].name, .anywhere = true};
    bool ok = look_sites(d->s, f, err, d->n_web, e);
    for (size_t i = 0; i < d->n_web && ok; i++) {
        d->web[i].site = err[i].rc == RC_OK ? f[i].site : NULL;
        d->web[i].err = err[i];
    }
    free(f);
    free(err);
    return ok && proxy_of_agent(&d->s->conf->agent, &d->proxy, e);
}

void doctor_web_ask(struct doctor *d, struct many *m)
{
    const struct conf *c = d->s->conf;
    for (size_t i = 0; i < d->n_web; i++) {
        struct doctor_web *w = &d->web[i];
        if (!w->site)
            continue;
        w->verify = conf_verify(c, conf_zone(c, w->name), conf_ca(c, w->conf->ca));
        w->preflight =
            (struct preflight){.name = w->name, .site = w->site, .caa = where_caa(w->rules), .verify = &w->verify, .no_record = true};
        w->watch =
            (struct web_watch){.site = w->site, .value = "a file that nobody has", .path = WEBPLACE_PATH, .proxy = &d->proxy, .once = true};
        many_add(m, &w->preflight.op, NULL);
        preflight_start(d->s->net, d->s->zones, &w->preflight);
        many_add(m, &w->watch.op, &w->err);
        web_watch_start(d->s->net, &w->watch);
    }
}

/* --- the web root ------------------------------------------------------------------------------------------------------------------------- */

struct standing { /* whose file stands in a web root */
    const struct conf_cert *conf;
    struct findings *out;
    bool known;
};

static void note_owner(void *arg, const struct website_file *file)
{
    struct standing *st = arg;
    enum webfile_is is;
    unsigned folders;
    struct finding *f;
    if (st->known || strcmp(file->webroot, st->conf->webroot) != 0 || !webfile_look(file->webroot, file->value, &is, &folders, NULL) ||
        is != WEBFILE_SAME)
        return;
    st->known = true;
    if (!file->wanted) {
        f = finding_add(st->out, "WEBSITE_LEFT", SEV_WARNING, "");
        finding_cause(f, "%.160s" WEBFILE_URL_PATH " still stands, though the order %s of %.40s needs it no more", file->webroot,
                      file->order->id, file->order->cert);
        finding_remedy(f, "dcvagent gc removes it, or says why it cannot");
    } else if (strcmp(file->order->cert, st->conf->name) != 0) {
        f = finding_add(st->out, "WEBSITE_TAKEN", SEV_ERROR, "");
        finding_cause(f, "%.160s" WEBFILE_URL_PATH " is that of the order %s of certificate %.40s, and a web root has room for one",
                      file->webroot, file->order->id, file->order->cert);
        finding_remedy(f, "bring that order to its end or cancel it first, or use a website_hook");
    }
}

static void judge_webroot(const struct doctor *d, const struct conf_cert *c, struct findings *out)
{
    struct standing st = {c, out, false};
    struct err e = {0};
    enum webfile_is is;
    unsigned folders;
    if (!webfile_possible(c->webroot, &e) || !webfile_look(c->webroot, NULL, &is, &folders, &e)) {
        doctor_from_error(finding_add(out, e.code, SEV_ERROR, ""), &e);
        return;
    }
    if (is == WEBFILE_ABSENT)
        return;
    website_each(d->s->store, note_owner, &st, NULL);
    if (st.known)
        return;
    struct finding *f = finding_add(out, "WEBSITE_TAKEN", SEV_ERROR, "");
    finding_cause(f, "%.200s" WEBFILE_URL_PATH " stands there and is not ours: it is never overwritten", c->webroot);
    finding_remedy(f, "move it away, if nobody needs it");
}

/* --- told --------------------------------------------------------------------------------------------------------------------------------- */

void doctor_web_tell(const struct doctor *d, struct diagnoses *out)
{
    const struct conf_cert *told = NULL;
    for (size_t i = 0; i < d->n_web; i++) {
        struct doctor_web *w = &d->web[i];
        struct findings l = {0};
        if (w->conf != told && w->conf->webroot)
            judge_webroot(d, w->conf, &l);
        told = w->conf;
        if (w->watch.n)
            webplace_judge(w->name, w->watch.view, w->watch.n, &l);
        else
            doctor_from_error(finding_add(&l, w->err.code, SEV_ERROR, w->name), &w->err);
        doctor_put(out, w->conf->name, &l);
        doctor_put(out, w->conf->name, &w->preflight.found);
    }
}

void doctor_web_free(struct doctor *d)
{
    for (size_t i = 0; i < d->n_web; i++) {
        preflight_clear(&d->web[i].preflight);
        web_watch_clear(&d->web[i].watch);
    }
    free(d->web);
    proxy_clear(&d->proxy);
}
