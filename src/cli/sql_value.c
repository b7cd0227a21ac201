/* Values of a result as trino-cli shows them: [1, 2], {key=value}, {field=value}, 00 ff, 1.0E10. */
#include "cli/sql.h"

#include "base/enc.h"

#include <math.h>

/* Java's Double.toString: plain between 10^-3 and 10^7, else one digit, a point, digits and E. */
static void add_double(struct buf *to, double v)
{
    char digits[40], plain[400];
    int exponent, decimals = 0;

    if (!isfinite(v)) {
        buf_add_cstr(to, isnan(v) ? "NaN" : v < 0 ? "-Infinity" : "Infinity");
        return;
    }
    /* The fewest digits that read back as the same number. */
    for (int n = 0; n < 17; n++) {
        snprintf(digits, sizeof(digits), "%.*e", n, v);
        decimals = n;
        if (strtod(digits, NULL) == v)
            break;
    }
    char *e = strchr(digits, 'e');
    exponent = (int)strtol(e + 1, NULL, 10);
    if (v == 0 || (exponent >= -3 && exponent < 7)) {
        int after = decimals - exponent < 1 ? 1 : decimals - exponent;
        snprintf(plain, sizeof(plain), "%.*f", after, v);
        buf_add_cstr(to, plain);
        return;
    }
    buf_append(to, digits, (size_t)(e - digits));
    buf_addf(to, "%sE%d", decimals == 0 ? ".0" : "", exponent);
}

static const json_t *argument(const json_t *signature, size_t i)
{
    return json_object_get(json_array_get(json_object_get(signature, "arguments"), i), "value");
}

static void add_binary(struct buf *to, struct str base64)
{
    BUF_SCOPED struct buf bytes;

    buf_init(&bytes, 256 << 20);
    if (enc_unbase64(&bytes, base64, NULL) < 0) {
        buf_add_str(to, base64);
        return;
    }
    for (size_t i = 0; i < bytes.n; i++)
        buf_addf(to, "%s%02x", i ? " " : "", (unsigned char)bytes.p[i]);
}

static void add_nested(struct buf *to, const json_t *value, const json_t *signature)
{
    if (json_is_null(value) || !value)
        buf_add_cstr(to, "NULL");
    else
        sql_value_text(to, value, signature);
}

static void add_row(struct buf *to, const json_t *value, const json_t *signature)
{
    size_t i;
    json_t *item;

    buf_add_char(to, '{');
    json_array_foreach(value, i, item)
    {
        const json_t *field = argument(signature, i);
        struct str name = json_opt_str(json_object_get(field, "fieldName"), "name", STR_NULL);

        buf_add_cstr(to, i ? ", " : "");
        if (str_is_null(name))
            buf_addf(to, "field%zu=", i);
        else
            buf_addf(to, "%.*s=", STR_ARG(name));
        add_nested(to, item, json_object_get(field, "typeSignature"));
    }
    buf_add_char(to, '}');
}

// NOLINTNEXTLINE(misc-no-recursion): json_parse bounds the depth
void sql_value_text(struct buf *to, const json_t *value, const json_t *signature)
{
    struct str type = json_opt_str(signature, "rawType", STR(""));
    const char *key;
    size_t i;
    json_t *item;

    switch (json_typeof(value)) {
    case JSON_NULL:
        return;
    case JSON_TRUE:
        buf_add_cstr(to, "true");
        return;
    case JSON_FALSE:
        buf_add_cstr(to, "false");
        return;
    case JSON_INTEGER:
        if (str_eq(type, STR("double")) || str_eq(type, STR("real")))
            add_double(to, (double)json_integer_value(value));
        else
            buf_add_i64(to, json_integer_value(value));
        return;
    case JSON_REAL:
        add_double(to, json_real_value(value));
        return;
    case JSON_STRING:
        if (str_eq(type, STR("varbinary")))
            add_binary(to, json_str(value));
        else
            buf_add_str(to, json_str(value));
        return;
    case JSON_OBJECT: {
        bool first = true;
        buf_add_char(to, '{');
        json_object_foreach((json_t *)value, key, item)
        {
            buf_addf(to, "%s%s=", first ? "" : ", ", key);
            add_nested(to, item, argument(signature, 1));
            first = false;
        }
        buf_add_char(to, '}');
        return;
    }
    case JSON_ARRAY:
        if (str_eq(type, STR("row"))) {
            add_row(to, value, signature);
            return;
        }
        buf_add_char(to, '[');
        json_array_foreach(value, i, item)
        {
            buf_add_cstr(to, i ? ", " : "");
            add_nested(to, item, argument(signature, 0));
        }
        buf_add_char(to, ']');
        return;
    }
}

bool sql_value_is_numeric(const json_t *column)
{
    static const char *const types[] = {"tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"};
    struct str type = json_opt_str(json_object_get(column, "typeSignature"), "rawType", STR(""));

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq_cstr(type, types[i]))
            return true;
    }
    return false;
}
