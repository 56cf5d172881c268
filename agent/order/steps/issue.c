/* issue.c: validated -> submitted -> issued -> installed -> done, and failed: the CSR leaves, the certificate comes, files are switched, records go. */
#include "order/order_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "ca/handover.h"
#include "cert/csr.h"
#include "cert/install.h"
#include "cert/key.h"

static enum turn job_fault(struct order *o)
{
    struct err e = o->job_err;
    o->job_err = (struct err){0};
    return order_fault(o, &e);
}

/* --- validated: the key is there, and safe elsewhere, before the CSR leaves -------------------------------------------------------------- */

/* The same octets as before need no second look: OpenSSL takes milliseconds for it. */
bool order_load_key(struct order *o, struct secret *pem, struct err *e)
{
    char spki[65];
    uint8_t md[SHA256_SIZE];
    if (!order_own_key(o))
        return true;
    if (!key_load(o->run->s->state_dir, o->saved.id, pem, e))
        return false;
    sha256(pem->p, pem->n, md);
    if (memcmp(md, o->key_known, sizeof md) == 0)
        return true;
    if (!key_spki(pem, spki, e))
        return false;
    if (strcmp(spki, o->saved.spki) != 0)
        return err_set(e, RC_STATE, "NO_KEY", "keys/%s.key is not the key that the CSR of %s was made with", o->saved.id, o->saved.cert);
    memcpy(o->key_known, md, sizeof md);
    return true;
}

/* A certificate for a key that was lost meanwhile (a disk, a backup without keys/) would be paid for in vain. */
static bool key_is_there(struct order *o, struct err *e)
{
    struct secret pem = {0};
    bool ok = order_load_key(o, &pem, e);
    secret_free(&pem);
    if (ok)
        return true;
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n,
             "; its CSR is not given to the CA: dcvagent key restore %s FILE.pfx puts it back, dcvagent cancel %s ends the order",
             o->saved.cert, o->saved.cert);
    return false;
}

bool order_backup_possible(const struct order *o, struct err *e)
{
    return fact_num(o, "backup") || !order_own_key(o) || session_backup_folder(o->run->s, e);
}

enum turn order_key_backup(struct order *o)
{
    if (!o->run->s->conf->agent.key_backup_dir || fact_num(o, "backup") || !order_own_key(o))
        return TURN_NEXT;
    if (o->job_err.rc != RC_OK) { /* of the worker or of writing the file */
        o->backup_at = BACKUP_NONE;
        return job_fault(o);
    }
    if (o->backup_at == BACKUP_RUNS)
        return TURN_WAIT;
    if (o->backup_at == BACKUP_DONE) {
        fact_set(o, "backup", clock_now());
        return TURN_NEXT;
    }
    o->backup_at = BACKUP_RUNS;
    work_backup(o);
    return TURN_WAIT;
}

static void note_csr_path(struct order *o, const char *path)
{
    json_t *h = handover_load(&o->saved);
    json_object_set_new(h, "csr_path", json_string(path));
    handover_save(&o->saved, h);
    order_save(o);
}

/* The path is told once this order's CSR stands there: until then an older order's may, and a person would paste that one. */
static void write_csr_now(void *arg)
{
    struct order *o = arg;
    char *folder = mem_fmt("%s/csr", o->run->s->state_dir), *path = mem_fmt("%s/%s.pem", folder, o->saved.cert);
    struct str pem = STR_INIT(65536);
    if (csr_pem(o->saved.csr.p, o->saved.csr.n, &pem) && fs_folder(folder, 0755, &o->job_err) &&
        fs_replace(path, str_text(&pem), pem.n, 0644, &o->job_err))
        note_csr_path(o, path);
    str_free(&pem);
    free(path);
    free(folder);
}

/* The CSR where a person can read it: state_dir/csr/NAME.pem. */
static enum turn csr_for_people(struct order *o)
{
    if (o->job_err.rc != RC_OK)
        return job_fault(o);
    char path[512];
    handover_csr_path(&o->saved, path, sizeof path);
    if (*path)
        return TURN_NEXT;
    order_effect(o, write_csr_now);
    return TURN_WAIT;
}

enum turn step_validated(struct order *o, struct run *r)
{
    (void)r;
    if (o->pending || !ca_ready(o))
        return TURN_WAIT;
    if (o->ca_err.rc != RC_OK)
        return order_refused(o);
    if (o->ca.stage == CA_ISSUING || o->ca.stage == CA_ISSUED)
        return TURN_NEXT;
    if (o->ca.stage < CA_CSR)
        return TURN_BACK;
    struct err e = {0};
    if (order_rules(o)->release_early && !proofs_release(o, &e)) /* the delete rides beside finalize */
        return order_fault(o, &e);
    if (!o->submitted && !key_is_there(o, &e))
        return order_fault(o, &e);
    enum turn t = order_key_backup(o);
    if (t == TURN_NEXT && order_rules(o)->by_person)
        t = csr_for_people(o);
    if (t != TURN_NEXT)
        return t;
    if (!o->submitted) {
        o->submitted = true;
        o->saved.sent = true;
        ca_effect(o, o->at->ops->submit);
        return TURN_WAIT;
    }
    return order_wait_ca(o);
}

enum turn step_submitted(struct order *o, struct run *r)
{
    (void)r;
    if (!ca_ready(o))
        return TURN_WAIT;
    if (o->ca_err.rc != RC_OK)
        return order_refused(o);
    if (o->saved.certificate.n) {
        struct err e = {0};
        char *copy = mem_copy(o->saved.certificate.p, o->saved.certificate.n);
        bool ok = order_accept(o, copy, o->saved.certificate.n, &e);
        free(copy);
        return ok ? TURN_NEXT : order_fault(o, &e);
    }
    if (!o->fetched) {
        o->fetched = true;
        ca_effect(o, o->at->ops->fetch);
        return TURN_WAIT;
    }
    return order_wait_ca(o);
}

/* --- issued: one set of files, one switch ---------------------------------------------------------------------------------------------- */

static void unswitch_now(void *arg)
{
    struct order *o = arg;
    struct err e = {0};
    if (!install_unswitch(o->run->s->state_dir, o->saved.cert, fact_num(o, "before"), &e))
        say_err(LEVEL_ERROR, &(struct about){.cert = o->saved.cert, .step = "install"}, &e);
    o->check_state = CHECK_FAILED;
    o->installed_files = false;
}

static void checked(struct op *op, const struct err *e)
{
    struct order *o = op->owner;
    char safe[160];
    const char *out = str_text(&o->check.out);
    text_safe(safe, sizeof safe, out, strlen(out));
    if (e)
        o->job_err = *e;
    else if (o->check.timed_out)
        err_set(&o->job_err, RC_HOOK, "DEPLOY_CHECK", "deploy_check %s did not end within 5 min and was stopped; live/%s was switched back",
                o->conf->deploy_check.s[0], o->saved.cert);
    else if (o->check.status != 0)
        err_set(&o->job_err, RC_HOOK, "DEPLOY_CHECK",
                "deploy_check %s ended with %d (%s); live/%s was switched back to the set in use before", o->conf->deploy_check.s[0],
                o->check.status, safe, o->saved.cert);
    o->check_state = o->job_err.rc == RC_OK ? CHECK_PASSED : CHECK_RUNS;
    order_settled(o);
}

static enum turn deploy_checked(struct order *o)
{
    if (!o->conf || o->conf->deploy_check.n == 0 || o->check_state == CHECK_PASSED)
        return TURN_NEXT;
    if (o->check_state == CHECK_FAILED) {
        o->check_state = CHECK_NOT;
        return job_fault(o);
    }
    if (o->check_state == CHECK_RUNS) {
        if (o->job_err.rc != RC_OK)
            order_effect(o, unswitch_now);
        return TURN_WAIT;
    }
    o->check_state = CHECK_RUNS;
    strs_free(&o->check_env);
    cert_hook_env(&o->check_env, o->run->s->state_dir, o->saved.cert, o->saved.names, "issued", o->chain.not_after);
    child_clear(&o->check);
    o->check = (struct child){.op = {.done = checked, .owner = o}, .argv = &o->conf->deploy_check, .env = &o->check_env};
    o->pending++;
    child_start(net_loop(o->run->s->net), &o->check);
    return TURN_WAIT;
}

/* The applications that are done with: the order's, and the one that reference_number= named when another was handed over with its PIN. A number
 * written down while the order was under way is a new application. */
static void note_applications(const struct order *o, struct cert_row *row)
{
    json_t *h = handover_load(&o->saved);
    const char *instead = json_str(h, "instead_of");
    char *both = mem_fmt("%s%s%s", o->saved.reference, *instead ? " " : "", instead);
    cert_row_set(row, &row->c.reference, both);
    free(both);
    json_decref(h);
}

/* What is in use from now on. The deploy hook is the certificate's, not the order's: it is run again by each run until it exits 0. */
static bool note_in_use(struct order *o, struct err *e)
{
    const struct issued *i = order_issued(o, e);
    struct cert_facts f = {0};
    bool ok = i && issued_facts(i, 0, &f, e);
    if (ok) {
        struct cert_row *row = cert_row_load(o->run->s->store, o->saved.cert, e);
        cert_row_facts(row, &f);
        cert_row_set(row, &row->c.ca, o->saved.ca);
        cert_row_set(row, &row->c.names, o->saved.names);
        cert_row_set(row, &row->c.key_type, o->saved.key_type);
        note_applications(o, row);
        row->c.subscription_end = o->saved.subscription_end;
        row->c.archive = fact_num(o, "archive");
        row->c.installed = clock_now();
        row->c.hook_due = o->conf && o->conf->deploy_hook.n;
        row->c.failures = 0;
        row->c.not_before_retry = 0;
        cert_row_set(row, &row->c.ari, ""); /* it spoke of the certificate before this one */
        ok = e->rc == RC_OK && cert_put(o->run->s->store, &row->c, e);
        order_evidence(o, "installed",
                       json_pack("{s:s, s:s, s:o, s:I}", "serial", f.serial, "fingerprint_sha256", f.fingerprint, "not_after",
                                 json_time(f.not_after), "archive", (json_int_t)row->c.archive));
        cert_row_free(row);
        run_cert_installed(o->run, o);
    }
    cert_facts_clear(&f);
    return ok;
}

static enum turn pfx_made(struct order *o)
{
    if (!o->conf || !o->conf->pfx || !order_own_key(o) || o->pfx_ready)
        return TURN_NEXT;
    if (o->job_err.rc != RC_OK)
        return job_fault(o);
    if (!op_busy(&o->job.op))
        work_pfx(o);
    return TURN_WAIT;
}

enum turn step_issued(struct order *o, struct run *r)
{
    struct err e = {0};
    if (o->pending)
        return TURN_WAIT;
    if (!proofs_release(o, &e))
        return order_fault(o, &e);
    enum turn t = order_vet(o);
    if (t == TURN_NEXT)
        t = pfx_made(o);
    if (t != TURN_NEXT)
        return t;
    if (!o->installed_files) {
        if (o->job_err.rc != RC_OK && o->check_state != CHECK_FAILED)
            return job_fault(o);
        if (o->check_state == CHECK_FAILED)
            return deploy_checked(o);
        if (!fact_num(o, "archive")) { /* both before the effect: a crash must not forget what to switch back to */
            fact_set(o, "archive", install_next(r->s->state_dir, o->saved.cert));
            fact_set(o, "before", install_live(r->s->state_dir, o->saved.cert));
        }
        order_effect(o, files_install);
        return TURN_WAIT;
    }
    t = deploy_checked(o);
    if (t != TURN_NEXT)
        return t;
    if (!note_in_use(o, &e))
        return order_fault(o, &e);
    o->changed = true;
    return TURN_NEXT;
}

/* --- the end ------------------------------------------------------------------------------------------------------------------------- */

enum turn step_installed(struct order *o, struct run *r)
{
    (void)r;
    return proofs_gone(o);
}

/* Open until the whole story lies beside the certificate, and the CA has put away what was kept for this order: after a crash the next run sees to
 * it. */
enum turn step_done(struct order *o, struct run *r)
{
    (void)r;
    if (!o->saved.open || o->pending)
        return TURN_WAIT;
    if (!o->evidence_filed) {
        order_effect(o, files_evidence);
        return TURN_WAIT;
    }
    o->saved.open = false;
    order_save(o);
    return TURN_WAIT;
}

enum turn step_failed(struct order *o, struct run *r)
{
    (void)r;
    if (!o->saved.open)
        return TURN_WAIT;
    enum turn t = proofs_gone(o);
    if (t == TURN_NEXT) {
        o->saved.open = false;
        order_save(o);
        return TURN_WAIT;
    }
    return t;
}
