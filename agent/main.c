/* main.c: dcvagent: from a command line to an exit code. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "cmd/cmd.h"

/* A descriptor 0, 1 or 2 that is closed would be given to the first file opened: a database or a key. */
static void standard_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd)
            _exit(RC_RESOURCE);
}

int main(int argc, char **argv)
{
    struct call call;
    bool done;
    standard_descriptors();
    secret_process();
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (!call_parse(argc, argv, &call, &done)) {
        call_clear(&call);
        return RC_USAGE;
    }
    enum rc rc = done ? RC_OK : call.command->run(&call);
    call_clear(&call);
    if (fflush(stdout) != 0 && rc == RC_OK) {
        fprintf(stderr, "dcvagent: standard output could not be written\n");
        rc = RC_CREATE;
    }
    log_close();
    return (int)rc;
}
