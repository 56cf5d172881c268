/* main.c: dcvagent: from a command line to an exit code. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "cert/key.h"
#include "cmd/cmd.h"
#include "net/loop.h"

/* A descriptor 0, 1 or 2 that is closed would be given to the first file opened: a database or a key. */
static void standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            _exit(RC_RESOURCE);
}

/* The program ends by the signal that stopped it, so that who started it knows. */
static void die_by(int number)
{
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    struct call call;
    bool done;
    standard_descriptors();
    secret_process();
    key_library();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file too large is then an error with a name (EFBIG) */
    umask(077);
    if (!call_parse(argc, argv, &call, &done)) {
        call_clear(&call);
        return RC_USAGE;
    }
    enum rc rc = done ? RC_OK : call.command->run(&call);
    call_clear(&call);
    if ((fflush(stdout) != 0 || ferror(stdout)) && rc == RC_OK) {
        fprintf(stderr, "dcvagent: standard output could not be written\n");
        rc = RC_CREATE;
    }
    log_close();
    if (loop_stopped_by())
        die_by(loop_stopped_by());
    return (int)rc;
}
