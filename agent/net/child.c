/* child.c: one program. Its block outlives a cancelled struct child until the program and its handles are gone. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/child.h"
#include "net/loop_uv.h"

enum { LIMIT_MS = 300000, GRACE_MS = 5000, DRAIN_MS = 200, KEEP = 4096, READ_SIZE = 4096 };

enum phase {
    RUNNING,
    TERM_SENT,
    KILL_SENT,
    DRAINING /* it has ended; what it left behind may still hold its output */
};

struct run {
    struct child *child; /* NULL: cancelled */
    uv_process_t process;
    uv_pipe_t out, said, in;
    uv_timer_t timer;
    uv_write_t write;
    unsigned handles; /* open ones; the last close frees the block */
    enum phase phase;
    unsigned outputs; /* that it may still write to */
    bool exited, timed_out, over;
    int status;
    struct str text, words; /* of out and said */
    char *input;
    size_t n_input;
    char read[READ_SIZE];
};

static void run_free(struct run *r)
{
    if (r->input)
        explicit_bzero(r->input, r->n_input); /* hooks may be handed secrets */
    free(r->input);
    str_free(&r->text);
    str_free(&r->words);
    free(r);
}

static void on_closed(uv_handle_t *h)
{
    struct run *r = h->data;
    if (--r->handles == 0)
        run_free(r);
}

static void shut(void *handle)
{
    uv_handle_t *h = handle;
    if (h->data && !uv_is_closing(h))
        uv_close(h, on_closed);
}

static void *opened(struct run *r, void *handle)
{
    ((uv_handle_t *)handle)->data = r;
    r->handles++;
    return handle;
}

static void finish(struct run *r)
{
    if (r->over)
        return;
    r->over = true;
    struct child *c = r->child;
    if (c) {
        c->status = r->status;
        c->timed_out = r->timed_out;
        c->out = r->text;
        c->said = r->words;
        r->text = r->words = STR_INIT(KEEP);
        c->impl = NULL;
        op_settle(&c->op, NULL);
    }
    if (r->phase == TERM_SENT || r->phase == KILL_SENT || r->timed_out || !c)
        kill(-r->process.pid, SIGKILL); /* what its group left behind; nothing there is no fault */
    shut(&r->process);
    shut(&r->out);
    shut(&r->said);
    shut(&r->in);
    shut(&r->timer);
}

static void on_timer(uv_timer_t *h);

static void phase_begin(struct run *r, enum phase phase, uint64_t ms)
{
    r->phase = phase;
    uv_timer_start(&r->timer, on_timer, ms, 0);
}

static void end_group(struct run *r)
{
    kill(-r->process.pid, SIGTERM);
    phase_begin(r, TERM_SENT, GRACE_MS);
}

static void on_timer(uv_timer_t *h)
{
    struct run *r = h->data;
    switch (r->phase) {
    case RUNNING:
        r->timed_out = true;
        end_group(r);
        break;
    case TERM_SENT:
        kill(-r->process.pid, SIGKILL);
        phase_begin(r, KILL_SENT, GRACE_MS);
        break;
    case KILL_SENT: /* it hangs in the kernel: nobody can end it, and we do not wait for it */
        r->status = 128 + SIGKILL;
        finish(r);
        break;
    case DRAINING:
        finish(r);
        break;
    }
}

static void on_ended(uv_process_t *p, int64_t status, int signal_number)
{
    struct run *r = p->data;
    r->exited = true;
    r->status = signal_number ? 128 + signal_number : (int)status;
    if (!r->outputs || !r->child)
        finish(r);
    else
        phase_begin(r, DRAINING, DRAIN_MS);
}

static void on_alloc(uv_handle_t *h, size_t wanted, uv_buf_t *buf)
{
    (void)wanted;
    struct run *r = h->data;
    *buf = uv_buf_init(r->read, sizeof r->read);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct run *r = s->data;
    if (n > 0) {
        /* keeps the first octets; the rest is read so that the child can go on */
        str_put(s == (uv_stream_t *)&r->said ? &r->words : &r->text, buf->base, (size_t)n);
    } else if (n < 0) {
        r->outputs--;
        shut(s);
        if (r->exited && !r->outputs)
            finish(r);
    }
}

static void on_written(uv_write_t *w, int status)
{
    (void)status; /* a hook need not read its input */
    struct run *r = w->handle->data;
    shut(&r->in);
}

/* argv and envp as execve wants them; the strings stay the caller's. */
static char **vector(const struct strs *l, const char *more)
{
    char **v = mem_array(l->n + 2, sizeof *v);
    for (size_t i = 0; i < l->n; i++)
        v[i] = l->s[i];
    v[l->n] = (char *)(uintptr_t)more;
    return v;
}

static const char *path_wanted(const struct strs *env)
{
    for (size_t i = 0; i < env->n; i++)
        if (!strncmp(env->s[i], "PATH=", 5))
            return NULL;
    return "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
}

static int spawn(uv_loop_t *uv, struct run *r, int in_fd, int out_fd, int said_fd)
{
    static const struct strs nothing;
    const struct child *c = r->child;
    const struct strs *env = c->env ? c->env : &nothing;
    uv_stdio_container_t io[3] = {
        {.flags = in_fd < 0 ? UV_IGNORE : UV_INHERIT_FD, .data.fd = in_fd}, /* UV_IGNORE: /dev/null */
        {.flags = UV_INHERIT_FD, .data.fd = out_fd},
        {.flags = UV_INHERIT_FD, .data.fd = said_fd < 0 ? out_fd : said_fd},
    };
    uv_process_options_t o = {
        .exit_cb = on_ended,
        .file = c->argv->s[0],
        .args = vector(c->argv, NULL),
        .env = vector(env, path_wanted(env)),
        .cwd = "/",
        .flags = UV_PROCESS_DETACHED, /* setsid: a group of its own, and no terminal */
        .stdio_count = 3,
        .stdio = io,
    };
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* what we were started with ourselves goes no further either */
    int fault = uv_spawn(uv, opened(r, &r->process), &o);
    free(o.args);
    free(o.env);
    return fault;
}

static void feed(struct run *r)
{
    if (!r->n_input) {
        shut(&r->in);
        return;
    }
    uv_buf_t b = uv_buf_init(r->input, (unsigned)r->n_input);
    if (uv_write(&r->write, (uv_stream_t *)&r->in, &b, 1, on_written) < 0)
        shut(&r->in);
}

/* A pipe (not a socket, which /dev/stdin could not be opened as); our end as a handle, the child's end in *theirs. */
static int make_pipe(uv_loop_t *uv, struct run *r, uv_pipe_t *ours, int end, int *theirs)
{
    uv_file fd[2];
    int fault = uv_pipe(fd, end == 0 ? UV_NONBLOCK_PIPE : 0, end == 1 ? UV_NONBLOCK_PIPE : 0);
    if (fault < 0)
        return fault;
    uv_pipe_init(uv, opened(r, ours), 0);
    uv_pipe_open(ours, fd[end]);
    *theirs = fd[1 - end];
    return 0;
}

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void listen_to(struct run *r, uv_pipe_t *from)
{
    r->outputs++;
    uv_read_start((uv_stream_t *)from, on_alloc, on_read);
}

static int start(uv_loop_t *uv, struct run *r)
{
    int in_fd = -1, out_fd = -1, said_fd = -1;
    int fault = make_pipe(uv, r, &r->out, 0, &out_fd);
    if (!fault && r->child->answer)
        fault = make_pipe(uv, r, &r->said, 0, &said_fd);
    if (!fault && r->child->in)
        fault = make_pipe(uv, r, &r->in, 1, &in_fd);
    if (!fault)
        fault = spawn(uv, r, in_fd, out_fd, said_fd);
    close_end(in_fd);
    close_end(out_fd);
    close_end(said_fd);
    if (fault < 0)
        return fault;
    listen_to(r, &r->out);
    if (r->child->answer)
        listen_to(r, &r->said);
    if (in_fd >= 0)
        feed(r);
    return 0;
}

/* A cancel ends the group as the time limit does; nobody hears of it any more. */
static void detach(struct op *op)
{
    struct child *c = (struct child *)op;
    struct run *r = c->impl;
    c->impl = NULL;
    r->child = NULL;
    if (r->exited)
        finish(r);
    else if (r->phase == RUNNING)
        end_group(r);
}

static void not_started(struct child *c, const char *why)
{
    struct err e = {0};
    const char *program = c->argv->n ? c->argv->s[0] : "(no program)";
    err_at(&e, "%s", program);
    err_set(&e, RC_HOOK, "HOOK_START", "%s cannot be started: %s", program, why);
    op_settle(&c->op, &e);
}

void child_start(struct loop *l, struct child *c)
{
    op_start(&c->op, detach);
    c->impl = NULL;
    c->status = 0;
    c->timed_out = false;
    c->out = c->said = STR_INIT(KEEP);
    if (!c->argv->n || c->argv->s[0][0] != '/') {
        not_started(c, "its path must be absolute");
        return;
    }
    struct run *r = mem_new(sizeof *r);
    r->child = c;
    r->text = STR_INIT(c->answer ? c->answer : KEEP);
    r->words = STR_INIT(KEEP);
    if (c->in && c->n_in) {
        r->input = mem_copy(c->in, c->n_in);
        r->n_input = c->n_in;
    }
    uv_timer_init(loop_uv(l), opened(r, &r->timer));
    int fault = start(loop_uv(l), r);
    if (fault < 0) {
        not_started(c, uv_strerror(fault));
        r->over = true;
        shut(&r->process);
        shut(&r->out);
        shut(&r->said);
        shut(&r->in);
        shut(&r->timer);
        return;
    }
    c->impl = r;
    phase_begin(r, RUNNING, c->limit_ms ? c->limit_ms : LIMIT_MS);
}

void child_clear(struct child *c)
{
    str_free(&c->out);
    str_free(&c->said);
}
