/*
 * The catalog iceberg: tables of catalog/ and iceberg/, files in objects/, read and written by the engine as local files.
 *
 *   iceberg.c         metadata, DDL, properties
 *   iceberg_types.c   Trino's types to Iceberg's and back
 *   iceberg_scan.c    conjuncts to predicates, files to a FROM item, deletes
 *   iceberg_write.c   CTAS and INSERT: COPY to Parquet in staging, statistics, publish, commit
 */
#ifndef CONNECTORS_ICEBERG_H
#define CONNECTORS_ICEBERG_H

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "objects/objects.h"
#include "sql/connector.h"

struct iceberg_options {
    struct str catalog;   /* the name it is mounted under */
    struct str warehouse; /* "s3://trino-data": where schemas without a location go: WAREHOUSE/schema/table-UUID */
    struct catalog *tables;
    struct objects *objects;
    struct engine *engine;
};
/* Owns none of what the options point to. */
MUST_CHECK int iceberg_connector_new(const struct iceberg_options *o, struct connector **ret, struct err *err);

#endif
