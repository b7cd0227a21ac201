/*
 * The supervisor: one process that starts the services in the order of their needs, each when what it needs answers
 * its health check, restarts one that dies, keeps a log a service, and stops them in reverse order. It knows nothing
 * of what a service does: a program, a port, and a path that answers 200 when it is ready.
 *
 *   supervisor.c   the loop: signals, timers, sockets; one thread
 *   service.c      one service's life: start, health, death, back-off, verdict, stop
 *   probe.c        one health check, without blocking
 *   logfile.c      a log that is bounded
 *   control.c      the socket that `status`, `restart` and `down` talk to
 *   client.c       their side of it
 *   leftover.c     what a supervisor that was killed left behind
 *
 * SIGHUP to a supervisor in the background goes to the services, which then read their files again; to one in the
 * foreground it means that its terminal is gone, and it stops.
 *
 * State is in DATA/run: `lock` (held while it runs: one supervisor a data folder), `control` (a unix socket, 0600) and
 * `processes.json`. Logs are DATA/logs/NAME.log. Children are killed by the kernel when the supervisor dies.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "base/arena.h"
#include "base/json.h"

enum { SUPERVISOR_SERVICES_MAX = 16 };

struct supervisor_service {
    const char *name;
    const char *const *argv;  /* NULL-terminated */
    const char *const *needs; /* names, NULL-terminated; services before this one */
    const char *address;      /* numeric, as it listens */
    int port;
    bool is_tls;
    const char *health_path; /* answers 200 when the service is ready */
    const char *health_text; /* must then be in the body, written without white space; NULL: anything will do */
};

struct supervisor_options {
    const char *data_dir; /* exists */
    const char *digest;   /* of the configuration: what `up` compares */
    const struct supervisor_service *services;
    size_t n;
    int ready_fd; /* "ok\n" is written to it and it is closed when the control socket listens; -1: none */
    bool echo;    /* log lines go to standard error too */
    /* Called once, when all services are healthy or one has failed. May be NULL. */
    void (*on_settled)(void *ctx, bool healthy);
    /* Called every `upkeep_ms`, on the only thread: what has to be renewed in time. May be NULL. */
    void (*upkeep)(void *ctx);
    void *ctx;
    int upkeep_ms;        /* 0: an hour */
    int start_timeout_ms; /* until a new process must be healthy; 0: 60 s */
    int grace_ms;         /* between SIGTERM and SIGKILL; 0: 15 s */
    int probe_ms;         /* between checks of a healthy service; 0: 5 s */
    int probe_timeout_ms; /* for a check's answer; 0: 5 s */
    uint64_t log_max;     /* bytes of a log before it is rotated; 0: 10 MiB. Three old ones are kept. */
};

/* Runs until SIGTERM, SIGINT or a `down` request, then stops the services. ERR_CONFLICT when another supervisor holds
 * the folder. Blocks signals and reaps children: the caller's process is its own. */
MUST_CHECK int supervisor_run(const struct supervisor_options *o, struct err *err);

/* Sends {"do": WHAT, "service": SERVICE} and returns the answer, an object.
 *   status    the state of all, see control.c
 *   wait      as status, when all are healthy or one has failed
 *   restart   one service; as wait, for that one
 *   down      answers when all are stopped
 * ERR_NOT_FOUND when no supervisor runs for the folder, ERR_TIMEOUT. */
MUST_CHECK int supervisor_request(const char *data_dir, const char *what, const char *service, int timeout_ms,
                                  json_t **ret, struct err *err);
/* Waits until no supervisor holds the folder's lock. */
MUST_CHECK int supervisor_wait_gone(const char *data_dir, int timeout_ms, struct err *err);

/* The last lines of a service's log, at most `lines` of them, into `to`. */
MUST_CHECK int supervisor_log_tail(const char *data_dir, const char *service, size_t lines, struct buf *to,
                                   struct err *err);

#endif
