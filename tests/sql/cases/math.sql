-- Mathematical functions

-- case: abs_values
SELECT abs(-5), abs(5.5), abs(-1.5e0), abs(TINYINT '-3'), abs(REAL '-1.5'), abs(BIGINT '-7');

-- case: abs_minimum
SELECT abs(CAST(-2147483648 AS integer));

-- case: ceil_floor
SELECT ceil(1.2), ceiling(-1.2), floor(1.8), floor(-1.2), ceil(1.2e0), floor(-1.5e0), ceil(5), floor(REAL '1.5');

-- case: ceil_floor_types
SELECT typeof(ceil(1.25)), typeof(floor(1.25e0)), typeof(ceil(1)), typeof(ceil(CAST(9.99 AS decimal(3,2))));

-- case: round_values
SELECT round(1.5), round(2.5), round(-1.5), round(-2.5), round(1.4), round(0.5e0), round(1.5e0), round(2.5e0), round(-2.5e0);

-- case: round_digits
SELECT round(1.2345, 2), round(1.235, 2), round(1.2345e0, 2), round(1234.5, -2), round(1234.5e0, -2), round(15, -1), round(-15, -1);

-- case: round_types
SELECT typeof(round(1.25)), typeof(round(1.25, 1)), typeof(round(1e0)), typeof(round(1)), typeof(round(BIGINT '1', 1));

-- case: round_special
SELECT round(nan()), round(infinity()), round(1e300, 2);

-- case: truncate_values
SELECT truncate(1.99), truncate(-1.99e0), truncate(12.345, 2), truncate(129.5, -1), truncate(REAL '1.9');

-- case: sign_values
SELECT sign(-5), sign(0), sign(2.5), sign(-2.5e0), sign(nan()), sign(BIGINT '9');

-- case: sqrt_cbrt
SELECT sqrt(16), sqrt(2e0), sqrt(-1e0), cbrt(27);

-- case: power_values
SELECT power(2, 10), pow(2e0, 0.5e0), power(2, -1), power(0, 0), power(10, 2.0);

-- case: exp_ln_log
SELECT exp(1), ln(2.718281828459045e0), log2(8), log10(1000), log(2, 8), log(10, 100);

-- case: ln_of_zero
SELECT ln(0), ln(-1), log10(0);

-- case: trigonometry
SELECT sin(0), cos(0), tan(0.5e0), asin(1), acos(1), atan(1), atan2(1, 1), sinh(1), cosh(1), tanh(1);

-- case: degrees_radians
SELECT degrees(pi()), radians(180), pi(), e();

-- case: mod_function
SELECT mod(7, 3), mod(-7, 3), mod(7.5, 2), mod(7.5e0, 2e0);

-- case: mod_zero
SELECT mod(5, 0);

-- case: bitwise
SELECT bitwise_and(12, 10), bitwise_or(12, 10), bitwise_xor(12, 10), bitwise_not(5), bit_count(9, 64);

-- case: bitwise_shifts
SELECT bitwise_left_shift(1, 4), bitwise_right_shift(-8, 1), bitwise_right_shift_arithmetic(-8, 1), bitwise_left_shift(TINYINT '7', 2);

-- case: bit_count_bad
SELECT bit_count(9, 3);

-- case: nan_infinity
SELECT is_nan(nan()), is_finite(1e0), is_infinite(infinity()), is_nan(1e0), is_nan(REAL 'NaN');

-- case: width_bucket_values
SELECT width_bucket(3.5e0, 0, 10, 5), width_bucket(-1, 0, 10, 5), width_bucket(11, 0, 10, 5), width_bucket(2.5e0, ARRAY[1.0, 2.0, 3.0]);

-- case: width_bucket_bad
SELECT width_bucket(1, 0, 10, 0);

-- case: from_to_base
SELECT from_base('ff', 16), to_base(255, 2), to_base(-255, 16), from_base('-z', 36);

-- case: from_base_bad
SELECT from_base('12', 2);

-- case: to_base_bad_radix
SELECT to_base(1, 40);

-- case: random_types | types
SELECT random(), rand(), random(10);

-- case: random_range
SELECT random(1) = 0, random() < 1, random(5, 6) = 5;

-- case: random_bad
SELECT random(0);

-- case: normal_functions
SELECT normal_cdf(0, 1, 1.96e0), inverse_normal_cdf(0, 1, 0.5e0);

-- case: cosine_similarity_values
SELECT cosine_similarity(MAP(ARRAY['a'], ARRAY[1.0e0]), MAP(ARRAY['a'], ARRAY[2.0e0]));

-- case: math_null
SELECT abs(NULL), round(NULL, 1), power(NULL, 2), sqrt(NULL), greatest(NULL, 1);

-- case: math_wrong_type
SELECT sqrt('a');

-- case: math_varchar_round
SELECT round('1.5');

-- case: result_types
SELECT typeof(abs(-5)), typeof(sqrt(4)), typeof(power(2, 2)), typeof(sign(2.5)), typeof(mod(7, 2)), typeof(mod(7.5, 2)), typeof(truncate(1.25)), typeof(sign(1e0));

-- case: on_columns
SELECT regionkey, power(regionkey, 2) AS p, round(regionkey / 3e0, 3) AS r, mod(regionkey, 2) AS m FROM tpch.tiny.region ORDER BY 1;
