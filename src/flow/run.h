/*
 * One DAG run in memory, and the decision what happens next in it: which task instances end without running, which are
 * expanded, which may be scheduled, whether the run has ended. No clock, no database and no process in it: what the
 * decision needs from elsewhere it asks for through struct run_source, and what it decides its caller stores.
 *
 * The rules are those of Airflow 3.3's DagRun.update_state and of the dependencies that TaskInstance.are_dependencies_met
 * checks: not previously skipped, mapped upstream, previous run, trigger rule (with setups and teardown scope), retry and
 * reschedule periods, the task's dates. Where two of them end a task in different states, Airflow's result depends on the
 * order of a Python set; here the trigger rule has the last word.
 */
#ifndef FLOW_RUN_H
#define FLOW_RUN_H

#include "base/vec.h"
#include "flow/dag.h"

struct task_instance {
    int task, map_index;         /* index of the DAG's tasks; -1: not mapped, or not expanded yet */
    enum task_state state, next; /* next: within run_decide, what the pass makes of it; else TASK_NONE */
    int try_number, max_tries;
    int64_t ready_us; /* up_for_retry, up_for_reschedule: not before */
    int64_t end_us;
    bool is_new, is_changed; /* for the caller to store; it clears them */
    void *row;               /* the caller's */
};

struct run_task {
    VEC(struct task_instance *) instances; /* by map index */
    int counts[TASK_STATE_COUNT];          /* of instances, by state */
    int finished;
};

enum { LENGTH_UNKNOWN = -1 };

/* What a run doesn't know of itself. */
struct run_source {
    void *ctx;
    /* How many values a task's result has: the length that it announced, or for one that is mapped, the number of results
     * there are. LENGTH_UNKNOWN: none announced. */
    int (*result_length)(void *ctx, const struct dag_task *t, bool is_mapped);
    /* What a task that skips others left under the key skipmixin_key: whether `t` is among those to be skipped. */
    bool (*was_skipped_by)(void *ctx, const struct dag_task *skipper, int map_index, const struct dag_task *t);
    /* depends_on_past, wait_for_downstream: whether the run before allows the task to start. */
    bool (*past_allows)(void *ctx, const struct dag_task *t);
};

struct run {
    struct dag *dag; /* a reference */
    struct arena arena;
    enum run_state state;
    int64_t logical_us; /* INT64_MIN: it has none */
    struct run_task *tasks;
    size_t unfinished;
};

/* With an instance for each task, in TASK_NONE. */
void run_init(struct run *r, struct dag *dag);
void run_release(struct run *r);
/* For loading a stored run: `run_init_empty`, then an instance at a time. Tasks that have none get one by run_fill. */
void run_init_empty(struct run *r, struct dag *dag);
struct task_instance *run_add(struct run *r, int task, int map_index, enum task_state state);
void run_fill(struct run *r);
struct task_instance *run_find(const struct run *r, int task, int map_index); /* NULL: none */
/* The only way to change a state: counts follow. */
void run_set_state(struct run *r, struct task_instance *ti, enum task_state state);

struct run_decision {
    VEC(struct task_instance *) ready; /* to be scheduled, or to be set to success at once when dag_task.is_empty */
    bool is_changed;                   /* states were changed or instances made */
    enum run_state state;              /* the run's: running, success or failed */
    bool is_deadlocked;                /* failed because nothing can run any more */
};
/* Looks at the run until nothing changes any more. The caller releases ret->ready. */
void run_decide(struct run *r, const struct run_source *source, int64_t now_us, struct run_decision *ret);

/* How many instances a task is expanded to; LENGTH_UNKNOWN: not known yet; 0 … n. -2: it isn't mapped, nor in a mapped
 * group. */
enum { NOT_MAPPED = -2 };
int run_expanded_count(const struct run *r, const struct run_source *source, int task);

#endif
