/*
 * The bound tree as DuckDB SQL. Values, names and types come out so that DuckDB computes exactly what Trino would: where
 * its semantics differ, a shim (engine/shims.h) is called instead. Columns are named c<id>; duplicate names, case and
 * quoting stay behind in the analyser.
 *
 * A tree that has no faithful form here is NOT_SUPPORTED, naming the function or feature.
 */
#ifndef EMIT_EMIT_H
#define EMIT_EMIT_H

#include "base/buf.h"
#include "sql/session.h"
#include "sql/tree.h"

struct connector_scan_plan;

/* How scans come into the text: asked once for each REL_SCAN. Gives a FROM item that yields columns c<id>. */
struct emit_scans {
    void *ctx;
    int (*plan)(void *ctx, const struct rel *scan, struct str *ret_from, struct err *err);
};

/* One SELECT with output columns named c<id> in the root's order. */
MUST_CHECK int emit_query(struct arena *a, const struct rel *root, const struct session *session,
                          const struct emit_scans *scans, struct buf *to, struct err *err);
/* A scalar expression over columns that the context names; for pruning hints and tests. */
MUST_CHECK int emit_expr(struct arena *a, const struct expr *e, const struct session *session, struct buf *to,
                         struct err *err);
void emit_string(struct buf *to, struct str s);     /* 'it''s' */
void emit_identifier(struct buf *to, struct str s); /* "a""b" */
/* True when emit knows how to write this function; the test that holds the tables together asks. */
struct function;
bool emit_knows(const struct function *f);

#endif
