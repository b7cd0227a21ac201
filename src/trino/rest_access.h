/*
 * Who may do what through the Iceberg REST catalog: the same users, by the same authenticators and rules as SQL. A client
 * of the catalog reads data files itself, with keys of its own, so that nothing less than a whole table can be given:
 * one that has a row filter, a column mask or columns that aren't seen is denied. A commit may do anything to its
 * table, so that it needs all that does: INSERT, DELETE and OWNERSHIP.
 */
#ifndef TRINO_REST_ACCESS_H
#define TRINO_REST_ACCESS_H

#include "access/access.h"
#include "catalog/rest.h"

struct authenticators;

struct rest_access {
    struct authenticators *authenticators; /* NULL: X-Trino-User is believed; without one it is "anonymous" */
    struct access_control *control;        /* NULL: all is allowed */
};

/* For catalog_rest_options; ctx is a struct rest_access. */
bool rest_access_authenticate(void *ctx, struct http_call *call);
int rest_access_authorize(void *ctx, struct http_call *call, enum catalog_action action, struct str catalog,
                          struct str ns, struct str table, struct err *err);
bool rest_access_sees(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table);
int rest_access_columns(void *ctx, struct http_call *call, struct str catalog, struct str ns, struct str table,
                        const struct str *columns, size_t n, struct err *err);
void rest_access_done(void *ctx, struct http_call *call);

#endif
