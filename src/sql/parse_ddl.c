#include "sql/parser.h"

/* IF EXISTS; IF is a name too. */
static bool accept_if_exists(struct parser *p)
{
    if (!next_is(p, KW_IF) || peek(p, 1) != KW_EXISTS)
        return false;
    p->at += 2;
    return true;
}

static bool accept_if_not_exists(struct parser *p)
{
    if (!next_is(p, KW_IF) || peek(p, 1) != KW_NOT)
        return false;
    p->at += 2;
    expect(p, KW_EXISTS);
    return true;
}

static struct str parse_optional_comment(struct parser *p)
{
    return accept(p, KW_COMMENT) ? parse_string(p) : STR_NULL;
}

static struct ast_properties parse_property_list(struct parser *p)
{
    struct ast_properties list = {0};
    do {
        struct ast_property property = {.line = (int)here(p)->line, .column = (int)here(p)->column};
        property.name = parse_ident(p);
        expect(p, TOK_EQ);
        /* DEFAULT is a name too. */
        enum token_kind after = peek(p, 1);
        if (next_is(p, KW_DEFAULT) && (after == TOK_COMMA || after == TOK_RPAREN || after == TOK_EOF))
            p->at++;
        else
            property.value = parse_expr(p);
        parse_push(p, &list, property);
    } while (accept(p, TOK_COMMA));
    return list;
}

struct ast_properties parse_properties(struct parser *p)
{
    expect(p, TOK_LPAREN);
    struct ast_properties list = parse_property_list(p);
    expect(p, TOK_RPAREN);
    return list;
}

static struct ast_properties parse_with_properties(struct parser *p)
{
    if (!accept(p, KW_WITH))
        return (struct ast_properties){0};
    return parse_properties(p);
}

static struct ast_column parse_column(struct parser *p)
{
    struct ast_column c = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    c.name = parse_name(p);
    c.type = parse_type(p);
    if (accept(p, KW_NOT)) {
        expect(p, KW_NULL);
        c.not_null = true;
    }
    c.comment = parse_optional_comment(p);
    c.properties = parse_with_properties(p);
    return c;
}

static struct ast_table_element parse_table_element(struct parser *p)
{
    struct ast_table_element e = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    if (accept(p, KW_LIKE)) {
        e.like = parse_name(p);
        if (next_is(p, KW_INCLUDING) || next_is(p, KW_EXCLUDING)) {
            e.like_properties = next_is(p, KW_INCLUDING) ? AST_INCLUDING_PROPERTIES : AST_EXCLUDING_PROPERTIES;
            p->at++;
            expect(p, KW_PROPERTIES);
        }
        return e;
    }
    e.definition = parse_new(p, struct ast_column);
    *e.definition = parse_column(p);
    return e;
}

/* AS query, or AS (query): in parentheses the query may have a WITH, which a parenthesised query as such may not. */
static struct ast_query *parse_query_of_table(struct parser *p)
{
    if (!next_is(p, TOK_LPAREN) || peek(p, 1) != KW_WITH)
        return parse_root_query(p);
    p->at++;
    struct ast_query *q = parse_root_query(p);
    expect(p, TOK_RPAREN);
    return q;
}

static void parse_create_table(struct parser *p, struct ast_statement *s, const struct token *at, bool or_replace)
{
    s->create_table.or_replace = or_replace;
    s->create_table.if_not_exists = accept_if_not_exists(p);
    s->create_table.name = parse_name(p);
    /* (a, b) names columns of the query; (a bigint, LIKE t) defines them. */
    bool defines = next_is(p, TOK_LPAREN) &&
                   !(is_ident(peek(p, 1)) && (peek(p, 2) == TOK_COMMA || peek(p, 2) == TOK_RPAREN));
    s->kind = defines ? AST_CREATE_TABLE : AST_CREATE_TABLE_AS;
    if (defines) {
        p->at++;
        do {
            struct ast_table_element e = parse_table_element(p);
            parse_push(p, &s->create_table.elements, e);
        } while (accept(p, TOK_COMMA));
        expect(p, TOK_RPAREN);
    } else if (next_is(p, TOK_LPAREN)) {
        s->create_table.columns = parse_idents_in_parens(p);
    }
    s->create_table.comment = parse_optional_comment(p);
    s->create_table.properties = parse_with_properties(p);
    if (!defines) {
        expect(p, KW_AS);
        s->create_table.query = parse_query_of_table(p);
        if (accept(p, KW_WITH)) {
            s->create_table.with_no_data = accept(p, KW_NO);
            expect(p, KW_DATA);
        }
    }
    if (or_replace && s->create_table.if_not_exists)
        parse_fail(p, at, "'OR REPLACE' and 'IF NOT EXISTS' clauses can not be used together");
}

static void parse_create_view(struct parser *p, struct ast_statement *s, bool or_replace, bool materialized)
{
    s->kind = materialized ? AST_CREATE_MATERIALIZED_VIEW : AST_CREATE_VIEW;
    s->create_view.or_replace = or_replace;
    if (materialized)
        s->create_view.if_not_exists = accept_if_not_exists(p);
    s->create_view.name = parse_name(p);
    if (materialized && accept(p, KW_GRACE)) {
        expect(p, KW_PERIOD);
        if (!next_is(p, KW_INTERVAL))
            parse_fail_syntax(p);
        s->create_view.grace_period = parse_interval(p);
    }
    s->create_view.comment = parse_optional_comment(p);
    if (!materialized && accept(p, KW_SECURITY)) {
        s->create_view.security = AST_SECURITY_INVOKER;
        if (accept(p, KW_DEFINER))
            s->create_view.security = AST_SECURITY_DEFINER;
        else
            expect(p, KW_INVOKER);
    }
    s->create_view.properties = parse_with_properties(p);
    expect(p, KW_AS);
    size_t from = p->at;
    s->create_view.query = parse_root_query(p);
    s->create_view.query_text = parse_text_between(p, from, p->at);
}

void parse_create(struct parser *p, struct ast_statement *s)
{
    const struct token *at = here(p);
    p->at++;
    bool or_replace = false;
    if (accept(p, KW_OR)) {
        expect(p, KW_REPLACE);
        or_replace = true;
    }
    enum token_kind kind = peek(p, 0);
    if (or_replace && kind != KW_TABLE && kind != KW_VIEW && kind != KW_MATERIALIZED && kind != KW_FUNCTION)
        parse_fail_syntax(p);
    p->at++;
    switch (kind) {
    case KW_TABLE:
        parse_create_table(p, s, at, or_replace);
        return;
    case KW_VIEW:
        parse_create_view(p, s, or_replace, false);
        return;
    case KW_MATERIALIZED:
        expect(p, KW_VIEW);
        parse_create_view(p, s, or_replace, true);
        return;
    case KW_SCHEMA:
        s->kind = AST_CREATE_SCHEMA;
        s->create.if_not_exists = accept_if_not_exists(p);
        s->create.name = parse_name(p);
        if (accept(p, KW_AUTHORIZATION))
            s->create.principal = parse_principal(p);
        s->create.properties = parse_with_properties(p);
        return;
    case KW_CATALOG:
        s->kind = AST_CREATE_CATALOG;
        s->create.if_not_exists = accept_if_not_exists(p);
        struct ast_ident *catalog = parse_new_ident(p);
        s->create.name = (struct ast_name){.line = catalog->line, .column = catalog->column, .parts = catalog, .n = 1};
        expect(p, KW_USING);
        s->create.connector = parse_new_ident(p);
        s->create.comment = parse_optional_comment(p);
        if (accept(p, KW_AUTHORIZATION))
            s->create.principal = parse_principal(p);
        s->create.properties = parse_with_properties(p);
        return;
    case KW_ROLE:
        s->kind = AST_CREATE_ROLE;
        struct ast_ident role = parse_ident(p);
        parse_push(p, &s->role.roles, role);
        if (accept(p, KW_WITH)) {
            expect(p, KW_ADMIN);
            s->role.grantor = parse_grantor(p);
        }
        if (accept(p, KW_IN))
            s->role.catalog = parse_new_ident(p);
        return;
    case KW_FUNCTION:
        parse_fail_unsupported(p, at, "CREATE FUNCTION");
    default:
        p->at--;
        parse_fail_syntax(p);
    }
}

/* The name of what is dropped, and CASCADE or RESTRICT where it may be said. */
static void parse_drop_name(struct parser *p, struct ast_statement *s, enum ast_statement_kind kind, bool cascade)
{
    s->kind = kind;
    s->drop.if_exists = accept_if_exists(p);
    s->drop.name = parse_name(p);
    if (cascade && !accept(p, KW_RESTRICT))
        s->drop.cascade = accept(p, KW_CASCADE);
}

void parse_drop(struct parser *p, struct ast_statement *s)
{
    const struct token *at = here(p);
    p->at++;
    enum token_kind kind = peek(p, 0);
    p->at++;
    switch (kind) {
    case KW_TABLE:
        parse_drop_name(p, s, AST_DROP_TABLE, false);
        return;
    case KW_VIEW:
        parse_drop_name(p, s, AST_DROP_VIEW, false);
        return;
    case KW_MATERIALIZED:
        expect(p, KW_VIEW);
        parse_drop_name(p, s, AST_DROP_MATERIALIZED_VIEW, false);
        return;
    case KW_SCHEMA:
        parse_drop_name(p, s, AST_DROP_SCHEMA, true);
        return;
    case KW_CATALOG:
        s->kind = AST_DROP_CATALOG;
        s->drop.if_exists = accept_if_exists(p);
        struct ast_ident *catalog = parse_new_ident(p);
        s->drop.name = (struct ast_name){.line = catalog->line, .column = catalog->column, .parts = catalog, .n = 1};
        if (!accept(p, KW_RESTRICT))
            s->drop.cascade = accept(p, KW_CASCADE);
        return;
    case KW_ROLE:
        s->kind = AST_DROP_ROLE;
        s->role.if_exists = accept_if_exists(p);
        struct ast_ident role = parse_ident(p);
        parse_push(p, &s->role.roles, role);
        if (accept(p, KW_IN))
            s->role.catalog = parse_new_ident(p);
        return;
    case KW_FUNCTION:
        parse_fail_unsupported(p, at, "DROP FUNCTION");
    default:
        p->at--;
        parse_fail_syntax(p);
    }
}

/* ---- ALTER ---- */

static void parse_rename_to(struct parser *p, struct ast_statement *s, enum ast_statement_kind kind,
                            struct ast_name from, bool if_exists)
{
    s->kind = kind;
    s->rename.from = from;
    s->rename.if_exists = if_exists;
    expect(p, KW_TO);
    s->rename.to = parse_name(p);
}

static void parse_set_authorization(struct parser *p, struct ast_statement *s, struct ast_ident entity,
                                    struct ast_name name)
{
    s->kind = AST_SET_AUTHORIZATION;
    s->authorization.entity = entity;
    s->authorization.name = name;
    expect(p, KW_AUTHORIZATION);
    s->authorization.principal = parse_principal(p);
}

static void parse_add_column(struct parser *p, struct ast_statement *s, struct ast_name table, bool if_exists)
{
    s->kind = AST_ADD_COLUMN;
    expect(p, KW_COLUMN);
    s->add_column.table = table;
    s->add_column.if_exists = if_exists;
    s->add_column.if_not_exists = accept_if_not_exists(p);
    s->add_column.column = parse_column(p);
    if (accept(p, KW_FIRST)) {
        s->add_column.position = AST_POSITION_FIRST;
    } else if (accept(p, KW_AFTER)) {
        s->add_column.position = AST_POSITION_AFTER;
        s->add_column.after = parse_new_ident(p);
    } else {
        accept(p, KW_LAST);
    }
}

static void parse_alter_column(struct parser *p, struct ast_statement *s)
{
    expect(p, KW_COLUMN);
    s->alter_column.column = parse_name(p);
    if (accept(p, KW_SET)) {
        s->kind = AST_SET_COLUMN_TYPE;
        expect(p, KW_DATA);
        expect(p, KW_TYPE);
        s->alter_column.type = parse_type(p);
        return;
    }
    s->kind = AST_DROP_NOT_NULL;
    if (s->alter_column.column.n != 1)
        parse_fail_syntax(p);
    expect(p, KW_DROP);
    expect(p, KW_NOT);
    expect(p, KW_NULL);
}

static void parse_alter_table(struct parser *p, struct ast_statement *s, struct ast_ident entity)
{
    bool if_exists = accept_if_exists(p);
    struct ast_name table = parse_name(p);
    enum token_kind verb = peek(p, 0);
    if (if_exists && verb != KW_RENAME && verb != KW_ADD && verb != KW_DROP && verb != KW_ALTER)
        parse_fail_syntax(p);
    p->at++;
    switch (verb) {
    case KW_RENAME:
        if (!next_is(p, KW_COLUMN)) {
            parse_rename_to(p, s, AST_RENAME_TABLE, table, if_exists);
            return;
        }
        p->at++;
        s->kind = AST_RENAME_COLUMN;
        s->alter_column.column_if_exists = accept_if_exists(p);
        s->alter_column.column = parse_name(p);
        expect(p, KW_TO);
        s->alter_column.to = parse_ident(p);
        break;
    case KW_ADD:
        parse_add_column(p, s, table, if_exists);
        return;
    case KW_DROP:
        s->kind = AST_DROP_COLUMN;
        expect(p, KW_COLUMN);
        s->alter_column.column_if_exists = accept_if_exists(p);
        s->alter_column.column = parse_name(p);
        break;
    case KW_ALTER:
        parse_alter_column(p, s);
        break;
    case KW_SET:
        if (next_is(p, KW_AUTHORIZATION)) {
            parse_set_authorization(p, s, entity, table);
            return;
        }
        expect(p, KW_PROPERTIES);
        s->kind = AST_SET_TABLE_PROPERTIES;
        s->set_properties.name = table;
        s->set_properties.properties = parse_property_list(p);
        return;
    case KW_EXECUTE:
        s->kind = AST_TABLE_EXECUTE;
        s->table_execute.table = table;
        s->table_execute.procedure = parse_ident(p);
        if (next_is(p, TOK_LPAREN))
            s->table_execute.arguments = parse_arguments(p);
        if (accept(p, KW_WHERE))
            s->table_execute.where = parse_expr(p);
        return;
    default:
        p->at--;
        parse_fail_syntax(p);
    }
    s->alter_column.table = table;
    s->alter_column.if_exists = if_exists;
}

static void parse_alter_materialized_view(struct parser *p, struct ast_statement *s)
{
    expect(p, KW_VIEW);
    bool if_exists = accept_if_exists(p);
    struct ast_name name = parse_name(p);
    if (accept(p, KW_RENAME)) {
        parse_rename_to(p, s, AST_RENAME_MATERIALIZED_VIEW, name, if_exists);
        return;
    }
    if (if_exists)
        parse_fail_syntax(p);
    expect(p, KW_SET);
    expect(p, KW_PROPERTIES);
    s->kind = AST_SET_MATERIALIZED_VIEW_PROPERTIES;
    s->set_properties.name = name;
    s->set_properties.properties = parse_property_list(p);
}

void parse_alter(struct parser *p, struct ast_statement *s)
{
    p->at++;
    const struct token *at = here(p);
    enum token_kind kind = (enum token_kind)at->kind;
    struct ast_ident entity;
    if (kind == KW_TABLE) {
        struct str text = token_text(&p->t, p->at);
        entity = (struct ast_ident){
            .line = (int)at->line, .column = (int)at->column, .value = text, .lower = STR("table")};
        p->at++;
        parse_alter_table(p, s, entity);
        return;
    }
    if (kind == KW_MATERIALIZED && peek(p, 1) == KW_VIEW) {
        p->at++;
        parse_alter_materialized_view(p, s);
        return;
    }
    entity = parse_ident(p);
    struct ast_name name = parse_name(p);
    if ((kind == KW_SCHEMA || kind == KW_VIEW) && accept(p, KW_RENAME)) {
        if (kind == KW_VIEW) {
            parse_rename_to(p, s, AST_RENAME_VIEW, name, false);
            return;
        }
        s->kind = AST_RENAME_SCHEMA;
        s->rename.from = name;
        expect(p, KW_TO);
        struct ast_ident *to = parse_new_ident(p);
        s->rename.to = (struct ast_name){.line = to->line, .column = to->column, .parts = to, .n = 1};
        return;
    }
    expect(p, KW_SET);
    parse_set_authorization(p, s, entity, name);
}
