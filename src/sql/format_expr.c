/*
 * Expressions as text, the way Trino's ExpressionFormatter prints them: what error messages and anonymous names show.
 * The texts are normalized, not the user's: operators in parentheses, keywords in capitals.
 */
#include "base/enc.h"
#include "sql/analyze_expr.h"
#include <math.h>

enum { MAX_TEXT = 1 << 20 };

static void format(struct buf *to, const struct ast_expr *e);

static void format_list(struct buf *to, const struct ast_exprs *list, const char *separator)
{
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            buf_add_cstr(to, separator);
        format(to, list->items[i]);
    }
}

static void format_quoted(struct buf *to, struct str s, char quote)
{
    buf_add_char(to, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            buf_add_char(to, quote);
        buf_add_char(to, s.p[i]);
    }
    buf_add_char(to, quote);
}

static void format_ident(struct buf *to, const struct ast_ident *i)
{
    if (i->quoted)
        format_quoted(to, i->value, '"');
    else
        buf_add_str(to, i->value);
}

static void format_name(struct buf *to, const struct ast_name *name)
{
    for (size_t i = 0; i < name->n; i++) {
        if (i > 0)
            buf_add_char(to, '.');
        format_ident(to, &name->parts[i]);
    }
}

static void format_string(struct buf *to, struct str s)
{
    bool printable = true;

    for (size_t i = 0; i < s.n; i++)
        printable = printable && s.p[i] >= 0x20 && s.p[i] <= 0x7e;
    if (printable) {
        format_quoted(to, s, '\'');
        return;
    }
    buf_add_cstr(to, "U&'");
    for (size_t at = 0; at < s.n;) {
        uint32_t rune = str_next_rune(s, &at);

        if (rune >= 0x20 && rune < 0x7f) {
            if (rune == '\\' || rune == '\'')
                buf_add_char(to, (char)rune);
            buf_add_char(to, (char)rune);
        } else if (rune <= 0xffff) {
            buf_addf(to, "\\%04X", (unsigned)rune);
        } else {
            buf_addf(to, "\\+%06X", (unsigned)rune);
        }
    }
    buf_add_char(to, '\'');
}

/* 1.5E-3: Java's DecimalFormat "0.###################E0###". */
static void format_double(struct buf *to, double v)
{
    char digits[40];
    int precision = 0;

    if (isinf(v)) {
        buf_add_cstr(to, v < 0 ? "-\xe2\x88\x9e" : "\xe2\x88\x9e");
        return;
    }
    do {
        (void)snprintf(digits, sizeof(digits), "%.*e", precision, v);
    } while (strtod(digits, NULL) != v && ++precision < 17);
    char *exponent = strchr(digits, 'e');
    buf_append(to, digits, (size_t)(exponent - digits));
    buf_addf(to, "E%ld", strtol(exponent + 1, NULL, 10));
}

static const char *field_name(enum ast_interval_field f)
{
    static const char *const names[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};

    return names[f];
}

/* ---- types ---- */

static void format_type(struct buf *to, const struct ast_type *t)
{
    switch (t->kind) {
    case AST_TYPE_GENERIC:
        format_ident(to, &t->generic.name);
        for (size_t i = 0; i < t->generic.n; i++) {
            buf_add_cstr(to, i == 0 ? "(" : ", ");
            if (t->generic.params[i].type)
                format_type(to, t->generic.params[i].type);
            else
                buf_add_str(to, t->generic.params[i].text);
        }
        if (t->generic.n > 0)
            buf_add_char(to, ')');
        break;
    case AST_TYPE_DATETIME:
        buf_add_cstr(to, t->datetime.timestamp ? "timestamp" : "time");
        if (t->datetime.precision)
            buf_addf(to, "(%.*s)", STR_ARG(t->datetime.precision->text));
        if (t->datetime.with_time_zone)
            buf_add_cstr(to, " with time zone");
        break;
    case AST_TYPE_INTERVAL:
        buf_addf(to, "INTERVAL %s", field_name(t->interval.from));
        if (t->interval.from != t->interval.to)
            buf_addf(to, " TO %s", field_name(t->interval.to));
        break;
    case AST_TYPE_ROW:
        buf_add_cstr(to, "ROW(");
        for (size_t i = 0; i < t->row.n; i++) {
            if (i > 0)
                buf_add_cstr(to, ", ");
            if (t->row.items[i].name) {
                format_ident(to, t->row.items[i].name);
                buf_add_char(to, ' ');
            }
            format_type(to, t->row.items[i].type);
        }
        buf_add_char(to, ')');
        break;
    }
}

struct str analyze_format_type(struct arena *a, const struct ast_type *t)
{
    struct buf BUF_SCOPED b = {0};

    buf_init(&b, MAX_TEXT);
    format_type(&b, t);
    return arena_str(a, buf_str(&b));
}

/* ---- calls ---- */

static void format_sorts(struct buf *to, const struct ast_sorts *sorts)
{
    buf_add_cstr(to, "ORDER BY ");
    for (size_t i = 0; i < sorts->n; i++) {
        if (i > 0)
            buf_add_cstr(to, ", ");
        format(to, sorts->items[i].key);
        buf_add_cstr(to, sorts->items[i].descending ? " DESC" : " ASC");
        if (sorts->items[i].nulls != AST_NULLS_DEFAULT)
            buf_add_cstr(to, sorts->items[i].nulls == AST_NULLS_FIRST ? " NULLS FIRST" : " NULLS LAST");
    }
}

static void format_bound(struct buf *to, const struct ast_bound *b)
{
    switch (b->kind) {
    case AST_UNBOUNDED_PRECEDING:
        buf_add_cstr(to, "UNBOUNDED PRECEDING");
        break;
    case AST_UNBOUNDED_FOLLOWING:
        buf_add_cstr(to, "UNBOUNDED FOLLOWING");
        break;
    case AST_CURRENT_ROW:
        buf_add_cstr(to, "CURRENT ROW");
        break;
    case AST_PRECEDING:
    case AST_FOLLOWING:
        format(to, b->offset);
        buf_add_cstr(to, b->kind == AST_PRECEDING ? " PRECEDING" : " FOLLOWING");
        break;
    }
}

static void format_frame(struct buf *to, const struct ast_frame *f)
{
    static const char *const units[] = {
        [AST_FRAME_RANGE] = "RANGE", [AST_FRAME_ROWS] = "ROWS", [AST_FRAME_GROUPS] = "GROUPS"};

    buf_addf(to, "%s ", units[f->unit]);
    if (f->end)
        buf_add_cstr(to, "BETWEEN ");
    format_bound(to, &f->start);
    if (f->end) {
        buf_add_cstr(to, " AND ");
        format_bound(to, f->end);
    }
}

static void format_window(struct buf *to, const struct ast_window *w)
{
    const char *space = "";

    if (w->reference) {
        format_ident(to, w->reference);
        return;
    }
    buf_add_char(to, '(');
    if (w->base) {
        format_ident(to, w->base);
        space = " ";
    }
    if (w->partition_by.n > 0) {
        buf_addf(to, "%sPARTITION BY ", space);
        format_list(to, &w->partition_by, ", ");
        space = " ";
    }
    if (w->order_by.n > 0) {
        buf_add_cstr(to, space);
        format_sorts(to, &w->order_by);
        space = " ";
    }
    if (w->frame) {
        buf_add_cstr(to, space);
        format_frame(to, w->frame);
    }
    buf_add_char(to, ')');
}

static void format_listagg(struct buf *to, const struct ast_call *c)
{
    buf_add_cstr(to, "LISTAGG(");
    if (c->distinct)
        buf_add_cstr(to, "DISTINCT ");
    format_list(to, &c->args, ", ");
    if (c->overflow_truncate) {
        buf_add_cstr(to, " ON OVERFLOW  TRUNCATE ");
        format_string(to, str_is_null(c->overflow_filler) ? STR("...") : c->overflow_filler);
        buf_add_cstr(to, c->overflow_count ? " WITH COUNT)" : " WITHOUT COUNT)");
    } else {
        buf_add_cstr(to, " ON OVERFLOW  ERROR)");
    }
    if (c->order_by.n > 0) {
        buf_add_cstr(to, " WITHIN GROUP (");
        format_sorts(to, &c->order_by);
        buf_add_char(to, ')');
    }
}

static void format_call(struct buf *to, const struct ast_call *c)
{
    if (c->listagg) {
        format_listagg(to, c);
    } else {
        format_name(to, &c->name);
        buf_add_char(to, '(');
        if (c->distinct)
            buf_add_cstr(to, "DISTINCT ");
        if (c->args.n == 0 && str_eq(c->name.parts[c->name.n - 1].lower, STR("count")))
            buf_add_char(to, '*');
        format_list(to, &c->args, ", ");
        if (c->order_by.n > 0) {
            buf_add_char(to, ' ');
            format_sorts(to, &c->order_by);
        }
        buf_add_char(to, ')');
    }
    if (c->nulls != AST_NULLS_UNSAID)
        buf_add_cstr(to, c->nulls == AST_IGNORE_NULLS ? " IGNORE NULLS" : " RESPECT NULLS");
    if (c->filter) {
        buf_add_cstr(to, " FILTER (WHERE ");
        format(to, c->filter);
        buf_add_char(to, ')');
    }
    if (c->window) {
        buf_add_cstr(to, " OVER ");
        format_window(to, c->window);
    }
}

/* ---- the others ---- */

static void format_binary(struct buf *to, const struct ast_expr *left, const char *operator,
                          const struct ast_expr * right)
{
    buf_add_char(to, '(');
    format(to, left);
    buf_addf(to, " %s ", operator);
    format(to, right);
    buf_add_char(to, ')');
}

static const char *compare_text(enum ast_compare op)
{
    static const char *const texts[] = {"=", "<>", "<", "<=", ">", ">="};

    return texts[op];
}

static void format_around(struct buf *to, const char *before, const struct ast_expr *e, const char *after)
{
    buf_add_cstr(to, before);
    format(to, e);
    buf_add_cstr(to, after);
}

static void format_call_of(struct buf *to, const char *name, const struct ast_exprs *list)
{
    buf_addf(to, "%s(", name);
    format_list(to, list, ", ");
    buf_add_char(to, ')');
}

static void format_cases(struct buf *to, const struct ast_expr *e)
{
    buf_add_cstr(to, "(CASE ");
    if (e->cases.operand)
        format_around(to, "", e->cases.operand, " ");
    for (size_t i = 0; i < e->cases.n; i++) {
        format_around(to, "WHEN ", e->cases.whens[i].condition, " THEN ");
        format_around(to, "", e->cases.whens[i].result, " ");
    }
    if (e->cases.otherwise)
        format_around(to, "ELSE ", e->cases.otherwise, " ");
    buf_add_cstr(to, "END)");
}

static void format_literal(struct buf *to, const struct ast_expr *e)
{
    struct buf BUF_SCOPED hex = {0};

    switch (e->kind) {
    case AST_EXPR_NULL:
        buf_add_cstr(to, "null");
        break;
    case AST_EXPR_BOOLEAN:
        buf_add_cstr(to, e->boolean ? "true" : "false");
        break;
    case AST_EXPR_STRING:
        format_string(to, e->text);
        break;
    case AST_EXPR_BYTES:
        buf_init(&hex, MAX_TEXT);
        enc_hex(&hex, e->text.p, e->text.n);
        for (size_t i = 0; i < hex.n; i++)
            if (hex.p[i] >= 'a')
                hex.p[i] = (char)(hex.p[i] - 'a' + 'A');
        buf_addf(to, "X'%.*s'", STR_ARG(buf_str(&hex)));
        break;
    case AST_EXPR_INTEGER:
        buf_add_i64(to, e->integer);
        break;
    case AST_EXPR_DECIMAL:
        buf_addf(to, "DECIMAL '%.*s'", STR_ARG(e->text));
        break;
    case AST_EXPR_DOUBLE:
        format_double(to, e->real);
        break;
    case AST_EXPR_INTERVAL:
        buf_addf(to, "INTERVAL %s '%.*s' %s", e->interval.negative ? "- " : "", STR_ARG(e->interval.value),
                 field_name(e->interval.from));
        if (e->interval.from != e->interval.to)
            buf_addf(to, " TO %s", field_name(e->interval.to));
        break;
    default: /* AST_EXPR_TYPED */
        buf_addf(to, "%.*s ", STR_ARG(e->typed.type));
        format_string(to, e->typed.value);
        break;
    }
}

static void format_current(struct buf *to, const struct ast_expr *e)
{
    static const char *const names[] = {
        [AST_CURRENT_DATE] = "current_date",           [AST_CURRENT_TIME] = "current_time",
        [AST_CURRENT_TIMESTAMP] = "current_timestamp", [AST_LOCALTIME] = "localtime",
        [AST_LOCALTIMESTAMP] = "localtimestamp",       [AST_CURRENT_USER] = "CURRENT_USER",
        [AST_CURRENT_CATALOG] = "CURRENT_CATALOG",     [AST_CURRENT_SCHEMA] = "CURRENT_SCHEMA",
        [AST_CURRENT_PATH] = "CURRENT_PATH",
    };

    buf_add_cstr(to, names[e->current.what]);
    if (e->current.precision >= 0)
        buf_addf(to, "(%d)", e->current.precision);
}

static void format_lambda(struct buf *to, const struct ast_expr *e)
{
    buf_add_char(to, '(');
    for (size_t i = 0; i < e->lambda.params.n; i++) {
        if (i > 0)
            buf_add_cstr(to, ", ");
        format_ident(to, &e->lambda.params.items[i]);
    }
    format_around(to, ") -> ", e->lambda.body, "");
}

static void format_json(struct buf *to, const struct ast_json *j)
{
    static const char *const names[] = {"JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT", "JSON_ARRAY"};

    buf_addf(to, "%s(", names[j->kind]);
    if (j->input.value) {
        format(to, j->input.value);
        buf_add_cstr(to, ", ");
        format_string(to, j->path);
    }
    for (size_t i = 0; i < j->items.n; i++) {
        if (i > 0)
            buf_add_cstr(to, ", ");
        if (j->items.items[i].key)
            format_around(to, "KEY ", j->items.items[i].key, " VALUE ");
        format(to, j->items.items[i].value);
    }
    buf_add_char(to, ')');
}

static void format_predicate(struct buf *to, const struct ast_expr *e)
{
    static const char *const quantifiers[] = {"ALL", "ANY", "SOME"};

    switch (e->kind) {
    case AST_EXPR_BETWEEN:
        format_around(to, "(", e->between.value, " BETWEEN ");
        format_around(to, "", e->between.low, " AND ");
        format_around(to, "", e->between.high, ")");
        break;
    case AST_EXPR_IN_LIST:
        format_around(to, "(", e->in_list.value, " IN (");
        format_list(to, &e->in_list.items, ", ");
        buf_add_cstr(to, "))");
        break;
    case AST_EXPR_IN_QUERY:
        format_around(to, "(", e->in_query.value, " IN (<subquery>))");
        break;
    case AST_EXPR_LIKE:
        format_around(to, "(", e->like.value, " LIKE ");
        format(to, e->like.pattern);
        if (e->like.escape)
            format_around(to, " ESCAPE ", e->like.escape, "");
        buf_add_char(to, ')');
        break;
    case AST_EXPR_EXISTS:
        buf_add_cstr(to, "(EXISTS (<subquery>))");
        break;
    default: /* AST_EXPR_QUANTIFIED */
        format_around(to, "(", e->quantified.value, " ");
        buf_addf(to, "%s %s (<subquery>))", compare_text(e->quantified.op), quantifiers[e->quantified.quantifier]);
        break;
    }
}

static void format(struct buf *to, const struct ast_expr *e)
{
    static const char *const arithmetic[] = {"+", "-", "*", "/", "%"};
    static const char *const trims[] = {"BOTH", "LEADING", "TRAILING"};

    switch (e->kind) {
    case AST_EXPR_NULL:
    case AST_EXPR_BOOLEAN:
    case AST_EXPR_STRING:
    case AST_EXPR_BYTES:
    case AST_EXPR_INTEGER:
    case AST_EXPR_DECIMAL:
    case AST_EXPR_DOUBLE:
    case AST_EXPR_INTERVAL:
    case AST_EXPR_TYPED:
        format_literal(to, e);
        break;
    case AST_EXPR_IDENT:
        format_ident(to, &e->ident);
        break;
    case AST_EXPR_DEREFERENCE:
        format_around(to, "", e->dereference.base, ".");
        if (e->dereference.field)
            format_ident(to, e->dereference.field);
        else
            buf_add_char(to, '*');
        break;
    case AST_EXPR_SUBSCRIPT:
        format_around(to, "", e->subscript.base, "[");
        format_around(to, "", e->subscript.index, "]");
        break;
    case AST_EXPR_PARAMETER:
        buf_add_char(to, '?');
        break;
    case AST_EXPR_NEGATE:
        format_around(to, "-(", e->operand, ")");
        break;
    case AST_EXPR_PLUS:
        format_around(to, "+", e->operand, "");
        break;
    case AST_EXPR_ARITHMETIC:
        format_binary(to, e->arithmetic.left, arithmetic[e->arithmetic.op], e->arithmetic.right);
        break;
    case AST_EXPR_CONCAT:
        format_around(to, "concat(", e->binary.left, ", ");
        format_around(to, "", e->binary.right, ")");
        break;
    case AST_EXPR_COMPARE:
        format_binary(to, e->compare.left, compare_text(e->compare.op), e->compare.right);
        break;
    case AST_EXPR_DISTINCT_FROM:
        format_binary(to, e->binary.left, "IS DISTINCT FROM", e->binary.right);
        break;
    case AST_EXPR_LOGICAL:
        buf_add_char(to, '(');
        format_list(to, &e->logical.terms, e->logical.is_or ? " OR " : " AND ");
        buf_add_char(to, ')');
        break;
    case AST_EXPR_NOT:
        format_around(to, "(NOT ", e->operand, ")");
        break;
    case AST_EXPR_IS_NULL:
        format_around(to, "(", e->operand, " IS NULL)");
        break;
    case AST_EXPR_IS_NOT_NULL:
        format_around(to, "(", e->operand, " IS NOT NULL)");
        break;
    case AST_EXPR_BETWEEN:
    case AST_EXPR_IN_LIST:
    case AST_EXPR_IN_QUERY:
    case AST_EXPR_LIKE:
    case AST_EXPR_EXISTS:
    case AST_EXPR_QUANTIFIED:
        format_predicate(to, e);
        break;
    case AST_EXPR_SIMPLE_CASE:
    case AST_EXPR_SEARCHED_CASE:
        format_cases(to, e);
        break;
    case AST_EXPR_CAST:
        format_around(to, e->cast.safe ? "TRY_CAST(" : "CAST(", e->cast.value, " AS ");
        format_type(to, e->cast.type);
        buf_add_char(to, ')');
        break;
    case AST_EXPR_EXTRACT:
        buf_addf(to, "EXTRACT(%.*s FROM ", STR_ARG(e->extract.field));
        format_around(to, "", e->extract.value, ")");
        break;
    case AST_EXPR_TRIM:
        buf_addf(to, "trim(%s ", trims[e->trim.where]);
        if (e->trim.chars)
            format_around(to, "", e->trim.chars, " ");
        format_around(to, "FROM ", e->trim.value, ")");
        break;
    case AST_EXPR_AT_TIME_ZONE:
        format_around(to, "", e->binary.left, " AT TIME ZONE ");
        format(to, e->binary.right);
        break;
    case AST_EXPR_CURRENT:
        format_current(to, e);
        break;
    case AST_EXPR_CALL:
        format_call(to, e->call);
        break;
    case AST_EXPR_IF:
        format_around(to, "IF(", e->if_.condition, ", ");
        format(to, e->if_.then);
        if (e->if_.otherwise)
            format_around(to, ", ", e->if_.otherwise, "");
        buf_add_char(to, ')');
        break;
    case AST_EXPR_NULLIF:
        format_around(to, "NULLIF(", e->binary.left, ", ");
        format_around(to, "", e->binary.right, ")");
        break;
    case AST_EXPR_COALESCE:
        format_call_of(to, "COALESCE", &e->list);
        break;
    case AST_EXPR_TRY:
        format_around(to, "TRY(", e->operand, ")");
        break;
    case AST_EXPR_FORMAT:
        format_call_of(to, "format", &e->list);
        break;
    case AST_EXPR_LAMBDA:
        format_lambda(to, e);
        break;
    case AST_EXPR_ARRAY:
        buf_add_cstr(to, "ARRAY[");
        format_list(to, &e->list, ",");
        buf_add_char(to, ']');
        break;
    case AST_EXPR_ROW:
        format_call_of(to, "ROW ", &e->list);
        break;
    case AST_EXPR_GROUPING:
        format_call_of(to, "GROUPING ", &e->grouping);
        break;
    case AST_EXPR_SUBQUERY:
        buf_add_cstr(to, "(<subquery>)");
        break;
    case AST_EXPR_JSON:
        format_json(to, e->json);
        break;
    case AST_EXPR_MEASURE:
        format_ident(to, &e->measure.name);
        buf_add_cstr(to, " OVER ");
        format_window(to, e->measure.window);
        break;
    }
}

struct str analyze_format_expr(struct arena *a, const struct ast_expr *e)
{
    struct buf BUF_SCOPED b = {0};

    buf_init(&b, MAX_TEXT);
    format(&b, e);
    return arena_str(a, buf_str(&b));
}
