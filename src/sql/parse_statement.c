#include "sql/parser.h"

struct ast_principal parse_principal(struct parser *p)
{
    struct ast_principal who = {
        .kind = AST_PRINCIPAL_UNSPECIFIED, .line = (int)here(p)->line, .column = (int)here(p)->column};
    if (next_is(p, KW_USER) && is_ident(peek(p, 1))) {
        who.kind = AST_PRINCIPAL_USER;
        p->at++;
    } else if (next_is(p, KW_ROLE) && is_ident(peek(p, 1))) {
        who.kind = AST_PRINCIPAL_ROLE;
        p->at++;
    }
    who.name = parse_ident(p);
    return who;
}

struct ast_principal parse_grantor(struct parser *p)
{
    struct ast_principal who = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    if (accept(p, KW_CURRENT_USER))
        who.kind = AST_PRINCIPAL_CURRENT_USER;
    else if (accept(p, KW_CURRENT_ROLE))
        who.kind = AST_PRINCIPAL_CURRENT_ROLE;
    else
        return parse_principal(p);
    return who;
}

struct ast_arguments parse_arguments(struct parser *p)
{
    struct ast_arguments list = {0};
    expect(p, TOK_LPAREN);
    if (!next_is(p, TOK_RPAREN)) {
        do {
            struct ast_argument arg = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            if (is_ident(peek(p, 0)) && peek(p, 1) == TOK_FAT_ARROW) {
                arg.name = parse_new_ident(p);
                p->at++;
            }
            arg.value = parse_expr(p);
            parse_push(p, &list, arg);
        } while (accept(p, TOK_COMMA));
    }
    expect(p, TOK_RPAREN);
    return list;
}

static struct ast_assignments parse_assignments(struct parser *p)
{
    struct ast_assignments list = {0};
    do {
        struct ast_assignment a = {.line = (int)here(p)->line, .column = (int)here(p)->column};
        a.target = parse_ident(p);
        expect(p, TOK_EQ);
        a.value = parse_expr(p);
        parse_push(p, &list, a);
    } while (accept(p, TOK_COMMA));
    return list;
}

static void parse_use(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_USE;
    p->at++;
    s->use.schema = parse_ident(p);
    if (accept(p, TOK_DOT)) {
        s->use.catalog = parse_new(p, struct ast_ident);
        *s->use.catalog = s->use.schema;
        s->use.schema = parse_ident(p);
    }
}

static void parse_insert(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_INSERT;
    p->at++;
    expect(p, KW_INTO);
    s->insert.table = parse_name(p);
    /* A query in parentheses never starts with a name. */
    if (next_is(p, TOK_LPAREN) && is_ident(peek(p, 1)))
        s->insert.columns = parse_idents_in_parens(p);
    s->insert.query = parse_root_query(p);
}

static void parse_delete(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_DELETE;
    p->at++;
    expect(p, KW_FROM);
    s->delete.table = parse_name(p);
    if (accept(p, KW_WHERE))
        s->delete.where = parse_expr(p);
}

static void parse_update(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_UPDATE;
    p->at++;
    s->update.table = parse_name(p);
    expect(p, KW_SET);
    s->update.assignments = parse_assignments(p);
    if (accept(p, KW_WHERE))
        s->update.where = parse_expr(p);
}

static struct ast_merge_case parse_merge_case(struct parser *p)
{
    struct ast_merge_case c = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    expect(p, KW_WHEN);
    bool not = accept(p, KW_NOT);
    expect(p, KW_MATCHED);
    if (accept(p, KW_AND))
        c.condition = parse_expr(p);
    expect(p, KW_THEN);
    if (not ) {
        c.kind = AST_MERGE_INSERT;
        expect(p, KW_INSERT);
        if (next_is(p, TOK_LPAREN))
            c.columns = parse_idents_in_parens(p);
        expect(p, KW_VALUES);
        expect(p, TOK_LPAREN);
        c.values = parse_exprs(p);
        expect(p, TOK_RPAREN);
    } else if (accept(p, KW_DELETE)) {
        c.kind = AST_MERGE_DELETE;
    } else {
        c.kind = AST_MERGE_UPDATE;
        expect(p, KW_UPDATE);
        expect(p, KW_SET);
        c.assignments = parse_assignments(p);
    }
    return c;
}

static void parse_merge(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_MERGE;
    p->at++;
    expect(p, KW_INTO);
    s->merge.table = parse_name(p);
    if (accept(p, KW_AS) || is_ident(peek(p, 0)))
        s->merge.alias = parse_new_ident(p);
    expect(p, KW_USING);
    s->merge.source = parse_relation(p);
    expect(p, KW_ON);
    s->merge.on = parse_expr(p);
    struct {
        struct ast_merge_case *items;
        size_t n, cap;
    } cases = {0};
    do {
        struct ast_merge_case c = parse_merge_case(p);
        parse_push(p, &cases, c);
    } while (next_is(p, KW_WHEN));
    s->merge.cases = cases.items;
    s->merge.n = cases.n;
    s->merge.cap = cases.cap;
}

static void parse_comment(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_COMMENT;
    p->at++;
    expect(p, KW_ON);
    if (accept(p, KW_TABLE)) {
        s->comment.on = AST_COMMENT_TABLE;
    } else if (accept(p, KW_VIEW)) {
        s->comment.on = AST_COMMENT_VIEW;
    } else {
        expect(p, KW_COLUMN);
        s->comment.on = AST_COMMENT_COLUMN;
    }
    s->comment.name = parse_name(p);
    expect(p, KW_IS);
    if (!accept(p, KW_NULL))
        s->comment.comment = parse_string(p);
}

/* [LIKE pattern [ESCAPE escape]] */
static void parse_like_pattern(struct parser *p, struct ast_statement *s)
{
    if (!accept(p, KW_LIKE))
        return;
    s->show.like = parse_string(p);
    if (accept(p, KW_ESCAPE))
        s->show.escape = parse_string(p);
}

/* [FROM | IN name] */
static void parse_show_from(struct parser *p, struct ast_statement *s, bool one_part)
{
    if (!accept(p, KW_FROM) && !accept(p, KW_IN))
        return;
    if (one_part) {
        struct ast_ident *id = parse_new_ident(p);
        s->show.name = (struct ast_name){.line = id->line, .column = id->column, .parts = id, .n = 1};
    } else {
        s->show.name = parse_name(p);
    }
}

/* In "ON orders TO bob" TO is no name, though it could be one. */
static bool is_entity_kind(struct parser *p)
{
    if (!is_ident(peek(p, 0)) || !is_ident(peek(p, 1)))
        return false;
    return peek(p, 1) != KW_TO || peek(p, 2) == KW_TO || peek(p, 2) == TOK_DOT || peek(p, 2) == TOK_EOF;
}

static void parse_grant_object(struct parser *p, struct ast_statement *s)
{
    if (next_is(p, KW_TABLE)) {
        s->grant.entity = parse_new(p, struct ast_ident);
        set_position(s->grant.entity, here(p));
        s->grant.entity->value = token_text(&p->t, p->at++);
        s->grant.entity->lower = STR("table");
    } else if (is_entity_kind(p)) {
        s->grant.entity = parse_new_ident(p);
    }
    s->grant.object = parse_name(p);
}

static void parse_show_create(struct parser *p, struct ast_statement *s)
{
    p->at++;
    if (accept(p, KW_TABLE)) {
        s->kind = AST_SHOW_CREATE_TABLE;
    } else if (accept(p, KW_SCHEMA)) {
        s->kind = AST_SHOW_CREATE_SCHEMA;
    } else if (accept(p, KW_VIEW)) {
        s->kind = AST_SHOW_CREATE_VIEW;
    } else if (accept(p, KW_FUNCTION)) {
        s->kind = AST_SHOW_CREATE_FUNCTION;
    } else {
        expect(p, KW_MATERIALIZED);
        expect(p, KW_VIEW);
        s->kind = AST_SHOW_CREATE_MATERIALIZED_VIEW;
    }
    s->show.name = parse_name(p);
}

static void parse_show(struct parser *p, struct ast_statement *s)
{
    p->at++;
    switch (peek(p, 0)) {
    case KW_CREATE:
        parse_show_create(p, s);
        return;
    case KW_GRANTS:
        s->kind = AST_SHOW_GRANTS;
        p->at++;
        if (accept(p, KW_ON))
            parse_grant_object(p, s);
        return;
    case KW_TABLES:
    case KW_FUNCTIONS:
        s->kind = next_is(p, KW_TABLES) ? AST_SHOW_TABLES : AST_SHOW_FUNCTIONS;
        p->at++;
        parse_show_from(p, s, false);
        break;
    case KW_SCHEMAS:
        s->kind = AST_SHOW_SCHEMAS;
        p->at++;
        parse_show_from(p, s, true);
        break;
    case KW_CATALOGS:
    case KW_SESSION:
        s->kind = next_is(p, KW_CATALOGS) ? AST_SHOW_CATALOGS : AST_SHOW_SESSION;
        p->at++;
        break;
    case KW_COLUMNS:
        s->kind = AST_SHOW_COLUMNS;
        p->at++;
        if (!accept(p, KW_FROM))
            expect(p, KW_IN);
        s->show.name = parse_name(p);
        break;
    case KW_STATS:
        s->kind = AST_SHOW_STATS;
        p->at++;
        expect(p, KW_FOR);
        if (accept(p, TOK_LPAREN)) {
            s->show.query = parse_root_query(p);
            expect(p, TOK_RPAREN);
        } else {
            s->show.name = parse_name(p);
        }
        return;
    case KW_CURRENT:
        s->kind = AST_SHOW_CURRENT_ROLES;
        p->at++;
        expect(p, KW_ROLES);
        parse_show_from(p, s, true);
        return;
    case KW_ROLES:
        s->kind = AST_SHOW_ROLES;
        p->at++;
        parse_show_from(p, s, true);
        return;
    case KW_ROLE:
        s->kind = AST_SHOW_ROLE_GRANTS;
        p->at++;
        expect(p, KW_GRANTS);
        parse_show_from(p, s, true);
        return;
    default:
        parse_fail_syntax(p);
    }
    parse_like_pattern(p, s);
}

static void parse_describe(struct parser *p, struct ast_statement *s)
{
    bool full = next_is(p, KW_DESCRIBE);
    p->at++;
    if (full && (next_is(p, KW_INPUT) || next_is(p, KW_OUTPUT)) && is_ident(peek(p, 1))) {
        s->kind = next_is(p, KW_INPUT) ? AST_DESCRIBE_INPUT : AST_DESCRIBE_OUTPUT;
        p->at++;
        s->prepare.name = parse_ident(p);
        return;
    }
    s->kind = AST_SHOW_COLUMNS;
    s->show.name = parse_name(p);
}

static void parse_explain_options(struct parser *p, struct ast_statement *s)
{
    expect(p, TOK_LPAREN);
    do {
        if (accept(p, KW_FORMAT)) {
            if (accept(p, KW_TEXT)) {
                s->explain.format = AST_EXPLAIN_TEXT;
            } else if (accept(p, KW_GRAPHVIZ)) {
                s->explain.format = AST_EXPLAIN_GRAPHVIZ;
            } else {
                expect(p, KW_JSON);
                s->explain.format = AST_EXPLAIN_JSON;
            }
        } else {
            expect(p, KW_TYPE);
            if (accept(p, KW_LOGICAL)) {
                s->explain.type = AST_EXPLAIN_LOGICAL;
            } else if (accept(p, KW_DISTRIBUTED)) {
                s->explain.type = AST_EXPLAIN_DISTRIBUTED;
            } else if (accept(p, KW_VALIDATE)) {
                s->explain.type = AST_EXPLAIN_VALIDATE;
            } else {
                expect(p, KW_IO);
                s->explain.type = AST_EXPLAIN_IO;
            }
        }
    } while (accept(p, TOK_COMMA));
    expect(p, TOK_RPAREN);
}

static bool starts_statement(enum token_kind kind)
{
    switch (kind) {
    case KW_SELECT:
    case KW_WITH:
    case KW_VALUES:
    case KW_TABLE:
    case TOK_LPAREN:
    case KW_USE:
    case KW_CREATE:
    case KW_DROP:
    case KW_ALTER:
    case KW_INSERT:
    case KW_DELETE:
    case KW_UPDATE:
    case KW_MERGE:
    case KW_TRUNCATE:
    case KW_COMMENT:
    case KW_ANALYZE:
    case KW_REFRESH:
    case KW_CALL:
    case KW_GRANT:
    case KW_REVOKE:
    case KW_DENY:
    case KW_SET:
    case KW_RESET:
    case KW_SHOW:
    case KW_EXPLAIN:
    case KW_DESCRIBE:
    case KW_DESC:
    case KW_START:
    case KW_COMMIT:
    case KW_ROLLBACK:
    case KW_PREPARE:
    case KW_DEALLOCATE:
    case KW_EXECUTE:
        return true;
    default:
        return false;
    }
}

static void parse_explain_statement(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_EXPLAIN;
    p->at++;
    /* EXPLAIN ANALYZE t explains the statement ANALYZE t. */
    if (next_is(p, KW_ANALYZE) &&
        (starts_statement(peek(p, 1)) || (peek(p, 1) == KW_VERBOSE && starts_statement(peek(p, 2))))) {
        s->kind = AST_EXPLAIN_ANALYZE;
        p->at++;
        s->explain.verbose = accept(p, KW_VERBOSE);
    } else if (next_is(p, TOK_LPAREN) && (peek(p, 1) == KW_FORMAT || peek(p, 1) == KW_TYPE)) {
        parse_explain_options(p, s);
    }
    size_t from = p->at;
    s->explain.statement = parse_statement(p);
    s->explain.text = parse_text_between(p, from, p->at);
}

static void parse_set(struct parser *p, struct ast_statement *s)
{
    p->at++;
    if (accept(p, KW_SESSION)) {
        if (next_is(p, KW_AUTHORIZATION) && peek(p, 1) != TOK_EQ && peek(p, 1) != TOK_DOT) {
            s->kind = AST_SET_SESSION_AUTHORIZATION;
            p->at++;
            s->session_user.name = is_string(peek(p, 0)) ? parse_string(p) : parse_ident(p).value;
            return;
        }
        s->kind = AST_SET_SESSION;
        s->set_session.name = parse_name(p);
        expect(p, TOK_EQ);
        s->set_session.value = parse_expr(p);
    } else if (accept(p, KW_ROLE)) {
        s->kind = AST_SET_ROLE;
        if (accept(p, KW_ALL)) {
            s->role.all = true;
        } else if (accept(p, KW_NONE)) {
            s->role.none = true;
        } else {
            struct ast_ident role = parse_ident(p);
            parse_push(p, &s->role.roles, role);
        }
        if (accept(p, KW_IN))
            s->role.catalog = parse_new_ident(p);
    } else if (accept(p, KW_PATH)) {
        s->kind = AST_SET_PATH;
        do {
            struct ast_name element = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            struct ast_idents parts = {0};
            struct ast_ident part = parse_ident(p);
            parse_push(p, &parts, part);
            if (accept(p, TOK_DOT)) {
                part = parse_ident(p);
                parse_push(p, &parts, part);
            }
            element.parts = parts.items;
            element.n = parts.n;
            parse_push(p, &s->names, element);
        } while (accept(p, TOK_COMMA));
    } else {
        expect(p, KW_TIME);
        expect(p, KW_ZONE);
        s->kind = AST_SET_TIME_ZONE;
        enum token_kind after = peek(p, 1);
        if (next_is(p, KW_LOCAL) && (after == TOK_EOF || after == TOK_RPAREN))
            p->at++;
        else
            s->value = parse_expr(p);
    }
}

static void parse_reset(struct parser *p, struct ast_statement *s)
{
    p->at++;
    expect(p, KW_SESSION);
    if (next_is(p, KW_AUTHORIZATION) && peek(p, 1) != TOK_DOT) {
        s->kind = AST_RESET_SESSION_AUTHORIZATION;
        p->at++;
        return;
    }
    s->kind = AST_RESET_SESSION;
    s->set_session.name = parse_name(p);
}

static void parse_transaction(struct parser *p, struct ast_statement *s)
{
    s->kind = AST_START_TRANSACTION;
    p->at++;
    expect(p, KW_TRANSACTION);
    if (!next_is(p, KW_ISOLATION) && !next_is(p, KW_READ))
        return;
    do {
        if (accept(p, KW_READ)) {
            if (accept(p, KW_ONLY)) {
                s->transaction.access = AST_READ_ONLY;
            } else {
                expect(p, KW_WRITE);
                s->transaction.access = AST_READ_WRITE;
            }
            continue;
        }
        expect(p, KW_ISOLATION);
        expect(p, KW_LEVEL);
        if (accept(p, KW_SERIALIZABLE)) {
            s->transaction.isolation = AST_SERIALIZABLE;
        } else if (accept(p, KW_REPEATABLE)) {
            expect(p, KW_READ);
            s->transaction.isolation = AST_REPEATABLE_READ;
        } else {
            expect(p, KW_READ);
            if (accept(p, KW_COMMITTED)) {
                s->transaction.isolation = AST_READ_COMMITTED;
            } else {
                expect(p, KW_UNCOMMITTED);
                s->transaction.isolation = AST_READ_UNCOMMITTED;
            }
        }
    } while (accept(p, TOK_COMMA));
}

static void parse_execute(struct parser *p, struct ast_statement *s)
{
    p->at++;
    if (next_is(p, KW_IMMEDIATE) && is_string(peek(p, 1))) {
        s->kind = AST_EXECUTE_IMMEDIATE;
        p->at++;
        set_position(&s->prepare.name, here(p)); /* where errors of the inner statement are counted from */
        s->prepare.text = parse_string(p);
    } else {
        s->kind = AST_EXECUTE;
        s->prepare.name = parse_ident(p);
    }
    if (accept(p, KW_USING))
        s->prepare.arguments = parse_exprs(p);
}

/* ---- GRANT, REVOKE, DENY ---- */

static bool is_privilege_word(enum token_kind kind)
{
    return kind == KW_CREATE || kind == KW_SELECT || kind == KW_DELETE || kind == KW_INSERT || kind == KW_UPDATE;
}

/* Privileges or roles; *ret_word is the first of them that only a privilege can be, or NULL. */
static struct ast_idents parse_privileges(struct parser *p, const struct token **ret_word)
{
    struct ast_idents list = {0};
    *ret_word = NULL;
    do {
        struct ast_ident id;
        if (is_privilege_word(peek(p, 0))) {
            /* UPDATE alone of these is an open keyword, but is a privilege here all the same. */
            if (!*ret_word)
                *ret_word = here(p);
            struct str text = token_text(&p->t, p->at);
            id = (struct ast_ident){.line = (int)here(p)->line,
                                    .column = (int)here(p)->column,
                                    .value = text,
                                    .lower = arena_lower(p->a, text)};
            p->at++;
        } else {
            id = parse_ident(p);
        }
        parse_push(p, &list, id);
    } while (accept(p, TOK_COMMA));
    return list;
}

static void parse_principals(struct parser *p, struct ast_principals *to)
{
    do {
        struct ast_principal who = parse_principal(p);
        parse_push(p, to, who);
    } while (accept(p, TOK_COMMA));
}

/* GRANT | REVOKE | DENY: privileges on an object, or roles. */
static void parse_grant(struct parser *p, struct ast_statement *s)
{
    enum token_kind verb = peek(p, 0);
    enum token_kind preposition = verb == KW_REVOKE ? KW_FROM : KW_TO;
    p->at++;
    bool admin_option = false, grant_option = false;
    if (verb == KW_REVOKE && peek(p, 1) == KW_OPTION && (next_is(p, KW_ADMIN) || next_is(p, KW_GRANT))) {
        admin_option = next_is(p, KW_ADMIN);
        grant_option = !admin_option;
        p->at += 2;
        expect(p, KW_FOR);
    }
    struct ast_idents list = {0};
    const struct token *privilege = NULL;
    bool all = !admin_option && next_is(p, KW_ALL) && peek(p, 1) == KW_PRIVILEGES;
    if (all)
        p->at += 2;
    else
        list = parse_privileges(p, &privilege);
    if (next_is(p, KW_ON) && !admin_option) {
        s->kind = verb == KW_GRANT ? AST_GRANT : verb == KW_REVOKE ? AST_REVOKE : AST_DENY;
        p->at++;
        s->grant.privileges = list;
        s->grant.grant_option = grant_option;
        parse_grant_object(p, s);
        expect(p, preposition);
        s->grant.principal = parse_principal(p);
        if (verb == KW_GRANT && accept(p, KW_WITH)) {
            expect(p, KW_GRANT);
            expect(p, KW_OPTION);
            s->grant.grant_option = true;
        }
        return;
    }
    if (all || grant_option || verb == KW_DENY)
        parse_fail_syntax(p);
    s->kind = verb == KW_GRANT ? AST_GRANT_ROLES : AST_REVOKE_ROLES;
    s->role.roles = list;
    s->role.admin_option = admin_option;
    expect(p, preposition);
    parse_principals(p, &s->role.principals);
    if (verb == KW_GRANT && accept(p, KW_WITH)) {
        expect(p, KW_ADMIN);
        expect(p, KW_OPTION);
        s->role.admin_option = true;
    }
    if (accept(p, KW_GRANTED)) {
        expect(p, KW_BY);
        s->role.grantor = parse_grantor(p);
    }
    if (accept(p, KW_IN))
        s->role.catalog = parse_new_ident(p);
    if (privilege)
        parse_fail(p, privilege, "May not use a privilege name as a role name");
}

static void parse_statement_of(struct parser *p, struct ast_statement *s)
{
    size_t from;
    switch (peek(p, 0)) {
    case KW_SELECT:
    case KW_WITH:
    case KW_VALUES:
    case KW_TABLE:
    case TOK_LPAREN:
        s->kind = AST_QUERY;
        s->query = parse_root_query(p);
        return;
    case KW_USE:
        parse_use(p, s);
        return;
    case KW_CREATE:
        parse_create(p, s);
        return;
    case KW_DROP:
        parse_drop(p, s);
        return;
    case KW_ALTER:
        parse_alter(p, s);
        return;
    case KW_INSERT:
        parse_insert(p, s);
        return;
    case KW_DELETE:
        parse_delete(p, s);
        return;
    case KW_UPDATE:
        parse_update(p, s);
        return;
    case KW_MERGE:
        parse_merge(p, s);
        return;
    case KW_TRUNCATE:
        s->kind = AST_TRUNCATE_TABLE;
        p->at++;
        expect(p, KW_TABLE);
        s->drop.name = parse_name(p);
        return;
    case KW_COMMENT:
        parse_comment(p, s);
        return;
    case KW_ANALYZE:
        s->kind = AST_ANALYZE;
        p->at++;
        s->analyze.name = parse_name(p);
        if (accept(p, KW_WITH))
            s->analyze.properties = parse_properties(p);
        return;
    case KW_REFRESH:
        s->kind = AST_REFRESH_MATERIALIZED_VIEW;
        p->at++;
        expect(p, KW_MATERIALIZED);
        expect(p, KW_VIEW);
        s->drop.name = parse_name(p);
        return;
    case KW_CALL:
        s->kind = AST_CALL;
        p->at++;
        s->call.name = parse_name(p);
        s->call.arguments = parse_arguments(p);
        return;
    case KW_GRANT:
    case KW_REVOKE:
    case KW_DENY:
        parse_grant(p, s);
        return;
    case KW_SET:
        parse_set(p, s);
        return;
    case KW_RESET:
        parse_reset(p, s);
        return;
    case KW_SHOW:
        parse_show(p, s);
        return;
    case KW_EXPLAIN:
        parse_explain_statement(p, s);
        return;
    case KW_DESCRIBE:
    case KW_DESC:
        parse_describe(p, s);
        return;
    case KW_START:
        parse_transaction(p, s);
        return;
    case KW_COMMIT:
    case KW_ROLLBACK:
        s->kind = next_is(p, KW_COMMIT) ? AST_COMMIT : AST_ROLLBACK;
        p->at++;
        accept(p, KW_WORK);
        return;
    case KW_PREPARE:
        s->kind = AST_PREPARE;
        p->at++;
        s->prepare.name = parse_ident(p);
        expect(p, KW_FROM);
        from = p->at;
        s->prepare.statement = parse_statement(p);
        s->prepare.text = parse_text_between(p, from, p->at);
        return;
    case KW_DEALLOCATE:
        s->kind = AST_DEALLOCATE;
        p->at++;
        expect(p, KW_PREPARE);
        s->prepare.name = parse_ident(p);
        return;
    case KW_EXECUTE:
        parse_execute(p, s);
        return;
    default:
        parse_fail_syntax(p);
    }
}

struct ast_statement *parse_statement(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    struct ast_statement *s = parse_new(p, struct ast_statement);
    set_position(s, here(p));
    size_t before = p->parameters;
    parse_statement_of(p, s);
    s->parameters = p->parameters - before;
    parse_taller(p);
    parse_leave(p, mark);
    return s;
}
