-- Comparisons, three-valued logic, BETWEEN, IN, LIKE, DISTINCT FROM

-- case: equals_types
SELECT 1 = 1, 1 = 1.0, 1 = 1e0, 1.0 = 1.00, 'a' = 'a';

-- case: not_equals
SELECT 1 <> 2, 1 != 1, 'a' <> 'A';

-- case: ordering
SELECT 1 < 2, 2 <= 2, 3 > 4, 4 >= 5, 'a' < 'b', 'B' < 'a';

-- case: dates
SELECT DATE '2024-01-01' < DATE '2024-01-02', DATE '2024-01-01' = TIMESTAMP '2024-01-01 00:00:00';

-- case: timestamps_mixed_precision
SELECT TIMESTAMP '2024-01-01 00:00:00' = TIMESTAMP '2024-01-01 00:00:00.000', TIMESTAMP '2024-01-01 00:00:00.001' > TIMESTAMP '2024-01-01 00:00:00';

-- case: timestamp_tz_same_instant
SELECT TIMESTAMP '2024-01-01 12:00:00 UTC' = TIMESTAMP '2024-01-01 13:00:00 Europe/Berlin';

-- case: nan_comparisons
SELECT nan() = nan(), nan() <> nan(), nan() > 1, nan() < 1, nan() IS DISTINCT FROM nan();

-- case: null_comparisons
SELECT NULL = NULL, 1 = NULL, NULL <> 1, 1 < NULL;

-- case: is_null
SELECT NULL IS NULL, 1 IS NULL, 1 IS NOT NULL, NULL IS NOT NULL;

-- case: and_or
SELECT true AND NULL, false AND NULL, true OR NULL, false OR NULL, NOT CAST(NULL AS boolean);

-- case: and_or_precedence
SELECT true OR false AND false, NOT true OR true, NOT (true AND false);

-- case: distinct_from
SELECT 1 IS DISTINCT FROM 1, 1 IS DISTINCT FROM NULL, NULL IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL;

-- case: between
SELECT 2 BETWEEN 1 AND 3, 1 BETWEEN 2 AND 3, 3 NOT BETWEEN 1 AND 2, 2 BETWEEN 3 AND 1;

-- case: between_null
SELECT 2 BETWEEN NULL AND 3, 4 BETWEEN NULL AND 3, NULL BETWEEN 1 AND 2;

-- case: between_types
SELECT 2 BETWEEN 1.5 AND 2.5, 'b' BETWEEN 'a' AND 'c', DATE '2024-06-01' BETWEEN DATE '2024-01-01' AND DATE '2024-12-31';

-- case: in_list
SELECT 1 IN (1, 2), 3 IN (1, 2), 3 NOT IN (1, 2), 'a' IN ('a', 'b');

-- case: in_list_null
SELECT 1 IN (1, NULL), 3 IN (1, NULL), 3 NOT IN (1, NULL), NULL IN (1, 2);

-- case: in_list_coerces
SELECT 1 IN (1.0, 2e0), CAST('a' AS char(3)) IN ('a', 'b');

-- case: in_list_type_mismatch
SELECT 1 IN ('a', 'b');

-- case: char_padding_equal
SELECT CAST('ab' AS char(5)) = CAST('ab' AS char(3)), CAST('ab' AS char(5)) = 'ab', CAST('ab' AS char(5)) = 'ab   ';

-- case: char_varchar_column_compare
SELECT CAST('ab' AS char(5)) = CAST('ab' AS varchar), CAST('ab' AS varchar(2)) = CAST('ab ' AS varchar(3));

-- case: varchar_trailing_space
SELECT 'a' = 'a ', 'a' < 'a ';

-- case: like_basic
SELECT 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'abc' LIKE 'b%', 'abc' NOT LIKE '%c', '' LIKE '%', 'abc' LIKE 'ABC';

-- case: like_escape
SELECT 'a%c' LIKE 'a$%c' ESCAPE '$', 'abc' LIKE 'a$%c' ESCAPE '$', 'a_c' LIKE 'a\_c' ESCAPE '\';

-- case: like_null
SELECT NULL LIKE 'a', 'a' LIKE NULL;

-- case: like_bad_escape
SELECT 'a' LIKE 'a$' ESCAPE '$';

-- case: like_long_escape
SELECT 'a' LIKE 'a' ESCAPE 'xx';

-- case: like_newline
SELECT 'a
b' LIKE 'a%b', 'a
b' LIKE 'a_b';

-- case: like_unicode
SELECT 'ä😀x' LIKE '__x', 'äb' LIKE 'ä%';

-- case: like_special_characters
SELECT 'a.c' LIKE 'a.c', 'abc' LIKE 'a.c', 'a*c' LIKE 'a*%', '[x]' LIKE '[x]';

-- case: like_char
SELECT CAST('ab' AS char(4)) LIKE 'ab', CAST('ab' AS char(4)) LIKE 'ab  ', CAST('ab' AS char(4)) LIKE 'ab%';

-- case: like_on_table
SELECT name FROM tpch.tiny.nation WHERE name LIKE '%I_A' ORDER BY name;

-- case: boolean_compare
SELECT true > false, true = true, false < true;

-- case: boolean_is_true
SELECT true IS TRUE;

-- case: row_comparison
SELECT (1, 2) = (1, 2), (1, 2) < (1, 3), (1, NULL) = (1, 2), (1, NULL) = (2, 2);

-- case: row_in
SELECT (1, 'a') IN ((1, 'a'), (2, 'b')), (1, 'c') IN ((1, 'a'));

-- case: array_comparison
SELECT ARRAY[1, 2] = ARRAY[1, 2], ARRAY[1, 2] < ARRAY[1, 3], ARRAY[1] < ARRAY[1, 0];

-- case: map_comparison
SELECT MAP(ARRAY[1], ARRAY[2]) = MAP(ARRAY[1], ARRAY[2]), MAP(ARRAY[1], ARRAY[2]) <> MAP(ARRAY[1], ARRAY[3]);

-- case: map_ordering
SELECT MAP(ARRAY[1], ARRAY[2]) < MAP(ARRAY[1], ARRAY[2]);

-- case: varbinary_comparison
SELECT X'00' < X'01', X'ff' > X'01', X'' = X'';

-- case: interval_comparison
SELECT INTERVAL '1' DAY < INTERVAL '25' HOUR, INTERVAL '12' MONTH = INTERVAL '1' YEAR;

-- case: interval_mixed
SELECT INTERVAL '1' DAY < INTERVAL '1' MONTH;

-- case: compare_mismatch
SELECT 1 < 'a';

-- case: compare_date_int
SELECT DATE '2024-01-01' > 5;

-- case: where_null_is_not_true
SELECT count(*) FROM tpch.tiny.nation WHERE NULL;

-- case: where_not_boolean
SELECT 1 FROM tpch.tiny.nation WHERE nationkey;

-- case: chained_comparison
SELECT 1 < 2 < 3;
