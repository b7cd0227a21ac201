#include "base/json.h"
#include <assert.h>
#include <math.h>

int json_parse(struct str text, json_t **ret, struct err *err)
{
    json_error_t e;
    json_t *j = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);

    if (!j)
        return err_set_at(err, ERR_INVALID, NULL, e.line, e.column, "malformed JSON: %s", e.text);
    *ret = j;
    return 0;
}

static void drop(void *j)
{
    json_decref(j);
}

json_t *json_keep(struct arena *a, json_t *j)
{
    if (j)
        arena_defer(a, drop, j);
    return j;
}

struct str json_str(const json_t *string)
{
    if (!json_is_string(string))
        return STR_NULL;
    return str_from(json_string_value(string), json_string_length(string));
}

static int wrong_type(const json_t *object, const char *key, const char *expected, struct err *err)
{
    if (!json_object_get(object, key))
        return err_set(err, ERR_INVALID, "the JSON key \"%s\" is missing: expected %s", key, expected);
    return err_set(err, ERR_INVALID, "the JSON key \"%s\" should be %s", key, expected);
}

int json_get_str(const json_t *object, const char *key, struct str *ret, struct err *err)
{
    struct str s = json_str(json_object_get(object, key));

    if (str_is_null(s))
        return wrong_type(object, key, "a string", err);
    *ret = s;
    return 0;
}

int json_get_i64(const json_t *object, const char *key, int64_t *ret, struct err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        return wrong_type(object, key, "a whole number", err);
    *ret = json_integer_value(v);
    return 0;
}

int json_get_object(const json_t *object, const char *key, json_t **ret, struct err *err)
{
    json_t *v = json_object_get(object, key);

    if (!json_is_object(v))
        return wrong_type(object, key, "an object", err);
    *ret = v;
    return 0;
}

int json_get_array(const json_t *object, const char *key, json_t **ret, struct err *err)
{
    json_t *v = json_object_get(object, key);

    if (!json_is_array(v))
        return wrong_type(object, key, "an array", err);
    *ret = v;
    return 0;
}

struct str json_opt_str(const json_t *object, const char *key, struct str fallback)
{
    struct str s = json_str(json_object_get(object, key));
    return str_is_null(s) ? fallback : s;
}

int64_t json_opt_i64(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool json_opt_bool(const json_t *object, const char *key, bool fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

void json_writer_init(struct json_writer *w, struct buf *to)
{
    *w = (struct json_writer){.to = to};
}

static void before_value(struct json_writer *w)
{
    if (w->need_comma[w->depth])
        buf_add_char(w->to, ',');
    w->need_comma[w->depth] = true;
}

static void open(struct json_writer *w, char c)
{
    before_value(w);
    buf_add_char(w->to, c);
    assert((size_t)w->depth + 1 < sizeof(w->need_comma));
    w->need_comma[++w->depth] = false;
}

static void close_with(struct json_writer *w, char c)
{
    assert(w->depth > 0);
    w->depth--;
    buf_add_char(w->to, c);
}

void json_open_object(struct json_writer *w)
{
    open(w, '{');
}

void json_close_object(struct json_writer *w)
{
    close_with(w, '}');
}

void json_open_array(struct json_writer *w)
{
    open(w, '[');
}

void json_close_array(struct json_writer *w)
{
    close_with(w, ']');
}

void json_key_str(struct json_writer *w, struct str key)
{
    before_value(w);
    json_escape(w->to, key);
    buf_add_char(w->to, ':');
    w->need_comma[w->depth] = false; /* the value that follows belongs to this key */
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_str(w, str_from_cstr(key));
}

/* Bytes that json_escape copies as they are: ASCII from space on, but '"', '\\' and DEL-free; the rest needs a look. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static void escape_control(struct buf *to, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add_cstr(to, "\\\"");
        break;
    case '\\':
        buf_add_cstr(to, "\\\\");
        break;
    case '\n':
        buf_add_cstr(to, "\\n");
        break;
    case '\r':
        buf_add_cstr(to, "\\r");
        break;
    case '\t':
        buf_add_cstr(to, "\\t");
        break;
    default:
        buf_addf(to, "\\u%04x", c);
    }
}

void json_escape(struct buf *to, struct str s)
{
    size_t i = 0;

    buf_add_char(to, '"');
    while (i < s.n) {
        size_t from = i;
        while (i < s.n && is_plain((unsigned char)s.p[i]))
            i++;
        buf_append(to, s.p + from, i - from);
        if (i == s.n)
            break;
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x80) {
            escape_control(to, c);
            i++;
            continue;
        }
        from = i;
        uint32_t rune = str_next_rune(s, &i);
        if (rune == 0xFFFD && i - from == 1)
            buf_add_cstr(to, "\xEF\xBF\xBD");
        else
            buf_append(to, s.p + from, i - from);
    }
    buf_add_char(to, '"');
}

void json_add_str(struct json_writer *w, struct str s)
{
    if (str_is_null(s)) {
        json_add_null(w);
        return;
    }
    before_value(w);
    json_escape(w->to, s);
}

void json_add_cstr(struct json_writer *w, const char *s)
{
    json_add_str(w, str_from_cstr(s));
}

void json_add_i64(struct json_writer *w, int64_t v)
{
    before_value(w);
    buf_add_i64(w->to, v);
}

void json_add_u64(struct json_writer *w, uint64_t v)
{
    before_value(w);
    buf_add_u64(w->to, v);
}

void json_format_f64(struct buf *to, double v)
{
    char text[40];

    if (isnan(v)) {
        buf_add_cstr(to, "\"NaN\"");
        return;
    }
    if (isinf(v)) {
        buf_add_cstr(to, v < 0 ? "\"-Infinity\"" : "\"Infinity\"");
        return;
    }
    /* the first precision that reads back is nearly always 15, 16 or 17 */
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add_cstr(to, text);
    /* a double stays one for readers that tell 1 from 1.0 */
    if (!strpbrk(text, ".eE"))
        buf_add_cstr(to, ".0");
}

void json_add_f64(struct json_writer *w, double v)
{
    before_value(w);
    json_format_f64(w->to, v);
}

void json_add_bool(struct json_writer *w, bool v)
{
    before_value(w);
    buf_add_cstr(w->to, v ? "true" : "false");
}

void json_add_null(struct json_writer *w)
{
    before_value(w);
    buf_add_cstr(w->to, "null");
}

void json_add_raw(struct json_writer *w, struct str json)
{
    before_value(w);
    buf_add_str(w->to, json);
}

static int append_dump(const char *p, size_t n, void *to)
{
    buf_append(to, p, n);
    return 0;
}

void json_add_value(struct json_writer *w, const json_t *value)
{
    before_value(w);
    if (json_dump_callback(value, append_dump, w->to, JSON_COMPACT | JSON_ENCODE_ANY) < 0)
        w->to->failed = true;
}
