/*
 * Scalar functions and macros registered on the engine where DuckDB's own differ from Trino's. Their names start with
 * "dp_". A shim that finds an error raises it as "dp:NAME:message", NAME being Trino's error name
 * ("dp:DIVISION_BY_ZERO:Division by zero"); engine.c turns that, and DuckDB's own conversion and overflow errors
 * (engine/errors.c), into a struct err with that name.
 */
#ifndef ENGINE_SHIMS_H
#define ENGINE_SHIMS_H

#include "base/err.h"
#include <duckdb.h>

/* Once, on the database's first connection. */
MUST_CHECK int shims_register(duckdb_connection c, struct err *err);

#endif
