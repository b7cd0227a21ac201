/*
 * Templates: how most functions are written. Text with holes:
 *
 *   $1 … $9   the argument                $*  all, with commas         $|  all, with ||
 *   $R        the result's physical type  $T1 an argument's
 *   $P1 $S1   precision (a length, too) and scale of an argument's type; $P0 $S0 the result's
 *   $K1       the argument as local time: of a timestamp with time zone in its zone, else as it is
 *   $L1       the argument as text, a char with its padding
 *   $Z1 $Z0   the zone of an argument's or the result's type, as DuckDB names it; $Z the session's; $W1 as Trino shows it
 *   $$        a dollar sign
 *   $[ … $]   an unscaled hugeint as a decimal of the result's type
 *   of aggregates: $D "DISTINCT ", $O " ORDER BY …", $M FILTER and OVER; of windows too $I IGNORE NULLS
 */
#include "emit/emitter.h"
#include "sql/datetime_text.h"

static int emit_offset(struct emitter *e, const struct window_call *w, const struct expr *x)
{
    struct operand o = operand_of(x);
    enum type_kind key = w->order_count > 0 ? w->order[0].expr->type->kind : TYPE_UNKNOWN;
    bool is_time = key == TYPE_DATE || key == TYPE_TIMESTAMP || key == TYPE_TIMESTAMP_TZ || key == TYPE_TIME;
    const char *before = "", *after = "";
    int rc;

    if (w->unit == FRAME_RANGE && is_time && o.type->kind == TYPE_INTERVAL_DAY_SECOND) {
        before = "to_microseconds(1000 * ";
        after = ")";
    } else if (w->unit == FRAME_RANGE && is_time && o.type->kind == TYPE_INTERVAL_YEAR_MONTH) {
        before = "to_months(";
        after = ")";
    }
    buf_add_cstr(e->to, before);
    rc = emit_operand(e, &o);
    buf_add_cstr(e->to, after);
    return rc;
}

static int emit_bound(struct emitter *e, const struct window_call *w, enum frame_bound bound, const struct expr *offset)
{
    static const char *const texts[] = {
        [BOUND_UNBOUNDED_PRECEDING] = "UNBOUNDED PRECEDING",
        [BOUND_PRECEDING] = " PRECEDING",
        [BOUND_CURRENT_ROW] = "CURRENT ROW",
        [BOUND_FOLLOWING] = " FOLLOWING",
        [BOUND_UNBOUNDED_FOLLOWING] = "UNBOUNDED FOLLOWING",
    };
    int rc = 0;

    if (bound == BOUND_PRECEDING || bound == BOUND_FOLLOWING)
        rc = emit_offset(e, w, offset);
    buf_add_cstr(e->to, texts[bound]);
    return rc;
}

static int emit_frame(struct emitter *e, const struct window_call *w)
{
    static const char *const units[] = {[FRAME_ROWS] = "ROWS", [FRAME_RANGE] = "RANGE", [FRAME_GROUPS] = "GROUPS"};
    int rc;

    buf_addf(e->to, " %s BETWEEN ", units[w->unit]);
    rc = emit_bound(e, w, w->start, w->start_offset);
    buf_add_cstr(e->to, " AND ");
    return rc < 0 ? rc : emit_bound(e, w, w->end, w->end_offset);
}

static int emit_over(struct emitter *e, const struct window_call *w)
{
    int rc = 0;

    buf_add_cstr(e->to, " OVER (");
    for (size_t i = 0; rc == 0 && i < w->partition_count; i++) {
        buf_add_cstr(e->to, i == 0 ? "PARTITION BY " : ", ");
        rc = emit_expression(e, w->partition[i]);
    }
    if (rc == 0 && w->order_count > 0) {
        buf_add_cstr(e->to, w->partition_count > 0 ? " ORDER BY " : "ORDER BY ");
        rc = emit_sort_keys(e, w->order, w->order_count);
    }
    if (rc == 0 && w->has_frame)
        rc = emit_frame(e, w);
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_modifiers(struct emitter *e, const struct call *c)
{
    int rc = 0;

    if (c->filter) {
        buf_add_cstr(e->to, " FILTER (WHERE ");
        rc = emit_expression(e, c->filter);
        buf_add_char(e->to, ')');
    }
    return rc == 0 && c->window ? emit_over(e, c->window) : rc;
}

/* ---- holes ---- */

static int argument(struct emitter *e, const struct call *c, char digit, const struct operand **ret)
{
    size_t i = (size_t)(digit - '1');

    if (digit < '1' || digit > '9' || i >= c->arg_count)
        return err_set(e->err, ERR_INTERNAL, "the template of %s refers to argument '%c'",
                       c->function ? c->function->name : "a cast", digit);
    *ret = &c->args[i];
    return 0;
}

static int type_at(struct emitter *e, const struct call *c, char digit, const struct type **ret)
{
    const struct operand *o;
    int rc;

    if (digit == '0') {
        *ret = c->result;
        return 0;
    }
    rc = argument(e, c, digit, &o);
    if (rc == 0)
        *ret = o->type;
    return rc;
}

/* DuckDB knows regions and, of offsets, only whole hours: as Etc/GMT-2, which is east of Greenwich. */
int emit_zone(struct emitter *e, struct str zone)
{
    int minutes = 0;

    if (!zone_fixed_offset(zone, &minutes) || minutes == 0) {
        emit_string(e->to, minutes == 0 && zone.n > 0 && (zone.p[0] == '+' || zone.p[0] == '-') ? STR("UTC") : zone);
        return 0;
    }
    if (minutes % 60 != 0 || minutes > 14 * 60 || minutes < -12 * 60)
        return emit_unsupported(e, 0, 0, "Computing with the time zone %.*s is not supported", STR_ARG(zone));
    buf_addf(e->to, "'Etc/GMT%+d'", -minutes / 60);
    return 0;
}

static int add_zone(struct emitter *e, const struct type *t)
{
    return emit_zone(e, t && !str_is_empty(t->zone) ? t->zone : e->session->time_zone);
}

static int emit_local(struct emitter *e, const struct operand *o)
{
    int rc;

    if (o->type->kind != TYPE_TIMESTAMP_TZ)
        return emit_operand(e, o);
    buf_add_cstr(e->to, "timezone(");
    if ((rc = add_zone(e, o->type)) < 0)
        return rc;
    buf_add_cstr(e->to, ", ");
    rc = emit_operand(e, o);
    buf_add_char(e->to, ')');
    return rc;
}

static int emit_padded(struct emitter *e, const struct operand *o)
{
    int rc;

    if (o->type->kind != TYPE_CHAR)
        return emit_operand(e, o);
    buf_add_cstr(e->to, "rpad(");
    rc = emit_operand(e, o);
    buf_addf(e->to, ", %d, ' ')", o->type->precision);
    return rc;
}

static int emit_all(struct emitter *e, const struct call *c, const char *between)
{
    for (size_t i = 0; i < c->arg_count; i++) {
        int rc;

        if (i > 0)
            buf_add_cstr(e->to, between);
        rc = emit_operand(e, &c->args[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* decimal(38,0) times 10^-scale is exact and has the scale. */
static void open_decimal(struct emitter *e, const struct type *t)
{
    buf_add_cstr(e->to, t->scale > 0 ? "CAST(CAST(" : "CAST(");
}

static void close_decimal(struct emitter *e, const struct type *t)
{
    if (t->scale > 0) {
        buf_add_cstr(e->to, " AS DECIMAL(38,0)) * '0.");
        for (int i = 1; i < t->scale; i++)
            buf_add_char(e->to, '0');
        buf_addf(e->to, "1'::DECIMAL(%d,%d)", t->scale, t->scale);
    }
    buf_addf(e->to, " AS DECIMAL(%d,%d))", t->precision, t->scale);
}

/* Holes of an argument or a type: letter and digit. */
static int emit_of(struct emitter *e, const struct call *c, char letter, char digit)
{
    const struct type *t = NULL;
    const struct operand *o = NULL;
    int rc = letter == 'K' || letter == 'L' ? argument(e, c, digit, &o) : type_at(e, c, digit, &t);

    if (rc < 0)
        return rc;
    switch (letter) {
    case 'T':
        emit_type(e, t);
        return 0;
    case 'P':
        buf_addf(e->to, "%d", t->precision);
        return 0;
    case 'S':
        buf_addf(e->to, "%d", t->scale);
        return 0;
    case 'Z':
        return add_zone(e, t);
    case 'W':
        emit_string(e->to, t && !str_is_empty(t->zone) ? t->zone : e->session->time_zone);
        return 0;
    case 'K':
        return emit_local(e, o);
    case 'L':
        return emit_padded(e, o);
    default:
        return err_set(e->err, ERR_INTERNAL, "a template has the hole '$%c'", letter);
    }
}

/* Handles the hole at `at` and returns how many characters it has, or a negative error. */
static int emit_hole(struct emitter *e, const char *at, const struct call *c)
{
    const struct operand *o;
    int rc = 0;

    switch (at[0]) {
    case '$':
        buf_add_char(e->to, '$');
        break;
    case '*':
        rc = emit_all(e, c, ", ");
        break;
    case '|':
        rc = emit_all(e, c, " || ");
        break;
    case 'R':
        emit_type(e, c->result);
        break;
    case '[':
        open_decimal(e, c->result);
        break;
    case ']':
        close_decimal(e, c->result);
        break;
    case 'D':
        if (c->distinct)
            buf_add_cstr(e->to, "DISTINCT ");
        break;
    case 'O':
        if (c->order_count > 0) {
            buf_add_cstr(e->to, " ORDER BY ");
            rc = emit_sort_keys(e, c->order, c->order_count);
        }
        break;
    case 'M':
        rc = emit_modifiers(e, c);
        break;
    case 'I':
        if (c->ignore_nulls)
            buf_add_cstr(e->to, " IGNORE NULLS");
        break;
    case 'Z':
        if (at[1] < '0' || at[1] > '9') {
            rc = emit_zone(e, e->session->time_zone);
            break;
        }
        __attribute__((fallthrough));
    case 'T':
    case 'W':
    case 'P':
    case 'S':
    case 'K':
    case 'L':
        rc = emit_of(e, c, at[0], at[1]);
        return rc < 0 ? rc : 2;
    default:
        rc = argument(e, c, at[0], &o);
        if (rc == 0)
            rc = emit_operand(e, o);
    }
    return rc < 0 ? rc : 1;
}

int emit_template(struct emitter *e, const char *text, const struct call *c)
{
    for (const char *at = text; *at; at++) {
        int n;

        if (*at != '$') {
            buf_add_char(e->to, *at);
            continue;
        }
        n = emit_hole(e, at + 1, c);
        if (n < 0)
            return n;
        at += n;
    }
    return 0;
}

/* ---- calls ---- */

static const struct emit_function *find(const struct function *f)
{
    for (size_t i = 0; i < emit_function_count; i++) {
        const struct emit_function *row = &emit_functions[i];

        if (strcmp(row->name, f->name) == 0 &&
            (!row->arguments || str_starts_with(str_from_cstr(f->arguments), str_from_cstr(row->arguments))))
            return row;
    }
    return NULL;
}

bool emit_knows(const struct function *f)
{
    return find(f) != NULL;
}

int emit_call(struct emitter *e, const struct call *c)
{
    const struct emit_function *row = find(c->function);

    if (!row || (!row->text && !row->special))
        return emit_unsupported(e, c->line, c->column, "Function %s(%s) is not supported", c->function->name,
                                c->function->arguments);
    return row->special ? row->special(e, c) : emit_template(e, row->text, c);
}
