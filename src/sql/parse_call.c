#include "sql/parser.h"

static struct ast_bound parse_bound(struct parser *p)
{
    struct ast_bound bound = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    enum token_kind second = peek(p, 1);
    if (next_is(p, KW_UNBOUNDED) && (second == KW_PRECEDING || second == KW_FOLLOWING)) {
        bound.kind = second == KW_PRECEDING ? AST_UNBOUNDED_PRECEDING : AST_UNBOUNDED_FOLLOWING;
        p->at += 2;
        return bound;
    }
    if (next_is(p, KW_CURRENT) && second == KW_ROW) {
        bound.kind = AST_CURRENT_ROW;
        p->at += 2;
        return bound;
    }
    bound.offset = parse_expr(p);
    if (accept(p, KW_PRECEDING))
        bound.kind = AST_PRECEDING;
    else if (accept(p, KW_FOLLOWING))
        bound.kind = AST_FOLLOWING;
    else
        parse_fail_syntax(p);
    return bound;
}

static bool is_frame_unit(enum token_kind kind)
{
    return kind == KW_RANGE || kind == KW_ROWS || kind == KW_GROUPS;
}

static struct ast_frame *parse_frame(struct parser *p)
{
    struct ast_frame *frame = parse_new(p, struct ast_frame);
    set_position(frame, here(p));
    if (next_is(p, KW_MEASURES))
        parse_fail_unsupported(p, here(p), "Row pattern recognition in a window");
    if (!is_frame_unit(peek(p, 0)))
        parse_fail_syntax(p);
    frame->unit = next_is(p, KW_RANGE) ? AST_FRAME_RANGE : next_is(p, KW_ROWS) ? AST_FRAME_ROWS : AST_FRAME_GROUPS;
    p->at++;
    if (accept(p, KW_BETWEEN)) {
        frame->start = parse_bound(p);
        expect(p, KW_AND);
        frame->end = parse_new(p, struct ast_bound);
        *frame->end = parse_bound(p);
    } else {
        frame->start = parse_bound(p);
    }
    switch (peek(p, 0)) {
    case KW_AFTER:
    case KW_INITIAL:
    case KW_SEEK:
    case KW_PATTERN:
    case KW_SUBSET:
    case KW_DEFINE:
        parse_fail_unsupported(p, here(p), "Row pattern recognition in a window");
    default:
        return frame;
    }
}

struct ast_window parse_window_specification(struct parser *p)
{
    struct ast_window w = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    enum token_kind first = peek(p, 0), second = peek(p, 1);
    bool is_clause = (first == KW_PARTITION && second == KW_BY) || first == KW_MEASURES ||
                     (is_frame_unit(first) && second != TOK_RPAREN && second != KW_ORDER && second != KW_PARTITION);
    if (is_ident(first) && !is_clause)
        w.base = parse_new_ident(p);
    if (next_is(p, KW_PARTITION)) {
        p->at++;
        expect(p, KW_BY);
        w.partition_by = parse_exprs(p);
    }
    if (next_is(p, KW_ORDER))
        w.order_by = parse_order_by(p);
    if (!next_is(p, TOK_RPAREN))
        w.frame = parse_frame(p);
    return w;
}

struct ast_window *parse_over(struct parser *p)
{
    struct ast_window *w = parse_new(p, struct ast_window);
    const struct token *at = expect(p, KW_OVER);
    if (accept(p, TOK_LPAREN)) {
        *w = parse_window_specification(p);
        expect(p, TOK_RPAREN);
    } else {
        set_position(w, at);
        w->reference = parse_new_ident(p);
    }
    return w;
}

/* Behind a call's parentheses; FILTER, IGNORE and OVER are names too. */
static struct ast_expr *parse_filter(struct parser *p)
{
    if (!next_is(p, KW_FILTER) || peek(p, 1) != TOK_LPAREN || peek(p, 2) != KW_WHERE)
        return NULL;
    p->at += 3;
    struct ast_expr *e = parse_expr(p);
    expect(p, TOK_RPAREN);
    return e;
}

static bool next_is_over(const struct parser *p)
{
    return next_is(p, KW_OVER) && (peek(p, 1) == TOK_LPAREN || is_ident(peek(p, 1)));
}

/* IF, NULLIF, COALESCE, TRY and FORMAT are nodes of their own. */
static struct ast_expr *finish_special(struct parser *p, const struct token *at, struct ast_call *call)
{
    static const struct {
        const char *name;
        enum ast_expr_kind kind;
        size_t min, max;
        const char *wrong_count;
    } specials[] = {
        {"if", AST_EXPR_IF, 2, 3, "Invalid number of arguments for 'if' function"},
        {"nullif", AST_EXPR_NULLIF, 2, 2, "Invalid number of arguments for 'nullif' function"},
        {"coalesce", AST_EXPR_COALESCE, 2, SIZE_MAX, "The 'coalesce' function must have at least two arguments"},
        {"try", AST_EXPR_TRY, 1, 1, "The 'try' function must have exactly one argument"},
        {"format", AST_EXPR_FORMAT, 2, SIZE_MAX, "The 'format' function must have at least two arguments"},
    };
    if (call->name.n != 1)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(specials); i++) {
        const char *name = specials[i].name;
        if (!str_eq_cstr(call->name.parts[0].lower, name))
            continue;
        if (call->args.n < specials[i].min || call->args.n > specials[i].max)
            parse_fail(p, at, "%s", specials[i].wrong_count);
        if (call->window)
            parse_fail(p, at, "OVER clause not valid for '%s' function", name);
        if (call->distinct)
            parse_fail(p, at, "DISTINCT not valid for '%s' function", name);
        if (call->nulls != AST_NULLS_UNSAID)
            parse_fail(p, at, "Null treatment clause not valid for '%s' function", name);
        if (call->filter)
            parse_fail(p, at, "FILTER not valid for '%s' function", name);
        struct ast_expr *e = parse_new_expr(p, specials[i].kind, at);
        struct ast_expr **args = call->args.items;
        switch (specials[i].kind) {
        case AST_EXPR_IF:
            e->if_.condition = args[0];
            e->if_.then = args[1];
            e->if_.otherwise = call->args.n == 3 ? args[2] : NULL;
            break;
        case AST_EXPR_NULLIF:
            e->binary.left = args[0];
            e->binary.right = args[1];
            break;
        case AST_EXPR_TRY:
            e->operand = args[0];
            break;
        default:
            e->list = call->args;
        }
        return e;
    }
    return NULL;
}

struct ast_expr *parse_call(struct parser *p, struct ast_name name, const struct token *at, struct ast_expr *first)
{
    struct ast_call *call = parse_new(p, struct ast_call);
    call->name = name;
    if (!first)
        expect(p, TOK_LPAREN);
    if (!first && accept(p, TOK_ASTERISK)) {
        call->star = true;
    } else if (!first && is_ident(peek(p, 0)) && peek(p, 1) == TOK_DOT && peek(p, 2) == TOK_ASTERISK) {
        call->star = true;
        call->star_label = parse_new_ident(p);
        p->at += 2;
    } else {
        if (first) {
            parse_push(p, &call->args, first);
            while (accept(p, TOK_COMMA)) {
                struct ast_expr *arg = parse_expr(p);
                parse_push(p, &call->args, arg);
            }
        } else if (parse_set_quantifier(p, &call->distinct) || (!next_is(p, TOK_RPAREN) && !next_is(p, KW_ORDER))) {
            call->args = parse_exprs(p);
        }
        if (next_is(p, KW_ORDER))
            call->order_by = parse_order_by(p);
    }
    expect(p, TOK_RPAREN);
    call->filter = parse_filter(p);
    if (!call->star && (next_is(p, KW_IGNORE) || next_is(p, KW_RESPECT)) && peek(p, 1) == KW_NULLS) {
        call->nulls = next_is(p, KW_IGNORE) ? AST_IGNORE_NULLS : AST_RESPECT_NULLS;
        p->at += 2;
        if (!next_is(p, KW_OVER))
            parse_fail_syntax(p);
    }
    if (call->nulls != AST_NULLS_UNSAID || next_is_over(p))
        call->window = parse_over(p);
    struct ast_expr *special = finish_special(p, at, call);
    if (special)
        return special;
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_CALL, at);
    e->call = call;
    return e;
}

struct ast_expr *parse_listagg(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_CALL, at);
    struct ast_call *call = e->call = parse_new(p, struct ast_call);
    call->listagg = true;
    struct ast_ident *part = parse_new(p, struct ast_ident);
    *part = (struct ast_ident){.line = e->line, .column = e->column, .value = STR("LISTAGG"), .lower = STR("listagg")};
    call->name = (struct ast_name){.line = e->line, .column = e->column, .parts = part, .n = 1};
    p->at++;
    expect(p, TOK_LPAREN);
    parse_set_quantifier(p, &call->distinct);
    struct ast_expr *value = parse_expr(p);
    parse_push(p, &call->args, value);
    struct ast_expr *separator = parse_new_expr(p, AST_EXPR_STRING, at);
    separator->text = STR("");
    if (accept(p, TOK_COMMA)) {
        set_position(separator, here(p));
        separator->text = parse_string(p);
    }
    parse_push(p, &call->args, separator);
    if (accept(p, KW_ON)) {
        expect(p, KW_OVERFLOW);
        if (accept(p, KW_TRUNCATE)) {
            call->overflow_truncate = true;
            if (is_string(peek(p, 0)))
                call->overflow_filler = parse_string(p);
            call->overflow_count = accept(p, KW_WITH);
            if (!call->overflow_count)
                expect(p, KW_WITHOUT);
            expect(p, KW_COUNT);
        } else {
            expect(p, KW_ERROR);
        }
    }
    expect(p, TOK_RPAREN);
    expect(p, KW_WITHIN);
    expect(p, KW_GROUP);
    expect(p, TOK_LPAREN);
    if (!next_is(p, KW_ORDER))
        parse_fail_syntax(p);
    call->order_by = parse_order_by(p);
    expect(p, TOK_RPAREN);
    call->filter = parse_filter(p);
    if (next_is_over(p))
        call->window = parse_over(p);
    return e;
}

/* TRIM([LEADING|TRAILING|BOTH] [chars] FROM value), TRIM(value), TRIM(value, chars). LEADING and its kind are names
 * too: `trim(leading)`. */
struct ast_expr *parse_trim(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_TRIM, at);
    p->at++;
    expect(p, TOK_LPAREN);
    enum token_kind kind = peek(p, 0);
    bool has_where = (kind == KW_LEADING || kind == KW_TRAILING || kind == KW_BOTH) &&
                     (peek(p, 1) == KW_FROM ||
                      (starts_expr(p, 1) && peek(p, 1) != TOK_PLUS && peek(p, 1) != TOK_MINUS &&
                       peek(p, 1) != TOK_LBRACKET && peek(p, 1) != TOK_LPAREN && peek(p, 1) != KW_AT));
    if (has_where) {
        e->trim.where = kind == KW_LEADING ? AST_TRIM_LEADING : kind == KW_TRAILING ? AST_TRIM_TRAILING : AST_TRIM_BOTH;
        p->at++;
    }
    if (accept(p, KW_FROM)) {
        if (!has_where)
            parse_fail(p, at, "The 'trim' function must have specification, char or both arguments when it takes FROM");
        e->trim.value = parse_value_expr(p);
    } else {
        struct ast_expr *first = parse_value_expr(p);
        if (accept(p, KW_FROM)) {
            e->trim.chars = first;
            e->trim.value = parse_value_expr(p);
        } else if (!has_where) {
            e->trim.value = first;
            if (accept(p, TOK_COMMA))
                e->trim.chars = parse_value_expr(p);
        } else {
            parse_fail_syntax(p);
        }
    }
    expect(p, TOK_RPAREN);
    return e;
}

/* ---- JSON ---- */

static enum ast_json_format parse_json_representation(struct parser *p)
{
    expect(p, KW_JSON);
    if (!accept(p, KW_ENCODING))
        return AST_JSON_FORMAT_JSON;
    if (accept(p, KW_UTF8))
        return AST_JSON_FORMAT_UTF8;
    if (accept(p, KW_UTF16))
        return AST_JSON_FORMAT_UTF16;
    expect(p, KW_UTF32);
    return AST_JSON_FORMAT_UTF32;
}

static enum ast_json_format parse_json_format(struct parser *p)
{
    return accept(p, KW_FORMAT) ? parse_json_representation(p) : AST_JSON_FORMAT_UNSAID;
}

static void parse_json_value_of(struct parser *p, struct ast_json_item *item)
{
    item->value = parse_expr(p);
    item->format = parse_json_format(p);
}

static void parse_json_input(struct parser *p, struct ast_json *json)
{
    set_position(&json->input, here(p));
    parse_json_value_of(p, &json->input);
    expect(p, TOK_COMMA);
    json->path = parse_string(p);
    if (accept(p, KW_AS))
        json->path_name = parse_new_ident(p);
    if (accept(p, KW_PASSING)) {
        do {
            struct ast_json_item item = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            parse_json_value_of(p, &item);
            expect(p, KW_AS);
            item.name = parse_new_ident(p);
            parse_push(p, &json->passing, item);
        } while (accept(p, TOK_COMMA));
    }
}

static void parse_json_returning(struct parser *p, struct ast_json *json, bool format)
{
    if (!accept(p, KW_RETURNING))
        return;
    json->returning = parse_type(p);
    if (format)
        json->returning_format = parse_json_format(p);
}

/* `behaviour ON EMPTY` and `behaviour ON ERROR`, in this order. */
static void parse_json_behaviours(struct parser *p, struct ast_json *json)
{
    bool query = json->kind == AST_JSON_QUERY, exists = json->kind == AST_JSON_EXISTS;
    bool empty_done = exists;
    for (int i = 0; i < 2; i++) {
        enum ast_json_behaviour what = AST_JSON_UNSAID;
        struct ast_expr *value = NULL;
        if (accept(p, KW_ERROR)) {
            what = AST_JSON_ERROR;
        } else if (!exists && accept(p, KW_NULL)) {
            what = AST_JSON_NULL;
        } else if (json->kind == AST_JSON_VALUE && accept(p, KW_DEFAULT)) {
            what = AST_JSON_DEFAULT;
            value = parse_expr(p);
        } else if (exists && accept(p, KW_TRUE)) {
            what = AST_JSON_TRUE;
        } else if (exists && accept(p, KW_FALSE)) {
            what = AST_JSON_FALSE;
        } else if (exists && accept(p, KW_UNKNOWN)) {
            what = AST_JSON_UNKNOWN;
        } else if (query && accept(p, KW_EMPTY)) {
            what = accept(p, KW_ARRAY) ? AST_JSON_EMPTY_ARRAY : AST_JSON_EMPTY_OBJECT;
            if (what == AST_JSON_EMPTY_OBJECT)
                expect(p, KW_OBJECT);
        } else {
            return;
        }
        expect(p, KW_ON);
        if (!empty_done && accept(p, KW_EMPTY)) {
            json->on_empty = what;
            json->empty_default = value;
            empty_done = true;
        } else {
            expect(p, KW_ERROR);
            json->on_error = what;
            json->error_default = value;
            return;
        }
    }
}

static void parse_json_wrapper(struct parser *p, struct ast_json *json)
{
    if (accept(p, KW_WITHOUT)) {
        accept(p, KW_ARRAY);
        expect(p, KW_WRAPPER);
    } else if (accept(p, KW_WITH)) {
        json->wrapper = AST_JSON_WRAPPER_UNCONDITIONAL;
        if (accept(p, KW_CONDITIONAL))
            json->wrapper = AST_JSON_WRAPPER_CONDITIONAL;
        else
            accept(p, KW_UNCONDITIONAL);
        accept(p, KW_ARRAY);
        expect(p, KW_WRAPPER);
    }
    if (next_is(p, KW_KEEP) || next_is(p, KW_OMIT)) {
        json->quotes = next_is(p, KW_KEEP) ? AST_JSON_QUOTES_KEEP : AST_JSON_QUOTES_OMIT;
        p->at++;
        expect(p, KW_QUOTES);
        if (accept(p, KW_ON)) {
            expect(p, KW_SCALAR);
            expect(p, KW_STRING);
        }
    }
}

static bool parse_null_clause(struct parser *p, bool otherwise)
{
    if ((!next_is(p, KW_NULL) && !next_is(p, KW_ABSENT)) || peek(p, 1) != KW_ON)
        return otherwise;
    bool null = next_is(p, KW_NULL);
    p->at += 2;
    expect(p, KW_NULL);
    return null;
}

static void parse_json_object(struct parser *p, struct ast_json *json)
{
    json->null_on_null = true;
    if (!next_is(p, TOK_RPAREN) && !next_is(p, KW_RETURNING)) {
        do {
            struct ast_json_item item = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            /* KEY before the key: a name too, as in `key : 1`. */
            bool keyword = next_is(p, KW_KEY) && starts_expr(p, 1) && peek(p, 1) != KW_VALUE;
            if (keyword)
                p->at++;
            item.key = parse_expr(p);
            if (keyword || !next_is(p, TOK_COLON))
                expect(p, KW_VALUE);
            else
                p->at++;
            parse_json_value_of(p, &item);
            parse_push(p, &json->items, item);
        } while (accept(p, TOK_COMMA));
        json->null_on_null = parse_null_clause(p, true);
        if (next_is(p, KW_WITH) || next_is(p, KW_WITHOUT)) {
            json->unique_keys = next_is(p, KW_WITH);
            p->at++;
            expect(p, KW_UNIQUE);
            accept(p, KW_KEYS);
        }
    }
    parse_json_returning(p, json, true);
}

static void parse_json_array(struct parser *p, struct ast_json *json)
{
    if (!next_is(p, TOK_RPAREN) && !next_is(p, KW_RETURNING)) {
        do {
            struct ast_json_item item = {.line = (int)here(p)->line, .column = (int)here(p)->column};
            parse_json_value_of(p, &item);
            parse_push(p, &json->items, item);
        } while (accept(p, TOK_COMMA));
        json->null_on_null = parse_null_clause(p, false);
    }
    parse_json_returning(p, json, true);
}

struct ast_expr *parse_json_function(struct parser *p)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_JSON, here(p));
    struct ast_json *json = e->json = parse_new(p, struct ast_json);
    enum token_kind kind = peek(p, 0);
    p->at++;
    expect(p, TOK_LPAREN);
    switch (kind) {
    case KW_JSON_EXISTS:
        json->kind = AST_JSON_EXISTS;
        parse_json_input(p, json);
        parse_json_behaviours(p, json);
        break;
    case KW_JSON_VALUE:
        json->kind = AST_JSON_VALUE;
        parse_json_input(p, json);
        parse_json_returning(p, json, false);
        parse_json_behaviours(p, json);
        break;
    case KW_JSON_QUERY:
        json->kind = AST_JSON_QUERY;
        parse_json_input(p, json);
        parse_json_returning(p, json, true);
        parse_json_wrapper(p, json);
        parse_json_behaviours(p, json);
        break;
    case KW_JSON_OBJECT:
        json->kind = AST_JSON_OBJECT;
        parse_json_object(p, json);
        break;
    default:
        json->kind = AST_JSON_ARRAY;
        parse_json_array(p, json);
    }
    expect(p, TOK_RPAREN);
    return e;
}
