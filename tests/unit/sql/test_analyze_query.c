#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "fake.h"

static struct fake fake;

static int setup(void **state)
{
    (void)state;
    fake_init(&fake);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_release(&fake);
    return 0;
}

static void outputs(const char *sql, const char *want)
{
    struct statement *s = fake_must_bind(&fake, sql);
    struct str got = fake_output(&fake, s);

    if (!str_eq_cstr(got, want))
        fail_msg("%s\ngives    %.*s\nexpected %s", sql, STR_ARG(got), want);
}

static void fails(const char *sql, const char *want)
{
    fake_must_fail(&fake, sql, want);
}

/* The first relation of a kind from the root down, along inputs and right sides. */
static struct rel *find(struct rel *r, enum rel_kind kind)
{
    if (!r || r->kind == kind)
        return r;
    struct rel *found = find(r->input, kind);
    return found ? found : find(r->right, kind);
}

static void select_lists_name_and_type_their_columns(void **state)
{
    (void)state;
    outputs("SELECT * FROM t", "x bigint, y varchar(10), z double");
    outputs("SELECT x, Y AS Name, z + 1, t.x FROM t", "x bigint, Name varchar(10), _col2 double, x bigint");
    outputs("SELECT t.*, u.w FROM t, u", "x bigint, y varchar(10), z double, w varchar");
    outputs("SELECT a.t.x FROM lake.a.t", "x bigint");
    outputs("SELECT \"$path\" FROM t", "$path varchar");
    outputs("SELECT point.px, a.point.py FROM arrays a", "px double, py double");
    outputs("SELECT point.* FROM arrays", "px double, py double");
    outputs("SELECT (SELECT max(x) FROM u), 1", "_col0 bigint, _col1 integer");
    outputs("TABLE t", "x bigint, y varchar(10), z double");
}

static void joins_give_both_sides_columns_and_using_merges_them(void **state)
{
    (void)state;
    outputs("SELECT * FROM t JOIN u ON t.x = u.x",
            "x bigint, y varchar(10), z double, x bigint, w varchar, when_ date");
    outputs("SELECT * FROM t JOIN u USING (x)", "x bigint, y varchar(10), z double, w varchar, when_ date");
    outputs("SELECT x, t.y FROM t FULL JOIN b.t AS v (x, o) USING (x)", "x bigint, y varchar(10)");
    outputs("SELECT * FROM b.t CROSS JOIN (VALUES 1, 2) v (n)", "x integer, other varchar(3), n integer");
    fails("SELECT t.x FROM t JOIN u USING (x)", "1:8 COLUMN_NOT_FOUND: Column 't.x' cannot be resolved");
    fails("SELECT x FROM t, u", "1:8 AMBIGUOUS_NAME: Column 'x' is ambiguous");
    fails("SELECT 1 FROM t JOIN u USING (y)", "1:31 COLUMN_NOT_FOUND: Column 'y' is missing from right side of join");
    fails("SELECT 1 FROM t NATURAL JOIN u", "1:15 NOT_SUPPORTED: Natural join not supported");
    fails("SELECT 1 FROM t JOIN u ON t.x", "1:27 TYPE_MISMATCH: JOIN ON clause must evaluate to a boolean: actual type "
                                           "bigint");
}

static void unnest_and_lateral_see_what_stands_left_of_them(void **state)
{
    (void)state;
    outputs("SELECT id, tag FROM arrays CROSS JOIN UNNEST(tags) AS s (tag)", "id integer, tag varchar");
    outputs("SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a']) WITH ORDINALITY AS s (n, c, o)",
            "n integer, c varchar(1), o bigint");
    outputs("SELECT k, v FROM arrays, UNNEST(pairs) AS p (k, v)", "k varchar, v bigint");
    outputs("SELECT id, n, name FROM arrays LEFT JOIN UNNEST(items) ON true", "id integer, n bigint, name varchar");
    outputs("SELECT t.x, l.m FROM t CROSS JOIN LATERAL (SELECT max(x) AS m FROM u WHERE u.x = t.x) AS l",
            "x bigint, m bigint");
    fails("SELECT 1 FROM t, UNNEST(x) AS s (e)", "INVALID_FUNCTION_ARGUMENT: Cannot unnest type: bigint");
    fails("SELECT 1 FROM arrays, UNNEST(tags) AS s (e, f)",
          "1:23 MISMATCHED_COLUMN_ALIASES: Column alias list has 2 entries but 's' has 1 columns available");
}

static void grouping_replaces_keys_and_refuses_what_is_neither(void **state)
{
    (void)state;
    outputs("SELECT y, count(*) AS n FROM t GROUP BY y HAVING count(*) > 1 ORDER BY n DESC, y",
            "y varchar(10), n bigint");
    outputs("SELECT x + 1, max(z) FROM t GROUP BY x + 1", "_col0 bigint, _col1 double");
    outputs("SELECT x + 1 AS k, sum(z) FROM t GROUP BY 1", "k bigint, _col1 double");
    outputs("SELECT count(*) FROM t HAVING sum(x) > 0", "_col0 bigint");
    outputs("SELECT y, x, GROUPING(y, x), count(*) FROM t GROUP BY ROLLUP (y, x)",
            "y varchar(10), x bigint, _col2 integer, _col3 bigint");
    outputs("SELECT x, (SELECT count(*) FROM u WHERE u.x = t.x) FROM t GROUP BY x", "x bigint, _col1 bigint");
    fails("SELECT x + z, count(*) FROM t GROUP BY x",
          "1:10 EXPRESSION_NOT_AGGREGATE: '(x + z)' must be an aggregate expression or appear in GROUP BY clause");
    fails("SELECT x FROM t GROUP BY y ORDER BY z",
          "1:8 EXPRESSION_NOT_AGGREGATE: 'x' must be an aggregate expression or appear in GROUP BY clause");
    fails("SELECT y FROM t GROUP BY y ORDER BY z",
          "1:37 EXPRESSION_NOT_AGGREGATE: 'z' must be an aggregate expression or appear in GROUP BY clause");
    fails("SELECT * FROM t GROUP BY y", "EXPRESSION_NOT_AGGREGATE: Column 't.x' not in GROUP BY clause");
    fails("SELECT y, (SELECT max(u.x) FROM u WHERE u.x = t.x) FROM t GROUP BY y",
          "1:47 EXPRESSION_NOT_AGGREGATE: Subquery uses 'x' which must appear in GROUP BY clause");
    fails("SELECT y FROM t GROUP BY 2", "1:26 INVALID_COLUMN_REFERENCE: GROUP BY position 2 is not in select list");
    fails("SELECT y FROM t GROUP BY ROLLUP (x + 1)",
          "1:36 INVALID_COLUMN_REFERENCE: GROUP BY expression must be a column reference: (x + 1)");
    fails("SELECT GROUPING(x) FROM t",
          "1:1 MISSING_GROUP_BY: A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/"
          "GROUP BY clause");
    fails(
        "SELECT sum(x) OVER (PARTITION BY y) FROM t GROUP BY x",
        "1:34 EXPRESSION_NOT_AGGREGATE: PARTITION BY expression 'y' must be an aggregate expression or appear in GROUP "
        "BY clause");
}

static void grouping_sets_are_crossed_and_expanded(void **state)
{
    struct rel *a;

    (void)state;
    a = find(fake_must_bind(&fake, "SELECT count(*) FROM t GROUP BY CUBE (x, y), z")->query, REL_AGGREGATE);
    assert_int_equal(a->aggregate.key_count, 3);
    assert_int_equal(a->aggregate.set_count, 4);
    a = find(fake_must_bind(&fake, "SELECT 1 FROM t GROUP BY GROUPING SETS ((x), (x, y), ()), GROUPING SETS ((x), ())")
                 ->query,
             REL_AGGREGATE);
    assert_int_equal(a->aggregate.set_count, 6);
    a = find(fake_must_bind(&fake, "SELECT 1 FROM t GROUP BY DISTINCT ROLLUP (x), ROLLUP (x)")->query, REL_AGGREGATE);
    assert_int_equal(a->aggregate.set_count, 2);
}

static void order_by_sees_output_and_source(void **state)
{
    struct statement *s;

    (void)state;
    outputs("SELECT y AS k FROM t ORDER BY k, x, z * 2", "k varchar(10)");
    s = fake_must_bind(&fake, "SELECT y FROM t ORDER BY x LIMIT 3");
    assert_int_equal(s->query->column_count, 1);
    assert_int_equal(s->query->input->kind, REL_LIMIT);
    assert_int_equal(s->query->input->input->kind, REL_SORT);
    outputs("SELECT DISTINCT x + 1 FROM t ORDER BY x + 1", "_col0 bigint");
    outputs("SELECT x FROM t UNION SELECT x FROM u ORDER BY 1 DESC", "x bigint");
    fails("SELECT DISTINCT x FROM t ORDER BY z",
          "1:1 EXPRESSION_NOT_IN_DISTINCT: For SELECT DISTINCT, ORDER BY expressions must appear in select list");
    fails("SELECT x FROM t ORDER BY 2", "1:26 INVALID_COLUMN_REFERENCE: ORDER BY position 2 is not in select list");
    fails("SELECT x FROM t UNION SELECT x FROM u ORDER BY y", "1:48 COLUMN_NOT_FOUND: Column 'y' cannot be resolved");
    fails("SELECT sum(x) AS x FROM t ORDER BY sum(x)",
          "1:36 COLUMN_NOT_FOUND: Invalid reference to output projection attribute from ORDER BY aggregation");
    fails("SELECT pairs FROM arrays ORDER BY pairs",
          "1:1 TYPE_MISMATCH: Type map(varchar, bigint) is not orderable, and therefore cannot be used in ORDER BY: "
          "pairs");
    fails("SELECT x FROM t FETCH FIRST 2 ROWS WITH TIES",
          "1:17 MISSING_ORDER_BY: FETCH FIRST WITH TIES clause requires ORDER BY");
}

static void a_subquerys_order_counts_only_with_a_limit(void **state)
{
    (void)state;
    assert_null(find(fake_must_bind(&fake, "SELECT * FROM (SELECT x FROM t ORDER BY x)")->query, REL_SORT));
    assert_non_null(find(fake_must_bind(&fake, "SELECT * FROM (SELECT x FROM t ORDER BY x LIMIT 1)")->query, REL_SORT));
    assert_non_null(find(fake_must_bind(&fake, "SELECT x FROM t ORDER BY x")->query, REL_SORT));
}

static void set_operations_find_a_common_type(void **state)
{
    (void)state;
    outputs("SELECT x, 'a' FROM t UNION ALL SELECT z, 'bcd' FROM t", "x double, _col1 varchar(3)");
    outputs("SELECT 1 AS n INTERSECT SELECT 2", "n integer");
    outputs("SELECT x, y FROM t EXCEPT CORRESPONDING SELECT w AS y, x FROM u", "x bigint, y varchar");
    fails("SELECT x FROM t UNION SELECT x, y FROM t",
          "1:17 TYPE_MISMATCH: UNION query has different number of fields: 1, 2");
    fails("SELECT x FROM t EXCEPT SELECT when_ FROM u",
          "1:17 TYPE_MISMATCH: column 1 in EXCEPT query has incompatible types: bigint, date");
    fails("SELECT pairs FROM arrays UNION SELECT pairs FROM arrays UNION ALL SELECT 1",
          "1:57 TYPE_MISMATCH: column 1 in UNION query has incompatible types: map(varchar, bigint), integer");
}

static void values_rows_agree(void **state)
{
    (void)state;
    outputs("VALUES (1, 'a'), (BIGINT '2', 'bc')", "_col0 bigint, _col1 varchar(2)");
    outputs("VALUES 1, NULL", "_col0 integer");
    fails("VALUES (1, 2), (3)", "1:1 TYPE_MISMATCH: Values rows have mismatched sizes: 2 vs 1");
    fails("VALUES 1, 'a'", "1:1 TYPE_MISMATCH: Values rows have mismatched types: row(integer) vs row(varchar(1))");
}

static void with_queries_are_bound_once_and_referenced(void **state)
{
    struct statement *s;
    struct rel *join;

    (void)state;
    s = fake_must_bind(&fake, "WITH q (k) AS (SELECT x FROM t) SELECT p.k, r.k FROM q AS p, q AS r");
    assert_int_equal(s->query->cte_count, 1);
    join = find(s->query, REL_JOIN);
    assert_ptr_equal(join->input->ref.cte, join->right->ref.cte);
    assert_int_not_equal(join->input->columns[0].id, join->right->columns[0].id);
    outputs("WITH t AS (SELECT 1 AS one) SELECT * FROM t", "one integer");
    outputs("WITH p AS (SELECT 1 AS n), q AS (SELECT n + 1 AS m FROM p) SELECT * FROM q", "m integer");
    outputs("WITH RECURSIVE c (n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT * FROM c",
            "n integer");
    fails("WITH q AS (SELECT 1), q AS (SELECT 2) SELECT * FROM q",
          "1:23 DUPLICATE_NAMED_QUERY: WITH query name 'q' specified more than once");
    fails("WITH q (a, b) AS (SELECT 1) SELECT * FROM q",
          "1:9 MISMATCHED_COLUMN_ALIASES: Column alias list has 2 entries but relation has 1 columns");
    fails("WITH RECURSIVE c AS (SELECT 1 UNION ALL SELECT 2 FROM c) SELECT * FROM c",
          "1:16 MISSING_COLUMN_ALIASES: missing column aliases in recursive WITH query");
    fails("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT 'a' FROM c) SELECT * FROM c",
          "1:45 TYPE_MISMATCH: recursion step relation output type (varchar(1)) is not coercible to recursion base "
          "relation output type (integer) at column 1");
}

static void tables_are_looked_up_as_trino_says(void **state)
{
    (void)state;
    fails("SELECT * FROM nope", "1:15 TABLE_NOT_FOUND: Table 'lake.a.nope' does not exist");
    fails("SELECT * FROM c.t", "1:15 SCHEMA_NOT_FOUND: Schema 'c' does not exist");
    fails("SELECT * FROM x.y.z", "1:15 CATALOG_NOT_FOUND: Catalog 'x' not found");
    fails("SELECT * FROM a.b.c.d", "SYNTAX_ERROR: Too many dots in table name: a.b.c.d");
    fails("SELECT nope FROM t", "1:8 COLUMN_NOT_FOUND: Column 'nope' cannot be resolved");
    fails("SELECT q.x FROM t", "1:8 COLUMN_NOT_FOUND: Column 'q.x' cannot be resolved");
    fails("SELECT *", "1:8 COLUMN_NOT_FOUND: SELECT * not allowed in queries without FROM clause");
    fails("SELECT q.* FROM t", "1:8 TABLE_NOT_FOUND: Unable to resolve reference q");
    fails("SELECT * FROM t AS s (a, b)",
          "1:15 MISMATCHED_COLUMN_ALIASES: Column alias list has 2 entries but 's' has 3 columns available");
    fails("SELECT x FROM t WHERE x", "1:23 TYPE_MISMATCH: WHERE clause must evaluate to a boolean: actual type bigint");
    fails("SELECT * FROM t TABLESAMPLE BERNOULLI (10)", "1:15 NOT_SUPPORTED: TABLESAMPLE is not supported");
    fake.session.schema = STR_NULL;
    fails("SELECT * FROM t", "1:15 MISSING_SCHEMA_NAME: Schema must be specified when session schema is not set");
    fake.session.catalog = STR_NULL;
    fails("SELECT * FROM a.t", "1:15 MISSING_CATALOG_NAME: Catalog must be specified when session catalog is not set");
}

static void scans_read_used_columns_only_and_know_the_conjuncts(void **state)
{
    struct rel *scan;

    (void)state;
    scan = find(fake_must_bind(&fake, "SELECT y FROM t WHERE x > 5 AND z < x")->query, REL_SCAN);
    assert_int_equal(scan->column_count, 3);
    assert_int_equal(scan->scan.conjunct_count, 2);
    scan = find(fake_must_bind(&fake, "SELECT k FROM (SELECT y AS k, z AS l, x AS m FROM t) WHERE k = 'a'")->query,
                REL_SCAN);
    assert_int_equal(scan->column_count, 1);
    assert_int_equal(scan->scan.conjunct_count, 1);
    assert_int_equal(scan->scan.conjuncts[0]->args[0]->column_id, scan->columns[0].id);
    scan = find(fake_must_bind(&fake, "SELECT count(*) FROM t")->query, REL_SCAN);
    assert_int_equal(scan->column_count, 1);

    struct rel *join = find(
        fake_must_bind(&fake, "SELECT 1 FROM t LEFT JOIN u ON t.x = u.x AND u.x > 3 WHERE u.x IS NULL AND t.x < 9")
            ->query,
        REL_JOIN);
    assert_int_equal(join->input->scan.conjunct_count, 1);
    assert_int_equal(join->right->scan.conjunct_count, 1);
}

static void windows_stand_over_the_groups(void **state)
{
    struct rel *w;

    (void)state;
    outputs("SELECT rank() OVER w, sum(x) OVER (w ROWS 2 PRECEDING) FROM t WINDOW w AS (PARTITION BY y ORDER BY x)",
            "_col0 bigint, _col1 bigint");
    w = find(fake_must_bind(&fake, "SELECT y, rank() OVER (ORDER BY sum(x)) FROM t GROUP BY y")->query, REL_WINDOW);
    assert_int_equal(w->input->kind, REL_AGGREGATE);
    assert_int_equal(w->window.calls[0].order[0].expr->column_id, w->input->columns[1].id);
    w = find(fake_must_bind(&fake, "SELECT x AS k FROM t ORDER BY row_number() OVER (ORDER BY k)")->query, REL_WINDOW);
    assert_int_equal(w->window.calls[0].order[0].expr->column_id, w->input->columns[0].id);
    fails("SELECT count(*) FILTER (WHERE x > 1) OVER () FROM t",
          "1:1 NOT_SUPPORTED: FILTER is not yet supported for window functions");
    fails("SELECT rank() OVER w FROM t", "1:20 INVALID_WINDOW_REFERENCE: Cannot resolve WINDOW name w");
    fails("SELECT x FROM t HAVING rank() OVER () > 1",
          "1:24 NESTED_WINDOW: HAVING clause cannot contain window functions or row pattern measures");
    fails("SELECT 1 FROM t WINDOW w AS (), w AS ()",
          "1:33 DUPLICATE_WINDOW_NAME: WINDOW name 'w' specified more than once");
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 1 << 16);

    if (!f || !text)
        fail_msg("can't read %s", path);
    size_t n = fread(text, 1, (1 << 16) - 1, f);
    fclose(f);
    while (n && strchr("; \n", text[n - 1]))
        text[--n] = 0;
    return text;
}

static void all_of_tpch_binds(void **state)
{
    (void)state;
    fake.session.catalog = STR("tpch");
    fake.session.schema = STR("tiny");
    for (int i = 1; i <= 22; i++) {
        char path[512];

        snprintf(path, sizeof(path), "%s/tests/sql/tpch/q%02d.sql", SOURCE_ROOT, i);
        char *text = read_file(path);
        fake_must_bind(&fake, text);
        free(text);
    }
}

static void the_blueprints_query_binds(void **state)
{
    char *text = read_file(SOURCE_ROOT "/examples/blueprint/query.sql");
    char *query = strstr(text, "WITH inv");

    (void)state;
    assert_non_null(query);
    fake.session.catalog = STR("ice");
    fake.session.schema = STR("iceberg_schema");
    outputs(query,
            "w_warehouse_sk bigint, i_item_sk bigint, d_moy integer, mean double, cov double, w_warehouse_sk bigint, "
            "i_item_sk bigint, d_moy integer, mean double, cov double");
    free(text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(select_lists_name_and_type_their_columns),
        TEST(joins_give_both_sides_columns_and_using_merges_them),
        TEST(unnest_and_lateral_see_what_stands_left_of_them),
        TEST(grouping_replaces_keys_and_refuses_what_is_neither),
        TEST(grouping_sets_are_crossed_and_expanded),
        TEST(order_by_sees_output_and_source),
        TEST(a_subquerys_order_counts_only_with_a_limit),
        TEST(set_operations_find_a_common_type),
        TEST(values_rows_agree),
        TEST(with_queries_are_bound_once_and_referenced),
        TEST(tables_are_looked_up_as_trino_says),
        TEST(scans_read_used_columns_only_and_know_the_conjuncts),
        TEST(windows_stand_over_the_groups),
        TEST(all_of_tpch_binds),
        TEST(the_blueprints_query_binds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
