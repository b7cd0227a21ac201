/*
 * Statements that change schemas and tables: what CreateTableTask, DropTableTask, … and StatementAnalyzer check before
 * a connector is asked. What only the connector knows (is the schema empty, is there such a partition transform) it
 * says itself.
 */
#include "sql/analyze_query.h"

static int not_supported(const char *what, struct err *err)
{
    return analyze_unsupported(0, 0, err, "This connector does not support %s", what);
}

static void set_target(struct statement *ret, enum statement_kind kind, const char *update_type,
                       const struct object_name *o)
{
    ret->kind = kind;
    ret->update_type = update_type;
    ret->connector = o->connector;
    ret->catalog = o->catalog;
    ret->schema = o->schema;
    ret->table = o->name;
}

/* ---- properties ---- */

static const struct connector_property *find_property(const struct connector_ops *ops, const char *kind,
                                                      struct str name)
{
    bool table = strcmp(kind, "table") == 0;
    const struct connector_property *defs = table ? ops->table_property_defs : ops->schema_property_defs;
    size_t n = table ? ops->table_property_count : ops->schema_property_count;

    for (size_t i = 0; i < n; i++)
        if (str_eq_cstr(name, defs[i].name))
            return &defs[i];
    return NULL;
}

static bool all_constant(const struct expr *e)
{
    if (e->kind == EXPR_CONSTANT)
        return true;
    if (e->kind != EXPR_ARRAY && e->kind != EXPR_ROW)
        return false;
    for (size_t i = 0; i < e->arg_count; i++)
        if (!all_constant(e->args[i]))
            return false;
    return true;
}

struct expr *analyze_coerce_constant(struct analyzer *z, struct expr *e, const struct type *to)
{
    if (!type_can_coerce(e->type, to))
        return NULL;
    if (e->kind != EXPR_ARRAY) {
        e = expr_cast(z, e, to);
    } else if (!type_eq(e->type, to)) {
        for (size_t i = 0; i < e->arg_count; i++) {
            e->args[i] = analyze_coerce_constant(z, e->args[i], to->element);
            if (!e->args[i])
                return NULL;
        }
        e->type = to;
    }
    return all_constant(e) ? e : NULL;
}

static int analyze_property(struct analyzer *z, const struct ast_property *p, const struct object_name *o,
                            const char *kind, struct property *ret, struct err *err)
{
    bool table = strcmp(kind, "table") == 0;
    const char *name = table ? "INVALID_TABLE_PROPERTY" : "INVALID_SCHEMA_PROPERTY";
    const struct connector_property *def = find_property(o->connector->ops, kind, p->name.lower);
    struct err reason = {0};
    struct expr *value;

    if (!def)
        return analyze_error_at(p->line, p->column, err, name, "Catalog '%.*s' %s property '%.*s' does not exist",
                                STR_ARG(o->catalog), kind, STR_ARG(p->name.lower));
    struct str text = analyze_format_expr(z->arena, p->value);
    int r = analyze_constant(z, p->value, &value, &reason);
    if (r < 0 && reason.name && strcmp(reason.name, "TYPE_MISMATCH") != 0 &&
        strcmp(reason.name, "EXPRESSION_NOT_CONSTANT") != 0) {
        if (err)
            *err = reason;
        return r;
    }
    value = r < 0 ? NULL : analyze_coerce_constant(z, value, def->type);
    if (!value)
        return analyze_error_at(p->line, p->column, err, name,
                                "Invalid value for catalog '%.*s' %s property '%s': Cannot convert [%.*s] to %.*s",
                                STR_ARG(o->catalog), kind, def->name, STR_ARG(text),
                                STR_ARG(type_name(z->arena, def->type)));
    if (value->kind == EXPR_CONSTANT && value->constant.is_null)
        return analyze_error_at(p->line, p->column, err, name,
                                "Invalid null value for catalog '%.*s' %s property '%s' from [%.*s]",
                                STR_ARG(o->catalog), kind, def->name, STR_ARG(text));
    *ret = (struct property){.name = str_from_cstr(def->name), .value = value};
    return 0;
}

int analyze_properties(struct analyzer *z, const struct ast_properties *p, const struct object_name *o,
                       const char *kind, struct property **ret, size_t *ret_n, struct err *err)
{
    *ret = arena_array(z->arena, struct property, p->n);
    *ret_n = 0;
    for (size_t i = 0; i < p->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(p->items[i].name.lower, p->items[k].name.lower))
                return analyze_error_at(p->items[i].line, p->items[i].column, err, "DUPLICATE_PROPERTY",
                                        "Duplicate property: %.*s", STR_ARG(p->items[i].name.value));
    for (size_t i = 0; i < p->n; i++) {
        if (!p->items[i].value)
            continue; /* DEFAULT: as if it weren't there */
        int r = analyze_property(z, &p->items[i], o, kind, &(*ret)[*ret_n], err);
        if (r < 0)
            return r;
        ++*ret_n;
    }
    return 0;
}

/* ---- schemas ---- */

static int create_schema(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    bool exists;
    int r = schema_resolve(z, &s->create.name, s->line, s->column, &o, err);

    if (r == 0 && !o.connector)
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found",
                                STR_ARG(o.catalog));
    if (r == 0)
        r = access_check_schema(z->context->access, ACCESS_CREATE_SCHEMA, o.catalog, o.schema, err);
    if (r == 0)
        r = schema_exists(z, &o, &exists, err);
    if (r < 0)
        return r;
    set_target(ret, STATEMENT_CREATE_SCHEMA, "CREATE SCHEMA", &o);
    ret->if_not_exists = s->create.if_not_exists;
    if (exists && !ret->if_not_exists)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_ALREADY_EXISTS", "Schema '%.*s.%.*s' already exists",
                                STR_ARG(o.catalog), STR_ARG(o.schema));
    ret->is_noop = exists;
    if (exists)
        return 0;
    if (!o.connector->ops->create_schema)
        return not_supported("creating schemas", err);
    if (s->create.principal.kind != AST_PRINCIPAL_NONE)
        return analyze_unsupported(s->line, s->column, err, "CREATE SCHEMA … AUTHORIZATION is not supported");
    return analyze_properties(z, &s->create.properties, &o, "schema", &ret->properties, &ret->property_count, err);
}

static int drop_schema(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    struct connector_table_name *tables;
    size_t n = 0;
    bool exists = false;
    int r = schema_resolve(z, &s->drop.name, s->line, s->column, &o, err);

    if (r == 0)
        r = schema_exists(z, &o, &exists, err);
    if (r < 0)
        return r;
    set_target(ret, STATEMENT_DROP_SCHEMA, "DROP SCHEMA", &o);
    ret->if_exists = s->drop.if_exists;
    ret->cascade = s->drop.cascade;
    ret->is_noop = !exists;
    if (!exists && !ret->if_exists)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                                STR_ARG(o.catalog), STR_ARG(o.schema));
    if (!exists)
        return 0;
    if (!o.connector->ops->drop_schema)
        return not_supported("dropping schemas", err);
    if (ret->cascade)
        return access_check_schema(z->context->access, ACCESS_DROP_SCHEMA, o.catalog, o.schema, err);
    r = o.connector->ops->list_tables(o.connector, z->arena, o.schema, &tables, &n, err);
    if (r == 0 && n)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_EMPTY", "Cannot drop non-empty schema '%.*s'",
                                STR_ARG(o.schema));
    return r < 0 ? r : access_check_schema(z->context->access, ACCESS_DROP_SCHEMA, o.catalog, o.schema, err);
}

/* The statement's permission to do `action` to the object that it names. */
static int check_table(struct analyzer *z, enum access_table_action action, const struct object_name *o,
                       struct err *err)
{
    struct access_table t = object_access(o);

    return access_check_table(z->context->access, action, &t, err);
}

/* ---- tables ---- */

static int add_column(struct analyzer *z, struct statement *ret, size_t *cap, struct table_column_def c, int line,
                      int column, struct err *err)
{
    for (size_t i = 0; i < ret->column_count; i++)
        if (str_eq(ret->columns[i].name, c.name))
            return analyze_error_at(line, column, err, "DUPLICATE_COLUMN_NAME",
                                    "Column name '%.*s' specified more than once", STR_ARG(c.name));
    if (ret->column_count == *cap)
        ret->columns = vec_grow_in(z->arena, ret->columns, cap, ret->column_count, sizeof(*ret->columns));
    ret->columns[ret->column_count++] = c;
    return 0;
}

static int add_definition(struct analyzer *z, const struct ast_table_element *e, const struct ast_statement *s,
                          struct statement *ret, size_t *cap, struct err *err)
{
    const struct ast_column *c = e->definition;
    struct table_column_def def = {.name = c->name.parts[0].lower, .not_null = c->not_null, .comment = c->comment};
    struct err reason = {0};

    if (c->name.n > 1)
        return analyze_unsupported(s->line, s->column, err, "Column name '%.*s' must not be qualified",
                                   STR_ARG(analyze_format_name(z->arena, &c->name)));
    int r = analyze_type(z, c->type, &def.type, &reason);
    if (r < 0) {
        if (!reason.name || strcmp(reason.name, "TYPE_NOT_FOUND") != 0 ||
            !str_starts_with(str_from_cstr(reason.message), STR("Unknown type: "))) {
            if (err)
                *err = reason;
            return r;
        }
        return analyze_error_at(e->line, e->column, err, "TYPE_NOT_FOUND", "Unknown type '%s' for column '%.*s'",
                                reason.message + strlen("Unknown type: "), STR_ARG(c->name.parts[0].value));
    }
    if (def.type->kind == TYPE_UNKNOWN)
        return analyze_error_at(e->line, e->column, err, "COLUMN_TYPE_UNKNOWN",
                                "Unknown type 'unknown' for column '%.*s'", STR_ARG(c->name.parts[0].value));
    if (c->properties.n)
        return analyze_error_at(0, 0, err, "INVALID_COLUMN_PROPERTY",
                                "Catalog '%.*s' column property '%.*s' does not exist", STR_ARG(ret->catalog),
                                STR_ARG(c->properties.items[0].name.lower));
    return add_column(z, ret, cap, def, e->line, e->column, err);
}

static int add_like(struct analyzer *z, const struct ast_table_element *e, const struct ast_statement *s,
                    struct statement *ret, size_t *cap, struct err *err)
{
    struct object_name o;
    struct connector_table *t;
    int r = object_resolve(z, &e->like, s->line, s->column, &o, err);

    if (r == 0 && !o.connector)
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND",
                                "LIKE table catalog '%.*s' does not exist", STR_ARG(o.catalog));
    if (r == 0)
        r = table_find(z, &o, &t, err);
    if (r < 0)
        return r;
    if (!t)
        return analyze_error_at(s->line, s->column, err, "TABLE_NOT_FOUND", "LIKE table '%.*s' does not exist",
                                STR_ARG(object_text(z, &o)));
    if (e->like_properties == AST_INCLUDING_PROPERTIES)
        return analyze_unsupported(s->line, s->column, err,
                                   "CREATE TABLE … LIKE … INCLUDING PROPERTIES is not supported");
    struct access_table from = object_access(&o);
    struct str *columns = arena_array(z->arena, struct str, t->column_count);
    for (size_t i = 0; i < t->column_count; i++)
        columns[i] = t->columns[i].name;
    r = access_check_select(z->context->access, &from, columns, t->column_count, err);
    for (size_t i = 0; i < t->column_count && r == 0; i++) {
        const struct connector_column *c = &t->columns[i];
        struct table_column_def def = {
            .name = c->name, .type = c->type, .not_null = c->not_null, .comment = c->comment};
        if (!c->hidden)
            r = add_column(z, ret, cap, def, e->line, e->column, err);
    }
    return r;
}

/* What CREATE TABLE and CREATE TABLE AS have in common. *ret_target is where the table goes; ret->is_noop: nowhere, as
 * there is one. `taken` is what an error calls it. */
static int analyze_new_table(struct analyzer *z, const struct ast_statement *s, enum statement_kind kind,
                             const char *taken, struct statement *ret, struct object_name *ret_target, struct err *err)
{
    struct connector_table *existing;
    int r = object_resolve(z, &s->create_table.name, s->line, s->column, ret_target, err);

    if (r == 0)
        r = table_find(z, ret_target, &existing, err);
    if (r < 0)
        return r;
    set_target(ret, kind, "CREATE TABLE", ret_target);
    ret->if_not_exists = s->create_table.if_not_exists;
    ret->comment = s->create_table.comment;
    if (s->create_table.or_replace)
        return analyze_unsupported(s->line, s->column, err, "CREATE OR REPLACE TABLE is not supported");
    if (existing && !ret->if_not_exists)
        return analyze_error_at(s->line, s->column, err, "TABLE_ALREADY_EXISTS", "%s '%.*s' already exists", taken,
                                STR_ARG(object_text(z, ret_target)));
    ret->is_noop = existing != NULL;
    if (existing)
        return 0;
    r = object_require(z, &s->create_table.name, s->line, s->column, ret_target, err);
    return r < 0 ? r
                 : analyze_properties(z, &s->create_table.properties, ret_target, "table", &ret->properties,
                                      &ret->property_count, err);
}

static int create_table(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    size_t cap = 0;
    int r = analyze_new_table(z, s, STATEMENT_CREATE_TABLE, "Table", ret, &o, err);

    if (r < 0 || ret->is_noop)
        return r;
    for (size_t i = 0; r == 0 && i < s->create_table.elements.n; i++) {
        const struct ast_table_element *e = &s->create_table.elements.items[i];
        r = e->definition ? add_definition(z, e, s, ret, &cap, err) : add_like(z, e, s, ret, &cap, err);
    }
    if (r == 0)
        r = check_table(z, ACCESS_CREATE_TABLE, &o, err);
    if (r == 0 && !o.connector->ops->create_table)
        r = not_supported("creating tables", err);
    return r;
}

static struct rel *visible_columns(struct analyzer *z, struct rel *r, const struct scope *s)
{
    if (scope_visible_count(s) == r->column_count)
        return r;
    struct column *columns = arena_array(z->arena, struct column, s->n);
    struct expr **exprs = arena_array(z->arena, struct expr *, s->n);
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (!s->fields[i].hidden) {
            columns[n] = s->fields[i].column;
            exprs[n++] = expr_column(z, &s->fields[i].column);
        }
    return rel_project(z, r, columns, exprs, n);
}

/* A query that feeds a statement is no top-level one: its ORDER BY counts only with LIMIT. */
static int source_query(struct analyzer *z, const struct ast_query *q, struct rel **ret, struct scope **ret_scope,
                        struct err *err)
{
    z->depth++;
    int r = analyze_query(z, q, NULL, ret, ret_scope, err);
    z->depth--;
    if (r == 0)
        *ret = visible_columns(z, *ret, *ret_scope);
    return r;
}

/* The table's columns: names and types of the query's. */
static int define_columns(struct analyzer *z, const struct ast_statement *s, const struct scope *output,
                          struct statement *ret, struct err *err)
{
    const struct ast_idents *aliases = &s->create_table.columns;
    size_t cap = 0, visible = 0;
    int r = aliases->n ? check_column_aliases(aliases, scope_visible_count(output), err) : 0;

    for (size_t i = 0; r == 0 && i < output->n; i++) {
        const struct column *c = &output->fields[i].column;
        if (output->fields[i].hidden)
            continue;
        struct str name = aliases->n ? aliases->items[visible].value : c->name;
        visible++;
        if (str_is_null(name))
            return analyze_error_at(s->line, s->column, err, "MISSING_COLUMN_NAME",
                                    "Column name not specified at position %zu", visible);
        if (c->type->kind == TYPE_UNKNOWN && aliases->n)
            return analyze_error_at(s->line, s->column, err, "COLUMN_TYPE_UNKNOWN",
                                    "Column type is unknown at position %zu", visible);
        if (c->type->kind == TYPE_UNKNOWN)
            return analyze_error_at(s->line, s->column, err, "COLUMN_TYPE_UNKNOWN", "Column type is unknown: %.*s",
                                    STR_ARG(name));
        struct table_column_def def = {.name = arena_lower(z->arena, name), .type = c->type};
        r = add_column(z, ret, &cap, def, s->line, s->column, err);
    }
    return r;
}

static int create_table_as(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    struct scope *output;
    int r = analyze_new_table(z, s, STATEMENT_CREATE_TABLE_AS, "Destination table", ret, &o, err);

    ret->with_data = !s->create_table.with_no_data;
    if (r < 0 || ret->is_noop)
        return r;
    r = check_table(z, ACCESS_CREATE_TABLE, &o, err);
    if (r == 0)
        r = source_query(z, s->create_table.query, &ret->query, &output, err);
    if (r == 0)
        r = define_columns(z, s, output, ret, err);
    if (r == 0 && !o.connector->ops->begin_write)
        r = not_supported("creating tables with data", err);
    if (r == 0 && !ret->with_data) {
        ret->query = rel_over(z, REL_LIMIT, ret->query);
        ret->query->limit.count = expr_new(z, EXPR_CONSTANT, &type_bigint, NULL); /* 0 */
    }
    return r;
}

/* The table that DROP and RENAME are about; NULL, and ret->is_noop, when there is none and needn't be. */
static int analyze_old_table(struct analyzer *z, const struct ast_statement *s, const struct ast_name *name,
                             bool if_exists, struct object_name *ret_name, struct connector_table **ret_table,
                             struct statement *ret, struct err *err)
{
    int r = object_resolve(z, name, s->line, s->column, ret_name, err);

    if (r == 0)
        r = table_find(z, ret_name, ret_table, err);
    if (r < 0)
        return r;
    ret->if_exists = if_exists;
    ret->is_noop = !*ret_table;
    return *ret_table || if_exists ? 0 : table_missing(z, ret_name, s->line, s->column, err);
}

static int drop_table(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    struct connector_table *t;
    int r = analyze_old_table(z, s, &s->drop.name, s->drop.if_exists, &o, &t, ret, err);

    if (r < 0)
        return r;
    set_target(ret, STATEMENT_DROP_TABLE, "DROP TABLE", &o);
    if (t && !t->connector->ops->drop_table)
        return not_supported("dropping tables", err);
    return t ? check_table(z, ACCESS_DROP_TABLE, &o, err) : 0;
}

/* The new name is completed from the old one: a, schema.a, catalog.schema.a. */
static int rename_table(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    const struct ast_name *to = &s->rename.to;
    struct object_name o, target;
    struct connector_table *t, *existing;
    bool exists;
    int r = analyze_old_table(z, s, &s->rename.from, s->rename.if_exists, &o, &t, ret, err);

    if (r < 0)
        return r;
    set_target(ret, STATEMENT_RENAME_TABLE, "RENAME TABLE", &o);
    if (!t)
        return 0;
    if (to->n > 3)
        return analyze_error_at(s->line, s->column, err, "SYNTAX_ERROR", "Too many dots in table name: %.*s",
                                STR_ARG(analyze_format_name(z->arena, to)));
    target = o;
    target.name = to->parts[to->n - 1].lower;
    if (to->n > 1)
        target.schema = to->parts[to->n - 2].lower;
    if (to->n > 2)
        target.catalog = to->parts[0].lower;
    if (!connector_find(z->context->catalogs, target.catalog))
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Target catalog '%.*s' not found",
                                STR_ARG(target.catalog));
    if (!str_eq(target.catalog, o.catalog))
        return analyze_unsupported(s->line, s->column, err, "Table rename across catalogs is not supported");
    r = schema_exists(z, &target, &exists, err);
    if (r == 0 && !exists)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_FOUND", "Target schema '%.*s.%.*s' not found",
                                STR_ARG(target.catalog), STR_ARG(target.schema));
    if (r == 0)
        r = table_find(z, &target, &existing, err);
    if (r < 0)
        return r;
    if (existing)
        return analyze_error_at(s->line, s->column, err, "TABLE_ALREADY_EXISTS", "Target table '%.*s' already exists",
                                STR_ARG(object_text(z, &target)));
    const struct access_table from = object_access(&o), renamed = object_access(&target);
    r = access_check_rename(z->context->access, ACCESS_TABLE, &from, &renamed, err);
    if (r < 0)
        return r;
    ret->new_schema = target.schema;
    ret->new_table = target.name;
    return t->connector->ops->rename_table ? 0 : not_supported("renaming tables", err);
}

/* ---- INSERT ---- */

static size_t column_index(const struct connector_table *t, struct str name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].hidden && str_eq(t->columns[i].name, name))
            return i;
    return SIZE_MAX;
}

static int insert_columns(struct analyzer *z, const struct ast_statement *s, const struct connector_table *t,
                          struct statement *ret, struct err *err)
{
    const struct ast_idents *names = &s->insert.columns;

    ret->insert_columns = arena_array(z->arena, size_t, t->column_count + names->n);
    if (names->n == 0)
        for (size_t i = 0; i < t->column_count; i++)
            if (!t->columns[i].hidden)
                ret->insert_columns[ret->insert_count++] = i;
    for (size_t i = 0; i < names->n; i++) {
        size_t at = column_index(t, names->items[i].lower);

        if (at == SIZE_MAX)
            return analyze_error_at(s->line, s->column, err, "COLUMN_NOT_FOUND",
                                    "Insert column name does not exist in target table: %.*s",
                                    STR_ARG(names->items[i].lower));
        for (size_t k = 0; k < i; k++)
            if (ret->insert_columns[k] == at)
                return analyze_error_at(s->line, s->column, err, "DUPLICATE_COLUMN_NAME",
                                        "Insert column name is specified more than once: %.*s",
                                        STR_ARG(names->items[i].lower));
        ret->insert_columns[ret->insert_count++] = at;
    }
    return 0;
}

static bool is_text(const struct type *t)
{
    return t->kind == TYPE_VARCHAR || t->kind == TYPE_CHAR;
}

static bool has_bounded_text(const struct type *t)
{
    if (is_text(t))
        return t->precision != TYPE_UNBOUNDED;
    if ((t->element && has_bounded_text(t->element)) || (t->key && has_bounded_text(t->key)))
        return true;
    for (size_t i = 0; i < t->field_count; i++)
        if (has_bounded_text(t->fields[i].type))
            return true;
    return false;
}

/* StatementAnalyzer.typesMatchForInsert: what shares a common type is cast, and the cast may fail for a value; text
 * inside arrays, maps and rows has to fit by its type. */
static bool insert_compatible(struct analyzer *z, const struct type *from, const struct type *to)
{
    if (!is_text(to) && has_bounded_text(to))
        return type_can_coerce(from, to);
    return type_common_super(z->arena, from, to) != NULL;
}

static int mismatched_insert(struct analyzer *z, const struct ast_statement *s, const struct statement *ret,
                             struct err *err)
{
    struct str table = STR_NULL, query = STR_NULL;

    for (size_t i = 0; i < ret->insert_count; i++)
        table = arena_printf(z->arena, "%.*s%s%.*s", STR_ARG(table), i ? ", " : "",
                             STR_ARG(type_name(z->arena, ret->target->columns[ret->insert_columns[i]].type)));
    for (size_t i = 0; i < ret->query->column_count; i++)
        query = arena_printf(z->arena, "%.*s%s%.*s", STR_ARG(query), i ? ", " : "",
                             STR_ARG(type_name(z->arena, ret->query->columns[i].type)));
    return analyze_error_at(s->line, s->column, err, "TYPE_MISMATCH",
                            "Insert query has mismatched column types: Table: [%.*s], Query: [%.*s]", STR_ARG(table),
                            STR_ARG(query));
}

/* Text that is too long for its column is an error when it has more than spaces to lose; a cast alone would cut it. */
static int check_length(struct analyzer *z, struct expr **e, const struct type *to, struct err *err)
{
    const struct type *from = (*e)->type;
    struct function_match match;
    struct expr *call;

    if (!is_text(from) || !is_text(to) || to->precision == TYPE_UNBOUNDED || from->precision <= to->precision)
        return 0;
    struct str message = arena_printf(z->arena,
                                      "Cannot truncate non-space characters when casting from %.*s to %.*s on INSERT",
                                      STR_ARG(type_name(z->arena, from)), STR_ARG(type_name(z->arena, to)));
    struct expr *length = expr_new(z, EXPR_CONSTANT, &type_bigint, NULL);
    struct expr *text = expr_new(z, EXPR_CONSTANT, type_varchar_n(z->arena, (int)message.n), NULL);
    length->constant.i = to->precision;
    text->constant.text = message;
    const struct type *types[] = {type_varchar_n(z->arena, from->precision), length->type, text->type};
    int r = function_resolve(z->arena, STR("$check_length"), types, ARRAY_LEN(types), NULL, &match, err);
    if (r < 0)
        return r;
    call = expr_new(z, EXPR_CALL, match.result, NULL);
    call->function = match.function;
    call->arg_count = ARRAY_LEN(types);
    call->args = arena_array(z->arena, struct expr *, ARRAY_LEN(types));
    call->args[0] = expr_cast(z, *e, types[0]);
    call->args[1] = length;
    call->args[2] = text;
    *e = call;
    return 0;
}

/* The source's rows as the target's columns take them. */
static int coerce_rows(struct analyzer *z, struct rel **query, const struct type *const *types, struct err *err)
{
    size_t n = (*query)->column_count;
    struct column *columns = arena_array(z->arena, struct column, n);
    struct expr **exprs = arena_array(z->arena, struct expr *, n);
    bool same = true;

    for (size_t i = 0; i < n; i++) {
        const struct column *c = &(*query)->columns[i];
        exprs[i] = expr_column(z, c);
        int r = check_length(z, &exprs[i], types[i], err);
        if (r < 0)
            return r;
        exprs[i] = expr_cast(z, exprs[i], types[i]);
        columns[i] = column_new(z, c->name, types[i]);
        same = same && type_eq(c->type, types[i]);
    }
    if (!same)
        *query = rel_project(z, *query, columns, exprs, n);
    return 0;
}

/* What the table's row filter hides may not be put there: its predicate over the rows to come, in which columns that the
 * statement doesn't name are null. */
static int check_inserted(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    const struct connector_table *t = ret->target;
    const struct ast_name *name = &s->insert.table;
    struct scope *scope = scope_new(z, NULL);
    struct column *columns = arena_array(z->arena, struct column, ret->query->column_count + t->column_count);
    struct expr **exprs = arena_array(z->arena, struct expr *, ret->query->column_count + t->column_count);
    size_t n = ret->query->column_count;
    struct function_match match;
    struct expr *predicate;
    struct rel *source = ret->query;

    for (size_t i = 0; i < n; i++) {
        columns[i] = source->columns[i];
        exprs[i] = expr_column(z, &columns[i]);
    }
    for (size_t i = 0; i < t->column_count; i++) {
        struct scope_field f = {.origin = t, .origin_column = t->columns[i].name};
        size_t k = 0;

        if (t->columns[i].hidden)
            continue;
        while (k < ret->insert_count && ret->insert_columns[k] != i)
            k++;
        if (k < ret->insert_count) {
            f.column = source->columns[k];
        } else {
            columns[n] = f.column = column_new(z, t->columns[i].name, t->columns[i].type);
            exprs[n] = expr_new(z, EXPR_CONSTANT, t->columns[i].type, NULL);
            exprs[n++]->constant.is_null = true;
        }
        f.column.name = t->columns[i].name;
        scope_add(z, scope, f);
    }
    int r = access_row_predicate(z, t, name->line, name->column, scope, &predicate, err);
    if (r < 0 || !predicate)
        return r;

    struct str message = STR("Access Denied: Cannot insert row that does not match a row filter");
    struct expr *text = expr_new(z, EXPR_CONSTANT, type_varchar_n(z->arena, (int)message.n), NULL);
    text->constant.text = message;
    const struct type *types[] = {&type_boolean, text->type};
    r = function_resolve(z->arena, STR("$require"), types, ARRAY_LEN(types), NULL, &match, err);
    if (r < 0)
        return r;
    struct expr *call = expr_new(z, EXPR_CALL, match.result, NULL);
    call->function = match.function;
    call->arg_count = ARRAY_LEN(types);
    call->args = arena_array(z->arena, struct expr *, ARRAY_LEN(types));
    call->args[0] = predicate;
    call->args[1] = text;
    struct rel *checked = rel_filter(z, rel_project(z, source, columns, exprs, n), call);
    exprs = arena_array(z->arena, struct expr *, source->column_count);
    for (size_t i = 0; i < source->column_count; i++)
        exprs[i] = expr_column(z, &source->columns[i]);
    ret->query = rel_project(z, checked, source->columns, exprs, source->column_count);
    return 0;
}

static int insert(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o;
    struct scope *output;
    int r = object_resolve(z, &s->insert.table, s->line, s->column, &o, err);

    if (r == 0)
        r = source_query(z, s->insert.query, &ret->query, &output, err);
    if (r == 0)
        r = object_require(z, &s->insert.table, s->line, s->column, &o, err);
    if (r == 0)
        r = table_find(z, &o, &ret->target, err);
    if (r < 0)
        return r;
    set_target(ret, STATEMENT_INSERT, "INSERT", &o);
    if (!ret->target)
        return table_missing(z, &o, s->line, s->column, err);
    if (ret->target->is_view)
        return analyze_unsupported(s->line, s->column, err, "Inserting into views is not supported");
    r = check_table(z, ACCESS_INSERT, &o, err);
    if (r < 0)
        return r;
    if (access_masks_table(z, ret->target))
        return analyze_unsupported(s->line, s->column, err, "Insert into table with column masks is not supported");
    if (!ret->target->connector->ops->begin_write)
        return not_supported("inserts", err);
    r = insert_columns(z, s, ret->target, ret, err);
    if (r < 0)
        return r;
    if (ret->query->column_count != ret->insert_count)
        return mismatched_insert(z, s, ret, err);

    const struct type **types = arena_array(z->arena, const struct type *, ret->insert_count);
    for (size_t i = 0; i < ret->insert_count; i++) {
        types[i] = ret->target->columns[ret->insert_columns[i]].type;
        if (!insert_compatible(z, ret->query->columns[i].type, types[i]))
            return mismatched_insert(z, s, ret, err);
    }
    r = coerce_rows(z, &ret->query, types, err);
    return r < 0 ? r : check_inserted(z, s, ret, err);
}

/* ---- DELETE, TRUNCATE ---- */

/* Which rows: WHERE's, of those that the row filter shows. The table itself is the statement's target, which takes no
 * permission to read it; WHERE's columns do. */
static int delete_predicate(struct analyzer *z, const struct ast_statement *s, const struct connector_table *t,
                            const struct ast_expr *where, struct rel **ret_scan, struct expr **ret, struct err *err)
{
    const struct ast_name *name = &s->delete.table;
    const struct analyze_context *context = z->context;
    struct analyze_context target = *context;
    struct rel *scan;
    struct scope *scope;
    struct expr *filter, *predicate = NULL;

    if (access_masks_table(z, t))
        return analyze_unsupported(s->line, s->column, err, "Delete from table with column mask");
    target.access = NULL;
    z->context = &target;
    int r = analyze_table(z, name, name->line, name->column, NULL, &scan, &scope, err);
    z->context = context;
    if (r == 0 && where) {
        struct expr_env env = {.z = z, .scope = scope, .clause = "WHERE clause"};
        r = analyze_predicate(&env, where, &predicate, err);
    }
    if (r == 0)
        r = access_row_predicate(z, t, name->line, name->column, scope, &filter, err);
    if (r < 0)
        return r;
    *ret_scan = scan;
    *ret = predicate ? predicate : filter;
    if (predicate && filter) {
        *ret = expr_new(z, EXPR_AND, &type_boolean, NULL);
        (*ret)->args = arena_array(z->arena, struct expr *, 2);
        (*ret)->args[0] = filter;
        (*ret)->args[1] = predicate;
        (*ret)->arg_count = 2;
    }
    return 0;
}

/* What the connector knows the rows by. */
static struct rel *rows_to_delete(struct analyzer *z, struct rel *scan, struct expr *predicate)
{
    const struct connector_table *t = scan->scan.table;
    const char *const *ids = t->connector->ops->row_ids;
    struct column *columns = arena_array(z->arena, struct column, ARRAY_LEN(t->connector->ops->row_ids));
    struct expr **exprs = arena_array(z->arena, struct expr *, ARRAY_LEN(t->connector->ops->row_ids));
    size_t n = 0;

    for (; ids[n]; n++)
        for (size_t i = 0; i < t->column_count; i++)
            if (t->columns[i].hidden && str_eq_cstr(t->columns[i].name, ids[n])) {
                columns[n] = scan->columns[i];
                exprs[n] = expr_column(z, &scan->columns[i]);
            }
    return rel_project(z, rel_filter(z, scan, predicate), columns, exprs, n);
}

static int delete_rows(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    const struct ast_name *name = s->kind == AST_DELETE ? &s->delete.table : &s->drop.name;
    const struct ast_expr *where = s->kind == AST_DELETE ? s->delete.where : NULL;
    struct object_name o;
    struct rel *scan;
    struct expr *predicate = NULL;
    int r = object_resolve(z, name, name->line, name->column, &o, err);

    if (r == 0)
        r = table_require(z, &o, name->line, name->column, &ret->target, err);
    if (r < 0)
        return r;
    set_target(ret, STATEMENT_DELETE, s->kind == AST_DELETE ? "DELETE" : "TRUNCATE TABLE", &o);
    if (ret->target->is_view)
        return analyze_unsupported(s->line, s->column, err, "Deleting from views is not supported");
    r = check_table(z, s->kind == AST_DELETE ? ACCESS_DELETE : ACCESS_TRUNCATE_TABLE, &o, err);
    if (r == 0 && s->kind == AST_DELETE)
        r = delete_predicate(z, s, ret->target, where, &scan, &predicate, err);
    if (r < 0)
        return r;
    if (!ret->target->connector->ops->delete_all)
        return not_supported(s->kind == AST_DELETE ? "modifying table rows" : "truncating tables", err);
    if (!predicate || (predicate->kind == EXPR_CONSTANT && !predicate->constant.is_null && predicate->constant.i))
        return 0;
    if (!ret->target->connector->ops->begin_delete)
        return not_supported("modifying table rows", err);
    ret->delete_source = rows_to_delete(z, scan, predicate);
    return 0;
}

int analyze_ddl(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    switch (s->kind) {
    case AST_CREATE_SCHEMA:
        return create_schema(z, s, ret, err);
    case AST_DROP_SCHEMA:
        return drop_schema(z, s, ret, err);
    case AST_CREATE_TABLE:
        return create_table(z, s, ret, err);
    case AST_CREATE_TABLE_AS:
        return create_table_as(z, s, ret, err);
    case AST_DROP_TABLE:
        return drop_table(z, s, ret, err);
    case AST_RENAME_TABLE:
        return rename_table(z, s, ret, err);
    case AST_INSERT:
        return insert(z, s, ret, err);
    default:
        return delete_rows(z, s, ret, err);
    }
}
