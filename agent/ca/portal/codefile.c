/* codefile.c: the website method's page has no code on it but a link to the file that holds it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/handover.h"
#include "ca/portal/portal_impl.h"

enum { CODE_FILE_MAX = 4096 };

struct codefile {
    struct walk *w;
    void (*then)(struct walk *w, const struct err *e);
    struct visit visit; /* as the logged-in visitor */
};

void codefile_free(struct codefile *f)
{
    if (!f)
        return;
    visit_clear(&f->visit);
    free(f);
}

static const char *link_of(const struct reading *r)
{
    for (size_t i = 0; i < r->n_link; i++)
        if (strcmp(r->link[i].role, "file") == 0)
            return r->link[i].url;
    return NULL;
}

bool codefile_wanted(const struct walk *w)
{
    const struct reading *r = &w->reading;
    return w->order.method == ACT_WEBSITE && r->page && r->role == ROLE_PROOF && r->n_code == 0 && link_of(r);
}

/* One file, one code for all names. What is no code is found out where codes are taken. */
static void take(struct reading *r, const struct str *file)
{
    r->code = mem_grow(r->code, r->n_code + 1, sizeof *r->code);
    r->code[r->n_code++] = (struct act_code){.value = handover_code((struct bytes){(const uint8_t *)file->p, file->n})};
}

static void fetched(struct op *op, const struct err *e)
{
    struct codefile *f = op->owner;
    struct walk *w = f->w;
    const struct visit *v = &f->visit;
    struct err fault = e ? *e : (struct err){0};
    if (!e && (v->status != 200 || !v->file.n || v->file.n > CODE_FILE_MAX || memchr(v->file.p, 0, v->file.n)))
        err_set(&fault, RC_PAGES, "PORTAL_FILE", "the portal answers %ld with %zu octets instead of the validation file", v->status,
                v->file.n);
    if (fault.rc == RC_OK)
        take(&w->reading, &v->file);
    void (*then)(struct walk *, const struct err *) = f->then;
    then(w, fault.rc == RC_OK ? NULL : &fault);
}

void codefile_fetch(struct walk *w, void (*then)(struct walk *w, const struct err *e))
{
    codefile_free(w->codefile);
    struct codefile *f = w->codefile = mem_new(sizeof *f);
    f->w = w;
    f->then = then;
    f->visit = (struct visit){.op = {.done = fetched, .owner = f}, .url = link_of(&w->reading), .from = page_url(w->page), .raw = true};
    portal_visit(w->window->session, &f->visit);
}
