/* What happens next in a run: each decision that real Airflow took (tests/golden/airflow/runs.json) is ours too. */
#include "flow/run.h"

#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *golden;

/* A replayed run, and what it left that decisions depend on. */
struct replay {
    struct run run;
    json_t *lengths, *skips; /* task to n; task to [followed, …] */
};

static int result_length(void *ctx, const struct dag_task *t, bool is_mapped)
{
    struct replay *p = ctx;
    const struct run_task *of = &p->run.tasks[dag_task_index(p->run.dag, t)];

    if (is_mapped)
        return of->instances.items[0]->map_index < 0 ? 0 : of->counts[TASK_SUCCESS];
    return (int)json_opt_i64(p->lengths, t->id.p, LENGTH_UNKNOWN);
}

static bool was_skipped_by(void *ctx, const struct dag_task *skipper, int map_index, const struct dag_task *t)
{
    struct replay *p = ctx;
    const json_t *followed = json_object_get(p->skips, skipper->id.p), *each;
    size_t i;

    (void)map_index;
    if (!followed)
        return false;
    json_array_foreach(followed, i, each) if (str_eq(json_str(each), t->id)) return false;
    return true;
}

static bool past_allows(void *ctx, const struct dag_task *t)
{
    (void)ctx, (void)t;
    return true;
}

static struct task_instance *find(struct replay *p, const json_t *task, const json_t *map_index)
{
    const struct dag_task *t = dag_task(p->run.dag, json_str(task));

    assert_non_null(t);
    return run_find(&p->run, dag_task_index(p->run.dag, t), (int)json_integer_value(map_index));
}

static void apply(struct replay *p, const json_t *step)
{
    json_t *end;
    size_t i;

    json_object_update(p->lengths, json_object_get(step, "lengths"));
    json_object_update(p->skips, json_object_get(step, "skips"));
    json_array_foreach(json_object_get(step, "ends"), i, end)
    {
        struct task_instance *ti = find(p, json_array_get(end, 0), json_array_get(end, 1));
        enum task_state state;
        assert_non_null(ti);
        assert_true(task_state_find(json_str(json_array_get(end, 2)), &state));
        run_set_state(&p->run, ti, state);
    }
}

static json_t *states_of(const struct run *r)
{
    json_t *all = json_object();

    for (size_t i = 0; i < r->dag->task_count; i++) {
        json_t *list = json_array();
        for (size_t k = 0; k < r->tasks[i].instances.n; k++) {
            const struct task_instance *ti = r->tasks[i].instances.items[k];
            struct str name = task_state_name(ti->state);
            json_array_append_new(list, json_pack("[i,o]", ti->map_index,
                                                  str_is_null(name) ? json_null() : json_stringn(name.p, name.n)));
        }
        json_object_setn_new(all, r->dag->tasks[i].id.p, r->dag->tasks[i].id.n, list);
    }
    return all;
}

static int by_text(const void *a, const void *b)
{
    char *x = json_dumps(*(json_t *const *)a, 0), *y = json_dumps(*(json_t *const *)b, 0);
    int c = strcmp(x, y);

    free(x);
    free(y);
    return c;
}

static json_t *sorted(const json_t *list)
{
    size_t n = json_array_size(list);
    json_t **items = calloc(n + 1, sizeof(*items)), *all = json_array();

    for (size_t i = 0; i < n; i++)
        items[i] = json_array_get(list, i);
    qsort(items, n, sizeof(*items), by_text);
    for (size_t i = 0; i < n; i++)
        json_array_append(all, items[i]);
    free(items);
    return all;
}

static json_t *ready_of(const struct run *r, const struct run_decision *d)
{
    JSON_SCOPED json_t *list = json_array();

    for (size_t i = 0; i < d->ready.n; i++)
        json_array_append_new(
            list, json_pack("[s,i]", r->dag->tasks[d->ready.items[i]->task].id.p, d->ready.items[i]->map_index));
    return sorted(list);
}

static void say(const char *what, const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

    print_error("%s %s\n", what, text);
    free(text);
}

static bool step_is_right(struct replay *p, const json_t *step)
{
    const struct run_source source = {p, result_length, was_skipped_by, past_allows};
    struct run_decision d;

    run_decide(&p->run, &source, 1800000000LL * 1000000, &d);
    JSON_SCOPED json_t *states = states_of(&p->run);
    JSON_SCOPED json_t *ready = ready_of(&p->run, &d);
    JSON_SCOPED json_t *want = sorted(json_object_get(step, "ready"));
    bool right = json_equal(states, json_object_get(step, "states")) && json_equal(ready, want) &&
                 str_eq(run_state_name(d.state), json_opt_str(step, "run", STR("")));
    if (!right) {
        say("step ", step);
        say("states", states);
        say("ready", ready);
        print_error("run %s\n", run_state_name(d.state).p);
    }
    for (size_t i = 0; i < d.ready.n; i++)
        run_set_state(&p->run, d.ready.items[i],
                      p->run.dag->tasks[d.ready.items[i]->task].is_empty ? TASK_SUCCESS : TASK_SCHEDULED);
    vec_release(&d.ready);
    return right;
}

static bool run_is_right(const json_t *one, size_t *steps)
{
    struct replay p = {.lengths = json_object(), .skips = json_object()};
    struct dag *dag;
    struct err err = {0};
    json_t *step;
    size_t i;
    bool right = true;

    if (dag_parse(json_incref(json_object_get(one, "dag")), &dag, &err) < 0)
        fail_msg("%s", err.message);
    run_init(&p.run, dag);
    dag_unref(dag);
    json_array_foreach(json_object_get(one, "steps"), i, step)
    {
        apply(&p, step);
        right = step_is_right(&p, step);
        ++*steps;
        if (!right)
            break;
    }
    run_release(&p.run);
    json_decref(p.lengths);
    json_decref(p.skips);
    return right;
}

static void decisions_are_those_of_airflow(void **state)
{
    BUF_SCOPED struct buf text;
    JSON_SCOPED json_t *all = NULL;
    struct err err = {0};
    json_t *one;
    size_t i, steps = 0, wrong = 0;

    (void)state;
    buf_init(&text, 64 << 20);
    assert_int_equal(file_read(golden, &text, &err), 0);
    assert_int_equal(json_parse(buf_str(&text), &all, &err), 0);
    json_array_foreach(all, i, one) if (!run_is_right(one, &steps))
    {
        wrong++;
        say("dag", json_object_get(json_object_get(json_object_get(one, "dag"), "dag"), "dag_id"));
    }
    print_message("%zu runs, %zu steps, %zu wrong\n", i, steps, wrong);
    assert_int_equal(wrong, 0);
    assert_true(steps > 50);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(decisions_are_those_of_airflow)};

    if (argc < 2)
        return 2;
    golden = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
