/* adapter.c: an adapter's section: program, environment, the server that shows what was done. */
#include "providers/exec/adapter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "providers/authority.h"

enum { ENV_MAX = 65536 };

static bool name_good(const char *p, size_t n)
{
    if (!n || isdigit((unsigned char)*p))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && p[i] != '_')
            return false;
    return true;
}

static void trim(const char **p, size_t *n)
{
    while (*n && isspace((unsigned char)**p)) {
        ++*p;
        --*n;
    }
    while (*n && isspace((unsigned char)(*p)[*n - 1]))
        --*n;
}

/* NAME=value, as shells and systemd read it without expansion: one pair of quotes around the value goes, "export " in front too. */
static bool env_line(const char *p, size_t n, struct strs *env, struct strs *hidden)
{
    trim(&p, &n);
    if (!n || *p == '#')
        return true;
    if (n > 7 && memcmp(p, "export ", 7) == 0) {
        p += 7;
        n -= 7;
        trim(&p, &n);
    }
    const char *equals = memchr(p, '=', n);
    if (!equals || !name_good(p, (size_t)(equals - p)) || memchr(p, 0, n))
        return false;
    const char *value = equals + 1;
    size_t n_value = n - (size_t)(value - p);
    if (n_value >= 2 && (*value == '"' || *value == '\'') && value[n_value - 1] == *value) {
        value++;
        n_value -= 2;
    }
    char *line = mem_fmt("%.*s=%.*s", (int)(equals - p), p, (int)n_value, value);
    strs_add(env, line);
    explicit_bzero(line, strlen(line));
    free(line);
    strs_add_n(hidden, value, n_value);
    return true;
}

static bool env_read(const char *path, struct strs *env, struct strs *hidden, struct err *e)
{
    struct secret text = {0};
    unsigned line = 0;
    if (!secret_read(&text, path, ENV_MAX, e))
        return false;
    for (const char *p = (const char *)text.p, *end = p + text.n; p < end && e->rc == RC_OK;) {
        const char *eol = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((eol ? eol : end) - p);
        line++;
        if (!env_line(p, n, env, hidden))
            err_set(e, RC_CONF, "ENV_FILE", "%s:%u: this is no NAME=value, no comment and not empty", path, line);
        p += n + 1;
    }
    secret_free(&text);
    return e->rc == RC_OK;
}

static void wipe(struct strs *l)
{
    for (size_t i = 0; i < l->n; i++)
        explicit_bzero(l->s[i], strlen(l->s[i]));
    strs_free(l);
}

void adapter_examine(const struct section *s, struct conf_sink *to)
{
    struct strs env = {0}, hidden = {0};
    struct err e = {0};
    /* What is wrong with the file itself, the key's type has told. */
    if (section_given(s, "env_file") && !env_read(section_text(s, "env_file"), &env, &hidden, &e) && strcmp(e.code, "ENV_FILE") == 0)
        conf_sink_fault(to, "env_file", e.rc, "%s", e.text);
    wipe(&env);
    wipe(&hidden);
}

static uint32_t in_ms(int64_t seconds)
{
    return (uint32_t)(seconds < DAY ? seconds : DAY) * 1000;
}

bool adapter_open(struct provider **out, const struct section *s, struct net *n, struct err *e)
{
    struct provider *p = mem_new(sizeof *p);
    struct endpoints server;
    p->net = n;
    p->section = s;
    section_list(s, "command", &p->program);
    p->limit_ms = in_ms(section_number(s, "limit"));
    p->wait_ms = in_ms(section_number(s, "wait"));
    p->grade = section_text(s, "grade") ? section_text(s, "grade")[0] : 'C';
    section_servers(s, "server", &server);
    if (server.n) {
        endpoint_show(&server.e[0], p->server, sizeof p->server);
        p->stream = stream_open(n, &server.e[0]);
    }
    endpoints_free(&server);
    if (section_given(s, "env_file") && !env_read(section_text(s, "env_file"), &p->env, &p->hidden, e)) {
        adapter_close(p);
        return false;
    }
    *out = p;
    return true;
}

void adapter_close(struct provider *p)
{
    if (!p)
        return;
    if (p->stream)
        stream_close(p->stream);
    wipe(&p->env);
    wipe(&p->hidden);
    strs_free(&p->program);
    free(p->folder);
    free(p);
}

char adapter_grade(const struct provider *p)
{
    return p->grade;
}

void adapter_read(struct provider *p, struct lookup *l)
{
    struct authority a = {.stream = p->stream, .server = p->server, .refused = ""};
    authority_read(&a, l);
}

void adapter_seen(struct provider *p, struct batch *b, struct seen *s)
{
    struct op op = s->op;
    *s = (struct seen){.op = op,
                       .at = {.stream = p->stream, .server = p->server, .refused = ""},
                       .loop = net_loop(p->net),
                       .b = b,
                       .wait_ms = p->wait_ms,
                       .section = p->section->name,
                       .by = p->program.s[0]};
    seen_start(s);
}
