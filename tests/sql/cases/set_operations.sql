-- UNION, INTERSECT, EXCEPT: values, types, order, errors.

-- case: union_distinct
SELECT a FROM (VALUES 1, 1, 2) t(a) UNION SELECT b FROM (VALUES 2, 3) u(b) ORDER BY 1;

-- case: union_all
SELECT 1 UNION ALL SELECT 1 UNION ALL SELECT 2;

-- case: union_takes_first_names
SELECT 1 AS x UNION ALL SELECT 2 AS y;

-- case: union_widens_types
SELECT 1 UNION ALL SELECT 2.5;

-- case: union_varchar_lengths
SELECT typeof(a) FROM (SELECT 'ab' AS a UNION ALL SELECT 'abcd');

-- case: intersect
SELECT a FROM (VALUES 1, 2, 2, NULL) t(a) INTERSECT SELECT b FROM (VALUES 2, 3, NULL) u(b) ORDER BY 1;

-- case: intersect_all
SELECT a FROM (VALUES 1, 2, 2, 2) t(a) INTERSECT ALL SELECT b FROM (VALUES 2, 2, 3) u(b);

-- case: except
SELECT a FROM (VALUES 1, 2, 2, NULL) t(a) EXCEPT SELECT b FROM (VALUES 2, 3) u(b) ORDER BY 1;

-- case: except_all
SELECT a FROM (VALUES 1, 2, 2, 2) t(a) EXCEPT ALL SELECT b FROM (VALUES 2, 3) u(b) ORDER BY 1;

-- case: precedence
SELECT 1 UNION SELECT 2 INTERSECT SELECT 3;

-- case: parenthesised_limits
(SELECT a FROM (VALUES 3, 1, 2) t(a) ORDER BY a LIMIT 1) UNION ALL (SELECT 9) ORDER BY 1;

-- case: order_and_limit_over_union
SELECT a FROM (VALUES 3, 1) t(a) UNION ALL SELECT 2 ORDER BY a DESC LIMIT 2;

-- case: different_widths
SELECT 1, 2 UNION SELECT 3;

-- case: incompatible_types
SELECT 1 UNION SELECT 'a';

-- case: order_by_unknown
SELECT 1 AS a UNION SELECT 2 ORDER BY b;
