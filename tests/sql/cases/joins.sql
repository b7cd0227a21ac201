-- Joins of every kind, on TPC-H's tiny tables and on rows written in place.
-- session: catalog=tpch, schema=tiny

-- case: inner_on
SELECT n.name, r.name FROM nation n JOIN region r ON n.regionkey = r.regionkey ORDER BY 1;

-- case: implicit
SELECT n.name, r.name FROM nation n, region r WHERE n.regionkey = r.regionkey AND r.name LIKE 'A%' ORDER BY n.name;

-- case: using_merges_the_column
SELECT regionkey, n.name, r.name FROM nation n JOIN region r USING (regionkey) WHERE regionkey < 2 ORDER BY n.name;

-- case: using_star
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t(k, x) JOIN (VALUES (1, 'c'), (3, 'd')) u(k, y) USING (k);

-- case: natural
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t(k, x) NATURAL JOIN (VALUES (1, 'c'), (3, 'd')) u(k, y);

-- case: left
SELECT * FROM (VALUES 1, 2, NULL) t(a) LEFT JOIN (VALUES 2, 3, NULL) u(b) ON a = b ORDER BY a, b;

-- case: right
SELECT * FROM (VALUES 1, 2, NULL) t(a) RIGHT JOIN (VALUES 2, 3, NULL) u(b) ON a = b ORDER BY b, a;

-- case: full
SELECT * FROM (VALUES 1, 2, NULL) t(a) FULL JOIN (VALUES 2, 3, NULL) u(b) ON a = b ORDER BY a, b;

-- case: full_using
SELECT k, x, y FROM (VALUES (1, 'a'), (2, 'b')) t(k, x) FULL JOIN (VALUES (2, 'c'), (3, 'd')) u(k, y) USING (k) ORDER BY k;

-- case: cross
SELECT * FROM (VALUES 1, 2) t(a) CROSS JOIN (VALUES 'x', 'y') u(b) ORDER BY a, b;

-- case: left_with_extra_condition
SELECT r.name, count(n.name) FROM region r LEFT JOIN nation n ON r.regionkey = n.regionkey AND n.name LIKE '%A' GROUP BY r.name ORDER BY 1;

-- case: non_equi
SELECT a, b FROM (VALUES 1, 2, 3) t(a) JOIN (VALUES 1, 2, 3) u(b) ON a < b ORDER BY a, b;

-- case: self_join
SELECT count(*) FROM nation a JOIN nation b ON a.regionkey = b.regionkey AND a.nationkey < b.nationkey;

-- case: three_tables
SELECT r.name, count(*) AS customers, sum(c.acctbal) > 0 FROM customer c JOIN nation n ON c.nationkey = n.nationkey JOIN region r ON n.regionkey = r.regionkey GROUP BY r.name ORDER BY r.name;

-- case: join_coerces_types
SELECT a, b FROM (VALUES 1, 2) t(a) JOIN (VALUES 1.0, 2.5) u(b) ON a = b;

-- case: lateral
SELECT t.a, x.b FROM (VALUES 1, 2) t(a) CROSS JOIN LATERAL (SELECT t.a * 10 AS b) x ORDER BY 1;

-- case: lateral_aggregate
SELECT r.name, x.n FROM region r CROSS JOIN LATERAL (SELECT count(*) AS n FROM nation n WHERE n.regionkey = r.regionkey) x ORDER BY 1;

-- case: ambiguous_column
SELECT name FROM nation JOIN region ON nation.regionkey = region.regionkey;

-- case: on_unknown_column
SELECT 1 FROM nation n JOIN region r ON n.regionkey = r.nokey;

-- case: on_not_boolean
SELECT 1 FROM nation n JOIN region r ON n.regionkey;

-- case: using_missing_column
SELECT 1 FROM nation JOIN region USING (nationkey);

-- case: duplicate_alias_is_ambiguous
SELECT a.name FROM nation a, region a;

-- case: aggregate_in_on
SELECT 1 FROM nation n JOIN region r ON count(*) = 1;

-- case: alias_hides_table_name
SELECT nation.name FROM nation n;

-- case: qualified_by_schema
SELECT tiny.region.name FROM tiny.region ORDER BY 1;

-- case: qualified_by_catalog
SELECT tpch.tiny.region.name FROM tpch.tiny.region ORDER BY 1;

-- case: star_of_one_side
SELECT r.* FROM nation n JOIN region r ON n.regionkey = r.regionkey WHERE n.nationkey = 3;

-- case: star_of_unknown
SELECT x.* FROM nation n;

-- case: alias_columns
SELECT k, v FROM (VALUES (1, 'a')) AS t(k, v);

-- case: alias_columns_mismatch
SELECT k FROM (VALUES (1, 'a')) AS t(k);
