#include "sql/parser.h"
#include <math.h>

struct ast_expr *parse_new_expr(struct parser *p, enum ast_expr_kind kind, const struct token *at)
{
    struct ast_expr *e = parse_new(p, struct ast_expr);
    e->kind = kind;
    set_position(e, at);
    return e;
}

struct ast_exprs parse_exprs(struct parser *p)
{
    struct ast_exprs list = {0};
    do {
        struct ast_expr *e = parse_expr(p);
        parse_push(p, &list, e);
    } while (accept(p, TOK_COMMA));
    return list;
}

bool starts_expr(const struct parser *p, size_t k)
{
    enum token_kind kind = peek(p, k);
    if (is_ident(kind) || is_string(kind))
        return true;
    switch (kind) {
    case TOK_INTEGER:
    case TOK_DECIMAL:
    case TOK_DOUBLE:
    case TOK_BINARY:
    case TOK_QUESTION:
    case TOK_LPAREN:
    case TOK_LBRACKET:
    case TOK_PLUS:
    case TOK_MINUS:
    case KW_NOT:
    case KW_NULL:
    case KW_TRUE:
    case KW_FALSE:
    case KW_CASE:
    case KW_CAST:
    case KW_EXISTS:
    case KW_EXTRACT:
    case KW_TRIM:
    case KW_NORMALIZE:
    case KW_GROUPING:
    case KW_LISTAGG:
    case KW_JSON_EXISTS:
    case KW_JSON_VALUE:
    case KW_JSON_QUERY:
    case KW_JSON_OBJECT:
    case KW_JSON_ARRAY:
    case KW_CURRENT_DATE:
    case KW_CURRENT_TIME:
    case KW_CURRENT_TIMESTAMP:
    case KW_CURRENT_USER:
    case KW_CURRENT_CATALOG:
    case KW_CURRENT_SCHEMA:
    case KW_CURRENT_PATH:
    case KW_LOCALTIME:
    case KW_LOCALTIMESTAMP:
        return true;
    default:
        return false;
    }
}

bool parse_set_quantifier(struct parser *p, bool *ret_distinct)
{
    *ret_distinct = false;
    if (accept(p, KW_DISTINCT)) {
        *ret_distinct = true;
        return true;
    }
    /* ALL is a name too: `count(all)`, `SELECT all FROM t`. */
    if (next_is(p, KW_ALL) && (starts_expr(p, 1) || peek(p, 1) == TOK_ASTERISK)) {
        p->at++;
        return true;
    }
    return false;
}

struct ast_expr *parse_interval(struct parser *p)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_INTERVAL, here(p));
    expect(p, KW_INTERVAL);
    if (accept(p, TOK_MINUS))
        e->interval.negative = true;
    else
        accept(p, TOK_PLUS);
    e->interval.value = parse_string(p);
    e->interval.from = e->interval.to = parse_interval_field(p);
    if (accept(p, KW_TO))
        e->interval.to = parse_interval_field(p);
    return e;
}

/* INTERVAL [sign] string field: otherwise INTERVAL is a name. */
static bool next_is_interval(const struct parser *p)
{
    size_t k = 1;
    if (peek(p, k) == TOK_PLUS || peek(p, k) == TOK_MINUS)
        k++;
    if (!is_string(peek(p, k)))
        return false;
    if (peek(p, k) == TOK_UNICODE_STRING && peek(p, k + 1) == KW_UESCAPE)
        k += 2;
    return is_interval_field(peek(p, k + 1));
}

static struct ast_expr *parse_number(struct parser *p)
{
    const struct token *at = here(p);
    bool negative = accept(p, TOK_MINUS);
    const struct token *t = here(p);
    struct str text = token_text(&p->t, p->at);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_INTEGER, at);
    p->at++;
    if (t->kind == TOK_INTEGER) {
        e->integer = parse_integer(p, t, negative);
        return e;
    }
    char *clean = parse_alloc(p, text.n + 1);
    size_t n = 0;
    if (negative)
        clean[n++] = '-';
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '_')
            clean[n++] = text.p[i];
    if (t->kind == TOK_DECIMAL) {
        e->kind = AST_EXPR_DECIMAL;
        e->text = str_from(clean, n);
        return e;
    }
    e->kind = AST_EXPR_DOUBLE;
    char *copy = arena_cstr(p->a, str_from(clean, n));
    e->real = strtod(copy, NULL); /* the lexer checked the form; overflow gives an infinity as in Java */
    return e;
}

static struct ast_expr *parse_binary_literal(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_BYTES, at);
    struct str text = token_text(&p->t, p->at++);
    text = str_slice(text, 2, text.n - 3);
    char *out = parse_alloc(p, text.n);
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == ' ' || (c >= '\t' && c <= '\r'))
            continue;
        int value = c >= '0' && c <= '9'                     ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;
        if (value < 0)
            parse_fail(p, at, "Binary literal can only contain hexadecimal digits");
        if (digits % 2 == 0)
            out[digits / 2] = (char)(value << 4);
        else
            out[digits / 2] = (char)(out[digits / 2] | value);
        digits++;
    }
    if (digits % 2)
        parse_fail(p, at, "Binary literal must contain an even number of digits");
    e->text = str_from(out, digits / 2);
    return e;
}

static struct ast_expr *parse_typed_literal(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_TYPED, at);
    if (next_is(p, KW_DOUBLE) && peek(p, 1) == KW_PRECISION) {
        p->at += 2;
        e->typed.type = STR("DOUBLE");
        e->typed.value = parse_string(p);
        return e;
    }
    struct str type = parse_ident(p).value;
    struct str value = parse_string(p);
    if (str_eq_nocase(type, STR("decimal"))) {
        e->kind = AST_EXPR_DECIMAL;
        e->text = value;
        return e;
    }
    if (str_eq_nocase(type, STR("x")))
        parse_fail(p, at, "Spaces are not allowed between 'X' and the starting quote of a binary literal");
    e->typed.type = type;
    e->typed.value = value;
    return e;
}

/* The name chain from here is followed by '(': a call. */
static bool next_is_call(const struct parser *p, size_t k)
{
    while (is_ident(peek(p, k))) {
        k++;
        if (peek(p, k) == TOK_LPAREN)
            return true;
        if (peek(p, k) != TOK_DOT)
            return false;
        k++;
    }
    return false;
}

static struct ast_expr *parse_lambda(struct parser *p)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_LAMBDA, here(p));
    if (accept(p, TOK_LPAREN)) {
        if (!next_is(p, TOK_RPAREN)) {
            do {
                struct ast_ident id = parse_ident(p);
                parse_push(p, &e->lambda.params, id);
            } while (accept(p, TOK_COMMA));
        }
        expect(p, TOK_RPAREN);
    } else {
        struct ast_ident id = parse_ident(p);
        parse_push(p, &e->lambda.params, id);
    }
    expect(p, TOK_ARROW);
    e->lambda.body = parse_expr(p);
    return e;
}

static struct ast_expr *parse_case(struct parser *p)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_SEARCHED_CASE, here(p));
    expect(p, KW_CASE);
    if (!next_is(p, KW_WHEN)) {
        e->kind = AST_EXPR_SIMPLE_CASE;
        e->cases.operand = parse_expr(p);
    }
    struct {
        struct ast_when *items;
        size_t n, cap;
    } whens = {0};
    do {
        struct ast_when when;
        set_position(&when, here(p));
        expect(p, KW_WHEN);
        when.condition = parse_expr(p);
        expect(p, KW_THEN);
        when.result = parse_expr(p);
        parse_push(p, &whens, when);
    } while (next_is(p, KW_WHEN));
    e->cases.whens = whens.items;
    e->cases.n = whens.n;
    e->cases.cap = whens.cap;
    if (accept(p, KW_ELSE))
        e->cases.otherwise = parse_expr(p);
    expect(p, KW_END);
    return e;
}

/* CAST, and TRY_CAST, which is a name too: then it is a call. */
static struct ast_expr *parse_cast(struct parser *p)
{
    const struct token *at = here(p);
    bool safe = at->kind == KW_TRY_CAST;
    size_t start = p->at;
    p->at += 2;
    if (safe && next_is(p, TOK_RPAREN)) {
        p->at = start;
        struct ast_name name = parse_name(p);
        return parse_call(p, name, at, NULL);
    }
    struct ast_expr *value = parse_expr(p);
    if (safe && !next_is(p, KW_AS)) {
        size_t after = p->at;
        p->at = start;
        struct ast_name name = parse_name(p);
        p->at = after;
        return parse_call(p, name, at, value);
    }
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_CAST, at);
    e->cast.safe = safe;
    e->cast.value = value;
    expect(p, KW_AS);
    e->cast.type = parse_type(p);
    expect(p, TOK_RPAREN);
    return e;
}

static struct ast_expr *new_call(struct parser *p, const struct token *at, struct str name)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_CALL, at);
    e->call = parse_new(p, struct ast_call);
    struct ast_ident *part = parse_new(p, struct ast_ident);
    *part = (struct ast_ident){.line = e->line, .column = e->column, .value = name, .lower = name};
    e->call->name = (struct ast_name){.line = e->line, .column = e->column, .parts = part, .n = 1};
    return e;
}

/* POSITION(a IN b) and SUBSTRING(a FROM b FOR c); any other arguments make them ordinary calls. */
static struct ast_expr *parse_position_or_substring(struct parser *p)
{
    const struct token *at = here(p);
    size_t start = p->at;
    bool position = at->kind == KW_POSITION;
    struct ast_expr *value = NULL;
    if (starts_expr(p, 2) && peek(p, 2) != KW_NOT && !(peek(p, 2) == KW_ALL && starts_expr(p, 3))) {
        p->at += 2;
        value = parse_value_expr(p);
        if (next_is(p, position ? KW_IN : KW_FROM)) {
            p->at++;
            struct ast_expr *e = new_call(p, at, position ? STR("strpos") : STR("substr"));
            struct ast_expr *second = parse_value_expr(p);
            parse_push(p, &e->call->args, position ? second : value);
            parse_push(p, &e->call->args, position ? value : second);
            if (!position && accept(p, KW_FOR)) {
                struct ast_expr *length = parse_value_expr(p);
                parse_push(p, &e->call->args, length);
            }
            expect(p, TOK_RPAREN);
            return e;
        }
        value = parse_expr_from(p, value);
    }
    size_t after = p->at;
    p->at = start;
    struct ast_name name = parse_name(p);
    if (value)
        p->at = after;
    return parse_call(p, name, at, value);
}

static struct ast_expr *parse_normalize(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e = new_call(p, at, STR("normalize"));
    p->at++;
    expect(p, TOK_LPAREN);
    struct ast_expr *value = parse_value_expr(p);
    parse_push(p, &e->call->args, value);
    struct ast_expr *form = parse_new_expr(p, AST_EXPR_STRING, at);
    form->text = STR("NFC");
    if (accept(p, TOK_COMMA)) {
        enum token_kind kind = peek(p, 0);
        if (kind != KW_NFC && kind != KW_NFD && kind != KW_NFKC && kind != KW_NFKD)
            parse_fail_syntax(p);
        form->text = token_text(&p->t, p->at++);
    }
    parse_push(p, &e->call->args, form);
    expect(p, TOK_RPAREN);
    return e;
}

static struct ast_expr *parse_extract(struct parser *p)
{
    static const char *const fields[] = {
        "YEAR",   "QUARTER",         "MONTH",         "WEEK",         "DAY", "DAY_OF_MONTH", "DAY_OF_WEEK",
        "DOW",    "DAY_OF_YEAR",     "DOY",           "YEAR_OF_WEEK", "YOW", "HOUR",         "MINUTE",
        "SECOND", "TIMEZONE_MINUTE", "TIMEZONE_HOUR",
    };
    const struct token *at = here(p);
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_EXTRACT, at);
    p->at++;
    expect(p, TOK_LPAREN);
    struct str text = token_text(&p->t, p->at);
    parse_ident(p);
    expect(p, KW_FROM);
    e->extract.value = parse_value_expr(p);
    expect(p, TOK_RPAREN);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_eq_nocase(text, str_from_cstr(fields[i])))
            e->extract.field = str_from_cstr(fields[i]);
    if (str_is_null(e->extract.field))
        parse_fail(p, at,
                   "Invalid EXTRACT field %.*s, valid fields are: YEAR, QUARTER, MONTH, WEEK, DAY, DAY_OF_MONTH, "
                   "DAY_OF_WEEK, DOW, DAY_OF_YEAR, DOY, YEAR_OF_WEEK, YOW, HOUR, MINUTE, SECOND, TIMEZONE_MINUTE, "
                   "TIMEZONE_HOUR",
                   STR_ARG(text));
    return e;
}

static struct ast_expr *parse_current(struct parser *p)
{
    static const struct {
        enum token_kind kind;
        enum ast_current what;
        bool precision;
    } words[] = {
        {KW_CURRENT_DATE, AST_CURRENT_DATE, false},          {KW_CURRENT_TIME, AST_CURRENT_TIME, true},
        {KW_CURRENT_TIMESTAMP, AST_CURRENT_TIMESTAMP, true}, {KW_LOCALTIME, AST_LOCALTIME, true},
        {KW_LOCALTIMESTAMP, AST_LOCALTIMESTAMP, true},       {KW_CURRENT_USER, AST_CURRENT_USER, false},
        {KW_CURRENT_CATALOG, AST_CURRENT_CATALOG, false},    {KW_CURRENT_SCHEMA, AST_CURRENT_SCHEMA, false},
        {KW_CURRENT_PATH, AST_CURRENT_PATH, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!next_is(p, words[i].kind))
            continue;
        struct ast_expr *e = parse_new_expr(p, AST_EXPR_CURRENT, here(p));
        e->current.what = words[i].what;
        e->current.precision = -1;
        p->at++;
        if (words[i].precision && accept(p, TOK_LPAREN)) {
            const struct token *t = expect(p, TOK_INTEGER);
            int64_t precision = parse_integer(p, t, false);
            if (precision > 12)
                parse_fail(p, t, "TIMESTAMP precision must be in range [0, 12]: %lld", (long long)precision);
            e->current.precision = (int)precision;
            expect(p, TOK_RPAREN);
        }
        return e;
    }
    parse_fail_syntax(p);
}

static struct ast_expr *parse_grouping(struct parser *p)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_GROUPING, here(p));
    p->at++;
    expect(p, TOK_LPAREN);
    if (!next_is(p, TOK_RPAREN)) {
        do {
            const struct token *at = here(p);
            struct ast_name name = parse_name(p);
            struct ast_expr *column = parse_new_expr(p, AST_EXPR_IDENT, at);
            column->ident = name.parts[0];
            for (size_t i = 1; i < name.n; i++) {
                struct ast_expr *outer = parse_new_expr(p, AST_EXPR_DEREFERENCE, at);
                outer->dereference.base = column;
                outer->dereference.field = &name.parts[i];
                column = outer;
                parse_taller(p);
            }
            parse_push(p, &e->grouping, column);
        } while (accept(p, TOK_COMMA));
    }
    expect(p, TOK_RPAREN);
    return e;
}

/* What starts with '(': a lambda, a query, a row, or an expression in parentheses. */
static struct ast_expr *parse_parens(struct parser *p)
{
    const struct token *at = here(p);
    size_t close = parse_match(p, p->at);
    if (close != SIZE_MAX && p->t.items[close + 1].kind == TOK_ARROW)
        return parse_lambda(p);
    if (parens_hold_query(p, 0)) {
        struct ast_expr *e = parse_new_expr(p, AST_EXPR_SUBQUERY, at);
        p->at++;
        e->query = parse_query(p);
        expect(p, TOK_RPAREN);
        return e;
    }
    p->at++;
    struct ast_expr *first = parse_expr(p);
    if (accept(p, TOK_RPAREN))
        return first;
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_ROW, at);
    parse_push(p, &e->list, first);
    expect(p, TOK_COMMA);
    do {
        struct ast_expr *item = parse_expr(p);
        parse_push(p, &e->list, item);
    } while (accept(p, TOK_COMMA));
    expect(p, TOK_RPAREN);
    return e;
}

static struct ast_expr *parse_array(struct parser *p, const struct token *at)
{
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_ARRAY, at);
    expect(p, TOK_LBRACKET);
    if (!next_is(p, TOK_RBRACKET))
        e->list = parse_exprs(p);
    expect(p, TOK_RBRACKET);
    return e;
}

/* A primary that starts with an identifier, which a word of special forms may be too. */
static struct ast_expr *parse_named(struct parser *p)
{
    const struct token *at = here(p);
    enum token_kind second = peek(p, 1);
    switch (at->kind) {
    case KW_INTERVAL:
        if (next_is_interval(p))
            return parse_interval(p);
        break;
    case KW_DOUBLE:
        if (second == KW_PRECISION && is_string(peek(p, 2)))
            return parse_typed_literal(p);
        break;
    case KW_POSITION:
    case KW_SUBSTRING:
        if (second == TOK_LPAREN)
            return parse_position_or_substring(p);
        break;
    case KW_TRY_CAST:
        if (second == TOK_LPAREN && peek(p, 2) != KW_DISTINCT && peek(p, 2) != TOK_ASTERISK)
            return parse_cast(p);
        break;
    case KW_ROW:
        if (second == TOK_LPAREN && starts_expr(p, 2) && !(peek(p, 2) == KW_ALL && starts_expr(p, 3))) {
            struct ast_expr *e = parse_new_expr(p, AST_EXPR_ROW, at);
            p->at += 2;
            e->list = parse_exprs(p);
            expect(p, TOK_RPAREN);
            return e;
        }
        break;
    case KW_ARRAY:
        if (second == TOK_LBRACKET) {
            p->at++;
            return parse_array(p, at);
        }
        break;
    case KW_RUNNING:
    case KW_FINAL:
        if (next_is_call(p, 1)) {
            p->at++;
            struct ast_name name = parse_name(p);
            struct ast_expr *e = parse_call(p, name, at, NULL);
            if (e->kind != AST_EXPR_CALL)
                parse_fail(p, at, "Running or final semantics not valid for '%.*s' function",
                           STR_ARG(name.parts[0].lower));
            e->call->mode = at->kind == KW_RUNNING ? AST_MODE_RUNNING : AST_MODE_FINAL;
            return e;
        }
        break;
    default:
        break;
    }
    if (is_string(second))
        return parse_typed_literal(p);
    if (second == TOK_ARROW)
        return parse_lambda(p);
    if (next_is_call(p, 0)) {
        struct ast_name name = parse_name(p);
        return parse_call(p, name, at, NULL);
    }
    if (second == KW_OVER && (peek(p, 2) == TOK_LPAREN || is_ident(peek(p, 2)))) {
        struct ast_expr *e = parse_new_expr(p, AST_EXPR_MEASURE, at);
        e->measure.name = parse_ident(p);
        e->measure.window = parse_over(p);
        return e;
    }
    struct ast_expr *e = parse_new_expr(p, AST_EXPR_IDENT, at);
    e->ident = parse_ident(p);
    return e;
}

static struct ast_expr *parse_primary_base(struct parser *p)
{
    const struct token *at = here(p);
    struct ast_expr *e;
    switch (at->kind) {
    case KW_NULL:
        p->at++;
        return parse_new_expr(p, AST_EXPR_NULL, at);
    case KW_TRUE:
    case KW_FALSE:
        e = parse_new_expr(p, AST_EXPR_BOOLEAN, at);
        e->boolean = at->kind == KW_TRUE;
        p->at++;
        return e;
    case TOK_MINUS:
    case TOK_INTEGER:
    case TOK_DECIMAL:
    case TOK_DOUBLE:
        return parse_number(p);
    case TOK_STRING:
    case TOK_UNICODE_STRING:
        e = parse_new_expr(p, AST_EXPR_STRING, at);
        e->text = parse_string(p);
        return e;
    case TOK_BINARY:
        return parse_binary_literal(p);
    case TOK_QUESTION:
        e = parse_new_expr(p, AST_EXPR_PARAMETER, at);
        e->parameter = p->parameters++;
        p->at++;
        return e;
    case TOK_LPAREN:
        return parse_parens(p);
    case TOK_LBRACKET:
        return parse_array(p, at);
    case KW_EXISTS:
        e = parse_new_expr(p, AST_EXPR_EXISTS, at);
        p->at++;
        expect(p, TOK_LPAREN);
        e->query = parse_query(p);
        expect(p, TOK_RPAREN);
        return e;
    case KW_CASE:
        return parse_case(p);
    case KW_CAST:
        if (peek(p, 1) != TOK_LPAREN) {
            p->at++;
            parse_fail_syntax(p);
        }
        return parse_cast(p);
    case KW_TRIM:
        return parse_trim(p);
    case KW_NORMALIZE:
        return parse_normalize(p);
    case KW_EXTRACT:
        return parse_extract(p);
    case KW_GROUPING:
        return parse_grouping(p);
    case KW_LISTAGG:
        return parse_listagg(p);
    case KW_JSON_EXISTS:
    case KW_JSON_VALUE:
    case KW_JSON_QUERY:
    case KW_JSON_OBJECT:
    case KW_JSON_ARRAY:
        return parse_json_function(p);
    default:
        if (is_ident((enum token_kind)at->kind))
            return parse_named(p);
        return parse_current(p);
    }
}

static struct ast_expr *parse_primary(struct parser *p)
{
    struct parse_mark mark = parse_enter(p);
    const struct token *at = here(p);
    struct ast_expr *e = parse_primary_base(p);
    parse_taller(p);
    for (;;) {
        if (next_is(p, TOK_LBRACKET)) {
            struct ast_expr *outer = parse_new_expr(p, AST_EXPR_SUBSCRIPT, at);
            p->at++;
            outer->subscript.base = e;
            outer->subscript.index = parse_value_expr(p);
            expect(p, TOK_RBRACKET);
            e = outer;
        } else if (next_is(p, TOK_DOT) && peek(p, 1) != TOK_ASTERISK) {
            struct ast_expr *outer = parse_new_expr(p, AST_EXPR_DEREFERENCE, at);
            p->at++;
            outer->dereference.base = e;
            outer->dereference.field = parse_new_ident(p);
            e = outer;
        } else {
            break;
        }
        parse_taller(p);
    }
    p->primary = e;
    parse_leave(p, mark);
    return e;
}

/* How strongly the operators of value expressions bind. */
enum { BIND_CONCAT = 1, BIND_ADD = 2, BIND_MULTIPLY = 3, BIND_SIGN = 4, BIND_AT = 5 };

static struct ast_expr *parse_value_binary(struct parser *p, int floor);

static struct ast_expr *parse_signed(struct parser *p)
{
    const struct token *at = here(p);
    enum token_kind second = peek(p, 1);
    bool is_literal = at->kind == TOK_MINUS && (second == TOK_INTEGER || second == TOK_DECIMAL || second == TOK_DOUBLE);
    if ((at->kind != TOK_MINUS && at->kind != TOK_PLUS) || is_literal)
        return parse_primary(p);
    struct ast_expr *e = parse_new_expr(p, at->kind == TOK_MINUS ? AST_EXPR_NEGATE : AST_EXPR_PLUS, at);
    p->at++;
    e->operand = parse_value_binary(p, BIND_SIGN);
    parse_taller(p);
    return e;
}

static struct ast_expr *parse_value_binary(struct parser *p, int floor)
{
    struct parse_mark mark = parse_enter(p);
    struct ast_expr *left = parse_signed(p);
    for (;;) {
        const struct token *at = here(p);
        enum token_kind kind = (enum token_kind)at->kind;
        int bind = 0;
        enum ast_arithmetic op = AST_ADD;
        switch (kind) {
        case TOK_ASTERISK:
        case TOK_SLASH:
        case TOK_PERCENT:
            bind = BIND_MULTIPLY;
            op = kind == TOK_ASTERISK ? AST_MULTIPLY : kind == TOK_SLASH ? AST_DIVIDE : AST_MODULUS;
            break;
        case TOK_PLUS:
        case TOK_MINUS:
            bind = BIND_ADD;
            op = kind == TOK_PLUS ? AST_ADD : AST_SUBTRACT;
            break;
        case TOK_CONCAT:
            bind = BIND_CONCAT;
            break;
        case KW_AT:
            if (peek(p, 1) == KW_TIME && peek(p, 2) == KW_ZONE)
                bind = BIND_AT;
            break;
        default:
            break;
        }
        if (bind == 0 || bind < floor)
            break;
        struct ast_expr *e;
        p->at++;
        if (bind == BIND_AT) {
            p->at += 2;
            e = parse_new_expr(p, AST_EXPR_AT_TIME_ZONE, at);
            e->binary.left = left;
            if (next_is(p, KW_INTERVAL)) {
                e->binary.right = parse_interval(p);
            } else {
                struct ast_expr *zone = parse_new_expr(p, AST_EXPR_STRING, here(p));
                zone->text = parse_string(p);
                e->binary.right = zone;
            }
        } else if (bind == BIND_CONCAT) {
            e = parse_new_expr(p, AST_EXPR_CONCAT, at);
            e->binary.left = left;
            e->binary.right = parse_value_binary(p, bind + 1);
        } else {
            e = parse_new_expr(p, AST_EXPR_ARITHMETIC, at);
            e->arithmetic.op = op;
            e->arithmetic.left = left;
            e->arithmetic.right = parse_value_binary(p, bind + 1);
        }
        left = e;
        parse_taller(p);
    }
    parse_leave(p, mark);
    return left;
}

struct ast_expr *parse_value_expr(struct parser *p)
{
    return parse_value_binary(p, 0);
}

static bool compare_op(enum token_kind kind, enum ast_compare *ret)
{
    switch (kind) {
    case TOK_EQ:
        *ret = AST_EQ;
        return true;
    case TOK_NEQ:
        *ret = AST_NE;
        return true;
    case TOK_LT:
        *ret = AST_LT;
        return true;
    case TOK_LTE:
        *ret = AST_LE;
        return true;
    case TOK_GT:
        *ret = AST_GT;
        return true;
    case TOK_GTE:
        *ret = AST_GE;
        return true;
    default:
        return false;
    }
}

/* In parentheses that hold nothing but another parenthesised thing, `((SELECT 1))`: Trino reads these as a list of one
 * scalar subquery, not as a query in double parentheses. */
static bool parens_hold_parens(const struct parser *p, size_t k)
{
    if (peek(p, k + 1) != TOK_LPAREN)
        return false;
    size_t outer = parse_match(p, p->at + k), inner = parse_match(p, p->at + k + 1);
    return outer != SIZE_MAX && inner != SIZE_MAX && inner + 1 == outer;
}

static struct ast_expr *parse_in(struct parser *p, struct ast_expr *value, const struct token *at)
{
    if (!next_is(p, TOK_LPAREN))
        parse_fail_syntax(p);
    struct ast_expr *e;
    if (parens_hold_query(p, 0) && !parens_hold_parens(p, 0)) {
        e = parse_new_expr(p, AST_EXPR_IN_QUERY, at);
        p->at++;
        e->in_query.value = value;
        e->in_query.query = parse_query(p);
    } else {
        e = parse_new_expr(p, AST_EXPR_IN_LIST, at);
        p->at++;
        e->in_list.value = value;
        e->in_list.items = parse_exprs(p);
    }
    expect(p, TOK_RPAREN);
    return e;
}

/* The predicate behind a value, or the value alone. */
static struct ast_expr *parse_predicate(struct parser *p, struct ast_expr *value)
{
    const struct token *at = here(p);
    enum ast_compare op;
    if (compare_op((enum token_kind)at->kind, &op)) {
        p->at++;
        enum token_kind kind = peek(p, 0);
        if ((kind == KW_ALL || kind == KW_ANY || kind == KW_SOME) && peek(p, 1) == TOK_LPAREN &&
            parens_hold_query(p, 1) && !parens_hold_parens(p, 1)) {
            struct ast_expr *e = parse_new_expr(p, AST_EXPR_QUANTIFIED, at);
            e->quantified.op = op;
            e->quantified.quantifier = kind == KW_ALL   ? AST_QUANTIFIER_ALL
                                       : kind == KW_ANY ? AST_QUANTIFIER_ANY
                                                        : AST_QUANTIFIER_SOME;
            e->quantified.value = value;
            p->at += 2;
            e->quantified.query = parse_query(p);
            expect(p, TOK_RPAREN);
            parse_taller(p);
            return e;
        }
        struct ast_expr *e = parse_new_expr(p, AST_EXPR_COMPARE, at);
        e->compare.op = op;
        e->compare.left = value;
        e->compare.right = parse_value_expr(p);
        parse_taller(p);
        return e;
    }
    bool negated = false;
    struct ast_expr *e = NULL;
    if (next_is(p, KW_IS)) {
        p->at++;
        negated = accept(p, KW_NOT);
        if (accept(p, KW_NULL)) {
            e = parse_new_expr(p, negated ? AST_EXPR_IS_NOT_NULL : AST_EXPR_IS_NULL, at);
            e->operand = value;
            parse_taller(p);
            return e;
        }
        expect(p, KW_DISTINCT);
        expect(p, KW_FROM);
        e = parse_new_expr(p, AST_EXPR_DISTINCT_FROM, at);
        e->binary.left = value;
        e->binary.right = parse_value_expr(p);
    } else {
        negated = accept(p, KW_NOT);
        if (accept(p, KW_BETWEEN)) {
            e = parse_new_expr(p, AST_EXPR_BETWEEN, at);
            e->between.value = value;
            e->between.low = parse_value_expr(p);
            expect(p, KW_AND);
            e->between.high = parse_value_expr(p);
        } else if (accept(p, KW_IN)) {
            e = parse_in(p, value, at);
        } else if (accept(p, KW_LIKE)) {
            e = parse_new_expr(p, AST_EXPR_LIKE, at);
            e->like.value = value;
            e->like.pattern = parse_value_expr(p);
            if (accept(p, KW_ESCAPE))
                e->like.escape = parse_value_expr(p);
        } else if (negated) {
            parse_fail_syntax(p);
        } else {
            return value;
        }
    }
    parse_taller(p);
    if (negated) {
        struct ast_expr *not = parse_new_expr(p, AST_EXPR_NOT, at);
        not ->operand = e;
        e = not ;
        parse_taller(p);
    }
    return e;
}

enum { BIND_OR = 1, BIND_AND = 2, BIND_NOT = 3 };

/* `value`: the value expression that it starts with, when that was read already. */
static struct ast_expr *parse_boolean(struct parser *p, int floor, struct ast_expr *value)
{
    struct parse_mark mark = parse_enter(p);
    if (value)
        p->tall = mark.tall; /* the value's height was counted outside */
    const struct token *at = here(p);
    struct ast_expr *left;
    if (!value && accept(p, KW_NOT)) {
        left = parse_new_expr(p, AST_EXPR_NOT, at);
        left->operand = parse_boolean(p, BIND_NOT, NULL);
        parse_taller(p);
    } else {
        left = parse_predicate(p, value ? value : parse_value_expr(p));
    }
    for (;;) {
        enum token_kind kind = peek(p, 0);
        int bind = kind == KW_AND ? BIND_AND : kind == KW_OR ? BIND_OR : 0;
        if (bind == 0 || bind < floor)
            break;
        struct ast_expr *e = parse_new_expr(p, AST_EXPR_LOGICAL, at);
        e->logical.is_or = kind == KW_OR;
        parse_push(p, &e->logical.terms, left);
        while (accept(p, kind)) {
            struct ast_expr *term = parse_boolean(p, bind + 1, NULL);
            parse_push(p, &e->logical.terms, term);
        }
        set_position(e, at);
        left = e;
        parse_taller(p);
    }
    parse_leave(p, mark);
    return left;
}

struct ast_expr *parse_expr(struct parser *p)
{
    return parse_boolean(p, 0, NULL);
}

struct ast_expr *parse_expr_from(struct parser *p, struct ast_expr *value)
{
    return parse_boolean(p, 0, value);
}
