/* What the files of the connectors tpch and tpcds share. Private to them.
 *
 *   tpch.c, tpcds.c   their tables (tpch.def, tpcds.def), their options, how a scale is generated
 *   tpc.c             the connector over such a description: schemas, tables, scans
 *   tpc_cache.c       generated tables as Parquet files under CACHE_DIR/KIND/sfN
 */
#ifndef CONNECTORS_TPC_INTERNAL_H
#define CONNECTORS_TPC_INTERNAL_H

#include "connectors/tpc.h"

struct tpc_column {
    const char *name, *type; /* the type of the file's column, in Trino's words */
    const char *source;      /* the generator's name for it; NULL: the table's prefix and the name */
};

struct tpc_table {
    const char *name;
    const char *prefix; /* of the columns in the generator and in the files: "l_" */
    const struct tpc_column *columns;
    size_t column_count;
};

/* One kind of benchmark. `scale` is the N of the schema sfN. */
struct tpc_kind {
    const char *name;      /* of the connector, the engine's extension and the folder */
    const char *generator; /* the extension's function: dsdgen; NULL: no extension, all tables have a query */
    const struct tpc_table *tables;
    size_t table_count;
    const struct str *schemas; /* those that are listed; every other sfN is there too */
    size_t schema_count;
    double min_scale, max_scale; /* that the generator can do */
    /* What the generator is asked for to get this table. 0: the table has no file. NULL: as `generator`. */
    double (*generator_scale)(const struct tpc_table *t, double scale);
    /* A SELECT that makes the table's rows without the generator, with its column names, or a null str. */
    struct str (*query)(struct arena *a, const struct tpc_table *t, double scale);
    bool has_text; /* queries use engine/dbgen.h */
    /* For a table without a file: what to scan, with the columns' names of the files. */
    struct str (*rows)(struct arena *a, const struct tpc_table *t, double scale);
};

struct tpc_connector {
    struct connector base;
    struct arena arena; /* of what is below */
    const struct tpc_kind *kind;
    struct engine *engine;
    const char *cache_dir;
    struct connector_column **columns; /* [table][column] */
    const struct type *scan_double;    /* what a double of the files is shown as */
};

MUST_CHECK int tpc_connector_new(const struct tpc_kind *kind, struct str catalog, struct engine *e,
                                 const char *cache_dir, bool standard_naming, bool decimal_types,
                                 struct connector **ret, struct err *err);

/* "l_orderkey" */
struct str tpc_file_column(struct arena *a, const struct tpc_table *t, size_t column);

/* The path of the table's Parquet file, which is generated first when it isn't there: that takes seconds to minutes,
 * and other callers of the same kind wait. */
MUST_CHECK int tpc_cache_get(struct arena *a, const struct tpc_connector *c, const struct tpc_table *t, double scale,
                             struct str *ret, struct err *err);

#endif
