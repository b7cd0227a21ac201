/*
 * The rows of TPC-H's tables as dbgen 2 and Trino make them, as a table function of SQL: dp_dbgen(table, scale). libduckdb
 * has a generator too, a slow one that makes all tables at once, with other comments and addresses. Comments are cut out of
 * a text of 300 MiB, which is a file that has to be open while the function is used.
 */
#ifndef ENGINE_DBGEN_H
#define ENGINE_DBGEN_H

#include "base/err.h"
#include <duckdb.h>

/* The scales it makes: below, tables are empty; above, keys need 64-bit random numbers. */
#define DBGEN_SCALE_MIN 0.001
#define DBGEN_SCALE_MAX 10000.0

/* Makes the text as the file `path`. One at a time is used by all: opened again, it only counts. */
MUST_CHECK int dbgen_text_open(const char *path, struct err *err);
void dbgen_text_close(void); /* removes the file with the last one */

/* For the engine: registers the function. */
MUST_CHECK int dbgen_register(duckdb_connection c, struct err *err);

#endif
