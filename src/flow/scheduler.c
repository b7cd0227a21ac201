/*
 * Runs: made when their time has come or somebody triggers them, advanced with each thing that happens, ended. The thread
 * waits until the earliest of what time brings, or until it is poked.
 */
#include "flow/flow_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"

#include <math.h>
#include <stdlib.h>

enum {
    HEARTBEAT_TIMEOUT_S = 300, /* scheduler.task_instance_heartbeat_timeout's default */
    IDLE_WAIT_S = 60,
    RUN_TEXTS_MAX = 64 << 20,
    RETRY_DELAY_MAX_S = 24 * 3600, /* MAX_RETRY_DELAY */
};

#define SECOND_US 1000000LL

void flow_poke(struct flow *f)
{
    f->is_poked = true;
    pthread_cond_signal(&f->wake);
}

struct known_dag *flow_known_dag(const struct flow *f, struct str id)
{
    return map_get(&f->dags, id);
}

/* ---- what a decision asks for ---- */

struct asker {
    struct active_run *run;
    struct db_conn *conn;
};

static int result_length(void *ctx, const struct dag_task *t, bool is_mapped)
{
    struct asker *q = ctx;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct xcom_key k = {q->run->row.dag_id, q->run->row.run_id, t->id, STR("return_value"), -1};
    struct err err = {0};
    struct str *values;
    size_t n;
    int length = LENGTH_UNKNOWN;

    if (!is_mapped) {
        if (store_result_length(q->conn, k.dag_id, k.run_id, k.task_id, &length, &err) < 0)
            log_error("%s", err.message);
        return length;
    }
    if (store_list_xcoms(q->conn, &a, &k, &values, &n, &err) < 0) {
        log_error("%s", err.message);
        return LENGTH_UNKNOWN;
    }
    return (int)n;
}

static bool has_text(const json_t *list, struct str text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(json_str(json_array_get(list, i)), text))
            return true;
    return false;
}

static bool was_skipped_by(void *ctx, const struct dag_task *skipper, int map_index, const struct dag_task *t)
{
    struct asker *q = ctx;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct xcom_key k = {q->run->row.dag_id, q->run->row.run_id, skipper->id, STR("skipmixin_key"), map_index};
    JSON_SCOPED json_t *value = NULL;
    struct err err = {0};
    struct str text;

    if (store_get_xcom(q->conn, &a, &k, &text, &err) < 0) {
        log_error("%s", err.message);
        return false;
    }
    if (str_is_null(text) || json_parse(text, &value, &err) < 0)
        return false;
    const json_t *followed = json_object_get(value, "followed");
    return followed ? !has_text(followed, t->id) : has_text(json_object_get(value, "skipped"), t->id);
}

/* The run before this one by logical date: PrevDagrunDep. */
static bool past_allows(void *ctx, const struct dag_task *t)
{
    struct asker *q = ctx;
    bool allowed = true;
    struct err err = {0};

    if (q->run->row.logical_us == NO_TIME)
        return true;
    if (store_past_allows(q->conn, &q->run->row, t, q->run->run.dag, &allowed, &err) < 0) {
        log_error("%s", err.message);
        return false;
    }
    return allowed;
}

/* ---- storing what was decided ---- */

static struct instance_row *new_row(struct active_run *r, struct task_instance *ti)
{
    struct instance_row *row = arena_new(&r->arena, struct instance_row);

    *row = (struct instance_row){.task_id = r->run.dag->tasks[ti->task].id,
                                 .start_us = NO_TIME,
                                 .end_us = NO_TIME,
                                 .queued_us = NO_TIME,
                                 .scheduled_us = NO_TIME,
                                 .ready_us = NO_TIME,
                                 .heartbeat_us = NO_TIME,
                                 .first_start_us = NO_TIME};
    uuid_v7(row->id);
    ti->row = row;
    return row;
}

static void copy_to_row(const struct task_instance *ti)
{
    struct instance_row *row = row_of(ti);

    row->map_index = ti->map_index;
    row->try_number = ti->try_number;
    row->max_tries = ti->max_tries;
    row->state = ti->state;
    if (task_state_is_finished(ti->state) && row->end_us == NO_TIME)
        row->end_us = ti->end_us;
}

static int store_changes(struct active_run *r, struct db_conn *c, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < r->run.dag->task_count; i++)
        for (size_t k = 0; rc == 0 && k < r->run.tasks[i].instances.n; k++) {
            struct task_instance *ti = r->run.tasks[i].instances.items[k];
            if (!ti->is_new && !ti->is_changed)
                continue;
            bool is_new = ti->is_new;
            if (!ti->row)
                new_row(r, ti);
            copy_to_row(ti);
            rc = is_new ? store_insert_instance(c, &r->row, row_of(ti), err)
                        : store_update_instance(c, row_of(ti), err);
            ti->is_new = ti->is_changed = false;
        }
    return rc;
}

static void schedule(struct active_run *r, struct task_instance *ti, int64_t now_us, bool *ret_more)
{
    struct instance_row *row = ti->row ? row_of(ti) : new_row(r, ti);

    if (ti->state != TASK_UP_FOR_RESCHEDULE)
        ti->try_number++;
    row->scheduled_us = now_us;
    row->end_us = NO_TIME;
    row->ready_us = NO_TIME;
    if (r->run.dag->tasks[ti->task].is_empty) {
        row->start_us = row->end_us = ti->end_us = now_us;
        run_set_state(&r->run, ti, TASK_SUCCESS);
        *ret_more = true;
    } else {
        run_set_state(&r->run, ti, TASK_SCHEDULED);
    }
}

static void end_run(struct active_run *r, enum run_state state, int64_t now_us)
{
    struct known_dag *d = flow_known_dag(r->flow, r->row.dag_id);

    r->row.state = state;
    r->row.end_us = now_us;
    if (d)
        d->running--;
    log_info("run %.*s of %.*s: %.*s", STR_ARG(r->row.run_id), STR_ARG(r->row.dag_id), STR_ARG(run_state_name(state)));
}

/* One decision, in one transaction. */
static int step(struct active_run *r, struct db_conn *c, bool *ret_more, struct err *err)
{
    struct asker q = {r, c};
    const struct run_source source = {&q, result_length, was_skipped_by, past_allows};
    struct run_decision d;
    int64_t now = clock_wall_us();
    int rc = db_begin(c, err);

    *ret_more = false;
    if (rc < 0)
        return rc;
    run_decide(&r->run, &source, now, &d);
    for (size_t i = 0; i < d.ready.n; i++)
        schedule(r, d.ready.items[i], now, ret_more);
    vec_release(&d.ready);
    rc = store_changes(r, c, err);
    if (rc == 0 && d.state != RUN_RUNNING) {
        end_run(r, d.state, now);
        rc = store_update_run(c, &r->row, err);
    }
    return rc < 0 ? rc : db_commit(c, err);
}

int flow_advance(struct active_run *r, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    bool more = true;
    int rc = db_acquire(r->flow->o.db, &c, err);

    while (rc == 0 && more && r->row.state == RUN_RUNNING)
        rc = step(r, c, &more, err);
    return rc;
}

/* ---- active runs ---- */

static void free_run(struct active_run *r)
{
    if (r->has_instances)
        run_release(&r->run);
    arena_release(&r->arena);
    free(r);
}

static struct active_run *add_run(struct flow *f, const struct run_row *row)
{
    struct active_run *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    arena_init(&r->arena, RUN_TEXTS_MAX);
    r->flow = f;
    r->row = *row;
    r->row.dag_id = arena_str(&r->arena, row->dag_id);
    r->row.run_id = arena_str(&r->arena, row->run_id);
    r->row.version_id = arena_str(&r->arena, row->version_id);
    r->row.run_type = arena_str(&r->arena, row->run_type);
    r->row.conf = arena_str(&r->arena, row->conf);
    if (!str_is_null(row->triggering_user))
        r->row.triggering_user = arena_str(&r->arena, row->triggering_user);
    vec_push(&f->runs, r);
    return r;
}

static struct str copy_text(struct active_run *r, struct str s)
{
    return str_is_null(s) ? s : arena_str(&r->arena, s);
}

/* The instances that are stored, and those that the DAG has beside. */
static int load_instances(struct active_run *r, struct db_conn *c, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct instance_row *rows;
    struct dag *dag;
    size_t n;
    int rc = store_load_version(c, r->row.version_id, &dag, err);

    if (rc == 0 && (rc = store_load_instances(c, &a, r->row.id, &rows, &n, err)) < 0)
        dag_unref(dag);
    if (rc < 0)
        return rc;
    run_init_empty(&r->run, dag);
    dag_unref(dag);
    r->has_instances = true;
    r->run.logical_us = r->row.logical_us;
    for (size_t i = 0; i < n; i++) {
        const struct dag_task *t = dag_task(r->run.dag, rows[i].task_id);
        if (!t)
            continue;
        struct task_instance *ti = run_add(&r->run, dag_task_index(r->run.dag, t), rows[i].map_index, rows[i].state);
        struct instance_row *row = arena_new(&r->arena, struct instance_row);
        *row = rows[i];
        row->task_id = t->id;
        row->hostname = copy_text(r, row->hostname);
        row->unixname = copy_text(r, row->unixname);
        row->next_method = copy_text(r, row->next_method);
        row->next_kwargs = copy_text(r, row->next_kwargs);
        row->rendered = copy_text(r, row->rendered);
        row->rendered_map_index = copy_text(r, row->rendered_map_index);
        ti->row = row;
        ti->try_number = row->try_number;
        ti->max_tries = row->max_tries;
        ti->ready_us = row->ready_us == NO_TIME ? 0 : row->ready_us;
        ti->end_us = row->end_us;
    }
    run_fill(&r->run);
    return 0;
}

/* Queued runs start as far as max_active_runs allows. */
static int start_runs(struct flow *f, struct err *err)
{
    int64_t now = clock_wall_us();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < f->runs.n; i++) {
        struct active_run *r = f->runs.items[i];
        struct known_dag *d = flow_known_dag(f, r->row.dag_id);
        if (r->row.state != RUN_QUEUED || r->row.run_after_us > now || !d || d->row.is_paused)
            continue;
        DB_CONN_SCOPED struct db_conn *c = NULL;
        if ((rc = db_acquire(f->o.db, &c, err)) < 0 || (!r->has_instances && (rc = load_instances(r, c, err)) < 0))
            return rc;
        int limit = r->run.dag->timetable && timetable_active_runs_limit(r->run.dag->timetable)
                        ? 1
                        : r->run.dag->max_active_runs;
        if (d->running >= limit)
            continue;
        d->running++;
        r->row.state = RUN_RUNNING;
        if (r->row.start_us == NO_TIME)
            r->row.start_us = now;
        rc = store_update_run(c, &r->row, err);
        if (rc == 0)
            rc = flow_advance(r, err);
    }
    return rc;
}

static void forget_ended_runs(struct flow *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->runs.n; i++) {
        struct active_run *r = f->runs.items[i];
        if (r->row.state == RUN_RUNNING || r->row.state == RUN_QUEUED)
            f->runs.items[kept++] = r;
        else
            free_run(r);
    }
    f->runs.n = kept;
}

/* ---- new runs ---- */

static struct str iso_time(struct arena *a, int64_t us)
{
    struct clock_civil c;
    char micros[16] = "";

    clock_civil_from_us(us, &c);
    if (c.micros)
        snprintf(micros, sizeof(micros), ".%06d", c.micros);
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d%s+00:00", (int)c.year, c.month, c.day, c.hour, c.minute,
                        c.second, micros);
}

/* DagRun.generate_run_id */
static struct str make_run_id(struct arena *a, struct str type, int64_t logical_us, int64_t run_after_us)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    char random[9] = {0};

    if (logical_us != NO_TIME)
        return arena_printf(a, "%.*s__%.*s", STR_ARG(type), STR_ARG(iso_time(a, logical_us)));
    for (int i = 0; i < 8; i++)
        random[i] = letters[rand_u64() % (sizeof(letters) - 1)];
    return arena_printf(a, "%.*s__%.*s_%s", STR_ARG(type), STR_ARG(iso_time(a, run_after_us)), random);
}

static int insert_run(struct flow *f, struct run_row *row, const struct data_interval *automated, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    int rc = db_acquire(f->o.db, &c, err);

    if (rc == 0)
        rc = db_begin(c, err);
    if (rc < 0)
        return rc;
    rc = store_insert_run(c, row, err);
    if (rc == 0 && automated)
        rc = store_set_last_interval(c, row->dag_id, *automated, err);
    if (rc == 0)
        return db_commit(c, err);
    db_rollback(c);
    return rc;
}

/* The run that a DAG's timetable makes next; false: none is due. *ret_due gets when the next one is, NO_TIME: never. */
static bool next_run(const struct known_dag *d, int64_t now_us, struct run_times *ret, int64_t *ret_due)
{
    const struct dag *g = d->row.dag;
    const struct data_interval *last = d->row.last_interval.start_us == NO_TIME ? NULL : &d->row.last_interval;

    *ret_due = NO_TIME;
    if (!g || !g->timetable || d->row.is_paused || d->row.is_stale)
        return false;
    const struct time_restriction r = {.has_earliest = g->has_start_date,
                                       .has_latest = g->has_end_date,
                                       .catchup = g->catchup,
                                       .earliest_us = g->start_us,
                                       .latest_us = g->end_us};
    if (!timetable_next(g->timetable, last, &r, now_us, ret))
        return false;
    *ret_due = ret->run_after_us;
    return ret->run_after_us <= now_us;
}

static int make_due_runs(struct flow *f, int64_t now_us, int64_t *ret_next_us, struct err *err)
{
    int rc = 0;

    for (struct map_entry *e = NULL; rc == 0 && (e = map_next(&f->dags, e));) {
        struct known_dag *d = e->value;
        struct run_times t;
        int64_t due;
        int active = 0;
        for (size_t i = 0; i < f->runs.n; i++)
            active += str_eq(f->runs.items[i]->row.dag_id, d->row.id);
        while (rc == 0 && next_run(d, now_us, &t, &due) && active < d->row.dag->max_active_runs) {
            ARENA_SCOPED struct arena a = ARENA_INIT;
            struct run_row row = {.dag_id = d->row.id,
                                  .run_id = make_run_id(&a, STR("scheduled"), t.interval.start_us, 0),
                                  .version_id = d->row.version_id,
                                  .run_type = STR("scheduled"),
                                  .conf = STR("{}"),
                                  .state = RUN_QUEUED,
                                  .logical_us = t.interval.start_us,
                                  .run_after_us = t.run_after_us,
                                  .queued_us = now_us,
                                  .start_us = NO_TIME,
                                  .end_us = NO_TIME,
                                  .interval = t.interval};
            rc = insert_run(f, &row, &t.interval, err);
            if (rc == ERR_EXISTS) { /* somebody triggered one of this date: go on behind it */
                DB_CONN_SCOPED struct db_conn *c = NULL;
                rc = db_acquire(f->o.db, &c, err);
                if (rc == 0)
                    rc = store_set_last_interval(c, d->row.id, t.interval, err);
            } else if (rc == 0) {
                add_run(f, &row);
                active++;
            }
            d->row.last_interval = t.interval;
        }
        if (rc == 0 && !next_run(d, now_us, &t, &due) && due != NO_TIME && due < *ret_next_us)
            *ret_next_us = due;
    }
    return rc;
}

int flow_trigger(struct flow *f, struct arena *a, const struct flow_trigger *t, struct run_row *ret, struct err *err)
{
    int64_t now = clock_wall_us(), after = t->run_after_us == NO_TIME ? now : t->run_after_us;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct known_dag *d = flow_known_dag(f, t->dag_id);
    if (!d || !d->row.dag) {
        rc = err_set(err, ERR_NOT_FOUND, "DAG with dag_id: '%.*s' not found", STR_ARG(t->dag_id));
    } else {
        *ret = (struct run_row){
            .dag_id = arena_str(a, t->dag_id),
            .run_id = arena_str(a, str_is_null(t->run_id) ? make_run_id(a, STR("manual"), t->logical_us, after)
                                                          : t->run_id),
            .version_id = arena_str(a, d->row.version_id),
            .run_type = STR("manual"),
            .conf = arena_str(a, str_is_null(t->conf) ? STR("{}") : t->conf),
            .triggering_user = str_is_null(t->user) ? STR_NULL : arena_str(a, t->user),
            .state = RUN_QUEUED,
            .logical_us = t->logical_us,
            .run_after_us = after,
            .queued_us = now,
            .start_us = NO_TIME,
            .end_us = NO_TIME,
            .interval = {NO_TIME, NO_TIME},
        };
        if (t->logical_us != NO_TIME)
            ret->interval = d->row.dag->timetable ? timetable_manual_interval(d->row.dag->timetable, t->logical_us)
                                                  : (struct data_interval){t->logical_us, t->logical_us};
        rc = insert_run(f, ret, NULL, err);
        if (rc == ERR_EXISTS)
            rc = err_set(err, ERR_EXISTS, "A run of %.*s with this run_id or logical date exists already",
                         STR_ARG(t->dag_id));
    }
    if (rc == 0) {
        add_run(f, ret);
        flow_poke(f);
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

int flow_set_paused(struct flow *f, struct str dag_id, bool paused, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    int rc = db_acquire(f->o.db, &c, err);

    if (rc == 0)
        rc = store_set_paused(c, dag_id, paused, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&f->lock);
    struct known_dag *d = flow_known_dag(f, dag_id);
    if (d)
        d->row.is_paused = paused;
    flow_poke(f);
    pthread_mutex_unlock(&f->lock);
    return 0;
}

/* ---- instances ---- */

struct str flow_log_path(struct arena *a, const struct run_row *run, const struct instance_row *row)
{
    char map_index[32] = "";

    if (row->map_index >= 0)
        snprintf(map_index, sizeof(map_index), "map_index=%d/", row->map_index);
    return arena_printf(a, "dag_id=%.*s/run_id=%.*s/task_id=%.*s/%sattempt=%d.log", STR_ARG(run->dag_id),
                        STR_ARG(run->run_id), STR_ARG(row->task_id), map_index, row->try_number);
}

static struct task_instance *find_instance(struct flow *f, struct str id, struct active_run **ret_run)
{
    for (size_t i = 0; i < f->runs.n; i++) {
        struct active_run *r = f->runs.items[i];
        for (size_t t = 0; r->has_instances && t < r->run.dag->task_count; t++)
            for (size_t k = 0; k < r->run.tasks[t].instances.n; k++) {
                struct task_instance *ti = r->run.tasks[t].instances.items[k];
                if (ti->row && str_eq_cstr(id, row_of(ti)->id)) {
                    *ret_run = r;
                    return ti;
                }
            }
    }
    return NULL;
}

static int instance_missing(struct str id, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "Task Instance %.*s not found", STR_ARG(id));
}

static int store_one(struct active_run *r, struct task_instance *ti, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    int rc = db_acquire(r->flow->o.db, &c, err);

    copy_to_row(ti);
    ti->is_changed = false;
    return rc < 0 ? rc : store_update_instance(c, row_of(ti), err);
}

static void copy_instance(struct flow *f, struct arena *a, struct active_run *r, struct task_instance *ti,
                          struct flow_instance *ret)
{
    struct known_dag *d = flow_known_dag(f, r->row.dag_id);

    *ret = (struct flow_instance){.run = r->row, .row = *row_of(ti), .retries = r->run.dag->tasks[ti->task].retries};
    ret->run.dag_id = arena_str(a, r->row.dag_id);
    ret->run.run_id = arena_str(a, r->row.run_id);
    ret->run.conf = arena_str(a, r->row.conf);
    ret->run.run_type = arena_str(a, r->row.run_type);
    ret->row.task_id = arena_str(a, ret->row.task_id);
    ret->row.next_method = str_is_null(ret->row.next_method) ? STR_NULL : arena_str(a, ret->row.next_method);
    ret->row.next_kwargs = str_is_null(ret->row.next_kwargs) ? STR_NULL : arena_str(a, ret->row.next_kwargs);
    if (!str_is_null(ret->run.triggering_user))
        ret->run.triggering_user = arena_str(a, ret->run.triggering_user);
    ret->reschedules = ret->row.reschedules;
    if (d)
        ret->dag = d->row;
}

int flow_find_instance(struct flow *f, struct arena *a, struct str id, struct flow_instance *ret, struct err *err)
{
    struct active_run *r;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, id, &r);
    if (ti)
        copy_instance(f, a, r, ti, ret);
    pthread_mutex_unlock(&f->lock);
    return ti ? 0 : instance_missing(id, err);
}

int flow_instance_run(struct flow *f, struct arena *a, struct str id, struct str hostname, struct str unixname,
                      int64_t pid, int64_t start_us, struct flow_instance *ret, struct err *err)
{
    struct active_run *r;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, id, &r);
    if (!ti) {
        rc = instance_missing(id, err);
    } else if (ti->state != TASK_QUEUED) {
        struct str state = task_state_name(ti->state);
        rc = err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(str_is_null(state) ? STR("None") : state));
    } else {
        struct instance_row *row = row_of(ti);
        row->hostname = arena_str(&r->arena, hostname);
        row->unixname = arena_str(&r->arena, unixname);
        row->pid = pid;
        row->start_us = start_us;
        row->end_us = NO_TIME;
        row->heartbeat_us = clock_wall_us();
        run_set_state(&r->run, ti, TASK_RUNNING);
        rc = store_one(r, ti, err);
        if (rc == 0)
            copy_instance(f, a, r, ti, ret);
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

int flow_instance_heartbeat(struct flow *f, struct str id, struct str hostname, int64_t pid, struct err *err)
{
    struct active_run *r;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, id, &r);
    if (!ti)
        rc = instance_missing(id, err);
    else if (ti->state != TASK_RUNNING || row_of(ti)->pid != pid || !str_eq(row_of(ti)->hostname, hostname))
        rc = err_set(err, ERR_CONFLICT,
                     "TI is no longer in the running state or runs elsewhere: task should terminate");
    else
        row_of(ti)->heartbeat_us = clock_wall_us(); /* in memory: a restart asks anew anyway */
    pthread_mutex_unlock(&f->lock);
    return rc;
}

/* TaskInstance.next_retry_datetime */
static int64_t retry_at(const struct active_run *r, const struct task_instance *ti, int64_t end_us)
{
    const struct dag_task *t = &r->run.dag->tasks[ti->task];
    double seconds = (double)t->retry_delay_us / 1e6;

    if (t->retry_backoff > 0 && t->retry_backoff != 1) {
        double least = ceil(seconds * pow(t->retry_backoff, ti->try_number - 1));
        least = least < 1 ? 1 : least > RETRY_DELAY_MAX_S ? RETRY_DELAY_MAX_S : least;
        seconds = least + (double)(rand_u64() % (uint64_t)least); /* Airflow draws it from a hash of the try */
        seconds = seconds > RETRY_DELAY_MAX_S ? RETRY_DELAY_MAX_S : seconds;
        if (t->max_retry_delay_us && seconds > (double)t->max_retry_delay_us / 1e6)
            seconds = (double)t->max_retry_delay_us / 1e6;
    }
    return end_us + (int64_t)(seconds * 1e6);
}

static int end_instance(struct active_run *r, struct task_instance *ti, const struct flow_end *end, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct instance_row *row = row_of(ti);
    struct str log = flow_log_path(&r->arena, &r->row, row);
    int rc = db_acquire(r->flow->o.db, &c, err);

    if (rc == 0)
        rc = db_begin(c, err);
    if (rc < 0)
        return rc;
    if (task_state_is_executing(ti->state))
        r->flow->executing--;
    row->end_us = ti->end_us = end->end_us;
    if (!str_is_null(end->rendered_map_index))
        row->rendered_map_index = arena_str(&r->arena, end->rendered_map_index);
    run_set_state(&r->run, ti, end->state);
    if (end->state == TASK_UP_FOR_RETRY)
        ti->ready_us = row->ready_us = retry_at(r, ti, end->end_us);
    if (end->state == TASK_UP_FOR_RESCHEDULE) {
        ti->ready_us = row->ready_us = end->reschedule_us;
        if (row->reschedules++ == 0)
            row->first_start_us = row->start_us;
    } else {
        row->reschedules = 0;
    }
    copy_to_row(ti);
    ti->is_changed = false;
    rc = store_update_instance(c, row, err);
    if (rc == 0 && end->state == TASK_UP_FOR_RETRY)
        rc = store_archive_try(c, row, err);
    if (rc == 0)
        rc = db_commit(c, err);
    if (rc == 0 && r->flow->o.log_ended)
        r->flow->o.log_ended(r->flow->o.ctx, log);
    return rc;
}

/* What follows from it: the run goes on, and the place is free. */
static int go_on(struct active_run *r, struct err *err)
{
    struct flow *f = r->flow;
    int rc = flow_advance(r, err);

    if (rc == 0 && r->row.state != RUN_RUNNING) {
        forget_ended_runs(f);
        rc = start_runs(f, err);
    }
    if (rc == 0)
        rc = flow_dispatch(f, err);
    flow_poke(f);
    return rc;
}

int flow_instance_end(struct flow *f, struct str id, const struct flow_end *end, struct err *err)
{
    struct active_run *r;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, id, &r);
    if (!ti)
        rc = instance_missing(id, err);
    else if (ti->state != TASK_RUNNING)
        rc = err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(task_state_name(ti->state)));
    else
        rc = end_instance(r, ti, end, err);
    if (rc == 0)
        rc = go_on(r, err);
    pthread_mutex_unlock(&f->lock);
    return rc;
}

void flow_process_ended(void *flow, const char *launch, int code, int signal_number)
{
    struct flow *f = flow;
    struct active_run *r;
    struct err err = {0};
    char name[LAUNCH_NAME_SIZE] = "";
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, str_slice(str_from_cstr(launch), 0, UUID_TEXT_SIZE - 1), &r);
    if (ti)
        flow_launch_name(row_of(ti), name);
    if (ti && strcmp(name, launch) == 0 && task_state_is_executing(ti->state)) {
        bool again = ti->try_number <= ti->max_tries;
        const struct flow_end end = {.state = again ? TASK_UP_FOR_RETRY : TASK_FAILED, .end_us = clock_wall_us()};
        log_warn("the process of %.*s in %.*s ended without a word (code %d, signal %d)", STR_ARG(row_of(ti)->task_id),
                 STR_ARG(r->row.run_id), code, signal_number);
        rc = end_instance(r, ti, &end, &err);
        if (rc == 0)
            rc = go_on(r, &err);
    }
    pthread_mutex_unlock(&f->lock);
    if (rc < 0)
        log_error("%s", err.message);
}

int flow_skip_downstream(struct flow *f, struct str id, const struct str *tasks, const int *map_indexes, size_t n,
                         struct err *err)
{
    struct active_run *r;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    if (!find_instance(f, id, &r)) {
        rc = instance_missing(id, err);
        n = 0;
    }
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct dag_task *t = dag_task(r->run.dag, tasks[i]);
        struct task_instance *ti = t ? run_find(&r->run, dag_task_index(r->run.dag, t), map_indexes[i]) : NULL;
        if (!ti || !ti->row || !task_state_is_schedulable(ti->state))
            continue;
        row_of(ti)->start_us = row_of(ti)->end_us = ti->end_us = clock_wall_us();
        run_set_state(&r->run, ti, TASK_SKIPPED);
        rc = store_one(r, ti, err);
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

int flow_set_rendered(struct flow *f, struct str id, struct str fields, struct err *err)
{
    struct active_run *r;
    int rc = 0;

    pthread_mutex_lock(&f->lock);
    struct task_instance *ti = find_instance(f, id, &r);
    if (!ti) {
        rc = instance_missing(id, err);
    } else {
        row_of(ti)->rendered = arena_str(&r->arena, fields);
        rc = store_one(r, ti, err);
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

/* ---- the thread ---- */

static void kill_process(struct flow *f, const struct task_instance *ti)
{
    char launch[LAUNCH_NAME_SIZE];

    flow_launch_name(row_of(ti), launch);
    executor_kill(f->executor, launch);
}

/* What time brings: retries and reschedules that are due, tasks whose heartbeats stayed away, runs past their timeout. */
static int look_at_runs(struct flow *f, int64_t now_us, int64_t *ret_next_us, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < f->runs.n; i++) {
        struct active_run *r = f->runs.items[i];
        bool is_due = false;
        if (r->row.state == RUN_QUEUED && r->row.run_after_us > now_us && r->row.run_after_us < *ret_next_us)
            *ret_next_us = r->row.run_after_us;
        for (size_t t = 0; r->row.state == RUN_RUNNING && t < r->run.dag->task_count; t++) {
            const struct run_task *of = &r->run.tasks[t];
            if (!of->counts[TASK_UP_FOR_RETRY] && !of->counts[TASK_UP_FOR_RESCHEDULE] && !of->counts[TASK_RUNNING])
                continue;
            for (size_t k = 0; k < of->instances.n; k++) {
                struct task_instance *ti = of->instances.items[k];
                bool waits = ti->state == TASK_UP_FOR_RETRY || ti->state == TASK_UP_FOR_RESCHEDULE;
                if (waits && ti->ready_us <= now_us)
                    is_due = true;
                else if (waits && ti->ready_us < *ret_next_us)
                    *ret_next_us = ti->ready_us;
                else if (ti->state == TASK_RUNNING &&
                         row_of(ti)->heartbeat_us + HEARTBEAT_TIMEOUT_S * SECOND_US <= now_us)
                    kill_process(f, ti); /* its end is then told as any other */
            }
        }
        if (is_due)
            rc = flow_advance(r, err);
    }
    forget_ended_runs(f);
    return rc;
}

static void *serve(void *flow)
{
    struct flow *f = flow;

    pthread_mutex_lock(&f->lock);
    while (!f->is_stopping) {
        struct err err = {0};
        int64_t now = clock_wall_us(), next = now + IDLE_WAIT_S * SECOND_US;
        f->is_poked = false;
        int rc = make_due_runs(f, now, &next, &err);
        if (rc == 0)
            rc = start_runs(f, &err);
        if (rc == 0)
            rc = look_at_runs(f, now, &next, &err);
        if (rc == 0)
            rc = flow_dispatch(f, &err);
        if (rc < 0) {
            log_error("the scheduler: %s", err.message);
            next = now + SECOND_US;
        }
        struct timespec until = {.tv_sec = next / SECOND_US, .tv_nsec = next % SECOND_US * 1000};
        while (!f->is_poked && !f->is_stopping && pthread_cond_timedwait(&f->wake, &f->lock, &until) == 0)
            continue;
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* ---- opening ---- */

static void forget_dags(struct flow *f)
{
    for (struct map_entry *e = NULL; (e = map_next(&f->dags, e));) {
        struct known_dag *d = e->value;
        dag_unref(d->row.dag);
        arena_release(&d->arena);
        free(d);
    }
    map_release(&f->dags);
    f->dags = (struct map)MAP_INIT;
}

int flow_reload_dags(struct flow *f, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct dag_row *rows;
    size_t n;
    int rc = db_acquire(f->o.db, &c, err);

    if (rc == 0)
        rc = store_list_dags(c, &a, &rows, &n, err);
    if (rc < 0)
        return rc;
    struct map before = f->dags;
    f->dags = (struct map)MAP_INIT;
    for (size_t i = 0; i < n; i++) {
        struct known_dag *old = map_get(&before, rows[i].id), *d = calloc(1, sizeof(*d));
        struct err why = {0};
        if (!d)
            abort();
        d->row = rows[i];
        d->row.id = arena_str(&d->arena, rows[i].id);
        d->row.bundle = arena_str(&d->arena, rows[i].bundle);
        d->row.relative_fileloc = arena_str(&d->arena, rows[i].relative_fileloc);
        d->row.version_id = arena_str(&d->arena, rows[i].version_id);
        if (old && old->row.dag && str_eq(old->row.version_id, d->row.version_id))
            d->row.dag = dag_ref(old->row.dag);
        else if (store_load_version(c, d->row.version_id, &d->row.dag, &why) < 0)
            log_error("%.*s: %s", STR_ARG(d->row.id), why.message);
        for (size_t k = 0; k < f->runs.n; k++)
            d->running += f->runs.items[k]->row.state == RUN_RUNNING && str_eq(f->runs.items[k]->row.dag_id, d->row.id);
        map_set(&f->dags, d->row.id, d);
    }
    struct map now = f->dags;
    f->dags = before;
    forget_dags(f);
    f->dags = now;
    return 0;
}

/* After a restart no process of ours is left: what was queued is given out anew, what ran has lost its process. */
static int recover(struct flow *f, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    DB_CONN_SCOPED struct db_conn *c = NULL;
    struct run_row *rows;
    size_t n;
    int rc = db_acquire(f->o.db, &c, err);

    if (rc == 0)
        rc = store_active_runs(c, &a, &rows, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct active_run *r = add_run(f, &rows[i]);
        if (r->row.state != RUN_RUNNING)
            continue;
        rc = load_instances(r, c, err);
        for (size_t t = 0; rc == 0 && t < r->run.dag->task_count; t++)
            for (size_t k = 0; rc == 0 && k < r->run.tasks[t].instances.n; k++) {
                struct task_instance *ti = r->run.tasks[t].instances.items[k];
                if (ti->state == TASK_QUEUED)
                    run_set_state(&r->run, ti, TASK_SCHEDULED);
                if (ti->state != TASK_RUNNING)
                    continue;
                const struct flow_end end = {.state = ti->try_number <= ti->max_tries ? TASK_UP_FOR_RETRY : TASK_FAILED,
                                             .end_us = clock_wall_us()};
                f->executing++;
                rc = end_instance(r, ti, &end, err);
            }
        if (rc == 0)
            rc = flow_advance(r, err);
    }
    return rc;
}

int flow_open(const struct flow_options *o, struct flow **ret, struct err *err)
{
    struct flow *f = calloc(1, sizeof(*f));

    if (!f)
        return err_set(err, ERR_LIMIT, "no memory for the flow service");
    f->o = *o;
    pthread_mutex_init(&f->lock, NULL);
    pthread_mutex_init(&f->parse_lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    const struct executor_options e = {.python = o->python,
                                       .script = arena_printf(&f->arena, "%s/launcher.py", o->scripts).p,
                                       .home = o->home,
                                       .dags = o->dags,
                                       .logs = o->logs,
                                       .ctx = f,
                                       .ended = flow_process_ended};
    int rc = store_prepare(o->db, err);
    if (rc == 0)
        rc = recover(f, err);
    if (rc == 0)
        rc = flow_reload_dags(f, err);
    if (rc == 0)
        rc = executor_new(&e, &f->executor, err);
    if (rc == 0 && (rc = pthread_create(&f->thread, NULL, serve, f)) != 0)
        rc = err_set_errno(err, rc, "no thread for the scheduler");
    if (rc < 0) {
        f->is_stopping = true;
        flow_close(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void flow_close(struct flow *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    bool has_thread = !f->is_stopping;
    f->is_stopping = true;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
    if (has_thread)
        pthread_join(f->thread, NULL);
    executor_free(f->executor);
    parser_free(f->parser);
    for (size_t i = 0; i < f->runs.n; i++)
        free_run(f->runs.items[i]);
    vec_release(&f->runs);
    forget_dags(f);
    flow_forget_files(f);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->parse_lock);
    pthread_mutex_destroy(&f->lock);
    arena_release(&f->arena);
    free(f);
}
