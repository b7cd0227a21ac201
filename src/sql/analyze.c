/*
 * The analyser's door: which statement it is, EXECUTE's parameters, and the statements that only touch the session.
 */
#include "sql/analyze_query.h"
#include "sql/parse.h"

static int analyze_statement(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err);

/* ---- queries ---- */

static void set_query(struct analyzer *z, struct statement *ret, enum statement_kind kind, struct rel *query,
                      const struct scope *output)
{
    struct column *columns = arena_array(z->arena, struct column, output->n);
    struct expr **exprs = arena_array(z->arena, struct expr *, output->n);
    size_t n = 0;

    ret->kind = kind;
    ret->output_names = arena_array(z->arena, struct str, output->n);
    for (size_t i = 0; i < output->n; i++) {
        const struct column *c = &output->fields[i].column;
        if (output->fields[i].hidden)
            continue;
        columns[n] = *c;
        exprs[n] = expr_column(z, c);
        ret->output_names[n] = str_is_null(c->name) ? arena_printf(z->arena, "_col%zu", n) : c->name;
        n++;
    }
    ret->output_count = n;
    ret->query = n == query->column_count ? query : rel_project(z, query, columns, exprs, n);
}

static int analyze_query_statement(struct analyzer *z, const struct ast_statement *s, struct statement *ret,
                                   struct err *err)
{
    struct rel *query;
    struct scope *output;
    int r = analyze_query(z, s->query, NULL, &query, &output, err);

    if (r == 0)
        set_query(z, ret, STATEMENT_QUERY, query, output);
    return r;
}

static int analyze_show_statement(struct analyzer *z, const struct ast_statement *s, struct statement *ret,
                                  struct err *err)
{
    struct rel *query;
    struct scope *output;
    int r = analyze_show(z, s, &query, &output, err);

    if (r == 0)
        set_query(z, ret, STATEMENT_QUERY, query, output);
    return r;
}

static int explain(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct statement inner = {0};
    struct rel *query;
    struct scope *output;

    if (s->kind == AST_EXPLAIN_ANALYZE)
        return analyze_unsupported(s->line, s->column, err, "EXPLAIN ANALYZE is not supported");
    int r = analyze_statement(z, s->explain.statement, &inner, err);
    if (r == 0)
        r = analyze_explain(z, s, &inner, &query, &output, err);
    if (r < 0)
        return r;
    set_query(z, ret, STATEMENT_EXPLAIN, query, output);
    return 0;
}

/* ---- prepared statements ---- */

static const struct str *prepared_text(const struct analyzer *z, const struct ast_ident *name)
{
    const struct str *text = map_get(&z->context->session->prepared, name->value);

    return text ? text : map_get(&z->context->session->prepared, name->lower);
}

static int find_prepared(struct analyzer *z, const struct ast_ident *name, struct ast_statement **ret, struct err *err)
{
    const struct str *text = prepared_text(z, name);

    if (!text)
        return analyze_error_at(0, 0, err, "NOT_FOUND", "Prepared statement not found: %.*s", STR_ARG(name->value));
    return sql_parse(z->arena, arena_str(z->arena, *text), ret, err);
}

static bool can_be_prepared(const struct ast_statement *s)
{
    return s->kind != AST_PREPARE && s->kind != AST_EXECUTE && s->kind != AST_EXECUTE_IMMEDIATE &&
           s->kind != AST_DEALLOCATE;
}

static int prepare(const struct ast_statement *s, struct statement *ret, struct err *err)
{
    static const char *const names[] = {"PREPARE", "EXECUTE", "EXECUTE IMMEDIATE", "DEALLOCATE"};

    if (!can_be_prepared(s->prepare.statement))
        return analyze_unsupported(0, 0, err, "Invalid statement type for prepared statement: %s",
                                   names[s->prepare.statement->kind - AST_PREPARE]);
    ret->kind = STATEMENT_PREPARE;
    ret->update_type = "PREPARE";
    ret->name = s->prepare.name.value;
    ret->value = s->prepare.text;
    return 0;
}

static int deallocate(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    if (!prepared_text(z, &s->prepare.name))
        return analyze_error_at(0, 0, err, "NOT_FOUND", "Prepared statement not found: %.*s",
                                STR_ARG(s->prepare.name.value));
    ret->kind = STATEMENT_DEALLOCATE;
    ret->update_type = "DEALLOCATE";
    ret->name = s->prepare.name.value;
    return 0;
}

static int check_parameter_count(const struct ast_statement *inner, size_t given, struct err *err)
{
    if (inner->parameters == given)
        return 0;
    return analyze_error_at(inner->line, inner->column, err, "INVALID_PARAMETER_USAGE",
                            "Incorrect number of parameters: expected %zu but found %zu", inner->parameters, given);
}

static int execute(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct ast_statement *inner = NULL;
    int r = s->kind == AST_EXECUTE ? find_prepared(z, &s->prepare.name, &inner, err)
                                   : sql_parse(z->arena, s->prepare.text, &inner, err);

    if (r < 0)
        return r;
    if (!can_be_prepared(inner))
        return analyze_unsupported(inner->line, inner->column, err,
                                   "A prepared statement can't prepare, execute or deallocate another one");
    r = check_parameter_count(inner, s->prepare.arguments.n, err);
    if (r < 0)
        return r;
    z->parameters = s->prepare.arguments.items;
    z->parameter_count = s->prepare.arguments.n;
    return analyze_statement(z, inner, ret, err);
}

static void begin_describe(struct analyzer *z, const struct ast_statement *inner)
{
    z->describing = true;
    z->parameter_count = inner->parameters;
    z->parameter_types = arena_array(z->arena, const struct type *, inner->parameters);
}

/* The texts of DescribeInputRewrite and DescribeOutputRewrite. */
static int describe_input(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    BUF_SCOPED struct buf b;
    struct ast_statement *inner = NULL;
    struct statement bound = {0};
    struct rel *query;
    struct scope *output;
    int r = find_prepared(z, &s->prepare.name, &inner, err);

    buf_init(&b, SQL_TEXT_MAX);
    if (r < 0)
        return r;
    begin_describe(z, inner);
    r = analyze_statement(z, inner, &bound, err);
    z->describing = false;
    if (r < 0)
        return r;
    buf_add_cstr(&b, "SELECT * FROM (VALUES ");
    for (size_t i = 0; i < inner->parameters; i++) {
        const struct type *t = z->parameter_types[i];
        buf_addf(&b, "%s(%zu, '%.*s')", i ? ", " : "", i, STR_ARG(t ? type_name(z->arena, t) : STR("unknown")));
    }
    if (inner->parameters == 0)
        buf_add_cstr(&b, "(NULL, NULL)");
    buf_add_cstr(&b, ") AS parameters (\"Position\", \"Type\") ORDER BY \"Position\"");
    if (inner->parameters == 0)
        buf_add_cstr(&b, " LIMIT 0");
    r = buf_check(&b, "the description", err);
    if (r == 0)
        r = analyze_rewritten(z, buf_str(&b), &query, &output, err);
    if (r == 0)
        set_query(z, ret, STATEMENT_QUERY, query, output);
    return r;
}

/* FixedWidthType.getFixedSize; 0 for types of variable width */
static int fixed_size(const struct type *t)
{
    switch (t->kind) {
    case TYPE_UNKNOWN:
    case TYPE_BOOLEAN:
    case TYPE_TINYINT:
        return 1;
    case TYPE_SMALLINT:
        return 2;
    case TYPE_INTEGER:
    case TYPE_REAL:
    case TYPE_DATE:
    case TYPE_INTERVAL_YEAR_MONTH:
        return 4;
    case TYPE_BIGINT:
    case TYPE_DOUBLE:
    case TYPE_TIME:
    case TYPE_INTERVAL_DAY_SECOND:
        return 8;
    case TYPE_DECIMAL:
        return t->precision > 18 ? 16 : 8;
    case TYPE_UUID:
        return 16;
    case TYPE_TIME_TZ:
        return t->precision > 9 ? 12 : 8;
    case TYPE_TIMESTAMP:
        return t->precision > 6 ? 12 : 8;
    case TYPE_TIMESTAMP_TZ:
        return t->precision > 3 ? 12 : 8;
    default:
        return 0;
    }
}

static void add_text(struct buf *b, struct str s)
{
    buf_add_char(b, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            buf_add_char(b, '\'');
        buf_add_char(b, s.p[i]);
    }
    buf_add_cstr(b, "', ");
}

static void add_output_row(struct analyzer *z, struct buf *b, const struct scope_field *f, size_t position)
{
    const struct connector_table *t = f->origin;

    buf_add_cstr(b, position ? ", (" : "(");
    add_text(b, str_is_null(f->column.name) ? arena_printf(z->arena, "_col%zu", position) : f->column.name);
    add_text(b, t ? t->catalog : STR(""));
    add_text(b, t ? t->schema : STR(""));
    add_text(b, t ? t->name : STR(""));
    add_text(b, type_name(z->arena, f->column.type));
    buf_addf(b, "%d, %s)", fixed_size(f->column.type), f->aliased ? "true" : "false");
}

static int describe_output(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    static const char columns[] = "(\"Column Name\", \"Catalog\", \"Schema\", \"Table\", \"Type\", \"Type Size\", "
                                  "\"Aliased\")";
    BUF_SCOPED struct buf b;
    struct ast_statement *inner = NULL;
    struct statement bound = {0};
    struct rel *query;
    struct scope *output = NULL;
    size_t n = 0;
    int r = find_prepared(z, &s->prepare.name, &inner, err);

    buf_init(&b, SQL_TEXT_MAX);
    if (r < 0)
        return r;
    begin_describe(z, inner);
    r = inner->kind == AST_QUERY ? analyze_query(z, inner->query, NULL, &query, &output, err)
                                 : analyze_statement(z, inner, &bound, err);
    z->describing = false;
    if (r < 0)
        return r;
    if (bound.kind == STATEMENT_INSERT || bound.kind == STATEMENT_CREATE_TABLE_AS ||
        (bound.kind == STATEMENT_DELETE && inner->kind == AST_DELETE)) {
        output = scope_new(z, NULL);
        scope_add(z, output, (struct scope_field){.column = column_new(z, STR("rows"), &type_bigint)});
    } else if (!output) {
        output = scope_new(z, NULL);
        for (size_t i = 0; i < bound.output_count; i++)
            scope_add(
                z, output,
                (struct scope_field){.column = column_new(z, bound.output_names[i], bound.query->columns[i].type)});
    }
    buf_add_cstr(&b, "SELECT * FROM (VALUES ");
    for (size_t i = 0; i < output->n; i++)
        if (!output->fields[i].hidden)
            add_output_row(z, &b, &output->fields[i], n++);
    if (n == 0)
        buf_add_cstr(&b, "(NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
    buf_addf(&b, ") AS \"Statement Output\" %s%s", columns, n ? "" : " LIMIT 0");
    r = buf_check(&b, "the description", err);
    if (r == 0)
        r = analyze_rewritten(z, buf_str(&b), &query, &output, err);
    if (r == 0)
        set_query(z, ret, STATEMENT_QUERY, query, output);
    return r;
}

/* ---- session and transaction ---- */

static int use(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    struct object_name o = {.catalog = s->use.catalog ? s->use.catalog->lower : z->context->session->catalog,
                            .schema = s->use.schema.lower};
    bool exists;

    if (str_is_null(o.catalog))
        return analyze_error_at(s->line, s->column, err, "MISSING_CATALOG_NAME",
                                "Catalog must be specified when session catalog is not set");
    o.connector = connector_find(z->context->catalogs, o.catalog);
    if (!o.connector)
        return analyze_error_at(0, 0, err, "CATALOG_NOT_FOUND", "Catalog '%.*s' not found", STR_ARG(o.catalog));
    if (!access_sees_catalog(z->context->access, o.catalog))
        return err_set_named(err, ERR_DENIED, "PERMISSION_DENIED", "Access Denied: Cannot access catalog %.*s",
                             STR_ARG(o.catalog));
    int r = schema_exists(z, &o, &exists, err);
    if (r < 0)
        return r;
    if (!exists)
        return analyze_error_at(0, 0, err, "NOT_FOUND", "Schema does not exist: %.*s.%.*s", STR_ARG(o.catalog),
                                STR_ARG(o.schema));
    if (!access_sees_schema(z->context->access, o.catalog, o.schema))
        return err_set_named(err, ERR_DENIED, "PERMISSION_DENIED", "Access Denied: Cannot access schema: %.*s.%.*s",
                             STR_ARG(o.catalog), STR_ARG(o.schema));
    ret->kind = STATEMENT_USE;
    ret->update_type = "USE";
    ret->catalog = s->use.catalog ? o.catalog : STR_NULL;
    ret->schema = o.schema;
    return 0;
}

static int transaction(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    static const char *const levels[] = {
        [AST_ISOLATION_UNSAID] = "READ UNCOMMITTED", [AST_READ_UNCOMMITTED] = "READ UNCOMMITTED",
        [AST_READ_COMMITTED] = "READ COMMITTED",     [AST_REPEATABLE_READ] = "REPEATABLE READ",
        [AST_SERIALIZABLE] = "SERIALIZABLE",
    };
    bool open = !str_is_null(z->context->session->transaction_id);

    if (s->kind == AST_START_TRANSACTION) {
        if (open)
            return analyze_unsupported(0, 0, err, "Nested transactions not supported");
        ret->kind = STATEMENT_START_TRANSACTION;
        ret->update_type = "START TRANSACTION";
        ret->value = str_from_cstr(levels[s->transaction.isolation]);
        ret->read_only = s->transaction.access == AST_READ_ONLY;
        return 0;
    }
    if (!open)
        return analyze_error_at(0, 0, err, "NOT_IN_TRANSACTION", "No transaction in progress");
    ret->kind = s->kind == AST_COMMIT ? STATEMENT_COMMIT : STATEMENT_ROLLBACK;
    ret->update_type = s->kind == AST_COMMIT ? "COMMIT" : "ROLLBACK";
    return 0;
}

/* ---- what there isn't ---- */

static const char *unsupported_name(enum ast_statement_kind kind)
{
    switch (kind) {
    case AST_CREATE_CATALOG:
        return "CREATE CATALOG";
    case AST_DROP_CATALOG:
        return "DROP CATALOG";
    case AST_RENAME_SCHEMA:
        return "ALTER SCHEMA … RENAME TO";
    case AST_UPDATE:
        return "UPDATE";
    case AST_MERGE:
        return "MERGE";
    case AST_COMMENT:
        return "COMMENT";
    case AST_ADD_COLUMN:
        return "ALTER TABLE … ADD COLUMN";
    case AST_RENAME_COLUMN:
        return "ALTER TABLE … RENAME COLUMN";
    case AST_DROP_COLUMN:
        return "ALTER TABLE … DROP COLUMN";
    case AST_SET_COLUMN_TYPE:
        return "ALTER TABLE … ALTER COLUMN … SET DATA TYPE";
    case AST_DROP_NOT_NULL:
        return "ALTER TABLE … ALTER COLUMN … DROP NOT NULL";
    case AST_SET_TABLE_PROPERTIES:
        return "ALTER TABLE … SET PROPERTIES";
    case AST_TABLE_EXECUTE:
        return "ALTER TABLE … EXECUTE";
    case AST_ANALYZE:
        return "ANALYZE";
    case AST_CREATE_VIEW:
        return "CREATE VIEW";
    case AST_CREATE_MATERIALIZED_VIEW:
        return "CREATE MATERIALIZED VIEW";
    case AST_REFRESH_MATERIALIZED_VIEW:
        return "REFRESH MATERIALIZED VIEW";
    case AST_DROP_VIEW:
        return "DROP VIEW";
    case AST_DROP_MATERIALIZED_VIEW:
        return "DROP MATERIALIZED VIEW";
    case AST_RENAME_VIEW:
        return "ALTER VIEW … RENAME TO";
    case AST_RENAME_MATERIALIZED_VIEW:
        return "ALTER MATERIALIZED VIEW … RENAME TO";
    case AST_SET_MATERIALIZED_VIEW_PROPERTIES:
        return "ALTER MATERIALIZED VIEW … SET PROPERTIES";
    case AST_SHOW_STATS:
        return "SHOW STATS";
    case AST_SHOW_CREATE_VIEW:
        return "SHOW CREATE VIEW";
    case AST_SHOW_CREATE_MATERIALIZED_VIEW:
        return "SHOW CREATE MATERIALIZED VIEW";
    case AST_SHOW_CREATE_FUNCTION:
        return "SHOW CREATE FUNCTION";
    case AST_SET_PATH:
        return "SET PATH";
    default:
        return "This statement";
    }
}

static int analyze_statement(struct analyzer *z, const struct ast_statement *s, struct statement *ret, struct err *err)
{
    switch (s->kind) {
    case AST_QUERY:
        return analyze_query_statement(z, s, ret, err);
    case AST_SHOW_CATALOGS:
    case AST_SHOW_SCHEMAS:
    case AST_SHOW_TABLES:
    case AST_SHOW_COLUMNS:
    case AST_SHOW_FUNCTIONS:
    case AST_SHOW_SESSION:
    case AST_SHOW_ROLES:
    case AST_SHOW_CURRENT_ROLES:
    case AST_SHOW_ROLE_GRANTS:
    case AST_SHOW_GRANTS:
    case AST_SHOW_CREATE_TABLE:
    case AST_SHOW_CREATE_SCHEMA:
        return analyze_show_statement(z, s, ret, err);
    case AST_EXPLAIN:
    case AST_EXPLAIN_ANALYZE:
        return explain(z, s, ret, err);
    case AST_CREATE_SCHEMA:
    case AST_DROP_SCHEMA:
    case AST_CREATE_TABLE:
    case AST_CREATE_TABLE_AS:
    case AST_DROP_TABLE:
    case AST_RENAME_TABLE:
    case AST_INSERT:
    case AST_DELETE:
    case AST_TRUNCATE_TABLE:
        return analyze_ddl(z, s, ret, err);
    case AST_USE:
        return use(z, s, ret, err);
    case AST_SET_SESSION:
    case AST_RESET_SESSION:
    case AST_SET_TIME_ZONE:
        return analyze_session(z, s, ret, err);
    case AST_CREATE_ROLE:
    case AST_DROP_ROLE:
    case AST_GRANT_ROLES:
    case AST_REVOKE_ROLES:
    case AST_SET_ROLE:
    case AST_GRANT:
    case AST_REVOKE:
    case AST_DENY:
    case AST_SET_AUTHORIZATION:
    case AST_SET_SESSION_AUTHORIZATION:
    case AST_RESET_SESSION_AUTHORIZATION:
        return analyze_roles(z, s, ret, err);
    case AST_PREPARE:
        return prepare(s, ret, err);
    case AST_EXECUTE:
    case AST_EXECUTE_IMMEDIATE:
        return execute(z, s, ret, err);
    case AST_DEALLOCATE:
        return deallocate(z, s, ret, err);
    case AST_DESCRIBE_INPUT:
        return describe_input(z, s, ret, err);
    case AST_DESCRIBE_OUTPUT:
        return describe_output(z, s, ret, err);
    case AST_CALL:
        return analyze_procedure(z, s, ret, err);
    case AST_START_TRANSACTION:
    case AST_COMMIT:
    case AST_ROLLBACK:
        return transaction(z, s, ret, err);
    default:
        return analyze_unsupported(s->line, s->column, err, "%s is not supported", unsupported_name(s->kind));
    }
}

int analyze(const struct analyze_context *c, struct arena *a, const struct ast_statement *s,
            struct analyze_tables *ret_tables, struct statement **ret, struct err *err)
{
    struct analyzer z = {.context = c, .arena = a, .tables = ret_tables};
    struct statement *statement = arena_new(a, struct statement);
    int r = s->parameters && s->kind != AST_PREPARE ? check_parameter_count(s, 0, err) : 0;

    if (r == 0)
        r = analyze_statement(&z, s, statement, err);
    if (r == 0)
        r = access_check_notes(&z, err);
    if (r < 0)
        return r;
    prune_statement(&z, statement);
    *ret = statement;
    return 0;
}
