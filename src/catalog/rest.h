/*
 * The Iceberg REST catalog, under /iceberg: what pyiceberg, Spark and Trino speak when they aren't given the catalog's
 * database (Apache Iceberg REST Catalog API, v1, as iceberg-core 1.9.1's clients use it). It serves the same tables as
 * SQL does, over the same rows: a commit through either is seen by both at once.
 *
 * /iceberg/v1/config?warehouse=NAME chooses the mounted catalog NAME by giving it as `prefix`; without a warehouse the
 * only one, or the one called iceberg, is meant. The endpoints that are there are listed in the configuration: views,
 * transactions over several tables, server-side planning and vended credentials aren't.
 *
 *   rest.c              routes, errors, /v1/config
 *   rest_namespaces.c   namespaces and their properties
 *   rest_tables.c       tables: create, load, commit, register, rename, drop
 */
#ifndef CATALOG_REST_H
#define CATALOG_REST_H

#include "catalog/files.h"
#include "http/router.h"

struct catalog_rest;

struct catalog_rest_mount {
    struct str name; /* the catalog's in SQL */
    struct catalog *tables;
    struct str warehouse; /* where namespaces without a location go */
};

/* What a request is about to do, for who may do it. */
enum catalog_action {
    CATALOG_LIST,   /* see names of namespaces and tables */
    CATALOG_READ,   /* a namespace's properties, a table's metadata */
    CATALOG_CREATE, /* a namespace or table */
    CATALOG_WRITE,  /* a commit, a namespace's properties */
    CATALOG_DROP,   /* also a rename's source */
};

struct catalog_rest_options {
    const struct catalog_rest_mount *mounts;
    size_t mount_count;
    struct objects *objects;
    struct str store_url; /* the S3 endpoint that clients are told */
    /* All may be NULL: then all is allowed. `authenticate` answers itself when it returns false; `done` follows it whatever
     * it said. `authorize` is ERR_DENIED, or ERR_NOT_FOUND for what must not be known; ns and table are null where the
     * action has none. `sees` filters lists, of namespaces where table is null. `columns` is asked before a table's
     * metadata is given away. */
    void *ctx;
    bool (*authenticate)(void *ctx, struct http_call *call);
    int (*authorize)(void *ctx, struct http_call *call, enum catalog_action action, struct str catalog, struct str ns,
                     struct str table, struct err *err);
    bool (*sees)(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table);
    int (*columns)(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table,
                   const struct str *columns, size_t n, struct err *err);
    void (*done)(void *ctx, struct http_call *call);
};

/* Copies the options' texts; owns none of what they point to. */
MUST_CHECK int catalog_rest_new(const struct catalog_rest_options *o, struct catalog_rest **ret, struct err *err);
void catalog_rest_free(struct catalog_rest *r);
/* For http_router_handler; lives as long as the result. */
struct http_router *catalog_rest_router(struct catalog_rest *r);

#endif
