/* A run's instances: kept by task and map index, counted by state, so that a rule over ten thousand of them is one look. */
#include "flow/run.h"

#include <stdlib.h>

void run_init_empty(struct run *r, struct dag *dag)
{
    *r = (struct run){.dag = dag_ref(dag), .state = RUN_QUEUED, .logical_us = INT64_MIN};
    arena_init(&r->arena, 0);
    r->tasks = arena_array(&r->arena, struct run_task, dag->task_count);
}

void run_init(struct run *r, struct dag *dag)
{
    run_init_empty(r, dag);
    run_fill(r);
}

void run_release(struct run *r)
{
    for (size_t i = 0; r->dag && i < r->dag->task_count; i++)
        vec_release(&r->tasks[i].instances);
    dag_unref(r->dag);
    arena_release(&r->arena);
}

struct task_instance *run_add(struct run *r, int task, int map_index, enum task_state state)
{
    struct run_task *t = &r->tasks[task];
    struct task_instance *ti = arena_new(&r->arena, struct task_instance);

    *ti = (struct task_instance){
        .task = task, .map_index = map_index, .state = state, .max_tries = r->dag->tasks[task].retries};
    vec_push(&t->instances, ti);
    for (size_t i = t->instances.n - 1; i > 0 && t->instances.items[i - 1]->map_index > map_index; i--) {
        t->instances.items[i] = t->instances.items[i - 1];
        t->instances.items[i - 1] = ti;
    }
    t->counts[state]++;
    if (task_state_is_finished(state))
        t->finished++;
    else
        r->unfinished++;
    return ti;
}

/* No task has a result at the start: only what is mapped over literals has its instances then. */
static int length_at_start(void *ctx, const struct dag_task *t, bool is_mapped)
{
    (void)ctx, (void)t, (void)is_mapped;
    return LENGTH_UNKNOWN;
}

void run_fill(struct run *r)
{
    static const struct run_source nothing_yet = {.result_length = length_at_start};

    for (size_t i = 0; i < r->dag->task_count; i++) {
        if (r->tasks[i].instances.n)
            continue;
        int count = run_expanded_count(r, &nothing_yet, (int)i);
        if (count <= 0)
            run_add(r, (int)i, -1, TASK_NONE)->is_new = true;
        for (int k = 0; k < count; k++)
            run_add(r, (int)i, k, TASK_NONE)->is_new = true;
    }
}

struct task_instance *run_find(const struct run *r, int task, int map_index)
{
    const struct run_task *t = &r->tasks[task];
    size_t low = 0, high = t->instances.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->instances.items[middle]->map_index < map_index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->instances.n && t->instances.items[low]->map_index == map_index ? t->instances.items[low] : NULL;
}

void run_set_state(struct run *r, struct task_instance *ti, enum task_state state)
{
    struct run_task *t = &r->tasks[ti->task];
    bool was = task_state_is_finished(ti->state), is = task_state_is_finished(state);

    t->counts[ti->state]--;
    t->counts[state]++;
    if (was != is) {
        t->finished += is ? 1 : -1;
        r->unfinished += is ? (size_t)-1 : 1;
    }
    ti->state = state;
    ti->is_changed = true;
}
