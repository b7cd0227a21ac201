-- Aggregate functions: values, types, NULLs, empty inputs, DISTINCT, FILTER, ORDER BY.

-- case: count_forms
SELECT count(*), count(a), count(DISTINCT a), count(1) FROM (VALUES 1, 1, 2, NULL) t(a);

-- case: of_nothing
SELECT count(*), count(a), sum(a), avg(a), min(a), max(a) FROM (SELECT 1 AS a WHERE false);

-- case: of_nothing_grouped
SELECT a, count(*) FROM (SELECT 1 AS a WHERE false) GROUP BY a;

-- case: sum_types
SELECT sum(CAST(1 AS tinyint)), sum(CAST(1 AS integer)), sum(CAST(1 AS bigint)), sum(CAST(1.5 AS real)), sum(1.5e0), sum(1.25);

-- case: sum_types_named
SELECT typeof(sum(CAST(1 AS tinyint))), typeof(sum(CAST(1.5 AS real))), typeof(sum(1.5e0)), typeof(sum(1.25)), typeof(avg(1)), typeof(avg(1.25)), typeof(avg(CAST(1 AS real)));

-- case: sum_overflow
SELECT sum(a) FROM (VALUES 9223372036854775807, 1) t(a);

-- case: avg_decimal_rounds
SELECT avg(a) FROM (VALUES 1.00, 2.00, 2.00) t(a);

-- case: avg_integers
SELECT avg(a) FROM (VALUES 1, 2, 4) t(a);

-- case: min_max_text
SELECT min(a), max(a) FROM (VALUES 'b', 'a', 'C', NULL) t(a);

-- case: min_max_n
SELECT min(a, 2), max(a, 2) FROM (VALUES 3, 1, 2) t(a);

-- case: min_by_max_by
SELECT min_by(k, v), max_by(k, v) FROM (VALUES ('a', 2), ('b', 1), ('c', 3)) t(k, v);

-- case: booleans
SELECT bool_and(a), bool_or(a), every(a), count_if(a) FROM (VALUES true, false, NULL) t(a);

-- case: statistics
SELECT round(stddev(a), 6), round(stddev_pop(a), 6), round(stddev_samp(a), 6), round(variance(a), 6), round(var_pop(a), 6), round(var_samp(a), 6) FROM (VALUES 1.0e0, 2.0e0, 4.0e0, 8.0e0) t(a);

-- case: statistics_of_one
SELECT stddev(a), stddev_pop(a), variance(a), var_pop(a) FROM (VALUES 1.0e0) t(a);

-- case: covariance
SELECT round(corr(y, x), 6), round(covar_pop(y, x), 6), round(covar_samp(y, x), 6), round(regr_slope(y, x), 6), round(regr_intercept(y, x), 6) FROM (VALUES (1.0e0, 2.0e0), (2.0e0, 3.0e0), (4.0e0, 7.0e0)) t(x, y);

-- case: skewness_kurtosis
SELECT round(skewness(a), 6), round(kurtosis(a), 6) FROM (VALUES 1.0e0, 2.0e0, 4.0e0, 8.0e0, 16.0e0) t(a);

-- case: geometric_mean
SELECT round(geometric_mean(a), 6) FROM (VALUES 1.0e0, 2.0e0, 4.0e0) t(a);

-- case: array_agg_ordered
SELECT array_agg(a ORDER BY a DESC), array_agg(a ORDER BY a NULLS FIRST) FROM (VALUES 2, NULL, 1, 3) t(a);

-- case: array_agg_distinct
SELECT cardinality(array_agg(DISTINCT a)) FROM (VALUES 2, 2, NULL, 1, NULL) t(a);

-- case: array_agg_filter
SELECT array_agg(a ORDER BY a) FILTER (WHERE a IS NOT NULL) FROM (VALUES 2, NULL, 1) t(a);

-- case: listagg
SELECT listagg(a, ',') WITHIN GROUP (ORDER BY a) FROM (VALUES 'b', 'a', NULL, 'c') t(a);

-- case: filter
SELECT count(*) FILTER (WHERE a > 1), sum(a) FILTER (WHERE a > 100) FROM (VALUES 1, 2, 3) t(a);

-- case: distinct_sum
SELECT sum(DISTINCT a), avg(DISTINCT a) FROM (VALUES 1, 1, 3) t(a);

-- case: arbitrary
SELECT arbitrary(a), any_value(a) FROM (VALUES 5, 5) t(a);

-- case: approx_distinct | tolerance=0.1
SELECT approx_distinct(orderkey) FROM tpch.tiny.orders;

-- case: approx_percentile | tolerance=0.05
SELECT approx_percentile(totalprice, 0.5) FROM tpch.tiny.orders;

-- case: map_agg
SELECT map_agg(k, v) FROM (VALUES ('a', 1), ('b', 2)) t(k, v);

-- case: histogram
SELECT histogram(a) FROM (VALUES 'x', 'x') t(a);

-- case: bitwise
SELECT bitwise_and_agg(a), bitwise_or_agg(a), bitwise_xor_agg(a) FROM (VALUES 6, 3) t(a);

-- case: checksum_is_order_free
SELECT checksum(a) = (SELECT checksum(b) FROM (VALUES 2, 1) u(b)) FROM (VALUES 1, 2) t(a);

-- case: group_by_name
SELECT a, count(*) FROM (VALUES 'x', 'y', 'x', NULL) t(a) GROUP BY a ORDER BY a;

-- case: group_by_ordinal
SELECT a + 1, count(*) FROM (VALUES 1, 2, 1) t(a) GROUP BY 1 ORDER BY 1;

-- case: group_by_expression
SELECT a % 2, sum(a) FROM (VALUES 1, 2, 3) t(a) GROUP BY a % 2 ORDER BY 1;

-- case: expression_over_key
SELECT (a % 2) * 10 + count(*) FROM (VALUES 1, 2, 3) t(a) GROUP BY a % 2 ORDER BY 1;

-- case: having
SELECT a, count(*) AS n FROM (VALUES 1, 1, 2) t(a) GROUP BY a HAVING count(*) > 1;

-- case: having_without_group_by
SELECT 1 FROM (VALUES 1, 2) t(a) HAVING count(*) > 5;

-- case: order_by_aggregate
SELECT a FROM (VALUES 1, 1, 2, 3, 3, 3) t(a) GROUP BY a ORDER BY count(*) DESC, a;

-- case: nan_in_min_max
SELECT min(a), max(a) FROM (VALUES 1e0, nan(), 2e0) t(a);

-- case: group_by_nan
SELECT a, count(*) FROM (VALUES nan(), nan(), 1e0) t(a) GROUP BY a ORDER BY 2;

-- case: not_grouped
SELECT a, b FROM (VALUES (1, 2)) t(a, b) GROUP BY a;

-- case: not_grouped_in_having
SELECT a FROM (VALUES (1, 2)) t(a, b) GROUP BY a HAVING b > 1;

-- case: not_grouped_in_order_by
SELECT a FROM (VALUES (1, 2)) t(a, b) GROUP BY a ORDER BY b;

-- case: mixed_without_group_by
SELECT a, count(*) FROM (VALUES 1) t(a);

-- case: nested
SELECT sum(count(*)) FROM (VALUES 1) t(a);

-- case: in_where
SELECT a FROM (VALUES 1) t(a) WHERE count(*) > 0;

-- case: in_group_by
SELECT count(*) FROM (VALUES 1) t(a) GROUP BY count(*);

-- case: group_by_ordinal_out_of_range
SELECT a FROM (VALUES 1) t(a) GROUP BY 2;

-- case: sum_of_text
SELECT sum('a');

-- case: unknown_function
SELECT foo(1);

-- case: distinct_on_scalar
SELECT abs(DISTINCT 1);

-- case: filter_on_scalar
SELECT abs(1) FILTER (WHERE true);

-- case: char_group
SELECT c, count(*) FROM (VALUES CAST('a' AS char(3)), CAST('a  ' AS char(3))) t(c) GROUP BY c;
