#include "sql/parser.h"

static bool starts_query(enum token_kind kind)
{
    return kind == KW_SELECT || kind == KW_WITH || kind == KW_VALUES || kind == KW_TABLE;
}

/* What may stand behind a query in parentheses that is a part of a larger query. LIMIT and its kind are names too. */
static bool continues_query(const struct parser *p, size_t i)
{
    enum token_kind kind = (enum token_kind)p->t.items[i].kind;
    enum token_kind next = i + 1 < p->t.n ? (enum token_kind)p->t.items[i + 1].kind : TOK_EOF;
    switch (kind) {
    case KW_UNION:
    case KW_INTERSECT:
    case KW_EXCEPT:
    case KW_ORDER:
        return true;
    case KW_LIMIT:
        return next == TOK_INTEGER || next == TOK_QUESTION || next == KW_ALL;
    case KW_OFFSET:
        return next == TOK_INTEGER || next == TOK_QUESTION;
    case KW_FETCH:
        return next == KW_FIRST || next == KW_NEXT;
    default:
        return false;
    }
}

bool parens_hold_query(const struct parser *p, size_t k)
{
    size_t i = p->at + k;
    /* Down the parentheses: the innermost content decides, unless what follows an inner pair says it already. */
    for (int level = 0; level <= PARSE_DEPTH_MAX; level++) {
        enum token_kind inside = (enum token_kind)p->t.items[i + 1].kind;
        if (starts_query(inside))
            return true;
        if (inside != TOK_LPAREN)
            return false;
        size_t close = parse_match(p, i), inner = parse_match(p, i + 1);
        if (inner == SIZE_MAX)
            return false;
        if (inner + 1 != close && !continues_query(p, inner + 1))
            return false;
        i++;
    }
    return false;
}

struct ast_sort parse_sort_item(struct parser *p)
{
    struct ast_sort sort = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    sort.key = parse_expr(p);
    if (accept(p, KW_DESC))
        sort.descending = true;
    else
        accept(p, KW_ASC);
    if (accept(p, KW_NULLS)) {
        if (accept(p, KW_FIRST)) {
            sort.nulls = AST_NULLS_FIRST;
        } else {
            expect(p, KW_LAST);
            sort.nulls = AST_NULLS_LAST;
        }
    }
    return sort;
}

struct ast_sorts parse_order_by(struct parser *p)
{
    struct ast_sorts list = {0};
    expect(p, KW_ORDER);
    expect(p, KW_BY);
    do {
        struct ast_sort sort = parse_sort_item(p);
        parse_push(p, &list, sort);
    } while (accept(p, TOK_COMMA));
    return list;
}

bool next_is_alias(const struct parser *p)
{
    if (!is_ident(peek(p, 0)))
        return false;
    switch (peek(p, 0)) {
    case KW_LIMIT:
    case KW_OFFSET:
    case KW_FETCH:
        return !continues_query(p, p->at);
    case KW_WINDOW:
        return !(is_ident(peek(p, 1)) && peek(p, 2) == KW_AS);
    case KW_TABLESAMPLE:
        return !((peek(p, 1) == KW_BERNOULLI || peek(p, 1) == KW_SYSTEM) && peek(p, 2) == TOK_LPAREN);
    case KW_MATCH_RECOGNIZE:
        return peek(p, 1) != TOK_LPAREN;
    case KW_PARTITION:
        return peek(p, 1) != KW_BY;
    case KW_PRUNE:
    case KW_KEEP:
        return peek(p, 1) != KW_WHEN;
    case KW_COPARTITION:
        return peek(p, 1) != TOK_LPAREN;
    default:
        return true;
    }
}

/* ---- relations ---- */

static struct ast_relation *new_relation(struct parser *p, enum ast_relation_kind kind, const struct token *at)
{
    struct ast_relation *r = parse_new(p, struct ast_relation);
    r->kind = kind;
    set_position(r, at);
    return r;
}

/* [[AS] alias [(columns)]] */
static struct ast_relation *parse_alias(struct parser *p, struct ast_relation *relation, const struct token *at)
{
    if (!accept(p, KW_AS) && !next_is_alias(p))
        return relation;
    struct ast_relation *r = new_relation(p, AST_RELATION_ALIASED, at);
    r->aliased.relation = relation;
    r->aliased.alias = parse_new_ident(p);
    if (next_is(p, TOK_LPAREN))
        r->aliased.columns = parse_idents_in_parens(p);
    parse_taller(p);
    return r;
}

static void parse_descriptor_fields(struct parser *p, struct ast_table_argument *arg)
{
    struct {
        struct ast_row_field *items;
        size_t n, cap;
    } fields = {0};
    expect(p, TOK_LPAREN);
    do {
        struct ast_row_field field = {.line = (int)here(p)->line, .column = (int)here(p)->column};
        field.name = parse_new_ident(p);
        if (!next_is(p, TOK_COMMA) && !next_is(p, TOK_RPAREN))
            field.type = parse_type(p);
        parse_push(p, &fields, field);
    } while (accept(p, TOK_COMMA));
    expect(p, TOK_RPAREN);
    arg->descriptor = fields.items;
    arg->descriptor_n = fields.n;
    arg->descriptor_cap = fields.cap;
}

static void parse_table_argument_table(struct parser *p, struct ast_table_argument *arg)
{
    const struct token *at = here(p);
    p->at += 2; /* TABLE ( */
    struct ast_relation *r;
    if (starts_query(peek(p, 0)) || next_is(p, TOK_LPAREN)) {
        r = new_relation(p, AST_RELATION_SUBQUERY, at);
        r->query = parse_query(p);
    } else {
        r = new_relation(p, AST_RELATION_TABLE, at);
        r->table.name = parse_name(p);
    }
    expect(p, TOK_RPAREN);
    arg->table = parse_alias(p, r, at);
    if (next_is(p, KW_PARTITION)) {
        p->at++;
        expect(p, KW_BY);
        arg->has_partition_by = true;
        size_t close = next_is(p, TOK_LPAREN) ? parse_match(p, p->at) : SIZE_MAX;
        if (close != SIZE_MAX) {
            p->at++;
            if (!next_is(p, TOK_RPAREN))
                arg->partition_by = parse_exprs(p);
            expect(p, TOK_RPAREN);
        } else {
            struct ast_expr *key = parse_expr(p);
            parse_push(p, &arg->partition_by, key);
        }
    }
    if (next_is(p, KW_PRUNE) || next_is(p, KW_KEEP)) {
        arg->when_empty = next_is(p, KW_PRUNE) ? AST_EMPTY_PRUNE : AST_EMPTY_KEEP;
        p->at++;
        expect(p, KW_WHEN);
        expect(p, KW_EMPTY);
    }
    if (accept(p, KW_ORDER)) {
        expect(p, KW_BY);
        bool parens = accept(p, TOK_LPAREN);
        do {
            struct ast_sort sort = parse_sort_item(p);
            parse_push(p, &arg->order_by, sort);
        } while (parens && accept(p, TOK_COMMA));
        if (parens)
            expect(p, TOK_RPAREN);
    }
}

static struct ast_table_argument parse_table_argument(struct parser *p)
{
    struct ast_table_argument arg = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    if (is_ident(peek(p, 0)) && peek(p, 1) == TOK_FAT_ARROW) {
        arg.name = parse_new_ident(p);
        p->at++;
    }
    if (next_is(p, KW_TABLE) && peek(p, 1) == TOK_LPAREN) {
        parse_table_argument_table(p, &arg);
    } else if (next_is(p, KW_DESCRIPTOR) && peek(p, 1) == TOK_LPAREN) {
        p->at++;
        arg.is_descriptor = true;
        parse_descriptor_fields(p, &arg);
    } else if (next_is(p, KW_CAST) && peek(p, 2) == KW_NULL && peek(p, 3) == KW_AS && peek(p, 4) == KW_DESCRIPTOR) {
        p->at += 5;
        arg.is_descriptor = true;
        expect(p, TOK_RPAREN);
    } else {
        arg.expr = parse_expr(p);
    }
    return arg;
}

static struct ast_relation *parse_table_function(struct parser *p, const struct token *at)
{
    struct ast_relation *r = new_relation(p, AST_RELATION_FUNCTION, at);
    p->at += 2; /* TABLE ( */
    r->function.name = parse_name(p);
    expect(p, TOK_LPAREN);
    if (!next_is(p, TOK_RPAREN) && !next_is(p, KW_COPARTITION)) {
        do {
            struct ast_table_argument arg = parse_table_argument(p);
            parse_push(p, &r->function, arg);
        } while (accept(p, TOK_COMMA));
    }
    if (accept(p, KW_COPARTITION)) {
        struct {
            struct ast_names *items;
            size_t n, cap;
        } lists = {0};
        do {
            struct ast_names names = {0};
            expect(p, TOK_LPAREN);
            do {
                struct ast_name name = parse_name(p);
                parse_push(p, &names, name);
            } while (accept(p, TOK_COMMA));
            if (names.n < 2)
                parse_fail_syntax(p);
            expect(p, TOK_RPAREN);
            parse_push(p, &lists, names);
        } while (accept(p, TOK_COMMA));
        r->function.copartition = lists.items;
        r->function.copartition_n = lists.n;
        r->function.copartition_cap = lists.cap;
    }
    expect(p, TOK_RPAREN);
    expect(p, TOK_RPAREN);
    return r;
}

static struct ast_relation *parse_relation_primary(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_relation *r;
    switch (at->kind) {
    case TOK_LPAREN:
        if (parens_hold_query(p, 0)) {
            r = new_relation(p, AST_RELATION_SUBQUERY, at);
            p->at++;
            r->query = parse_query(p);
        } else {
            p->at++;
            r = parse_relation(p);
        }
        expect(p, TOK_RPAREN);
        return r;
    case KW_UNNEST:
        r = new_relation(p, AST_RELATION_UNNEST, at);
        p->at++;
        expect(p, TOK_LPAREN);
        r->unnest.items = parse_exprs(p);
        expect(p, TOK_RPAREN);
        if (accept(p, KW_WITH)) {
            expect(p, KW_ORDINALITY);
            r->unnest.with_ordinality = true;
        }
        return r;
    case KW_LATERAL:
        if (peek(p, 1) == TOK_LPAREN) {
            r = new_relation(p, AST_RELATION_LATERAL, at);
            p->at += 2;
            r->query = parse_query(p);
            expect(p, TOK_RPAREN);
            return r;
        }
        break;
    case KW_TABLE:
        if (peek(p, 1) != TOK_LPAREN) {
            p->at++;
            parse_fail_syntax(p);
        }
        return parse_table_function(p, at);
    case KW_JSON_TABLE:
        parse_fail_unsupported(p, at, "JSON_TABLE");
    default:
        break;
    }
    r = new_relation(p, AST_RELATION_TABLE, at);
    r->table.name = parse_name(p);
    if (accept(p, KW_FOR)) {
        if (accept(p, KW_VERSION)) {
            r->table.period = AST_PERIOD_VERSION;
        } else {
            expect(p, KW_TIMESTAMP);
            r->table.period = AST_PERIOD_TIMESTAMP;
        }
        expect(p, KW_AS);
        expect(p, KW_OF);
        r->table.as_of = parse_value_expr(p);
    }
    return r;
}

static struct ast_relation *parse_sampled_relation(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_relation *r = parse_alias(p, parse_relation_primary(p), at);
    parse_taller(p);
    if (next_is(p, KW_MATCH_RECOGNIZE))
        parse_fail_unsupported(p, here(p), "MATCH_RECOGNIZE");
    if (accept(p, KW_TABLESAMPLE)) {
        struct ast_relation *sampled = new_relation(p, AST_RELATION_SAMPLED, at);
        sampled->sampled.relation = r;
        sampled->sampled.system = accept(p, KW_SYSTEM);
        if (!sampled->sampled.system)
            expect(p, KW_BERNOULLI);
        expect(p, TOK_LPAREN);
        sampled->sampled.percentage = parse_expr(p);
        expect(p, TOK_RPAREN);
        r = sampled;
        parse_taller(p);
    }
    return r;
}

static bool parse_join_type(struct parser *p, enum ast_join_kind *ret)
{
    *ret = AST_JOIN_INNER;
    if (next_is(p, KW_JOIN))
        return true;
    if (accept(p, KW_INNER))
        return true;
    if (accept(p, KW_LEFT))
        *ret = AST_JOIN_LEFT;
    else if (accept(p, KW_RIGHT))
        *ret = AST_JOIN_RIGHT;
    else if (accept(p, KW_FULL))
        *ret = AST_JOIN_FULL;
    else
        return false;
    accept(p, KW_OUTER);
    return true;
}

struct ast_relation *parse_relation(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    const struct token *at = here(p);
    struct ast_relation *left = parse_sampled_relation(p);
    for (;;) {
        struct ast_relation *join;
        enum ast_join_kind kind;
        if (accept(p, KW_CROSS)) {
            expect(p, KW_JOIN);
            join = new_relation(p, AST_RELATION_JOIN, at);
            join->join.kind = AST_JOIN_CROSS;
            join->join.right = parse_sampled_relation(p);
        } else if (accept(p, KW_NATURAL)) {
            if (!parse_join_type(p, &kind))
                parse_fail_syntax(p);
            expect(p, KW_JOIN);
            join = new_relation(p, AST_RELATION_JOIN, at);
            join->join.kind = kind;
            join->join.natural = true;
            join->join.right = parse_sampled_relation(p);
        } else if (parse_join_type(p, &kind)) {
            expect(p, KW_JOIN);
            join = new_relation(p, AST_RELATION_JOIN, at);
            join->join.kind = kind;
            /* `a JOIN b JOIN c ON … ON …`: the right side is a whole relation. */
            join->join.right = parse_relation(p);
            if (accept(p, KW_ON)) {
                join->join.on = parse_expr(p);
            } else {
                expect(p, KW_USING);
                join->join.using = parse_idents_in_parens(p);
            }
        } else {
            break;
        }
        join->join.left = left;
        left = join;
        parse_taller(p);
    }
    parse_leave(p, mark);
    return left;
}

/* ---- queries ---- */

static struct ast_select_item parse_select_item(struct parser *p)
{
    struct ast_select_item item = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    if (accept(p, TOK_ASTERISK)) {
        item.kind = AST_SELECT_ALL;
        return item;
    }
    item.expr = parse_expr(p);
    if (next_is(p, TOK_DOT)) {
        /* Only a primary expression can be expanded. */
        if (p->primary != item.expr)
            parse_fail_syntax(p);
        p->at += 2;
        item.kind = AST_SELECT_ALL;
        if (accept(p, KW_AS))
            item.columns = parse_idents_in_parens(p);
        return item;
    }
    if (accept(p, KW_AS) || next_is_alias(p))
        item.alias = parse_new_ident(p);
    return item;
}

static struct ast_exprs parse_grouping_set(struct parser *p)
{
    struct ast_exprs set = {0};
    /* `(a, b)` is a set of both; `(a) + 1` and `(SELECT …)` are expressions. */
    size_t close = next_is(p, TOK_LPAREN) ? parse_match(p, p->at) : SIZE_MAX;
    if (close != SIZE_MAX && !parens_hold_query(p, 0)) {
        enum token_kind after = (enum token_kind)p->t.items[close + 1].kind;
        switch (after) {
        case TOK_COMMA:
        case TOK_RPAREN:
        case TOK_EOF:
        case KW_HAVING:
        case KW_ORDER:
        case KW_LIMIT:
        case KW_OFFSET:
        case KW_FETCH:
        case KW_UNION:
        case KW_INTERSECT:
        case KW_EXCEPT:
        case KW_WINDOW:
        case KW_WITH:
        case TOK_SEMICOLON:
            p->at++;
            if (!next_is(p, TOK_RPAREN))
                set = parse_exprs(p);
            expect(p, TOK_RPAREN);
            return set;
        default:
            break;
        }
    }
    struct ast_expr *e = parse_expr(p);
    parse_push(p, &set, e);
    return set;
}

static struct ast_grouping parse_grouping_element(struct parser *p)
{
    struct ast_grouping g = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    struct {
        struct ast_exprs *items;
        size_t n, cap;
    } sets = {0};
    if (accept(p, KW_AUTO)) {
        g.kind = AST_GROUPING_AUTO;
        return g;
    }
    if (accept(p, KW_ROLLUP))
        g.kind = AST_GROUPING_ROLLUP;
    else if (accept(p, KW_CUBE))
        g.kind = AST_GROUPING_CUBE;
    else if (next_is(p, KW_GROUPING) && peek(p, 1) == KW_SETS) {
        p->at += 2;
        g.kind = AST_GROUPING_SETS;
    }
    if (g.kind == AST_GROUPING_SIMPLE) {
        struct ast_exprs set = parse_grouping_set(p);
        parse_push(p, &sets, set);
    } else {
        expect(p, TOK_LPAREN);
        if (g.kind == AST_GROUPING_SETS || !next_is(p, TOK_RPAREN)) {
            do {
                struct ast_exprs set = parse_grouping_set(p);
                parse_push(p, &sets, set);
            } while (accept(p, TOK_COMMA));
        }
        expect(p, TOK_RPAREN);
    }
    g.sets = sets.items;
    g.n = sets.n;
    g.cap = sets.cap;
    return g;
}

static struct ast_select *parse_select(struct parser *p)
{
    struct ast_select *s = parse_new(p, struct ast_select);
    const struct token *at = expect(p, KW_SELECT);
    set_position(s, at);
    parse_set_quantifier(p, &s->distinct);
    do {
        struct ast_select_item item = parse_select_item(p);
        parse_push(p, &s->items, item);
    } while (accept(p, TOK_COMMA));
    if (accept(p, KW_FROM)) {
        s->from = parse_relation(p);
        while (accept(p, TOK_COMMA)) {
            struct ast_relation *join = new_relation(p, AST_RELATION_JOIN, at);
            join->join.kind = AST_JOIN_IMPLICIT;
            join->join.left = s->from;
            join->join.right = parse_relation(p);
            s->from = join;
            parse_taller(p);
        }
    }
    if (accept(p, KW_WHERE))
        s->where = parse_expr(p);
    if (accept(p, KW_GROUP)) {
        expect(p, KW_BY);
        s->has_group_by = true;
        parse_set_quantifier(p, &s->group_distinct);
        do {
            struct ast_grouping g = parse_grouping_element(p);
            parse_push(p, &s->group_by, g);
        } while (accept(p, TOK_COMMA));
    }
    if (accept(p, KW_HAVING))
        s->having = parse_expr(p);
    if (accept(p, KW_WINDOW)) {
        do {
            struct ast_window_definition w = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            w.name = parse_ident(p);
            expect(p, KW_AS);
            expect(p, TOK_LPAREN);
            w.window = parse_window_specification(p);
            expect(p, TOK_RPAREN);
            parse_push(p, &s->windows, w);
        } while (accept(p, TOK_COMMA));
    }
    return s;
}

static struct ast_query *parse_query_no_with(struct parser *p);

static struct ast_body *new_body(struct parser *p, enum ast_body_kind kind, const struct token *at)
{
    struct ast_body *b = parse_new(p, struct ast_body);
    b->kind = kind;
    set_position(b, at);
    return b;
}

static struct ast_body *parse_query_primary(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_body *b;
    switch (at->kind) {
    case KW_SELECT:
        b = new_body(p, AST_BODY_SELECT, at);
        b->select = parse_select(p);
        return b;
    case KW_TABLE:
        b = new_body(p, AST_BODY_TABLE, at);
        p->at++;
        b->table = parse_name(p);
        return b;
    case KW_VALUES:
        b = new_body(p, AST_BODY_VALUES, at);
        p->at++;
        b->values = parse_exprs(p);
        return b;
    case TOK_LPAREN:
        b = new_body(p, AST_BODY_QUERY, at);
        p->at++;
        b->query = parse_query_no_with(p);
        expect(p, TOK_RPAREN);
        return b;
    default:
        parse_fail_syntax(p);
    }
}

enum { BIND_UNION = 1, BIND_INTERSECT = 2 };

static struct ast_body *parse_query_term(struct parser *p, int floor)
{
    struct parse_mark mark = parse_enter(p);
    struct ast_body *left = parse_query_primary(p);
    parse_taller(p);
    for (;;) {
        const struct token *at = here(p);
        enum token_kind kind = (enum token_kind)at->kind;
        int bind = kind == KW_INTERSECT ? BIND_INTERSECT : kind == KW_UNION || kind == KW_EXCEPT ? BIND_UNION : 0;
        if (bind == 0 || bind < floor)
            break;
        p->at++;
        struct ast_body *b = new_body(p, AST_BODY_SET, at);
        b->set.op = kind == KW_INTERSECT ? AST_INTERSECT : kind == KW_UNION ? AST_UNION : AST_EXCEPT;
        if (accept(p, KW_ALL))
            b->set.all = true;
        else
            accept(p, KW_DISTINCT);
        if (accept(p, KW_CORRESPONDING)) {
            b->set.corresponding = true;
            if (accept(p, KW_BY))
                b->set.by_columns = parse_idents_in_parens(p);
        }
        b->set.left = left;
        b->set.right = parse_query_term(p, bind + 1);
        left = b;
        parse_taller(p);
    }
    parse_leave(p, mark);
    return left;
}

static struct ast_row_count parse_row_count(struct parser *p, const struct token *clause)
{
    struct ast_row_count count = {.line = (int)clause->line,
                                  .column = (int)clause->column,
                                  .value_line = (int)here(p)->line,
                                  .value_column = (int)here(p)->column};
    if (next_is(p, TOK_QUESTION)) {
        count.kind = AST_COUNT_PARAMETER;
        count.parameter = p->parameters++;
    } else if (next_is(p, TOK_INTEGER)) {
        count.kind = AST_COUNT_NUMBER;
        count.number = parse_integer(p, here(p), false);
    } else {
        parse_fail_syntax(p);
    }
    p->at++;
    return count;
}

static struct ast_query *parse_query_no_with(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    struct ast_query *q = parse_new(p, struct ast_query);
    set_position(q, here(p));
    q->body = parse_query_term(p, 0);
    if (next_is(p, KW_ORDER))
        q->order_by = parse_order_by(p);
    const struct token *clause = here(p);
    if (accept(p, KW_OFFSET)) {
        q->offset = parse_row_count(p, clause);
        if (!accept(p, KW_ROW))
            accept(p, KW_ROWS);
    }
    clause = here(p);
    if (accept(p, KW_LIMIT)) {
        if (next_is(p, KW_ALL)) {
            set_position(&q->limit, clause);
            q->limit.kind = AST_COUNT_ALL;
            p->at++;
        } else {
            q->limit = parse_row_count(p, clause);
        }
    } else if (next_is(p, KW_FETCH)) {
        set_position(&q->limit, clause);
        p->at++;
        q->is_fetch = true;
        if (!accept(p, KW_FIRST))
            expect(p, KW_NEXT);
        q->limit.kind = AST_COUNT_NUMBER;
        q->limit.number = 1;
        if (!next_is(p, KW_ROW) && !next_is(p, KW_ROWS))
            q->limit = parse_row_count(p, clause);
        if (!accept(p, KW_ROW))
            expect(p, KW_ROWS);
        if (accept(p, KW_WITH)) {
            expect(p, KW_TIES);
            q->with_ties = true;
        } else {
            expect(p, KW_ONLY);
        }
    }
    parse_taller(p);
    parse_leave(p, mark);
    return q;
}

struct ast_query *parse_query(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    const struct token *at = here(p);
    struct ast_query *q;
    if (accept(p, KW_WITH)) {
        struct ast_query with = {0};
        with.recursive = accept(p, KW_RECURSIVE);
        do {
            struct ast_named_query named = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            named.name = parse_ident(p);
            if (next_is(p, TOK_LPAREN))
                named.columns = parse_idents_in_parens(p);
            expect(p, KW_AS);
            expect(p, TOK_LPAREN);
            named.query = parse_query(p);
            expect(p, TOK_RPAREN);
            parse_push(p, &with.with, named);
        } while (accept(p, TOK_COMMA));
        q = parse_query_no_with(p);
        q->recursive = with.recursive;
        q->with.items = with.with.items;
        q->with.n = with.with.n;
        q->with.cap = with.with.cap;
        set_position(q, at);
    } else {
        q = parse_query_no_with(p);
    }
    parse_leave(p, mark);
    return q;
}

struct ast_query *parse_root_query(struct parser *p)
{
    /* SESSION and FUNCTION are names too: `WITH function AS (…)`. */
    if (next_is(p, KW_WITH) && (peek(p, 1) == KW_SESSION || peek(p, 1) == KW_FUNCTION) && peek(p, 2) != KW_AS &&
        peek(p, 2) != TOK_LPAREN)
        parse_fail_unsupported(p, here(p), peek(p, 1) == KW_SESSION ? "WITH SESSION" : "WITH FUNCTION");
    return parse_query(p);
}
