/* cloud_child.h: a simulated cloud (tests/clouds/NAME.py) as a child process: its port, and the person at its side by lines of JSON.
 * Included by one test. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    pid_t pid;
    FILE *to, *from;
    int port;
    char line[1 << 16]; /* the last answer, without the line end */
} cloud;

static const char *cloud_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static const char *cloud_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(cloud.to, fmt, ap);
    va_end(ap);
    fputc('\n', cloud.to);
    fflush(cloud.to);
    if (!fgets(cloud.line, sizeof cloud.line, cloud.from))
        fail_msg("the simulated cloud is gone");
    cloud.line[strcspn(cloud.line, "\n")] = '\0';
    return cloud.line;
}

/* variant: one more argument of the script; NULL */
static void cloud_begin(const char *name, const char *folder, const char *variant)
{
    int in[2], out[2];
    char script[256];
    snprintf(script, sizeof script, "tests/clouds/%s.py", name);
    assert_int_equal(pipe(in) | pipe(out), 0);
    cloud.pid = fork();
    if (!cloud.pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execlp("python3", "python3", "-B", script, folder, variant, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    cloud.to = fdopen(in[1], "w");
    cloud.from = fdopen(out[0], "r");
    if (!fgets(cloud.line, sizeof cloud.line, cloud.from))
        fail_msg("%s does not start: run the tests from the top of the tree", script);
    cloud.port = (int)strtol(cloud.line, NULL, 10);
}

static void cloud_end(void)
{
    fclose(cloud.to);
    fclose(cloud.from);
    kill(cloud.pid, SIGTERM);
    waitpid(cloud.pid, NULL, 0);
}
