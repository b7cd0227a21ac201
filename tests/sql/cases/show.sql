-- SHOW, DESCRIBE, USE, information_schema, system: what tools ask before they ask anything.
-- session: catalog=tpch, schema=tiny

-- case: show_catalogs_like
SHOW CATALOGS LIKE 'tpc_';

-- case: show_schemas
SHOW SCHEMAS FROM tpch;

-- case: show_schemas_tpcds
SHOW SCHEMAS FROM tpcds;

-- case: show_schemas_like
SHOW SCHEMAS FROM tpch LIKE 'sf1%';

-- case: show_schemas_unknown
SHOW SCHEMAS FROM nope;

-- case: show_tables
SHOW TABLES;

-- case: show_tables_of
SHOW TABLES FROM tpcds.tiny;

-- case: show_tables_like
SHOW TABLES FROM tpch.sf1 LIKE '%part%';

-- case: show_tables_like_escape
SHOW TABLES FROM tpch.sf1 LIKE 'part$_%' ESCAPE '$';

-- case: show_tables_unknown_schema
SHOW TABLES FROM tpch.nope;

-- case: show_columns
SHOW COLUMNS FROM lineitem;

-- case: show_columns_qualified
SHOW COLUMNS FROM tpcds.sf1.item;

-- case: show_columns_unknown
SHOW COLUMNS FROM nope;

-- case: describe
DESCRIBE orders;

-- case: desc_others
DESC customer;
DESC supplier;
DESC part;
DESC partsupp;
DESC nation;
DESC region;

-- case: show_create_table
SHOW CREATE TABLE nation;

-- case: show_create_schema
SHOW CREATE SCHEMA tpch.tiny;

-- case: show_functions_like | types
SHOW FUNCTIONS LIKE 'abs';

-- case: show_session_like | types
SHOW SESSION LIKE 'query_max%';

-- case: use_and_query
USE tpch.sf1;
SELECT current_schema, current_catalog;

-- case: use_unknown
USE tpch.nope;

-- case: use_unknown_catalog
USE nope.tiny;

-- case: information_schema_tables
SELECT table_catalog, table_schema, table_name, table_type FROM tpch.information_schema.tables WHERE table_schema = 'tiny' ORDER BY table_name;

-- case: information_schema_columns
SELECT column_name, ordinal_position, column_default, is_nullable, data_type FROM tpch.information_schema.columns WHERE table_schema = 'tiny' AND table_name = 'nation' ORDER BY ordinal_position;

-- case: information_schema_schemata
SELECT schema_name FROM tpch.information_schema.schemata ORDER BY 1;

-- case: jdbc_columns
SELECT table_cat, table_schem, table_name, column_name, data_type, type_name, column_size, decimal_digits, nullable, ordinal_position, is_nullable FROM system.jdbc.columns WHERE table_cat = 'tpch' AND table_schem = 'tiny' AND table_name = 'orders' ORDER BY ordinal_position;

-- case: jdbc_tables
SELECT table_cat, table_schem, table_name, table_type FROM system.jdbc.tables WHERE table_cat = 'tpch' AND table_schem = 'tiny' ORDER BY 3;

-- case: jdbc_types
SELECT type_name, data_type, precision FROM system.jdbc.types ORDER BY data_type, type_name;

-- case: jdbc_schemas
SELECT table_schem, table_catalog FROM system.jdbc.schemas WHERE table_catalog = 'tpch' ORDER BY 1;

-- case: explain | succeeds
EXPLAIN SELECT * FROM nation;

-- case: explain_distributed | succeeds
EXPLAIN (TYPE DISTRIBUTED) SELECT count(*) FROM nation;

-- case: explain_validate
EXPLAIN (TYPE VALIDATE) SELECT * FROM nation;

-- case: explain_error
EXPLAIN SELECT nope FROM nation;

-- case: tpcds_counts
SELECT (SELECT count(*) FROM tpcds.tiny.item), (SELECT count(*) FROM tpcds.tiny.warehouse), (SELECT count(*) FROM tpcds.tiny.date_dim), (SELECT count(*) FROM tpcds.tiny.inventory);

-- case: tpch_counts
SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM orders), (SELECT count(*) FROM lineitem), (SELECT count(*) FROM part), (SELECT count(*) FROM partsupp), (SELECT count(*) FROM supplier);

-- case: tpch_rows
SELECT * FROM lineitem ORDER BY orderkey, linenumber LIMIT 5;
SELECT * FROM customer ORDER BY custkey LIMIT 3;
SELECT * FROM part ORDER BY partkey LIMIT 3;

-- case: tpcds_rows
SELECT * FROM tpcds.tiny.warehouse ORDER BY w_warehouse_sk;
SELECT * FROM tpcds.tiny.item ORDER BY i_item_sk LIMIT 3;
SELECT * FROM tpcds.tiny.date_dim WHERE d_date = DATE '2001-01-01';

-- case: prepare_execute
PREPARE q FROM SELECT name FROM nation WHERE nationkey = ? AND name LIKE ?;
EXECUTE q USING 3, 'C%';
DESCRIBE OUTPUT q;
DESCRIBE INPUT q;
DEALLOCATE PREPARE q;

-- case: execute_immediate
EXECUTE IMMEDIATE 'SELECT ? + 1' USING 41;

-- case: execute_unknown
EXECUTE nope;

-- case: execute_parameter_count
PREPARE q FROM SELECT ?;
EXECUTE q;

-- case: set_session
SET SESSION query_max_run_time = '10m';
RESET SESSION query_max_run_time;

-- case: set_session_unknown
SET SESSION nope = 1;

-- case: set_session_wrong_type
SET SESSION query_max_run_time = 5;
