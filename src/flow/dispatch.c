/*
 * Which scheduled task gets a process next: by priority weight, then by the run's date. Limits: processes at a time, slots
 * of a pool, a DAG's max_active_tasks in a run, a task's own.
 */
#include "flow/flow_internal.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"
#include "base/log.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 20, MAC_SIZE = 32 };

/* ---- tokens ---- */

static void make_mac(const struct flow *f, struct str id, struct buf *to)
{
    unsigned char mac[MAC_SIZE];

    hash_hmac_sha256(f->o.token_key, id, mac);
    enc_base64url(to, mac, sizeof(mac));
}

void flow_make_token(const struct flow *f, const char *id, struct buf *to)
{
    buf_add_cstr(to, id);
    buf_add_char(to, '.');
    make_mac(f, str_from_cstr(id), to);
}

bool flow_token_check(struct flow *f, struct str token, char ret_id[UUID_TEXT_SIZE])
{
    BUF_SCOPED struct buf mac;
    size_t dot = str_find_char(token, '.', 0);

    buf_init(&mac, 256);
    if (dot != UUID_TEXT_SIZE - 1)
        return false;
    make_mac(f, str_slice(token, 0, dot), &mac);
    if (!str_eq_secret(buf_str(&mac), str_skip(token, dot + 1)))
        return false;
    memcpy(ret_id, token.p, dot);
    ret_id[dot] = '\0';
    return true;
}

/* ---- what a launcher is told ---- */

void flow_launch_name(const struct instance_row *row, char out[LAUNCH_NAME_SIZE])
{
    snprintf(out, LAUNCH_NAME_SIZE, "%s/%lld", row->id, (long long)row->launch);
}

static void write_instance(struct json_writer *w, const struct active_run *r, const struct task_instance *ti)
{
    const struct dag_task *t = &r->run.dag->tasks[ti->task];

    json_open_object(w);
    json_key(w, "id");
    json_add_cstr(w, row_of(ti)->id);
    json_key(w, "dag_version_id");
    json_add_str(w, r->row.version_id);
    json_key(w, "task_id");
    json_add_str(w, t->id);
    json_key(w, "dag_id");
    json_add_str(w, r->row.dag_id);
    json_key(w, "run_id");
    json_add_str(w, r->row.run_id);
    json_key(w, "try_number");
    json_add_i64(w, ti->try_number);
    json_key(w, "map_index");
    json_add_i64(w, ti->map_index);
    json_key(w, "queue");
    json_add_str(w, t->queue);
    json_close_object(w);
}

static void write_message(const struct flow *f, const struct active_run *r, const struct task_instance *ti,
                          struct str fileloc, struct str bundle, struct buf *to)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    BUF_SCOPED struct buf token;
    struct json_writer w;
    char launch[LAUNCH_NAME_SIZE];

    buf_init(&token, 256);
    flow_launch_name(row_of(ti), launch);
    flow_make_token(f, row_of(ti)->id, &token);
    json_writer_init(&w, to);
    json_open_object(&w);
    json_key(&w, "run");
    json_add_cstr(&w, launch);
    json_key(&w, "server");
    json_add_cstr(&w, f->o.server_url);
    json_key(&w, "workload");
    json_open_object(&w);
    json_key(&w, "ti");
    write_instance(&w, r, ti);
    json_key(&w, "dag_rel_path");
    json_add_str(&w, fileloc);
    json_key(&w, "bundle_info");
    json_open_object(&w);
    json_key(&w, "name");
    json_add_str(&w, bundle);
    json_close_object(&w);
    json_key(&w, "token");
    json_add_str(&w, buf_str(&token));
    json_key(&w, "log_path");
    json_add_str(&w, flow_log_path(&a, &r->row, row_of(ti)));
    json_close_object(&w);
    json_close_object(&w);
    buf_add_char(to, '\n');
    explicit_bzero(token.p, token.n);
}

/* ---- choosing ---- */

struct candidate {
    struct active_run *run;
    struct task_instance *ti;
};

static int by_priority(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int wx = x->run->run.dag->tasks[x->ti->task].total_weight, wy = y->run->run.dag->tasks[y->ti->task].total_weight;

    if (wx != wy)
        return wx > wy ? -1 : 1;
    if (x->run->row.run_after_us != y->run->row.run_after_us)
        return x->run->row.run_after_us < y->run->row.run_after_us ? -1 : 1;
    return x->ti->map_index - y->ti->map_index;
}

static int executing_in(const struct run *r)
{
    int n = 0;

    for (size_t i = 0; i < r->dag->task_count; i++)
        n += r->tasks[i].counts[TASK_QUEUED] + r->tasks[i].counts[TASK_RUNNING];
    return n;
}

/* Slots of a pool that are taken, over all runs. */
static int taken_slots(const struct flow *f, const struct pool_row *pool)
{
    int taken = 0;

    for (size_t i = 0; i < f->runs.n; i++) {
        const struct active_run *r = f->runs.items[i];
        for (size_t t = 0; r->has_instances && t < r->run.dag->task_count; t++) {
            const struct dag_task *task = &r->run.dag->tasks[t];
            if (str_eq(task->pool, pool->name))
                taken += task->pool_slots *
                         (r->run.tasks[t].counts[TASK_QUEUED] + r->run.tasks[t].counts[TASK_RUNNING] +
                          (pool->include_deferred ? r->run.tasks[t].counts[TASK_DEFERRED] : 0));
        }
    }
    return taken;
}

static int active_of_task(const struct flow *f, const struct active_run *r, const struct dag_task *t)
{
    int n = 0;

    for (size_t i = 0; i < f->runs.n; i++) {
        const struct active_run *other = f->runs.items[i];
        const struct dag_task *same = other->has_instances && str_eq(other->row.dag_id, r->row.dag_id)
                                          ? dag_task(other->run.dag, t->id)
                                          : NULL;
        if (same) {
            const struct run_task *of = &other->run.tasks[dag_task_index(other->run.dag, same)];
            n += of->counts[TASK_QUEUED] + of->counts[TASK_RUNNING];
        }
    }
    return n;
}

static bool limits_allow(const struct flow *f, const struct candidate *c, const struct pool_row *pools, size_t n)
{
    const struct run *run = &c->run->run;
    const struct dag_task *t = &run->dag->tasks[c->ti->task];
    const struct run_task *of = &run->tasks[c->ti->task];
    const struct pool_row *pool = NULL;

    for (size_t i = 0; i < n && !pool; i++)
        pool = str_eq(pools[i].name, t->pool) ? &pools[i] : NULL;
    if (!pool || (pool->slots >= 0 && taken_slots(f, pool) + t->pool_slots > pool->slots))
        return false;
    if (run->dag->max_active_tasks > 0 && executing_in(run) >= run->dag->max_active_tasks)
        return false;
    if (t->max_active_per_run && of->counts[TASK_QUEUED] + of->counts[TASK_RUNNING] >= t->max_active_per_run)
        return false;
    return !t->max_active_per_dag || active_of_task(f, c->run, t) < t->max_active_per_dag;
}

static int give_out(struct flow *f, struct candidate *c, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *conn = NULL;
    BUF_SCOPED struct buf message;
    struct known_dag *d = flow_known_dag(f, c->run->row.dag_id);
    struct instance_row *row = row_of(c->ti);
    char launch[LAUNCH_NAME_SIZE];
    int rc = db_acquire(f->o.db, &conn, err);

    if (rc < 0)
        return rc;
    buf_init(&message, MESSAGE_MAX);
    row->launch = ++f->launches;
    flow_launch_name(row, launch);
    write_message(f, c->run, c->ti, d->row.relative_fileloc, d->row.bundle, &message);
    row->queued_us = clock_wall_us();
    run_set_state(&c->run->run, c->ti, TASK_QUEUED);
    c->ti->is_changed = false;
    row->state = TASK_QUEUED;
    row->try_number = c->ti->try_number;
    rc = store_update_instance(conn, row, err);
    if (rc == 0)
        rc = executor_run(f->executor, launch, buf_str(&message), err);
    explicit_bzero(message.p, message.n);
    if (rc < 0) {
        run_set_state(&c->run->run, c->ti, TASK_SCHEDULED);
        return rc;
    }
    f->executing++;
    return 0;
}

int flow_dispatch(struct flow *f, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    VEC(struct candidate) found = {0};
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct pool_row *pools;
    size_t n;
    int rc = 0;

    if (f->executing >= f->o.parallelism)
        return 0;
    for (size_t i = 0; i < f->runs.n; i++) {
        struct active_run *r = f->runs.items[i];
        for (size_t t = 0; r->row.state == RUN_RUNNING && t < r->run.dag->task_count; t++)
            for (size_t k = 0; r->run.tasks[t].counts[TASK_SCHEDULED] && k < r->run.tasks[t].instances.n; k++)
                if (r->run.tasks[t].instances.items[k]->state == TASK_SCHEDULED)
                    vec_push(&found, ((struct candidate){r, r->run.tasks[t].instances.items[k]}));
    }
    if (found.n == 0)
        return 0;
    rc = db_acquire(f->o.db, &c, err);
    if (rc == 0)
        rc = store_list_pools(c, &a, &pools, &n, err);
    qsort(found.items, found.n, sizeof(*found.items), by_priority);
    for (size_t i = 0; rc == 0 && i < found.n && f->executing < f->o.parallelism; i++)
        if (flow_known_dag(f, found.items[i].run->row.dag_id) && limits_allow(f, &found.items[i], pools, n))
            rc = give_out(f, &found.items[i], err);
    vec_release(&found);
    return rc == ERR_UNAVAILABLE ? 0 : rc; /* the launcher is being started: the thread comes back */
}
