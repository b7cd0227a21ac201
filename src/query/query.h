/*
 * Queries: from a session and a text to rows, without any protocol. A query runs on a thread of its own pool: parse,
 * analyse, plan scans, emit, execute, hand chunks to the sink; DDL and writes go to the connector. Above `max_running`
 * queries wait in order (QUEUED).
 *
 * States and their order are Trino's. All functions are thread-safe; a query is reference-counted.
 */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include "engine/engine.h"
#include "sql/analyze.h"
#include "sql/session.h"

enum query_state {
    QUERY_QUEUED,
    QUERY_PLANNING,
    QUERY_STARTING,
    QUERY_RUNNING,
    QUERY_FINISHING,
    QUERY_FINISHED,
    QUERY_FAILED
};

/* What a statement changes in the client's session: each becomes a header of the answer. Null or empty: unchanged. */
struct session_changes {
    struct str set_catalog, set_schema;
    struct str set_session_name, set_session_value, clear_session;
    struct str added_prepare_name, added_prepare_text, deallocated_prepare;
    struct str started_transaction;
    bool clear_transaction;
    struct str set_role_catalog, set_role;
    struct str set_authorization_user;
    bool reset_authorization_user;
};

struct query_stats {
    enum query_state state;
    int64_t created_us, queued_us, analysis_us, planning_us, elapsed_us,
        cpu_us;      /* created: wall clock; others durations */
    double progress; /* 0 … 1; -1: unknown */
    /* How they are counted: account.c. What was read: bytes of files, which is also what is known of the rows' size. */
    uint64_t processed_rows, processed_bytes, physical_input_bytes, written_bytes, written_rows, peak_memory,
        spilled_bytes, output_rows;
    int total_splits, queued_splits, running_splits, completed_splits;
};

struct query_info { /* for lists and query/UI APIs; copied */
    struct str id, user, original_user, principal, source, catalog, schema, text;
    struct query_stats stats;
    struct err error; /* code 0: none */
    int64_t ended_us; /* wall clock; 0: not yet */
};

/* Gets a query's result, on the query's thread. */
struct query_sink {
    void *ctx;
    /* Once, before chunks: what the result looks like. No call: the statement has no result table. */
    void (*columns)(void *ctx, const struct column *columns, const struct str *names, size_t n);
    /* The chunk is borrowed. May block to hold the query back; an error is the query's end. */
    int (*chunk)(void *ctx, duckdb_data_chunk chunk, struct err *err);
    /* Any thread, when the query is cancelled: a chunk that is held back has to return. NULL: none is. */
    void (*cancelled)(void *ctx);
    /* Once, last: the query is FINISHED or FAILED. */
    void (*end)(void *ctx, const struct err *error);
};

struct query;
struct queries;

struct queries_options {
    struct engine *engine;
    const struct connector_set *catalogs;
    struct connector *information_schema;
    struct access_control *access;        /* NULL: Trino's `default`: all is allowed but impersonation */
    int max_running, max_queued, history; /* 0: 16, 1000, 100 */
};
/* Who a session is, with what it may: its user's access, which the caller releases, after checking that whoever
 * authenticated may be that user. PERMISSION_DENIED. Without a control NULL, which allows all. */
MUST_CHECK int session_open_access(struct access_control *c, const struct session *s, struct access **ret,
                                   struct err *err);
MUST_CHECK int queries_new(const struct queries_options *o, struct queries **ret, struct err *err);
void queries_free(struct queries *q); /* cancels what runs, waits */

/* Takes copies. QUERY_QUEUE_FULL: "Too many queued queries". The id is made here: 20261124_143005_00001_abcde. */
MUST_CHECK int query_start(struct queries *q, const struct session *s, struct str text, const struct query_sink *sink,
                           struct query **ret, struct err *err);
struct query *query_ref(struct query *q);
void query_unref(struct query *q);
struct str query_id(const struct query *q);
void query_get_stats(struct query *q, struct query_stats *ret);
const char *query_update_type(const struct query *q);               /* once RUNNING; NULL: none */
bool query_update_count(const struct query *q, int64_t *ret);       /* once FINISHED */
const struct session_changes *query_changes(const struct query *q); /* once FINISHED */
/* Ends it, if it hasn't, with that error; NULL: USER_CANCELED "Query was canceled". The first reason counts. */
void query_cancel(struct query *q, const struct err *why);
size_t queries_list(struct queries *q, struct arena *a, struct query_info **ret);
bool queries_get(struct queries *q, struct arena *a, struct str id, struct query_info *ret);

struct transaction_info { /* one that a client started; copied */
    struct str id;
    const char *isolation; /* "READ UNCOMMITTED", … */
    bool read_only;
    int64_t created_us; /* wall clock */
    int64_t idle_ms;
    struct str *catalogs; /* that its statements named */
    size_t catalog_count;
};
size_t queries_list_transactions(struct queries *q, struct arena *a, struct transaction_info **ret);

#endif
