/*
 * Two descriptions of each type: "type", which is SQL as Trino's expression formatter prints it (so "decimal(12, 2)" and
 * "INTERVAL DAY TO SECOND", unlike type_format), and "typeSignature", which clients build their decoders from.
 */
#include "trino/columns.h"

#include "sql/parse.h"

static bool is_datetime(const struct type *t)
{
    return t->kind == TYPE_TIME || t->kind == TYPE_TIME_TZ || t->kind == TYPE_TIMESTAMP || t->kind == TYPE_TIMESTAMP_TZ;
}

static const char *raw_name(const struct type *t)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        return "decimal";
    case TYPE_VARCHAR:
        return "varchar";
    case TYPE_CHAR:
        return "char";
    case TYPE_TIME:
        return "time";
    case TYPE_TIME_TZ:
        return "time with time zone";
    case TYPE_TIMESTAMP:
        return "timestamp";
    case TYPE_TIMESTAMP_TZ:
        return "timestamp with time zone";
    case TYPE_ARRAY:
        return "array";
    case TYPE_MAP:
        return "map";
    case TYPE_ROW:
        return "row";
    case TYPE_FUNCTION:
        return "function";
    default:
        return NULL; /* type_format's name is the raw one */
    }
}

/* ---- "type" ---- */

/* A field's name is quoted unless it reads back as it is. */
static void add_field_name(struct buf *to, struct str name)
{
    bool plain = name.n > 0 && !sql_is_reserved(name);

    for (size_t i = 0; i < name.n && plain; i++) {
        char c = name.p[i];
        plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9');
    }
    if (plain) {
        buf_add_str(to, name);
        return;
    }
    buf_add_char(to, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            buf_add_char(to, '"');
        buf_add_char(to, name.p[i]);
    }
    buf_add_char(to, '"');
}

static void add_display(struct buf *to, const struct type *t, bool parametric)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        buf_addf(to, "decimal(%d, %d)", t->precision, t->scale);
        return;
    case TYPE_INTERVAL_DAY_SECOND:
        buf_add_cstr(to, "INTERVAL DAY TO SECOND");
        return;
    case TYPE_INTERVAL_YEAR_MONTH:
        buf_add_cstr(to, "INTERVAL YEAR TO MONTH");
        return;
    case TYPE_ARRAY:
        buf_add_cstr(to, "array(");
        add_display(to, t->element, parametric);
        buf_add_char(to, ')');
        return;
    case TYPE_MAP:
        buf_add_cstr(to, "map(");
        add_display(to, t->key, parametric);
        buf_add_cstr(to, ", ");
        add_display(to, t->element, parametric);
        buf_add_char(to, ')');
        return;
    case TYPE_ROW:
        buf_add_cstr(to, "row(");
        for (size_t i = 0; i < t->field_count; i++) {
            if (i > 0)
                buf_add_cstr(to, ", ");
            if (!str_is_null(t->fields[i].name)) {
                add_field_name(to, t->fields[i].name);
                buf_add_char(to, ' ');
            }
            add_display(to, t->fields[i].type, parametric);
        }
        buf_add_char(to, ')');
        return;
    default:
        if (is_datetime(t) && !parametric)
            buf_add_cstr(to, raw_name(t));
        else
            type_format(to, t);
    }
}

/* ---- "typeSignature": written by hand, since a type may be nested deeper than json_writer counts ---- */

static void add_signature(struct buf *to, const struct type *t, bool parametric);

static void add_long(struct buf *to, int value)
{
    buf_addf(to, "{\"kind\":\"LONG\",\"value\":%d}", value);
}

static void add_type(struct buf *to, const struct type *t, bool parametric)
{
    buf_add_cstr(to, "{\"kind\":\"TYPE\",\"value\":");
    add_signature(to, t, parametric);
    buf_add_char(to, '}');
}

static void add_field(struct buf *to, const struct type_field *f, bool parametric)
{
    buf_add_cstr(to, "{\"kind\":\"NAMED_TYPE\",\"value\":{");
    if (!str_is_null(f->name)) {
        buf_add_cstr(to, "\"fieldName\":{\"name\":");
        json_escape(to, f->name);
        buf_add_cstr(to, "},");
    }
    buf_add_cstr(to, "\"typeSignature\":");
    add_signature(to, f->type, parametric);
    buf_add_cstr(to, "}}");
}

static void add_arguments(struct buf *to, const struct type *t, bool parametric)
{
    switch (t->kind) {
    case TYPE_DECIMAL:
        add_long(to, t->precision);
        buf_add_char(to, ',');
        add_long(to, t->scale);
        break;
    case TYPE_VARCHAR:
    case TYPE_CHAR:
        add_long(to, t->precision);
        break;
    case TYPE_ARRAY:
        add_type(to, t->element, parametric);
        break;
    case TYPE_MAP:
        add_type(to, t->key, parametric);
        buf_add_char(to, ',');
        add_type(to, t->element, parametric);
        break;
    case TYPE_ROW:
        for (size_t i = 0; i < t->field_count; i++) {
            if (i > 0)
                buf_add_char(to, ',');
            add_field(to, &t->fields[i], parametric);
        }
        break;
    default:
        if (is_datetime(t) && parametric)
            add_long(to, t->precision);
    }
}

static void add_signature(struct buf *to, const struct type *t, bool parametric)
{
    buf_add_cstr(to, "{\"rawType\":\"");
    if (raw_name(t))
        buf_add_cstr(to, raw_name(t));
    else
        type_format(to, t); /* of a type without parameters: nothing in it needs escapes */
    buf_add_cstr(to, "\",\"arguments\":[");
    add_arguments(to, t, parametric);
    buf_add_cstr(to, "]}");
}

void columns_write(struct buf *to, const struct column *columns, const struct str *names, size_t n, bool parametric)
{
    BUF_SCOPED struct buf display;

    buf_init(&display, to->max);
    buf_add_char(to, '[');
    for (size_t i = 0; i < n; i++) {
        buf_reset(&display);
        add_display(&display, columns[i].type, parametric);
        to->failed |= display.failed;
        buf_add_cstr(to, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_escape(to, names[i]);
        buf_add_cstr(to, ",\"type\":");
        json_escape(to, buf_str(&display));
        buf_add_cstr(to, ",\"typeSignature\":");
        add_signature(to, columns[i].type, parametric);
        buf_add_char(to, '}');
    }
    buf_add_char(to, ']');
}
