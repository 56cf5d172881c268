/* key restore: the key out of a PFX back to where it is missing: the order or the certificate that it belongs to. Nothing that is there is overwritten. */
#include "cmd/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cert/install.h"
#include "cert/key.h"
#include "cert/pfx.h"
#include "cmd/adopt.h"
#include "cmd/input.h"
#include "cmd/stored.h"
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

enum { PFX_FILE_MAX = 1 << 20, KEY_MAX = 65536 };

struct restoring {
    struct call *c;
    struct session s;
    const char *name;
    const struct conf_cert *conf; /* NULL: the section is gone */
    struct secret key;
    char spki[65], *certs;  /* of the PFX */
    struct strs order, set; /* what the key belongs to here: ids, archive numbers */
    struct strs written;    /* files, within the state folder */
    bool other;             /* there are orders or sets with other keys */
};

/* --- what it belongs to ---------------------------------------------------------------------------------------------------------------- */

static bool note_order(void *arg, const struct saved_order *o)
{
    struct restoring *r = arg;
    if (strcmp(o->spki, r->spki) == 0)
        strs_add(&r->order, o->id);
    else
        r->other |= o->open && *o->spki;
    return true;
}

static void note_set(void *arg, const struct stored_set *set)
{
    struct restoring *r = arg;
    if (set->cert && strcmp(set->cert->spki, r->spki) == 0)
        strs_add(&r->set, strrchr(set->folder, '/') + 1);
    else
        r->other |= set->cert != NULL;
}

static bool find_owners(struct restoring *r, struct err *e)
{
    stored_sets(r->s.state_dir, r->name, note_set, r);
    return order_history(r->s.store, r->name, note_order, r, e);
}

/* --- back to its place ------------------------------------------------------------------------------------------------------------------ */

/* *missing: nothing is there. A file that is there must hold this key. */
static bool may_restore(const struct restoring *r, const char *path, bool *missing, struct err *e)
{
    struct secret there = {0};
    struct err fault = {0};
    char spki[65] = "", *text;
    size_t n;
    *missing = false;
    if (!fs_read(path, KEY_MAX, &text, &n, &fault)) {
        *missing = fault.code && strcmp(fault.code, "NO_FILE") == 0;
        return *missing || err_set(e, fault.rc, fault.code, "%s", fault.text);
    }
    secret_set(&there, text, n);
    explicit_bzero(text, n);
    free(text);
    bool same = key_spki(&there, spki, NULL) && strcmp(spki, r->spki) == 0;
    secret_free(&there);
    return same || err_set(e, RC_CREATE, "KEY_DIFFERS",
                           "%s holds another key, and is not overwritten; move it away first if it is really to go", path);
}

static bool restore_order(struct restoring *r, const char *id, struct err *e)
{
    char path[512];
    bool missing;
    key_path(r->s.state_dir, id, path, sizeof path);
    if (!may_restore(r, path, &missing, e) || (missing && !key_store(r->s.state_dir, id, &r->key, e)))
        return false;
    if (missing) {
        char *shown = mem_fmt("keys/%s.key", id);
        strs_add(&r->written, shown);
        free(shown);
    }
    return true;
}

static bool restore_set(struct restoring *r, const char *number, struct err *e)
{
    char *shown = mem_fmt("archive/%s/%s/privkey.pem", r->name, number), *path = mem_fmt("%s/%s", r->s.state_dir, shown);
    bool missing, ok = may_restore(r, path, &missing, e);
    if (ok && missing) {
        ok = install_key(r->s.state_dir, r->name, strtoll(number, NULL, 10), &r->key, r->conf ? r->conf->key_group : NULL, e);
        if (ok)
            strs_add(&r->written, shown);
    }
    free(shown);
    free(path);
    return ok;
}

static bool restore_all(struct restoring *r, struct err *e)
{
    bool ok = evidence_command(r->s.store, r->name, r->c->argc, r->c->argv, e) && store_turn(r->s.store, e);
    for (size_t i = 0; ok && i < r->order.n; i++)
        ok = restore_order(r, r->order.s[i], e);
    for (size_t i = 0; ok && i < r->set.n; i++)
        ok = restore_set(r, r->set.s[i], e);
    return ok;
}

static void report(const struct restoring *r)
{
    if (r->c->json) {
        json_print(json_pack("{s:i, s:o, s:s, s:o, s:o, s:o}", "version", 1, "name", json_text(r->name), "spki_sha256", r->spki, "orders",
                             json_strs(&r->order), "archive", json_strs(&r->set), "restored", json_strs(&r->written)));
        return;
    }
    for (size_t i = 0; i < r->written.n; i++)
        printf("%s: restored: %s\n", r->name, r->written.s[i]);
    if (r->written.n == 0)
        printf("%s: the key is where it belongs already; nothing was changed\n", r->name);
}

/* --- the command ------------------------------------------------------------------------------------------------------------------------ */

static bool read_pfx(struct restoring *r, const char *file, struct err *e)
{
    struct secret password = {0};
    char *text;
    size_t n;
    if (!input_file(file, PFX_FILE_MAX, &text, &n, e))
        return false;
    bool ok = key_password(r->c, false, &password, e) && pfx_read(text, n, &password, &r->key, &r->certs, e) && key_check(&r->key, e) &&
              key_spki(&r->key, r->spki, e);
    secret_free(&password);
    explicit_bzero(text, n);
    free(text);
    return ok || err_at(e, "%s", file);
}

static bool owned_elsewhere(const struct restoring *r, struct err *e)
{
    return r->conf && r->conf->csr_file &&
           !err_set(e, RC_CONF, "KEY_ELSEWHERE",
                    "%s has csr_file=: its key stays where that CSR was made, so none is restored here; take csr_file= out first", r->name);
}

static bool stranger(const struct restoring *r, struct err *e)
{
    if (r->other)
        return err_set(e, RC_FAILED, "KEY_STRANGER",
                       "the key in the PFX (SHA-256 of its public half %.16s...) is of no order and no certificate of %s; dcvagent key "
                       "list shows what is there",
                       r->spki, r->name);
    return err_set(e, RC_FAILED, "KEY_STRANGER",
                   "there is a key in the PFX and no certificate, and %s has no order that it could be of; once its certificate is there: "
                   "dcvagent import %s "
                   "CERTIFICATE --key KEY.pem",
                   r->name, r->name);
}

/* Nothing of this certificate is known here, and the PFX brings all of it: a new machine, or one that leaves IIS. */
static bool to_adopt(const struct restoring *r)
{
    return r->certs && r->conf && !r->other && r->order.n + r->set.n == 0;
}

enum rc key_restore(struct call *c)
{
    struct restoring r = {.c = c, .name = c->args.s[0]};
    const char *file = c->args.s[1];
    struct err e = {0};
    enum rc rc = RC_OK;
    c->args.n = 1; /* the file is no certificate's name */
    if (!key_session(c, &r.s, SESSION_LOCK, &rc))
        return rc;
    r.conf = conf_cert(r.s.conf, r.name);
    bool ok = !owned_elsewhere(&r, &e) && read_pfx(&r, file, &e) && find_owners(&r, &e), adopt = ok && to_adopt(&r);
    ok = ok && (adopt || ((r.order.n + r.set.n > 0 || stranger(&r, &e)) && restore_all(&r, &e)));
    if (!ok)
        rc = call_fail(c, &e);
    else if (!adopt)
        report(&r);
    session_close(&r.s);
    if (adopt)
        rc = adopt_with_key(c, r.name, r.certs, strlen(r.certs), &r.key);
    secret_free(&r.key);
    free(r.certs);
    strs_free(&r.order);
    strs_free(&r.set);
    strs_free(&r.written);
    return rc;
}
