/*
 * Names of catalogs, schemas and tables: completed from the session (MetadataUtil.createQualifiedObjectName), looked up
 * in connectors. A table that a statement names twice is asked for once, so that all its uses see one snapshot.
 */
#include "sql/analyze_query.h"

static const struct str information_schema = {"information_schema", 18};

struct connector *connector_find(const struct connector_set *set, struct str catalog)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->items[i]->catalog, catalog))
            return set->items[i];
    return NULL;
}

struct str object_text(struct analyzer *z, const struct object_name *o)
{
    return arena_printf(z->arena, "%.*s.%.*s.%.*s", STR_ARG(o->catalog), STR_ARG(o->schema), STR_ARG(o->name));
}

struct str analyze_format_name(struct arena *a, const struct ast_name *name)
{
    struct str text = name->parts[0].lower;

    for (size_t i = 1; i < name->n; i++)
        text = arena_printf(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(name->parts[i].lower));
    return text;
}

static int missing_catalog(int line, int column, struct err *err)
{
    return analyze_error_at(line, column, err, "MISSING_CATALOG_NAME",
                            "Catalog must be specified when session catalog is not set");
}

static int missing_schema(int line, int column, struct err *err)
{
    return analyze_error_at(line, column, err, "MISSING_SCHEMA_NAME",
                            "Schema must be specified when session schema is not set");
}

int object_resolve(struct analyzer *z, const struct ast_name *name, int line, int column, struct object_name *ret,
                   struct err *err)
{
    const struct session *session = z->context->session;
    size_t n = name->n;

    if (n > 3)
        return analyze_error_at(0, 0, err, "SYNTAX_ERROR", "Too many dots in table name: %.*s",
                                STR_ARG(analyze_format_name(z->arena, name)));
    struct object_name o = {.name = name->parts[n - 1].lower,
                            .schema = n > 1 ? name->parts[n - 2].lower : session->schema,
                            .catalog = n > 2 ? name->parts[n - 3].lower : session->catalog};
    if (str_is_null(o.schema))
        return missing_schema(line, column, err);
    if (str_is_null(o.catalog))
        return missing_catalog(line, column, err);
    o.connector = connector_find(z->context->catalogs, o.catalog);
    *ret = o;
    return 0;
}

static int require_catalog(const struct object_name *o, int line, int column, struct err *err)
{
    if (o->connector)
        return 0;
    return analyze_error_at(line, column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found", STR_ARG(o->catalog));
}

int object_require(struct analyzer *z, const struct ast_name *name, int line, int column, struct object_name *ret,
                   struct err *err)
{
    int r = object_resolve(z, name, line, column, ret, err);

    return r < 0 ? r : require_catalog(ret, line, column, err);
}

int schema_resolve(struct analyzer *z, const struct ast_name *name, int line, int column, struct object_name *ret,
                   struct err *err)
{
    const struct session *session = z->context->session;
    struct object_name o = {.catalog = session->catalog, .schema = session->schema};

    if (name->n > 2)
        return analyze_error_at(line, column, err, "SYNTAX_ERROR", "Too many parts in schema name: %.*s",
                                STR_ARG(analyze_format_name(z->arena, name)));
    if (name->n == 2)
        o.catalog = name->parts[0].lower;
    if (name->n)
        o.schema = name->parts[name->n - 1].lower;
    if (str_is_null(o.catalog))
        return missing_catalog(line, column, err);
    if (str_is_null(o.schema))
        return missing_schema(line, column, err);
    o.connector = connector_find(z->context->catalogs, o.catalog);
    *ret = o;
    return 0;
}

int schema_exists(struct analyzer *z, const struct object_name *o, bool *ret, struct err *err)
{
    struct str *names;
    size_t n;

    *ret = str_eq(o->schema, information_schema);
    if (*ret || !o->connector)
        return 0;
    if (o->connector->ops->has_schema) {
        *ret = o->connector->ops->has_schema(o->connector, o->schema);
        return 0;
    }
    int r = o->connector->ops->list_schemas(o->connector, z->arena, &names, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        *ret = *ret || str_eq(names[i], o->schema);
    return r;
}

int table_find(struct analyzer *z, const struct object_name *o, struct connector_table **ret, struct err *err)
{
    struct connector_table *t = NULL;

    *ret = NULL;
    if (!o->connector)
        return 0;
    for (size_t i = 0; i < z->tables->n; i++) {
        t = z->tables->items[i];
        if (str_eq(t->catalog, o->catalog) && str_eq(t->schema, o->schema) && str_eq(t->name, o->name)) {
            *ret = t;
            return 0;
        }
    }

    struct connector *source = str_eq(o->schema, information_schema) ? z->context->information_schema : o->connector;
    t = NULL;
    int r = source->ops->get_table(source, z->arena, o->schema, o->name, &t, err);
    if (r < 0 || !t)
        return r;
    t->catalog = o->catalog; /* information_schema is one connector for all catalogs */
    vec_push_in(z->arena, z->tables, t);
    *ret = t;
    return 0;
}

int table_missing(struct analyzer *z, const struct object_name *o, int line, int column, struct err *err)
{
    return analyze_error_at(line, column, err, "TABLE_NOT_FOUND", "Table '%.*s' does not exist",
                            STR_ARG(object_text(z, o)));
}

int table_require(struct analyzer *z, const struct object_name *o, int line, int column, struct connector_table **ret,
                  struct err *err)
{
    bool exists;
    int r = table_find(z, o, ret, err);

    if (r < 0 || *ret)
        return r;
    r = require_catalog(o, line, column, err);
    if (r == 0)
        r = schema_exists(z, o, &exists, err);
    if (r < 0)
        return r;
    if (!exists)
        return analyze_error_at(line, column, err, "SCHEMA_NOT_FOUND", "Schema '%.*s' does not exist",
                                STR_ARG(o->schema));
    return table_missing(z, o, line, column, err);
}
