/*
 * Which casts there are. The table is real Trino 476's answers; implicit coercions are types.c's.
 */
#include "sql/analyze_expr.h"

/* Groups of types that cast alike. */
enum group {
    G_NUMBER, /* boolean and numbers */
    G_VARCHAR,
    G_CHAR,
    G_VARBINARY,
    G_JSON,
    G_UUID,
    G_DATE,
    G_TIME, /* with and without time zone */
    G_TIMESTAMP,
    G_TIMESTAMP_TZ,
    G_MONTHS,
    G_SECONDS,
    G_NESTED,
};

static enum group group_of(const struct type *t)
{
    switch (t->kind) {
    case TYPE_VARCHAR:
        return G_VARCHAR;
    case TYPE_CHAR:
        return G_CHAR;
    case TYPE_VARBINARY:
        return G_VARBINARY;
    case TYPE_JSON:
        return G_JSON;
    case TYPE_UUID:
        return G_UUID;
    case TYPE_DATE:
        return G_DATE;
    case TYPE_TIME:
    case TYPE_TIME_TZ:
        return G_TIME;
    case TYPE_TIMESTAMP:
        return G_TIMESTAMP;
    case TYPE_TIMESTAMP_TZ:
        return G_TIMESTAMP_TZ;
    case TYPE_INTERVAL_YEAR_MONTH:
        return G_MONTHS;
    case TYPE_INTERVAL_DAY_SECOND:
        return G_SECONDS;
    case TYPE_ARRAY:
    case TYPE_MAP:
    case TYPE_ROW:
    case TYPE_FUNCTION:
        return G_NESTED;
    default:
        return G_NUMBER;
    }
}

#define TO(g) (1u << (g))

static const unsigned allowed[] = {
    [G_NUMBER] = TO(G_NUMBER) | TO(G_VARCHAR) | TO(G_JSON),
    [G_VARCHAR] = TO(G_NUMBER) | TO(G_VARCHAR) | TO(G_CHAR) | TO(G_VARBINARY) | TO(G_JSON) | TO(G_UUID) | TO(G_DATE) |
                  TO(G_TIME) | TO(G_TIMESTAMP) | TO(G_TIMESTAMP_TZ),
    [G_CHAR] = TO(G_VARCHAR) | TO(G_CHAR),
    [G_VARBINARY] = TO(G_VARBINARY) | TO(G_UUID),
    [G_JSON] = TO(G_NUMBER) | TO(G_VARCHAR) | TO(G_JSON),
    [G_UUID] = TO(G_VARCHAR) | TO(G_VARBINARY) | TO(G_UUID),
    [G_DATE] = TO(G_VARCHAR) | TO(G_JSON) | TO(G_DATE) | TO(G_TIMESTAMP) | TO(G_TIMESTAMP_TZ),
    [G_TIME] = TO(G_VARCHAR) | TO(G_TIME) | TO(G_TIMESTAMP) | TO(G_TIMESTAMP_TZ),
    [G_TIMESTAMP] = TO(G_VARCHAR) | TO(G_JSON) | TO(G_DATE) | TO(G_TIME) | TO(G_TIMESTAMP) | TO(G_TIMESTAMP_TZ),
    [G_TIMESTAMP_TZ] = TO(G_VARCHAR) | TO(G_DATE) | TO(G_TIME) | TO(G_TIMESTAMP) | TO(G_TIMESTAMP_TZ),
    [G_MONTHS] = TO(G_VARCHAR) | TO(G_MONTHS),
    [G_SECONDS] = TO(G_VARCHAR) | TO(G_SECONDS),
    [G_NESTED] = TO(G_JSON),
};

/* Keys of JSON objects: what has a text of its own. */
static bool is_json_key(const struct type *t)
{
    return t->kind == TYPE_UNKNOWN || t->kind == TYPE_VARCHAR || group_of(t) == G_NUMBER;
}

static bool nested_is_allowed(const struct type *from, const struct type *to)
{
    switch (from->kind) {
    case TYPE_ARRAY:
        return cast_is_allowed(from->element, to->element);
    case TYPE_MAP:
        return cast_is_allowed(from->key, to->key) && cast_is_allowed(from->element, to->element);
    case TYPE_ROW:
        if (from->field_count != to->field_count)
            return false;
        for (size_t i = 0; i < from->field_count; i++)
            if (!cast_is_allowed(from->fields[i].type, to->fields[i].type))
                return false;
        return true;
    default:
        return false;
    }
}

/* Both ways: a value inside JSON, and one made of it. */
static bool json_is_allowed(const struct type *t, bool from_json)
{
    switch (t->kind) {
    case TYPE_ARRAY:
        return json_is_allowed(t->element, from_json);
    case TYPE_MAP:
        return is_json_key(t->key) && json_is_allowed(t->element, from_json);
    case TYPE_ROW:
        for (size_t i = 0; i < t->field_count; i++)
            if (!json_is_allowed(t->fields[i].type, from_json))
                return false;
        return true;
    default:
        return from_json ? cast_is_allowed(&type_json, t) : cast_is_allowed(t, &type_json);
    }
}

static bool is_nested(const struct type *t)
{
    return group_of(t) == G_NESTED;
}

bool cast_is_allowed(const struct type *from, const struct type *to)
{
    if (from->kind == TYPE_UNKNOWN || type_eq(from, to))
        return true;
    if (to->kind == TYPE_UNKNOWN)
        return false;
    if (is_nested(from) && from->kind == to->kind)
        return nested_is_allowed(from, to);
    if (is_nested(from) && to->kind == TYPE_JSON)
        return json_is_allowed(from, false);
    if (from->kind == TYPE_JSON && is_nested(to))
        return json_is_allowed(to, true);
    if (is_nested(from) || is_nested(to))
        return false;
    if (from->kind == TYPE_UUID && to->kind == TYPE_VARCHAR)
        return to->precision == TYPE_UNBOUNDED;
    return (allowed[group_of(from)] & TO(group_of(to))) != 0;
}
