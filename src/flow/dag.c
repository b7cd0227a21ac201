/*
 * Reading a serialized DAG. Attributes that have their default aren't written: they come from the document's
 * "client_defaults", and then from the schema's defaults, which stand here beside their names. Those of a mapped operator
 * are in its partial_kwargs, where values may be wrapped with their type.
 */
#include "flow/dag.h"

#include "base/vec.h"

#include <math.h>

enum { TASKS_MAX = 100000, GROUPS_MAX = 10000, DEPTH_MAX = 50, PARTS_MAX = 1000, SECOND_US = 1000000 };

struct reader {
    struct dag *dag;
    const json_t *defaults; /* client_defaults' "tasks" */
    struct err *err;
};

static int invalid(struct reader *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int invalid(struct reader *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    err_setv(r->err, ERR_INVALID, fmt, ap);
    va_end(ap);
    return err_prefix(r->err, "a serialized DAG");
}

/* The value inside {"__type": …, "__var": …}. */
static const json_t *unwrap(const json_t *j)
{
    const json_t *var = json_is_object(j) ? json_object_get(j, "__var") : NULL;

    return var && json_object_get(j, "__type") ? var : j;
}

static bool read_time(const json_t *j, int64_t *ret_us)
{
    j = unwrap(j);
    if (!json_is_number(j) || !(fabs(json_number_value(j)) < 1e12))
        return false;
    *ret_us = llround(json_number_value(j) * 1e6);
    return true;
}

/* ---- a task's attributes ---- */

/* Where a mapped operator keeps what its instances share; "partial_kwargs" may be wrapped as a dict. */
static const json_t *partial_of(const json_t *op)
{
    return unwrap(json_object_get(op, "partial_kwargs"));
}

static const json_t *attribute(const struct reader *r, const json_t *op, const char *name)
{
    const json_t *partial = partial_of(op);
    const json_t *found = partial ? json_object_get(partial, name) : NULL;

    if (!found)
        found = json_object_get(op, name);
    if (!found)
        found = json_object_get(r->defaults, name);
    return unwrap(found);
}

static bool flag(const struct reader *r, const json_t *op, const char *name)
{
    return json_is_true(attribute(r, op, name));
}

static int64_t duration_us(const struct reader *r, const json_t *op, const char *name, int64_t fallback_us)
{
    int64_t us;

    return read_time(attribute(r, op, name), &us) && us >= 0 ? us : fallback_us;
}

static int number(const struct reader *r, const json_t *op, const char *name, int fallback)
{
    const json_t *j = attribute(r, op, name);
    double v = json_number_value(j);

    return json_is_number(j) && v >= -1e9 && v <= 1e9 ? (int)v : fallback;
}

static struct str text(const struct reader *r, const json_t *op, const char *name, struct str fallback)
{
    const json_t *j = attribute(r, op, name);

    return json_is_string(j) ? json_str(j) : fallback;
}

static bool is_non_empty(const json_t *j)
{
    return json_is_array(j) && json_array_size(j) > 0;
}

/* Operator.is_task_schedulable, turned round. */
static bool needs_no_process(const struct reader *r, const json_t *op)
{
    return json_is_true(json_object_get(op, "_is_empty")) && !flag(r, op, "has_on_execute_callback") &&
           !flag(r, op, "has_on_success_callback") && !flag(r, op, "has_on_skipped_callback") &&
           !is_non_empty(attribute(r, op, "inlets")) && !is_non_empty(attribute(r, op, "outlets"));
}

static int read_attributes(struct reader *r, const json_t *op, struct dag_task *t)
{
    struct str rule = text(r, op, "trigger_rule", STR("all_success"));

    if (!trigger_rule_find(rule, &t->rule))
        return invalid(r, "the task %.*s has the unknown trigger rule %.*s", STR_ARG(t->id), STR_ARG(rule));
    t->type = json_opt_str(op, "task_type", STR("BaseOperator"));
    t->is_setup = flag(r, op, "is_setup");
    t->is_teardown = flag(r, op, "is_teardown");
    t->on_failure_fail_dagrun = flag(r, op, "on_failure_fail_dagrun");
    t->is_empty = needs_no_process(r, op);
    t->is_skipper = json_is_true(json_object_get(op, "_can_skip_downstream"));
    t->depends_on_past = flag(r, op, "depends_on_past") || flag(r, op, "wait_for_downstream");
    t->ignore_first_depends_on_past = flag(r, op, "ignore_first_depends_on_past");
    t->wait_for_past_before_skipping = flag(r, op, "wait_for_past_depends_before_skipping");
    t->wait_for_downstream = flag(r, op, "wait_for_downstream");
    t->has_start_date = read_time(attribute(r, op, "start_date"), &t->start_us);
    t->has_end_date = read_time(attribute(r, op, "end_date"), &t->end_us);
    t->retries = number(r, op, "retries", 0);
    t->retry_delay_us = duration_us(r, op, "retry_delay", 300LL * SECOND_US);
    t->max_retry_delay_us = duration_us(r, op, "max_retry_delay", 0);
    t->execution_timeout_us = duration_us(r, op, "execution_timeout", 0);
    const json_t *backoff = attribute(r, op, "retry_exponential_backoff");
    t->retry_backoff = json_is_true(backoff) ? 2 : json_is_number(backoff) ? json_number_value(backoff) : 0;
    t->pool = text(r, op, "pool", STR("default_pool"));
    t->queue = text(r, op, "queue", STR("default"));
    t->owner = text(r, op, "owner", STR("airflow"));
    t->pool_slots = number(r, op, "pool_slots", 1);
    t->priority_weight = number(r, op, "priority_weight", 1);
    t->max_active_per_dag = number(r, op, "max_active_tis_per_dag", 0);
    t->max_active_per_run = number(r, op, "max_active_tis_per_dagrun", 0);
    t->rep = op;
    return 0;
}

/* ---- tasks ---- */

static int read_tasks(struct reader *r)
{
    struct dag *d = r->dag;
    json_t *list;
    int rc = json_get_array(d->rep, "tasks", &list, r->err);

    if (rc < 0)
        return rc;
    d->task_count = json_array_size(list);
    if (d->task_count > TASKS_MAX)
        return err_set(r->err, ERR_LIMIT, "a DAG has at most %d tasks", TASKS_MAX);
    d->tasks = arena_array(&d->arena, struct dag_task, d->task_count);
    for (size_t i = 0; rc == 0 && i < d->task_count; i++) {
        const json_t *op = unwrap(json_array_get(list, i));
        struct dag_task *t = &d->tasks[i];
        t->mapped_group = -1;
        rc = json_get_str(op, "task_id", &t->id, r->err);
        if (rc == 0 && map_get(&d->by_id, t->id))
            rc = invalid(r, "two tasks are called %.*s", STR_ARG(t->id));
        if (rc == 0)
            rc = read_attributes(r, op, t);
        if (rc == 0)
            map_set(&d->by_id, t->id, t);
    }
    return rc;
}

const struct dag_task *dag_task(const struct dag *d, struct str id)
{
    return map_get(&d->by_id, id);
}

static int task_index(struct reader *r, struct str id, int *ret)
{
    const struct dag_task *t = dag_task(r->dag, id);

    if (!t)
        return invalid(r, "it names the task %.*s, which it doesn't have", STR_ARG(id));
    *ret = dag_task_index(r->dag, t);
    return 0;
}

static int read_edges(struct reader *r)
{
    struct dag *d = r->dag;
    int rc = 0;

    for (size_t i = 0; i < d->task_count; i++) {
        const json_t *list = json_object_get(d->tasks[i].rep, "downstream_task_ids");
        struct dag_task *t = &d->tasks[i];
        t->downstream = arena_array(&d->arena, int, json_array_size(list));
        for (size_t k = 0; k < json_array_size(list); k++) {
            rc = task_index(r, json_str(json_array_get(list, k)), &t->downstream[t->downstream_count]);
            if (rc < 0)
                return rc;
            d->tasks[t->downstream[t->downstream_count++]].upstream_count++;
        }
    }
    for (size_t i = 0; i < d->task_count; i++) {
        d->tasks[i].upstream = arena_array(&d->arena, int, d->tasks[i].upstream_count);
        d->tasks[i].upstream_count = 0;
    }
    for (size_t i = 0; i < d->task_count; i++)
        for (size_t k = 0; k < d->tasks[i].downstream_count; k++) {
            struct dag_task *t = &d->tasks[d->tasks[i].downstream[k]];
            t->upstream[t->upstream_count++] = (int)i;
        }
    return 0;
}

/* ---- relatives ---- */

/* Marks all that is reached from a task; `marks` has room for each task. */
static void mark_relatives(const struct dag *d, int from, bool upstream, bool *marks)
{
    VEC(int) open = {0};

    memset(marks, 0, d->task_count);
    vec_push(&open, from);
    while (open.n) {
        const struct dag_task *t = &d->tasks[open.items[--open.n]];
        const int *next = upstream ? t->upstream : t->downstream;
        for (size_t i = 0; i < (upstream ? t->upstream_count : t->downstream_count); i++)
            if (!marks[next[i]]) {
                marks[next[i]] = true;
                vec_push(&open, next[i]);
            }
    }
    vec_release(&open);
}

bool dag_is_behind(const struct dag *d, int a, int b)
{
    bool *marks = calloc(d->task_count + 1, 1);

    if (!marks)
        abort();
    mark_relatives(d, a, false, marks);
    bool found = marks[b];
    free(marks);
    return found;
}

static int check_acyclic(struct reader *r)
{
    struct dag *d = r->dag;
    int *waits = arena_array(&d->arena, int, d->task_count);
    VEC(int) ready = {0};
    size_t seen = 0;

    for (size_t i = 0; i < d->task_count; i++) {
        waits[i] = (int)d->tasks[i].upstream_count;
        if (waits[i] == 0)
            vec_push(&ready, (int)i);
    }
    while (ready.n) {
        const struct dag_task *t = &d->tasks[ready.items[--ready.n]];
        seen++;
        for (size_t i = 0; i < t->downstream_count; i++)
            if (--waits[t->downstream[i]] == 0)
                vec_push(&ready, t->downstream[i]);
    }
    vec_release(&ready);
    return seen == d->task_count ? 0 : invalid(r, "its tasks form a cycle");
}

static bool has_teardown(const struct dag *d, const struct dag_task *t, const bool *among)
{
    for (size_t i = 0; i < t->downstream_count; i++)
        if (d->tasks[t->downstream[i]].is_teardown && (!among || among[t->downstream[i]]))
            return true;
    return false;
}

static bool is_direct_upstream(const struct dag_task *t, int other)
{
    for (size_t i = 0; i < t->upstream_count; i++)
        if (t->upstream[i] == other)
            return true;
    return false;
}

/* A setup is relevant when it has no teardown, or one that is behind the task; direct ones count with the rule. */
static void find_setups(struct dag *d, struct dag_task *t, bool *behind, bool *before)
{
    VEC(int) found = {0};
    int self = dag_task_index(d, t);

    mark_relatives(d, self, false, behind);
    mark_relatives(d, self, true, before);
    for (size_t i = 0; i < d->task_count; i++) {
        const struct dag_task *s = &d->tasks[i];
        if (before[i] && s->is_setup && !is_direct_upstream(t, (int)i) &&
            (!has_teardown(d, s, NULL) || has_teardown(d, s, behind)))
            vec_push_in(&d->arena, &found, (int)i);
    }
    t->setups = found.items;
    t->setup_count = found.n;
}

static void weigh(struct reader *r, struct dag_task *t, const bool *behind, const bool *before)
{
    struct dag *d = r->dag;
    struct str rule = text(r, t->rep, "weight_rule", STR("downstream"));
    const bool *marks = str_eq(rule, STR("absolute")) ? NULL : str_eq(rule, STR("upstream")) ? before : behind;
    int64_t sum = t->priority_weight;

    for (size_t i = 0; marks && i < d->task_count; i++)
        sum += marks[i] ? d->tasks[i].priority_weight : 0;
    t->total_weight = (int)(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}

static int read_relatives(struct reader *r)
{
    struct dag *d = r->dag;
    bool *behind = arena_array(&d->arena, bool, d->task_count), *before = arena_array(&d->arena, bool, d->task_count);
    int rc = check_acyclic(r);

    for (size_t i = 0; rc == 0 && i < d->task_count; i++) {
        find_setups(d, &d->tasks[i], behind, before);
        weigh(r, &d->tasks[i], behind, before);
    }
    return rc;
}

/* ---- what is mapped over what ---- */

static int read_expand(struct reader *r, const json_t *j, int depth, struct expand *ret);

static int read_parts(struct reader *r, const json_t *list, int depth, struct expand *ret)
{
    size_t n = json_array_size(list);
    int rc = 0;

    if (n == 0 || n > PARTS_MAX)
        return invalid(r, "a combination of mapped values has no parts, or too many");
    ret->parts = arena_array(&r->dag->arena, struct expand, n);
    ret->part_count = n;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = read_expand(r, json_array_get(list, i), depth + 1, &ret->parts[i]);
    return rc;
}

/* The reference to a result, "__var" of an xcomref. */
static int read_reference(struct reader *r, const json_t *j, int depth, struct expand *ret)
{
    struct str type = json_opt_str(j, "type", STR(""));

    if (depth > DEPTH_MAX)
        return invalid(r, "mapped values are nested deeper than %d", DEPTH_MAX);
    if (str_eq(type, STR("map")))
        return read_reference(r, unwrap(json_object_get(j, "arg")), depth + 1, ret);
    if (str_eq(type, STR("zip")) || str_eq(type, STR("concat"))) {
        ret->kind = str_eq(type, STR("concat"))       ? EXPAND_CONCAT
                    : json_object_get(j, "fillvalue") ? EXPAND_ZIP_LONGEST
                                                      : EXPAND_ZIP;
        return read_parts(r, json_object_get(j, "args"), depth, ret);
    }
    if (type.n)
        return err_set(r->err, ERR_UNSUPPORTED, "mapping over a reference of type %.*s is not supported",
                       STR_ARG(type));
    if (!str_eq(json_opt_str(j, "key", STR("return_value")), STR("return_value")))
        return err_set(r->err, ERR_UNSUPPORTED, "mapping over a result under another key than return_value");
    ret->kind = EXPAND_TASK;
    return task_index(r, json_opt_str(j, "task_id", STR("")), &ret->task);
}

static int read_expand(struct reader *r, const json_t *j, int depth, struct expand *ret)
{
    const json_t *var = unwrap(j);

    if (json_is_object(j) && str_eq(json_opt_str(j, "__type", STR("")), STR("xcomref")))
        return read_reference(r, var, depth, ret);
    if (json_is_object(j) && !json_object_get(j, "__type")) /* an argument of zip and concat has no wrapping */
        return read_reference(r, j, depth, ret);
    ret->kind = EXPAND_LITERAL;
    ret->length = json_is_array(var) ? (int)json_array_size(var) : (int)json_object_size(var);
    return json_is_array(var) || json_is_object(var) ? 0 : invalid(r, "something is mapped over a single value");
}

/* {"type": "dict-of-lists" | "list-of-dicts", "value": …} */
static int read_expand_input(struct reader *r, const json_t *input, struct expand **ret)
{
    const json_t *value = json_object_get(input, "value"), *object = unwrap(value);
    struct expand *e = arena_new(&r->dag->arena, struct expand);
    const char *name;
    json_t *each;
    int rc = 0;

    *ret = e;
    if (str_eq(json_opt_str(input, "type", STR("")), STR("list-of-dicts")))
        return read_expand(r, value, 0, e);
    if (!json_is_object(object))
        return invalid(r, "mapped arguments are not an object");
    e->kind = EXPAND_PRODUCT;
    e->parts = arena_array(&r->dag->arena, struct expand, json_object_size(object));
    json_object_foreach((json_t *)object, name, each) if (rc == 0)
        rc = read_expand(r, each, 0, &e->parts[e->part_count++]);
    return rc;
}

struct int_list {
    int *items;
    size_t n, cap;
};

static void collect_tasks(struct arena *a, const struct expand *e, struct int_list *to)
{
    if (e->kind == EXPAND_TASK)
        vec_push_in(a, to, e->task);
    for (size_t i = 0; i < e->part_count; i++)
        collect_tasks(a, &e->parts[i], to);
}

static int read_task_expansions(struct reader *r)
{
    struct dag *d = r->dag;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < d->task_count; i++) {
        struct dag_task *t = &d->tasks[i];
        struct int_list tasks = {0};
        if (!json_is_true(json_object_get(t->rep, "_is_mapped")))
            continue;
        struct str where = json_opt_str(t->rep, "_expand_input_attr", STR("expand_input"));
        rc = read_expand_input(r, unwrap(json_object_getn(t->rep, where.p, where.n)), &t->expand);
        if (rc < 0)
            return err_prefix(r->err, "the task %.*s", STR_ARG(t->id));
        collect_tasks(&d->arena, t->expand, &tasks);
        t->expand_tasks = tasks.items;
        t->expand_task_count = tasks.n;
    }
    return rc;
}

/* ---- groups ---- */

struct group_list {
    struct dag_group *items;
    size_t n, cap;
};

static int read_group(struct reader *r, const json_t *j, int parent, int mapped, int depth, struct group_list *to)
{
    struct dag *d = r->dag;
    const char *name;
    json_t *child;
    int self = (int)to->n, rc = 0;
    struct dag_group g = {.id = json_opt_str(j, "_group_id", STR_NULL), .parent = parent};

    if (depth > DEPTH_MAX || to->n > GROUPS_MAX)
        return invalid(r, "it has too many groups, or they are nested deeper than %d", DEPTH_MAX);
    if (json_is_true(json_object_get(j, "is_mapped"))) {
        struct int_list tasks = {0};
        rc = read_expand_input(r, unwrap(json_object_get(j, "expand_input")), &g.expand);
        if (rc < 0)
            return err_prefix(r->err, "the group %.*s", STR_ARG(g.id));
        collect_tasks(&d->arena, g.expand, &tasks);
        g.expand_tasks = tasks.items;
        g.expand_task_count = tasks.n;
        mapped = self;
    }
    vec_push_in(&d->arena, to, g);
    json_object_foreach(json_object_get(j, "children"), name, child)
    {
        struct str kind = json_str(json_array_get(child, 0));
        int task;
        if (rc < 0)
            break;
        if (str_eq(kind, STR("taskgroup"))) {
            rc = read_group(r, unwrap(json_array_get(child, 1)), self, mapped, depth + 1, to);
        } else if ((rc = task_index(r, json_str(json_array_get(child, 1)), &task)) == 0) {
            d->tasks[task].group = self;
            d->tasks[task].mapped_group = mapped;
        }
    }
    return rc;
}

static int read_groups(struct reader *r)
{
    struct group_list groups = {0};
    const json_t *root = unwrap(json_object_get(r->dag->rep, "task_group"));
    int rc = 0;

    if (json_is_object(root))
        rc = read_group(r, root, -1, -1, 0, &groups);
    else
        vec_push_in(&r->dag->arena, &groups, ((struct dag_group){.parent = -1}));
    r->dag->groups = groups.items;
    r->dag->group_count = groups.n;
    return rc;
}

/* ---- the whole ---- */

static bool is_effective_leaf(const struct dag *d, const struct dag_task *t)
{
    for (size_t i = 0; i < t->downstream_count; i++) {
        const struct dag_task *down = &d->tasks[t->downstream[i]];
        if (!down->is_teardown || down->on_failure_fail_dagrun)
            return false;
    }
    return !t->is_teardown || t->on_failure_fail_dagrun;
}

static void find_leaves(struct dag *d)
{
    d->leaves = arena_array(&d->arena, int, d->task_count);
    for (size_t i = 0; i < d->task_count; i++)
        if (is_effective_leaf(d, &d->tasks[i]))
            d->leaves[d->leaf_count++] = (int)i;
    for (size_t i = 0; d->leaf_count == 0 && i < d->task_count; i++)
        if (d->tasks[i].downstream_count == 0)
            d->leaves[d->leaf_count++] = (int)i;
}

static int read_head(struct reader *r)
{
    struct dag *d = r->dag;
    const json_t *paused = json_object_get(d->rep, "is_paused_upon_creation");
    int rc = json_get_str(d->rep, "dag_id", &d->id, r->err);

    if (rc < 0)
        return rc;
    d->fileloc = json_opt_str(d->rep, "fileloc", STR(""));
    d->relative_fileloc = json_opt_str(d->rep, "relative_fileloc", STR(""));
    d->catchup = json_opt_bool(d->rep, "catchup", false);
    d->fail_fast = json_opt_bool(d->rep, "fail_fast", false);
    d->has_on_failure_callback = json_opt_bool(d->rep, "has_on_failure_callback", false);
    d->has_on_success_callback = json_opt_bool(d->rep, "has_on_success_callback", false);
    d->says_paused = json_is_boolean(paused);
    d->paused_upon_creation = json_is_true(paused);
    d->has_start_date = read_time(json_object_get(d->rep, "start_date"), &d->start_us);
    d->has_end_date = read_time(json_object_get(d->rep, "end_date"), &d->end_us);
    if (!read_time(json_object_get(d->rep, "dagrun_timeout"), &d->timeout_us))
        d->timeout_us = 0;
    d->max_active_runs = (int)json_opt_i64(d->rep, "max_active_runs", 16);
    d->max_active_tasks = (int)json_opt_i64(d->rep, "max_active_tasks", 16);
    d->max_consecutive_failures = (int)json_opt_i64(d->rep, "max_consecutive_failed_dag_runs", 0);
    rc = timetable_parse(&d->arena, json_object_get(d->rep, "timetable"), &d->timetable, r->err);
    return rc == ERR_UNSUPPORTED ? 0 : rc;
}

static int read_all(struct reader *r)
{
    int64_t version;
    json_t *rep;
    int rc = json_get_i64(r->dag->json, "__version", &version, r->err);

    if (rc == 0 && version != 3)
        rc = err_set(r->err, ERR_UNSUPPORTED, "a DAG serialized in version %lld: version 3 is known",
                     (long long)version);
    if (rc == 0)
        rc = json_get_object(r->dag->json, "dag", &rep, r->err);
    if (rc < 0)
        return rc;
    r->dag->rep = rep;
    r->defaults = json_object_get(json_object_get(r->dag->json, "client_defaults"), "tasks");
    if ((rc = read_head(r)) < 0 || (rc = read_tasks(r)) < 0 || (rc = read_edges(r)) < 0 ||
        (rc = read_relatives(r)) < 0 || (rc = read_groups(r)) < 0 || (rc = read_task_expansions(r)) < 0)
        return rc;
    find_leaves(r->dag);
    return 0;
}

int dag_parse(json_t *document, struct dag **ret, struct err *err)
{
    struct dag *d = calloc(1, sizeof(*d));
    struct reader r = {.dag = d, .err = err};

    if (!d) {
        json_decref(document);
        return err_set(err, ERR_LIMIT, "no memory for a DAG");
    }
    d->refs = 1;
    d->json = document;
    arena_init(&d->arena, 0);
    int rc = json_is_object(document) ? read_all(&r) : invalid(&r, "it is not an object");
    if (rc < 0)
        dag_unref(d);
    else
        *ret = d;
    return rc;
}

struct dag *dag_ref(struct dag *d)
{
    __atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
    return d;
}

void dag_unref(struct dag *d)
{
    if (!d || __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    map_release(&d->by_id);
    json_decref(d->json);
    arena_release(&d->arena);
    free(d);
}
