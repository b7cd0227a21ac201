/* Between analyze_select.c and analyze_group.c. */
#ifndef SQL_ANALYZE_SELECT_H
#define SQL_ANALYZE_SELECT_H

#include "sql/analyze_query.h"

struct select_item {
    const struct ast_expr *ast; /* NULL: from a * */
    struct expr *expr;          /* over the source; over the aggregation once that is built */
    struct column out;
    const struct scope_field *star; /* the field that a * stood for */
    size_t window_from, window_to;  /* the collector's window calls that it brought */
};

struct select_order {
    const struct ast_sort *ast;
    struct expr *key; /* over the output's and the source's columns */
    size_t window_from, window_to;
};

struct select {
    struct analyzer *z;
    const struct ast_select *ast;
    const struct ast_query *tail; /* ORDER BY and LIMIT, or NULL */
    struct scope *source;         /* what FROM yields */
    struct scope *output;
    struct rel *rel; /* so far */
    struct collector collector;
    struct select_item *items;
    size_t item_count, item_cap;
    struct select_order *order;
    size_t order_count;
    struct expr *having;

    struct {
        struct expr **items;
        size_t n, cap;
    } keys; /* GROUP BY's, each once */
    struct {
        struct grouping_set *items;
        size_t n, cap;
    } sets;
};

/* GROUP BY's keys and sets (analyze_group.c). */
MUST_CHECK int select_analyze_group_by(struct select *s, struct err *err);
/* True when the query aggregates: GROUP BY, HAVING, or an aggregate function in SELECT or ORDER BY. */
bool select_is_aggregation(const struct select *s);
/* Puts REL_AGGREGATE over s->rel and makes select list, HAVING, windows and ORDER BY refer to its columns:
 * EXPRESSION_NOT_AGGREGATE for what is neither grouped by nor aggregated. */
MUST_CHECK int select_aggregate(struct select *s, struct err *err);
/* True when `e` reads one of the collector's aggregates or window calls. */
bool select_has_calls(const struct select *s, struct expr *e);

#endif
