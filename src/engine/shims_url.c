/*
 * Shims over URLs, which Trino takes apart with java.net.URI: a text that is none gives null, a part that is absent an
 * empty text.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/vec.h"
#include "engine/shim.h"
#include <ctype.h>

enum { MAX_URL = 1 << 28 };

struct url {
    struct str scheme, host, port, path, query, fragment; /* as written */
};

static bool is_url_char(unsigned char c)
{
    return c >= 0x80 || (c > 0x20 && c != 0x7f && !strchr("\"<>\\^`{|}", c));
}

static bool split_authority(struct str authority, struct url *ret)
{
    size_t at = str_rfind_char(authority, '@');

    if (at != SIZE_MAX)
        authority = str_skip(authority, at + 1);
    size_t bracket = str_rfind_char(authority, ']');
    size_t colon = str_rfind_char(authority, ':');
    if (colon != SIZE_MAX && (bracket == SIZE_MAX || colon > bracket)) {
        ret->port = str_skip(authority, colon + 1);
        authority = str_slice(authority, 0, colon);
        for (size_t i = 0; i < ret->port.n; i++)
            if (!isdigit((unsigned char)ret->port.p[i]))
                return false;
    }
    ret->host = authority;
    return true;
}

static bool url_parse(struct str s, struct url *ret)
{
    size_t i = 0;

    *ret = (struct url){0};
    for (size_t k = 0; k < s.n; k++) {
        if (!is_url_char((unsigned char)s.p[k]))
            return false;
        if (s.p[k] == '%' &&
            (k + 2 >= s.n || !isxdigit((unsigned char)s.p[k + 1]) || !isxdigit((unsigned char)s.p[k + 2])))
            return false;
    }
    size_t hash = str_find_char(s, '#', 0);
    if (hash != SIZE_MAX) {
        ret->fragment = str_skip(s, hash + 1);
        s = str_slice(s, 0, hash);
    }
    while (i < s.n && (isalnum((unsigned char)s.p[i]) || strchr("+-.", s.p[i])))
        i++;
    if (i > 0 && i < s.n && s.p[i] == ':' && isalpha((unsigned char)s.p[0])) {
        ret->scheme = str_slice(s, 0, i);
        s = str_skip(s, i + 1);
        if (s.n == 0)
            return false;
        if (s.p[0] != '/') /* mailto:…: opaque, without a path */
            return true;
    }
    size_t question = str_find_char(s, '?', 0);
    if (question != SIZE_MAX) {
        ret->query = str_skip(s, question + 1);
        s = str_slice(s, 0, question);
    }
    if (str_starts_with(s, STR("//"))) {
        size_t slash = str_find_char(s, '/', 2);

        if (slash == SIZE_MAX)
            slash = s.n;
        if (!split_authority(str_slice(s, 2, slash - 2), ret))
            return false;
        s = str_skip(s, slash);
    }
    ret->path = s;
    return true;
}

enum part { PART_SCHEME, PART_HOST, PART_PATH, PART_QUERY, PART_FRAGMENT };

static void put_part(enum part part, duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text = {0};
    struct shim_call c;

    buf_init(&text, MAX_URL);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct url url;

        if (!url_parse(shim_str(&c, 0, row), &url)) {
            shim_set_null(&c, row);
            continue;
        }
        const struct str parts[] = {[PART_SCHEME] = url.scheme,
                                    [PART_HOST] = url.host,
                                    [PART_PATH] = url.path,
                                    [PART_QUERY] = url.query,
                                    [PART_FRAGMENT] = url.fragment};
        buf_reset(&text);
        if (part <= PART_HOST || enc_unpercent(&text, parts[part], false, NULL) < 0)
            shim_put_str(&c, row, parts[part]);
        else
            shim_put_str(&c, row, buf_str(&text));
    }
}

static void url_protocol(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    put_part(PART_SCHEME, info, in, out);
}

static void url_host(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    put_part(PART_HOST, info, in, out);
}

static void url_path(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    put_part(PART_PATH, info, in, out);
}

static void url_query(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    put_part(PART_QUERY, info, in, out);
}

static void url_fragment(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    put_part(PART_FRAGMENT, info, in, out);
}

static void url_port(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct url url;
        int64_t port;

        if (!url_parse(shim_str(&c, 0, row), &url) || str_to_i64(url.port, &port, NULL) < 0)
            shim_set_null(&c, row);
        else
            SHIM_OUT(&c, int64_t, row) = port;
    }
}

static bool make_parameter(struct shim_call *c, size_t row, struct buf *to)
{
    struct str name = shim_str(c, 1, row), rest, part;
    struct url url;

    rest = url_parse(shim_str(c, 0, row), &url) ? url.query : STR_NULL;
    while (str_split(&rest, '&', &part)) {
        size_t equals = str_find_char(part, '=', 0);

        if (str_eq(str_slice(part, 0, equals), name))
            return equals == SIZE_MAX || enc_unpercent(to, str_skip(part, equals + 1), true, NULL) == 0;
    }
    return false;
}

static void url_parameter(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    shim_make_texts(info, in, out, MAX_URL, make_parameter);
}

/* application/x-www-form-urlencoded */
static bool make_encoded(struct shim_call *c, size_t row, struct buf *to)
{
    struct str s = shim_str(c, 0, row);

    for (size_t i = 0; i < s.n; i++) {
        unsigned char b = (unsigned char)s.p[i];

        if (b < 0x80 && (isalnum(b) || (b && strchr("-_.*", b))))
            buf_add_char(to, (char)b);
        else if (b == ' ')
            buf_add_char(to, '+');
        else
            buf_addf(to, "%%%02X", b);
    }
    return true;
}

static void url_encode(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    shim_make_texts(info, in, out, MAX_URL, make_encoded);
}

static bool make_decoded(struct shim_call *c, size_t row, struct buf *to)
{
    if (enc_unpercent(to, shim_str(c, 0, row), true, NULL) < 0) {
        shim_fail(c, "INVALID_FUNCTION_ARGUMENT", "URLDecoder: Illegal hex characters in escape (%%) pattern");
        return false;
    }
    if (!str_is_utf8(buf_str(to))) {
        buf_reset(to);
        buf_add_cstr(to, "\xef\xbf\xbd");
    }
    return true;
}

static void url_decode(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    shim_make_texts(info, in, out, MAX_URL, make_decoded);
}

const struct shim shims_url[] = {
    SHIM("dp_url_protocol", "v", 'v', url_protocol),
    SHIM("dp_url_host", "v", 'v', url_host),
    SHIM("dp_url_path", "v", 'v', url_path),
    SHIM("dp_url_query", "v", 'v', url_query),
    SHIM("dp_url_fragment", "v", 'v', url_fragment),
    SHIM("dp_url_port", "v", 'l', url_port),
    SHIM("dp_url_parameter", "vv", 'v', url_parameter),
    SHIM("dp_url_encode", "v", 'v', url_encode),
    SHIM("dp_url_decode", "v", 'v', url_decode),
};
const size_t shims_url_count = ARRAY_LEN(shims_url);
