-- Grouping sets, rollup, cube and GROUPING.

-- case: rollup
SELECT a, b, sum(c) FROM (VALUES ('x', 1, 10), ('x', 2, 20), ('y', 1, 30)) t(a, b, c) GROUP BY ROLLUP (a, b) ORDER BY a, b;

-- case: cube
SELECT a, b, sum(c) FROM (VALUES ('x', 1, 10), ('x', 2, 20), ('y', 1, 30)) t(a, b, c) GROUP BY CUBE (a, b) ORDER BY a, b;

-- case: sets
SELECT a, b, sum(c) FROM (VALUES ('x', 1, 10), ('x', 2, 20), ('y', 1, 30)) t(a, b, c) GROUP BY GROUPING SETS ((a, b), (a), ()) ORDER BY a, b;

-- case: cross_product
SELECT a, b, count(*) FROM (VALUES ('x', 1), ('y', 2)) t(a, b) GROUP BY a, ROLLUP (b) ORDER BY a, b;

-- case: grouping_bits
SELECT a, b, grouping(a, b), grouping(b), sum(c) FROM (VALUES ('x', 1, 10), ('y', 1, 30)) t(a, b, c) GROUP BY CUBE (a, b) ORDER BY 3, 1, 2;

-- case: null_key_and_null_of_set
SELECT a, grouping(a), count(*) FROM (VALUES 'x', NULL) t(a) GROUP BY ROLLUP (a) ORDER BY 2, 1;

-- case: empty_input_rollup
SELECT a, count(*) FROM (SELECT 'x' AS a WHERE false) GROUP BY ROLLUP (a);

-- case: distinct_sets
SELECT a, count(*) FROM (VALUES 'x', 'y') t(a) GROUP BY DISTINCT GROUPING SETS ((a), (a)) ORDER BY a;

-- case: repeated_sets
SELECT a, count(*) FROM (VALUES 'x', 'y') t(a) GROUP BY GROUPING SETS ((a), (a)) ORDER BY a;

-- case: having_on_grouping
SELECT a, sum(b) FROM (VALUES ('x', 1), ('y', 2)) t(a, b) GROUP BY ROLLUP (a) HAVING grouping(a) = 1;

-- case: grouping_without_group_by
SELECT grouping(a) FROM (VALUES 1) t(a);

-- case: grouping_of_no_key
SELECT a, grouping(b) FROM (VALUES (1, 2)) t(a, b) GROUP BY a;
