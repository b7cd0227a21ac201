/*
 * The Iceberg catalog: namespaces and table pointers in the JDBC catalog's tables, schema V1, over db/. Laid out and
 * worded exactly as iceberg-core's JdbcCatalog does, which real Trino 476 with iceberg.catalog.type=jdbc opens.
 * The tables are made at open; several processes may do that at once.
 *
 * Error names are Trino's: SCHEMA_ALREADY_EXISTS, SCHEMA_NOT_FOUND, SCHEMA_NOT_EMPTY, TABLE_ALREADY_EXISTS, TABLE_NOT_FOUND.
 */
#ifndef CATALOG_CATALOG_H
#define CATALOG_CATALOG_H

#include "db/db.h"
#include "iceberg/iceberg.h"

struct catalog;

/* `name`: catalog_name in the tables (Trino's iceberg.jdbc-catalog.catalog-name); `mounted`: the name that SQL knows it by,
 * for errors. Doesn't own `db`. */
MUST_CHECK int catalog_open(struct db *db, struct str name, struct str mounted, struct catalog **ret, struct err *err);
void catalog_close(struct catalog *c);

struct catalog_property {
    struct str name, value;
};
MUST_CHECK int catalog_create_namespace(struct catalog *c, struct str ns, const struct catalog_property *properties,
                                        size_t n, struct err *err);
MUST_CHECK int catalog_drop_namespace(struct catalog *c, struct str ns, struct err *err);
MUST_CHECK int catalog_list_namespaces(struct catalog *c, struct arena *a, struct str **ret, size_t *ret_n,
                                       struct err *err);
/* The namespaces one level below `parent`, null: the top, by their full names. ERR_NOT_FOUND: there is no such parent. */
MUST_CHECK int catalog_list_namespaces_below(struct catalog *c, struct arena *a, struct str parent, struct str **ret,
                                             size_t *ret_n, struct err *err);
/* Sets properties and removes others; ret_missing (room for n_removals): those of them that weren't there. */
MUST_CHECK int catalog_update_namespace(struct catalog *c, struct str ns, const struct catalog_property *updates,
                                        size_t n_updates, const struct str *removals, size_t n_removals,
                                        struct str *ret_missing, size_t *ret_missing_n, struct err *err);
/* *ret_exists false and no properties when there is none. */
MUST_CHECK int catalog_get_namespace(struct catalog *c, struct arena *a, struct str ns, bool *ret_exists,
                                     struct catalog_property **ret, size_t *ret_n, struct err *err);
MUST_CHECK int catalog_list_tables(struct catalog *c, struct arena *a, struct str ns, struct str **ret, size_t *ret_n,
                                   struct err *err);
/* Null when there is no such table. */
MUST_CHECK int catalog_get_table(struct catalog *c, struct arena *a, struct str ns, struct str table,
                                 struct str *ret_location, struct err *err);
MUST_CHECK int catalog_drop_table(struct catalog *c, struct str ns, struct str table, struct err *err);
MUST_CHECK int catalog_rename_table(struct catalog *c, struct str ns, struct str table, struct str new_ns,
                                    struct str new_table, struct err *err);
/* The pointer of one table for iceberg/ops; lives in the arena. */
struct iceberg_pointer *catalog_pointer(struct catalog *c, struct arena *a, struct str ns, struct str table);

#endif
