/* key backup: before submission the key of the order, after issue the key in use with its certificate and chain, as PKCS#12. */
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
#include "conf/conf.h"
#include "order/evidence.h"
#include "order/session.h"
#include "store/store.h"

enum { KEY_MAX = 65536, CERTS_FILE_MAX = 1 << 20 };

struct saving {
    struct call *c;
    struct session s;
    const char *name, *file;
    struct saved_order order; /* under way; cert NULL: none */
    struct secret key;
    char *cert, *chain; /* NULL: the key alone */
    char what[128];     /* for people: "the key of order ..." */
};

static bool note_order(void *arg, const struct saved_order *o)
{
    struct saving *b = arg;
    if (strcmp(o->state, "failed") == 0 || strcmp(o->state, "done") == 0 || strcmp(o->state, "installed") == 0 || !o->csr.n)
        return true;
    saved_order_clear(&b->order);
    saved_order_copy(&b->order, o);
    return true;
}

static bool of_order(struct saving *b, struct err *e)
{
    if (strcmp(b->order.key_type, "csr") == 0)
        return err_set(e, RC_CONF, "KEY_ELSEWHERE",
                       "the order of %s was made with csr_file=: its key is where that CSR was made, and is saved there", b->name);
    if (!key_load(b->s.state_dir, b->order.id, &b->key, e))
        return false;
    if (b->order.certificate.n) /* issued, not installed yet */
        b->cert = mem_copy(b->order.certificate.p, b->order.certificate.n);
    snprintf(b->what, sizeof b->what, "the key of the order %s", b->order.id);
    return true;
}

static char *file_of(const struct saving *b, int64_t n, const char *file, size_t max, struct err *e)
{
    char *path = mem_fmt("%s/archive/%s/%" PRId64 "/%s", b->s.state_dir, b->name, n, file), *text = NULL;
    size_t size;
    fs_read(path, max, &text, &size, e);
    free(path);
    return text;
}

static bool of_set(struct saving *b, struct err *e)
{
    int64_t n = install_live(b->s.state_dir, b->name);
    const struct conf_cert *conf = conf_cert(b->s.conf, b->name);
    struct err missing = {0};
    if (n == 0)
        return err_set(e, RC_USAGE, "NO_KEY", "%s has neither an order with a key nor a certificate in use; dcvagent csr %s makes a key",
                       b->name, b->name);
    char *key = file_of(b, n, "privkey.pem", KEY_MAX, &missing);
    if (!key && conf && conf->csr_file)
        return err_set(e, RC_CONF, "KEY_ELSEWHERE", "%s has csr_file=: its key is where that CSR was made, and is saved there", b->name);
    if (!key)
        return err_set(e, missing.rc, missing.code, "%s", missing.text);
    secret_set(&b->key, key, strlen(key));
    explicit_bzero(key, strlen(key));
    free(key);
    b->cert = file_of(b, n, "cert.pem", CERTS_FILE_MAX, e);
    b->chain = b->cert ? file_of(b, n, "chain.pem", CERTS_FILE_MAX, e) : NULL;
    snprintf(b->what, sizeof b->what, "key, certificate and chain of archive/%.40s/%" PRId64, b->name, n);
    return b->chain;
}

static bool save(struct saving *b, struct err *e)
{
    struct secret password = {0};
    uint8_t *pfx = NULL;
    size_t n = 0;
    const struct conf_cert *conf = conf_cert(b->s.conf, b->name);
    const char *friendly = conf && conf->friendly_name ? conf->friendly_name : b->name;
    if (!order_each(b->s.store, b->name, note_order, b, e))
        return false;
    bool order = b->order.cert && !call_has(b->c, "in-use");
    bool ok = (order ? of_order : of_set)(b, e) && key_password(b->c, true, &password, e) &&
              pfx_make(&b->key, b->cert, b->chain, &password, friendly, call_has(b->c, "legacy") ? PFX_3DES : PFX_AES256, &pfx, &n, e) &&
              evidence_command(b->s.store, b->name, b->c->argc, b->c->argv, e) && store_turn(b->s.store, e) &&
              fs_create(b->file, pfx, n, 0600, e);
    secret_free(&password);
    free(pfx);
    return ok;
}

enum rc key_backup(struct call *c)
{
    struct saving b = {.c = c, .name = c->args.s[0], .file = c->args.s[1]};
    struct err e = {0};
    enum rc rc = RC_OK;
    c->args.n = 1; /* the file is no certificate's name */
    if (!key_session(c, &b.s, SESSION_WRITE, &rc))
        return rc;
    if (!save(&b, &e))
        rc = call_fail(c, &e);
    else if (c->json)
        json_print(json_pack("{s:i, s:o, s:o, s:b, s:s}", "version", 1, "name", json_text(b.name), "file", json_text(b.file), "certificate",
                             b.cert != NULL, "encryption", call_has(c, "legacy") ? "3des" : "aes256"));
    else
        printf("%s: %s saved in %s; without its password nobody can use it, not even you\n", b.name, b.what, b.file);
    saved_order_clear(&b.order);
    secret_free(&b.key);
    free(b.cert);
    free(b.chain);
    session_close(&b.s);
    return rc;
}
