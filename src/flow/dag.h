/*
 * A DAG as the parser serialized it (Airflow 3.3's DagSerialization, version 3), with what the scheduler reads of it
 * beside the document: tasks and their order, groups, what is mapped over what. Immutable and reference-counted: a run
 * keeps the version that it started with.
 */
#ifndef FLOW_DAG_H
#define FLOW_DAG_H

#include "base/json.h"
#include "base/map.h"
#include "flow/rules.h"
#include "flow/timetable.h"

enum weight_rule { WEIGHT_DOWNSTREAM, WEIGHT_UPSTREAM, WEIGHT_ABSOLUTE };

/* How many instances a mapped task has: a literal's length, that of a task's result, or a combination of others. */
enum expand_kind { EXPAND_LITERAL, EXPAND_TASK, EXPAND_ZIP, EXPAND_ZIP_LONGEST, EXPAND_CONCAT, EXPAND_PRODUCT };
struct expand {
    enum expand_kind kind;
    int length; /* EXPAND_LITERAL */
    int task;   /* EXPAND_TASK: whose result under the key return_value; EXPAND_OTHER_KEY is refused at parsing */
    struct expand *parts; /* ZIP, CONCAT; PRODUCT: the keyword arguments, whose lengths are multiplied */
    size_t part_count;
};

struct dag_group {
    struct str id;         /* null: the root */
    int parent;            /* -1: the root's */
    struct expand *expand; /* NULL: not mapped */
    int *expand_tasks;     /* whose results it is mapped over */
    size_t expand_task_count;
};

struct dag_task {
    struct str id, type; /* "BashOperator" */
    int group;           /* index of groups */
    int mapped_group;    /* the closest mapped group that it is in; -1: none */
    int *upstream, *downstream;
    size_t upstream_count, downstream_count;
    int *setups; /* that it needs without being directly behind them (get_upstreams_only_setups) */
    size_t setup_count;
    struct expand *expand; /* NULL: not mapped itself */
    int *expand_tasks;
    size_t expand_task_count;

    enum trigger_rule rule;
    bool is_setup, is_teardown, on_failure_fail_dagrun;
    bool is_empty;   /* an EmptyOperator that needs no process: no callbacks, no inlets, no outlets */
    bool is_skipper; /* may skip what is behind it: branches, short circuits */
    bool depends_on_past, ignore_first_depends_on_past, wait_for_past_before_skipping, wait_for_downstream;
    bool has_start_date, has_end_date;
    int64_t start_us, end_us;
    int retries;
    int64_t retry_delay_us, max_retry_delay_us, execution_timeout_us; /* 0: none */
    double retry_backoff;                                             /* the multiplier; 0: none */
    struct str pool, queue, owner;
    int pool_slots;
    int priority_weight, total_weight;          /* the second by the weight rule */
    int max_active_per_dag, max_active_per_run; /* 0: no limit */
    const json_t *rep;                          /* the operator's "__var" */
};

struct dag {
    int refs; /* atomic */
    struct arena arena;
    json_t *json;      /* the whole document */
    const json_t *rep; /* its "dag" */
    struct str id, relative_fileloc, fileloc;
    struct timetable *timetable; /* NULL: one that Python has to be asked about */
    bool has_start_date, has_end_date, catchup, fail_fast, has_on_failure_callback, has_on_success_callback;
    bool paused_upon_creation, says_paused; /* the first means something when the second is set */
    int64_t start_us, end_us, timeout_us;   /* timeout 0: none */
    int max_active_runs, max_active_tasks, max_consecutive_failures;
    struct dag_task *tasks;
    size_t task_count;
    struct dag_group *groups; /* [0] is the root */
    size_t group_count;
    int *leaves; /* tasks whose states decide the run's (DagRun._tis_for_dagrun_state) */
    size_t leaf_count;
    struct map by_id; /* task id to struct dag_task */
};

/* Takes the document over, also on failure. ERR_INVALID names what is wrong; ERR_UNSUPPORTED what isn't known. */
MUST_CHECK int dag_parse(json_t *document, struct dag **ret, struct err *err);
struct dag *dag_ref(struct dag *d);
void dag_unref(struct dag *d);
const struct dag_task *dag_task(const struct dag *d, struct str id); /* NULL: none */
static inline int dag_task_index(const struct dag *d, const struct dag_task *t)
{
    return (int)(t - d->tasks);
}
/* Whether b is behind a, over any number of tasks. */
bool dag_is_behind(const struct dag *d, int a, int b);

#endif
