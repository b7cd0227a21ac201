/* States of task instances and runs, under Airflow's names (airflow.utils.state). */
#ifndef FLOW_STATE_H
#define FLOW_STATE_H

#include "base/str.h"

enum task_state {
    TASK_NONE, /* null: not looked at yet, or cleared */
    TASK_REMOVED,
    TASK_SCHEDULED,
    TASK_QUEUED,
    TASK_RUNNING,
    TASK_SUCCESS,
    TASK_RESTARTING,
    TASK_FAILED,
    TASK_UP_FOR_RETRY,
    TASK_UP_FOR_RESCHEDULE,
    TASK_UPSTREAM_FAILED,
    TASK_SKIPPED,
    TASK_DEFERRED,
    TASK_AWAITING_INPUT,
    TASK_STATE_COUNT,
};

enum run_state { RUN_QUEUED, RUN_RUNNING, RUN_SUCCESS, RUN_FAILED };

/* Null for TASK_NONE. */
struct str task_state_name(enum task_state s);
bool task_state_find(struct str name, enum task_state *ret); /* null is TASK_NONE */
struct str run_state_name(enum run_state s);
bool run_state_find(struct str name, enum run_state *ret);

/* success, failed, skipped, upstream_failed, removed */
bool task_state_is_finished(enum task_state s);
/* What the scheduler may take up: none, up_for_retry, up_for_reschedule. */
bool task_state_is_schedulable(enum task_state s);
/* Counted against max_active_tasks and pools: queued and running; deferred where the pool says so. */
bool task_state_is_executing(enum task_state s);

#endif
