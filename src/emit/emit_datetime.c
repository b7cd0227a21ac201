/* Functions that take a unit of time by name. */
#include "emit/emitter.h"

static const char *const units[] = {"millisecond", "second", "minute",  "hour", "day",
                                    "week",        "month",  "quarter", "year"};

static const char *type_word(const struct type *t)
{
    switch (t->kind) {
    case TYPE_DATE:
        return "DATE";
    case TYPE_TIME:
        return "Time";
    default:
        return "Timestamp";
    }
}

static bool is_allowed(const struct type *t, size_t unit)
{
    if (t->kind == TYPE_DATE)
        return unit >= 4;
    if (t->kind == TYPE_TIME)
        return unit < 4;
    return true;
}

static int find_unit(struct emitter *e, const struct call *c, const struct type *t, const char **ret)
{
    const struct constant *unit = operand_constant(&c->args[0]);

    if (!unit || unit->is_null)
        return emit_unsupported(e, c->line, c->column, "%s with a unit that isn't constant is not supported",
                                c->function->name);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eq_nocase(unit->text, str_from_cstr(units[i])) && is_allowed(t, i)) {
            *ret = units[i];
            return 0;
        }
    }
    return err_set_named(e->err, ERR_INVALID, "INVALID_FUNCTION_ARGUMENT", "'%.*s' is not a valid %s field",
                         STR_ARG(unit->text), type_word(t));
}

int special_date_trunc(struct emitter *e, const struct call *c)
{
    const struct type *t = c->args[1].type;
    const char *unit;
    char text[128];
    int rc = find_unit(e, c, t, &unit);

    if (rc < 0)
        return rc;
    if (t->kind == TYPE_TIMESTAMP_TZ)
        snprintf(text, sizeof(text), "timezone($Z2, date_trunc('%s', $K2))", unit);
    else if (t->kind == TYPE_TIME)
        snprintf(text, sizeof(text), "CAST(date_trunc('%s', DATE '1970-01-01' + $2) AS TIME)", unit);
    else
        snprintf(text, sizeof(text), "CAST(date_trunc('%s', $2) AS $R)", unit);
    return emit_template(e, text, c);
}

int special_date_add(struct emitter *e, const struct call *c)
{
    static const char *const intervals[] = {"to_microseconds(1000 * $2)",         "to_microseconds(1000000 * $2)",
                                            "to_microseconds(60000000 * $2)",     "to_microseconds(3600000000 * $2)",
                                            "to_days(CAST($2 AS INTEGER))",       "to_days(CAST(7 * $2 AS INTEGER))",
                                            "to_months(CAST($2 AS INTEGER))",     "to_months(CAST(3 * $2 AS INTEGER))",
                                            "to_months(CAST(12 * $2 AS INTEGER))"};
    const struct type *t = c->args[2].type;
    const char *unit;
    char text[128];
    size_t i = 0;
    int rc = find_unit(e, c, t, &unit);

    if (rc < 0)
        return rc;
    while (units[i] != unit)
        i++;
    if (t->kind == TYPE_TIMESTAMP_TZ && i >= 4)
        snprintf(text, sizeof(text), "timezone($Z3, $K3 + %s)", intervals[i]);
    else
        snprintf(text, sizeof(text), "CAST($3 + %s AS $R)", intervals[i]);
    return emit_template(e, text, c);
}

/* Whole units between, which DuckDB calls date_sub. */
int special_date_diff(struct emitter *e, const struct call *c)
{
    const struct type *t = c->args[1].type;
    const char *unit;
    char text[64];
    int rc = find_unit(e, c, t, &unit);

    if (rc < 0)
        return rc;
    snprintf(text, sizeof(text), "date_sub('%s', $K2, $K3)", unit);
    return emit_template(e, text, c);
}
