-- Arrays, maps, rows, UNNEST, lambdas.

-- case: array_literals
SELECT ARRAY[1, 2, NULL], ARRAY[], ARRAY['a'], ARRAY[ARRAY[1], ARRAY[2, 3]];

-- case: array_subscript
SELECT ARRAY[10, 20][1], element_at(ARRAY[10, 20], 3), element_at(ARRAY[10, 20], -1);

-- case: array_subscript_out_of_bounds
SELECT ARRAY[10, 20][3];

-- case: array_subscript_zero
SELECT ARRAY[10, 20][0];

-- case: array_functions
SELECT cardinality(ARRAY[1, 2]), contains(ARRAY[1, 2], 2), array_position(ARRAY[1, 2], 2), array_distinct(ARRAY[1, 1, 2]), array_max(ARRAY[1, 3, 2]), array_min(ARRAY[3, 1]), array_join(ARRAY['a', 'b', NULL], ','), array_join(ARRAY[1, NULL], ',', 'x');

-- case: array_functions_more
SELECT array_sort(ARRAY[3, NULL, 1]), reverse(ARRAY[1, 2]), slice(ARRAY[1, 2, 3, 4], 2, 2), flatten(ARRAY[ARRAY[1], ARRAY[2]]), array_remove(ARRAY[1, 2, 1], 1), repeat('x', 3), sequence(1, 5), sequence(5, 1, -2);

-- case: array_set_functions
SELECT array_sort(array_union(ARRAY[1, 2], ARRAY[2, 3])), array_intersect(ARRAY[1, 2], ARRAY[2, 3]), array_except(ARRAY[1, 2], ARRAY[2, 3]), arrays_overlap(ARRAY[1], ARRAY[2]);

-- case: array_concat
SELECT ARRAY[1] || ARRAY[2, 3], ARRAY[1] || 2, 0 || ARRAY[1], concat(ARRAY[1], ARRAY[2]);

-- case: lambdas
SELECT transform(ARRAY[1, 2, 3], x -> x * 2), filter(ARRAY[1, 2, 3], x -> x > 1), reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s), any_match(ARRAY[1, 2], x -> x > 1), all_match(ARRAY[1, 2], x -> x > 1), none_match(ARRAY[1, 2], x -> x > 5), zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x + y);

-- case: lambda_captures_columns
SELECT transform(ARRAY[1, 2], x -> x + a) FROM (VALUES 10, 20) t(a) ORDER BY a;

-- case: maps
SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2]), MAP(), map_keys(MAP(ARRAY['a'], ARRAY[1])), map_values(MAP(ARRAY['a'], ARRAY[1])), cardinality(MAP(ARRAY['a'], ARRAY[1]));

-- case: map_subscript
SELECT MAP(ARRAY['a', 'b'], ARRAY[1, 2])['b'], element_at(MAP(ARRAY['a'], ARRAY[1]), 'x');

-- case: map_subscript_missing
SELECT MAP(ARRAY['a'], ARRAY[1])['x'];

-- case: map_duplicate_keys
SELECT MAP(ARRAY['a', 'a'], ARRAY[1, 2]);

-- case: map_functions
SELECT map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2])), map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1), transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1), map_entries(MAP(ARRAY['a'], ARRAY[1]));

-- case: rows
SELECT ROW(1, 'a'), CAST(ROW(1, 'a') AS ROW(x integer, y varchar)), CAST(ROW(1, 'a') AS ROW(x integer, y varchar)).y;

-- case: row_subscript
SELECT ROW(1, 'a')[2];

-- case: row_comparison
SELECT ROW(1, 2) = ROW(1, 2), (1, 2) < (1, 3), (1, 2) IN ((1, 2), (3, 4));

-- case: unnest_array
SELECT a FROM UNNEST(ARRAY[1, 2, NULL]) t(a);

-- case: unnest_ordinality
SELECT a, n FROM UNNEST(ARRAY['x', 'y']) WITH ORDINALITY t(a, n);

-- case: unnest_two
SELECT * FROM UNNEST(ARRAY[1, 2, 3], ARRAY['a']) t(x, y);

-- case: unnest_map
SELECT k, v FROM UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) t(k, v) ORDER BY k;

-- case: unnest_rows
SELECT * FROM UNNEST(ARRAY[ROW(1, 'a'), ROW(2, 'b')]) t(x, y);

-- case: unnest_of_column
SELECT id, e FROM (VALUES (1, ARRAY[10, 20]), (2, ARRAY[])) t(id, xs) CROSS JOIN UNNEST(xs) u(e) ORDER BY id, e;

-- case: unnest_left
SELECT id, e FROM (VALUES (1, ARRAY[10]), (2, ARRAY[])) t(id, xs) LEFT JOIN UNNEST(xs) u(e) ON true ORDER BY id;

-- case: unnest_of_number
SELECT * FROM UNNEST(1);

-- case: array_types_mixed
SELECT ARRAY[1, 2.5], ARRAY[1, 'a'];

-- case: array_compare
SELECT ARRAY[1, 2] = ARRAY[1, 2], ARRAY[1, 2] < ARRAY[1, 3];

-- case: split_to_map_and_more
SELECT split_to_map('a=1,b=2', ',', '='), split('a,b', ',');

-- case: json
SELECT json_extract_scalar('{"a": {"b": 5}}', '$.a.b'), json_extract('{"a": [1, 2]}', '$.a'), json_array_length('[1, 2, 3]'), json_parse('{"b": 1, "a": 2}'), json_format(JSON '[1, 2]'), json_size('{"a": 1}', '$');

-- case: json_cast
SELECT CAST(JSON '[1, 2]' AS array(integer)), CAST(ARRAY[1, 2] AS json), CAST(JSON '{"a": 1}' AS map(varchar, integer));

-- case: try_and_types
SELECT TRY(1 / 0), TRY(CAST('x' AS integer)), typeof(ARRAY[1]), typeof(MAP(ARRAY['a'], ARRAY[1])), typeof(ROW(1, 'a'));

-- case: uuid
SELECT CAST('12151fd2-7586-11e9-8f9e-2a86e4085a59' AS uuid), typeof(uuid());
