/* Each rule is two questions: does the task end without running (`becomes`), and may it run now (`may_run`). */
#include "flow/rules.h"

static const char *const names[RULE_COUNT] = {
    [RULE_ALL_SUCCESS] = "all_success",
    [RULE_ALL_FAILED] = "all_failed",
    [RULE_ALL_DONE] = "all_done",
    [RULE_ALL_DONE_MIN_ONE_SUCCESS] = "all_done_min_one_success",
    [RULE_ALL_DONE_SETUP_SUCCESS] = "all_done_setup_success",
    [RULE_ONE_SUCCESS] = "one_success",
    [RULE_ONE_FAILED] = "one_failed",
    [RULE_ONE_DONE] = "one_done",
    [RULE_NONE_FAILED] = "none_failed",
    [RULE_NONE_SKIPPED] = "none_skipped",
    [RULE_NONE_FAILED_MIN_ONE_SUCCESS] = "none_failed_min_one_success",
    [RULE_ALL_SKIPPED] = "all_skipped",
    [RULE_ALWAYS] = "always",
};

struct str trigger_rule_name(enum trigger_rule r)
{
    return str_from_cstr(names[r]);
}

bool trigger_rule_find(struct str name, enum trigger_rule *ret)
{
    for (int i = 0; i < RULE_COUNT; i++)
        if (str_eq_cstr(name, names[i])) {
            *ret = (enum trigger_rule)i;
            return true;
        }
    return false;
}

void upstream_count(struct upstream_counts *c, enum task_state state, bool is_setup)
{
    c->total++;
    c->setups += is_setup;
    if (!task_state_is_finished(state))
        return;
    c->done++;
    c->success += state == TASK_SUCCESS;
    c->skipped += state == TASK_SKIPPED;
    c->failed += state == TASK_FAILED;
    c->upstream_failed += state == TASK_UPSTREAM_FAILED;
    c->removed += state == TASK_REMOVED;
    c->success_setups += is_setup && state == TASK_SUCCESS;
    c->skipped_setups += is_setup && state == TASK_SKIPPED;
}

/* A mapped upstream that shrank takes the instances with it that had its last indexes. */
static enum task_state removed_with_upstream(const struct upstream_counts *c, int map_index)
{
    return c->removed && c->success && map_index > -1 && map_index >= c->success ? TASK_REMOVED : TASK_NONE;
}

static enum task_state outcome(enum trigger_rule r, const struct upstream_counts *c, int map_index)
{
    bool all_done = c->done >= c->total, broken = c->failed || c->upstream_failed;

    switch (r) {
    case RULE_ALL_SUCCESS:
        return broken ? TASK_UPSTREAM_FAILED : c->skipped ? TASK_SKIPPED : removed_with_upstream(c, map_index);
    case RULE_ALL_FAILED:
        return c->success || c->skipped ? TASK_SKIPPED : TASK_NONE;
    case RULE_ONE_SUCCESS:
        if (!all_done)
            return TASK_NONE;
        return c->done == c->skipped ? TASK_SKIPPED : c->success == 0 ? TASK_UPSTREAM_FAILED : TASK_NONE;
    case RULE_ONE_FAILED:
        return all_done && !broken ? TASK_SKIPPED : TASK_NONE;
    case RULE_ONE_DONE:
        return all_done && !c->failed && !c->success ? TASK_SKIPPED : TASK_NONE;
    case RULE_NONE_FAILED:
        return broken ? TASK_UPSTREAM_FAILED : TASK_NONE;
    case RULE_NONE_FAILED_MIN_ONE_SUCCESS:
        if (broken)
            return TASK_UPSTREAM_FAILED;
        return c->skipped == c->total ? TASK_SKIPPED : all_done && c->success == 0 ? TASK_UPSTREAM_FAILED : TASK_NONE;
    case RULE_NONE_SKIPPED:
        return c->skipped ? TASK_SKIPPED : TASK_NONE;
    case RULE_ALL_SKIPPED:
        return c->success || broken ? TASK_SKIPPED : TASK_NONE;
    case RULE_ALL_DONE_MIN_ONE_SUCCESS:
        if (c->skipped)
            return TASK_SKIPPED;
        return all_done && c->success == 0 ? TASK_UPSTREAM_FAILED : TASK_NONE;
    case RULE_ALL_DONE_SETUP_SUCCESS:
        if (!all_done || c->setups == 0)
            return TASK_NONE;
        return c->skipped_setups >= c->setups ? TASK_SKIPPED
               : c->success_setups == 0       ? TASK_UPSTREAM_FAILED
                                              : TASK_NONE;
    default:
        return TASK_NONE;
    }
}

static bool may_run(enum trigger_rule r, const struct upstream_counts *c)
{
    bool all_done = c->done >= c->total;

    switch (r) {
    case RULE_ALL_SUCCESS:
        return c->total - c->success - c->removed <= 0;
    case RULE_ALL_FAILED:
        return c->total - c->failed - c->upstream_failed - c->removed <= 0;
    case RULE_ALL_DONE:
        return all_done;
    case RULE_ALL_DONE_MIN_ONE_SUCCESS:
        return c->skipped == 0 && c->success + c->failed + c->upstream_failed >= c->total - c->removed &&
               c->success > 0;
    case RULE_ALL_DONE_SETUP_SUCCESS:
        return all_done && (c->setups == 0 || c->success_setups > 0);
    case RULE_ONE_SUCCESS:
        return c->success > 0;
    case RULE_ONE_FAILED:
        return c->failed > 0 || c->upstream_failed > 0;
    case RULE_ONE_DONE:
        return c->success + c->failed > 0;
    case RULE_NONE_FAILED:
        return c->total - c->success - c->skipped - c->removed <= 0;
    case RULE_NONE_FAILED_MIN_ONE_SUCCESS:
        return c->total - c->success - c->skipped - c->removed <= 0 && c->success > 0;
    case RULE_NONE_SKIPPED:
        return all_done && c->skipped == 0;
    case RULE_ALL_SKIPPED:
        return c->total - c->skipped <= 0;
    default:
        return true;
    }
}

struct rule_verdict trigger_rule_evaluate(enum trigger_rule r, const struct upstream_counts *c, int map_index)
{
    struct rule_verdict v = {true, TASK_NONE};

    if (r == RULE_ALWAYS)
        return v;
    v.becomes = outcome(r, c, map_index);
    v.may_run = v.becomes == TASK_NONE && may_run(r, c);
    return v;
}

struct rule_verdict setup_rule_evaluate(const struct upstream_counts *c, int map_index)
{
    struct rule_verdict v = {false, TASK_NONE};
    int missing = c->total - c->success - (map_index > -1 ? c->removed : 0);

    if (c->failed || c->upstream_failed)
        v.becomes = TASK_UPSTREAM_FAILED;
    else if (c->skipped)
        v.becomes = TASK_SKIPPED;
    else
        v.becomes = removed_with_upstream(c, map_index);
    v.may_run = v.becomes == TASK_NONE && missing <= 0;
    return v;
}
