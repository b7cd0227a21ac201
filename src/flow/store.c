/* The tables, and the rows of everything but runs and their instances (store_runs.c). */
#include "flow/store_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/enc.h"

static const char *const schema[] = {
    "CREATE TABLE flow_dag (dag_id VARCHAR(250) PRIMARY KEY, bundle VARCHAR(250) NOT NULL, fileloc TEXT NOT NULL,"
    " version_id VARCHAR(36) NOT NULL, is_paused INTEGER NOT NULL, is_stale INTEGER NOT NULL, last_start BIGINT,"
    " last_end BIGINT, last_parsed BIGINT NOT NULL)",
    "CREATE INDEX flow_dag_file ON flow_dag (bundle, fileloc)",
    "CREATE TABLE flow_dag_version (id VARCHAR(36) PRIMARY KEY, dag_id VARCHAR(250) NOT NULL, number INTEGER NOT NULL,"
    " hash VARCHAR(64) NOT NULL, document TEXT NOT NULL, source TEXT, created BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX flow_dag_version_number ON flow_dag_version (dag_id, number)",
    "CREATE TABLE flow_import_error (id VARCHAR(36) PRIMARY KEY, bundle VARCHAR(250) NOT NULL, fileloc TEXT NOT NULL,"
    " stacktrace TEXT NOT NULL, at BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX flow_import_error_file ON flow_import_error (bundle, fileloc)",
    "CREATE TABLE flow_run (id BIGINT PRIMARY KEY, dag_id VARCHAR(250) NOT NULL, run_id VARCHAR(250) NOT NULL,"
    " version_id VARCHAR(36) NOT NULL, run_type VARCHAR(50) NOT NULL, state VARCHAR(50) NOT NULL, logical_date BIGINT,"
    " interval_start BIGINT, interval_end BIGINT, run_after BIGINT NOT NULL, queued BIGINT, started BIGINT,"
    " ended BIGINT, conf TEXT, triggering_user VARCHAR(512), clear_number INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX flow_run_name ON flow_run (dag_id, run_id)",
    "CREATE UNIQUE INDEX flow_run_date ON flow_run (dag_id, logical_date)",
    "CREATE INDEX flow_run_state ON flow_run (state)",
    "CREATE TABLE flow_instance (id VARCHAR(36) PRIMARY KEY, run BIGINT NOT NULL, task_id VARCHAR(250) NOT NULL,"
    " map_index INTEGER NOT NULL, try_number INTEGER NOT NULL, max_tries INTEGER NOT NULL, state VARCHAR(20),"
    " started BIGINT, ended BIGINT, queued BIGINT, scheduled BIGINT, ready BIGINT, heartbeat BIGINT,"
    " hostname VARCHAR(1000), unixname VARCHAR(1000), pid BIGINT, next_method VARCHAR(1000), next_kwargs TEXT,"
    " rendered TEXT, rendered_map_index VARCHAR(250), reschedules INTEGER NOT NULL, first_start BIGINT)",
    "CREATE UNIQUE INDEX flow_instance_place ON flow_instance (run, task_id, map_index)",
    "CREATE TABLE flow_try (id VARCHAR(36) PRIMARY KEY, run BIGINT NOT NULL, task_id VARCHAR(250) NOT NULL,"
    " map_index INTEGER NOT NULL, try_number INTEGER NOT NULL, max_tries INTEGER NOT NULL, state VARCHAR(20),"
    " started BIGINT, ended BIGINT, queued BIGINT, scheduled BIGINT, hostname VARCHAR(1000), unixname VARCHAR(1000),"
    " pid BIGINT)",
    "CREATE INDEX flow_try_place ON flow_try (run, task_id, map_index)",
    "CREATE TABLE flow_xcom (dag_id VARCHAR(250) NOT NULL, run_id VARCHAR(250) NOT NULL, task_id VARCHAR(250) NOT NULL,"
    " map_index INTEGER NOT NULL, name VARCHAR(512) NOT NULL, value TEXT, length INTEGER, at BIGINT NOT NULL,"
    " PRIMARY KEY (dag_id, run_id, task_id, map_index, name))",
    "CREATE TABLE flow_pool (name VARCHAR(256) PRIMARY KEY, slots INTEGER NOT NULL, description TEXT,"
    " include_deferred INTEGER NOT NULL)",
    "INSERT INTO flow_pool (name, slots, description, include_deferred) VALUES ('default_pool', 128, 'Default pool', "
    "0)",
    "CREATE TABLE flow_variable (name VARCHAR(250) PRIMARY KEY, value TEXT NOT NULL, description TEXT)",
    "CREATE TABLE flow_connection (id VARCHAR(250) PRIMARY KEY, kind VARCHAR(500) NOT NULL, host VARCHAR(500),"
    " schema_name VARCHAR(500), login TEXT, password TEXT, port INTEGER, extra TEXT, description TEXT)",
};

int store_prepare(struct db *db, struct err *err)
{
    DB_CONN_SCOPED struct db_conn *c = NULL;
    bool exists;
    int rc = db_acquire(db, &c, err);

    if (rc == 0)
        rc = db_begin(c, err);
    if (rc == 0)
        rc = db_table_exists(c, "flow_dag", &exists, err);
    for (size_t i = 0; rc == 0 && !exists && i < ARRAY_LEN(schema); i++)
        rc = db_exec(c, schema[i], NULL, 0, NULL, err);
    return rc < 0 ? rc : db_commit(c, err);
}

/* ---- values ---- */

struct db_value store_time(int64_t us)
{
    return us == NO_TIME ? (struct db_value){.type = DB_NULL} : db_int(us);
}

int64_t store_read_time(const struct db_value *v)
{
    return v->type == DB_INT ? v->i : NO_TIME;
}

struct str store_read_text(const struct db_value *v)
{
    return v->type == DB_NULL ? STR_NULL : v->text;
}

/* ---- DAGs ---- */

static void hash_text(struct str text, char ret[65])
{
    unsigned char digest[HASH_MAX_SIZE];
    BUF_SCOPED struct buf hex;

    buf_init(&hex, 65);
    hash_bytes(HASH_SHA256, text, digest);
    enc_hex(&hex, digest, 32);
    memcpy(ret, hex.p, 64);
    ret[64] = '\0';
}

/* The DAG's version with this document: the one it has, or a new one. */
static int save_version(struct db_conn *c, struct arena *a, const struct parsed_dag *p, struct str source,
                        int64_t now_us, struct str *ret_id, struct err *err)
{
    const struct db_value by_dag[] = {db_text(p->dag->id)};
    struct db_rows rows;
    char hash[65], uuid[UUID_TEXT_SIZE];
    int rc = db_query(c, a,
                      "SELECT id, number, hash FROM flow_dag_version WHERE dag_id = $1 ORDER BY number DESC LIMIT 1",
                      by_dag, 1, &rows, err);

    if (rc < 0)
        return rc;
    hash_text(p->document, hash);
    if (rows.row_count && str_eq_cstr(db_at(&rows, 0, 2).text, hash)) {
        *ret_id = db_at(&rows, 0, 0).text;
        return 0;
    }
    uuid_v7(uuid);
    *ret_id = arena_str(a, str_from_cstr(uuid));
    const struct db_value values[] = {db_text(*ret_id),
                                      db_text(p->dag->id),
                                      db_int(rows.row_count ? db_at(&rows, 0, 1).i + 1 : 1),
                                      db_text(str_from_cstr(hash)),
                                      db_text(p->document),
                                      db_text(source),
                                      db_int(now_us)};
    return db_exec(c,
                   "INSERT INTO flow_dag_version (id, dag_id, number, hash, document, source, created) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                   values, ARRAY_LEN(values), NULL, err);
}

static int save_dag(struct db_conn *c, struct arena *a, struct str bundle, struct str fileloc, struct str source,
                    const struct parsed_dag *p, int64_t now_us, struct err *err)
{
    struct str version;
    int64_t changed = 0;
    bool paused = !p->dag->says_paused || p->dag->paused_upon_creation; /* dags_are_paused_at_creation */
    int rc = save_version(c, a, p, source, now_us, &version, err);

    if (rc < 0)
        return rc;
    const struct db_value values[] = {db_text(p->dag->id), db_text(bundle), db_text(fileloc),
                                      db_text(version),    db_int(now_us),  db_int(paused)};
    rc = db_exec(c,
                 "UPDATE flow_dag SET bundle = $2, fileloc = $3, version_id = $4, is_stale = 0, last_parsed = $5 "
                 "WHERE dag_id = $1",
                 values, 5, &changed, err);
    if (rc == 0 && changed == 0)
        rc = db_exec(c,
                     "INSERT INTO flow_dag (dag_id, bundle, fileloc, version_id, last_parsed, is_paused, is_stale) "
                     "VALUES ($1, $2, $3, $4, $5, $6, 0)",
                     values, 6, NULL, err);
    return rc;
}

static int save_error(struct db_conn *c, struct str bundle, struct str fileloc, struct str error, int64_t now_us,
                      struct err *err)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_v7(uuid);
    const struct db_value values[] = {db_text(bundle), db_text(fileloc), db_text(str_from_cstr(uuid)), db_text(error),
                                      db_int(now_us)};
    int rc = db_exec(c, "DELETE FROM flow_import_error WHERE bundle = $1 AND fileloc = $2", values, 2, NULL, err);
    if (rc == 0 && !str_is_null(error))
        rc = db_exec(c,
                     "INSERT INTO flow_import_error (bundle, fileloc, id, stacktrace, at) VALUES ($1, $2, $3, $4, $5)",
                     values, 5, NULL, err);
    return rc;
}

int store_save_file(struct db_conn *c, struct str bundle, struct str fileloc, struct str source,
                    const struct parsed_dag *dags, size_t n, struct str error, int64_t now_us, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value file[] = {db_text(bundle), db_text(fileloc), db_int(now_us)};
    int rc = save_error(c, bundle, fileloc, error, now_us, err);

    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = save_dag(c, &a, bundle, fileloc, source, &dags[i], now_us, err);
    /* A file that doesn't import keeps its DAGs as they were. */
    if (rc == 0 && str_is_null(error))
        rc = db_exec(c, "UPDATE flow_dag SET is_stale = 1 WHERE bundle = $1 AND fileloc = $2 AND last_parsed <> $3",
                     file, 3, NULL, err);
    return rc;
}

int store_forget_file(struct db_conn *c, struct str bundle, struct str fileloc, struct err *err)
{
    const struct db_value file[] = {db_text(bundle), db_text(fileloc)};
    int rc = db_exec(c, "UPDATE flow_dag SET is_stale = 1 WHERE bundle = $1 AND fileloc = $2", file, 2, NULL, err);

    return rc < 0 ? rc : save_error(c, bundle, fileloc, STR_NULL, 0, err);
}

int store_list_dags(struct db_conn *c, struct arena *a, struct dag_row **ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = db_query(
        c, a,
        "SELECT d.dag_id, d.bundle, d.fileloc, d.version_id, v.number, d.is_paused, d.is_stale, d.last_start,"
        " d.last_end, d.last_parsed FROM flow_dag d JOIN flow_dag_version v ON v.id = d.version_id "
        "ORDER BY d.dag_id",
        NULL, 0, &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct dag_row, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++)
        (*ret)[i] = (struct dag_row){
            .id = db_at(&rows, i, 0).text,
            .bundle = db_at(&rows, i, 1).text,
            .relative_fileloc = db_at(&rows, i, 2).text,
            .version_id = db_at(&rows, i, 3).text,
            .version_number = (int)db_at(&rows, i, 4).i,
            .is_paused = db_at(&rows, i, 5).i != 0,
            .is_stale = db_at(&rows, i, 6).i != 0,
            .last_interval = {store_read_time(&db_at(&rows, i, 7)), store_read_time(&db_at(&rows, i, 8))},
            .last_parsed_us = db_at(&rows, i, 9).i,
        };
    return 0;
}

int store_load_version(struct db_conn *c, struct str version_id, struct dag **ret, struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value values[] = {db_text(version_id)};
    struct db_rows rows;
    json_t *document;
    int rc = db_query(c, &a, "SELECT document FROM flow_dag_version WHERE id = $1", values, 1, &rows, err);

    if (rc == 0 && rows.row_count == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no DAG version %.*s", STR_ARG(version_id));
    if (rc == 0)
        rc = json_parse(db_at(&rows, 0, 0).text, &document, err);
    return rc < 0 ? rc : dag_parse(document, ret, err);
}

int store_set_last_interval(struct db_conn *c, struct str dag_id, struct data_interval last, struct err *err)
{
    const struct db_value values[] = {db_text(dag_id), store_time(last.start_us), store_time(last.end_us)};

    return db_exec(c, "UPDATE flow_dag SET last_start = $2, last_end = $3 WHERE dag_id = $1", values, 3, NULL, err);
}

int store_set_paused(struct db_conn *c, struct str dag_id, bool paused, struct err *err)
{
    const struct db_value values[] = {db_text(dag_id), db_int(paused)};
    int64_t changed = 0;
    int rc = db_exec(c, "UPDATE flow_dag SET is_paused = $2 WHERE dag_id = $1", values, 2, &changed, err);

    return rc == 0 && changed == 0
               ? err_set(err, ERR_NOT_FOUND, "The Dag with ID: `%.*s` was not found", STR_ARG(dag_id))
               : rc;
}

/* ---- results ---- */

static void key_values(const struct xcom_key *k, struct db_value to[5])
{
    to[0] = db_text(k->dag_id);
    to[1] = db_text(k->run_id);
    to[2] = db_text(k->task_id);
    to[3] = db_int(k->map_index);
    to[4] = db_text(k->key);
}

#define THIS_XCOM "dag_id = $1 AND run_id = $2 AND task_id = $3 AND map_index = $4 AND name = $5"

int store_set_xcom(struct db_conn *c, const struct xcom_key *k, struct str value, int mapped_length, int64_t now_us,
                   struct err *err)
{
    struct db_value values[8];
    int rc = store_delete_xcom(c, k, err);

    key_values(k, values);
    values[5] = db_text(value);
    values[6] = mapped_length == LENGTH_UNKNOWN ? (struct db_value){.type = DB_NULL} : db_int(mapped_length);
    values[7] = db_int(now_us);
    return rc < 0 ? rc
                  : db_exec(c,
                            "INSERT INTO flow_xcom (dag_id, run_id, task_id, map_index, name, value, length, at) "
                            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                            values, 8, NULL, err);
}

int store_get_xcom(struct db_conn *c, struct arena *a, const struct xcom_key *k, struct str *ret, struct err *err)
{
    struct db_value values[5];
    struct db_rows rows;

    key_values(k, values);
    int rc = db_query(c, a, "SELECT value FROM flow_xcom WHERE " THIS_XCOM, values, 5, &rows, err);
    if (rc == 0)
        *ret = rows.row_count ? store_read_text(&db_at(&rows, 0, 0)) : STR_NULL;
    return rc;
}

int store_list_xcoms(struct db_conn *c, struct arena *a, const struct xcom_key *k, struct str **ret, size_t *ret_n,
                     struct err *err)
{
    const struct db_value values[] = {db_text(k->dag_id), db_text(k->run_id), db_text(k->task_id), db_text(k->key)};
    struct db_rows rows;
    int rc = db_query(c, a,
                      "SELECT value FROM flow_xcom WHERE dag_id = $1 AND run_id = $2 AND task_id = $3 AND name = $4 "
                      "ORDER BY map_index",
                      values, 4, &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct str, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++)
        (*ret)[i] = store_read_text(&db_at(&rows, i, 0));
    return 0;
}

int store_delete_xcom(struct db_conn *c, const struct xcom_key *k, struct err *err)
{
    struct db_value values[5];

    key_values(k, values);
    return db_exec(c, "DELETE FROM flow_xcom WHERE " THIS_XCOM, values, 5, NULL, err);
}

int store_clear_xcoms(struct db_conn *c, const struct xcom_key *k, struct err *err)
{
    struct db_value values[5];

    key_values(k, values);
    return db_exec(c, "DELETE FROM flow_xcom WHERE dag_id = $1 AND run_id = $2 AND task_id = $3 AND map_index = $4",
                   values, 4, NULL, err);
}

int store_result_length(struct db_conn *c, struct str dag_id, struct str run_id, struct str task_id, int *ret,
                        struct err *err)
{
    ARENA_SCOPED struct arena a = ARENA_INIT;
    const struct db_value values[] = {db_text(dag_id), db_text(run_id), db_text(task_id), db_text(STR("return_value"))};
    struct db_rows rows;
    int rc = db_query(c, &a,
                      "SELECT length FROM flow_xcom WHERE dag_id = $1 AND run_id = $2 AND task_id = $3 AND name = $4 "
                      "AND map_index = -1",
                      values, 4, &rows, err);

    if (rc == 0)
        *ret = rows.row_count && db_at(&rows, 0, 0).type == DB_INT ? (int)db_at(&rows, 0, 0).i : LENGTH_UNKNOWN;
    return rc;
}

/* ---- pools ---- */

int store_list_pools(struct db_conn *c, struct arena *a, struct pool_row **ret, size_t *ret_n, struct err *err)
{
    struct db_rows rows;
    int rc = db_query(c, a, "SELECT name, slots, description, include_deferred FROM flow_pool ORDER BY name", NULL, 0,
                      &rows, err);

    if (rc < 0)
        return rc;
    *ret = arena_array(a, struct pool_row, rows.row_count);
    *ret_n = rows.row_count;
    for (size_t i = 0; i < rows.row_count; i++)
        (*ret)[i] = (struct pool_row){
            .name = db_at(&rows, i, 0).text,
            .slots = (int)db_at(&rows, i, 1).i,
            .description = store_read_text(&db_at(&rows, i, 2)),
            .include_deferred = db_at(&rows, i, 3).i != 0,
        };
    return 0;
}

/* ---- variables, connections ---- */

int store_get_variable(struct db_conn *c, struct arena *a, struct str key, struct str *ret, struct err *err)
{
    const struct db_value values[] = {db_text(key)};
    struct db_rows rows;
    int rc = db_query(c, a, "SELECT value FROM flow_variable WHERE name = $1", values, 1, &rows, err);

    if (rc == 0)
        *ret = rows.row_count ? db_at(&rows, 0, 0).text : STR_NULL;
    return rc;
}

int store_set_variable(struct db_conn *c, struct str key, struct str value, struct str description, struct err *err)
{
    const struct db_value values[] = {db_text(key), db_text(value), db_text(description)};
    bool was_there;
    int rc = store_delete_variable(c, key, &was_there, err);

    return rc < 0 ? rc
                  : db_exec(c, "INSERT INTO flow_variable (name, value, description) VALUES ($1, $2, $3)", values, 3,
                            NULL, err);
}

int store_delete_variable(struct db_conn *c, struct str key, bool *ret_was_there, struct err *err)
{
    const struct db_value values[] = {db_text(key)};
    int64_t changed = 0;
    int rc = db_exec(c, "DELETE FROM flow_variable WHERE name = $1", values, 1, &changed, err);

    *ret_was_there = changed > 0;
    return rc;
}

int store_get_connection(struct db_conn *c, struct arena *a, struct str id, struct connection_row *ret, bool *ret_found,
                         struct err *err)
{
    const struct db_value values[] = {db_text(id)};
    struct db_rows rows;
    int rc = db_query(c, a,
                      "SELECT kind, host, schema_name, login, password, port, extra, description FROM flow_connection "
                      "WHERE id = $1",
                      values, 1, &rows, err);

    if (rc < 0)
        return rc;
    *ret_found = rows.row_count > 0;
    if (*ret_found)
        *ret = (struct connection_row){
            .id = id,
            .type = db_at(&rows, 0, 0).text,
            .host = store_read_text(&db_at(&rows, 0, 1)),
            .schema = store_read_text(&db_at(&rows, 0, 2)),
            .login = store_read_text(&db_at(&rows, 0, 3)),
            .password = store_read_text(&db_at(&rows, 0, 4)),
            .port = (int)db_at(&rows, 0, 5).i,
            .extra = store_read_text(&db_at(&rows, 0, 6)),
            .description = store_read_text(&db_at(&rows, 0, 7)),
        };
    return 0;
}

int store_set_connection(struct db_conn *c, const struct connection_row *row, struct err *err)
{
    const struct db_value values[] = {db_text(row->id),
                                      db_text(row->type),
                                      db_text(row->host),
                                      db_text(row->schema),
                                      db_text(row->login),
                                      db_text(row->password),
                                      row->port ? db_int(row->port) : (struct db_value){.type = DB_NULL},
                                      db_text(row->extra),
                                      db_text(row->description)};
    int rc = db_exec(c, "DELETE FROM flow_connection WHERE id = $1", values, 1, NULL, err);

    return rc < 0 ? rc
                  : db_exec(c,
                            "INSERT INTO flow_connection (id, kind, host, schema_name, login, password, port, extra, "
                            "description) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                            values, ARRAY_LEN(values), NULL, err);
}
