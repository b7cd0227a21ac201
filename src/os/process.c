/*
 * Child processes. Between fork and exec only async-signal-safe calls are made, since other threads may hold any lock.
 * A failed exec is reported by the parent as an error, through a pipe that a successful one closes.
 */
#include "os/process.h"

#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* What went wrong in the child. */
struct failure {
    int errnum;
    char at[16];
};

static void fail(int pipe_fd, const char *at)
{
    struct failure f = {.errnum = errno};

    for (size_t i = 0; at[i] && i < sizeof(f.at) - 1; i++)
        f.at[i] = at[i];
    ssize_t ignored = write(pipe_fd, &f, sizeof(f));
    (void)ignored;
    _exit(127);
}

/* In the child: never returns. */
static void become(const struct process_options *o, pid_t parent, int null_fd, int pipe_fd)
{
    const int fds[3] = {o->stdin_fd, o->stdout_fd, o->stderr_fd};
    int safe[3];
    sigset_t none;

    if (o->own_group && setsid() < 0)
        fail(pipe_fd, "setsid");
    if (o->die_with_parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            fail(pipe_fd, "prctl");
        if (getppid() != parent) /* it died before prctl */
            _exit(127);
    }
    /* Copies above 2 first, so that one of fds that is itself 0, 1 or 2 isn't overwritten before its turn. */
    for (int i = 0; i < 3; i++)
        if ((safe[i] = fcntl(fds[i] < 0 ? null_fd : fds[i], F_DUPFD_CLOEXEC, 3)) < 0)
            fail(pipe_fd, "fcntl");
    for (int i = 0; i < 3; i++)
        if (dup2(safe[i], i) < 0)
            fail(pipe_fd, "dup2");
    if (o->folder && chdir(o->folder) < 0)
        fail(pipe_fd, "chdir");

    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (o->env)
        execve(o->argv[0], (char *const *)o->argv, (char *const *)o->env);
    else
        execv(o->argv[0], (char *const *)o->argv);
    fail(pipe_fd, "exec");
}

int process_start(const struct process_options *o, pid_t *ret, struct err *err)
{
    int pipe_fds[2];
    struct failure failure;
    FD_SCOPED int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd < 0)
        return err_set_errno(err, errno, "cannot open the null device");
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return err_set_errno(err, errno, "cannot make a pipe");
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(o, parent, null_fd, pipe_fds[1]);
    close(pipe_fds[1]);
    FD_SCOPED int from_child = pipe_fds[0];
    if (pid < 0)
        return err_set_errno(err, errno, "cannot start %s", o->argv[0]);

    ssize_t got;
    do
        got = read(from_child, &failure, sizeof(failure));
    while (got < 0 && errno == EINTR);
    if (got == sizeof(failure)) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return err_set_errno(err, failure.errnum, "cannot start %s (%s)", o->argv[0], failure.at);
    }
    *ret = pid;
    return 0;
}

bool process_is_alive(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

bool process_reap(pid_t pid, int *ret_status)
{
    int status;
    pid_t done;

    do
        done = waitpid(pid, &status, WNOHANG);
    while (done < 0 && errno == EINTR);
    if (done != pid)
        return false;
    *ret_status = status;
    return true;
}

void process_describe_status(int status, char *out, size_t n)
{
    if (WIFEXITED(status))
        snprintf(out, n, "exit code %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        snprintf(out, n, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(out, n, "wait status %d", status);
}

int process_own_path(char *out, size_t n, struct err *err)
{
    ssize_t got = readlink("/proc/self/exe", out, n);

    if (got < 0)
        return err_set_errno(err, errno, "cannot find this program's path");
    if ((size_t)got >= n)
        return err_set(err, ERR_LIMIT, "this program's path is longer than %zu bytes", n - 1);
    out[got] = '\0';
    return 0;
}

uint64_t process_pss(pid_t pid)
{
    char path[64];
    BUF_SCOPED struct buf text;
    uint64_t kib;

    buf_init(&text, 16 << 10);
    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    if (file_read(path, &text, NULL) < 0)
        return 0;
    const char *line = strstr(buf_cstr(&text), "\nPss:");
    if (!line || sscanf(line + 5, "%" SCNu64, &kib) != 1)
        return 0;
    return kib * 1024;
}
