#include "connectors/listing.h"
#include "access/access.h"

static const struct str information_schema = {"information_schema", 18};

static int compare_names(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static int compare_tables(const void *x, const void *y)
{
    const struct connector_table_name *a = x, *b = y;
    int c = str_cmp(a->schema, b->schema);

    return c ? c : str_cmp(a->name, b->name);
}

int listing_schemas(const struct virtual_context *context, struct arena *a, struct connector *c, struct str **ret,
                    size_t *ret_n, struct err *err)
{
    struct str *own = NULL;
    size_t n = 0;
    int r = c->ops->list_schemas(c, a, &own, &n, err);

    (void)context;
    if (r < 0)
        return r;
    struct str *all = arena_array(a, struct str, n + 1);
    if (n)
        memcpy(all, own, n * sizeof(*all));
    all[n] = information_schema;
    qsort(all, n + 1, sizeof(*all), compare_names);
    *ret = all;
    *ret_n = n + 1;
    return 0;
}

int listing_tables(const struct virtual_context *context, struct arena *a, struct connector *c, struct str schema,
                   struct connector_table_name **ret, size_t *ret_n, struct err *err)
{
    struct connector_table_name *own = NULL, *virtual = NULL;
    size_t n = 0, virtual_n = 0;
    bool is_virtual = str_eq(schema, information_schema);
    int r = 0;

    if (!is_virtual)
        r = c->ops->list_tables(c, a, schema, &own, &n, err);
    if (r == 0 && (is_virtual || str_is_null(schema)))
        r = context->information_schema->ops->list_tables(context->information_schema, a, information_schema, &virtual,
                                                          &virtual_n, err);
    if (r < 0)
        return r;
    struct connector_table_name *all = arena_array(a, struct connector_table_name, n + virtual_n);
    if (n)
        memcpy(all, own, n * sizeof(*all));
    if (virtual_n)
        memcpy(all + n, virtual, virtual_n * sizeof(*all));
    qsort(all, n + virtual_n, sizeof(*all), compare_tables);
    *ret = all;
    *ret_n = n + virtual_n;
    return 0;
}

int listing_get_table(const struct virtual_context *context, struct arena *a, struct connector *c, struct str schema,
                      struct str name, struct connector_table **ret, struct err *err)
{
    struct connector *source = str_eq(schema, information_schema) ? context->information_schema : c;
    struct connector_table *t = NULL;
    int r = source->ops->get_table(source, a, schema, name, &t, err);

    if (r < 0)
        return r;
    if (t)
        t->catalog = c->catalog; /* information_schema is one connector for all catalogs */
    *ret = t;
    return 0;
}

void listing_release_table(struct connector_table *t)
{
    if (t && t->connector->ops->release_table)
        t->connector->ops->release_table(t);
}

static int each_of_names(struct virtual_scan *s, struct connector *c, const struct connector_table_name *names,
                         size_t n, bool with_columns, listing_fn each, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct connector_table bare = {.connector = c,
                                       .catalog = c->catalog,
                                       .schema = names[i].schema,
                                       .name = names[i].name,
                                       .is_view = names[i].is_view};
        struct connector_table *t = &bare;

        if (!access_sees_table(s->request->access, c->catalog, names[i].schema, names[i].name))
            continue;
        if (with_columns) {
            struct err reason = {0};
            /* Trino's listings leave out a table whose metadata can't be read instead of failing as a whole */
            if (listing_get_table(s->context, s->arena, c, names[i].schema, names[i].name, &t, &reason) < 0 || !t)
                continue;
        }
        int r = each(s, t, err);
        if (with_columns)
            listing_release_table(t);
        if (r < 0)
            return r;
    }
    return 0;
}

static int each_of_catalog(struct virtual_scan *s, struct connector *c, const struct listing_filter *f,
                           bool with_columns, listing_fn each, struct err *err)
{
    struct str schema = f->schema ? virtual_filter(s, f->schema) : STR_NULL;
    struct str table = f->table ? virtual_filter(s, f->table) : STR_NULL;
    struct connector_table_name *names;
    size_t n;

    if (!str_is_null(schema) && !str_is_null(table) && with_columns) {
        struct connector_table_name one = {.schema = schema, .name = table};
        return each_of_names(s, c, &one, 1, true, each, err);
    }
    int r = listing_tables(s->context, s->arena, c, schema, &names, &n, err);
    if (r < 0)
        return r;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (str_is_null(table) || str_eq(table, names[i].name))
            names[kept++] = names[i];
    return each_of_names(s, c, names, kept, with_columns, each, err);
}

int listing_each_table(struct virtual_scan *s, struct connector *only, const struct listing_filter *f,
                       bool with_columns, listing_fn each, struct err *err)
{
    if (only)
        return each_of_catalog(s, only, f, with_columns, each, err);
    for (size_t i = 0; i < s->context->catalogs->n; i++) {
        struct connector *c = s->context->catalogs->items[i];
        if ((f->catalog && !virtual_wants(s, f->catalog, c->catalog)) ||
            !access_sees_catalog(s->request->access, c->catalog))
            continue;
        int r = each_of_catalog(s, c, f, with_columns, each, err);
        if (r < 0)
            return r;
    }
    return 0;
}
