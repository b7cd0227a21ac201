/*
 * The catalog `system`: system.jdbc (what JDBC's DatabaseMetaData reads), system.metadata, system.runtime.
 * Columns, values and sentinel numbers are those of Trino 476.
 */
#ifndef CONNECTORS_SYSTEM_H
#define CONNECTORS_SYSTEM_H

#include "connectors/virtual.h"

/* What system.runtime shows, asked of the server at scan time. */
struct runtime_query {
    struct str query_id, state, user, source, query;
    int64_t queued_ms, analysis_ms, planning_ms;
    int64_t created_us, started_us, last_heartbeat_us, end_us; /* wall clock; 0: not yet */
    struct str error_type, error_code;                         /* null: none */
    struct str task_state;                                     /* null: it has no task yet */
    int64_t splits, queued_splits, running_splits, completed_splits, cpu_ms, input_rows, input_bytes,
        physical_input_bytes, output_rows, written_bytes;
};

struct runtime_transaction {
    struct str id, isolation;
    bool read_only;
    int64_t created_us, idle_s;
    struct str *catalogs;
    size_t catalog_count;
};

struct runtime_source {
    void *ctx;
    struct str node_id, http_uri, version;
    /* These copy what there is at this moment into the arena. */
    void (*list_queries)(void *ctx, struct arena *a, struct runtime_query **ret, size_t *ret_n);
    void (*list_transactions)(void *ctx, struct arena *a, struct runtime_transaction **ret, size_t *ret_n);
    /* NOT_FOUND, or NOT_SUPPORTED when it has ended. */
    MUST_CHECK int (*kill_query)(void *ctx, const struct access *access, struct str id, struct str message,
                                 struct err *err);
};

struct connector *system_connector_new(const struct virtual_context *context);

extern const struct virtual_table *const system_jdbc_tables[];
extern const size_t system_jdbc_table_count;

#endif
