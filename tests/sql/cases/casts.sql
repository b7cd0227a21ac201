-- CAST and TRY_CAST

-- case: int_to_varchar
SELECT CAST(123 AS varchar), CAST(-5 AS varchar(2)), CAST(BIGINT '9223372036854775807' AS varchar);

-- case: int_to_varchar_too_short
SELECT CAST(12345 AS varchar(3));

-- case: varchar_truncates
SELECT CAST('abcdef' AS varchar(3)), CAST('ab' AS varchar(5));

-- case: varchar_to_char
SELECT CAST('ab' AS char(5)), CAST('abcdef' AS char(3)), length(CAST('ab' AS char(5)));

-- case: char_to_varchar
SELECT CAST(CAST('ab' AS char(5)) AS varchar), CAST(CAST('ab' AS char(5)) AS varchar) || '|';

-- case: char_default_length
SELECT CAST('ab' AS char);

-- case: varchar_to_int
SELECT CAST('123' AS integer), CAST('-7' AS bigint), CAST('+7' AS integer);

-- case: varchar_to_int_spaces
SELECT CAST(' 12 ' AS integer);

-- case: varchar_to_int_bad
SELECT CAST('abc' AS integer);

-- case: varchar_to_int_decimal
SELECT CAST('1.5' AS integer);

-- case: varchar_to_int_empty
SELECT CAST('' AS bigint);

-- case: varchar_to_int_range
SELECT CAST('2147483648' AS integer);

-- case: varchar_to_tinyint_range
SELECT CAST('128' AS tinyint);

-- case: varchar_to_double
SELECT CAST('1.5' AS double), CAST('1e3' AS double), CAST('Infinity' AS double), CAST('NaN' AS double), CAST(' 2.5 ' AS double);

-- case: varchar_to_double_bad
SELECT CAST('1,5' AS double);

-- case: varchar_to_real_bad
SELECT CAST('x' AS real);

-- case: varchar_to_decimal
SELECT CAST('1.50' AS decimal(5,2)), CAST('1.555' AS decimal(5,2)), CAST('-0.005' AS decimal(5,2)), CAST('1e2' AS decimal(5,1));

-- case: varchar_to_decimal_bad
SELECT CAST('abc' AS decimal(5,2));

-- case: varchar_to_decimal_overflow
SELECT CAST('1234.5' AS decimal(5,2));

-- case: varchar_to_boolean
SELECT CAST('true' AS boolean), CAST('F' AS boolean), CAST('1' AS boolean), CAST('0' AS boolean), CAST('t' AS boolean), CAST('FALSE' AS boolean);

-- case: varchar_to_boolean_bad
SELECT CAST('yes' AS boolean);

-- case: varchar_to_date
SELECT CAST('2024-02-29' AS date), CAST(' 2024-02-29 ' AS date);

-- case: varchar_to_date_bad
SELECT CAST('2024-13-01' AS date);

-- case: varchar_to_date_us_style
SELECT CAST('02/29/2024' AS date);

-- case: varchar_to_timestamp
SELECT CAST('2024-02-29 12:34:56.789' AS timestamp), CAST('2024-02-29' AS timestamp), CAST('2024-02-29 12:34:56.789123' AS timestamp(6));

-- case: varchar_to_timestamp_rounds
SELECT CAST('2024-02-29 12:34:56.7896' AS timestamp(3)), CAST('2024-12-31 23:59:59.9999' AS timestamp(3));

-- case: varchar_to_timestamp_bad
SELECT CAST('2024-02-29 25:00:00' AS timestamp);

-- case: varchar_to_timestamp_tz
SELECT CAST('2024-02-29 12:34:56 Europe/Berlin' AS timestamp with time zone), CAST('2024-02-29 12:34:56.123456 +02:00' AS timestamp(6) with time zone);

-- case: varchar_to_timestamp_tz_no_zone
-- session: zone=America/New_York
SELECT CAST('2024-02-29 12:34:56' AS timestamp with time zone);

-- case: varchar_to_time
SELECT CAST('12:34:56' AS time), CAST('12:34:56.789' AS time(3)), CAST('12:34' AS time(0));

-- case: bigint_to_integer_range
SELECT CAST(2147483648 AS integer);

-- case: integer_to_tinyint_range
SELECT CAST(200 AS tinyint);

-- case: integer_to_smallint_range
SELECT CAST(-32769 AS smallint);

-- case: double_to_bigint_rounds
SELECT CAST(1.5e0 AS bigint), CAST(2.5e0 AS bigint), CAST(-1.5e0 AS bigint), CAST(1.4999e0 AS integer), CAST(-0.5e0 AS integer);

-- case: double_to_bigint_range
SELECT CAST(1e19 AS bigint);

-- case: double_to_integer_range
SELECT CAST(3e9 AS integer);

-- case: double_nan_to_bigint
SELECT CAST(nan() AS bigint);

-- case: double_infinity_to_bigint
SELECT CAST(infinity() AS bigint);

-- case: real_to_integer
SELECT CAST(REAL '2.5' AS integer), CAST(REAL '-2.5' AS bigint);

-- case: decimal_to_integer_rounds
SELECT CAST(1.5 AS integer), CAST(2.5 AS bigint), CAST(-1.5 AS integer), CAST(0.49 AS smallint);

-- case: decimal_to_integer_range
SELECT CAST(12345678901.0 AS integer);

-- case: decimal_to_decimal_rounds
SELECT CAST(1.255 AS decimal(5,2)), CAST(1.245 AS decimal(5,2)), CAST(-1.255 AS decimal(5,2)), CAST(1 AS decimal(5,2));

-- case: decimal_to_decimal_overflow
SELECT CAST(1234.5 AS decimal(5,2));

-- case: integer_to_decimal_overflow
SELECT CAST(1000 AS decimal(3,0));

-- case: double_to_decimal
SELECT CAST(1.005e0 AS decimal(5,2)), CAST(123.456e0 AS decimal(6,3)), CAST(0.1e0 AS decimal(20,18));

-- case: double_to_decimal_overflow
SELECT CAST(1e10 AS decimal(5,2));

-- case: double_nan_to_decimal
SELECT CAST(nan() AS decimal(5,2));

-- case: decimal_to_double
SELECT CAST(1.1 AS double), CAST(DECIMAL '12345678901234567890.5' AS double), CAST(0.3 AS real);

-- case: decimal_to_varchar
SELECT CAST(1.50 AS varchar), CAST(0.05 AS varchar), CAST(-12.00 AS varchar);

-- case: decimal_default
SELECT CAST(1.5 AS decimal), typeof(CAST(1 AS decimal)), typeof(CAST(1 AS decimal(10)));

-- case: decimal_too_precise
SELECT CAST(1 AS decimal(39,0));

-- case: decimal_scale_past_precision
SELECT CAST(1 AS decimal(3,5));

-- case: double_to_varchar
SELECT CAST(1e0 AS varchar), CAST(0.1e0 AS varchar), CAST(1e7 AS varchar), CAST(123456.789e0 AS varchar), CAST(1e-5 AS varchar), CAST(nan() AS varchar), CAST(-infinity() AS varchar);

-- case: real_to_varchar
SELECT CAST(REAL '1' AS varchar), CAST(REAL '0.1' AS varchar), CAST(REAL '1e10' AS varchar);

-- case: boolean_to_others
SELECT CAST(true AS integer), CAST(false AS bigint), CAST(true AS varchar), CAST(true AS double), CAST(true AS decimal(3,1));

-- case: others_to_boolean
SELECT CAST(0 AS boolean), CAST(5 AS boolean), CAST(0e0 AS boolean), CAST(1.5 AS boolean);

-- case: date_to_varchar
SELECT CAST(DATE '2024-02-29' AS varchar), CAST(DATE '0009-01-01' AS varchar);

-- case: date_to_timestamp
SELECT CAST(DATE '2024-02-29' AS timestamp), CAST(DATE '2024-02-29' AS timestamp(6));

-- case: date_to_timestamp_tz
-- session: zone=Europe/Berlin
SELECT CAST(DATE '2024-02-29' AS timestamp with time zone);

-- case: timestamp_to_date
SELECT CAST(TIMESTAMP '2024-02-29 23:59:59.999' AS date), CAST(TIMESTAMP '1969-12-31 23:00:00' AS date);

-- case: timestamp_to_varchar
SELECT CAST(TIMESTAMP '2024-02-29 01:02:03' AS varchar), CAST(TIMESTAMP '2024-02-29 01:02:03.120' AS varchar), CAST(TIMESTAMP '2024-02-29 00:00:00.000000' AS varchar);

-- case: timestamp_precision_down
SELECT CAST(TIMESTAMP '2024-02-29 01:02:03.123456' AS timestamp(3)), CAST(TIMESTAMP '2024-02-29 01:02:03.1235' AS timestamp(3)), CAST(TIMESTAMP '2024-02-29 01:02:03.5' AS timestamp(0));

-- case: timestamp_precision_up
SELECT CAST(TIMESTAMP '2024-02-29 01:02:03' AS timestamp(6)), CAST(TIMESTAMP '2024-02-29 01:02:03' AS timestamp(12));

-- case: timestamp_to_tz
-- session: zone=America/New_York
SELECT CAST(TIMESTAMP '2024-07-01 12:00:00' AS timestamp with time zone), CAST(TIMESTAMP '2024-01-01 12:00:00' AS timestamp(0) with time zone);

-- case: timestamp_tz_to_timestamp
-- session: zone=America/New_York
SELECT CAST(TIMESTAMP '2024-07-01 12:00:00 Europe/Berlin' AS timestamp(0));

-- case: timestamp_tz_to_date
-- session: zone=America/New_York
SELECT CAST(TIMESTAMP '2024-07-01 01:00:00 Europe/Berlin' AS date);

-- case: timestamp_tz_to_varchar
SELECT CAST(TIMESTAMP '2024-07-01 12:00:00.123 Europe/Berlin' AS varchar), CAST(TIMESTAMP '2024-07-01 12:00:00 +02:00' AS varchar);

-- case: timestamp_to_time
SELECT CAST(TIMESTAMP '2024-07-01 12:34:56.789' AS time), CAST(TIMESTAMP '2024-07-01 12:34:56.789' AS time(0));

-- case: time_to_varchar
SELECT CAST(TIME '01:02:03' AS varchar), CAST(TIME '01:02:03.4' AS varchar);

-- case: interval_to_varchar
SELECT CAST(INTERVAL '1' DAY AS varchar), CAST(INTERVAL '14' MONTH AS varchar);

-- case: integer_to_date
SELECT CAST(1 AS date);

-- case: varbinary_to_varchar
SELECT CAST(X'41' AS varchar);

-- case: varchar_to_varbinary
SELECT CAST('abc' AS varbinary);

-- case: timestamp_to_bigint
SELECT CAST(TIMESTAMP '2024-01-01 00:00:00' AS bigint);

-- case: uuid_casts
SELECT CAST(UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' AS varchar), CAST('12151fd2-7586-11e9-8f9e-2a86e4085a59' AS uuid);

-- case: array_cast
SELECT CAST(ARRAY[1, 2] AS array(varchar)), CAST(ARRAY['1', NULL] AS array(bigint));

-- case: array_cast_bad
SELECT CAST(ARRAY['a'] AS array(bigint));

-- case: map_cast
SELECT CAST(MAP(ARRAY['1'], ARRAY[2]) AS map(bigint, varchar));

-- case: row_cast
SELECT CAST(ROW(1, 'x') AS row(a bigint, b varchar)), CAST(ROW(1, 'x') AS row(a bigint, b varchar)).b;

-- case: row_cast_size
SELECT CAST(ROW(1, 2) AS row(a bigint));

-- case: null_casts
SELECT CAST(NULL AS integer), CAST(NULL AS varchar(3)), CAST(NULL AS date), CAST(NULL AS array(integer));

-- case: try_cast_good
SELECT TRY_CAST('123' AS integer), TRY_CAST('2024-02-29' AS date);

-- case: try_cast_bad
SELECT TRY_CAST('abc' AS integer), TRY_CAST('2024-13-01' AS date), TRY_CAST(300 AS tinyint), TRY_CAST('x' AS boolean);

-- case: try_cast_impossible
SELECT TRY_CAST(1 AS date);

-- case: cast_unknown_type
SELECT CAST(1 AS nosuchtype);

-- case: cast_type_aliases
SELECT typeof(CAST(1 AS int)), typeof(CAST(1 AS dec(5,1))), typeof(CAST('2024-01-01' AS timestamp(0) without time zone)), typeof(CAST(1 AS double precision));

-- case: cast_on_column
SELECT CAST(name AS varchar(3)) AS n, CAST(nationkey AS varchar) AS k FROM tpch.tiny.nation WHERE nationkey < 3 ORDER BY nationkey;

-- case: cast_error_on_column
SELECT CAST(name AS integer) FROM tpch.tiny.nation WHERE nationkey = 3;

-- case: implicit_varchar_int_comparison
SELECT 1 = '1';

-- case: implicit_date_varchar_comparison
SELECT DATE '2024-01-01' = '2024-01-01';
