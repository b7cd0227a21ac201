-- Subqueries: scalar, IN, EXISTS, quantified, correlated; WITH.
-- session: catalog=tpch, schema=tiny

-- case: scalar
SELECT (SELECT max(nationkey) FROM nation), (SELECT 1 WHERE false);

-- case: scalar_many_rows
SELECT (SELECT name FROM region);

-- case: scalar_many_columns
SELECT (SELECT 1, 2);

-- case: scalar_correlated
SELECT name, (SELECT count(*) FROM nation n WHERE n.regionkey = r.regionkey) FROM region r ORDER BY 1;

-- case: correlated_in_where
SELECT name FROM nation n WHERE nationkey = (SELECT max(nationkey) FROM nation m WHERE m.regionkey = n.regionkey) ORDER BY 1;

-- case: in
SELECT name FROM nation WHERE regionkey IN (SELECT regionkey FROM region WHERE name = 'ASIA') ORDER BY 1;

-- case: not_in_with_null
SELECT a FROM (VALUES 1, 2) t(a) WHERE a NOT IN (SELECT b FROM (VALUES 1, NULL) u(b));

-- case: in_as_value
SELECT a, a IN (SELECT b FROM (VALUES 1, NULL) u(b)) FROM (VALUES 1, 2) t(a) ORDER BY a;

-- case: exists
SELECT name FROM region r WHERE EXISTS (SELECT 1 FROM nation n WHERE n.regionkey = r.regionkey AND n.name = 'CHINA');

-- case: not_exists
SELECT count(*) FROM customer c WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.custkey = c.custkey);

-- case: exists_as_value
SELECT EXISTS (SELECT 1), EXISTS (SELECT 1 WHERE false);

-- case: all_any
SELECT a, a > ALL (SELECT b FROM (VALUES 1, 2) u(b)), a > ANY (SELECT b FROM (VALUES 1, 2) u(b)), a = SOME (SELECT b FROM (VALUES 1, 2) u(b)) FROM (VALUES 1, 2, 3) t(a) ORDER BY a;

-- case: all_of_nothing
SELECT 1 > ALL (SELECT 1 WHERE false), 1 > ANY (SELECT 1 WHERE false);

-- case: in_types_coerced
SELECT 1 IN (SELECT 1.0), 'a' IN (SELECT CAST('a' AS varchar(10)));

-- case: in_types_wrong
SELECT 1 IN (SELECT 'a');

-- case: in_two_columns
SELECT 1 IN (SELECT 1, 2);

-- case: with_used_twice
WITH t AS (SELECT regionkey, count(*) AS n FROM nation GROUP BY regionkey) SELECT a.regionkey FROM t a JOIN t b ON a.n = b.n AND a.regionkey = b.regionkey ORDER BY 1;

-- case: with_chain
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a, b;

-- case: with_columns
WITH t(p, q) AS (VALUES (1, 2)) SELECT q, p FROM t;

-- case: with_columns_mismatch
WITH t(p) AS (VALUES (1, 2)) SELECT * FROM t;

-- case: with_hides_table
WITH nation AS (SELECT 'mine' AS name) SELECT name FROM nation;

-- case: with_repeated
WITH t AS (SELECT 1), t AS (SELECT 2) SELECT * FROM t;

-- case: with_recursive
WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n FROM t ORDER BY n;

-- case: nested_with
SELECT * FROM (WITH t AS (SELECT 5 AS a) SELECT a FROM t);

-- case: correlated_two_levels
SELECT name FROM region r WHERE 5 = (SELECT count(*) FROM nation n WHERE n.regionkey = r.regionkey AND EXISTS (SELECT 1 FROM nation m WHERE m.regionkey = r.regionkey)) ORDER BY name;

-- case: subquery_in_select_of_group
SELECT regionkey, (SELECT r.name FROM region r WHERE r.regionkey = n.regionkey), count(*) FROM nation n GROUP BY regionkey ORDER BY 1;

-- case: subquery_alias_is_optional
SELECT a FROM (SELECT 1 AS a);

-- case: case_of_subqueries
SELECT CASE WHEN (SELECT count(*) FROM region) > 3 THEN 'many' ELSE 'few' END;
