-- CASE, IF, COALESCE, NULLIF, TRY, GREATEST, LEAST

-- case: case_searched
SELECT CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END;

-- case: case_simple
SELECT CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, CASE 3 WHEN 1 THEN 'one' END;

-- case: case_null_operand
SELECT CASE NULL WHEN NULL THEN 1 ELSE 2 END;

-- case: case_common_type
SELECT CASE WHEN true THEN 1 ELSE 2.5 END, CASE WHEN false THEN 1 ELSE 2e0 END, typeof(CASE WHEN true THEN 1 ELSE BIGINT '2' END);

-- case: case_varchar_type
SELECT CASE WHEN true THEN 'a' ELSE 'bcd' END;

-- case: case_type_mismatch
SELECT CASE WHEN true THEN 1 ELSE 'a' END;

-- case: case_condition_type
SELECT CASE WHEN 1 THEN 2 END;

-- case: case_lazy
SELECT CASE WHEN true THEN 1 ELSE 1 / 0 END;

-- case: case_lazy_column
SELECT sum(CASE WHEN regionkey <> 0 THEN 10 / regionkey ELSE 0 END) FROM tpch.tiny.region;

-- case: case_nested
SELECT CASE WHEN nationkey < 5 THEN CASE WHEN nationkey < 2 THEN 'x' ELSE 'y' END ELSE 'z' END AS c, count(*) FROM tpch.tiny.nation GROUP BY 1 ORDER BY 1;

-- case: if_two
SELECT if(1 > 2, 'a'), if(2 > 1, 'a');

-- case: if_three
SELECT if(1 > 2, 'a', 'b'), if(NULL, 1, 2);

-- case: if_types
SELECT if(true, 1, 2.5), typeof(if(true, 1, BIGINT '1'));

-- case: if_lazy
SELECT if(false, 1 / 0, 5);

-- case: coalesce_values
SELECT coalesce(NULL, 1, 2), coalesce(NULL, NULL), coalesce('a', 'b');

-- case: coalesce_types
SELECT coalesce(1, 2.5), coalesce(NULL, 1e0), typeof(coalesce(1, BIGINT '2'));

-- case: coalesce_one
SELECT coalesce(1);

-- case: coalesce_mismatch
SELECT coalesce(1, 'a');

-- case: coalesce_lazy
SELECT coalesce(1, 1 / 0);

-- case: nullif_values
SELECT nullif(1, 1), nullif(1, 2), nullif(NULL, 1), nullif(1, NULL);

-- case: nullif_types
SELECT nullif(1, 1.0), nullif('a', 'b'), typeof(nullif(1, 2.5));

-- case: nullif_arity
SELECT nullif(1);

-- case: try_division
SELECT try(1 / 0), try(CAST('a' AS integer)), try(5);

-- case: try_overflow
SELECT try(2147483647 + 1), coalesce(try(CAST('x' AS double)), -1e0);

-- case: try_on_table
SELECT nationkey, try(10 / nationkey) FROM tpch.tiny.nation WHERE nationkey < 3 ORDER BY 1;

-- case: greatest_least
SELECT greatest(1, 3, 2), least(1, 3, 2), greatest('a', 'b'), least(1.5, 2);

-- case: greatest_null
SELECT greatest(1, NULL, 3), least(NULL, 1);

-- case: greatest_nan
SELECT greatest(1e0, nan()), least(1e0, nan());

-- case: greatest_dates
SELECT greatest(DATE '2024-01-01', DATE '2023-01-01'), least(TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2023-01-01 00:00:00.5');
