#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

/* Signals that would leave the terminal without echo, or stop the program while it has none. */
static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};
enum { CAUGHT = sizeof(caught) / sizeof(caught[0]) };

static volatile sig_atomic_t arrived;

static void note(int number)
{
    arrived = number;
}

static void catch_signals(struct sigaction old[CAUGHT])
{
    struct sigaction sa = {.sa_handler = note}; /* no SA_RESTART: read(2) must return */
    sigemptyset(&sa.sa_mask);
    arrived = 0;
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &sa, &old[i]);
}

static void release_signals(const struct sigaction old[CAUGHT])
{
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &old[i], NULL);
}

enum line { LINE_GOOD, LINE_LONG, LINE_NONE, LINE_SIGNAL, LINE_FAULT };

/* One line, octet by octet: what follows it on stdin is not ours. */
static enum line read_line(int fd, uint8_t *p, size_t max, size_t *n)
{
    bool any = false, cut = false;
    *n = 0;
    for (;;) {
        uint8_t c;
        if (arrived)
            return LINE_SIGNAL;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return LINE_FAULT;
        if (!got || c == '\n')
            break;
        any = true;
        if (*n < max)
            p[(*n)++] = c;
        else
            cut = cut || c != '\r';
    }
    if (*n && p[*n - 1] == '\r')
        (*n)--;
    return cut ? LINE_LONG : any && *n ? LINE_GOOD : LINE_NONE;
}

static void say_to(int fd, const char *text)
{
    ssize_t ignored = write(fd, text, strlen(text));
    (void)ignored;
}

/* One round without echo; the terminal and the signals are as before when it returns. */
static enum line ask_once(int tty, const char *prompt, uint8_t *p, size_t max, size_t *n)
{
    struct termios was, quiet;
    struct sigaction old[CAUGHT];
    if (tcgetattr(tty, &was) != 0)
        return LINE_FAULT;
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    catch_signals(old);
    enum line line = LINE_FAULT;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0) {
        say_to(tty, prompt);
        line = read_line(tty, p, max, n);
        say_to(tty, "\n");
    }
    while (tcsetattr(tty, TCSAFLUSH, &was) != 0 && errno == EINTR)
        ;
    release_signals(old);
    return line;
}

static enum line ask_terminal(const char *prompt, uint8_t *p, size_t max, size_t *n)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return LINE_FAULT;
    enum line line;
    for (;;) {
        line = ask_once(tty, prompt, p, max, n);
        if (line != LINE_SIGNAL)
            break;
        int number = arrived;
        arrived = 0;
        raise(number); /* now as it would have worked without us: mostly the end; after a stop and `fg` the question comes again */
        if (number != SIGTSTP && number != SIGTTIN && number != SIGTTOU)
            break;
    }
    close(tty);
    return line;
}

bool secret_ask(struct secret *s, const char *prompt, size_t max, struct err *e)
{
    uint8_t *p = mem_new(max + 1);
    size_t n = 0;
    bool terminal = isatty(STDIN_FILENO);
    arrived = 0;
    enum line line = terminal ? ask_terminal(prompt, p, max, &n) : read_line(STDIN_FILENO, p, max, &n);
    switch (line) {
    case LINE_GOOD:
        secret_set(s, p, n);
        break;
    case LINE_LONG:
        err_set(e, RC_USAGE, "INPUT", "what was entered is longer than %zu octets; nothing was changed", max);
        break;
    case LINE_NONE:
        err_set(e, RC_USAGE, "INPUT", "nothing was entered%s; nothing was changed", terminal ? "" : " on standard input");
        break;
    case LINE_SIGNAL:
        err_set(e, RC_USAGE, "INPUT", "interrupted; nothing was changed");
        break;
    case LINE_FAULT:
        err_set(e, RC_USAGE, "INPUT", "cannot read from %s: %s", terminal ? "the terminal" : "standard input", strerror(errno));
        break;
    }
    explicit_bzero(p, max + 1);
    free(p);
    return line == LINE_GOOD;
}
