-- ORDER BY, LIMIT, OFFSET, FETCH, DISTINCT, names of columns.
-- session: catalog=tpch, schema=tiny

-- case: nulls_last_by_default
SELECT a FROM (VALUES 2, NULL, 1) t(a) ORDER BY a;

-- case: desc_nulls_last_by_default
SELECT a FROM (VALUES 2, NULL, 1) t(a) ORDER BY a DESC;

-- case: nulls_first
SELECT a FROM (VALUES 2, NULL, 1) t(a) ORDER BY a NULLS FIRST;

-- case: by_ordinal
SELECT name, nationkey FROM nation ORDER BY 2 DESC LIMIT 3;

-- case: by_alias
SELECT nationkey * -1 AS k FROM nation ORDER BY k LIMIT 2;

-- case: by_source_column
SELECT name FROM nation ORDER BY nationkey LIMIT 3;

-- case: alias_wins_over_column
SELECT -nationkey AS nationkey FROM nation ORDER BY nationkey LIMIT 2;

-- case: by_expression
SELECT name FROM nation ORDER BY length(name), name LIMIT 4;

-- case: ordinal_out_of_range
SELECT name FROM nation ORDER BY 2;

-- case: ordinal_zero
SELECT name FROM nation ORDER BY 0;

-- case: distinct
SELECT DISTINCT regionkey FROM nation ORDER BY regionkey;

-- case: distinct_order_by_other
SELECT DISTINCT regionkey FROM nation ORDER BY name;

-- case: distinct_nulls
SELECT DISTINCT a FROM (VALUES NULL, NULL, 1) t(a) ORDER BY a;

-- case: limit_zero
SELECT name FROM nation LIMIT 0;

-- case: limit_all
SELECT name FROM region ORDER BY 1 LIMIT ALL;

-- case: offset
SELECT name FROM region ORDER BY name OFFSET 3;

-- case: offset_rows_limit
SELECT name FROM region ORDER BY name OFFSET 1 ROW LIMIT 2;

-- case: fetch_first
SELECT name FROM region ORDER BY name FETCH FIRST 2 ROWS ONLY;

-- case: fetch_with_ties
SELECT a FROM (VALUES 1, 1, 2) t(a) ORDER BY a FETCH FIRST 1 ROW WITH TIES;

-- case: with_ties_needs_order
SELECT a FROM (VALUES 1, 1, 2) t(a) FETCH FIRST 1 ROW WITH TIES;

-- case: text_order_is_binary
SELECT a FROM (VALUES 'b', 'B', 'a', 'ä', 'Z', '') t(a) ORDER BY a;

-- case: doubles_order
SELECT a FROM (VALUES nan(), 1e0, -infinity(), infinity(), -0e0) t(a) ORDER BY a;

-- case: booleans_order
SELECT a FROM (VALUES true, false, NULL) t(a) ORDER BY a;

-- case: anonymous_columns
SELECT 1, 'a', 1 + 1, length('x');

-- case: names_from_columns
SELECT name, n.regionkey, n.name AS "Mixed" FROM nation n WHERE nationkey = 0;

-- case: duplicate_names
SELECT nationkey, nationkey FROM nation WHERE nationkey < 2 ORDER BY 1;

-- case: names_are_lower_case
SELECT NAME, NationKey FROM NATION WHERE nationkey = 1;

-- case: quoted_lower_case_match
SELECT "NAME" FROM nation WHERE nationkey = 1;

-- case: star_without_from
SELECT *;

-- case: column_unknown
SELECT nope FROM nation;

-- case: table_unknown
SELECT 1 FROM nope;

-- case: schema_unknown
SELECT 1 FROM nope.nation;

-- case: catalog_unknown
SELECT 1 FROM nope.tiny.nation;

-- case: where_not_boolean
SELECT 1 FROM nation WHERE nationkey;

-- case: select_twice_error_position
SELECT name,
  nope2
FROM nation;

-- case: values_rows
VALUES (1, 'a'), (2, NULL);

-- case: values_types_widen
SELECT typeof(a), typeof(b) FROM (VALUES (1, 'a'), (2.5, 'bcd')) t(a, b) LIMIT 1;

-- case: values_mismatch
VALUES (1, 'a'), (2);

-- case: table_statement
TABLE region;
