#include "sql/parser.h"

static struct ast_type_param parse_type_param(struct parser *p)
{
    struct ast_type_param param = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    if (next_is(p, TOK_INTEGER)) {
        param.text = token_text(&p->t, p->at);
        param.number = parse_integer(p, here(p), false);
        p->at++;
    } else {
        param.type = parse_type(p);
    }
    return param;
}

/* A field is a type, or a name and a type. `row(x array)` is a type twice over, and is read as one. */
static bool field_has_name(const struct parser *p)
{
    if (!is_ident(peek(p, 0)))
        return false;
    enum token_kind first = peek(p, 0), second = peek(p, 1), third = peek(p, 2);
    switch (second) {
    case TOK_COMMA:
    case TOK_RPAREN:
    case TOK_LPAREN:
    case TOK_LT:
    case KW_PRECISION:
        return first != KW_DOUBLE;
    case KW_WITH:
        return false;
    case KW_WITHOUT:
        return !((first == KW_TIME || first == KW_TIMESTAMP) && third == KW_TIME);
    case KW_ARRAY:
        return third == TOK_LPAREN || third == TOK_LT;
    default:
        return !(first == KW_INTERVAL && is_interval_field(second));
    }
}

static void parse_row_fields(struct parser *p, struct ast_type *type)
{
    expect(p, TOK_LPAREN);
    do {
        struct ast_row_field field = {.line = (int)here(p)->line, .column = (int)here(p)->column};
        if (field_has_name(p))
            field.name = parse_new_ident(p);
        field.type = parse_type(p);
        parse_push(p, &type->row, field);
    } while (accept(p, TOK_COMMA));
    expect(p, TOK_RPAREN);
}

struct params {
    struct ast_type_param *items;
    size_t n, cap;
};

static void push_type(struct parser *p, struct params *to, struct ast_type *type)
{
    struct ast_type_param param = {.line = type->line, .column = type->column, .type = type};
    parse_push(p, to, param);
}

static struct ast_type *finish_generic(struct ast_type *type, struct params params)
{
    type->generic.params = params.items;
    type->generic.n = params.n;
    type->generic.cap = params.cap;
    return type;
}

static struct ast_type *parse_base_type(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_type *type = parse_new(p, struct ast_type);
    set_position(type, at);
    enum token_kind kind = (enum token_kind)at->kind;
    if (kind == KW_ROW && peek(p, 1) == TOK_LPAREN) {
        p->at++;
        type->kind = AST_TYPE_ROW;
        parse_row_fields(p, type);
        return type;
    }
    if (kind == KW_INTERVAL && is_interval_field(peek(p, 1))) {
        p->at++;
        type->kind = AST_TYPE_INTERVAL;
        type->interval.from = type->interval.to = parse_interval_field(p);
        if (accept(p, KW_TO))
            type->interval.to = parse_interval_field(p);
        return type;
    }
    if (kind == KW_TIME || kind == KW_TIMESTAMP) {
        p->at++;
        type->kind = AST_TYPE_DATETIME;
        type->datetime.timestamp = kind == KW_TIMESTAMP;
        if (accept(p, TOK_LPAREN)) {
            type->datetime.precision = parse_new(p, struct ast_type_param);
            *type->datetime.precision = parse_type_param(p);
            expect(p, TOK_RPAREN);
        }
        if ((next_is(p, KW_WITH) || next_is(p, KW_WITHOUT)) && peek(p, 1) == KW_TIME) {
            type->datetime.with_time_zone = next_is(p, KW_WITH);
            p->at += 2;
            expect(p, KW_ZONE);
        }
        return type;
    }
    type->kind = AST_TYPE_GENERIC;
    type->generic.name = parse_ident(p);
    if (kind == KW_DOUBLE && accept(p, KW_PRECISION))
        return type;
    struct params params = {0};
    if (kind == KW_ARRAY && accept(p, TOK_LT)) {
        push_type(p, &params, parse_type(p));
        expect(p, TOK_GT);
    } else if (kind == KW_MAP && accept(p, TOK_LT)) {
        push_type(p, &params, parse_type(p));
        expect(p, TOK_COMMA);
        push_type(p, &params, parse_type(p));
        expect(p, TOK_GT);
    } else if (accept(p, TOK_LPAREN)) {
        do {
            struct ast_type_param param = parse_type_param(p);
            parse_push(p, &params, param);
        } while (accept(p, TOK_COMMA));
        expect(p, TOK_RPAREN);
    }
    return finish_generic(type, params);
}

struct ast_type *parse_type(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    struct ast_type *type = parse_base_type(p);
    parse_taller(p);
    while (next_is(p, KW_ARRAY)) {
        const struct token *at = here(p);
        p->at++;
        if (next_is(p, TOK_LBRACKET)) {
            p->at++;
            expect(p, TOK_INTEGER);
            expect(p, TOK_RBRACKET);
        }
        struct ast_type *array = parse_new(p, struct ast_type);
        array->kind = AST_TYPE_GENERIC;
        array->line = type->line;
        array->column = type->column;
        array->generic.name = (struct ast_ident){
            .line = (int)at->line, .column = (int)at->column, .value = STR("array"), .lower = STR("array")};
        struct params params = {0};
        push_type(p, &params, type);
        type = finish_generic(array, params);
        parse_taller(p);
    }
    parse_leave(p, mark);
    return type;
}
