/*
 * The launcher: a Python process that has imported the Task SDK and forks for each task (python/launcher.py). It is
 * started again when it dies; what it ran is then said to have ended.
 */
#ifndef FLOW_EXECUTOR_H
#define FLOW_EXECUTOR_H

#include "base/buf.h"

struct executor;

struct executor_options {
    const char *python, *script, *home; /* home: AIRFLOW_HOME */
    const char *dags, *logs;            /* folders of DAG files and of task logs */
    void *ctx;
    /* A process has ended, by the name it was started under; code, or signal when it was killed. From our thread. */
    void (*ended)(void *ctx, const char *id, int code, int signal);
};

/* Starts the launcher; it is ready about two seconds later, and keeps what it is told until then. */
MUST_CHECK int executor_new(const struct executor_options *o, struct executor **ret, struct err *err);
/* Kills what runs. `ended` isn't called any more. */
void executor_free(struct executor *e);
/* A process of the name `id` (its message's "run"), which no other has. `message`: the line for the launcher, which holds
 * the token; wiped by the caller. */
MUST_CHECK int executor_run(struct executor *e, const char *id, struct str message, struct err *err);
void executor_kill(struct executor *e, const char *id);

#endif
