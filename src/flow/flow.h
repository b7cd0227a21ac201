/*
 * The flow service's core: DAGs as they were parsed last, active runs in memory, and the scheduler that takes them on. It is
 * driven by events: a task that ends starts its successors in the same moment; one thread waits for what time brings
 * (schedules, retries, heartbeats that stay away).
 *
 *   scheduler.c   runs: made, started, advanced, ended; the thread
 *   dispatch.c    which scheduled task is given to a process next: priorities, pools, limits
 *   executor.c    the launcher process (python/launcher.py): tasks started, ended, killed
 *   parsing.c     the parser process (python/parser.py) and the folder of DAG files
 *   execution.c   the Task Execution API that task processes talk to
 *
 * One lock guards all that is in memory; each change is in the database before it is seen.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include "flow/store.h"

struct flow;

struct flow_options {
    struct db *db;
    const char *python;     /* of an environment with Airflow's packages */
    const char *scripts;    /* the folder of launcher.py and parser.py */
    const char *home;       /* AIRFLOW_HOME: a folder of ours */
    const char *dags;       /* the folder of DAG files, kept by the caller */
    const char *logs;       /* task logs: Airflow's layout below it */
    const char *server_url; /* of the Task Execution API: "http://127.0.0.1:8090/execution/" */
    struct str token_key;   /* what tokens of tasks are made with; at least 32 bytes */
    int parallelism;        /* processes at a time */
    /* Called when a try has ended and its log is complete; from the scheduler's threads, must not block. May be NULL. */
    void *ctx;
    void (*log_ended)(void *ctx, struct str path_below_logs);
};

MUST_CHECK int flow_open(const struct flow_options *o, struct flow **ret, struct err *err);
void flow_close(struct flow *f);

/* ---- DAG files ---- */

/* Parses what has changed in the folder of DAG files since the last call, forgets what is gone. Blocks; one at a time. */
MUST_CHECK int flow_parse_files(struct flow *f, struct err *err);

/* ---- runs ---- */

struct flow_trigger {
    struct str dag_id, run_id, conf, user; /* run_id null: one is made; conf: JSON, null: {} */
    int64_t logical_us, run_after_us;      /* NO_TIME: none; now */
};
/* ERR_NOT_FOUND: no such DAG; ERR_EXISTS: the run is there; ERR_INVALID. The row's texts live in the arena. */
MUST_CHECK int flow_trigger(struct flow *f, struct arena *a, const struct flow_trigger *t, struct run_row *ret,
                            struct err *err);
MUST_CHECK int flow_set_paused(struct flow *f, struct str dag_id, bool paused, struct err *err);

/* Below the folder of logs, by Airflow's log_filename_template. */
struct str flow_log_path(struct arena *a, const struct run_row *run, const struct instance_row *row);

/* ---- what task processes say; ids are those of a try ---- */

/* "ID.MAC", for one try only. False: malformed or not ours. */
bool flow_token_check(struct flow *f, struct str token, char ret_id[UUID_TEXT_SIZE]);

struct flow_instance { /* a copy, in the arena given */
    struct run_row run;
    struct instance_row row;
    struct dag_row dag;
    int retries, reschedules;
};
/* ERR_NOT_FOUND: no active run has such an instance. */
MUST_CHECK int flow_find_instance(struct flow *f, struct arena *a, struct str id, struct flow_instance *ret,
                                  struct err *err);
/* ERR_CONFLICT when it isn't queued; the message is the state that it is in, or "None". */
MUST_CHECK int flow_instance_run(struct flow *f, struct arena *a, struct str id, struct str hostname,
                                 struct str unixname, int64_t pid, int64_t start_us, struct flow_instance *ret,
                                 struct err *err);
/* ERR_CONFLICT when it isn't running, or another process runs it. */
MUST_CHECK int flow_instance_heartbeat(struct flow *f, struct str id, struct str hostname, int64_t pid,
                                       struct err *err);
struct flow_end {
    enum task_state state; /* success, failed, skipped, removed, up_for_retry, up_for_reschedule */
    int64_t end_us, reschedule_us;
    struct str rendered_map_index;
};
MUST_CHECK int flow_instance_end(struct flow *f, struct str id, const struct flow_end *end, struct err *err);
/* Tasks of the run to be skipped: task ids with map indexes; those that have begun are left alone. */
MUST_CHECK int flow_skip_downstream(struct flow *f, struct str id, const struct str *tasks, const int *map_indexes,
                                    size_t n, struct err *err);
MUST_CHECK int flow_set_rendered(struct flow *f, struct str id, struct str fields, struct err *err);
/* A result changes what is mapped over it: to be told after the store has it. */
void flow_result_changed(struct flow *f);

#endif
