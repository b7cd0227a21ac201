#include "connectors/information_schema.h"
#include "access/access.h"
#include "connectors/listing.h"
#include "base/vec.h"

struct information_schema {
    struct connector base;
    const struct virtual_context *context;
};

static struct connector *scanned_catalog(const struct virtual_scan *s)
{
    return connector_find(s->context->catalogs, s->catalog);
}

static int add_columns(struct virtual_scan *s, const struct connector_table *t, struct err *err)
{
    int64_t ordinal = 0;

    for (size_t i = 0; i < t->column_count; i++) {
        const struct connector_column *c = &t->columns[i];

        if (c->hidden || !access_sees_column(s->request->access, s->catalog, t->schema, t->name, c->name))
            continue;
        int r = virtual_begin_row(s, err);
        if (r < 0)
            return r;
        virtual_add_str(s, s->catalog);
        virtual_add_str(s, arena_str(s->arena, t->schema));
        virtual_add_str(s, arena_str(s->arena, t->name));
        virtual_add_str(s, arena_str(s->arena, c->name));
        virtual_add_i64(s, ++ordinal);
        virtual_add_null(s);
        virtual_add_cstr(s, c->not_null ? "NO" : "YES");
        virtual_add_str(s, type_name(s->arena, c->type));
        virtual_add_str(s, str_is_null(c->comment) ? STR_NULL : arena_str(s->arena, c->comment));
        virtual_add_str(s, str_is_null(c->extra) ? STR_NULL : arena_str(s->arena, c->extra));
        virtual_add_str(s, str_is_null(c->comment) ? STR_NULL : arena_str(s->arena, c->comment));
    }
    return 0;
}

static int add_table(struct virtual_scan *s, const struct connector_table *t, struct err *err)
{
    int r = virtual_begin_row(s, err);

    if (r < 0)
        return r;
    virtual_add_str(s, s->catalog);
    virtual_add_str(s, arena_str(s->arena, t->schema));
    virtual_add_str(s, arena_str(s->arena, t->name));
    virtual_add_cstr(s, t->is_view ? "VIEW" : "BASE TABLE");
    virtual_add_cstr(s, t->is_view ? "view" : "table");
    virtual_add_str(s, str_is_null(t->comment) ? STR_NULL : arena_str(s->arena, t->comment));
    return 0;
}

static const struct listing_filter table_filter = {"table_catalog", "table_schema", "table_name"};

static int fill_columns(struct virtual_scan *s, struct err *err)
{
    if (!virtual_wants(s, "table_catalog", s->catalog))
        return 0;
    return listing_each_table(s, scanned_catalog(s), &table_filter, true, add_columns, err);
}

static bool scan_reads(const struct virtual_scan *s, const char *column)
{
    for (size_t i = 0; i < s->request->column_count; i++)
        if (strcmp(s->table->columns[s->request->table_columns[i]].name, column) == 0)
            return true;
    return false;
}

static int fill_tables(struct virtual_scan *s, struct err *err)
{
    if (!virtual_wants(s, "table_catalog", s->catalog))
        return 0;
    return listing_each_table(s, scanned_catalog(s), &table_filter, scan_reads(s, "table_comment"), add_table, err);
}

static int fill_schemata(struct virtual_scan *s, struct err *err)
{
    struct str *names;
    size_t n;
    int r = listing_schemas(s->context, s->arena, scanned_catalog(s), &names, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!access_sees_schema(s->request->access, s->catalog, names[i]))
            continue;
        r = virtual_begin_row(s, err);
        if (r < 0)
            break;
        virtual_add_str(s, s->catalog);
        virtual_add_str(s, names[i]);
    }
    return r;
}

/* No connector has views, roles or grants yet, so these tables have no rows; they exist because clients ask. */
static int fill_nothing(struct virtual_scan *s, struct err *err)
{
    (void)s;
    (void)err;
    return 0;
}

/* Whoever manages its security itself is asked for roles, and has none to tell. */
static int fill_roles(struct virtual_scan *s, struct err *err)
{
    const struct connector *c = scanned_catalog(s);

    if (c && c->ops->manages_security)
        return err_set_named(err, ERR_UNSUPPORTED, "NOT_SUPPORTED", "This connector does not support roles");
    return 0;
}

#define V(column)                    \
    {                                \
        column, &type_varchar, false \
    }
#define I(column)                   \
    {                               \
        column, &type_bigint, false \
    }
#define HIDDEN(column)              \
    {                               \
        column, &type_varchar, true \
    }

static const struct virtual_column columns_columns[] = {
    V("table_catalog"),    V("table_schema"),    V("table_name"),         V("column_name"),
    I("ordinal_position"), V("column_default"),  V("is_nullable"),        V("data_type"),
    HIDDEN("comment"),     HIDDEN("extra_info"), HIDDEN("column_comment")};
static const struct virtual_column tables_columns[] = {
    V("table_catalog"),     V("table_schema"), V("table_name"), V("table_type"), HIDDEN("trino_relation_type"),
    HIDDEN("table_comment")};
static const struct virtual_column views_columns[] = {V("table_catalog"), V("table_schema"), V("table_name"),
                                                      V("view_definition")};
static const struct virtual_column schemata_columns[] = {V("catalog_name"), V("schema_name")};
static const struct virtual_column table_privileges_columns[] = {
    V("grantor"),      V("grantor_type"), V("grantee"),        V("grantee_type"), V("table_catalog"),
    V("table_schema"), V("table_name"),   V("privilege_type"), V("is_grantable"), V("with_hierarchy")};
static const struct virtual_column roles_columns[] = {V("role_name")};
static const struct virtual_column applicable_roles_columns[] = {V("grantee"), V("grantee_type"), V("role_name"),
                                                                 V("is_grantable")};

#define TABLE(name_, columns_, fill_)                                     \
    &(const struct virtual_table)                                         \
    {                                                                     \
        "information_schema", name_, columns_, ARRAY_LEN(columns_), fill_ \
    }

static const struct virtual_table *const tables[] = {
    TABLE("applicable_roles", applicable_roles_columns, fill_roles),
    TABLE("columns", columns_columns, fill_columns),
    TABLE("enabled_roles", roles_columns, fill_roles),
    TABLE("roles", roles_columns, fill_roles),
    TABLE("schemata", schemata_columns, fill_schemata),
    TABLE("table_privileges", table_privileges_columns, fill_nothing),
    TABLE("tables", tables_columns, fill_tables),
    TABLE("views", views_columns, fill_nothing),
};

static int list_schemas(struct connector *c, struct arena *a, struct str **ret, size_t *ret_n, struct err *err)
{
    (void)c;
    (void)err;
    *ret = arena_array(a, struct str, 1);
    **ret = STR("information_schema");
    *ret_n = 1;
    return 0;
}

static int list_tables(struct connector *c, struct arena *a, struct str schema, struct connector_table_name **ret,
                       size_t *ret_n, struct err *err)
{
    (void)c;
    (void)err;
    (void)schema;
    *ret = arena_array(a, struct connector_table_name, ARRAY_LEN(tables));
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        (*ret)[i] = (struct connector_table_name){.schema = STR("information_schema"),
                                                  .name = str_from_cstr(tables[i]->name)};
    *ret_n = ARRAY_LEN(tables);
    return 0;
}

static int get_table(struct connector *c, struct arena *a, struct str schema, struct str name,
                     struct connector_table **ret, struct err *err)
{
    const struct virtual_table *t = virtual_find(tables, ARRAY_LEN(tables), schema, name);

    (void)err;
    *ret = t ? virtual_make_table(c, a, t) : NULL;
    return 0;
}

static int plan_scan(struct connector *c, struct arena *a, const struct connector_scan *scan,
                     struct connector_scan_plan *ret, struct err *err)
{
    return virtual_plan_scan(((struct information_schema *)c)->context, a, scan, ret, err);
}

static void close_connector(struct connector *c)
{
    free(c);
}

static const struct connector_ops ops = {
    .kind = "information_schema",
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .get_table = get_table,
    .plan_scan = plan_scan,
    .close = close_connector,
};

struct connector *information_schema_new(const struct virtual_context *context)
{
    struct information_schema *i = calloc(1, sizeof(*i));

    if (!i)
        abort();
    i->base = (struct connector){.ops = &ops, .catalog = STR("information_schema")};
    i->context = context;
    return &i->base;
}
