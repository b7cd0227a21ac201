#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake.h"
#include "sql/parse.h"

struct fake_table {
    const char *name;    /* "schema.name" */
    const char *columns; /* "column type, column type, …" */
};

struct fake_connector {
    struct connector base;
    const char *const *schemas;
    const struct fake_table *tables;
};

static struct arena types_arena; /* column types outlive statements */

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    const struct fake_connector *f = (const struct fake_connector *)c;

    (void)err;
    for (*ret_n = 0; f->schemas[*ret_n]; ++*ret_n)
        ;
    *ret = arena_array(a, struct str, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret)[i] = str_from_cstr(f->schemas[i]);
    return 0;
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    (void)c;
    (void)a;
    (void)schema;
    (void)err;
    *ret = NULL;
    *ret_n = 0;
    return 0;
}

/* Splits at commas outside parentheses. */
static bool next_column(struct str *rest, struct str *ret)
{
    size_t depth = 0, i = 0;

    if (rest->n == 0)
        return false;
    for (; i < rest->n && !(rest->p[i] == ',' && depth == 0); i++)
        depth += rest->p[i] == '(' ? 1 : rest->p[i] == ')' ? (size_t)-1 : 0;
    *ret = str_trim(str_slice(*rest, 0, i));
    *rest = str_skip(*rest, i + 1);
    return true;
}

static struct connector_table *make_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                                          struct str columns)
{
    struct connector_table *t = arena_new(a, struct connector_table);
    struct str column;

    t->connector = c;
    t->catalog = c->catalog;
    t->schema = arena_str(a, schema);
    t->name = arena_str(a, name);
    t->columns = arena_array(a, struct connector_column, 64);
    while (next_column(&columns, &column)) {
        struct connector_column *to = &t->columns[t->column_count++];
        size_t space = str_find_char(column, ' ', 0);
        struct err err = {0};

        to->name = str_slice(column, 0, space);
        to->hidden = column.p[0] == '$';
        if (type_parse(&types_arena, str_skip(column, space + 1), &to->type, &err) < 0)
            fail_msg("%s", err.message);
    }
    return t;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    const struct fake_connector *f = (const struct fake_connector *)c;
    struct str want = arena_printf(a, "%.*s.%.*s", STR_ARG(schema), STR_ARG(name));

    (void)err;
    *ret = NULL;
    for (size_t i = 0; f->tables[i].name; i++)
        if (str_eq_cstr(want, f->tables[i].name))
            *ret = make_table(c, a, schema, name, str_from_cstr(f->tables[i].columns));
    return 0;
}

static int plan_scan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                     struct connector_scan_plan *ret, struct err *err)
{
    (void)c;
    (void)a;
    (void)scan;
    (void)ret;
    return err_set(err, ERR_UNSUPPORTED, "no data here");
}

static int change(struct connector *c, struct arena *a, const struct statement *s, struct err *err)
{
    (void)c;
    (void)a;
    (void)s;
    (void)err;
    return 0;
}

static int begin_write(struct connector *c, struct arena *a, const struct connector_write_request *r,
                       struct connector_write **ret, struct str *before, struct str *after, struct err *err)
{
    (void)c;
    (void)a;
    (void)r;
    (void)ret;
    (void)before;
    (void)after;
    return err_set(err, ERR_UNSUPPORTED, "no data here");
}

static int delete_all(struct connector *c, struct arena *a, const struct connector_table *t, int64_t *ret,
                      struct err *err)
{
    (void)c;
    (void)a;
    (void)t;
    (void)ret;
    (void)err;
    return 0;
}

static int table_properties(struct connector *c, struct arena *a, const struct connector_table *t, struct str *ret,
                            struct err *err)
{
    (void)c;
    (void)a;
    (void)t;
    (void)err;
    *ret = STR("format = 'PARQUET',\nformat_version = 2");
    return 0;
}

static const struct type array_of_varchar = {.kind = TYPE_ARRAY, .element = &type_varchar};

static const struct connector_property table_defs[] = {
    {"format", &type_varchar, "PARQUET", "File format"},
    {"format_version", &type_integer, "2", "Version"},
    {"partitioning", &array_of_varchar, NULL, "Partition transforms"},
};
static const struct connector_property schema_defs[] = {{"location", &type_varchar, NULL, "Base location"}};
static const struct connector_property session_defs[] = {
    {"target_max_file_size", &type_varchar, "1GB", "Target size"},
    {"statistics_enabled", &type_boolean, "true", "Use statistics"},
};

static const struct connector_ops reading = {.kind = "fake",
                                             .list_schemas = list_schemas,
                                             .list_tables = list_tables,
                                             .get_table = get_table,
                                             .plan_scan = plan_scan};
static const struct connector_ops writing = {.kind = "fake",
                                             .list_schemas = list_schemas,
                                             .list_tables = list_tables,
                                             .get_table = get_table,
                                             .plan_scan = plan_scan,
                                             .create_schema = change,
                                             .drop_schema = change,
                                             .create_table = change,
                                             .drop_table = change,
                                             .rename_table = change,
                                             .table_properties = table_properties,
                                             .table_property_defs = table_defs,
                                             .schema_property_defs = schema_defs,
                                             .session_property_defs = session_defs,
                                             .table_property_count = 3,
                                             .schema_property_count = 1,
                                             .session_property_count = 2,
                                             .begin_write = begin_write,
                                             .delete_all = delete_all};

static const char *const tpch_schemas[] = {"tiny", "sf1", NULL};
static const struct fake_table tpch_tables[] = {
    {"tiny.nation", "n_nationkey bigint, n_name varchar(25), n_regionkey bigint, n_comment varchar(152)"},
    {"tiny.region", "r_regionkey bigint, r_name varchar(25), r_comment varchar(152)"},
    {"tiny.part", "p_partkey bigint, p_name varchar(55), p_mfgr varchar(25), p_brand varchar(10), p_type varchar(25), "
                  "p_size integer, p_container varchar(10), p_retailprice double, p_comment varchar(23)"},
    {"tiny.supplier",
     "s_suppkey bigint, s_name varchar(25), s_address varchar(40), s_nationkey bigint, s_phone varchar(15), "
     "s_acctbal double, s_comment varchar(101)"},
    {"tiny.partsupp", "ps_partkey bigint, ps_suppkey bigint, ps_availqty integer, ps_supplycost double, ps_comment "
                      "varchar(199)"},
    {"tiny.customer",
     "c_custkey bigint, c_name varchar(25), c_address varchar(40), c_nationkey bigint, c_phone varchar(15), "
     "c_acctbal double, c_mktsegment varchar(10), c_comment varchar(117)"},
    {"tiny.orders",
     "o_orderkey bigint, o_custkey bigint, o_orderstatus varchar(1), o_totalprice double, o_orderdate date, "
     "o_orderpriority varchar(15), o_clerk varchar(15), o_shippriority integer, o_comment varchar(79)"},
    {"tiny.lineitem",
     "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber integer, l_quantity double, "
     "l_extendedprice double, l_discount double, l_tax double, l_returnflag varchar(1), l_linestatus varchar(1), "
     "l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct varchar(25), l_shipmode varchar(10), "
     "l_comment varchar(44)"},
    {0}};
static const char *const lake_schemas[] = {"a", "b", NULL};
static const struct fake_table lake_tables[] = {
    {"a.t", "x bigint, y varchar(10), z double, $path varchar"},
    {"a.u", "x bigint, w varchar, when_ date"},
    {"a.arrays",
     "id integer, tags array(varchar), pairs map(varchar, bigint), items array(row(n bigint, name varchar)), point "
     "row(px double, py double)"},
    {"b.t", "x integer, other varchar(3)"},
    {0}};
static const char *const ice_schemas[] = {"iceberg_schema", NULL};
static const struct fake_table ice_tables[] = {
    {"iceberg_schema.inventory",
     "inv_date_sk bigint, inv_item_sk bigint, inv_warehouse_sk bigint, inv_quantity_on_hand "
     "integer"},
    {"iceberg_schema.item", "i_item_sk bigint, i_item_id varchar(16), i_manager_id integer"},
    {"iceberg_schema.warehouse", "w_warehouse_sk bigint, w_warehouse_name varchar(20)"},
    {"iceberg_schema.date_dim", "d_date_sk bigint, d_year integer, d_moy integer, d_date date"},
    {0}};
static const char *const information_schemas[] = {"information_schema", NULL};
static const struct fake_table information_tables[] = {
    {"information_schema.columns",
     "table_catalog varchar, table_schema varchar, table_name varchar, column_name varchar, "
     "ordinal_position bigint, column_default varchar, is_nullable varchar, data_type varchar, $comment varchar, "
     "comment "
     "varchar, extra_info varchar"},
    {"information_schema.tables",
     "table_catalog varchar, table_schema varchar, table_name varchar, table_type varchar"},
    {"information_schema.schemata", "catalog_name varchar, schema_name varchar"},
    {0}};

#define CATALOG(name_, ops_, schemas_, tables_)                                          \
    {                                                                                    \
        .base = {.ops = &ops_, .catalog = {name_, sizeof(name_) - 1}}, schemas_, tables_ \
    }
static struct fake_connector ice = CATALOG("ice", writing, ice_schemas, ice_tables);
static struct fake_connector lake = CATALOG("lake", writing, lake_schemas, lake_tables);
static struct fake_connector tpch = CATALOG("tpch", reading, tpch_schemas, tpch_tables);
static struct fake_connector information = CATALOG("information_schema", reading, information_schemas,
                                                   information_tables);
static struct connector *mounted[] = {&ice.base, &lake.base, &tpch.base};
static const struct connector_set catalogs = {mounted, ARRAY_LEN(mounted)};

void fake_init(struct fake *f)
{
    *f = (struct fake){.session = {.user = STR("alice"),
                                   .catalog = STR("lake"),
                                   .schema = STR("a"),
                                   .time_zone = STR("UTC"),
                                   .query_id = STR("20261125_000000_00000_fake0"),
                                   .start_us = 1764028800000000,
                                   .parametric_datetime = true}};
    arena_init(&f->arena, 0);
}

void fake_release(struct fake *f)
{
    arena_release(&f->arena);
    arena_release(&types_arena);
    for (struct map_entry *e = NULL; (e = map_next(&f->session.properties, e));)
        free(e->value);
    for (struct map_entry *e = NULL; (e = map_next(&f->session.prepared, e));)
        free(e->value);
    map_release(&f->session.properties);
    map_release(&f->session.prepared);
}

static void set_text(struct map *m, const char *name, const char *text)
{
    struct str *s = malloc(sizeof(*s));

    assert_non_null(s);
    *s = str_from_cstr(text);
    free(map_set(m, str_from_cstr(name), s));
}

void fake_prepare(struct fake *f, const char *name, const char *text)
{
    set_text(&f->session.prepared, name, text);
}

struct statement *fake_bind(struct fake *f, const char *sql)
{
    struct analyze_context context = {
        .session = &f->session, .catalogs = &catalogs, .information_schema = &information.base};
    struct ast_statement *ast = NULL;
    struct statement *s = NULL;

    arena_release(&f->arena);
    arena_init(&f->arena, 0);
    f->tables = (struct analyze_tables){0};
    f->err = (struct err){0};
    if (sql_parse(&f->arena, str_from_cstr(sql), &ast, &f->err) < 0 ||
        analyze(&context, &f->arena, ast, &f->tables, &s, &f->err) < 0)
        return NULL;
    return s;
}

struct statement *fake_must_bind(struct fake *f, const char *sql)
{
    struct statement *s = fake_bind(f, sql);

    if (!s)
        fail_msg("%s\n%d:%d %s: %s", sql, f->err.line, f->err.column, f->err.name ? f->err.name : "?", f->err.message);
    return s;
}

void fake_must_fail(struct fake *f, const char *sql, const char *want)
{
    char got[ERR_MESSAGE_SIZE + 100];

    if (fake_bind(f, sql))
        fail_msg("%s\nis accepted; expected %s", sql, want);
    if (f->err.line)
        snprintf(got, sizeof(got), "%d:%d %s: %s", f->err.line, f->err.column, f->err.name ? f->err.name : "?",
                 f->err.message);
    else
        snprintf(got, sizeof(got), "%s: %s", f->err.name ? f->err.name : "?", f->err.message);
    if (strcmp(got, want) != 0)
        fail_msg("%s\ngives    %s\nexpected %s", sql, got, want);
}

struct str fake_output(struct fake *f, const struct statement *s)
{
    struct str text = STR("");

    for (size_t i = 0; i < s->output_count; i++)
        text = arena_printf(&f->arena, "%.*s%s%.*s %.*s", STR_ARG(text), i ? ", " : "", STR_ARG(s->output_names[i]),
                            STR_ARG(type_name(&f->arena, s->query->columns[i].type)));
    return text;
}
