/* The catalogs tpch and tpcds: schemas tiny, sf1, sf10, …; Trino's names, types and column naming, rows from our
 * generator and libduckdb's, kept as Parquet under CACHE_DIR. */
#ifndef CONNECTORS_TPC_H
#define CONNECTORS_TPC_H

#include "engine/engine.h"
#include "sql/connector.h"

/* standard_naming: tpch.column-naming=STANDARD. decimal_types: tpch.double-type-mapping=DECIMAL. */
MUST_CHECK int tpch_connector_new(struct str catalog, struct engine *e, const char *cache_dir, bool standard_naming,
                                  bool decimal_types, struct connector **ret, struct err *err);
MUST_CHECK int tpcds_connector_new(struct str catalog, struct engine *e, const char *cache_dir, struct connector **ret,
                                   struct err *err);

#endif
