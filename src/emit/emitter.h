/* What the files of emit/ share. */
#ifndef EMIT_EMITTER_H
#define EMIT_EMITTER_H

#include "base/vec.h"
#include "emit/emit.h"
#include "sql/functions.h"

struct emitter {
    struct arena *a;
    const struct session *session;
    const struct emit_scans *scans;
    struct buf *to;
    struct err *err;
    int depth;
    int next_alias;
    VEC(const struct rel *) aggregates; /* those with a grouping_id, which EXPR_GROUPING names */
};

enum { EMIT_MAX_DEPTH = 400 }; /* of nested relations and expressions; the engine's own limit is 1000 */

/* Part of an expression: a bound expression, or SQL text with a type. */
struct operand {
    const struct expr *expr; /* or NULL */
    struct str text;
    const struct type *type;
};

/* A function call, also an aggregate's or a window's. */
struct call {
    const struct function *function;
    const struct operand *args;
    size_t arg_count;
    const struct type *result;
    int line, column;
    /* aggregates and windows: */
    bool distinct, ignore_nulls;
    const struct expr *filter;
    const struct sort_key *order;
    size_t order_count;
    const struct window_call *window;
};

MUST_CHECK int emit_enter(struct emitter *e); /* one level deeper; e->depth-- leaves it */
MUST_CHECK int emit_unsupported(struct emitter *e, int line, int column, const char *fmt, ...) PRINTF_LIKE(4, 5);

MUST_CHECK int emit_expression(struct emitter *e, const struct expr *x);
MUST_CHECK int emit_operand(struct emitter *e, const struct operand *o);
MUST_CHECK int emit_relation(struct emitter *e, const struct rel *r); /* a SELECT, without parentheses */
MUST_CHECK int emit_sort_keys(struct emitter *e, const struct sort_key *keys, size_t n);
MUST_CHECK int emit_call(struct emitter *e, const struct call *c);
MUST_CHECK int emit_zone(struct emitter *e, struct str zone); /* its name as a string */
int emit_template(struct emitter *e, const char *text, const struct call *c);
MUST_CHECK int emit_constant(struct emitter *e, const struct constant *c, const struct type *t);
/* The value of `o` as `to`. With `safe`, NULL instead of an error. */
MUST_CHECK int emit_cast(struct emitter *e, const struct operand *o, const struct type *to, bool safe);
void emit_type(struct emitter *e, const struct type *t);
/* What has an own way in C: "($1 + $2)" isn't enough. */
typedef int (*emit_special)(struct emitter *e, const struct call *c);

/* One way to write a function. `arguments` is the beginning of the signature's, NULL for all; the first row that fits. */
struct emit_function {
    const char *name, *arguments, *text;
    emit_special special;
};
extern const struct emit_function emit_functions[];
extern const size_t emit_function_count;

static inline struct operand operand_of(const struct expr *x)
{
    return (struct operand){.expr = x, .type = x->type};
}
/* The value of a constant argument, or NULL when it isn't one. */
const struct constant *operand_constant(const struct operand *o);

/* The text of one operand made by itself, in the arena: for what must be repeated or wrapped. */
MUST_CHECK int emit_to_text(struct emitter *e, const struct operand *o, struct str *ret);

/* Special forms, in emit_special*.c. */
int special_add(struct emitter *e, const struct call *c);
int special_subtract(struct emitter *e, const struct call *c);
int special_multiply(struct emitter *e, const struct call *c);
int special_divide(struct emitter *e, const struct call *c);
int special_modulus(struct emitter *e, const struct call *c);
int special_greatest(struct emitter *e, const struct call *c);
int special_least(struct emitter *e, const struct call *c);
int special_substr(struct emitter *e, const struct call *c);
int special_concat(struct emitter *e, const struct call *c);
int special_like(struct emitter *e, const struct call *c);
int special_subscript(struct emitter *e, const struct call *c);
int special_regexp_replace(struct emitter *e, const struct call *c);
int special_date_trunc(struct emitter *e, const struct call *c);
int special_date_add(struct emitter *e, const struct call *c);
int special_date_diff(struct emitter *e, const struct call *c);
int special_typeof(struct emitter *e, const struct call *c);
int special_at_timezone(struct emitter *e, const struct call *c);
int special_approx_percentile(struct emitter *e, const struct call *c);
int special_max(struct emitter *e, const struct call *c);
int special_array_join(struct emitter *e, const struct call *c);
int special_reduce(struct emitter *e, const struct call *c);
int special_map_filter(struct emitter *e, const struct call *c);
int special_transform_keys(struct emitter *e, const struct call *c);
int special_transform_values(struct emitter *e, const struct call *c);
int special_zip_with(struct emitter *e, const struct call *c);
int special_now(struct emitter *e, const struct call *c);

#endif
