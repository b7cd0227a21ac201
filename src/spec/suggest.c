#include "spec/suggest.h"

#include "base/buf.h"

enum { WORD_MAX = 64 };

/* Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
static size_t distance(struct str a, struct str b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    if (a.n > WORD_MAX || b.n > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        before[j] = last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] && before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
        size_t *unused = before;
        before = last;
        last = now;
        now = unused;
    }
    return last[b.n];
}

const char *suggest_nearest(struct str word, const char *const *known, size_t n)
{
    size_t best = word.n < 4 ? 2 : word.n < 8 ? 3 : 4; /* farther than that is another word */
    const char *nearest = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, str_from_cstr(known[i]));
        if (d < best) {
            best = d;
            nearest = known[i];
        }
    }
    return nearest;
}

const char *suggest_list(struct arena *a, const char *const *known, size_t n)
{
    BUF_SCOPED struct buf text;

    buf_init(&text, 4096);
    for (size_t i = 0; i < n; i++)
        buf_addf(&text, "%s%s", i ? ", " : "", known[i]);
    return arena_cstr(a, buf_str(&text));
}

const char *suggest_text(struct arena *a, struct str word, const char *const *known, size_t n)
{
    const char *nearest = suggest_nearest(word, known, n);
    const char *list = suggest_list(a, known, n);

    if (nearest)
        return arena_printf(a, "; did you mean %s? Known: %s", nearest, list).p;
    return arena_printf(a, "; known: %s", list).p;
}
