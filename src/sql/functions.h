/*
 * What functions Trino has, as data: names, signatures, kinds, documentation. No engine in it: emit/functions.c says how
 * each is written in DuckDB's SQL, by the same name; a unit test holds the two lists together.
 *
 * Operators are functions too, named as Trino's metadata names them inside: "$add", "$subtract", "$multiply", "$divide",
 * "$modulus", "$negate", "$concat" (||), "$like", "$subscript", "$at_timezone", "$extract_year" … Which rows of the table a
 * call matches is decided as Trino's FunctionResolver does: exact first, then by coercion, the most specific wins,
 * ambiguity and no match are FUNCTION_NOT_FOUND with Trino's message ("Unexpected parameters (varchar) for function abs.
 * Expected: abs(bigint), …", "Function 'foo' not registered").
 */
#ifndef SQL_FUNCTIONS_H
#define SQL_FUNCTIONS_H

#include "sql/types.h"

enum function_kind { FUNCTION_SCALAR, FUNCTION_AGGREGATE, FUNCTION_WINDOW };

/* One signature. Text is parsed once, at first use. Type variables: E, T, K, V, U …; "decimal(p,s)", "varchar(x)" and
 * "char(x)" bind numbers; the result may compute with them ("decimal(min(38, p1 + p2 + 1), …)" is a rule by name
 * in functions_types.c). */
struct function {
    const char *name; /* lower case */
    enum function_kind kind;
    const char *arguments; /* "double", "T, T", "array(E), function(E, boolean)"; a last "T..." repeats */
    const char *result;    /* "bigint", "T", "array(E)", or "@rule" */
    const char *variables; /* "T:comparable", "E:orderable"; NULL: unconstrained */
    bool is_nullable;      /* Trino's CALLED ON NULL INPUT */
    bool is_nondeterministic;
    const char *description; /* SHOW FUNCTIONS */
};
extern const struct function functions[];
extern const size_t function_count;

/* True when there is one of that name. */
bool function_exists(struct str name);
bool function_is_aggregate(struct str name); /* of any signature */
bool function_is_window(struct str name);

struct function_match {
    const struct function *function;
    const struct type **parameters; /* what each argument is coerced to */
    const struct type *result;
};
/* Arguments that are lambdas have type NULL: their parameter types are in `parameters` (TYPE_FUNCTION) once the others have
 * bound them, their result types are asked for by `lambda_type`. */
struct function_lambda {
    void *ctx;
    /* Binds argument `i` with these parameter types; *ret_result its body's type. */
    int (*bind)(void *ctx, size_t i, const struct type *const *parameters, size_t n, const struct type **ret_result,
                struct err *err);
};
/* Errors have no position: the caller adds it. */
MUST_CHECK int function_resolve(struct arena *a, struct str name, const struct type *const *arguments, size_t n,
                                const struct function_lambda *lambda, struct function_match *ret, struct err *err);

#endif
