#include "base/buf.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_wipe(struct buf *b)
{
    if (b->n)
        explicit_bzero(b->p, b->n);
    buf_reset(b);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (n <= b->cap - b->n && !b->failed)
        return b->p + b->n;
    if (b->failed || n > b->max || b->n > b->max - n) {
        b->failed = true;
        return NULL;
    }
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->n + n)
        cap *= 2;
    if (cap > b->max)
        cap = b->max;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return b->p + b->n;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
    char *to = n ? buf_reserve(b, n) : NULL;

    if (to) {
        memcpy(to, p, n);
        b->n += n;
    }
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_append(b, s.p, s.n);
}

void buf_add_cstr(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);

    if (to) {
        *to = c;
        b->n++;
    }
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
    } else if ((size_t)n < SIZE_MAX) {
        /* vsnprintf writes a NUL behind the text: room for it is reserved, not counted, where the cap allows */
        char small[64];
        if ((size_t)n < sizeof(small)) {
            vsnprintf(small, sizeof(small), fmt, again);
            buf_append(b, small, (size_t)n);
        } else {
            char *text = malloc((size_t)n + 1);
            if (!text)
                abort();
            vsnprintf(text, (size_t)n + 1, fmt, again);
            buf_append(b, text, (size_t)n);
            free(text);
        }
    }
    va_end(again);
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_append(b, digits + at, sizeof(digits) - at);
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_add_char(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_truncate(struct buf *b, size_t n)
{
    if (n < b->n)
        b->n = n;
}

const char *buf_cstr(struct buf *b)
{
    if (b->n == b->cap) {
        char *p = realloc(b->p, b->cap + 1);
        if (!p)
            return "";
        b->p = p;
        b->cap++;
    }
    b->p[b->n] = '\0';
    return b->p;
}

int buf_check(const struct buf *b, const char *what, struct err *err)
{
    if (b->failed)
        return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", what, b->max);
    return 0;
}
