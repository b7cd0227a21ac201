-- The blueprint's load: four TPC-DS tables as Iceberg tables in the object store.
--
-- The source tables have no catalog and schema here, so the session picks the size:
--     trino --server … --catalog tpcds --schema tiny -f load.sql
--     trino --server … --catalog tpcds --schema sf1  -f load.sql
-- Iceberg has no char(n): such columns become varchar(n). It can be run again; it loads anew.

CREATE SCHEMA IF NOT EXISTS iceberg.iceberg_schema
WITH (LOCATION = 's3://trino-data/iceberg_schema');

DROP TABLE IF EXISTS iceberg.iceberg_schema.inventory;

CREATE TABLE iceberg.iceberg_schema.inventory
WITH (FORMAT = 'PARQUET') AS
SELECT
  inv_date_sk,
  inv_item_sk,
  inv_warehouse_sk,
  inv_quantity_on_hand
FROM inventory;

DROP TABLE IF EXISTS iceberg.iceberg_schema.date_dim;

CREATE TABLE iceberg.iceberg_schema.date_dim
WITH (FORMAT = 'PARQUET') AS
SELECT
  d_date_sk,
  CAST(d_date_id AS varchar(16)) AS d_date_id,
  d_date,
  d_month_seq,
  d_week_seq,
  d_quarter_seq,
  d_year,
  d_dow,
  d_moy,
  d_dom,
  d_qoy,
  d_fy_year,
  d_fy_quarter_seq,
  d_fy_week_seq,
  CAST(d_day_name AS varchar(9)) AS d_day_name,
  CAST(d_quarter_name AS varchar(6)) AS d_quarter_name,
  CAST(d_holiday AS varchar(1)) AS d_holiday,
  CAST(d_weekend AS varchar(1)) AS d_weekend,
  CAST(d_following_holiday AS varchar(1)) AS d_following_holiday,
  d_first_dom,
  d_last_dom,
  d_same_day_ly,
  d_same_day_lq,
  CAST(d_current_day AS varchar(1)) AS d_current_day,
  CAST(d_current_week AS varchar(1)) AS d_current_week,
  CAST(d_current_month AS varchar(1)) AS d_current_month,
  CAST(d_current_quarter AS varchar(1)) AS d_current_quarter,
  CAST(d_current_year AS varchar(1)) AS d_current_year
FROM date_dim;

DROP TABLE IF EXISTS iceberg.iceberg_schema.item;

CREATE TABLE iceberg.iceberg_schema.item
WITH (FORMAT = 'PARQUET') AS
SELECT
  i_item_sk,
  CAST(i_item_id AS varchar(16)) AS i_item_id,
  i_rec_start_date,
  i_rec_end_date,
  i_item_desc,
  i_current_price,
  i_wholesale_cost,
  i_brand_id,
  CAST(i_brand AS varchar(50)) AS i_brand,
  i_class_id,
  CAST(i_class AS varchar(50)) AS i_class,
  i_category_id,
  CAST(i_category AS varchar(50)) AS i_category,
  i_manufact_id,
  CAST(i_manufact AS varchar(50)) AS i_manufact,
  CAST(i_size AS varchar(20)) AS i_size,
  CAST(i_formulation AS varchar(20)) AS i_formulation,
  CAST(i_color AS varchar(20)) AS i_color,
  CAST(i_units AS varchar(10)) AS i_units,
  CAST(i_container AS varchar(10)) AS i_container,
  i_manager_id,
  CAST(i_product_name AS varchar(50)) AS i_product_name
FROM item;

DROP TABLE IF EXISTS iceberg.iceberg_schema.warehouse;

CREATE TABLE iceberg.iceberg_schema.warehouse
WITH (FORMAT = 'PARQUET') AS
SELECT
  w_warehouse_sk,
  CAST(w_warehouse_id AS varchar(16)) AS w_warehouse_id,
  w_warehouse_name,
  w_warehouse_sq_ft,
  CAST(w_street_number AS varchar(10)) AS w_street_number,
  w_street_name,
  CAST(w_street_type AS varchar(15)) AS w_street_type,
  CAST(w_suite_number AS varchar(10)) AS w_suite_number,
  w_city,
  w_county,
  CAST(w_state AS varchar(2)) AS w_state,
  CAST(w_zip AS varchar(10)) AS w_zip,
  w_country,
  w_gmt_offset
FROM warehouse;
