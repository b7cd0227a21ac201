/*
 * A benchmark's tables as a read-only catalog. As in Trino, a few scales are listed as schemas, and every other sfN is
 * a schema too ("sf0.1"), which lists don't show. Columns and types are the description's; rows come from Parquet files
 * that tpc_cache.c has made, so that a scan is an ordinary scan of files.
 */
#include "connectors/tpc_internal.h"
#include <math.h>

static const double TINY = 0.01; /* the scale of the schema tiny */

static struct tpc_connector *tpc_of(struct connector *c)
{
    return (struct tpc_connector *)c;
}

/* The scale that a schema's name says, or 0 when it isn't one: TpchMetadata.schemaNameToScaleFactor. */
static double schema_scale(struct str name)
{
    double scale;

    if (str_eq_cstr(name, "tiny"))
        return TINY;
    if (!str_starts_with(name, STR("sf")))
        return 0;
    if (str_to_f64(str_trim(str_skip(name, 2)), &scale, NULL) < 0 || !isfinite(scale) || scale <= 0)
        return 0;
    return scale;
}

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    const struct tpc_kind *kind = tpc_of(c)->kind;

    (void)err;
    *ret = arena_array(a, struct str, kind->schema_count);
    memcpy(*ret, kind->schemas, kind->schema_count * sizeof(**ret));
    *ret_n = kind->schema_count;
    return 0;
}

static bool has_schema(struct connector *c, struct str schema)
{
    (void)c;
    return schema_scale(schema) > 0;
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    const struct tpc_kind *kind = tpc_of(c)->kind;
    const struct str *schemas = str_is_null(schema) ? kind->schemas : &schema;
    size_t schema_count = str_is_null(schema) ? kind->schema_count : 1, n = 0;

    (void)err;
    *ret = arena_array(a, struct connector_table_name, schema_count * kind->table_count);
    for (size_t i = 0; i < schema_count; i++) {
        if (schema_scale(schemas[i]) == 0)
            continue;
        for (size_t k = 0; k < kind->table_count; k++)
            (*ret)[n++] = (struct connector_table_name){.schema = schemas[i],
                                                        .name = str_from_cstr(kind->tables[k].name)};
    }
    *ret_n = n;
    return 0;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    const struct tpc_connector *tpc = tpc_of(c);

    (void)err;
    *ret = NULL;
    if (schema_scale(schema) == 0)
        return 0;
    for (size_t i = 0; i < tpc->kind->table_count; i++) {
        const struct tpc_table *t = &tpc->kind->tables[i];

        if (!str_eq_cstr(name, t->name))
            continue;
        *ret = arena_new(a, struct connector_table);
        **ret = (struct connector_table){
            .connector = c,
            .catalog = c->catalog,
            .schema = arena_str(a, schema),
            .name = str_from_cstr(t->name),
            .columns = arena_array(a, struct connector_column, t->column_count),
            .column_count = t->column_count,
            .handle = (void *)t,
        };
        memcpy((*ret)->columns, tpc->columns[i], t->column_count * sizeof(*tpc->columns[i]));
        return 0;
    }
    return 0;
}

struct str tpc_file_column(struct arena *a, const struct tpc_table *t, size_t column)
{
    return arena_printf(a, "%s%s", t->prefix, t->columns[column].name);
}

/* Where the rows of a table are: a table function over its file, or a SELECT. */
static int find_rows(const struct tpc_connector *c, struct arena *a, const struct tpc_table *t, double scale,
                     struct str *ret, struct err *err)
{
    struct str path;

    if (c->kind->generator && c->kind->generator_scale(t, scale) == 0) {
        *ret = arena_printf(a, "(%.*s)", STR_ARG(c->kind->rows(a, t, scale)));
        return 0;
    }
    int rc = tpc_cache_get(a, c, t, scale, &path, err);
    if (rc < 0)
        return rc;
    BUF_SCOPED struct buf text;
    buf_init(&text, 1 << 16);
    buf_add_cstr(&text, "read_parquet('");
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '\'')
            buf_add_char(&text, '\'');
        buf_add_char(&text, path.p[i]);
    }
    buf_add_cstr(&text, "')");
    rc = buf_check(&text, "a scan's path", err);
    if (rc == 0)
        *ret = arena_str(a, buf_str(&text));
    return rc;
}

static int plan_scan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                     struct connector_scan_plan *ret, struct err *err)
{
    const struct tpc_connector *tpc = tpc_of(c);
    const struct tpc_table *t = scan->table->handle;
    struct str rows;
    int rc = find_rows(tpc, a, t, schema_scale(scan->table->schema), &rows, err);

    if (rc < 0)
        return rc;
    BUF_SCOPED struct buf text;
    buf_init(&text, 1 << 20);
    buf_add_cstr(&text, scan->column_count ? "(SELECT " : "(SELECT 1 AS dummy");
    for (size_t i = 0; i < scan->column_count; i++) {
        size_t column = scan->table_columns[i];
        struct str name = tpc_file_column(a, t, column);

        if (strcmp(t->columns[column].type, "double") == 0 && tpc->scan_double->kind != TYPE_DOUBLE) {
            buf_addf(&text, "%sCAST(\"%.*s\" AS ", i ? ", " : "", STR_ARG(name));
            type_format_physical(&text, tpc->scan_double);
            buf_addf(&text, ") AS c%d", scan->ids[i]);
        } else {
            buf_addf(&text, "%s\"%.*s\" AS c%d", i ? ", " : "", STR_ARG(name), scan->ids[i]);
        }
    }
    buf_addf(&text, " FROM %.*s)", STR_ARG(rows));
    rc = buf_check(&text, "a scan", err);
    if (rc == 0)
        *ret = (struct connector_scan_plan){.from = arena_str(a, buf_str(&text))};
    return rc;
}

static void close_connector(struct connector *c)
{
    arena_release(&tpc_of(c)->arena);
    free(c);
}

static int make_columns(struct tpc_connector *c, const struct tpc_table *t, bool standard_naming, bool is_not_null,
                        struct connector_column **ret, struct err *err)
{
    *ret = arena_array(&c->arena, struct connector_column, t->column_count);
    for (size_t i = 0; i < t->column_count; i++) {
        struct connector_column *column = &(*ret)[i];
        int rc = type_parse(&c->arena, str_from_cstr(t->columns[i].type), &column->type, err);

        if (rc < 0)
            return rc;
        if (column->type->kind == TYPE_DOUBLE)
            column->type = c->scan_double;
        column->name = standard_naming ? tpc_file_column(&c->arena, t, i) : str_from_cstr(t->columns[i].name);
        column->not_null = is_not_null;
    }
    return 0;
}

static const struct connector_ops tpch_ops = {
    .kind = "tpch",
    .list_schemas = list_schemas,
    .has_schema = has_schema,
    .list_tables = list_tables,
    .get_table = get_table,
    .plan_scan = plan_scan,
    .close = close_connector,
};

static const struct connector_ops tpcds_ops = {
    .kind = "tpcds",
    .list_schemas = list_schemas,
    .has_schema = has_schema,
    .list_tables = list_tables,
    .get_table = get_table,
    .plan_scan = plan_scan,
    .close = close_connector,
};

int tpc_connector_new(const struct tpc_kind *kind, struct str catalog, struct engine *e, const char *cache_dir,
                      bool standard_naming, bool decimal_types, struct connector **ret, struct err *err)
{
    struct tpc_connector *c = calloc(1, sizeof(*c));
    bool is_tpch = strcmp(kind->name, tpch_ops.kind) == 0;
    int rc = 0;

    if (!c)
        abort();
    c->base = (struct connector){.ops = is_tpch ? &tpch_ops : &tpcds_ops, .catalog = arena_str(&c->arena, catalog)};
    c->kind = kind;
    c->engine = e;
    c->cache_dir = arena_cstr(&c->arena, str_from_cstr(cache_dir));
    c->scan_double = decimal_types ? type_decimal(&c->arena, 12, 2) : &type_double;
    c->columns = arena_array(&c->arena, struct connector_column *, kind->table_count);
    for (size_t i = 0; rc == 0 && i < kind->table_count; i++)
        rc = make_columns(c, &kind->tables[i], standard_naming, is_tpch, &c->columns[i], err);
    if (rc < 0) {
        close_connector(&c->base);
        return rc;
    }
    *ret = &c->base;
    return 0;
}
