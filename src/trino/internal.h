/* What the files of trino/ share. Private to the module. */
#ifndef TRINO_INTERNAL_H
#define TRINO_INTERNAL_H

#include "base/json.h"
#include "http/server.h"
#include "query/query.h"
#include "trino/authenticate.h"
#include "trino/server.h"

#include <pthread.h>
#include <stdatomic.h>

#define TRINO_RELEASE "476"

struct trino_server {
    struct queries *queries;
    struct access_control *access;         /* NULL: none */
    struct authenticators *authenticators; /* NULL: who clients say they are is believed */
    struct http_server *http;
    struct http_router *iceberg;
    char *environment, *node_id;
    uint64_t memory_limit;
    struct engine *engine;
    int64_t started_us; /* monotonic */
    int64_t client_timeout_ms;
    unsigned char slug_key[32];

    atomic_size_t waiting; /* requests that wait for a statement: what makes the clock tick */

    pthread_mutex_t lock;  /* all below; never taken while holding a statement's */
    pthread_cond_t wake;   /* of the clock thread, and of trino_server_stop */
    struct map statements; /* id → struct statement_resource *, each holding a reference */
    size_t live;           /* queries that will still call their statement */
    bool is_stopping;
    pthread_t clock;
};

/* ---- session.c ---- */

/* Who a request speaks for: the session's users and principal. False: 401 was sent. */
bool session_authenticate(struct trino_server *s, struct http_request *r, struct session *to);
/* The X-Trino-* headers. False: 400 was sent. Strings live as long as the request; session_release frees the maps. */
bool session_read(struct trino_server *s, struct http_request *r, struct session *ret);
void session_release(struct session *s);
/* What the statement changed, as headers of the answer. */
void session_add_changes(struct http_request *r, struct http_response *p, const struct session_changes *c);

/* ---- statement.c: /v1/statement ---- */

void statement_post(struct trino_server *s, struct http_request *r, struct str text);
/* `rest` is the path behind /v1/statement/ */
void statement_get(struct trino_server *s, struct http_request *r, struct str rest);
void statement_delete(struct trino_server *s, struct http_request *r, struct str rest);
/* Ends the query of that id, also one that its sink holds back. False: none known here. */
bool statement_cancel(struct trino_server *s, struct str query_id, const struct err *why);
/* The clock thread: ends waits, abandoned queries and what was kept for repeats. */
void *statement_run_clock(void *server);
/* Cancels all, refuses new ones, ends the clock thread. */
void statement_stop_all(struct trino_server *s);
/* Waits until no query calls its statement any more, and frees them. */
void statement_drain(struct trino_server *s);

/* ---- results.c: the JSON of one answer ---- */

struct results {
    struct str id, base_uri, next_uri; /* base: "http://host:port"; next_uri null: the last */
    struct str columns;                /* JSON; null: not known yet */
    struct str data;                   /* rows, separated by commas; null: none */
    bool has_stage;                    /* it has a plan that the engine runs */
    struct query_stats stats;
    const struct err *error; /* NULL: none */
    const char *update_type; /* NULL: none */
    int64_t update_count;    /* -1: none */
};
void results_write(struct buf *to, const struct results *v);

/* ---- info.c ---- */

/* False when the path is none of its. */
bool info_handle(struct trino_server *s, struct http_request *r);

/* ---- server.c ---- */

/* "Error 404 Not Found: Query not found", as Trino words it. */
void respond_error(struct http_request *r, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
void respond_method_not_allowed(struct http_request *r, const char *allow);
/* JSON with Trino's headers, compressed when that pays; takes the buffer over. */
void respond_json(struct http_request *r, struct http_response *p, struct buf *body);
/* "http://host:port", by the request's Host header. */
struct str base_uri(struct http_request *r);

#endif
