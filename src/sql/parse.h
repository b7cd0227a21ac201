/*
 * Trino's SQL, from text to tree: lexer and recursive-descent parser for the grammar of release 476.
 *
 * Text comes from clients: its size is bounded (SQL_TEXT_MAX), so is the tree's height (SQL_HEIGHT_MAX), and
 * everything that is allocated lives in the arena given. Errors are Trino's: name SYNTAX_ERROR, a line and a column, and a message
 * that reads "mismatched input 'x'. Expecting: …" without the "line 1:8: " in front, which the renderer adds.
 */
#ifndef SQL_PARSE_H
#define SQL_PARSE_H

#include "sql/ast.h"

enum {
    SQL_TEXT_MAX = 1 << 20, /* bytes; more is QUERY_TEXT_TOO_LARGE */
    SQL_HEIGHT_MAX = 1000,  /* of the tree, in nodes: what walks it may recurse */
};

/* The one statement that `text` holds. */
MUST_CHECK int sql_parse(struct arena *a, struct str text, struct ast_statement **ret, struct err *err);
/* An expression alone: property values, row filters, tests. */
MUST_CHECK int sql_parse_expr(struct arena *a, struct str text, struct ast_expr **ret, struct err *err);
/* A type alone, as in "decimal(10, 2)" or "row(a bigint, b varchar)". */
MUST_CHECK int sql_parse_type(struct arena *a, struct str text, struct ast_type **ret, struct err *err);

/* True for a word that can't be used as an identifier without quotes. */
bool sql_is_reserved(struct str word);

#endif
