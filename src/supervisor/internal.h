#ifndef SUPERVISOR_INTERNAL_H
#define SUPERVISOR_INTERNAL_H

#include "supervisor/supervisor.h"

#include "base/buf.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/types.h>

/* ---- logfile.c ---- */

struct logfile {
    char *path;
    int fd;
    uint64_t size, max;
};
MUST_CHECK int logfile_open(struct logfile *l, const char *path, uint64_t max, struct err *err);
void logfile_close(struct logfile *l);
/* A full disk loses log lines, not the service. */
void logfile_write(struct logfile *l, const char *p, size_t n);

/* ---- probe.c ---- */

enum probe_result { PROBE_PENDING, PROBE_HEALTHY, PROBE_FAILED };

enum { PROBE_ANSWER_MAX = 16 << 10 };

struct gnutls_session_int;

struct probe {
    int fd; /* -1: none under way */
    bool connected, shaken, sent;
    struct gnutls_session_int *tls; /* NULL: plain */
    int64_t deadline;               /* monotonic ms */
    size_t n;
    char answer[PROBE_ANSWER_MAX];
    char why[128]; /* after PROBE_FAILED */
};
enum probe_result probe_start(struct probe *p, const struct supervisor_service *s, int timeout_ms);
short probe_events(const struct probe *p);
/* When its socket is ready or its deadline passed. */
enum probe_result probe_step(struct probe *p, const struct supervisor_service *s);
void probe_cancel(struct probe *p);
void probe_release_all(void); /* what all probes share */

/* ---- service.c ---- */

enum service_state {
    SERVICE_WAITING,  /* for what it needs */
    SERVICE_STARTING, /* runs, not healthy yet */
    SERVICE_HEALTHY,
    SERVICE_UNHEALTHY, /* runs, was healthy, doesn't answer */
    SERVICE_BACKOFF,   /* died, is started again at `wake_at` */
    SERVICE_FAILED,    /* died too often: waits for a restart by hand */
    SERVICE_STOPPING,  /* was told to stop, is killed at `wake_at` */
    SERVICE_STOPPED,
};

enum { SERVICE_DEATHS_MAX = 5 };

struct service {
    const struct supervisor_service *def;
    enum service_state state;
    pid_t pid;  /* 0: no process */
    int output; /* read end of its standard output and error; -1 */
    struct logfile log;
    struct probe probe;
    int64_t wake_at;    /* monotonic ms of the next thing to do, by state; INT64_MAX: none */
    int64_t started_at; /* monotonic ms */
    int64_t deaths[SERVICE_DEATHS_MAX];
    int death_count; /* in `deaths` */
    int restarts, failed_probes;
    bool was_healthy; /* ever: one that never was isn't tried as often */
    bool start_again; /* after SERVICE_STOPPING */
    char reason[256]; /* why it isn't healthy; empty */
};

struct supervisor;

bool service_is_running(const struct service *s);
const char *service_state_name(enum service_state state);
void service_start(struct supervisor *sup, struct service *s);
void service_stop(struct supervisor *sup, struct service *s);
void service_restart(struct supervisor *sup, struct service *s);
/* Its process ended. */
void service_died(struct supervisor *sup, struct service *s, int status);
/* Its probe's socket is ready. */
void service_probed(struct supervisor *sup, struct service *s);
/* `wake_at` has come. */
void service_wake(struct supervisor *sup, struct service *s);
/* Takes what its process wrote to its log. */
void service_read_output(struct supervisor *sup, struct service *s);

/* ---- control.c ---- */

enum { CLIENTS_MAX = 16, REQUEST_MAX = 4096, ANSWER_MAX = 256 << 10 };

enum client_wait { CLIENT_READS, CLIENT_WAITS_SETTLED, CLIENT_WAITS_SERVICE, CLIENT_WAITS_DOWN, CLIENT_WRITES };

struct client {
    int fd; /* -1: free */
    enum client_wait wait;
    struct service *service;
    char request[REQUEST_MAX];
    size_t n;
    struct buf answer;
    size_t written;
};

MUST_CHECK int control_listen(struct supervisor *sup, struct err *err);
void control_accept(struct supervisor *sup);
void control_ready(struct supervisor *sup, struct client *c, short events);
/* Answers those whose wait is over. */
void control_notify(struct supervisor *sup);
/* At the end: answers what waits for `down`, for as long as a socket takes it. */
void control_close(struct supervisor *sup);

/* ---- leftover.c ---- */

/* Ends the processes that a killed supervisor's list names and that still are what it started. */
MUST_CHECK int leftover_end(const char *run_dir, int timeout_ms, struct err *err);
void leftover_note(struct supervisor *sup);

/* ---- supervisor.c ---- */

struct supervisor {
    const struct supervisor_options *options;
    char *run_dir, *logs_dir;
    int run_fd, lock_fd, signal_fd, listen_fd;
    struct service services[SUPERVISOR_SERVICES_MAX];
    size_t n;
    struct client clients[CLIENTS_MAX];
    int64_t started_at;
    int64_t upkeep_at; /* monotonic ms; INT64_MAX: never */
    bool stopping, settled_said, changed;
};

bool supervisor_is_healthy(const struct supervisor *sup); /* all are */
bool supervisor_is_settled(const struct supervisor *sup); /* all are healthy, or one has failed */
bool supervisor_needs_are_met(const struct supervisor *sup, const struct service *s);
/* True when no running service needs this one. */
bool supervisor_is_unneeded(const struct supervisor *sup, const struct service *s);

enum { CONTROL_PATH_SIZE = 64 };
/* A unix socket's path has 107 bytes at most, a data folder's may be longer: named through the open folder. */
void control_path(int run_fd, char out[CONTROL_PATH_SIZE]);

#endif
