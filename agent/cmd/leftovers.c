/* leftovers.c: gc --list. */
#include "cmd/leftovers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/columns.h"
#include "conf/conf.h"
#include "dcv/webfile.h"
#include "order/cas.h"
#include "order/ask/where.h"

enum { CODE_LEAST = 20, CODE_MOST = 255 };

struct listing {
    struct call *c;
    struct session *s;
    struct leftovers ours;
    struct wheres wheres;
    struct look_txt *set;
    struct err *err;
};

/* Codes of CAs and services are one long word; policies such as SPF and DMARC begin with v=. */
static bool looks_like_code(struct bytes v)
{
    if (v.n < CODE_LEAST || v.n > CODE_MOST || (v.n > 2 && memcmp(v.p, "v=", 2) == 0))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return false;
    return true;
}

static bool ours(const struct listing *l, const char *owner, struct bytes v)
{
    for (size_t i = 0; i < l->ours.n; i++) {
        const struct leftover *o = &l->ours.row[i];
        if (strcmp(o->owner, owner) == 0 && o->value.n == v.n && memcmp(o->value.p, v.p, v.n) == 0)
            return true;
    }
    return false;
}

/* A file in a configured web root that none of our orders has there, or not with this content. */
static bool foreign_file(const struct listing *l, const char *webroot)
{
    enum webfile_is is;
    unsigned folders;
    bool known = false;
    for (size_t i = 0; i < l->ours.n && !known; i++) {
        const struct leftover *o = &l->ours.row[i];
        size_t n = strlen(webroot);
        if (!o->file || strncmp(o->owner, webroot, n) != 0 || strcmp(o->owner + n, WEBFILE_URL_PATH) != 0)
            continue;
        char *value = mem_fmt("%.*s", (int)o->value.n, (const char *)o->value.p);
        known = webfile_look(webroot, value, &is, &folders, NULL) && is == WEBFILE_SAME;
        free(value);
    }
    return !known && webfile_look(webroot, NULL, &is, &folders, NULL) && is == WEBFILE_OTHER;
}

static void add_foreign_files(const struct listing *l, json_t *all)
{
    const struct conf *c = l->s->conf;
    struct strs seen = {0};
    for (size_t i = 0; i < c->n_cert; i++) {
        const char *webroot = c->cert[i].method == METHOD_WEBSITE && !c->cert[i].broken ? c->cert[i].webroot : NULL;
        if (!webroot || strs_has(&seen, webroot))
            continue;
        strs_add(&seen, webroot);
        if (!foreign_file(l, webroot))
            continue;
        char *path = mem_fmt("%s" WEBFILE_URL_PATH, webroot);
        json_array_append_new(all, json_pack("{s:o}", "file", json_text(path)));
        free(path);
    }
    strs_free(&seen);
}

static bool repeated(const struct listing *l, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (l->set[k].site && strcmp(l->set[k].site->owner, l->set[i].site->owner) == 0)
            return true;
    return false;
}

/* The places of all configured names, as their authorities show them. */
static bool look(struct listing *l, struct err *e)
{
    struct cas *cas = cas_open(l->s, false);
    for (size_t i = 0; i < l->s->conf->n_cert; i++) {
        const struct conf_cert *conf = &l->s->conf->cert[i];
        const struct ca_rules *rules = cas_rules(cas, conf->ca);
        if (rules && !conf->broken && conf->method == METHOD_DNS)
            where_add(&l->wheres, conf, &conf->names, rules);
    }
    bool ok = where_find(l->s, &l->wheres, e);
    l->set = mem_array(l->wheres.n + 1, sizeof *l->set);
    l->err = mem_array(l->wheres.n + 1, sizeof *l->err);
    for (size_t i = 0; i < l->wheres.n && ok; i++) {
        l->set[i].site = l->wheres.w[i].site;
        if (l->set[i].site && repeated(l, i))
            l->set[i].site = NULL;
    }
    ok = ok && look_txts(l->s, l->set, l->err, l->wheres.n, e);
    cas_close(cas);
    return ok;
}

static json_t *foreign(const struct listing *l)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->wheres.n; i++)
        for (size_t k = 0; k < l->set[i].n; k++) {
            struct bytes v = l->set[i].value[k];
            const char *owner = l->set[i].site->owner;
            if (looks_like_code(v) && !ours(l, owner, v))
                json_array_append_new(all, json_pack("{s:o, s:o}", "owner", json_text(owner), "value", json_txt(v)));
        }
    add_foreign_files(l, all);
    return all;
}

static void whose_text(const struct leftover *o, char *out, size_t size)
{
    if (o->whose == OF_TXT)
        snprintf(out, size, "%s", o->wanted ? "txt add (kept)" : "txt del under way");
    else if (o->whose == OF_PROBE)
        snprintf(out, size, "a probe: gc removes it");
    else
        snprintf(out, size, "%s order %s of %s%s",
                 o->whose == OF_OPEN_ORDER ? "open"
                 : o->file                 ? "not needed any more by"
                                           : "closed",
                 o->order, o->cert,
                 o->whose == OF_OPEN_ORDER  ? ""
                 : o->state == LEDGER_FOUND ? ": gc lets it go"
                                            : ": gc removes it");
}

static void print_foreign(const json_t *others)
{
    size_t i;
    json_t *f;
    json_array_foreach(others, i, f)
    {
        struct str value = STR_INIT(1200);
        const char *text = json_str(f, "value"), *file = json_str(f, "file");
        text_txt(&value, text, strlen(text));
        printf("%s", i ? "  " : "looks like validation records or files of others, never touched:\n  ");
        if (*file)
            printf("%s\n", file);
        else
            printf("%s TXT \"%s\"\n", json_str(f, "owner"), str_text(&value));
        str_free(&value);
    }
}

static void print_text(const struct listing *l, const json_t *others)
{
    struct columns t = {.n = 5};
    char whose[400];
    if (l->ours.n)
        columns_row(&t, "OWNER OR FILE", "STATE", "PROVIDER", "VALUE", "WHOSE", NULL);
    for (size_t i = 0; i < l->ours.n; i++) {
        const struct leftover *o = &l->ours.row[i];
        struct str value = STR_INIT(400);
        text_txt(&value, o->value.p, o->value.n);
        whose_text(o, whose, sizeof whose);
        columns_row(&t, o->owner, ledger_state_words[o->state], o->provider, str_text(&value), whose, NULL);
        str_free(&value);
    }
    columns_print(&t, "");
    if (l->ours.n == 0)
        printf("the ledger has no open records, and no order has files on web servers\n");
    print_foreign(others);
}

enum rc leftovers_list(struct call *c, struct session *s)
{
    struct listing l = {.c = c, .s = s};
    struct err e = {0};
    enum rc rc = RC_OK;
    if (leftovers_load(&l.ours, s, &e) && look(&l, &e)) {
        json_t *others = foreign(&l);
        if (c->json) {
            json_t *records = json_array(), *files = json_array();
            for (size_t i = 0; i < l.ours.n; i++)
                json_array_append_new(l.ours.row[i].file ? files : records, leftover_json(&l.ours.row[i]));
            json_print(json_pack("{s:i, s:o, s:o, s:O}", "version", 1, "records", records, "files", files, "foreign", others));
        } else {
            print_text(&l, others);
        }
        json_decref(others);
    } else {
        rc = call_fail(c, &e);
    }
    for (size_t i = 0; i < l.wheres.n && l.set; i++)
        look_txt_clear(&l.set[i]);
    free(l.set);
    free(l.err);
    where_free(&l.wheres);
    leftovers_free(&l.ours);
    return rc;
}
