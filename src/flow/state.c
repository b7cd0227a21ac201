#include "flow/state.h"

#include "base/vec.h"

static const char *const task_names[TASK_STATE_COUNT] = {
    [TASK_REMOVED] = "removed",
    [TASK_SCHEDULED] = "scheduled",
    [TASK_QUEUED] = "queued",
    [TASK_RUNNING] = "running",
    [TASK_SUCCESS] = "success",
    [TASK_RESTARTING] = "restarting",
    [TASK_FAILED] = "failed",
    [TASK_UP_FOR_RETRY] = "up_for_retry",
    [TASK_UP_FOR_RESCHEDULE] = "up_for_reschedule",
    [TASK_UPSTREAM_FAILED] = "upstream_failed",
    [TASK_SKIPPED] = "skipped",
    [TASK_DEFERRED] = "deferred",
    [TASK_AWAITING_INPUT] = "awaiting_input",
};

static const char *const run_names[] = {
    [RUN_QUEUED] = "queued", [RUN_RUNNING] = "running", [RUN_SUCCESS] = "success", [RUN_FAILED] = "failed"};

struct str task_state_name(enum task_state s)
{
    return str_from_cstr(task_names[s]);
}

bool task_state_find(struct str name, enum task_state *ret)
{
    for (int i = 0; i < TASK_STATE_COUNT; i++) {
        struct str known = task_state_name((enum task_state)i);
        if (str_is_null(name) ? str_is_null(known) : !str_is_null(known) && str_eq(name, known)) {
            *ret = (enum task_state)i;
            return true;
        }
    }
    return false;
}

struct str run_state_name(enum run_state s)
{
    return str_from_cstr(run_names[s]);
}

bool run_state_find(struct str name, enum run_state *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(run_names); i++)
        if (str_eq_cstr(name, run_names[i])) {
            *ret = (enum run_state)i;
            return true;
        }
    return false;
}

bool task_state_is_finished(enum task_state s)
{
    return s == TASK_SUCCESS || s == TASK_FAILED || s == TASK_SKIPPED || s == TASK_UPSTREAM_FAILED || s == TASK_REMOVED;
}

bool task_state_is_schedulable(enum task_state s)
{
    return s == TASK_NONE || s == TASK_UP_FOR_RETRY || s == TASK_UP_FOR_RESCHEDULE;
}

bool task_state_is_executing(enum task_state s)
{
    return s == TASK_QUEUED || s == TASK_RUNNING || s == TASK_RESTARTING;
}
