-- Arithmetic: result types, rounding, overflow

-- case: integer_division
SELECT 7 / 2, -7 / 2, 7 / -2, -7 / -2;

-- case: integer_modulus
SELECT 7 % 3, -7 % 3, 7 % -3, mod(-7, 3);

-- case: integer_types
SELECT TINYINT '1' + TINYINT '1', SMALLINT '1' * 2, 1 + BIGINT '1', TINYINT '1' + SMALLINT '1';

-- case: integer_overflow_add
SELECT 2147483647 + 1;

-- case: integer_overflow_multiply
SELECT 2147483647 * 2;

-- case: integer_overflow_subtract
SELECT -2147483647 - 2;

-- case: bigint_overflow_add
SELECT 9223372036854775807 + 1;

-- case: bigint_overflow_multiply
SELECT 9223372036854775807 * 2;

-- case: tinyint_overflow
SELECT TINYINT '127' + TINYINT '1';

-- case: smallint_overflow
SELECT SMALLINT '32767' * SMALLINT '2';

-- case: negate_minimum
SELECT -CAST(-2147483648 AS integer);

-- case: divide_minimum
SELECT CAST(-2147483648 AS integer) / -1;

-- case: integer_division_by_zero
SELECT 1 / 0;

-- case: integer_modulus_by_zero
SELECT 1 % 0;

-- case: bigint_division_by_zero
SELECT BIGINT '1' / BIGINT '0';

-- case: double_division_by_zero
SELECT 1e0 / 0, -1e0 / 0, 0e0 / 0;

-- case: real_division_by_zero
SELECT REAL '1' / REAL '0';

-- case: double_modulus
SELECT 5.5e0 % 2, -5.5e0 % 2, 1e0 % 0;

-- case: double_arithmetic
SELECT 0.1e0 + 0.2e0, 1e308 * 10, 1e0 / 3;

-- case: real_arithmetic
SELECT REAL '0.1' + REAL '0.2', REAL '1' / REAL '3', REAL '1' + 1e0, REAL '1' + 1;

-- case: mixed_integer_double
SELECT 1 + 1e0, 7 / 2e0, BIGINT '9007199254740993' + 0e0;

-- case: mixed_integer_decimal
SELECT 1 + 1.5, 7 / 2.0, BIGINT '1' + 1.5, 2 * 1.25;

-- case: mixed_decimal_double
SELECT 1.5 + 1e0, 1.5 * REAL '2';

-- case: decimal_add
SELECT 1.5 + 2.25, 0.10 + 0.20, 99.9 + 0.1;

-- case: decimal_add_type
SELECT DECIMAL '123.45' + DECIMAL '1.234', CAST(1 AS decimal(38,0)) + CAST(1 AS decimal(38,0));

-- case: decimal_subtract
SELECT 1.5 - 2.25, 1.0 - 1.0;

-- case: decimal_multiply
SELECT 1.5 * 2.25, 0.1 * 0.1, -1.5 * 1.5;

-- case: decimal_divide
SELECT 1.0 / 3.0, 10.00 / 3, 1 / 3.0, 2.0 / 3.0, -2.0 / 3.0;

-- case: decimal_divide_rounds
SELECT 1.00 / 8, 0.5 / 100, DECIMAL '1' / DECIMAL '6', DECIMAL '5' / DECIMAL '8';

-- case: decimal_divide_wide
SELECT CAST(1 AS decimal(38,10)) / CAST(3 AS decimal(38,10));

-- case: decimal_modulus
SELECT 5.5 % 2, 5.5 % 2.25, -5.5 % 2.0;

-- case: decimal_division_by_zero
SELECT 1.0 / 0.0;

-- case: decimal_modulus_by_zero
SELECT 1.0 % 0;

-- case: decimal_overflow_add
SELECT DECIMAL '99999999999999999999999999999999999999' + DECIMAL '1';

-- case: decimal_overflow_multiply
SELECT DECIMAL '99999999999999999999999999999999999999' * DECIMAL '10';

-- case: decimal_scale_past_38
SELECT CAST(1 AS decimal(38,30)) * CAST(1 AS decimal(38,30));

-- case: decimal_negate
SELECT -(1.50), +(1.50);

-- case: decimal_precision_reached
SELECT CAST(1.1 AS decimal(38,1)) * CAST(1.1 AS decimal(3,1));

-- case: unary_chain
SELECT - - 1, + 1, -(+1);

-- case: precedence
SELECT 1 + 2 * 3, (1 + 2) * 3, 10 - 2 - 3, 100 / 10 / 2, 7 % 4 * 2, -2 + 3;

-- case: null_arithmetic
SELECT 1 + NULL, NULL * 2, 1 / CAST(NULL AS integer);

-- case: null_arithmetic_type
SELECT typeof(1 + NULL), typeof(1e0 * NULL), typeof(NULL || 'a');

-- case: string_plus_number
SELECT '1' + 1;

-- case: boolean_plus
SELECT true + 1;

-- case: concat_operator
SELECT 'a' || 'b', 'a' || NULL, 'x' || CAST(1 AS varchar);

-- case: concat_number
SELECT 'a' || 1;

-- case: concat_types
SELECT typeof('a' || 'bc'), typeof(CAST('a' AS varchar(3)) || CAST('b' AS varchar(4))), typeof(CAST('a' AS char(3)) || CAST('b' AS char(2)));

-- case: concat_char_pads
SELECT CAST('a' AS char(3)) || 'b', CAST('a' AS char(3)) || CAST('b' AS char(2)) || '|';

-- case: overflow_on_table
SELECT orderkey * 9223372036854775807 FROM tpch.tiny.orders WHERE orderkey = 2;

-- case: division_by_zero_on_table
SELECT 1 / (regionkey - 2) FROM tpch.tiny.region;
