#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sql/analyze_query.h"
#include "sql/parse.h"

static struct arena arena;
static const struct analyze_context context; /* everybody may read all */
static struct analyzer z = {.context = &context, .arena = &arena};
static struct err err;

static struct scope *scope_of(struct scope *parent, bool is_query)
{
    return is_query ? scope_new_query(&z, parent) : scope_new(&z, parent);
}

static int add(struct scope *s, const char *relation, const char *name, const struct type *type)
{
    struct scope_field f = {.column = column_new(&z, str_from_cstr(name), type)};
    struct str part, rest = str_from_cstr(relation);

    f.qualifier = arena_array(&arena, struct str, 3);
    while (rest.n && str_split(&rest, '.', &part))
        f.qualifier[f.qualifier_count++] = part;
    scope_add(&z, s, f);
    return f.column.id;
}

/* The column's id, with the level; -1: an error. */
static int resolve(const struct scope *s, const char *text, struct expr **ret, int *level)
{
    struct ast_expr *e = NULL;

    err = (struct err){0};
    if (sql_parse_expr(&arena, str_from_cstr(text), &e, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    if (scope_resolve(&z, s, e, ret, level, &err) < 1)
        return -1;
    const struct expr *column = *ret;
    while (column->kind == EXPR_FIELD)
        column = column->args[0];
    return column->column_id;
}

static void names_are_found_whatever_their_case_and_qualified_by_any_suffix(void **state)
{
    struct scope *s = scope_of(NULL, false);
    int x = add(s, "lake.a.t", "X", &type_bigint), level;
    struct expr *e;

    (void)state;
    add(s, "u", "y", &type_bigint);
    assert_int_equal(resolve(s, "x", &e, &level), x);
    assert_int_equal(resolve(s, "\"X\"", &e, &level), x);
    assert_int_equal(resolve(s, "t.x", &e, &level), x);
    assert_int_equal(resolve(s, "LAKE.a.t.x", &e, &level), x);
    assert_int_equal(level, 0);
    assert_int_equal(resolve(s, "u.x", &e, &level), -1);
    assert_string_equal(err.name, "COLUMN_NOT_FOUND");
    assert_string_equal(err.message, "Column 'u.x' cannot be resolved");
}

static void two_columns_of_a_name_are_ambiguous_unless_one_is_qualified(void **state)
{
    struct scope *s = scope_of(NULL, false);
    int level, x = add(s, "t", "x", &type_bigint);
    struct expr *e;

    (void)state;
    add(s, "u", "x", &type_bigint);
    assert_int_equal(resolve(s, "t.x", &e, &level), x);
    assert_int_equal(resolve(s, "x", &e, &level), -1);
    assert_string_equal(err.name, "AMBIGUOUS_NAME");
    assert_string_equal(err.message, "Column 'x' is ambiguous");
}

static void leaving_a_query_is_correlation_and_leaving_another_scope_is_not(void **state)
{
    struct scope *outer_query = scope_of(NULL, true), *outer = scope_of(outer_query, false);
    struct scope *inner_query = scope_of(outer, true), *inner = scope_of(inner_query, false);
    struct scope *order_by = scope_of(inner, false);
    int x = add(outer, "t", "x", &type_bigint), y = add(inner, "u", "y", &type_bigint), level;
    struct expr *e;

    (void)state;
    assert_int_equal(resolve(order_by, "y", &e, &level), y);
    assert_int_equal(level, 0);
    assert_int_equal(resolve(order_by, "t.x", &e, &level), x);
    assert_int_equal(level, 1);
    add(inner, "u", "x", &type_varchar); /* hides the outer one */
    assert_int_not_equal(resolve(order_by, "x", &e, &level), x);
    assert_int_equal(level, 0);
}

static void the_rest_of_a_chain_is_fields_of_a_row(void **state)
{
    const struct type_field inner[] = {{STR("b"), &type_bigint}};
    const struct type_field outer[] = {
        {STR("a"), type_row(&arena, inner, 1)}, {STR("dup"), &type_bigint}, {STR("DUP"), &type_bigint}};
    struct scope *s = scope_of(NULL, false);
    int r = add(s, "t", "r", type_row(&arena, outer, 3)), level;
    struct expr *e;

    (void)state;
    assert_int_equal(resolve(s, "t.r.a.b", &e, &level), r);
    assert_int_equal(e->kind, EXPR_FIELD);
    assert_int_equal(e->type->kind, TYPE_BIGINT);
    assert_int_equal(e->args[0]->kind, EXPR_FIELD);
    assert_int_equal(resolve(s, "r.a", &e, &level), r);
    assert_int_equal(resolve(s, "r.nope", &e, &level), -1);
    assert_string_equal(err.message, "Column 'r.nope' cannot be resolved");
    assert_int_equal(resolve(s, "r.dup", &e, &level), -1);
    assert_string_equal(err.name, "AMBIGUOUS_NAME");
}

static void what_is_no_chain_of_names_is_no_column(void **state)
{
    struct scope *s = scope_of(NULL, false);
    struct ast_expr *ast = NULL;
    struct expr *e;
    int level;

    (void)state;
    assert_int_equal(sql_parse_expr(&arena, STR("f(1).x"), &ast, &err), 0);
    assert_int_equal(scope_resolve(&z, s, ast, &e, &level, &err), 0);
}

static void inner_with_queries_hide_outer_ones(void **state)
{
    struct cte one = {.id = 1}, two = {.id = 2};
    struct scope *outer = scope_of(NULL, true), *inner = scope_of(outer, true);

    (void)state;
    scope_add_cte(&z, outer, (struct scope_cte){.name = STR("q"), .cte = &one});
    assert_ptr_equal(scope_find_cte(inner, STR("q"))->cte, &one);
    scope_add_cte(&z, inner, (struct scope_cte){.name = STR("q"), .cte = &two});
    assert_ptr_equal(scope_find_cte(inner, STR("q"))->cte, &two);
    assert_null(scope_find_cte(inner, STR("nope")));
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_whatever_their_case_and_qualified_by_any_suffix),
        cmocka_unit_test(two_columns_of_a_name_are_ambiguous_unless_one_is_qualified),
        cmocka_unit_test(leaving_a_query_is_correlation_and_leaving_another_scope_is_not),
        cmocka_unit_test(the_rest_of_a_chain_is_fields_of_a_row),
        cmocka_unit_test(what_is_no_chain_of_names_is_no_column),
        cmocka_unit_test(inner_with_queries_hide_outer_ones),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
