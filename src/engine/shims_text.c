/*
 * Functions of text that count code points and fail as Trino's do.
 */
#include "base/buf.h"
#include "base/enc.h"
#include "base/vec.h"
#include "engine/shim.h"

static const char bad_argument[] = "INVALID_FUNCTION_ARGUMENT";

enum { MAX_TEXT = 64 << 20 }; /* bytes of a text that a function makes */

static size_t rune_size(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The byte at which code point `n` starts, or the end. */
static size_t rune_offset(struct str s, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && at < s.n)
        at += rune_size((unsigned char)s.p[at]);
    return at < s.n ? at : s.n;
}

static int64_t rune_count(struct str s)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

/* ---- substr: from the end when negative, empty at 0 and outside ---- */

static void substr(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int64_t start = SHIM_ARG(&c, int64_t, 1, row);
        int64_t length = c.arg_count > 2 ? SHIM_ARG(&c, int64_t, 2, row) : INT64_MAX;
        int64_t first = start > 0 ? start - 1 : start + (start < 0 ? rune_count(s) : 0);
        size_t from;

        if (start == 0 || first < 0 || length <= 0) {
            shim_put_str(&c, row, STR(""));
            continue;
        }
        from = rune_offset(s, first);
        s = str_skip(s, from);
        shim_put_str(&c, row, str_slice(s, 0, rune_offset(s, length)));
    }
}

/* ---- trim: Java's white space ---- */

static bool is_space(uint32_t r)
{
    return (r >= 0x09 && r <= 0x0d) || (r >= 0x1c && r <= 0x20) || r == 0x1680 ||
           (r >= 0x2000 && r <= 0x200a && r != 0x2007) || r == 0x2028 || r == 0x2029 || r == 0x205f || r == 0x3000;
}

static struct str trim_left(struct str s)
{
    size_t at = 0;

    while (at < s.n) {
        size_t next = at;

        if (!is_space(str_next_rune(s, &next)))
            break;
        at = next;
    }
    return str_skip(s, at);
}

static struct str trim_right(struct str s)
{
    while (s.n > 0) {
        size_t start = s.n - 1, at;

        while (start > 0 && ((unsigned char)s.p[start] & 0xc0) == 0x80)
            start--;
        at = start;
        if (!is_space(str_next_rune(s, &at)))
            break;
        s.n = start;
    }
    return s;
}

#define TRIM(name, value)                                                                \
    static void name(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out) \
    {                                                                                    \
        struct shim_call c;                                                              \
                                                                                         \
        shim_begin(&c, info, in, out);                                                   \
        for (SHIM_ROWS(&c, row)) {                                                       \
            struct str s = shim_str(&c, 0, row);                                         \
                                                                                         \
            shim_put_str(&c, row, value);                                                \
        }                                                                                \
    }

TRIM(ltrim, trim_left(s))
TRIM(rtrim, trim_right(s))
TRIM(trim, trim_left(trim_right(s)))

/* ---- pads ---- */

static void pad(struct shim_call *c, bool is_left)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, MAX_TEXT);
    for (SHIM_ROWS(c, row)) {
        struct str s = shim_str(c, 0, row), with = shim_str(c, 2, row);
        int64_t size = SHIM_ARG(c, int64_t, 1, row), missing = size - rune_count(s);
        size_t whole;

        if (size < 0 || size > INT32_MAX) {
            shim_fail(c, bad_argument, "Target length must be in the range [0..2147483647]");
        } else if (str_is_empty(with)) {
            shim_fail(c, bad_argument, "Padding string must not be empty");
        } else if (missing <= 0) {
            shim_put_str(c, row, str_slice(s, 0, rune_offset(s, size)));
        } else {
            buf_reset(&text);
            if (!is_left)
                buf_add_str(&text, s);
            whole = (size_t)(missing / rune_count(with));
            for (size_t i = 0; i < whole && !text.failed; i++)
                buf_add_str(&text, with);
            buf_add_str(&text, str_slice(with, 0, rune_offset(with, missing % rune_count(with))));
            if (is_left)
                buf_add_str(&text, s);
            if (text.failed)
                shim_fail(c, "EXCEEDED_FUNCTION_MEMORY_LIMIT", "The padded text is larger than %d bytes", MAX_TEXT);
            else
                shim_put_str(c, row, buf_str(&text));
        }
    }
}

static void lpad(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    pad(&c, true);
}

static void rpad(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    pad(&c, false);
}

/* ---- reverse, replace ---- */

static void reverse(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;

    buf_init(&text, MAX_TEXT);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        buf_reset(&text);
        for (size_t end = s.n; end > 0;) {
            size_t start = end - 1;

            while (start > 0 && ((unsigned char)s.p[start] & 0xc0) == 0x80)
                start--;
            buf_append(&text, s.p + start, end - start);
            end = start;
        }
        shim_put_str(&c, row, buf_str(&text));
    }
}

/* An empty search inserts the replacement around every code point. */
static void replace(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;

    buf_init(&text, MAX_TEXT);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), search = shim_str(&c, 1, row), with = shim_str(&c, 2, row);
        size_t at = 0;

        buf_reset(&text);
        while (at < s.n) {
            size_t next = str_is_empty(search) ? at : str_find(s, search, at);

            if (next == SIZE_MAX)
                break;
            buf_append(&text, s.p + at, next - at);
            buf_add_str(&text, with);
            at = next + search.n;
            if (str_is_empty(search)) {
                size_t n = rune_size((unsigned char)s.p[at]);

                buf_add_str(&text, str_slice(s, at, n));
                at += n;
            }
        }
        buf_add_str(&text, str_skip(s, at));
        if (str_is_empty(search))
            buf_add_str(&text, with);
        if (text.failed)
            shim_fail(&c, "EXCEEDED_FUNCTION_MEMORY_LIMIT", "The text is larger than %d bytes", MAX_TEXT);
        else
            shim_put_str(&c, row, buf_str(&text));
    }
}

/* ---- parts ---- */

static void split_part(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), by = shim_str(&c, 1, row);
        int64_t index = SHIM_ARG(&c, int64_t, 2, row);
        size_t next = 0;

        if (index <= 0) {
            shim_fail(&c, bad_argument, "Index must be greater than zero");
            break;
        }
        if (str_is_empty(by)) { /* between code points */
            size_t from = rune_offset(s, index - 1);

            if (from >= s.n)
                shim_set_null(&c, row);
            else
                shim_put_str(&c, row, str_slice(s, from, rune_size((unsigned char)s.p[from])));
            continue;
        }
        while ((next = str_find(s, by, 0)) != SIZE_MAX && index > 1) {
            s = str_skip(s, next + by.n);
            index--;
        }
        if (index > 1)
            shim_set_null(&c, row);
        else
            shim_put_str(&c, row, next == SIZE_MAX ? s : str_slice(s, 0, next));
    }
}

/* dp_split(text, delimiter[, limit]) */
static void split(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;
    duckdb_vector child = duckdb_list_vector_get_child(out);
    idx_t total = 0;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), by = shim_str(&c, 1, row);
        int64_t limit = c.arg_count > 2 ? SHIM_ARG(&c, int64_t, 2, row) : INT64_MAX;
        duckdb_list_entry entry = {.offset = total, .length = 0};
        size_t next;

        if (limit <= 0) {
            shim_fail(&c, bad_argument, "Limit must be positive");
            break;
        }
        if (str_is_empty(by)) {
            shim_fail(&c, bad_argument, "The delimiter may not be the empty string");
            break;
        }
        do {
            next = (int64_t)entry.length + 1 < limit ? str_find(s, by, 0) : SIZE_MAX;
            if (duckdb_list_vector_reserve(out, total + 1) != DuckDBSuccess) {
                shim_fail(&c, "EXCEEDED_FUNCTION_MEMORY_LIMIT", "The list of parts is too large");
                break;
            }
            child = duckdb_list_vector_get_child(out);
            struct str part = next == SIZE_MAX ? s : str_slice(s, 0, next);
            duckdb_unsafe_vector_assign_string_element_len(child, total, part.p ? part.p : "", part.n);
            total++;
            entry.length++;
            if (next != SIZE_MAX)
                s = str_skip(s, next + by.n);
        } while (next != SIZE_MAX);
        SHIM_OUT(&c, duckdb_list_entry, row) = entry;
    }
    duckdb_list_vector_set_size(out, total);
}

/* dp_strpos(text, part, instance): of the n-th instance, from the end when negative; 0: none. */
static void strpos_nth(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row), part = shim_str(&c, 1, row);
        int64_t instance = SHIM_ARG(&c, int64_t, 2, row), seen = 0;
        size_t found = SIZE_MAX;

        if (instance == 0) {
            shim_fail(&c, bad_argument, "'instance' must be a positive or negative number.");
            break;
        }
        if (str_is_empty(part)) {
            SHIM_OUT(&c, int64_t, row) = 1;
            continue;
        }
        for (size_t at = instance > 0 ? 0 : s.n; part.n <= s.n;) {
            if (instance > 0) {
                at = str_find(s, part, at);
                if (at == SIZE_MAX)
                    break;
            }
            if (at + part.n <= s.n && memcmp(s.p + at, part.p, part.n) == 0 &&
                ++seen == (instance > 0 ? instance : -instance)) {
                found = at;
                break;
            }
            if (instance < 0 && at == 0)
                break;
            at = instance > 0 ? at + 1 : at - 1;
        }
        SHIM_OUT(&c, int64_t, row) = found == SIZE_MAX ? 0 : rune_count(str_slice(s, 0, found)) + 1;
    }
}

/* ---- characters and numbers ---- */

static void chr(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int64_t, 0, row);
        char text[4];
        size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;

        if (v < 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000)) {
            shim_fail(&c, bad_argument, "Not a valid Unicode code point: %lld", (long long)v);
            break;
        }
        for (size_t i = n; i-- > 1; v >>= 6)
            text[i] = (char)(0x80 | (v & 0x3f));
        text[0] = (char)(n == 1 ? v : n == 2 ? 0xc0 | v : n == 3 ? 0xe0 | v : 0xf0 | v);
        shim_put_str(&c, row, str_from(text, n));
    }
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

static bool check_radix(struct shim_call *c, int64_t radix)
{
    if (radix < 2 || radix > 36)
        shim_fail(c, bad_argument, "Radix must be between 2 and 36");
    return !c->failed;
}

static void from_base(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);
        int64_t radix = SHIM_ARG(&c, int64_t, 1, row);
        size_t at = s.n > 1 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
        bool is_good = at < s.n;
        __int128 v = 0;

        if (!check_radix(&c, radix))
            break;
        for (size_t i = at; i < s.n && is_good; i++) {
            v = v * radix + digit_value(s.p[i]);
            is_good = digit_value(s.p[i]) < radix && v <= (__int128)INT64_MAX + 1;
        }
        if (at == 1 && s.p[0] == '-')
            v = -v;
        if (!is_good || v > INT64_MAX)
            shim_fail(&c, bad_argument, "Not a valid base-%lld number: %.*s", (long long)radix, STR_ARG(s));
        SHIM_OUT(&c, int64_t, row) = (int64_t)v;
    }
}

static void to_base(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t v = SHIM_ARG(&c, int64_t, 0, row), radix = SHIM_ARG(&c, int64_t, 1, row);
        uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;
        char text[66];
        size_t at = sizeof(text);

        if (!check_radix(&c, radix))
            break;
        do {
            text[--at] = "0123456789abcdefghijklmnopqrstuvwxyz"[u % (uint64_t)radix];
            u /= (uint64_t)radix;
        } while (u > 0);
        if (v < 0)
            text[--at] = '-';
        shim_put_str(&c, row, str_from(text + at, sizeof(text) - at));
    }
}

/* ---- distances ---- */

static size_t to_runes(struct str s, uint32_t *ret)
{
    size_t n = 0;

    for (size_t at = 0; at < s.n;)
        ret[n++] = str_next_rune(s, &at);
    return n;
}

static int64_t levenshtein(struct str a, struct str b)
{
    uint32_t *runes = calloc(a.n + b.n + 2 + b.n + 1, sizeof(*runes));
    uint32_t *other, *row;
    size_t n, m;
    int64_t distance;

    if (!runes)
        abort();
    other = runes + a.n + 1;
    row = other + b.n + 1;
    n = to_runes(a, runes);
    m = to_runes(b, other);
    for (size_t j = 0; j <= m; j++)
        row[j] = (uint32_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint32_t diagonal = row[0];

        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint32_t above = row[j], best = diagonal + (runes[i - 1] != other[j - 1]);

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    distance = row[m];
    free(runes);
    return distance;
}

static void levenshtein_distance(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str a = shim_str(&c, 0, row), b = shim_str(&c, 1, row);

        if ((a.n + 1) * (b.n + 1) > 1000000)
            shim_fail(&c, bad_argument, "The combined inputs for Levenshtein distance are too large");
        else
            SHIM_OUT(&c, int64_t, row) = levenshtein(a, b);
    }
}

static void hamming_distance(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str a = shim_str(&c, 0, row), b = shim_str(&c, 1, row);
        size_t i = 0, j = 0;
        int64_t n = 0;

        while (i < a.n && j < b.n)
            n += str_next_rune(a, &i) != str_next_rune(b, &j);
        if (i < a.n || j < b.n)
            shim_fail(&c, bad_argument, "The input strings to hamming_distance function must have the same length");
        SHIM_OUT(&c, int64_t, row) = n;
    }
}

/* ---- bytes ---- */

static void from_hex(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf bytes;
    struct shim_call c;

    buf_init(&bytes, MAX_TEXT);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        buf_reset(&bytes);
        if (s.n % 2 != 0)
            shim_fail(&c, bad_argument, "string is odd-length: %.*s", STR_ARG(s));
        for (size_t i = 0; i < s.n && !c.failed; i++) {
            if (enc_hex_value(s.p[i]) < 0)
                shim_fail(&c, bad_argument, "not a hexadecimal digit: \"%c\" = %d", s.p[i], (unsigned char)s.p[i]);
            else if (i % 2 == 1)
                buf_add_char(&bytes, (char)(enc_hex_value(s.p[i - 1]) << 4 | enc_hex_value(s.p[i])));
        }
        shim_put_str(&c, row, buf_str(&bytes));
    }
}

/* What isn't UTF-8 becomes U+FFFD. */
static void from_utf8(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    BUF_SCOPED struct buf text;
    struct shim_call c;

    buf_init(&text, MAX_TEXT);
    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str s = shim_str(&c, 0, row);

        if (str_is_utf8(s)) {
            shim_put_str(&c, row, s);
            continue;
        }
        buf_reset(&text);
        for (size_t at = 0; at < s.n;) {
            size_t start = at;

            if (str_next_rune(s, &at) == 0xfffd)
                buf_add_cstr(&text, "\xef\xbf\xbd");
            else
                buf_append(&text, s.p + start, at - start);
        }
        shim_put_str(&c, row, buf_str(&text));
    }
}

/* ---- checks of subscripts: they give the index, or the error ---- */

static void check_index(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        int64_t n = SHIM_ARG(&c, int64_t, 0, row), i = SHIM_ARG(&c, int64_t, 1, row);

        if (i == 0)
            shim_fail(&c, bad_argument, "SQL array indices start at 1");
        else if (i < 0)
            shim_fail(&c, bad_argument, "Array subscript is negative: %lld", (long long)i);
        else if (i > n)
            shim_fail(&c, bad_argument, "Array subscript must be less than or equal to array length: %lld > %lld",
                      (long long)i, (long long)n);
        SHIM_OUT(&c, int64_t, row) = i;
    }
}

static void check_element(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        SHIM_OUT(&c, int64_t, row) = SHIM_ARG(&c, int64_t, 0, row);
        if (SHIM_OUT(&c, int64_t, row) == 0)
            shim_fail(&c, bad_argument, "SQL array indices start at 1");
    }
}

static void check_key(duckdb_function_info info, duckdb_data_chunk in, duckdb_vector out)
{
    struct shim_call c;

    shim_begin(&c, info, in, out);
    for (SHIM_ROWS(&c, row)) {
        struct str key = shim_str(&c, 1, row);

        SHIM_OUT(&c, int64_t, row) = 1;
        if (SHIM_ARG(&c, int64_t, 0, row) == 0)
            shim_fail(&c, bad_argument, "Key not present in map: %.*s", STR_ARG(key));
    }
}

const struct shim shims_text[] = {
    SHIM("dp_substr", "vl", 'v', substr),
    SHIM("dp_substr", "vll", 'v', substr),
    SHIM("dp_ltrim", "v", 'v', ltrim),
    SHIM("dp_rtrim", "v", 'v', rtrim),
    SHIM("dp_trim", "v", 'v', trim),
    SHIM("dp_lpad", "vlv", 'v', lpad),
    SHIM("dp_rpad", "vlv", 'v', rpad),
    SHIM("dp_reverse", "v", 'v', reverse),
    SHIM("dp_replace", "vvv", 'v', replace),
    SHIM("dp_split_part", "vvl", 'v', split_part),
    SHIM("dp_split", "vv", 'V', split),
    SHIM("dp_split", "vvl", 'V', split),
    SHIM("dp_strpos", "vvl", 'l', strpos_nth),
    SHIM("dp_chr", "l", 'v', chr),
    SHIM("dp_from_base", "vl", 'l', from_base),
    SHIM("dp_to_base", "ll", 'v', to_base),
    SHIM("dp_levenshtein_distance", "vv", 'l', levenshtein_distance),
    SHIM("dp_hamming_distance", "vv", 'l', hamming_distance),
    SHIM("dp_from_hex", "v", 'x', from_hex),
    SHIM("dp_from_utf8", "x", 'v', from_utf8),
    SHIM("dp_check_index", "ll", 'l', check_index),
    SHIM("dp_check_element", "l", 'l', check_element),
    SHIM("dp_check_key", "lv", 'l', check_key),
};
const size_t shims_text_count = ARRAY_LEN(shims_text);
