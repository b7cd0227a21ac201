/*
 * The comments of TPC-H's tables as dbgen 2 and Trino make them. libduckdb's generator cuts them out of a shorter text than
 * they do, so that its comments differ; this makes theirs: a text of 300 MiB by a grammar, out of which each row's comment
 * is cut where its random numbers say. The text is a file, mapped while tables are generated.
 *
 * In SQL, while it is open: dp_dbgen_comment(seed, numbers drawn before this row's, average length) and
 * dp_dbgen_supplier_comment(key).
 */
#ifndef ENGINE_DBGEN_H
#define ENGINE_DBGEN_H

#include "base/err.h"

/* Makes the text as the file `path`. One at a time is used by all: opened again, it only counts. */
MUST_CHECK int dbgen_text_open(const char *path, struct err *err);
void dbgen_text_close(void); /* removes the file with the last one */

#endif
