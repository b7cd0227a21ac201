#include "cli/cli.h"

#include "base/vec.h"

void table_init(struct table *t, struct arena *a, size_t columns, const char *const *heads)
{
    *t = (struct table){.a = a, .columns = columns};
    table_add(t, heads);
}

void table_add(struct table *t, const char *const *cells)
{
    if (t->rows == t->cap)
        t->cells = vec_grow_in(t->a, t->cells, &t->cap, t->rows, t->columns * sizeof(*cells));
    memcpy(t->cells + t->rows++ * t->columns, cells, t->columns * sizeof(*cells));
}

void table_print(const struct table *t, FILE *to)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < t->rows * t->columns; i++) {
        size_t n = strlen(t->cells[i]);
        if (n > widths[i % t->columns])
            widths[i % t->columns] = n;
    }
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        if (i % t->columns == t->columns - 1)
            fprintf(to, "%s\n", t->cells[i]);
        else
            fprintf(to, "%-*s  ", (int)widths[i % t->columns], t->cells[i]);
    }
}

const char *table_bytes(struct arena *a, uint64_t bytes)
{
    if (bytes >= 1ull << 30)
        return arena_printf(a, "%.1f GiB", (double)bytes / (double)(1ull << 30)).p;
    return arena_printf(a, "%.1f MiB", (double)bytes / (double)(1 << 20)).p;
}

const char *table_duration(struct arena *a, int64_t ms)
{
    int64_t s = ms / 1000;

    if (s < 60)
        return arena_printf(a, "%lld s", (long long)s).p;
    if (s < 3600)
        return arena_printf(a, "%lld min", (long long)s / 60).p;
    if (s < 86400)
        return arena_printf(a, "%lld h %lld min", (long long)s / 3600, (long long)s / 60 % 60).p;
    return arena_printf(a, "%lld d %lld h", (long long)s / 86400, (long long)s / 3600 % 24).p;
}
