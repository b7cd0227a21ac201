/*
 * Strings inside the program: a pointer and a length, owned by somebody else (an arena, a buf, a literal).
 * Not NUL-terminated; str_to_cstr (arena.h) makes a copy for a library's door. A `struct str` is passed by value.
 * `p` may be NULL when n is 0; str_is_null tells "absent" (p == NULL) from "empty".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/banned.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NULL ((struct str){NULL, 0})
/* For printf: "%.*s" with STR_ARG(s). */
#define STR_ARG(s) (int)((s).n > 0x7fffffff ? 0x7fffffff : (s).n), ((s).p ? (s).p : "")

static inline struct str str_from(const char *p, size_t n)
{
    return (struct str){p, n};
}
static inline struct str str_from_cstr(const char *s)
{
    return (struct str){s, s ? strlen(s) : 0};
}
static inline bool str_is_null(struct str s)
{
    return s.p == NULL;
}
static inline bool str_is_empty(struct str s)
{
    return s.n == 0;
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_eq_cstr(struct str a, const char *b)
{
    return str_eq(a, str_from_cstr(b));
}

bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b);        /* bytes, as memcmp; shorter first */
bool str_starts_with(struct str s, struct str prefix);
bool str_starts_with_nocase(struct str s, struct str prefix); /* ASCII only */
bool str_ends_with(struct str s, struct str suffix);
/* Index of the first match at or after `from`, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle, size_t from);
size_t str_find_char(struct str s, char c, size_t from);
size_t str_rfind_char(struct str s, char c);
/* The part from `from` of at most `n` bytes, clamped to the string. */
struct str str_slice(struct str s, size_t from, size_t n);
struct str str_skip(struct str s, size_t from); /* all from `from` */
struct str str_trim(struct str s);              /* without ASCII white space at both ends */
/* Takes the part before `sep` off `*rest` (the whole when there is no sep left). False when *rest is null,
 * which it is after the last part: `while (str_split(&rest, ',', &part))` sees "a,,b" as a, "", b. */
bool str_split(struct str *rest, char sep, struct str *ret_part);

/* The whole of `s` as a number; ERR_INVALID with a message otherwise, also when out of range. No spaces allowed. */
MUST_CHECK int str_to_i64(struct str s, int64_t *ret, struct err *err);
MUST_CHECK int str_to_u64(struct str s, uint64_t *ret, struct err *err);
MUST_CHECK int str_to_f64(struct str s, double *ret, struct err *err);

/* True when `s` is well-formed UTF-8 (no surrogates, no overlong forms, RFC 3629). */
bool str_is_utf8(struct str s);
/* Decodes the code point at s[*at] and moves *at past it; U+FFFD and one byte for a malformed one. */
uint32_t str_next_rune(struct str s, size_t *at);

/* A byte for each secret byte looked at, whatever the content: for comparing MACs, keys and tokens. */
bool str_eq_secret(struct str a, struct str b);

#endif
