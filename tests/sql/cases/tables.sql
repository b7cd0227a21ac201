-- Schemas and tables of Iceberg and memory: DDL, CTAS, INSERT, DELETE, their errors.

-- case: iceberg_life
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_life WITH (location = 's3://trino-data/corpus_life');
DROP TABLE IF EXISTS iceberg.corpus_life.t;
CREATE TABLE iceberg.corpus_life.t (a integer, b varchar, c decimal(10, 2), d date, e timestamp(6), f double, g boolean);
INSERT INTO iceberg.corpus_life.t VALUES (1, 'x', 1.50, DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03.000004', 1.5e0, true), (2, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO iceberg.corpus_life.t (b, a) VALUES ('y', 3);
SELECT * FROM iceberg.corpus_life.t ORDER BY a;
SELECT count(*), min(a), max(b) FROM iceberg.corpus_life.t;
DELETE FROM iceberg.corpus_life.t;
SELECT count(*) FROM iceberg.corpus_life.t;
SHOW TABLES FROM iceberg.corpus_life;
DROP TABLE iceberg.corpus_life.t;
SHOW TABLES FROM iceberg.corpus_life;
DROP SCHEMA iceberg.corpus_life;

-- case: iceberg_ctas_types
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_types WITH (location = 's3://trino-data/corpus_types');
DROP TABLE IF EXISTS iceberg.corpus_types.t;
CREATE TABLE iceberg.corpus_types.t WITH (format = 'PARQUET') AS SELECT CAST(1 AS tinyint) AS a, CAST(2 AS smallint) AS b, CAST('abc' AS varchar(10)) AS c, TIMESTAMP '2024-02-29 01:02:03.123' AS d, X'0102' AS e, ARRAY[1, 2] AS f, MAP(ARRAY['k'], ARRAY[1.5]) AS g, CAST(ROW(1, 'x') AS ROW(i bigint, s varchar)) AS h, TIME '01:02:03' AS i, CAST(1.5 AS real) AS j, CAST('12151fd2-7586-11e9-8f9e-2a86e4085a59' AS uuid) AS k, TIMESTAMP '2024-02-29 01:02:03 UTC' AS l;
DESCRIBE iceberg.corpus_types.t;
SELECT * FROM iceberg.corpus_types.t;
DROP TABLE iceberg.corpus_types.t;
DROP SCHEMA iceberg.corpus_types;

-- case: iceberg_ctas_char
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_char WITH (location = 's3://trino-data/corpus_char');
CREATE TABLE iceberg.corpus_char.t AS SELECT CAST('a' AS char(3)) AS c;
SELECT c, length(c) FROM iceberg.corpus_char.t;
DROP TABLE IF EXISTS iceberg.corpus_char.t;
DROP SCHEMA iceberg.corpus_char;

-- case: iceberg_partitioned
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_part WITH (location = 's3://trino-data/corpus_part');
DROP TABLE IF EXISTS iceberg.corpus_part.t;
CREATE TABLE iceberg.corpus_part.t WITH (partitioning = ARRAY['k', 'month(d)', 'bucket(v, 4)']) AS SELECT * FROM (VALUES ('a', DATE '2024-01-05', 1), ('b', DATE '2024-02-05', 2), ('a', DATE '2024-01-20', 3), (NULL, NULL, NULL)) t(k, d, v);
SELECT * FROM iceberg.corpus_part.t ORDER BY v;
SELECT k, v FROM iceberg.corpus_part.t WHERE k = 'a' AND d < DATE '2024-01-10';
SELECT count(*) FROM iceberg.corpus_part.t WHERE k IS NULL;
INSERT INTO iceberg.corpus_part.t VALUES ('c', DATE '2025-01-01', 9);
SELECT v FROM iceberg.corpus_part.t WHERE d >= DATE '2024-02-01' ORDER BY v;
SHOW COLUMNS FROM iceberg.corpus_part.t;
DROP TABLE iceberg.corpus_part.t;
DROP SCHEMA iceberg.corpus_part;

-- case: iceberg_show_create | mask=s3://[^']*
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_create WITH (location = 's3://trino-data/corpus_create');
DROP TABLE IF EXISTS iceberg.corpus_create.t;
CREATE TABLE iceberg.corpus_create.t (a bigint NOT NULL, b varchar COMMENT 'the b') COMMENT 'a table' WITH (format = 'PARQUET', partitioning = ARRAY['a']);
SHOW CREATE TABLE iceberg.corpus_create.t;
SHOW CREATE SCHEMA iceberg.corpus_create;
DROP TABLE iceberg.corpus_create.t;
DROP SCHEMA iceberg.corpus_create;

-- case: iceberg_errors
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_errors WITH (location = 's3://trino-data/corpus_errors');
DROP TABLE IF EXISTS iceberg.corpus_errors.t;
CREATE TABLE iceberg.corpus_errors.t (a integer, b varchar);
CREATE TABLE iceberg.corpus_errors.t (a integer);
CREATE TABLE IF NOT EXISTS iceberg.corpus_errors.t (a integer);
CREATE SCHEMA iceberg.corpus_errors;
INSERT INTO iceberg.corpus_errors.t VALUES ('x', 1);
INSERT INTO iceberg.corpus_errors.t VALUES (1);
INSERT INTO iceberg.corpus_errors.t (a, nope) VALUES (1, 2);
INSERT INTO iceberg.corpus_errors.t (a, a) VALUES (1, 2);
INSERT INTO iceberg.corpus_errors.nope VALUES (1);
DROP SCHEMA iceberg.corpus_errors;
DROP TABLE iceberg.corpus_errors.t;
DROP TABLE iceberg.corpus_errors.t;
DROP TABLE IF EXISTS iceberg.corpus_errors.t;
CREATE TABLE iceberg.corpus_errors.t (a integer, a varchar);
CREATE TABLE iceberg.corpus_errors.t (a integer) WITH (nope = 1);
CREATE TABLE iceberg.corpus_errors.t (a nope);
CREATE TABLE iceberg.corpus_errors.t AS SELECT 1, 2;
CREATE TABLE iceberg.corpus_errors.t AS SELECT 1 AS a, 2 AS a;
CREATE TABLE iceberg.nope.t (a integer);
DROP SCHEMA iceberg.corpus_errors;
DROP SCHEMA iceberg.corpus_errors;
DROP SCHEMA IF EXISTS iceberg.corpus_errors;

-- case: iceberg_if_not_exists_ctas
CREATE SCHEMA IF NOT EXISTS iceberg.corpus_ctas WITH (location = 's3://trino-data/corpus_ctas');
DROP TABLE IF EXISTS iceberg.corpus_ctas.t;
CREATE TABLE IF NOT EXISTS iceberg.corpus_ctas.t AS SELECT * FROM tpch.tiny.region;
CREATE TABLE IF NOT EXISTS iceberg.corpus_ctas.t AS SELECT * FROM tpch.tiny.region;
SELECT count(*) FROM iceberg.corpus_ctas.t;
DROP TABLE iceberg.corpus_ctas.t;
CREATE TABLE iceberg.corpus_ctas.t (x, y) AS SELECT regionkey, name FROM tpch.tiny.region WITH NO DATA;
SELECT * FROM iceberg.corpus_ctas.t;
DESCRIBE iceberg.corpus_ctas.t;
DROP TABLE iceberg.corpus_ctas.t;
DROP SCHEMA iceberg.corpus_ctas;

-- case: memory_life
CREATE SCHEMA memory.corpus_memory;
CREATE TABLE memory.corpus_memory.t AS SELECT * FROM tpch.tiny.nation;
SELECT count(*) FROM memory.corpus_memory.t;
INSERT INTO memory.corpus_memory.t SELECT * FROM tpch.tiny.nation WHERE nationkey < 3;
SELECT count(*), sum(nationkey) FROM memory.corpus_memory.t;
DESCRIBE memory.corpus_memory.t;
DROP TABLE memory.corpus_memory.t;
DROP SCHEMA memory.corpus_memory;

-- case: memory_types
CREATE TABLE memory.default.corpus_types (a char(3), b varchar(5), c decimal(5, 1), d timestamp(3), e array(varchar));
INSERT INTO memory.default.corpus_types VALUES ('a', 'bb', 1.25, TIMESTAMP '2024-01-01 00:00:00', ARRAY['x']);
SELECT a, length(a), b, c, d, e FROM memory.default.corpus_types;
DROP TABLE memory.default.corpus_types;

-- case: insert_too_long
CREATE TABLE memory.default.corpus_long (a varchar(2));
INSERT INTO memory.default.corpus_long VALUES ('abc');
DROP TABLE memory.default.corpus_long;

-- case: insert_decimal_overflow
CREATE TABLE memory.default.corpus_dec (a decimal(3, 1));
INSERT INTO memory.default.corpus_dec VALUES (123.4);
DROP TABLE memory.default.corpus_dec;

-- case: memory_default_schema
SHOW SCHEMAS FROM memory LIKE 'default';

-- case: tpch_is_read_only
CREATE TABLE tpch.tiny.t (a integer);

-- case: tpch_insert
INSERT INTO tpch.tiny.region VALUES (9, 'x', 'y');

-- case: tpch_drop
DROP TABLE tpch.tiny.region;

-- case: create_table_needs_schema
CREATE TABLE t (a integer);
