/*
 * JSON in Trino's canonical form: keys sorted, the last of equal ones kept, no white space, doubles as Java prints them,
 * whole numbers as they are. The text is read and written in one pass; objects alone are kept until they are whole.
 */
#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"
#include "engine/shim.h"
#include <ctype.h>

enum { MAX_JSON = 1 << 28, MAX_JSON_DEPTH = 500 };

struct reader {
    struct arena *a;
    struct str text;
    size_t at;
    int depth;
};

static void skip_space(struct reader *r)
{
    while (r->at < r->text.n && strchr(" \t\r\n", r->text.p[r->at]) && r->text.p[r->at])
        r->at++;
}

static bool take(struct reader *r, char c)
{
    skip_space(r);
    if (r->at >= r->text.n || r->text.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

static bool read_value(struct reader *r, struct buf *to);

/* A string's value; jansson knows the escapes. */
static bool read_string(struct reader *r, struct str *ret)
{
    size_t start = r->at;

    if (!take(r, '"'))
        return false;
    start = r->at - 1;
    while (r->at < r->text.n && r->text.p[r->at] != '"')
        r->at += r->text.p[r->at] == '\\' ? 2 : 1;
    if (r->at >= r->text.n)
        return false;
    r->at++;
    json_t JSON_SCOPED *string = json_loadb(r->text.p + start, r->at - start, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!string)
        return false;
    *ret = arena_str(r->a, str_from(json_string_value(string), json_string_length(string)));
    return true;
}

/* Java's Double.toString. */
static void write_double(struct buf *to, double v)
{
    char text[40];
    int precision = 1;

    do {
        (void)snprintf(text, sizeof(text), "%.*e", precision, v);
    } while (strtod(text, NULL) != v && ++precision < 17);
    char *e = strchr(text, 'e');
    long exponent = strtol(e + 1, NULL, 10);
    if (exponent < -3 || exponent >= 7) {
        buf_append(to, text, (size_t)(e - text));
        buf_addf(to, "E%ld", exponent);
        return;
    }
    int decimals = precision - (int)exponent;
    buf_addf(to, "%.*f", decimals < 1 ? 1 : decimals, v);
}

static bool read_number(struct reader *r, struct buf *to)
{
    size_t start = r->at;
    bool is_double = false;

    if (r->at < r->text.n && r->text.p[r->at] == '-')
        r->at++;
    size_t digits = r->at;
    while (r->at < r->text.n && isdigit((unsigned char)r->text.p[r->at]))
        r->at++;
    if (r->at == digits || (r->text.p[digits] == '0' && r->at > digits + 1))
        return false;
    if (r->at < r->text.n && r->text.p[r->at] == '.') {
        size_t fraction = ++r->at;

        is_double = true;
        while (r->at < r->text.n && isdigit((unsigned char)r->text.p[r->at]))
            r->at++;
        if (r->at == fraction)
            return false;
    }
    if (r->at < r->text.n && (r->text.p[r->at] == 'e' || r->text.p[r->at] == 'E')) {
        is_double = true;
        r->at++;
        if (r->at < r->text.n && strchr("+-", r->text.p[r->at]))
            r->at++;
        size_t exponent = r->at;
        while (r->at < r->text.n && isdigit((unsigned char)r->text.p[r->at]))
            r->at++;
        if (r->at == exponent)
            return false;
    }
    struct str number = str_slice(r->text, start, r->at - start);
    if (is_double)
        write_double(to, strtod(arena_cstr(r->a, number), NULL));
    else
        buf_add_str(to, number);
    return true;
}

struct member {
    struct str key, value;
    size_t order;
};

static int compare_members(const void *x, const void *y)
{
    const struct member *a = x, *b = y;
    int order = str_cmp(a->key, b->key);

    return order != 0 ? order : a->order < b->order ? -1 : 1;
}

static bool read_object(struct reader *r, struct buf *to)
{
    struct {
        struct member *items;
        size_t n, cap;
    } members = {0};
    BUF_SCOPED struct buf value = {0};
    bool first = true;

    buf_init(&value, MAX_JSON);
    if (!take(r, '}')) {
        do {
            struct member m = {.order = members.n};

            buf_reset(&value);
            skip_space(r);
            if (!read_string(r, &m.key) || !take(r, ':') || !read_value(r, &value))
                return false;
            m.value = arena_str(r->a, buf_str(&value));
            vec_push_in(r->a, &members, m);
        } while (take(r, ','));
        if (!take(r, '}'))
            return false;
    }
    if (members.n > 0)
        qsort(members.items, members.n, sizeof(*members.items), compare_members);
    buf_add_char(to, '{');
    for (size_t i = 0; i < members.n; i++) {
        if (i + 1 < members.n && str_eq(members.items[i].key, members.items[i + 1].key))
            continue;
        if (!first)
            buf_add_char(to, ',');
        first = false;
        json_escape(to, members.items[i].key);
        buf_add_char(to, ':');
        buf_add_str(to, members.items[i].value);
    }
    buf_add_char(to, '}');
    return true;
}

static bool read_array(struct reader *r, struct buf *to)
{
    bool first = true;

    buf_add_char(to, '[');
    if (!take(r, ']')) {
        do {
            if (!first)
                buf_add_char(to, ',');
            first = false;
            if (!read_value(r, to))
                return false;
        } while (take(r, ','));
        if (!take(r, ']'))
            return false;
    }
    buf_add_char(to, ']');
    return true;
}

static bool read_value(struct reader *r, struct buf *to)
{
    static const struct str words[] = {{"null", 4}, {"true", 4}, {"false", 5}};
    struct str string;
    bool ok;

    if (++r->depth > MAX_JSON_DEPTH)
        return false;
    skip_space(r);
    if (r->at < r->text.n && r->text.p[r->at] == '"') {
        ok = read_string(r, &string);
        if (ok)
            json_escape(to, string);
    } else if (take(r, '{')) {
        ok = read_object(r, to);
    } else if (take(r, '[')) {
        ok = read_array(r, to);
    } else {
        ok = false;
        for (size_t i = 0; i < ARRAY_LEN(words) && !ok; i++) {
            if (str_starts_with(str_skip(r->text, r->at), words[i])) {
                buf_add_str(to, words[i]);
                r->at += words[i].n;
                ok = true;
            }
        }
        ok = ok || read_number(r, to);
    }
    r->depth--;
    return ok;
}

static void json_canonical(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text = {0};
    struct shim_call c;

    buf_init(&text, MAX_JSON);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct arena ARENA_SCOPED a = ARENA_INIT;
        struct reader r = {.a = &a, .text = shim_str(&c, 0, row)};

        buf_reset(&text);
        bool ok = read_value(&r, &text);
        skip_space(&r);
        if (!ok || r.at != r.text.n || text.failed) {
            shim_fail(&c, "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON: '%.*s'", STR_ARG(r.text));
            return;
        }
        shim_put_str(&c, row, buf_str(&text));
    }
}

const struct shim shims_json[] = {
    SHIM("dp_json_parse", "v", 'v', json_canonical),
};
const size_t shims_json_count = ARRAY_LEN(shims_json);
