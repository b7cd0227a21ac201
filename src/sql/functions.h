/*
 * What functions Trino has, as data: names, signatures, kinds, documentation. No engine in it: emit/functions.c says how
 * each is written in DuckDB's SQL, by the same name; a unit test holds the two lists together.
 *
 * Operators are functions too, named as Trino's metadata names them inside: "$add", "$subtract", "$multiply", "$divide",
 * "$modulus", "$negate", "$subscript", "$like", "$at_timezone", "$format" (FORMAT's format string, then the values).
 * Syntax that Trino makes a call of one is one here: a || b is "concat", EXTRACT(YEAR FROM x) is "year", TRIM(x) is
 * "trim". Which rows of the table a call matches is decided as Trino's FunctionBinder does: exact first, then generic,
 * then by coercion, the most specific wins; several left are AMBIGUOUS_FUNCTION_CALL, none is FUNCTION_NOT_FOUND with
 * Trino's message ("Unexpected parameters (varchar) for function abs. Expected: abs(bigint), …", "Function 'foo' not
 * registered"). Functions that Trino has and this program hasn't are NOT_SUPPORTED by name.
 */
#ifndef SQL_FUNCTIONS_H
#define SQL_FUNCTIONS_H

#include "sql/types.h"

enum function_kind { FUNCTION_SCALAR, FUNCTION_AGGREGATE, FUNCTION_WINDOW };

/* One signature, written as Trino shows it. Text is parsed once, at first use.
 * A last argument "T..." repeats. Type variables (T, k, E, …; case is no difference) are those that `variables` names;
 * other words in place of numbers ("decimal(p,s)", "varchar(x)") bind numbers, and the result may use those that
 * `variables` calculates. Patterns have the types that Trino's errors name, "joniregexp", "jsonpath" and "codepoints":
 * a varchar argument stays a varchar. */
struct function {
    const char *name; /* lower case */
    enum function_kind kind;
    const char *arguments; /* "double", "T, T", "array(E), function(E, boolean)"; a last "T..." repeats */
    const char *result;    /* "bigint", "T", "array(E)", "decimal(rp,s)" */
    const char
        *variables; /* "E, T:comparable; u = min(65536, x + y), v = 0": type variables; calculated numbers. Or NULL. */
    bool is_nullable; /* Trino's CALLED ON NULL INPUT */
    bool is_nondeterministic;
    bool is_hidden;          /* not in SHOW FUNCTIONS */
    const char *description; /* SHOW FUNCTIONS; or NULL */
};
extern const struct function functions[];
extern const size_t function_count;

/* True when there is one of that name. */
bool function_exists(struct str name);
bool function_is_aggregate(struct str name); /* of any signature */
bool function_is_window(struct str name);

/* The first of that name, or NULL: for operators whose arguments are matched elsewhere. */
const struct function *function_find(struct str name);

struct function_match {
    const struct function *function;
    const struct type **parameters; /* what each argument is coerced to */
    const struct type *result;
};
/* Arguments that are lambdas have type NULL: their parameter types are in `parameters` (TYPE_FUNCTION) once the others have
 * bound them, their result types are asked for by `lambda_type`. */
struct function_lambda {
    void *ctx;
    /* Binds argument `i` with these parameter types; *ret_result its body's type. Called again when they change. */
    int (*bind)(void *ctx, size_t i, const struct type *const *parameters, size_t n, const struct type **ret_result,
                struct err *err);
};
/* Errors have no position: the caller adds it. */
MUST_CHECK int function_resolve(struct arena *a, struct str name, const struct type *const *arguments, size_t n,
                                const struct function_lambda *lambda, struct function_match *ret, struct err *err);

#endif
