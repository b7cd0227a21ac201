/*
 * Trigger rules: whether a task may run, given how those upstream of it ended. The rules and the order in which they are
 * looked at are those of Airflow 3.3's TriggerRuleDep.
 */
#ifndef FLOW_RULES_H
#define FLOW_RULES_H

#include "flow/state.h"

enum trigger_rule {
    RULE_ALL_SUCCESS,
    RULE_ALL_FAILED,
    RULE_ALL_DONE,
    RULE_ALL_DONE_MIN_ONE_SUCCESS,
    RULE_ALL_DONE_SETUP_SUCCESS,
    RULE_ONE_SUCCESS,
    RULE_ONE_FAILED,
    RULE_ONE_DONE,
    RULE_NONE_FAILED,
    RULE_NONE_SKIPPED,
    RULE_NONE_FAILED_MIN_ONE_SUCCESS,
    RULE_ALL_SKIPPED,
    RULE_ALWAYS,
    RULE_COUNT,
};

struct str trigger_rule_name(enum trigger_rule r);
bool trigger_rule_find(struct str name, enum trigger_rule *ret);

/* Task instances upstream of one, by how they ended. */
struct upstream_counts {
    int total, setups; /* all of them, and those that are setups */
    int success, skipped, failed, upstream_failed, removed, done;
    int success_setups, skipped_setups;
};
void upstream_count(struct upstream_counts *c, enum task_state state, bool is_setup);

struct rule_verdict {
    bool may_run;
    enum task_state becomes; /* TASK_NONE: it stays; else skipped, upstream_failed or removed */
};
/* `map_index` -1: not mapped, or not expanded yet. */
struct rule_verdict trigger_rule_evaluate(enum trigger_rule r, const struct upstream_counts *c, int map_index);
/* For the setups that a task needs without being directly behind them: they have to succeed. */
struct rule_verdict setup_rule_evaluate(const struct upstream_counts *c, int map_index);

#endif
