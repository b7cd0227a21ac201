/*
 * Inside function resolution: a signature of the function table, parsed.
 */
#ifndef SQL_FUNCTION_SIGNATURE_H
#define SQL_FUNCTION_SIGNATURE_H

#include "sql/functions.h"

enum { SIGNATURE_MAX_VARIABLES = 8, SIGNATURE_MAX_NUMBERS = 16 };

enum sig_kind {
    SIG_VARIABLE, /* a type variable */
    SIG_PATTERN,  /* joniregexp, jsonpath, codepoints: what a varchar becomes */
    SIG_TYPE,     /* a type, whose parameters may be variables */
};

/* The parameter of a decimal, varchar, timestamp, …: a number, or a variable that binds one. */
struct sig_number {
    int variable; /* -1: it is `value` */
    int value;
};

struct sig_type {
    enum sig_kind kind;
    int variable;             /* SIG_VARIABLE */
    enum type_kind type;      /* SIG_TYPE */
    const struct type *fixed; /* SIG_TYPE without variables in it; else NULL */
    struct sig_number numbers[2];
    int number_count;
    struct sig_type *
        *children; /* array's element, map's key and value, row's fields, function's parameters and result */
    size_t child_count;
};

struct signature {
    const struct function *function;
    struct sig_type **arguments; /* the last repeats when `is_variadic` */
    size_t argument_count;
    bool is_variadic;
    struct sig_type *result;
    struct sig_variable {
        struct str name;
        bool is_comparable, is_orderable;
    } variables[SIGNATURE_MAX_VARIABLES];
    int variable_count;
    struct str numbers[SIGNATURE_MAX_NUMBERS]; /* names; the first ones are bound by arguments */
    int number_count, bound_count;
    struct str calculations[SIGNATURE_MAX_NUMBERS]; /* of numbers[bound_count + i] */
};

/* All signatures of a name, in the table's order; n = 0 when there are none. */
const struct signature *signatures_of(struct str name, size_t *ret_n);

/* "min(65536, x + y)" with the numbers' values; int64 is enough for all rules. */
int64_t signature_calculate(const struct signature *s, struct str expression, const int64_t *values);

/* Which numbers and variables `t` is made of are all bound? */
bool sig_type_is_bound(const struct sig_type *t, const struct type *const *types, const bool *numbers_bound);
/* `t` with the variables' values. */
const struct type *sig_type_apply(struct arena *a, const struct sig_type *t, const struct type *const *types,
                                  const int64_t *numbers);

#endif
