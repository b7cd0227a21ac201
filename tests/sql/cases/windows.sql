-- Window functions and frames.

-- case: ranking
SELECT a, row_number() OVER (ORDER BY a), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM (VALUES 10, 20, 20, 30) t(a) ORDER BY 1, 2;

-- case: ntile
SELECT a, ntile(3) OVER (ORDER BY a) FROM (VALUES 1, 2, 3, 4, 5, 6, 7) t(a) ORDER BY a;

-- case: partitions
SELECT k, v, sum(v) OVER (PARTITION BY k ORDER BY v) FROM (VALUES ('a', 1), ('a', 2), ('b', 5)) t(k, v) ORDER BY k, v;

-- case: whole_partition
SELECT k, v, sum(v) OVER (PARTITION BY k), count(*) OVER () FROM (VALUES ('a', 1), ('a', 2), ('b', 5)) t(k, v) ORDER BY k, v;

-- case: default_frame_has_peers
SELECT a, sum(a) OVER (ORDER BY a) FROM (VALUES 1, 2, 2, 3) t(a) ORDER BY 1, 2;

-- case: rows_frame
SELECT a, sum(a) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES 1, 2, 3, 4) t(a) ORDER BY a;

-- case: range_frame
SELECT a, count(*) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM (VALUES 1, 2, 4, 5) t(a) ORDER BY a;

-- case: groups_frame
SELECT a, sum(a) OVER (ORDER BY a GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES 1, 1, 2, 3) t(a) ORDER BY 1, 2;

-- case: lag_lead
SELECT a, lag(a) OVER (ORDER BY a), lead(a, 2) OVER (ORDER BY a), lag(a, 1, 0) OVER (ORDER BY a) FROM (VALUES 1, 2, 3) t(a) ORDER BY a;

-- case: lag_ignore_nulls
SELECT k, lag(v) IGNORE NULLS OVER (ORDER BY k) FROM (VALUES (1, 'a'), (2, NULL), (3, 'c'), (4, NULL)) t(k, v) ORDER BY k;

-- case: first_last_nth
SELECT a, first_value(a) OVER w, last_value(a) OVER w, nth_value(a, 2) OVER w FROM (VALUES 1, 2, 3) t(a) WINDOW w AS (ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY a;

-- case: named_window_extended
SELECT k, v, rank() OVER (w ORDER BY v DESC) FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) t(k, v) WINDOW w AS (PARTITION BY k) ORDER BY k, v;

-- case: nulls_sort_last
SELECT a, row_number() OVER (ORDER BY a), row_number() OVER (ORDER BY a DESC) FROM (VALUES 1, NULL, 2) t(a) ORDER BY 2;

-- case: over_aggregation
SELECT k, sum(v), rank() OVER (ORDER BY sum(v) DESC) FROM (VALUES ('a', 1), ('b', 5), ('a', 2)) t(k, v) GROUP BY k ORDER BY k;

-- case: share_of_total
SELECT k, sum(v) * 100 / sum(sum(v)) OVER () FROM (VALUES ('a', 1), ('b', 4), ('a', 5)) t(k, v) GROUP BY k ORDER BY k;

-- case: in_order_by
SELECT a FROM (VALUES 3, 1, 2) t(a) ORDER BY row_number() OVER (ORDER BY a DESC);

-- case: filter
SELECT a, count(*) FILTER (WHERE a > 1) OVER () FROM (VALUES 1, 2, 3) t(a) ORDER BY a;

-- case: in_where
SELECT a FROM (VALUES 1) t(a) WHERE row_number() OVER () = 1;

-- case: missing_over
SELECT row_number() FROM (VALUES 1) t(a);

-- case: unknown_window
SELECT rank() OVER w FROM (VALUES 1) t(a);

-- case: top_n_per_group
SELECT k, v FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM (VALUES ('a', 1), ('a', 2), ('b', 3)) t(k, v)) WHERE n = 1 ORDER BY k;
