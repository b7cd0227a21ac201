-- Literals and the types that they get

-- case: integer_literal
SELECT 1;

-- case: integer_max
SELECT 2147483647;

-- case: integer_becomes_bigint
SELECT 2147483648;

-- case: bigint_max
SELECT 9223372036854775807;

-- case: integer_too_big
SELECT 9223372036854775808;

-- case: negative_integer
SELECT -5, - 5, -(-5);

-- case: bigint_min
SELECT -9223372036854775808;

-- case: underscores
SELECT 1_000_000, 0x1F, 0b101, 0o17;

-- case: hex_too_big
SELECT 0xFFFFFFFFFFFFFFFFFF;

-- case: typed_integers
SELECT TINYINT '127', SMALLINT '-32768', INTEGER '7', BIGINT '8';

-- case: tinyint_literal_out_of_range
SELECT TINYINT '128';

-- case: decimal_literal
SELECT 1.5, .5, 5., 123.4500, 0.001;

-- case: decimal_leading_zeros
SELECT 000.10, 0.0;

-- case: decimal_typed
SELECT DECIMAL '1.50', DECIMAL '-12345678901234567890.123';

-- case: decimal_38_digits
SELECT 12345678901234567890123456789012345678.;

-- case: decimal_39_digits
SELECT 123456789012345678901234567890123456789.;

-- case: double_literal
SELECT 1e0, 1E3, 1.5e-3, .5e1;

-- case: double_typed
SELECT DOUBLE '1.5', DOUBLE 'Infinity', DOUBLE 'NaN', REAL '2.5';

-- case: real_display
SELECT REAL '0.1', REAL '1e10', REAL '16777217', REAL '3.4028235e38';

-- case: double_display
SELECT 1e7, 1e-4, 123456789.125e0, 1e100, 1e16, 0.1e0;

-- case: double_too_big
SELECT 1e309;

-- case: negative_zero
SELECT -0e0, CAST(-0e0 AS varchar);

-- case: boolean_literals
SELECT true, false, TRUE, NOT true;

-- case: boolean_typed
SELECT BOOLEAN 'true', BOOLEAN 'f', BOOLEAN '1';

-- case: null_literal
SELECT NULL;

-- case: null_named
SELECT NULL AS n, CAST(NULL AS integer) AS i;

-- case: string_literal
SELECT 'abc', '', 'it''s';

-- case: string_unicode
SELECT 'äöü€😀', length('äöü€😀');

-- case: string_escape_unicode
SELECT U&'Hello winter \2603 !', U&'snow#2603' UESCAPE '#';

-- case: string_backslash_is_plain
SELECT 'a
b', length('
');

-- case: string_newline
SELECT 'a
b';

-- case: varchar_typed
SELECT VARCHAR 'abc';

-- case: char_typed
SELECT CHAR 'abc';

-- case: varbinary_literal
SELECT X'48656c6C6f', X'', X'00 ff';

-- case: varbinary_odd
SELECT X'abc';

-- case: varbinary_not_hex
SELECT X'zz';

-- case: date_literal
SELECT DATE '2024-02-29', DATE '1970-01-01', DATE '0001-01-01', DATE '9999-12-31';

-- case: date_short
SELECT DATE '2024-2-9';

-- case: date_bad
SELECT DATE '2023-02-29';

-- case: date_garbage
SELECT DATE 'yesterday';

-- case: date_negative_year
SELECT DATE '-0001-05-06';

-- case: date_five_digit_year
SELECT DATE '+12345-01-01', DATE '12345-01-01';

-- case: time_literal
SELECT TIME '01:02:03', TIME '01:02:03.123', TIME '01:02', TIME '23:59:59.999999999999';

-- case: time_bad
SELECT TIME '25:00:00';

-- case: time_tz_literal
SELECT TIME '01:02:03.456 +05:30', TIME '10:00 -08:00';

-- case: timestamp_literal
SELECT TIMESTAMP '2024-02-29 01:02:03', TIMESTAMP '2024-02-29 01:02:03.5', TIMESTAMP '2024-02-29 01:02', TIMESTAMP '2024-02-29';

-- case: timestamp_precisions
SELECT TIMESTAMP '2024-02-29 01:02:03.123', TIMESTAMP '2024-02-29 01:02:03.123456', TIMESTAMP '2024-02-29 01:02:03.123456789', TIMESTAMP '2024-02-29 01:02:03.123456789012';

-- case: timestamp_thirteen_digits
SELECT TIMESTAMP '2024-02-29 01:02:03.1234567890123';

-- case: timestamp_t_separator
SELECT TIMESTAMP '2024-02-29T01:02:03';

-- case: timestamp_bad
SELECT TIMESTAMP '2024-02-30 00:00:00';

-- case: timestamp_tz_literal
SELECT TIMESTAMP '2024-02-29 01:02:03 UTC', TIMESTAMP '2024-02-29 01:02:03.123 Europe/Berlin', TIMESTAMP '2024-07-01 12:00:00 America/New_York';

-- case: timestamp_tz_offset
SELECT TIMESTAMP '2024-02-29 01:02:03 +05:30', TIMESTAMP '2024-02-29 01:02:03-08:00';

-- case: timestamp_tz_bad_zone
SELECT TIMESTAMP '2024-02-29 01:02:03 Mars/Olympus';

-- case: interval_day
SELECT INTERVAL '1' DAY, INTERVAL '-2' HOUR, INTERVAL - '3' MINUTE, INTERVAL '4' SECOND;

-- case: interval_day_ranges
SELECT INTERVAL '1 02:03:04.567' DAY TO SECOND, INTERVAL '1 02' DAY TO HOUR, INTERVAL '02:03' HOUR TO MINUTE;

-- case: interval_year
SELECT INTERVAL '1' YEAR, INTERVAL '14' MONTH, INTERVAL '1-2' YEAR TO MONTH;

-- case: interval_week
SELECT INTERVAL '2' WEEK;

-- case: interval_bad
SELECT INTERVAL 'x' DAY;

-- case: interval_fraction
SELECT INTERVAL '1.5' SECOND;

-- case: json_literal
SELECT JSON '{"b": 1, "a": [1, 2.50, null]}';

-- case: json_bad
SELECT JSON '{';

-- case: uuid_literal
SELECT UUID '12151FD2-7586-11e9-8f9e-2a86e4085a59';

-- case: uuid_bad
SELECT UUID '123';

-- case: ipaddress_literal
SELECT IPADDRESS '10.0.0.1', IPADDRESS '2001:db8::1';

-- case: column_names
SELECT 1, 2 AS two, 3 three, 'x' "Mixed Case", 1 + 1;

-- case: column_name_of_function
SELECT abs(-1), count(*), CAST(1 AS bigint) FROM tpch.tiny.region;

-- case: typeof_literals
SELECT typeof(1), typeof(1.50), typeof(1e0), typeof('abc'), typeof(''), typeof(NULL), typeof(ARRAY[1]), typeof(DATE '2024-01-01');

-- case: typeof_more
SELECT typeof(TIMESTAMP '2024-01-01 00:00:00.123456'), typeof(INTERVAL '1' DAY), typeof(INTERVAL '1' MONTH), typeof(X'00'), typeof(ROW(1, 'a')), typeof(MAP(ARRAY['a'], ARRAY[1.5]));

-- case: no_such_type
SELECT NOSUCHTYPE 'x';

-- case: row_wide
SELECT (1, 'a', NULL), ROW(1);

-- case: adjacent_strings
SELECT 'a' 'b';
