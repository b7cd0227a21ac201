#include "sql/parser.h"
#include <stdarg.h>

/* Nodes of one statement, tokens included: the worst text of SQL_TEXT_MAX bytes takes about half of it. */
enum { PARSE_MEMORY_MAX = 192 << 20 };

_Noreturn static void unwind(struct parser *p, int code)
{
    p->code = code;
    longjmp(p->fail, 1);
}

void parse_fail(struct parser *p, const struct token *at, const char *fmt, ...)
{
    char message[ERR_MESSAGE_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    unwind(p, err_set_at(p->err, ERR_INVALID, "SYNTAX_ERROR", (int)at->line, (int)at->column, "%s", message));
}

void parse_fail_unsupported(struct parser *p, const struct token *at, const char *feature)
{
    unwind(p, err_set_at(p->err, ERR_UNSUPPORTED, "NOT_SUPPORTED", (int)at->line, (int)at->column,
                         "%s is not supported", feature));
}

void parse_fail_syntax(struct parser *p)
{
    const struct token *at = here(p);
    parse_fail(p, at, "mismatched input '%.*s'", STR_ARG(token_text(&p->t, p->at)));
}

/* As Trino says it, which meets its own bound with a stack overflow. */
_Noreturn static void fail_too_large(struct parser *p)
{
    static const struct token start = {.line = 1, .column = 1};
    parse_fail(p, &start, "statement is too large (stack overflow while parsing)");
}

struct parse_mark parse_enter(struct parser *p)
{
    struct parse_mark mark = {p->tall};
    p->tall = 0;
    if (++p->depth > PARSE_DEPTH_MAX)
        fail_too_large(p);
    return mark;
}

void parse_leave(struct parser *p, struct parse_mark mark)
{
    p->depth--;
    if (mark.tall > p->tall)
        p->tall = mark.tall;
}

void parse_taller(struct parser *p)
{
    if (++p->tall > SQL_HEIGHT_MAX)
        fail_too_large(p);
}

void *parse_alloc(struct parser *p, size_t n)
{
    if (p->a->used > PARSE_MEMORY_MAX)
        fail_too_large(p);
    return arena_alloc(p->a, n);
}

bool is_ident(enum token_kind kind)
{
    return kind == TOK_IDENTIFIER || kind == TOK_QUOTED_IDENTIFIER || kind == TOK_BACKQUOTED_IDENTIFIER ||
           kind == TOK_DIGIT_IDENTIFIER || keyword_is_open(kind);
}

bool is_string(enum token_kind kind)
{
    return kind == TOK_STRING || kind == TOK_UNICODE_STRING;
}

bool is_interval_field(enum token_kind kind)
{
    return kind == KW_YEAR || kind == KW_MONTH || kind == KW_DAY || kind == KW_HOUR || kind == KW_MINUTE ||
           kind == KW_SECOND;
}

/* The content between the quotes, doubled ones halved. */
static struct str unquote(struct parser *p, struct str quoted)
{
    char quote = quoted.p[0];
    struct str inner = str_slice(quoted, 1, quoted.n - 2);
    if (str_find_char(inner, quote, 0) == SIZE_MAX)
        return inner;
    char *out = parse_alloc(p, inner.n);
    size_t n = 0;
    for (size_t i = 0; i < inner.n; i++) {
        out[n++] = inner.p[i];
        if (inner.p[i] == quote)
            i++;
    }
    return str_from(out, n);
}

static struct str lower(struct parser *p, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] >= 'A' && s.p[i] <= 'Z')
            return arena_lower(p->a, s);
    return s;
}

struct ast_ident parse_ident(struct parser *p)
{
    const struct token *t = here(p);
    if (!is_ident((enum token_kind)t->kind))
        parse_fail_syntax(p);
    struct ast_ident id = {.line = (int)t->line, .column = (int)t->column, .value = token_text(&p->t, p->at)};
    if (t->kind == TOK_QUOTED_IDENTIFIER) {
        if (t->n == 2)
            parse_fail(p, t, "Zero-length delimited identifier not allowed");
        id.value = unquote(p, id.value);
        id.quoted = true;
    } else if (t->kind == TOK_BACKQUOTED_IDENTIFIER) {
        parse_fail(p, t, "backquoted identifiers are not supported; use double quotes to quote identifiers");
    } else if (t->kind == TOK_DIGIT_IDENTIFIER) {
        parse_fail(p, t, "identifiers must not start with a digit; surround the identifier with double quotes");
    }
    id.lower = lower(p, id.value);
    p->at++;
    return id;
}

struct ast_ident *parse_new_ident(struct parser *p)
{
    struct ast_ident *id = parse_new(p, struct ast_ident);
    *id = parse_ident(p);
    return id;
}

struct ast_name parse_name(struct parser *p)
{
    struct ast_name name = {.line = (int)here(p)->line, .column = (int)here(p)->column};
    struct ast_idents parts = {0};
    do
        parse_push(p, &parts, parse_ident(p));
    while (accept(p, TOK_DOT));
    name.parts = parts.items;
    name.n = parts.n;
    return name;
}

struct ast_idents parse_idents_in_parens(struct parser *p)
{
    struct ast_idents list = {0};
    expect(p, TOK_LPAREN);
    do
        parse_push(p, &list, parse_ident(p));
    while (accept(p, TOK_COMMA));
    expect(p, TOK_RPAREN);
    return list;
}

static int put_rune(char *out, uint32_t rune)
{
    if (rune < 0x80) {
        out[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        out[0] = (char)(0xC0 | rune >> 6);
        out[1] = (char)(0x80 | (rune & 0x3F));
        return 2;
    }
    if (rune < 0x10000) {
        out[0] = (char)(0xE0 | rune >> 12);
        out[1] = (char)(0x80 | (rune >> 6 & 0x3F));
        out[2] = (char)(0x80 | (rune & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | rune >> 18);
    out[1] = (char)(0x80 | (rune >> 12 & 0x3F));
    out[2] = (char)(0x80 | (rune >> 6 & 0x3F));
    out[3] = (char)(0x80 | (rune & 0x3F));
    return 4;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* \XXXX and \+XXXXXX, with another character in the backslash's place after UESCAPE. */
static struct str decode_unicode(struct parser *p, const struct token *at, struct str raw, char escape)
{
    char *out = parse_alloc(p, raw.n + 4); /* an escape of 5 bytes or more makes 4 at most */
    size_t n = 0;
    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] != escape) {
            out[n++] = raw.p[i++];
            continue;
        }
        i++;
        if (i >= raw.n)
            parse_fail(p, at, "Incomplete escape sequence: ");
        if (raw.p[i] == escape) {
            out[n++] = raw.p[i++];
            continue;
        }
        size_t digits = 4;
        if (raw.p[i] == '+') {
            digits = 6;
            i++;
        } else if (hex_value(raw.p[i]) < 0) {
            size_t end = i;
            str_next_rune(raw, &end);
            parse_fail(p, at, "Invalid hexadecimal digit: %.*s", STR_ARG(str_slice(raw, i, end - i)));
        }
        uint32_t rune = 0;
        for (size_t k = 0; k < digits; k++) {
            int value = i + k < raw.n ? hex_value(raw.p[i + k]) : -1;
            if (value < 0)
                parse_fail(p, at, "Incomplete escape sequence: %.*s", STR_ARG(str_slice(raw, i, k)));
            rune = rune << 4 | (uint32_t)value;
        }
        struct str code = str_slice(raw, i, digits);
        if (rune > 0x10FFFF)
            parse_fail(p, at, "Invalid escaped character: %.*s", STR_ARG(code));
        if (rune >= 0xD800 && rune <= 0xDFFF)
            parse_fail(p, at,
                       "Invalid escaped character: %.*s. Escaped character is a surrogate. Use '\\+123456' instead.",
                       STR_ARG(code));
        n += (size_t)put_rune(out + n, rune);
        i += digits;
    }
    return str_from(out, n);
}

struct str parse_string(struct parser *p)
{
    const struct token *t = here(p);
    if (t->kind == TOK_STRING)
        return unquote(p, token_text(&p->t, p->at++));
    if (t->kind != TOK_UNICODE_STRING)
        parse_fail_syntax(p);
    struct str raw = unquote(p, str_skip(token_text(&p->t, p->at++), 2));
    char escape = '\\';
    if (accept(p, KW_UESCAPE)) {
        expect(p, TOK_STRING);
        struct str e = unquote(p, token_text(&p->t, p->at - 1));
        if (e.n == 0)
            parse_fail(p, t, "Empty Unicode escape character");
        escape = e.p[0];
        if (e.n != 1 || escape <= 0x20 || escape >= 0x7F || hex_value(escape) >= 0 || escape == '"' || escape == '+' ||
            escape == '\'')
            parse_fail(p, t, "Invalid Unicode escape character: %.*s", STR_ARG(e));
    }
    return decode_unicode(p, t, raw, escape);
}

enum ast_interval_field parse_interval_field(struct parser *p)
{
    enum token_kind kind = peek(p, 0);
    if (!is_interval_field(kind))
        parse_fail_syntax(p);
    p->at++;
    switch (kind) {
    case KW_YEAR:
        return AST_YEAR;
    case KW_MONTH:
        return AST_MONTH;
    case KW_DAY:
        return AST_DAY;
    case KW_HOUR:
        return AST_HOUR;
    case KW_MINUTE:
        return AST_MINUTE;
    default:
        return AST_SECOND;
    }
}

int64_t parse_integer(struct parser *p, const struct token *token, bool negative)
{
    struct str s = str_slice(p->t.text, token->start, token->n);
    unsigned base = 10;
    size_t i = 0;
    if (s.n > 2 && s.p[0] == '0') {
        char letter = (char)(s.p[1] | 0x20);
        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
        if (base != 10)
            i = 2;
    }
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    for (; i < s.n; i++) {
        if (s.p[i] == '_')
            continue;
        uint64_t digit = (uint64_t)hex_value(s.p[i]);
        if (value > (limit - digit) / base)
            parse_fail(p, negative ? token - 1 : token, "Invalid numeric literal: %s%.*s", negative ? "-" : "",
                       STR_ARG(s));
        value = value * base + digit;
    }
    return negative ? (int64_t)(0 - value) : (int64_t)value;
}

struct str parse_text_between(const struct parser *p, size_t from, size_t to)
{
    if (to <= from)
        return STR("");
    const struct token *first = &p->t.items[from], *last = &p->t.items[to - 1];
    return str_slice(p->t.text, first->start, last->start + last->n - first->start);
}

size_t parse_match(const struct parser *p, size_t i)
{
    uint32_t match = p->t.items[i].match;
    return match ? match : SIZE_MAX;
}

static void init(struct parser *p, struct arena *a, struct err *err)
{
    *p = (struct parser){.a = a, .err = err};
}

/* The message of a syntax error: the walk over the grammar knows what could have stood where. */
static int explain(struct parser *p, enum parse_start start)
{
    struct err *err = p->err;
    if (!err || p->code != ERR_INVALID || !str_starts_with(str_from_cstr(err->message), STR("mismatched input")))
        return p->code;
    size_t token;
    struct str expected;
    if (!parse_explain(p->a, &p->t, start, &token, &expected))
        return p->code;
    const struct token *at = &p->t.items[token];
    return err_set_at(err, ERR_INVALID, "SYNTAX_ERROR", (int)at->line, (int)at->column,
                      "mismatched input '%.*s'. Expecting: %.*s", STR_ARG(token_text(&p->t, token)), STR_ARG(expected));
}

int sql_parse(struct arena *a, struct str text, struct ast_statement **ret, struct err *err)
{
    struct parser p;
    init(&p, a, err);
    int r = lex(a, text, &p.t, err);
    if (r < 0)
        return r;
    if (setjmp(p.fail))
        return explain(&p, PARSE_STATEMENT);
    struct ast_statement *s = parse_statement(&p);
    expect(&p, TOK_EOF);
    s->parameters = p.parameters;
    *ret = s;
    return 0;
}

int sql_parse_expr(struct arena *a, struct str text, struct ast_expr **ret, struct err *err)
{
    struct parser p;
    init(&p, a, err);
    int r = lex(a, text, &p.t, err);
    if (r < 0)
        return r;
    if (setjmp(p.fail))
        return explain(&p, PARSE_EXPRESSION);
    struct ast_expr *e = parse_expr(&p);
    expect(&p, TOK_EOF);
    *ret = e;
    return 0;
}

int sql_parse_type(struct arena *a, struct str text, struct ast_type **ret, struct err *err)
{
    struct parser p;
    init(&p, a, err);
    int r = lex(a, text, &p.t, err);
    if (r < 0)
        return r;
    if (setjmp(p.fail))
        return explain(&p, PARSE_TYPE);
    struct ast_type *type = parse_type(&p);
    expect(&p, TOK_EOF);
    *ret = type;
    return 0;
}

bool sql_is_reserved(struct str word)
{
    enum token_kind kind = keyword_find(word);
    return kind != TOK_IDENTIFIER && !keyword_is_open(kind);
}
