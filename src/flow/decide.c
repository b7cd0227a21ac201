/*
 * What happens next in a run. A pass looks at each instance that the scheduler may take up, and sees the others as they
 * were at its start, as Airflow's does; passes follow until one changes nothing, so that a skip or a failure runs through
 * the whole graph at once.
 */
#include "flow/run.h"

#include <stdlib.h>

struct decider {
    struct run *run;
    const struct dag *dag;
    const struct run_source *source;
    int64_t now_us;
    bool ignore_periods; /* whether something could run once its retry or reschedule period is over */
    bool is_changed;
    VEC(struct task_instance *) endings; /* what this pass ends, for its end */
};

/* ---- how many instances ---- */

static int result_length(const struct decider *d, int task)
{
    const struct dag_task *t = &d->dag->tasks[task];
    const struct run_task *of = &d->run->tasks[task];
    bool is_mapped = t->expand != NULL;

    if (is_mapped && (of->instances.n == 0 || (size_t)of->finished < of->instances.n))
        return LENGTH_UNKNOWN;
    return d->source->result_length(d->source->ctx, t, is_mapped);
}

static int expand_length(const struct decider *d, const struct expand *e)
{
    int64_t total = e->kind == EXPAND_PRODUCT ? 1 : e->kind == EXPAND_ZIP ? INT32_MAX : 0;

    if (e->kind == EXPAND_LITERAL)
        return e->length;
    if (e->kind == EXPAND_TASK)
        return result_length(d, e->task);
    if (e->part_count == 0)
        return 0;
    for (size_t i = 0; i < e->part_count; i++) {
        int n = expand_length(d, &e->parts[i]);
        if (n == LENGTH_UNKNOWN)
            return LENGTH_UNKNOWN;
        if (e->kind == EXPAND_PRODUCT)
            total *= n;
        else if (e->kind == EXPAND_CONCAT)
            total += n;
        else if (e->kind == EXPAND_ZIP ? n < total : n > total)
            total = n;
        if (total > INT32_MAX)
            return INT32_MAX;
    }
    return (int)total;
}

/* Of a mapped group, with the mapped groups around it. */
static int group_length(const struct decider *d, int group)
{
    int64_t total = 1;

    for (int g = group; g >= 0; g = d->dag->groups[g].parent) {
        if (!d->dag->groups[g].expand)
            continue;
        int n = expand_length(d, d->dag->groups[g].expand);
        if (n == LENGTH_UNKNOWN)
            return LENGTH_UNKNOWN;
        total = total * n > INT32_MAX ? INT32_MAX : total * n;
    }
    return (int)total;
}

static int expanded_count(const struct decider *d, int task)
{
    const struct dag_task *t = &d->dag->tasks[task];

    if (!t->expand && t->mapped_group < 0)
        return NOT_MAPPED;
    int own = t->expand ? expand_length(d, t->expand) : 1;
    int group = t->mapped_group < 0 ? 1 : group_length(d, t->mapped_group);
    if (own == LENGTH_UNKNOWN || group == LENGTH_UNKNOWN)
        return LENGTH_UNKNOWN;
    int64_t total = (int64_t)own * group;
    return total > INT32_MAX ? INT32_MAX : (int)total;
}

int run_expanded_count(const struct run *r, const struct run_source *source, int task)
{
    const struct decider d = {.run = (struct run *)r, .dag = r->dag, .source = source};

    return expanded_count(&d, task);
}

/* ---- which instances upstream matter ---- */

/* The map indexes of an upstream that an instance depends on: all of them, or [from, to) and the one that isn't expanded. */
struct span {
    bool is_all;
    int from, to;
};
static const struct span everything = {.is_all = true};

static bool group_contains(const struct dag *d, int outer, int inner)
{
    while (inner >= 0 && inner != outer)
        inner = d->groups[inner].parent;
    return inner == outer;
}

/* The innermost mapped group that both are in; -1: none. */
static int common_mapped_group(const struct dag *d, const struct dag_task *x, const struct dag_task *y)
{
    for (int g = y->mapped_group; g >= 0; g = d->groups[g].parent)
        if (d->groups[g].expand && group_contains(d, g, x->group))
            return g;
    return -1;
}

static bool is_further_mapped(const struct dag *d, const struct dag_task *t, int container)
{
    if (t->expand)
        return true;
    for (int g = t->group; g >= 0 && g != container; g = d->groups[g].parent)
        if (d->groups[g].expand)
            return true;
    return false;
}

/* TaskInstance.get_relevant_upstream_map_indexes, for a task that is in a mapped group. */
static struct span relevant_span(const struct decider *d, const struct task_instance *ti, int upstream)
{
    const struct dag_task *t = &d->dag->tasks[ti->task], *u = &d->dag->tasks[upstream];
    int count = expanded_count(d, ti->task);

    if (count <= 0)
        return everything;
    int ancestor = common_mapped_group(d->dag, t, u);
    int groups = ancestor < 0 ? 0 : group_length(d, ancestor);
    if (groups <= 0)
        return everything;
    if (ti->map_index < 0) /* not expanded yet itself: Airflow's arithmetic meets no index then */
        return (struct span){.from = 0, .to = 0};
    int index = (int)((int64_t)ti->map_index * groups / count);
    if (!is_further_mapped(d->dag, u, ancestor))
        return (struct span){.from = index, .to = index + 1};
    int further = count / groups;
    return (struct span){.from = index * further, .to = index * further + further};
}

static bool is_in(const int *items, size_t n, int value)
{
    for (size_t i = 0; i < n; i++)
        if (items[i] == value)
            return true;
    return false;
}

/* Whether the instances of `upstream` decide over how many instances the task, or a group it is in, has. */
static bool decides_expansion(const struct dag *d, const struct dag_task *t, int upstream)
{
    if (is_in(t->expand_tasks, t->expand_task_count, upstream))
        return true;
    for (int g = t->mapped_group; g >= 0; g = d->groups[g].parent)
        if (is_in(d->groups[g].expand_tasks, d->groups[g].expand_task_count, upstream))
            return true;
    return false;
}

/* A rule that some of many satisfy must not be satisfied before the group is expanded: what decides the expansion counts
 * fully, the others by what they have finished. */
static bool is_fast(enum trigger_rule r)
{
    return r == RULE_ONE_SUCCESS || r == RULE_ONE_FAILED || r == RULE_ONE_DONE || r == RULE_NONE_FAILED_MIN_ONE_SUCCESS;
}

static struct span span_of(const struct decider *d, const struct task_instance *ti, int upstream)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];

    if (t->mapped_group < 0)
        return everything;
    if (ti->map_index < 0 && is_fast(t->rule) && !decides_expansion(d->dag, t, upstream))
        return everything;
    return relevant_span(d, ti, upstream);
}

/* Adds an upstream's instances within the span, and its one that isn't expanded. */
static void count_upstream(const struct decider *d, const struct task_instance *ti, int upstream,
                           struct upstream_counts *c)
{
    const struct run_task *u = &d->run->tasks[upstream];
    bool is_setup = d->dag->tasks[upstream].is_setup;
    struct span s = span_of(d, ti, upstream);

    if (s.is_all) {
        int total = (int)u->instances.n;
        c->total += total;
        c->done += u->finished;
        c->success += u->counts[TASK_SUCCESS];
        c->skipped += u->counts[TASK_SKIPPED];
        c->failed += u->counts[TASK_FAILED];
        c->upstream_failed += u->counts[TASK_UPSTREAM_FAILED];
        c->removed += u->counts[TASK_REMOVED];
        c->setups += is_setup ? total : 0;
        c->success_setups += is_setup ? u->counts[TASK_SUCCESS] : 0;
        c->skipped_setups += is_setup ? u->counts[TASK_SKIPPED] : 0;
        return;
    }
    for (size_t i = 0; i < u->instances.n; i++) {
        const struct task_instance *other = u->instances.items[i];
        if (other->map_index < 0 || (other->map_index >= s.from && other->map_index < s.to))
            upstream_count(c, other->state, is_setup);
    }
}

/* ---- dependencies ---- */

static void become(struct decider *d, struct task_instance *ti, enum task_state state)
{
    if (ti->next == TASK_NONE)
        vec_push(&d->endings, ti);
    ti->next = state;
}

static void apply_endings(struct decider *d)
{
    for (size_t i = 0; i < d->endings.n; i++) {
        struct task_instance *ti = d->endings.items[i];
        if (ti->state != ti->next) {
            run_set_state(d->run, ti, ti->next);
            ti->end_us = d->now_us;
            d->is_changed = true;
        }
        ti->next = TASK_NONE;
    }
    d->endings.n = 0;
}

/* A skip waits for the past when the task asks for that. */
static void end_without_running(struct decider *d, struct task_instance *ti, enum task_state state, bool past_allows)
{
    if (state != TASK_SKIPPED || !d->dag->tasks[ti->task].wait_for_past_before_skipping || past_allows)
        become(d, ti, state);
}

/* A branch or short circuit upstream has decided against this one. */
static bool was_skipped(struct decider *d, const struct task_instance *ti)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];

    for (size_t i = 0; i < t->upstream_count; i++) {
        const struct dag_task *u = &d->dag->tasks[t->upstream[i]];
        if (!u->is_skipper || d->run->tasks[t->upstream[i]].finished == 0)
            continue;
        if (d->source->was_skipped_by(d->source->ctx, u, u->expand || u->mapped_group >= 0 ? ti->map_index : -1, t))
            return true;
    }
    return false;
}

/* What the task is mapped over has failed or was skipped before it had instances, also within this pass. */
static enum task_state mapped_upstream(const struct decider *d, const struct task_instance *ti)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];
    const int *over = t->expand ? t->expand_tasks : NULL;
    size_t n = t->expand ? t->expand_task_count : 0;
    enum task_state worst = TASK_NONE;

    if (!t->expand && t->mapped_group >= 0) {
        over = d->dag->groups[t->mapped_group].expand_tasks;
        n = d->dag->groups[t->mapped_group].expand_task_count;
    }
    for (size_t i = 0; i < n; i++) {
        const struct task_instance *one = run_find(d->run, over[i], -1);
        enum task_state state = !one ? TASK_NONE : one->next != TASK_NONE ? one->next : one->state;
        if (state == TASK_FAILED || state == TASK_UPSTREAM_FAILED)
            return TASK_UPSTREAM_FAILED;
        if (state == TASK_SKIPPED)
            worst = TASK_SKIPPED;
    }
    return worst;
}

static bool teardown_scope_is_done(const struct decider *d, const struct task_instance *ti)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];
    struct upstream_counts c = {0};

    for (size_t i = 0; i < d->dag->task_count; i++) {
        bool in_scope = false;
        if ((int)i == ti->task || is_in(t->upstream, t->upstream_count, (int)i) ||
            !dag_is_behind(d->dag, (int)i, ti->task))
            continue;
        for (size_t k = 0; k < t->upstream_count && !in_scope; k++)
            in_scope = d->dag->tasks[t->upstream[k]].is_setup && dag_is_behind(d->dag, t->upstream[k], (int)i);
        if (in_scope)
            count_upstream(d, ti, (int)i, &c);
    }
    return c.done >= c.total;
}

static bool rules_allow(struct decider *d, struct task_instance *ti, bool past_allows)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];
    struct upstream_counts setups = {0}, direct = {0};
    bool setups_allow = true;

    if (t->upstream_count == 0 || t->rule == RULE_ALWAYS)
        return true;
    if (!t->is_teardown && t->setup_count) {
        for (size_t i = 0; i < t->setup_count; i++)
            count_upstream(d, ti, t->setups[i], &setups);
        struct rule_verdict v = setup_rule_evaluate(&setups, ti->map_index);
        if (v.becomes != TASK_NONE) {
            end_without_running(d, ti, v.becomes, past_allows);
            return false;
        }
        setups_allow = v.may_run; /* the rule may still end the task */
    }
    for (size_t i = 0; i < t->upstream_count; i++)
        count_upstream(d, ti, t->upstream[i], &direct);
    struct rule_verdict v = trigger_rule_evaluate(t->rule, &direct, ti->map_index);
    if (v.becomes != TASK_NONE) {
        end_without_running(d, ti, v.becomes, past_allows);
        return false;
    }
    return setups_allow && v.may_run && (!t->is_teardown || teardown_scope_is_done(d, ti));
}

static bool dates_allow(const struct decider *d, const struct dag_task *t)
{
    int64_t at = d->run->logical_us;

    return at == INT64_MIN || ((!t->has_start_date || at >= t->start_us) && (!t->has_end_date || at <= t->end_us));
}

static bool period_is_over(const struct decider *d, const struct task_instance *ti)
{
    return d->ignore_periods || (ti->state != TASK_UP_FOR_RETRY && ti->state != TASK_UP_FOR_RESCHEDULE) ||
           ti->ready_us <= d->now_us;
}

static bool may_run(struct decider *d, struct task_instance *ti)
{
    const struct dag_task *t = &d->dag->tasks[ti->task];
    bool past_allows = !t->depends_on_past || d->source->past_allows(d->source->ctx, t);

    bool allowed = true;

    /* Each has its say, and of those that end the task the last one counts. */
    if (was_skipped(d, ti)) {
        end_without_running(d, ti, TASK_SKIPPED, past_allows);
        allowed = false;
    }
    enum task_state mapped = mapped_upstream(d, ti);
    if (mapped != TASK_NONE) {
        become(d, ti, mapped);
        allowed = false;
    }
    return rules_allow(d, ti, past_allows) && allowed && past_allows && dates_allow(d, t) && period_is_over(d, ti);
}

/* ---- expansion ---- */

/* TaskMap.expand_mapped_task: the one instance becomes the first, the others are made; of none it is skipped. */
static void expand(struct decider *d, struct task_instance *ti, int count)
{
    struct run_task *t = &d->run->tasks[ti->task];

    if (count < 1) { /* LENGTH_UNKNOWN too: what it is mapped over gave nothing to map */
        become(d, ti, count == LENGTH_UNKNOWN ? TASK_UPSTREAM_FAILED : TASK_SKIPPED);
        return;
    }
    int next = t->instances.items[t->instances.n - 1]->map_index + 1;
    if (!run_find(d->run, ti->task, 0)) {
        ti->map_index = 0;
        ti->is_changed = true;
        next = next < 1 ? 1 : next;
    } else {
        become(d, ti, TASK_REMOVED);
    }
    for (int i = next; i < count; i++) {
        struct task_instance *other = run_add(d->run, ti->task, i, TASK_NONE);
        other->is_new = true;
        other->max_tries = ti->max_tries;
    }
    d->is_changed = true;
}

/* An upstream that was cleared and ran again may have another length now. */
static void revise(struct decider *d, int task)
{
    struct run_task *t = &d->run->tasks[task];
    int count = expanded_count(d, task);

    if (count < 0)
        return;
    for (size_t i = 0; i < t->instances.n; i++)
        if (t->instances.items[i]->map_index >= count && t->instances.items[i]->state != TASK_REMOVED)
            become(d, t->instances.items[i], TASK_REMOVED);
    for (int i = t->instances.n ? t->instances.items[t->instances.n - 1]->map_index + 1 : 0; i < count; i++) {
        run_add(d->run, task, i, TASK_NONE)->is_new = true;
        d->is_changed = true;
    }
}

/* ---- passes ---- */

static void look_at(struct decider *d, int task, struct run_decision *ret)
{
    struct run_task *t = &d->run->tasks[task];
    bool is_revised = false;

    for (size_t i = 0; i < t->instances.n; i++) {
        struct task_instance *ti = t->instances.items[i];
        if (!task_state_is_schedulable(ti->state) || !may_run(d, ti))
            continue;
        int count = ti->map_index < 0 ? expanded_count(d, task) : NOT_MAPPED;
        if (count != NOT_MAPPED) {
            expand(d, ti, count); /* the next pass looks at its instances */
            return;
        }
        if (ti->map_index >= 0 && !is_revised) {
            revise(d, task);
            is_revised = true;
        }
        vec_push(&ret->ready, ti);
    }
}

static bool has_ended(const struct run *r, bool *ret_failed)
{
    if (r->unfinished)
        return false;
    *ret_failed = false;
    for (size_t i = 0; i < r->dag->leaf_count; i++) {
        const struct run_task *t = &r->tasks[r->dag->leaves[i]];
        *ret_failed |= t->counts[TASK_FAILED] || t->counts[TASK_UPSTREAM_FAILED];
    }
    return true;
}

/* Nothing is running, nothing is ready, and nothing would be after its period: DagRun's "deadlock". Tasks that wait for
 * what is outside of the run (its past, limits, a trigger) keep it going. */
static bool is_deadlocked(struct decider *d)
{
    for (size_t i = 0; i < d->dag->task_count; i++) {
        const struct dag_task *t = &d->dag->tasks[i];
        const struct run_task *of = &d->run->tasks[i];
        if ((size_t)of->finished == of->instances.n)
            continue;
        if (t->depends_on_past || t->max_active_per_dag || t->max_active_per_run || of->counts[TASK_DEFERRED] ||
            of->counts[TASK_AWAITING_INPUT])
            return false;
        for (int s = 0; s < TASK_STATE_COUNT; s++)
            if (!task_state_is_finished((enum task_state)s) && !task_state_is_schedulable((enum task_state)s) &&
                of->counts[s])
                return false;
    }
    d->ignore_periods = true;
    bool could_run = false;
    for (size_t i = 0; i < d->dag->task_count; i++)
        for (size_t k = 0; k < d->run->tasks[i].instances.n; k++) {
            struct task_instance *ti = d->run->tasks[i].instances.items[k];
            could_run |= task_state_is_schedulable(ti->state) && may_run(d, ti);
        }
    d->ignore_periods = false;
    for (size_t i = 0; i < d->endings.n; i++)
        d->endings.items[i]->next = TASK_NONE; /* none: the last pass found nothing to end */
    d->endings.n = 0;
    return !could_run;
}

void run_decide(struct run *r, const struct run_source *source, int64_t now_us, struct run_decision *ret)
{
    struct decider d = {.run = r, .dag = r->dag, .source = source, .now_us = now_us};
    bool failed = false;

    *ret = (struct run_decision){.state = RUN_RUNNING};
    do {
        d.is_changed = false;
        ret->ready.n = 0;
        for (size_t i = 0; i < r->dag->task_count; i++)
            look_at(&d, (int)i, ret);
        apply_endings(&d);
        ret->is_changed |= d.is_changed;
    } while (d.is_changed);
    if (has_ended(r, &failed)) {
        ret->state = failed ? RUN_FAILED : RUN_SUCCESS;
    } else if (ret->ready.n == 0 && is_deadlocked(&d)) {
        ret->state = RUN_FAILED;
        ret->is_deadlocked = true;
    }
    vec_release(&d.endings);
}
