#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { TEXT_MAX = 2048, LINE_MAX_OCTETS = 65536 };

enum loud { QUIETLY, NORMALLY, LOUDLY };
enum where_to { TO_NONE, TO_SYSLOG, TO_FILE };

static struct {
    struct log_setup setup;
    enum where_to to;
    int fd;        /* TO_FILE */
    char *path;    /* of fd */
    bool broken;   /* writing to fd failed and that was told */
    bool journal;  /* stderr goes to the systemd journal */
    int64_t since; /* clock_monotonic() of the first message or log_open */
    void (*before)(void *arg);
    void *arg;
    pthread_t drawer; /* who said so */
} out = {.fd = -1};
static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER; /* workers speak too */

static const struct {
    const char *name, *colour;
    int priority; /* syslog(3), sd-daemon(3) */
} levels[] = {
    [LEVEL_ERROR] = {"ERROR", "\033[1;31m", LOG_ERR},   [LEVEL_WARNING] = {"WARNING", "\033[1;33m", LOG_WARNING},
    [LEVEL_NOTICE] = {"NOTICE", "\033[1m", LOG_NOTICE}, [LEVEL_INFO] = {"INFO", "", LOG_INFO},
    [LEVEL_DEBUG] = {"DEBUG", "\033[2m", LOG_DEBUG},
};

/* $JOURNAL_STREAM names device and inode of the stream that systemd gave us; stderr may since have been sent elsewhere. */
static bool stderr_is_journal(void)
{
    const char *text = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;
    return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
           st.st_ino == inode;
}

static bool open_file(const char *path, struct err *e)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (fd < 0) {
        char why[FS_WHY];
        int number = errno;
        return err_set(e, RC_CREATE, "LOG_FILE", "cannot open the log file %s: %s%s", path, fs_why(number, why),
                       number == ELOOP ? " (symbolic links are not followed)" : "; log= needs a folder where the agent's user may write");
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(e, RC_CREATE, "LOG_FILE", "the log file %s is not a plain file", path);
    }
    out.fd = fd;
    out.path = mem_str(path);
    out.to = TO_FILE;
    return true;
}

void log_before(void (*before)(void *arg), void *arg)
{
    pthread_mutex_lock(&one_by_one);
    out.before = before;
    out.arg = arg;
    out.drawer = pthread_self();
    pthread_mutex_unlock(&one_by_one);
}

bool log_open(const struct log_setup *setup, struct err *e)
{
    int64_t since = out.since;
    log_close();
    out.setup = *setup;
    out.setup.run = mem_str(setup->run);
    out.setup.target = NULL;
    out.since = since ? since : clock_monotonic();
    out.journal = stderr_is_journal();
    const char *target = setup->target ? setup->target : setup->terminal ? "none" : "syslog";
    if (strcmp(target, "none") == 0)
        return true;
    if (strcmp(target, "syslog") != 0)
        return open_file(target, e);
    openlog("dcvagent", LOG_PID, LOG_DAEMON);
    out.to = TO_SYSLOG;
    return true;
}

void log_close(void)
{
    if (out.to == TO_SYSLOG)
        closelog();
    if (out.fd >= 0)
        close(out.fd);
    free(out.path);
    free((char *)(uintptr_t)out.setup.run);
    out.path = NULL;
    out.fd = -1;
    out.to = TO_NONE;
    out.broken = false;
    out.setup.run = NULL;
}

static bool stderr_shows(enum level level, enum loud loud)
{
    if (loud == QUIETLY)
        return false;
    if (level == LEVEL_ERROR)
        return true;
    if (out.setup.quiet)
        return false;
    if (loud == LOUDLY)
        return true;
    switch (level) {
    case LEVEL_WARNING:
    case LEVEL_NOTICE:
        return out.setup.terminal || out.setup.verbose >= 1;
    case LEVEL_INFO:
        return out.setup.verbose >= 1;
    default:
        return out.setup.verbose >= 2;
    }
}

static bool target_shows(enum level level)
{
    return out.to != TO_NONE && (level <= LEVEL_INFO || out.setup.verbose >= 2);
}

/* A piece of a line: nothing in it may break out of the line or reach a terminal. */
static void add_safe(struct str *line, const char *text)
{
    char safe[TEXT_MAX];
    str_add(line, text_safe(safe, sizeof(safe), text, strlen(text)));
}

/* What a message is about, and what it says. */
struct message {
    enum level level;
    const struct about *about; /* never NULL */
    const char *where;         /* of an error; may be "" */
    const char *code;
    const char *text;
};

static const char *subject(const struct message *m)
{
    const char *candidates[] = {m->about->name, m->about->cert, m->where, m->about->server};
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++)
        if (candidates[i] && *candidates[i])
            return candidates[i];
    return "";
}

/* "ERROR verify www.example.hk: text [CODE]" */
static void body(struct str *line, const struct message *m, bool colour)
{
    const char *about = subject(m), *paint = levels[m->level].colour;
    str_fmt(line, "%s%s%s", colour ? paint : "", levels[m->level].name, colour && *paint ? "\033[0m" : "");
    if (m->about->step && *m->about->step) {
        str_add(line, " ");
        add_safe(line, m->about->step);
    }
    if (*about) {
        str_add(line, " ");
        add_safe(line, about);
    }
    str_add(line, ": ");
    add_safe(line, m->text);
    if (m->code && *m->code)
        str_fmt(line, " [%s]", m->code);
}

static json_t *rcode_name(int rcode_plus_one)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
    char number[24];
    int rcode = rcode_plus_one - 1;
    if (rcode < 0)
        return json_null();
    if ((size_t)rcode < sizeof(names) / sizeof(names[0]))
        return json_string(names[rcode]);
    snprintf(number, sizeof(number), "RCODE%d", rcode);
    return json_string(number);
}

static json_t *safe_json(const char *text)
{
    char safe[TEXT_MAX];
    return text && *text ? json_string(text_safe(safe, sizeof(safe), text, strlen(text))) : json_null();
}

/* Every key in every line, so that whoever reads them needs no cases. */
static char *json_of(const struct message *m)
{
    char ts[40], day[32];
    int64_t ms = clock_now_ms();
    time_show(ms / 1000, day);
    snprintf(ts, sizeof(ts), "%.19s.%03dZ", day, (int)(ms % 1000));
    json_t *j = json_object();
    json_object_set_new(j, "ts", json_string(ts));
    json_object_set_new(j, "level", json_string(levels[m->level].name));
    json_object_set_new(j, "code", safe_json(m->code));
    json_object_set_new(j, "run", safe_json(out.setup.run));
    json_object_set_new(j, "cert", safe_json(m->about->cert));
    json_object_set_new(j, "name", safe_json(m->about->name));
    json_object_set_new(j, "step", safe_json(m->about->step));
    json_object_set_new(j, "server", safe_json(m->about->server));
    json_object_set_new(j, "where", safe_json(m->where));
    json_object_set_new(j, "rcode", rcode_name(m->about->rcode));
    json_object_set_new(j, "attempt", m->about->attempt ? json_integer(m->about->attempt) : json_null());
    json_object_set_new(j, "retry_at", json_time(m->about->retry_at));
    json_object_set_new(j, "elapsed_ms", json_integer(clock_monotonic() - out.since));
    json_object_set_new(j, "text", safe_json(m->text));
    return json_line(j);
}

/* One write(2) a line: lines of several processes do not mix. */
static bool write_line(int fd, struct str *line)
{
    struct str whole = STR_INIT(LINE_MAX_OCTETS + 1);
    str_put(&whole, str_text(line), line->n);
    str_add(&whole, "\n");
    ssize_t done;
    do
        done = write(fd, whole.p, whole.n);
    while (done < 0 && errno == EINTR);
    bool ok = done == (ssize_t)whole.n;
    str_free(&whole);
    return ok;
}

static void to_stderr(const struct message *m)
{
    struct str line = STR_INIT(LINE_MAX_OCTETS);
    if (out.before && pthread_equal(out.drawer, pthread_self())) /* what is drawn is its thread's alone */
        out.before(out.arg);
    if (out.journal)
        str_fmt(&line, "<%d>", levels[m->level].priority);
    if (out.setup.json) {
        char *json = json_of(m);
        str_add(&line, json);
        free(json);
    } else {
        str_add(&line, "dcvagent: ");
        body(&line, m, out.setup.colour);
    }
    write_line(STDERR_FILENO, &line);
    str_free(&line);
}

static void to_syslog(const struct message *m)
{
    struct str line = STR_INIT(LINE_MAX_OCTETS);
    body(&line, m, false);
    if (out.setup.run)
        str_fmt(&line, " (run %s)", out.setup.run);
    syslog(levels[m->level].priority, "%s", str_text(&line));
    str_free(&line);
}

static void to_file(const struct message *m)
{
    char when[32];
    struct str line = STR_INIT(LINE_MAX_OCTETS);
    time_show(clock_now(), when);
    str_fmt(&line, "%s dcvagent[%ld]: ", when, (long)getpid());
    body(&line, m, false);
    bool ok = write_line(out.fd, &line);
    int number = errno;
    str_free(&line);
    if (ok || out.broken)
        return;
    out.broken = true;
    dprintf(STDERR_FILENO, "dcvagent: WARNING: cannot write to the log file %s: %s [LOG_FILE]\n", out.path, strerror(number));
}

static void emit(const struct message *m, enum loud loud)
{
    int saved = errno;
    pthread_mutex_lock(&one_by_one);
    if (!out.since)
        out.since = clock_monotonic();
    if (stderr_shows(m->level, loud))
        to_stderr(m);
    if (target_shows(m->level) && out.to == TO_SYSLOG)
        to_syslog(m);
    if (target_shows(m->level) && out.to == TO_FILE)
        to_file(m);
    pthread_mutex_unlock(&one_by_one);
    errno = saved;
}

static const struct about nothing;

__attribute__((format(printf, 5, 0))) static void say_how(enum loud loud, enum level level, const struct about *about, const char *code,
                                                          const char *fmt, va_list ap)
{
    char text[2 * TEXT_MAX]; /* text_safe() sees what is too long, and says so */
    if (!stderr_shows(level, loud) && !target_shows(level))
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    emit(&(struct message){.level = level, .about = about ? about : &nothing, .code = code, .text = text}, loud);
}

void say(enum level level, const struct about *about, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_how(NORMALLY, level, about, code, fmt, ap);
    va_end(ap);
}

void say_quietly(enum level level, const struct about *about, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_how(QUIETLY, level, about, code, fmt, ap);
    va_end(ap);
}

void say_loudly(enum level level, const struct about *about, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_how(LOUDLY, level, about, code, fmt, ap);
    va_end(ap);
}

void say_err(enum level level, const struct about *about, const struct err *e)
{
    struct about all = about ? *about : nothing;
    if (!all.retry_at)
        all.retry_at = e->not_before;
    emit(&(struct message){.level = level, .about = &all, .where = e->where, .code = e->code, .text = e->text}, NORMALLY);
}
