/*
 * DuckDB's errors carry a kind ("Conversion Error: ") and a sentence. The ones that a query of a user can cause at run
 * time become Trino's error names, and Trino's sentences where DuckDB's has the values that they need. The shims
 * raise Trino's own: "dp:NAME:message". What is left means that the emitter wrote SQL that DuckDB refuses.
 */
#include "engine/errors.h"
#include "base/str.h"
#include "base/vec.h"

/* A shim's names are literals of ours; this table gives them static life here. */
static const struct {
    const char *name;
    int code;
} shim_names[] = {
    {"DIVISION_BY_ZERO", ERR_INVALID},
    {"NUMERIC_VALUE_OUT_OF_RANGE", ERR_INVALID},
    {"INVALID_CAST_ARGUMENT", ERR_INVALID},
    {"INVALID_FUNCTION_ARGUMENT", ERR_INVALID},
    {"INVALID_LITERAL", ERR_INVALID},
    {"SUBQUERY_MULTIPLE_ROWS", ERR_INVALID},
    {"EXCEEDED_FUNCTION_MEMORY_LIMIT", ERR_LIMIT},
    {"GENERIC_USER_ERROR", ERR_INVALID},
    {"GENERIC_INTERNAL_ERROR", ERR_INTERNAL},
    {"NOT_SUPPORTED", ERR_UNSUPPORTED},
};

static bool contains(struct str s, struct str needle)
{
    return str_find(s, needle, 0) != SIZE_MAX;
}

/* Up to the line's end: DuckDB appends the statement and a caret. */
static struct str first_line(struct str s)
{
    size_t n = str_find_char(s, '\n', 0);

    return n == SIZE_MAX ? s : str_slice(s, 0, n);
}

/* "dp:NAME:message", wherever a wrapper put it. A message may have line breaks of its own. */
static bool set_from_shim(struct err *err, struct str message)
{
    size_t at = str_find(message, STR("dp:"), 0);

    while (at != SIZE_MAX) {
        struct str rest = str_skip(message, at + 3);
        size_t colon = str_find_char(rest, ':', 0);

        for (size_t i = 0; colon != SIZE_MAX && i < ARRAY_LEN(shim_names); i++) {
            if (str_eq_cstr(str_slice(rest, 0, colon), shim_names[i].name)) {
                err_set_named(err, shim_names[i].code, shim_names[i].name, "%.*s", STR_ARG(str_skip(rest, colon + 1)));
                return true;
            }
        }
        at = str_find(message, STR("dp:"), at + 3);
    }
    return false;
}

static const char *trino_integer_name(struct str duckdb)
{
    static const char *const names[][2] = {
        {"INT8", "tinyint"}, {"INT16", "smallint"}, {"INT32", "integer"}, {"INT64", "bigint"}};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_eq_cstr(duckdb, names[i][0]))
            return names[i][1];
    }
    return NULL;
}

/* "Overflow in addition of INT64 (1 + 2)!" is Trino's "bigint addition overflow: 1 + 2"; of decimals, "Decimal
 * overflow". */
static bool set_from_overflow(struct err *err, struct str message)
{
    static const char *const operations[] = {"addition", "subtraction", "multiplication", "negation", "division"};

    if (contains(message, STR("DECIMAL")) || contains(message, STR("INT128"))) {
        err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        struct str operation = str_from_cstr(operations[i]);
        size_t at = str_find(message, operation, 0);
        struct str rest;
        size_t open, close, space;
        const char *type;

        if (at == SIZE_MAX)
            continue;
        rest = str_skip(message, at + operation.n);
        if (!str_starts_with(rest, STR(" of ")))
            return false;
        rest = str_skip(rest, 4);
        space = str_find_char(rest, ' ', 0);
        open = str_find_char(rest, '(', 0);
        close = str_rfind_char(rest, ')');
        if (space == SIZE_MAX || open == SIZE_MAX || close == SIZE_MAX || close < open)
            return false;
        type = trino_integer_name(str_slice(rest, 0, space));
        if (!type)
            return false;
        err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE", "%s %s overflow: %.*s", type, operations[i],
                      STR_ARG(str_slice(rest, open + 1, close - open - 1)));
        return true;
    }
    return false;
}

/* The word behind `before`, up to a space or the end. */
static struct str word_behind(struct str s, struct str before)
{
    size_t at = str_find(s, before, 0);

    if (at == SIZE_MAX)
        return STR_NULL;
    s = str_skip(s, at + before.n);
    at = str_find_char(s, ' ', 0);
    return at == SIZE_MAX ? s : str_slice(s, 0, at);
}

/* Casts between numbers: "Type INT64 with value 2147483648 can't be cast because …  destination type INT32" and "Failed
 * to cast decimal value 12 to type INT8"; abs of the least value, "Overflow on abs(-128)". */
static bool set_from_number_cast(struct err *err, struct str line)
{
    struct str value = word_behind(line, STR(" with value "));
    const char *to = trino_integer_name(word_behind(line, STR("for the destination type ")));

    if (!str_is_null(value) && to) {
        err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE", "Out of range for %s: %.*s", to, STR_ARG(value));
        return true;
    }
    value = word_behind(line, STR("Failed to cast decimal value "));
    to = trino_integer_name(word_behind(line, STR(" to type ")));
    if (!str_is_null(value) && to) {
        char upper[16];
        size_t n = strlen(to);

        for (size_t i = 0; i < n; i++)
            upper[i] = (char)(to[i] - 'a' + 'A');
        err_set_named(err, ERR_INVALID, "INVALID_CAST_ARGUMENT", "Cannot cast '%.*s' to %.*s", STR_ARG(value), (int)n,
                      upper);
        return true;
    }
    value = word_behind(line, STR("Overflow on abs("));
    if (value.n > 1 && value.p[value.n - 1] == ')') {
        static const struct {
            struct str value;
            const char *type;
        } least[] = {{{"-128", 4}, "tinyint"},
                     {{"-32768", 6}, "smallint"},
                     {{"-2147483648", 11}, "integer"},
                     {{"-9223372036854775808", 20}, "bigint"}};

        value.n--;
        for (size_t i = 0; i < ARRAY_LEN(least); i++) {
            if (str_eq(least[i].value, value)) {
                err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE", "Value %.*s is out of range for abs(%s)",
                              STR_ARG(value), least[i].type);
                return true;
            }
        }
    }
    return false;
}

/* As Trino prints a limit: the largest unit with at most two decimals. */
static void format_bytes(char *out, size_t n, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1024;
        unit++;
    }
    if (value == (double)(uint64_t)value)
        snprintf(out, n, "%.0f%s", value, units[unit]);
    else
        snprintf(out, n, "%.2f%s", value, units[unit]);
}

int errors_set(struct err *err, const char *text, uint64_t memory_limit)
{
    struct str message = str_from_cstr(text ? text : "unknown error");
    struct str line = first_line(message);
    char limit[32];

    if (set_from_shim(err, message))
        return err ? err->code : ERR_INVALID;
    if (str_starts_with(line, STR("INTERRUPT Error")))
        return err_set_named(err, ERR_CANCELLED, "USER_CANCELED", "Query was canceled");
    if (contains(message, STR("No space left on device")))
        return err_set_named(err, ERR_NO_SPACE, "GENERIC_INTERNAL_ERROR",
                             "The disk is full: no space left for this query's temporary files or results");
    if (str_starts_with(line, STR("Out of Memory Error"))) {
        format_bytes(limit, sizeof(limit), memory_limit);
        return err_set_named(err, ERR_LIMIT, "EXCEEDED_LOCAL_MEMORY_LIMIT",
                             "Query exceeded per-node memory limit of %s", limit);
    }
    if (str_starts_with(line, STR("Out of Range Error")) || str_starts_with(line, STR("Conversion Error"))) {
        if (contains(line, STR("verflow")) && set_from_overflow(err, line))
            return err ? err->code : ERR_INVALID;
        line = str_skip(line, str_find_char(line, ':', 0) + 2);
        if (set_from_number_cast(err, line))
            return err ? err->code : ERR_INVALID;
        if (contains(line, STR("Could not cast value")) && contains(line, STR("to DECIMAL")))
            return err_set_named(err, ERR_INVALID, "INVALID_CAST_ARGUMENT", "%.*s", STR_ARG(line));
        if (contains(line, STR("ut of range")) || contains(line, STR("verflow")))
            return err_set_named(err, ERR_INVALID, "NUMERIC_VALUE_OUT_OF_RANGE", "%.*s", STR_ARG(line));
        return err_set_named(err, ERR_INVALID, "INVALID_CAST_ARGUMENT", "%.*s", STR_ARG(line));
    }
    if (contains(line, STR("Map keys must be unique")))
        return err_set_named(err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed");
    if (contains(line, STR("More than one row returned by a subquery")))
        return err_set_named(err, ERR_INVALID, "SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows");
    return err_set_named(err, ERR_INTERNAL, "GENERIC_INTERNAL_ERROR", "%.*s", STR_ARG(message));
}
