-- Dates, times, timestamps, intervals, zones.

-- case: literals
SELECT DATE '2024-02-29', TIME '01:02:03.456', TIMESTAMP '2024-02-29 01:02:03.456789', TIMESTAMP '2024-02-29 01:02:03 Europe/Paris', INTERVAL '3' DAY, INTERVAL '2-3' YEAR TO MONTH;

-- case: bad_date
SELECT DATE '2024-02-30';

-- case: bad_timestamp
SELECT TIMESTAMP '2024-13-01 00:00:00';

-- case: date_plus_interval
SELECT DATE '2024-01-31' + INTERVAL '1' MONTH, DATE '2024-03-31' - INTERVAL '1' MONTH, DATE '2024-02-28' + INTERVAL '1' DAY, DATE '2024-02-29' + INTERVAL '1' YEAR;

-- case: timestamp_plus_interval
SELECT TIMESTAMP '2024-01-31 12:00:00' + INTERVAL '1' MONTH, TIMESTAMP '2024-01-31 12:00:00' - INTERVAL '90' MINUTE, TIMESTAMP '2024-01-01 00:00:00' + INTERVAL '1 02:03:04.5' DAY TO SECOND;

-- case: date_difference
SELECT date_diff('day', DATE '2024-01-01', DATE '2024-03-01'), date_diff('month', DATE '2024-01-31', DATE '2024-02-29'), date_diff('year', DATE '2023-06-01', DATE '2024-05-31'), date_diff('hour', TIMESTAMP '2024-01-01 00:59:00', TIMESTAMP '2024-01-01 02:00:00');

-- case: timestamp_minus_timestamp
SELECT TIMESTAMP '2024-01-02 00:00:00' - TIMESTAMP '2024-01-01 12:30:00';

-- case: date_add
SELECT date_add('month', 1, DATE '2024-01-31'), date_add('day', -1, DATE '2024-03-01'), date_add('hour', 25, TIMESTAMP '2024-01-01 00:00:00'), date_add('quarter', 1, DATE '2024-01-15'), date_add('week', 2, DATE '2024-01-01');

-- case: date_trunc
SELECT date_trunc('month', DATE '2024-02-29'), date_trunc('week', DATE '2024-02-29'), date_trunc('quarter', DATE '2024-05-05'), date_trunc('year', TIMESTAMP '2024-05-05 01:02:03'), date_trunc('hour', TIMESTAMP '2024-05-05 01:02:03');

-- case: extract
SELECT extract(YEAR FROM DATE '2024-02-29'), extract(QUARTER FROM DATE '2024-02-29'), extract(MONTH FROM DATE '2024-02-29'), extract(WEEK FROM DATE '2024-02-29'), extract(DAY FROM DATE '2024-02-29'), extract(DOW FROM DATE '2024-03-03'), extract(DOY FROM DATE '2024-02-29'), extract(YOW FROM DATE '2024-12-30');

-- case: extract_time
SELECT extract(HOUR FROM TIMESTAMP '2024-02-29 13:14:15.678'), extract(MINUTE FROM TIMESTAMP '2024-02-29 13:14:15.678'), extract(SECOND FROM TIMESTAMP '2024-02-29 13:14:15.678');

-- case: part_functions
SELECT year(d), quarter(d), month(d), week(d), week_of_year(d), day(d), day_of_month(d), day_of_week(d), dow(d), day_of_year(d), year_of_week(d) FROM (VALUES DATE '2021-01-03') t(d);

-- case: time_functions
SELECT hour(t), minute(t), second(t), millisecond(t) FROM (VALUES TIMESTAMP '2024-02-29 13:14:15.678') t(t);

-- case: last_day
SELECT last_day_of_month(DATE '2024-02-05'), last_day_of_month(TIMESTAMP '2023-02-05 01:00:00');

-- case: casts
SELECT CAST('2024-02-29' AS date), CAST(TIMESTAMP '2024-02-29 23:59:59' AS date), CAST(DATE '2024-02-29' AS timestamp), CAST(TIMESTAMP '2024-02-29 01:02:03.5' AS varchar), CAST(DATE '2024-02-29' AS varchar), CAST('2024-02-29 10:00' AS timestamp(0));

-- case: cast_rounds_precision
SELECT CAST(TIMESTAMP '2024-02-29 01:02:03.987654' AS timestamp(3)), CAST(TIMESTAMP '2024-02-29 01:02:03.5' AS timestamp(0));

-- case: precision_types
SELECT typeof(TIMESTAMP '2024-02-29 01:02:03'), typeof(TIMESTAMP '2024-02-29 01:02:03.123456'), typeof(current_timestamp), typeof(localtimestamp), typeof(current_date), typeof(current_time), typeof(now());

-- case: compare_mixed
SELECT DATE '2024-01-01' < TIMESTAMP '2024-01-01 00:00:01', TIMESTAMP '2024-01-01 00:00:00' = TIMESTAMP '2024-01-01 00:00:00.000000';

-- case: at_time_zone
SELECT TIMESTAMP '2024-06-01 12:00:00 UTC' AT TIME ZONE 'America/New_York', TIMESTAMP '2024-01-01 12:00:00 UTC' AT TIME ZONE 'America/New_York';

-- case: zone_comparison
SELECT TIMESTAMP '2024-06-01 12:00:00 UTC' = TIMESTAMP '2024-06-01 14:00:00 Europe/Paris';

-- case: with_zone_to_date
SELECT CAST(TIMESTAMP '2024-06-01 23:30:00 America/New_York' AS date), CAST(TIMESTAMP '2024-06-01 23:30:00 America/New_York' AS timestamp);

-- case: session_zone
-- session: zone=Europe/Paris
SELECT CAST(TIMESTAMP '2024-06-01 12:00:00' AS timestamp with time zone), current_timezone();

-- case: unix_time
SELECT to_unixtime(TIMESTAMP '2024-01-01 00:00:00 UTC'), from_unixtime(1704067200), from_unixtime(1704067200.5);

-- case: date_format
SELECT date_format(TIMESTAMP '2024-02-29 13:04:05.678', '%Y-%m-%d %H:%i:%s.%f'), date_format(DATE '2024-02-29', '%W %M %e %y %j %a %b'), date_format(TIMESTAMP '2024-02-29 13:04:05', '%h:%i %p');

-- case: date_parse
SELECT date_parse('2024-02-29 13:04:05', '%Y-%m-%d %H:%i:%s'), date_parse('29/02/24', '%d/%m/%y');

-- case: format_datetime
SELECT format_datetime(TIMESTAMP '2024-02-29 13:04:05', 'yyyy-MM-dd HH:mm:ss');

-- case: iso
SELECT from_iso8601_date('2024-02-29'), from_iso8601_timestamp('2024-02-29T13:04:05Z'), to_iso8601(DATE '2024-02-29'), to_iso8601(TIMESTAMP '2024-02-29 13:04:05');

-- case: interval_arithmetic
SELECT INTERVAL '1' DAY + INTERVAL '2' HOUR, INTERVAL '1' DAY * 2, INTERVAL '90' MINUTE, INTERVAL '14' MONTH, -INTERVAL '1' DAY;

-- case: interval_compare
SELECT INTERVAL '24' HOUR = INTERVAL '1' DAY, INTERVAL '12' MONTH = INTERVAL '1' YEAR;

-- case: parse_duration
SELECT parse_duration('1.5h'), human_readable_seconds(3661);

-- case: date_function
SELECT date('2024-02-29'), date(TIMESTAMP '2024-02-29 10:00:00');

-- case: old_dates
SELECT DATE '0001-01-01', DATE '1582-10-15', DATE '9999-12-31', TIMESTAMP '1900-01-01 00:00:00.001';

-- case: order_by_date
SELECT d FROM (VALUES DATE '2024-01-02', DATE '2023-12-31', NULL) t(d) ORDER BY d DESC;

-- case: date_minus_date
SELECT DATE '2024-01-02' - DATE '2024-01-01';

-- case: date_plus_integer
SELECT DATE '2024-01-02' + 1;

-- case: unknown_unit
SELECT date_trunc('fortnight', DATE '2024-01-02');
