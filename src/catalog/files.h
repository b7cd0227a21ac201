/*
 * Where tables lie: their files as objects of the store's folder, with no HTTP between, and where a new table goes.
 * Shared by the SQL connector and the REST catalog.
 */
#ifndef CATALOG_FILES_H
#define CATALOG_FILES_H

#include "catalog/catalog.h"
#include "objects/objects.h"

/* struct iceberg_io over the object library. */
void catalog_files_init(struct iceberg_io *io, struct objects *objects);
/* "s3://bucket/key" (also s3a, s3n) to its parts. */
MUST_CHECK int catalog_files_split(struct str location, struct str *ret_bucket, struct str *ret_key, struct err *err);
struct str catalog_without_last_slashes(struct str location);
/* ERR_EXISTS when something lies below it. */
MUST_CHECK int catalog_check_location_empty(struct objects *o, struct arena *a, struct str location, struct err *err);

/* Where a namespace's tables go: its own location, or WAREHOUSE/ns. ERR_NOT_FOUND: no such namespace. */
MUST_CHECK int catalog_namespace_location(struct catalog *c, struct arena *a, struct str warehouse, struct str ns,
                                          struct str *ret, struct err *err);
/* BASE/table-UUID, as Trino with iceberg.unique-table-location. */
struct str catalog_new_table_location(struct arena *a, struct str base, struct str table);

/* Drops the table, then its files: all that its snapshots name, and what else is in its folder. One whose metadata
 * can't be read is dropped too; its files stay then. */
MUST_CHECK int catalog_purge_table(struct catalog *c, struct iceberg_cache *cache, struct objects *o, struct str ns,
                                   struct str table, struct err *err);

#endif
