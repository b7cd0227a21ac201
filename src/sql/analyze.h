/*
 * The analyser: from the syntax tree to the bound tree. Every rule and message is Trino 476's StatementAnalyzer's,
 * ExpressionAnalyzer's and ShowQueriesRewrite's; every error has Trino's name, code (trino/errors.h maps names to
 * codes), line and column.
 */
#ifndef SQL_ANALYZE_H
#define SQL_ANALYZE_H

#include "access/access.h"
#include "sql/ast.h"
#include "sql/connector.h"
#include "sql/session.h"
#include "sql/tree.h"

struct analyze_context {
    const struct session *session;
    const struct access *access; /* who asks, and what it may; NULL: everything */
    const struct connector_set *catalogs;
    struct connector *information_schema; /* in every catalog */
};

/* Everything is made in `a`. Tables that were resolved are listed in *ret_tables: the caller releases them
 * (connector->ops->release_table) when the statement is done, also after an error. */
struct analyze_tables {
    struct connector_table **items;
    size_t n, cap;
};
MUST_CHECK int analyze(const struct analyze_context *c, struct arena *a, const struct ast_statement *s,
                       struct analyze_tables *ret_tables, struct statement **ret, struct err *err);

#endif
