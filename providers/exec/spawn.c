/* spawn.c: the runs of a section's program, one after the other, and what is told of one that went wrong. */
#include "providers/exec/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/mem.h"

enum { HIDE_MIN = 4 /* a shorter value would blank out half of what is said, and is no secret */ };

static void start_first(struct provider *p);

/* The next one gets its turn. */
static void leave(struct spawn *c)
{
    struct provider *p = c->p;
    struct spawn **at = &p->first, *before = NULL;
    bool first = p->first == c;
    while (*at != c) {
        before = *at;
        at = &before->next;
    }
    *at = c->next;
    if (p->last == c)
        p->last = before;
    if (first && p->first)
        start_first(p);
}

static void detach(struct op *op)
{
    struct spawn *c = (struct spawn *)op;
    op_cancel(&c->child.op); /* ends its group too */
    leave(c);
}

/* text without the values of env_file; the caller frees. */
static char *masked(const struct provider *p, const char *text)
{
    char *clean = mem_str(text);
    for (size_t i = 0; i < p->hidden.n; i++) {
        const char *secret = p->hidden.s[i];
        size_t n = strlen(secret);
        for (char *at = n >= HIDE_MIN ? strstr(clean, secret) : NULL; at; at = strstr(at, secret)) {
            memcpy(at, "***", 3);
            memmove(at + 3, at + n, strlen(at + n) + 1);
            at += 3;
        }
    }
    return clean;
}

void spawn_words(const struct provider *p, const char *text, char *out, size_t size)
{
    char *clean = masked(p, text);
    size_t n = strlen(clean);
    while (n && (unsigned char)clean[n - 1] <= ' ')
        n--;
    size_t skip = n >= size ? n - size + 1 : 0;
    if (skip) { /* from a line's beginning where there is one */
        const char *line = memchr(clean + skip, '\n', n - skip);
        skip = line && line + 1 < clean + n ? (size_t)(line + 1 - clean) : skip;
    }
    text_safe(out, size, clean + skip, n - skip);
    free(clean);
}

static void judge(struct spawn *c, const struct err *start, struct err *e)
{
    const struct provider *p = c->p;
    const char *program = c->argv.s[0];
    char words[200];
    spawn_words(p, str_text(c->answer ? &c->child.said : &c->child.out), words, sizeof words);
    if (*words)
        say(LEVEL_DEBUG, &(struct about){.step = "provider", .server = program}, NULL, "%s", words);
    if (start) {
        err_set(e, RC_WRITE, "PROGRAM_START", "[provider %s]: %s; nothing was changed", p->section->name, start->text);
    } else if (c->child.timed_out) {
        err_set(e, RC_NET, "PROGRAM_TIMEOUT", "[provider %s]: %s was to %s, did not end within %u s and was stopped (%s)", p->section->name,
                program, c->what, (unsigned)(p->limit_ms / 1000), *words ? words : "it said nothing");
        err_again(e, 0);
    } else if (c->child.status != 0) {
        err_set(e, RC_WRITE, "PROGRAM_FAILED", "[provider %s]: %s was to %s and ended with %d (%s)", p->section->name, program, c->what,
                c->child.status, *words ? words : "it said nothing");
        err_again(e, 0);
    }
}

static void ended(struct op *op, const struct err *start)
{
    struct spawn *c = op->owner;
    struct err e = {0};
    c->started = !start;
    judge(c, start, &e);
    leave(c);
    op_settle(&c->op, &e);
}

static void start_first(struct provider *p)
{
    struct spawn *c = p->first;
    for (size_t i = 0; i < p->program.n; i++)
        strs_add(&c->argv, p->program.s[i]);
    for (size_t i = 0; i < c->args.n; i++)
        strs_add(&c->argv, c->args.s[i]);
    c->child = (struct child){.op = {.done = ended, .owner = c},
                              .argv = &c->argv,
                              .env = &p->env,
                              .in = c->in,
                              .n_in = c->n_in,
                              .limit_ms = p->limit_ms,
                              .answer = c->answer};
    child_start(net_loop(p->net), &c->child);
    if (c->durable)
        durable(c->durable);
}

void spawn_start(struct provider *p, struct spawn *c)
{
    c->p = p;
    c->next = NULL;
    op_start(&c->op, detach);
    if (p->first) {
        p->last->next = c;
        p->last = c;
    } else {
        p->first = p->last = c;
        start_first(p);
    }
}

void spawn_clear(struct spawn *c)
{
    child_clear(&c->child);
    strs_free(&c->args);
    strs_free(&c->argv);
}
