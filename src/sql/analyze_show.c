/*
 * SHOW and DESCRIBE: rewritten to queries as Trino's ShowQueriesRewrite does, in text that is parsed and bound like any
 * other. Types come out as Trino's because they come from the same literals and information_schema columns.
 */
#include "sql/analyze_query.h"
#include "sql/parse.h"

enum { MAX_REWRITTEN = SQL_TEXT_MAX };

/* ---- text ---- */

static void add_literal(struct buf *b, struct str s)
{
    buf_add_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_char(b, '\'');
        buf_add_char(b, s.p[i]);
    }
    buf_add_char(b, '\'');
}

static void add_identifier(struct buf *b, struct str s)
{
    buf_add_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, s.p[i]);
    }
    buf_add_char(b, '"');
}

/* " column LIKE 'pattern' ESCAPE 'e'" after `lead`, when SHOW … LIKE was said */
static void add_like(struct buf *b, const char *lead, const char *column, const struct ast_statement *s)
{
    if (str_is_null(s->show.like))
        return;
    buf_addf(b, "%s%s LIKE ", lead, column);
    add_literal(b, s->show.like);
    if (!str_is_null(s->show.escape)) {
        buf_add_cstr(b, " ESCAPE ");
        add_literal(b, s->show.escape);
    }
}

/* FROM catalog.information_schema.table */
static void add_from(struct buf *b, struct str catalog, const char *table)
{
    buf_add_cstr(b, " FROM ");
    add_identifier(b, catalog);
    buf_addf(b, ".information_schema.%s", table);
}

int analyze_rewritten(struct analyzer *z, struct str text, struct rel **ret, struct scope **ret_scope, struct err *err)
{
    struct ast_statement *s;
    int r = sql_parse(z->arena, arena_str(z->arena, text), &s, err);

    if (r == 0)
        r = analyze_query(z, s->query, NULL, ret, ret_scope, err);
    if (r < 0 && err)
        err->line = err->column = 0; /* of a text that the client never saw */
    return r;
}

static int analyze_buf(struct analyzer *z, const struct buf *b, struct rel **ret, struct scope **ret_scope,
                       struct err *err)
{
    int r = buf_check(b, "the query that the statement is rewritten to", err);

    return r < 0 ? r : analyze_rewritten(z, buf_str(b), ret, ret_scope, err);
}

static size_t code_points(struct str s)
{
    size_t n = 0, at = 0;

    while (at < s.n) {
        str_next_rune(s, &at);
        n++;
    }
    return n;
}

struct rel *analyze_single_value(struct analyzer *z, const char *column, struct str value, struct scope **ret_scope)
{
    struct column *c = arena_new(z->arena, struct column);
    struct expr *e = expr_new(z, EXPR_CONSTANT, type_varchar_n(z->arena, (int)code_points(value)), NULL);

    *c = column_new(z, str_from_cstr(column), e->type);
    e->constant.text = arena_str(z->arena, value);
    struct rel *r = rel_values(z, c, 1);
    r->values.rows = arena_array(z->arena, struct expr **, 1);
    r->values.rows[0] = arena_array(z->arena, struct expr *, 1);
    r->values.rows[0][0] = e;
    r->values.row_count = 1;
    *ret_scope = scope_new(z, NULL);
    scope_add(z, *ret_scope, (struct scope_field){.column = *c});
    return r;
}

/* ---- catalogs, schemas, tables, columns ---- */

static int show_catalogs(struct analyzer *z, const struct ast_statement *s, struct buf *b)
{
    const struct connector_set *set = z->context->catalogs;
    size_t n = 0;

    buf_add_cstr(b, "SELECT * FROM (VALUES ");
    for (size_t i = 0; i < set->n; i++) {
        if (!access_sees_catalog(z->context->access, set->items[i]->catalog))
            continue;
        if (n++)
            buf_add_cstr(b, ", ");
        add_literal(b, set->items[i]->catalog);
    }
    if (n == 0)
        buf_add_cstr(b, "''");
    buf_add_cstr(b, ") AS catalogs (\"Catalog\")");
    if (n == 0)
        buf_add_cstr(b, " WHERE false");
    else
        add_like(b, " WHERE ", "\"Catalog\"", s);
    buf_add_cstr(b, " ORDER BY \"Catalog\"");
    return 0;
}

static int show_schemas(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct str catalog = s->show.name.n ? s->show.name.parts[0].lower : z->context->session->catalog;

    if (str_is_null(catalog))
        return analyze_error_at(s->line, s->column, err, "MISSING_CATALOG_NAME",
                                "Catalog must be specified when session catalog is not set");
    if (!connector_find(z->context->catalogs, catalog))
        return analyze_error_at(0, 0, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found", STR_ARG(catalog));
    int r = access_check_show_schemas(z->context->access, catalog, err);
    if (r < 0)
        return r;
    buf_add_cstr(b, "SELECT schema_name AS \"Schema\"");
    add_from(b, catalog, "schemata");
    add_like(b, " WHERE ", "schema_name", s);
    buf_add_cstr(b, " ORDER BY schema_name");
    return 0;
}

static int require_schema(struct analyzer *z, const struct ast_statement *s, const struct object_name *o,
                          struct err *err)
{
    bool exists;
    int r = schema_exists(z, o, &exists, err);

    if (r == 0 && !exists)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_FOUND", "Schema '%.*s' does not exist",
                                STR_ARG(o->schema));
    return r;
}

static int show_tables(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct object_name o;
    int r = schema_resolve(z, &s->show.name, s->line, s->column, &o, err);

    if (r == 0)
        r = access_check_show_tables(z->context->access, o.catalog, o.schema, err);
    if (r == 0 && !o.connector)
        return analyze_error_at(s->line, s->column, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' does not exist",
                                STR_ARG(o.catalog));
    if (r == 0)
        r = require_schema(z, s, &o, err);
    if (r < 0)
        return r;
    buf_add_cstr(b, "SELECT table_name AS \"Table\"");
    add_from(b, o.catalog, "tables");
    buf_add_cstr(b, " WHERE table_schema = ");
    add_literal(b, o.schema);
    add_like(b, " AND ", "table_name", s);
    buf_add_cstr(b, " ORDER BY table_name");
    return 0;
}

static int show_columns(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct object_name o;
    struct connector_table *t;
    int r = object_require(z, &s->show.name, s->line, s->column, &o, err);

    if (r == 0)
        r = require_schema(z, s, &o, err);
    if (r == 0)
        r = table_require(z, &o, s->line, s->column, &t, err);
    struct access_table asked = object_access(&o);
    if (r == 0)
        r = access_check_table(z->context->access, ACCESS_SHOW_COLUMNS, &asked, err);
    if (r < 0)
        return r;
    buf_add_cstr(b, "SELECT column_name AS \"Column\", data_type AS \"Type\", coalesce(extra_info, '') AS \"Extra\", "
                    "coalesce(comment, '') AS \"Comment\"");
    add_from(b, o.catalog, "columns");
    buf_add_cstr(b, " WHERE table_schema = ");
    add_literal(b, o.schema);
    buf_add_cstr(b, " AND table_name = ");
    add_literal(b, o.name);
    add_like(b, " AND ", "column_name", s);
    buf_add_cstr(b, " ORDER BY ordinal_position");
    return 0;
}

/* ---- SHOW CREATE ---- */

/* A name as Trino's SqlFormatter prints it: bare when it may stand bare. */
static void add_name(struct buf *b, struct str name)
{
    bool bare = name.n > 0 && !sql_is_reserved(name) && ((name.p[0] >= 'a' && name.p[0] <= 'z') || name.p[0] == '_');

    for (size_t i = 0; bare && i < name.n; i++)
        bare = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '_';
    if (bare)
        buf_add_str(b, name);
    else
        add_identifier(b, name);
}

static void add_properties(struct buf *b, struct str properties)
{
    struct str line;

    if (str_is_empty(properties))
        return;
    buf_add_cstr(b, "\nWITH (\n");
    while (str_split(&properties, '\n', &line)) {
        buf_add_cstr(b, "   ");
        buf_add_str(b, str_trim(line));
        buf_add_char(b, '\n');
    }
    buf_add_char(b, ')');
}

static int show_create_table(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct object_name o;
    struct connector_table *t;
    struct str properties = STR_NULL;
    bool first = true;
    int r = object_require(z, &s->show.name, s->line, s->column, &o, err);

    if (r == 0)
        r = table_find(z, &o, &t, err);
    if (r < 0)
        return r;
    if (!t)
        return analyze_error_at(s->line, s->column, err, "TABLE_NOT_FOUND", "Table '%.*s' does not exist",
                                STR_ARG(object_text(z, &o)));
    if (t->is_view)
        return analyze_unsupported(s->line, s->column, err, "Relation '%.*s' is a view, not a table",
                                   STR_ARG(object_text(z, &o)));
    struct access_table asked = object_access(&o);
    r = access_check_table(z->context->access, ACCESS_SHOW_CREATE_TABLE, &asked, err);
    if (r == 0 && t->connector->ops->table_properties)
        r = t->connector->ops->table_properties(t->connector, z->arena, t, &properties, err);
    buf_add_cstr(b, "CREATE TABLE ");
    add_name(b, o.catalog);
    buf_add_char(b, '.');
    add_name(b, o.schema);
    buf_add_char(b, '.');
    add_name(b, o.name);
    buf_add_cstr(b, " (\n");
    for (size_t i = 0; i < t->column_count; i++) {
        const struct connector_column *c = &t->columns[i];
        if (c->hidden)
            continue;
        buf_add_cstr(b, first ? "   " : ",\n   ");
        first = false;
        add_name(b, c->name);
        buf_add_char(b, ' ');
        type_format(b, c->type);
        if (c->not_null)
            buf_add_cstr(b, " NOT NULL");
        if (!str_is_null(c->comment)) {
            buf_add_cstr(b, " COMMENT ");
            add_literal(b, c->comment);
        }
    }
    buf_add_cstr(b, "\n)");
    if (!str_is_null(t->comment)) {
        buf_add_cstr(b, "\nCOMMENT ");
        add_literal(b, t->comment);
    }
    add_properties(b, properties);
    return r;
}

static int show_create_schema(struct analyzer *z, const struct ast_statement *s, struct buf *b, struct err *err)
{
    struct object_name o;
    struct str properties = STR_NULL;
    bool exists = false;
    int r = schema_resolve(z, &s->show.name, s->line, s->column, &o, err);

    if (r == 0)
        r = schema_exists(z, &o, &exists, err);
    if (r < 0)
        return r;
    if (!o.connector || !exists)
        return analyze_error_at(s->line, s->column, err, "SCHEMA_NOT_FOUND", "Schema '%.*s.%.*s' does not exist",
                                STR_ARG(o.catalog), STR_ARG(o.schema));
    r = access_check_schema(z->context->access, ACCESS_SHOW_CREATE_SCHEMA, o.catalog, o.schema, err);
    if (r == 0 && o.connector->ops->schema_properties && !str_eq(o.schema, STR("information_schema")))
        r = o.connector->ops->schema_properties(o.connector, z->arena, o.schema, &properties, err);
    buf_add_cstr(b, "CREATE SCHEMA ");
    add_name(b, o.catalog);
    buf_add_char(b, '.');
    add_name(b, o.schema);
    add_properties(b, properties);
    return r;
}

static int show_create(struct analyzer *z, const struct ast_statement *s, struct rel **ret, struct scope **ret_scope,
                       struct err *err)
{
    BUF_SCOPED struct buf b;
    bool table = s->kind == AST_SHOW_CREATE_TABLE;

    buf_init(&b, MAX_REWRITTEN);
    int r = table ? show_create_table(z, s, &b, err) : show_create_schema(z, s, &b, err);
    if (r == 0)
        r = buf_check(&b, "the statement shown", err);
    if (r == 0)
        *ret = analyze_single_value(z, table ? "Create Table" : "Create Schema", buf_str(&b), ret_scope);
    return r;
}

/* ---- SHOW FUNCTIONS, SHOW SESSION ---- */

/* Operators are functions too, under names that no SQL can say. */
static bool is_hidden_function(const struct function *f)
{
    return f->name[0] == '$';
}

static void show_functions(const struct ast_statement *s, struct buf *b)
{
    static const char *const kinds[] = {"scalar", "aggregate", "window"};
    bool first = true;

    buf_add_cstr(b,
                 "SELECT function_name AS \"Function\", return_type AS \"Return Type\", argument_types AS \"Argument "
                 "Types\", function_type AS \"Function Type\", deterministic AS \"Deterministic\", description AS "
                 "\"Description\" FROM (VALUES ");
    for (size_t i = 0; i < function_count; i++) {
        const struct function *f = &functions[i];
        if (is_hidden_function(f))
            continue;
        buf_add_cstr(b, first ? "(" : ", (");
        first = false;
        add_literal(b, str_from_cstr(f->name));
        buf_add_cstr(b, ", ");
        add_literal(b, str_from_cstr(f->result[0] == '@' ? "decimal" : f->result));
        buf_add_cstr(b, ", ");
        add_literal(b, str_from_cstr(f->arguments));
        buf_addf(b, ", '%s', %s, ", kinds[f->kind], f->is_nondeterministic ? "false" : "true");
        add_literal(b, str_from_cstr(f->description ? f->description : ""));
        buf_add_char(b, ')');
    }
    buf_add_cstr(b, ") AS functions (function_name, return_type, argument_types, function_type, deterministic, "
                    "description)");
    add_like(b, " WHERE ", "function_name", s);
    buf_add_cstr(b, " ORDER BY lower(function_name), return_type, argument_types, function_type");
}

static void add_session_row(struct analyzer *z, struct buf *b, struct str name, const char *type,
                            const char *default_value, const char *description)
{
    const struct str *set = map_get(&z->context->session->properties, name);
    struct str initial = str_from_cstr(default_value ? default_value : "");

    buf_add_char(b, '(');
    add_literal(b, name);
    buf_add_cstr(b, ", ");
    add_literal(b, set ? *set : initial);
    buf_add_cstr(b, ", ");
    add_literal(b, initial);
    buf_add_cstr(b, ", ");
    add_literal(b, str_from_cstr(type));
    buf_add_cstr(b, ", ");
    add_literal(b, str_from_cstr(description ? description : ""));
    buf_add_cstr(b, ", true), ");
}

static void show_session(struct analyzer *z, const struct ast_statement *s, struct buf *b)
{
    const struct connector_set *set = z->context->catalogs;

    buf_add_cstr(b,
                 "SELECT name AS \"Name\", value AS \"Value\", default AS \"Default\", type AS \"Type\", description "
                 "AS \"Description\" FROM (VALUES ");
    for (size_t i = 0; i < session_property_count; i++) {
        const struct session_property *p = &session_properties[i];
        if (!p->hidden)
            add_session_row(z, b, str_from_cstr(p->name), p->type, p->default_value, p->description);
    }
    for (size_t i = 0; i < set->n; i++)
        for (size_t k = 0; k < set->items[i]->ops->session_property_count &&
                           access_sees_catalog(z->context->access, set->items[i]->catalog);
             k++) {
            const struct connector_property *p = &set->items[i]->ops->session_property_defs[k];
            add_session_row(z, b, arena_printf(z->arena, "%.*s.%s", STR_ARG(set->items[i]->catalog), p->name),
                            arena_cstr(z->arena, type_name(z->arena, p->type)), p->default_value, p->description);
        }
    buf_add_cstr(b, "('', '', '', '', '', false)) AS session (name, value, default, type, description, include) "
                    "WHERE include");
    add_like(b, " AND ", "name", s);
}

int analyze_show(struct analyzer *z, const struct ast_statement *s, struct rel **ret, struct scope **ret_scope,
                 struct err *err)
{
    BUF_SCOPED struct buf b;
    int r = 0;

    buf_init(&b, MAX_REWRITTEN);
    if (s->kind == AST_SHOW_CREATE_TABLE || s->kind == AST_SHOW_CREATE_SCHEMA)
        return show_create(z, s, ret, ret_scope, err);
    switch (s->kind) {
    case AST_SHOW_CATALOGS:
        r = show_catalogs(z, s, &b);
        break;
    case AST_SHOW_SCHEMAS:
        r = show_schemas(z, s, &b, err);
        break;
    case AST_SHOW_TABLES:
        r = show_tables(z, s, &b, err);
        break;
    case AST_SHOW_COLUMNS:
        r = show_columns(z, s, &b, err);
        break;
    case AST_SHOW_ROLES:
    case AST_SHOW_CURRENT_ROLES:
    case AST_SHOW_ROLE_GRANTS:
    case AST_SHOW_GRANTS:
        r = analyze_show_roles(z, s, &b, err);
        break;
    case AST_SHOW_FUNCTIONS:
        show_functions(s, &b);
        break;
    default:
        show_session(z, s, &b);
        break;
    }
    return r < 0 ? r : analyze_buf(z, &b, ret, ret_scope, err);
}
