/* Bound trees, built by hand, become SQL that gives Trino's values on the engine; every function has a way to be written
 * or says that it has none. */
#include "emit/emit.h"
#include "engine/engine.h"
#include "os/file.h"
#include "sql/functions.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static char folder[] = "test_emit_XXXXXX";
static struct engine *engine;
static struct arena arena;
static struct session session;

static int setup(void **state)
{
    struct engine_options o = {.memory_limit = 128 << 20, .threads = 1};
    struct err err = {0};

    (void)state;
    arena_init(&arena, 0);
    session.time_zone = STR("UTC");
    if (!mkdtemp(folder))
        return -1;
    o.temp_dir = str_from_cstr(folder);
    return engine_open(&o, &engine, &err);
}

static int teardown(void **state)
{
    struct err err = {0};

    (void)state;
    arena_release(&arena);
    engine_close(engine);
    return file_remove_tree(folder, &err);
}

/* ---- building ---- */

static struct expr *make(enum expr_kind kind, const struct type *type, size_t n)
{
    struct expr *x = arena_new(&arena, struct expr);

    *x = (struct expr){.kind = kind, .type = type, .args = arena_array(&arena, struct expr *, n + 1), .arg_count = n};
    return x;
}

static struct expr *number(const struct type *type, int64_t v)
{
    struct expr *x = make(EXPR_CONSTANT, type, 0);

    x->constant.i = v;
    return x;
}

static struct expr *real_number(double v)
{
    struct expr *x = make(EXPR_CONSTANT, &type_double, 0);

    x->constant.f = v;
    return x;
}

static struct expr *text(const struct type *type, const char *v)
{
    struct expr *x = make(EXPR_CONSTANT, type, 0);

    x->constant.text = str_from_cstr(v);
    return x;
}

static struct expr *cast(struct expr *from, const struct type *to)
{
    struct expr *x = make(EXPR_CAST, to, 1);

    x->args[0] = from;
    return x;
}

/* The function's first signature that begins like this. */
static const struct function *function(const char *name, const char *arguments)
{
    for (size_t i = 0; i < function_count; i++) {
        if (strcmp(functions[i].name, name) == 0 &&
            str_starts_with(str_from_cstr(functions[i].arguments), str_from_cstr(arguments)))
            return &functions[i];
    }
    fail_msg("no function %s(%s)", name, arguments);
    return NULL;
}

static struct expr *call(const char *name, const char *arguments, const struct type *type, struct expr *a,
                         struct expr *b)
{
    struct expr *x = make(EXPR_CALL, type, b ? 2 : 1);

    x->function = function(name, arguments);
    x->args[0] = a;
    x->args[1] = b;
    return x;
}

/* ---- running ---- */

/* The value as text, "NULL", or "NAME: message" of the error. */
static const char *run_sql(struct str sql)
{
    struct engine_conn *c;
    struct engine_result *r;
    duckdb_data_chunk chunk;
    struct err err = {0};
    struct str result = STR("NULL");
    int rc;

    assert_int_equal(engine_acquire(engine, &c, &err), 0);
    rc = engine_query(c, sql, &r, &err);
    if (rc == 0) {
        rc = engine_next(r, &chunk, &err);
        if (rc == 1) {
            duckdb_vector v = duckdb_data_chunk_get_vector(chunk, 0);
            uint64_t *validity = duckdb_vector_get_validity(v);

            if (!validity || duckdb_validity_row_is_valid(validity, 0)) {
                duckdb_string_t *s = duckdb_vector_get_data(v);

                result = arena_str(&arena, str_from(duckdb_string_t_data(s), duckdb_string_t_length(*s)));
            }
            duckdb_destroy_data_chunk(&chunk);
        }
        engine_result_free(r);
    }
    engine_release(c);
    if (rc < 0)
        result = arena_printf(&arena, "%s: %s", err.name ? err.name : "", err.message);
    return result.p;
}

static const char *run(const struct expr *x)
{
    BUF_SCOPED struct buf sql;
    struct err err = {0};

    buf_init(&sql, 1 << 20);
    buf_add_cstr(&sql, "SELECT CAST(");
    if (emit_expr(&arena, x, &session, &sql, &err) < 0)
        return arena_printf(&arena, "%s: %s", err.name ? err.name : "", err.message).p;
    buf_add_cstr(&sql, " AS VARCHAR)");
    return run_sql(buf_str(&sql));
}

static const char *run_rel(const struct rel *r)
{
    BUF_SCOPED struct buf sql;
    struct err err = {0};

    buf_init(&sql, 1 << 20);
    buf_add_cstr(&sql, "SELECT string_agg(CAST(t AS VARCHAR), ' ') FROM (");
    if (emit_query(&arena, r, &session, NULL, &sql, &err) < 0)
        return arena_printf(&arena, "%s: %s", err.name ? err.name : "", err.message).p;
    buf_add_cstr(&sql, ") AS t");
    return run_sql(buf_str(&sql));
}

/* ---- expressions ---- */

static void every_function_can_be_written_or_says_that_it_cannot(void **state)
{
    (void)state;
    for (size_t i = 0; i < function_count; i++) {
        if (!emit_knows(&functions[i]))
            fail_msg("emit/ doesn't list %s(%s)", functions[i].name, functions[i].arguments);
    }
}

static void integers_divide_and_overflow_as_in_trino(void **state)
{
    (void)state;
    assert_string_equal(
        run(call("$divide", "integer", &type_integer, number(&type_integer, -7), number(&type_integer, 2))), "-3");
    assert_string_equal(run(call("$divide", "bigint", &type_bigint, number(&type_bigint, 1), number(&type_bigint, 0))),
                        "DIVISION_BY_ZERO: Division by zero");
    assert_string_equal(
        run(call("$add", "tinyint", &type_tinyint, number(&type_tinyint, 127), number(&type_tinyint, 1))),
        "NUMERIC_VALUE_OUT_OF_RANGE: tinyint addition overflow: 127 + 1");
    assert_string_equal(run(call("$negate", "integer", &type_integer, number(&type_integer, INT32_MIN), NULL)),
                        "NUMERIC_VALUE_OUT_OF_RANGE: integer negation overflow: -2147483648");
}

static void decimals_stay_exact(void **state)
{
    const struct type *d = type_decimal(&arena, 18, 2);

    (void)state;
    /* Past 64 bits, where DuckDB alone would give up. */
    assert_string_equal(run(call("$multiply", "decimal", type_decimal(&arena, 36, 4), text(d, "999999999999999999"),
                                 text(d, "999999999999999999"))),
                        "99999999999999999800000000000000.0001");
    assert_string_equal(run(call("$divide", "decimal", type_decimal(&arena, 20, 2), text(d, "200"), text(d, "300"))),
                        "0.67");
    assert_string_equal(run(call("$modulus", "decimal", d, text(d, "-550"), text(d, "200"))), "-1.50");
}

static void nan_equals_nothing(void **state)
{
    static const struct {
        enum compare_op op;
        const char *result;
    } cases[] = {{COMPARE_EQ, "false"}, {COMPARE_NE, "true"}, {COMPARE_GT, "false"}, {COMPARE_LE, "false"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct expr *x = make(EXPR_COMPARE, &type_boolean, 2);

        x->op = cases[i].op;
        x->args[0] = x->args[1] = real_number(0.0 / 0.0);
        assert_string_equal(run(x), cases[i].result);
    }
}

static void casts_round_fail_and_print_as_in_trino(void **state)
{
    (void)state;
    assert_string_equal(run(cast(real_number(2.5), &type_bigint)), "3");
    assert_string_equal(run(cast(text(&type_varchar, " 12 "), &type_integer)), "12");
    assert_string_equal(run(cast(text(&type_varchar, "x"), &type_integer)),
                        "INVALID_CAST_ARGUMENT: Cannot cast 'x' to INT");
    assert_string_equal(run(cast(real_number(1e7), &type_varchar)), "1.0E7");
    assert_string_equal(run(cast(number(&type_bigint, 300), &type_tinyint)),
                        "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300");
    assert_string_equal(run(cast(text(type_char(&arena, 4), "ab"), &type_varchar)), "ab  ");
    assert_string_equal(run(cast(text(type_varchar_n(&arena, 6), "abcdef"), type_varchar_n(&arena, 3))), "abc");
    assert_string_equal(run(cast(number(&type_integer, 12345), type_varchar_n(&arena, 3))),
                        "INVALID_CAST_ARGUMENT: Value 12345 cannot be represented as varchar(3)");
}

static void constants_survive_quotes_and_nul(void **state)
{
    struct expr *x = make(EXPR_CONSTANT, &type_varchar, 0);

    (void)state;
    assert_string_equal(run(text(&type_varchar, "it's")), "it's");
    x->constant.text = STR("a\0b");
    assert_string_equal(run(call("length", "varchar", &type_bigint, x, NULL)), "3");
}

/* ---- relations ---- */

static struct rel *values(const struct type *type, int id, const int64_t *v, size_t n)
{
    struct rel *r = arena_new(&arena, struct rel);

    r->kind = REL_VALUES;
    r->column_count = 1;
    r->columns = arena_array(&arena, struct column, 1);
    r->columns[0] = (struct column){.id = id, .type = type};
    r->values.row_count = n;
    r->values.rows = arena_array(&arena, struct expr **, n);
    for (size_t i = 0; i < n; i++) {
        r->values.rows[i] = arena_array(&arena, struct expr *, 1);
        r->values.rows[i][0] = number(type, v[i]);
    }
    return r;
}

static struct expr *column(const struct type *type, int id)
{
    struct expr *x = make(EXPR_COLUMN, type, 0);

    x->column_id = id;
    return x;
}

static struct rel *over(enum rel_kind kind, struct rel *input)
{
    struct rel *r = arena_new(&arena, struct rel);

    r->kind = kind;
    r->input = input;
    r->columns = input->columns;
    r->column_count = input->column_count;
    return r;
}

static void sorting_is_explicit_about_nulls(void **state)
{
    const int64_t v[] = {2, 3, 1};
    struct rel *source = values(&type_bigint, 1, v, 3), *sort = over(REL_SORT, source), *limit = over(REL_LIMIT, sort);
    struct sort_key key = {.expr = column(&type_bigint, 1), .descending = true};

    (void)state;
    source->values.rows[1][0]->constant.is_null = true;
    sort->sort.keys = &key;
    sort->sort.key_count = 1;
    limit->limit.count = number(&type_bigint, 2);
    assert_string_equal(run_rel(limit), "{'c1': 2} {'c1': 1}");
}

static void set_operations_keep_duplicates_when_asked(void **state)
{
    const int64_t a[] = {1, 2, 2, 2}, b[] = {2, 2, 3};
    struct rel *r = arena_new(&arena, struct rel);
    struct column out = {.id = 9, .type = &type_bigint};

    (void)state;
    *r = (struct rel){.kind = REL_SET_OP,
                      .columns = &out,
                      .column_count = 1,
                      .input = values(&type_bigint, 1, a, 4),
                      .right = values(&type_bigint, 2, b, 3)};
    r->set.op = SET_INTERSECT;
    assert_string_equal(run_rel(r), "{'c9': 2}");
    r->set.all = true;
    assert_string_equal(run_rel(r), "{'c9': 2} {'c9': 2}");
}

static void a_global_aggregation_has_a_row_for_no_rows(void **state)
{
    struct rel *r = over(REL_AGGREGATE, values(&type_bigint, 1, NULL, 0));
    struct expr *argument = column(&type_bigint, 1);
    struct aggregate sum = {.out = {.id = 5, .type = &type_bigint},
                            .function = function("sum", "bigint"),
                            .args = &argument,
                            .arg_count = 1};
    struct grouping_set set = {0};

    (void)state;
    r->columns = &sum.out;
    r->column_count = 1;
    r->aggregate.sets = &set;
    r->aggregate.set_count = 1;
    r->aggregate.aggregates = &sum;
    r->aggregate.aggregate_count = 1;
    assert_string_equal(run_rel(r), "{'c5': NULL}");
}

static void too_deep_a_tree_is_an_error(void **state)
{
    struct expr *x = number(&type_boolean, 1);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct expr *not = make(EXPR_NOT, &type_boolean, 1);

        not ->args[0] = x;
        x = not ;
    }
    assert_non_null(strstr(run(x), "STATEMENT_TOO_LARGE"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_can_be_written_or_says_that_it_cannot),
        cmocka_unit_test(integers_divide_and_overflow_as_in_trino),
        cmocka_unit_test(decimals_stay_exact),
        cmocka_unit_test(nan_equals_nothing),
        cmocka_unit_test(casts_round_fail_and_print_as_in_trino),
        cmocka_unit_test(constants_survive_quotes_and_nul),
        cmocka_unit_test(sorting_is_explicit_about_nulls),
        cmocka_unit_test(set_operations_keep_duplicates_when_asked),
        cmocka_unit_test(a_global_aggregation_has_a_row_for_no_rows),
        cmocka_unit_test(too_deep_a_tree_is_an_error),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
