/*
 * A growable byte buffer that always has a cap.
 *
 * Appending past the cap (or out of memory) sets `failed`, keeps what was there and drops the rest, so a
 * sequence of appends needs one check at its end: buf_check. Bytes are not NUL-terminated; buf_cstr does that.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap;
    size_t max; /* bytes; set by buf_init, never 0 in use */
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);
void buf_reset(struct buf *b); /* empty, keeps the memory, clears failed */
void buf_wipe(struct buf *b);  /* as buf_reset, and overwrites what was there: for secrets */

void buf_append(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_cstr(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_add_i64(struct buf *b, int64_t v); /* decimal, without printf's cost */
void buf_add_u64(struct buf *b, uint64_t v);
/* Room for n more bytes at b->p + b->n (the caller adds to b->n), or NULL with failed set. */
char *buf_reserve(struct buf *b, size_t n);
void buf_truncate(struct buf *b, size_t n); /* to n bytes, n ≤ b->n */

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
/* NUL-terminates behind the content (counts towards no length); "" when empty or out of memory. */
const char *buf_cstr(struct buf *b);
/* 0, or ERR_LIMIT "what is larger than N bytes". */
MUST_CHECK int buf_check(const struct buf *b, const char *what, struct err *err);

#define BUF_SCOPED __attribute__((cleanup(buf_release)))

#endif
