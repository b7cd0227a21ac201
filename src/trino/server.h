/* The protocol's server over queries that somebody else set up: what service.c starts, and tests. */
#ifndef TRINO_SERVER_H
#define TRINO_SERVER_H

#include "http/forwarded.h"
#include "http/router.h"
#include "query/query.h"

struct trino_server;
struct authenticators;

struct trino_server_options {
    const char *address;
    int port;                           /* 0: a free one */
    const struct http_tls_options *tls; /* NULL: plain HTTP */
    const struct http_proxies *proxies; /* NULL: none is trusted */
    const char *environment, *node_id;  /* NULL: "production", "sql" */
    struct http_router *iceberg;        /* serves /iceberg; NULL: nobody does */
    struct queries *queries;
    struct authenticators *authenticators; /* NULL: who clients say they are is believed */
    struct access_control *access;         /* who may see and end whose queries; NULL: everybody */
    struct engine *engine;                 /* for /v1/status; NULL: memory is shown as 0 */
    uint64_t memory_limit;                 /* bytes, shown */
    int64_t client_timeout_ms; /* 0: five minutes; a query whose client doesn't ask for that long is abandoned */
};

MUST_CHECK int trino_server_start(const struct trino_server_options *o, struct trino_server **ret, struct err *err);
int trino_server_port(const struct trino_server *s);
/* Cancels what runs, answers who waits, closes. Before queries_free. */
void trino_server_stop(struct trino_server *s);

#endif
