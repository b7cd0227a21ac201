/* What the files of query/ share. Private to the module. */
#ifndef QUERY_INTERNAL_H
#define QUERY_INTERNAL_H

#include "os/pool.h"
#include "query/query.h"
#include <pthread.h>
#include <stdatomic.h>

/* ---- transactions (transactions.c) ---- */

/* Transactions group nothing yet but statements of one client: writes commit by themselves (see transactions_check_write). */
struct transactions;
struct transactions *transactions_new(void);
void transactions_free(struct transactions *t);
/* As START TRANSACTION says. */
void transactions_begin(struct transactions *t, struct arena *a, const struct statement *s, struct str *ret_id);
/* Keeps it from expiring, and notes the tables' catalogs (NULL: none). UNKNOWN_TRANSACTION when there is none of that id. */
MUST_CHECK int transactions_use(struct transactions *t, struct str id, const struct analyze_tables *tables,
                                struct err *err);
size_t transactions_list(struct transactions *t, struct arena *a, struct transaction_info **ret);
void transactions_end(struct transactions *t, struct str id);

/* ---- accounts (account.c) ---- */

struct accounts;
struct query;
MUST_CHECK int accounts_new(struct queries *owner, struct engine *e, struct accounts **ret, struct err *err);
void accounts_free(struct accounts *a);
/* On the query's thread, around its work: in between its statistics grow. */
void accounts_open(struct accounts *a, struct query *q);
void accounts_close(struct accounts *a, struct query *q);

/* ---- queries ---- */

struct queries {
    struct engine *engine;
    const struct connector_set *catalogs;
    struct connector *information_schema;
    struct access_control *access, *own_access; /* own_access NULL: somebody else's */
    struct transactions *transactions;
    struct accounts *accounts;
    struct pool *pool;
    int threads; /* the pool's */

    pthread_mutex_t lock; /* all below */
    struct query **items; /* known ones, oldest first: those at work, and `history` ended ones */
    size_t n, cap, history;
    int64_t id_second; /* of the last id */
    unsigned id_counter;
    char id_suffix[6]; /* of this process: ids don't repeat after a restart */
};

struct query_limit {
    int64_t us;    /* INT64_MAX: none */
    char text[32]; /* as Trino prints it: "2.00s" */
};

struct query {
    atomic_int refs;
    struct queries *owner;
    struct arena arena; /* the session, text and id; immutable once started */
    struct session session;
    struct str id, text;
    struct query_sink sink;
    int64_t created_mono_us;
    struct query_limit max_run, max_execution, max_cpu;

    struct arena work;     /* the statement: the query's thread alone, freed at its end */
    struct access *access; /* the user's, while the statement is at work: likewise */

    pthread_mutex_t lock; /* all below */
    struct query_stats stats;
    struct engine_conn *conn; /* while the engine works for it */
    int64_t began_us;         /* monotonic; 0: still queued */
    int64_t ended_us;         /* monotonic; 0: not yet */
    int64_t ended_wall_us;
    uint64_t planned_rows; /* of all scans, when they read all that they are planned to; 0: not known */
    bool is_cancelled, is_ended;
    struct err why;   /* of cancelling */
    struct err error; /* of the end */
    const char *update_type;
    bool has_update_count;
    int64_t update_count;
    struct session_changes changes; /* strings in `arena`, written before the state is FINISHED */
};

void query_set_state(struct query *q, enum query_state state);
/* Asks the engine how far it is, for the statistics. */
void query_take_progress(struct query *q);
/* Ten times a second while queries run: takes their progress, ends those over a limit. */
void queries_watch(struct queries *qs);
/* True, and the reason, once it was cancelled. */
bool query_is_cancelled(struct query *q, struct err *ret_why);
/* Makes `c` the one that cancelling interrupts; NULL when the engine is done. Fails when that came before. */
MUST_CHECK int query_set_conn(struct query *q, struct engine_conn *c, struct err *err);
/* The query's last state; tells the sink. Later calls do nothing: the first end counts. */
void query_end(struct query *q, const struct err *error);

/* limits.c: from the session's properties; whether one is passed now, and the error for it. */
void query_read_limits(struct query *q);
bool query_is_over_limit(struct query *q, struct err *ret_why);
/* run.c: parses, analyses and executes, on the query's thread. */
MUST_CHECK int query_run(struct query *q, struct err *err);
/* session.c: the properties and the zone that the client's headers named. */
MUST_CHECK int query_check_session(const struct query *q, const struct access *access, struct err *err);
/* effects.c: what a statement that has no rows does: the connector's DDL, the session's changes. */
MUST_CHECK int query_apply(struct query *q, const struct statement *s, struct err *err);

#endif
