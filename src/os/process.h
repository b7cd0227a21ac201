/* Child processes: the supervisor's, and helpers such as a browserless `sql` session's pager. */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_options {
    const char *const *argv;            /* NULL-terminated; argv[0] is a path */
    const char *const *env;             /* "NAME=value"; NULL: as ours. Secrets never go in argv or env: pass files. */
    const char *folder;                 /* working folder; NULL: as ours */
    int stdin_fd, stdout_fd, stderr_fd; /* -1: the null device */
    bool own_group;                     /* setsid: signals typed at our terminal don't reach it */
    bool die_with_parent; /* PR_SET_PDEATHSIG: the parent is the thread that calls, so the main one has to */
};

MUST_CHECK int process_start(const struct process_options *o, pid_t *ret, struct err *err);
bool process_is_alive(pid_t pid);
/* True when it ended: *ret_status as waitpid's. Doesn't block. */
bool process_reap(pid_t pid, int *ret_status);
/* "exit code 1", "killed by signal 9 (Killed)" */
void process_describe_status(int status, char *out, size_t n);
/* The path of this program. */
MUST_CHECK int process_own_path(char *out, size_t n, struct err *err);
/* Proportional set size in bytes of one process (/proc/PID/smaps_rollup); 0 when it can't be read. */
uint64_t process_pss(pid_t pid);

#endif
