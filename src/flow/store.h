/*
 * What the flow service keeps on db/: DAGs and their versions, runs, task instances and their earlier tries, results
 * (XCom), variables, connections, pools, import errors. Rows are written before an answer says that they are; the scheduler
 * keeps active runs in memory beside them (flow.h).
 *
 * Times are microseconds since 1970 in UTC; NO_TIME: none. Texts that Airflow calls JSON are JSON here too.
 */
#ifndef FLOW_STORE_H
#define FLOW_STORE_H

#include "base/uuid.h"
#include "db/db.h"
#include "flow/run.h"

#define NO_TIME INT64_MIN

/* Makes the tables, or migrates them. */
MUST_CHECK int store_prepare(struct db *db, struct err *err);

/* ---- DAGs ---- */

struct dag_row {
    struct str id, bundle, relative_fileloc, version_id;
    int version_number;
    bool is_paused, is_stale;
    struct data_interval last_interval; /* of the last automated run; start NO_TIME: there was none */
    int64_t last_parsed_us;
    struct dag *dag; /* NULL until loaded; a reference */
};

/* Records what a file defines: a new version where the document has changed, DAGs that the file no longer has as stale. */
struct parsed_dag {
    struct dag *dag;
    struct str document; /* its JSON */
};
MUST_CHECK int store_save_file(struct db_conn *c, struct str bundle, struct str relative_fileloc, struct str source,
                               const struct parsed_dag *dags, size_t n, struct str error, int64_t now_us,
                               struct err *err);
/* A file that is gone: its DAGs are stale, its error is forgotten. */
MUST_CHECK int store_forget_file(struct db_conn *c, struct str bundle, struct str relative_fileloc, struct err *err);
MUST_CHECK int store_list_dags(struct db_conn *c, struct arena *a, struct dag_row **ret, size_t *ret_n,
                               struct err *err);
MUST_CHECK int store_load_version(struct db_conn *c, struct str version_id, struct dag **ret, struct err *err);
MUST_CHECK int store_set_last_interval(struct db_conn *c, struct str dag_id, struct data_interval last,
                                       struct err *err);
MUST_CHECK int store_set_paused(struct db_conn *c, struct str dag_id, bool paused, struct err *err);

/* ---- runs ---- */

struct run_row {
    int64_t id;
    struct str dag_id, run_id, version_id, run_type, conf, triggering_user; /* conf: JSON */
    enum run_state state;
    int64_t logical_us, run_after_us, queued_us, start_us, end_us;
    struct data_interval interval; /* start NO_TIME: none */
    int clear_number;
};
/* ERR_EXISTS: there is a run of that id, or of that logical date. *ret->id is given. */
MUST_CHECK int store_insert_run(struct db_conn *c, struct run_row *row, struct err *err);
MUST_CHECK int store_update_run(struct db_conn *c, const struct run_row *row, struct err *err);
/* Queued and running ones, oldest first. */
MUST_CHECK int store_active_runs(struct db_conn *c, struct arena *a, struct run_row **ret, size_t *ret_n,
                                 struct err *err);
MUST_CHECK int store_find_run(struct db_conn *c, struct arena *a, struct str dag_id, struct str run_id,
                              struct run_row *ret, struct err *err);

/* ---- task instances ---- */

struct instance_row {
    char id[UUID_TEXT_SIZE]; /* another one each try */
    struct str task_id;
    int map_index, try_number, max_tries;
    enum task_state state;
    int64_t start_us, end_us, queued_us, scheduled_us, ready_us, heartbeat_us;
    int64_t first_start_us; /* of a try that is rescheduled: when it began first */
    struct str hostname, unixname;
    int64_t pid;
    struct str next_method, next_kwargs, rendered, rendered_map_index; /* JSON but the first and the last; null: none */
    int reschedules;
    int64_t launch; /* in memory only: which process of ours it is; a rescheduled try has several */
};
MUST_CHECK int store_insert_instance(struct db_conn *c, const struct run_row *run, const struct instance_row *row,
                                     struct err *err);
MUST_CHECK int store_update_instance(struct db_conn *c, const struct instance_row *row, struct err *err);
/* The try that has ended goes to the history, and the row gets another id. */
MUST_CHECK int store_archive_try(struct db_conn *c, struct instance_row *row, struct err *err);
MUST_CHECK int store_load_instances(struct db_conn *c, struct arena *a, int64_t run, struct instance_row **ret,
                                    size_t *ret_n, struct err *err);

/* Where instances of a DAG stand; of one run when run_id isn't null. By run. */
struct instance_place {
    struct str run_id, task_id, state; /* state null: none */
    int map_index;
    int64_t logical_us;
};
MUST_CHECK int store_list_places(struct db_conn *c, struct arena *a, struct str dag_id, struct str run_id,
                                 struct instance_place **ret, size_t *ret_n, struct err *err);
/* depends_on_past and wait_for_downstream (PrevDagrunDep): whether the run before this one, by logical date, allows the
 * task to start. */
MUST_CHECK int store_past_allows(struct db_conn *c, const struct run_row *run, const struct dag_task *t,
                                 const struct dag *dag, bool *ret, struct err *err);

/* ---- results ---- */

struct xcom_key {
    struct str dag_id, run_id, task_id, key;
    int map_index;
};
/* value: JSON. mapped_length LENGTH_UNKNOWN: the task isn't mapped over. */
MUST_CHECK int store_set_xcom(struct db_conn *c, const struct xcom_key *k, struct str value, int mapped_length,
                              int64_t now_us, struct err *err);
/* Null when there is none. */
MUST_CHECK int store_get_xcom(struct db_conn *c, struct arena *a, const struct xcom_key *k, struct str *ret,
                              struct err *err);
/* Of all map indexes, by them. */
MUST_CHECK int store_list_xcoms(struct db_conn *c, struct arena *a, const struct xcom_key *k, struct str **ret,
                                size_t *ret_n, struct err *err);
MUST_CHECK int store_delete_xcom(struct db_conn *c, const struct xcom_key *k, struct err *err);
/* All of a task instance, whatever their key. */
MUST_CHECK int store_clear_xcoms(struct db_conn *c, const struct xcom_key *k, struct err *err);
MUST_CHECK int store_result_length(struct db_conn *c, struct str dag_id, struct str run_id, struct str task_id,
                                   int *ret, struct err *err);

/* ---- pools ---- */

struct pool_row {
    struct str name, description;
    int slots; /* -1: no limit */
    bool include_deferred;
};
MUST_CHECK int store_list_pools(struct db_conn *c, struct arena *a, struct pool_row **ret, size_t *ret_n,
                                struct err *err);

/* ---- variables, connections ---- */

MUST_CHECK int store_get_variable(struct db_conn *c, struct arena *a, struct str key, struct str *ret, struct err *err);
MUST_CHECK int store_set_variable(struct db_conn *c, struct str key, struct str value, struct str description,
                                  struct err *err);
MUST_CHECK int store_delete_variable(struct db_conn *c, struct str key, bool *ret_was_there, struct err *err);

struct connection_row {
    struct str id, type, host, schema, login, password, extra, description; /* null: none */
    int port;                                                               /* 0: none */
};
MUST_CHECK int store_get_connection(struct db_conn *c, struct arena *a, struct str id, struct connection_row *ret,
                                    bool *ret_found, struct err *err);
MUST_CHECK int store_set_connection(struct db_conn *c, const struct connection_row *row, struct err *err);

#endif
