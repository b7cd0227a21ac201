/*
 * Walks over what catalogs hold, for metadata tables and SHOW: every catalog also has the schema information_schema.
 */
#ifndef CONNECTORS_LISTING_H
#define CONNECTORS_LISTING_H

#include "connectors/virtual.h"

/* The schemas of a catalog, sorted, information_schema included. */
MUST_CHECK int listing_schemas(const struct virtual_context *context, struct arena *a, struct connector *c,
                               struct str **ret, size_t *ret_n, struct err *err);
/* The tables of one schema, or of all when it is null; sorted by schema and name. A schema that doesn't exist is empty. */
MUST_CHECK int listing_tables(const struct virtual_context *context, struct arena *a, struct connector *c,
                              struct str schema, struct connector_table_name **ret, size_t *ret_n, struct err *err);
/* The table with its columns, also of information_schema; NULL when there is none. release_table is the caller's. */
MUST_CHECK int listing_get_table(const struct virtual_context *context, struct arena *a, struct connector *c,
                                 struct str schema, struct str name, struct connector_table **ret, struct err *err);
void listing_release_table(struct connector_table *t);

/* Calls `each` for every table that the scan's equality filters on the three named columns let through. `with_columns`
 * says that `each` needs table->columns; otherwise only the names and is_view are set. */
struct listing_filter {
    const char *catalog, *schema, *table; /* column names of the scanned table; NULL: no such column */
};
typedef int (*listing_fn)(struct virtual_scan *s, const struct connector_table *t, struct err *err);
MUST_CHECK int listing_each_table(struct virtual_scan *s, struct connector *only, const struct listing_filter *filter,
                                  bool with_columns, listing_fn each, struct err *err);

#endif
