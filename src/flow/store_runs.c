/* Runs and their task instances. */
#include "flow/store_internal.h"

#include "base/rand.h"

/* ---- runs ---- */

#define RUN_COLUMNS                                                                                            \
    "id, dag_id, run_id, version_id, run_type, state, logical_date, interval_start, interval_end, run_after, " \
    "queued, started, ended, conf, triggering_user, clear_number"
enum { RUN_COLUMN_COUNT = 16 };

static void run_values(const struct run_row *r, struct db_value to[RUN_COLUMN_COUNT])
{
    const struct db_value values[RUN_COLUMN_COUNT] = {
        db_int(r->id),
        db_text(r->dag_id),
        db_text(r->run_id),
        db_text(r->version_id),
        db_text(r->run_type),
        db_text(run_state_name(r->state)),
        store_time(r->logical_us),
        store_time(r->interval.start_us),
        store_time(r->interval.end_us),
        db_int(r->run_after_us),
        store_time(r->queued_us),
        store_time(r->start_us),
        store_time(r->end_us),
        db_text(r->conf),
        db_text(r->triggering_user),
        db_int(r->clear_number),
    };

    memcpy(to, values, sizeof(values));
}

static int read_run(const struct db_rows *rows, size_t i, struct run_row *ret, struct err *err)
{
    *ret = (struct run_row){
        .id = db_at(rows, i, 0).i,
        .dag_id = db_at(rows, i, 1).text,
        .run_id = db_at(rows, i, 2).text,
        .version_id = db_at(rows, i, 3).text,
        .run_type = db_at(rows, i, 4).text,
        .logical_us = store_read_time(&db_at(rows, i, 6)),
        .interval = {store_read_time(&db_at(rows, i, 7)), store_read_time(&db_at(rows, i, 8))},
        .run_after_us = db_at(rows, i, 9).i,
        .queued_us = store_read_time(&db_at(rows, i, 10)),
        .start_us = store_read_time(&db_at(rows, i, 11)),
        .end_us = store_read_time(&db_at(rows, i, 12)),
        .conf = store_read_text(&db_at(rows, i, 13)),
        .triggering_user = store_read_text(&db_at(rows, i, 14)),
        .clear_number = (int)db_at(rows, i, 15).i,
    };
    if (!run_state_find(db_at(rows, i, 5).text, &ret->state))
        return err_set(err, ERR_CORRUPT, "the run %.*s has an unknown state", STR_ARG(ret->run_id));
    return 0;
}

int store_insert_run(struct db_conn *c, struct run_row *row, struct err *err)
{
    struct db_value values[RUN_COLUMN_COUNT];
    int64_t now = row->queued_us;

    row->id = (now << 10 | (int64_t)(rand_u64() & 0x3ff)) & INT64_MAX; /* grows with time */
    run_values(row, values);
    int rc = db_exec(c,
                     "INSERT INTO flow_run (" RUN_COLUMNS
                     ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
                     values, RUN_COLUMN_COUNT, NULL, err);
    return rc;
}

int store_update_run(struct db_conn *c, const struct run_row *row, struct err *err)
{
    const struct db_value values[] = {db_int(row->id),
                                      db_text(run_state_name(row->state)),
                                      store_time(row->queued_us),
                                      store_time(row->start_us),
                                      store_time(row->end_us),
                                      db_int(row->clear_number),
                                      db_text(row->version_id)};

    return db_exec(c,
                   "UPDATE flow_run SET state = $2, queued = $3, started = $4, ended = $5, clear_number = $6, "
                   "version_id = $7 WHERE id = $1",
                   values, ARRAY_LEN(values), NULL, err);
}

int store_active_runs(struct db_conn *c, struct arena *a, struct run_row **ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = db_query(
        c, a, "SELECT " RUN_COLUMNS " FROM flow_run WHERE state IN ('queued', 'running') ORDER BY run_after, id", NULL,
        0, &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct run_row, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; rc == 0 && i < rows.row_count; i++)
        rc = read_run(&rows, i, &(*ret)[i], err);
    return rc;
}

int store_find_run(struct db_conn *c, struct arena *a, struct str dag_id, struct str run_id, struct run_row *ret,
                   struct err *err)
{
    const struct db_value values[] = {db_text(dag_id), db_text(run_id)};
    struct db_rows rows;
    int rc = db_query(c, a, "SELECT " RUN_COLUMNS " FROM flow_run WHERE dag_id = $1 AND run_id = $2", values, 2, &rows,
                      err);

    if (rc == 0 && rows.row_count == 0)
        return err_set(err, ERR_NOT_FOUND, "The DagRun with dag_id: `%.*s` and run_id: `%.*s` was not found",
                       STR_ARG(dag_id), STR_ARG(run_id));
    return rc < 0 ? rc : read_run(&rows, 0, ret, err);
}

/* ---- instances ---- */

#define INSTANCE_COLUMNS                                                                                          \
    "id, task_id, map_index, try_number, max_tries, state, started, ended, queued, scheduled, ready, heartbeat, " \
    "hostname, unixname, pid, next_method, next_kwargs, rendered, rendered_map_index, reschedules, first_start"
enum { INSTANCE_COLUMN_COUNT = 21 };

static void instance_values(const struct instance_row *r, struct db_value to[INSTANCE_COLUMN_COUNT])
{
    const struct db_value values[INSTANCE_COLUMN_COUNT] = {
        db_text(str_from_cstr(r->id)),  db_text(r->task_id),     db_int(r->map_index),
        db_int(r->try_number),          db_int(r->max_tries),    db_text(task_state_name(r->state)),
        store_time(r->start_us),        store_time(r->end_us),   store_time(r->queued_us),
        store_time(r->scheduled_us),    store_time(r->ready_us), store_time(r->heartbeat_us),
        db_text(r->hostname),           db_text(r->unixname),    db_int(r->pid),
        db_text(r->next_method),        db_text(r->next_kwargs), db_text(r->rendered),
        db_text(r->rendered_map_index), db_int(r->reschedules),
    };

    memcpy(to, values, sizeof(values));
}

int store_insert_instance(struct db_conn *c, const struct run_row *run, const struct instance_row *row, struct err *err)
{
    struct db_value values[INSTANCE_COLUMN_COUNT + 1];

    instance_values(row, values);
    values[INSTANCE_COLUMN_COUNT] = db_int(run->id);
    return db_exec(c,
                   "INSERT INTO flow_instance (" INSTANCE_COLUMNS
                   ", run) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, "
                   "$19, $20, $21, $22)",
                   values, INSTANCE_COLUMN_COUNT + 1, NULL, err);
}

int store_update_instance(struct db_conn *c, const struct instance_row *row, struct err *err)
{
    struct db_value values[INSTANCE_COLUMN_COUNT];

    instance_values(row, values);
    return db_exec(
        c,
        "UPDATE flow_instance SET task_id = $2, map_index = $3, try_number = $4, max_tries = $5, state = $6, "
        "started = $7, ended = $8, queued = $9, scheduled = $10, ready = $11, heartbeat = $12, hostname = "
        "$13, unixname = $14, pid = $15, next_method = $16, next_kwargs = $17, rendered = $18, "
        "rendered_map_index = $19, reschedules = $20, first_start = $21 WHERE id = $1",
        values, INSTANCE_COLUMN_COUNT, NULL, err);
}

int store_archive_try(struct db_conn *c, struct instance_row *row, struct err *err)
{
    char uuid[UUID_TEXT_SIZE];
    const struct db_value id[] = {db_text(str_from_cstr(row->id))};
    int rc = db_exec(c,
                     "INSERT INTO flow_try (id, run, task_id, map_index, try_number, max_tries, state, started, ended, "
                     "queued, scheduled, hostname, unixname, pid) SELECT id, run, task_id, map_index, try_number, "
                     "max_tries, state, started, ended, queued, scheduled, hostname, unixname, pid FROM flow_instance "
                     "WHERE id = $1",
                     id, 1, NULL, err);

    if (rc < 0)
        return rc;
    uuid_v7(uuid);
    const struct db_value both[] = {id[0], db_text(str_from_cstr(uuid))};
    rc = db_exec(c, "UPDATE flow_instance SET id = $2 WHERE id = $1", both, 2, NULL, err);
    if (rc == 0)
        memcpy(row->id, uuid, sizeof(uuid));
    return rc;
}

int store_load_instances(struct db_conn *c, struct arena *a, int64_t run, struct instance_row **ret, size_t *ret_n,
                         struct err *err)
{
    const struct db_value values[] = {db_int(run)};
    struct db_rows rows;
    int rc = db_query(c, a, "SELECT " INSTANCE_COLUMNS " FROM flow_instance WHERE run = $1 ORDER BY task_id, map_index",
                      values, 1, &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct instance_row, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++) {
        struct instance_row *r = &(*ret)[i];
        *r = (struct instance_row){
            .task_id = db_at(&rows, i, 1).text,
            .map_index = (int)db_at(&rows, i, 2).i,
            .try_number = (int)db_at(&rows, i, 3).i,
            .max_tries = (int)db_at(&rows, i, 4).i,
            .start_us = store_read_time(&db_at(&rows, i, 6)),
            .end_us = store_read_time(&db_at(&rows, i, 7)),
            .queued_us = store_read_time(&db_at(&rows, i, 8)),
            .scheduled_us = store_read_time(&db_at(&rows, i, 9)),
            .ready_us = store_read_time(&db_at(&rows, i, 10)),
            .heartbeat_us = store_read_time(&db_at(&rows, i, 11)),
            .hostname = store_read_text(&db_at(&rows, i, 12)),
            .unixname = store_read_text(&db_at(&rows, i, 13)),
            .pid = db_at(&rows, i, 14).i,
            .next_method = store_read_text(&db_at(&rows, i, 15)),
            .next_kwargs = store_read_text(&db_at(&rows, i, 16)),
            .rendered = store_read_text(&db_at(&rows, i, 17)),
            .rendered_map_index = store_read_text(&db_at(&rows, i, 18)),
            .reschedules = (int)db_at(&rows, i, 19).i,
            .first_start_us = store_read_time(&db_at(&rows, i, 20)),
        };
        struct str id = db_at(&rows, i, 0).text;
        if (id.n != UUID_TEXT_SIZE - 1 || !task_state_find(store_read_text(&db_at(&rows, i, 5)), &r->state))
            return err_set(err, ERR_CORRUPT, "a task instance of %.*s is malformed", STR_ARG(r->task_id));
        memcpy(r->id, id.p, id.n);
    }
    return 0;
}

int store_list_places(struct db_conn *c, struct arena *a, struct str dag_id, struct str run_id,
                      struct instance_place **ret, size_t *ret_n, struct err *err)
{
    const struct db_value values[] = {db_text(dag_id), db_text(run_id)};
    struct db_rows rows;
    int rc = db_query(c, a,
                      str_is_null(run_id) ? "SELECT r.run_id, i.task_id, i.state, i.map_index, r.logical_date FROM "
                                            "flow_instance i JOIN flow_run r ON r.id = i.run WHERE r.dag_id = $1 "
                                            "ORDER BY r.id, i.task_id, i.map_index"
                                          : "SELECT r.run_id, i.task_id, i.state, i.map_index, r.logical_date FROM "
                                            "flow_instance i JOIN flow_run r ON r.id = i.run WHERE r.dag_id = $1 AND "
                                            "r.run_id = $2 ORDER BY r.id, i.task_id, i.map_index",
                      values, str_is_null(run_id) ? 1 : 2, &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct instance_place, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++)
        (*ret)[i] = (struct instance_place){db_at(&rows, i, 0).text, db_at(&rows, i, 1).text,
                                            store_read_text(&db_at(&rows, i, 2)), (int)db_at(&rows, i, 3).i,
                                            store_read_time(&db_at(&rows, i, 4))};
    return 0;
}

/* ---- the past ---- */

/* Instances of a task in a run, and how many of them neither succeeded nor were skipped. */
static int count_instances(struct db_conn *c, struct arena *a, int64_t run, struct str task, int64_t *ret_all,
                           int64_t *ret_unsuccessful, struct err *err)
{
    const struct db_value values[] = {db_int(run), db_text(task)};
    struct db_rows rows;
    int rc = db_query(c, a,
                      "SELECT COUNT(*), COALESCE(SUM(CASE WHEN state IN ('success', 'skipped') THEN 0 ELSE 1 END), 0) "
                      "FROM flow_instance WHERE run = $1 AND task_id = $2",
                      values, 2, &rows, err);

    if (rc == 0) {
        *ret_all = db_at(&rows, 0, 0).i;
        *ret_unsuccessful = db_at(&rows, 0, 1).i;
    }
    return rc;
}

static int has_earlier(struct db_conn *c, struct arena *a, const struct run_row *run, struct str task, bool *ret,
                       struct err *err)
{
    const struct db_value values[] = {db_text(run->dag_id), db_int(run->logical_us), db_text(task)};
    struct db_rows rows;
    int rc = db_query(c, a,
                      "SELECT 1 FROM flow_instance i JOIN flow_run r ON r.id = i.run WHERE r.dag_id = $1 AND "
                      "r.logical_date < $2 AND i.task_id = $3 LIMIT 1",
                      values, 3, &rows, err);

    if (rc == 0)
        *ret = rows.row_count > 0;
    return rc;
}

int store_past_allows(struct db_conn *c, const struct run_row *run, const struct dag_task *t, const struct dag *dag,
                      bool *ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value values[] = {db_text(run->dag_id), db_int(run->logical_us), db_int(dag->catchup)};
    int64_t all, unsuccessful;
    struct db_rows rows;
    bool earlier;
    int rc = db_query(c, &a,
                      "SELECT id, logical_date FROM flow_run WHERE dag_id = $1 AND logical_date < $2 AND "
                      "($3 = 0 OR run_type <> 'manual') ORDER BY logical_date DESC LIMIT 1",
                      values, 3, &rows, err);

    *ret = true;
    if (rc < 0 || rows.row_count == 0 || (dag->catchup && t->has_start_date && db_at(&rows, 0, 1).i < t->start_us))
        return rc;
    rc = count_instances(c, &a, db_at(&rows, 0, 0).i, t->id, &all, &unsuccessful, err);
    if (rc < 0)
        return rc;
    if (all == 0) {
        *ret = false;
        rc = t->ignore_first_depends_on_past ? has_earlier(c, &a, run, t->id, &earlier, err) : 0;
        if (rc == 0 && t->ignore_first_depends_on_past)
            *ret = !earlier;
        return rc;
    }
    *ret = unsuccessful == 0;
    for (size_t i = 0; *ret && rc == 0 && t->wait_for_downstream && i < t->downstream_count; i++) {
        rc = count_instances(c, &a, db_at(&rows, 0, 0).i, dag->tasks[t->downstream[i]].id, &all, &unsuccessful, err);
        *ret = unsuccessful == 0;
    }
    return rc;
}
