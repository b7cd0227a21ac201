/*
 * How much memory there is to give: the machine's, or less where a control group limits us, which inside a
 * container is the truth. And how amounts of it are written.
 */
#include "spec/memory.h"

#include "base/buf.h"
#include "os/file.h"

/* The first number of a file, UINT64_MAX when there is none ("max"). */
static uint64_t number_in(const char *path, const char *label)
{
    BUF_SCOPED struct buf text;
    uint64_t n = UINT64_MAX;

    buf_init(&text, 64 << 10);
    if (file_read(path, &text, NULL) < 0)
        return UINT64_MAX;
    size_t at = str_find(buf_str(&text), str_from_cstr(label), 0);
    if (at == SIZE_MAX)
        return UINT64_MAX;
    struct str rest = str_trim(str_skip(buf_str(&text), at + strlen(label)));
    size_t digits = 0;
    while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9')
        digits++;
    if (str_to_u64(str_slice(rest, 0, digits), &n, NULL) < 0)
        return UINT64_MAX;
    return n;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Version 2: the group's own limit and those above it all hold. */
static uint64_t cgroup2_limit(void)
{
    BUF_SCOPED struct buf text;
    uint64_t limit = UINT64_MAX;
    struct str rest, line;

    buf_init(&text, 64 << 10);
    if (file_read("/proc/self/cgroup", &text, NULL) < 0)
        return limit;
    for (rest = buf_str(&text); str_split(&rest, '\n', &line);) {
        if (!str_starts_with(line, STR("0::/")))
            continue;
        struct str group = str_skip(line, 3);
        for (;;) {
            char path[4200];
            if ((size_t)snprintf(path, sizeof(path), "/sys/fs/cgroup%.*s/memory.max", STR_ARG(group)) < sizeof(path))
                limit = least(limit, number_in(path, ""));
            size_t slash = str_rfind_char(group, '/');
            if (slash == SIZE_MAX)
                break;
            group = str_slice(group, 0, slash);
        }
    }
    return limit;
}

uint64_t memory_total(void)
{
    uint64_t kib = number_in("/proc/meminfo", "MemTotal:");
    uint64_t total = kib < UINT64_MAX / 1024 ? kib * 1024 : UINT64_MAX;

    total = least(total, cgroup2_limit());
    total = least(total, number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", ""));
    /* No /proc: a machine that small would not do either, so nothing is promised that isn't there. */
    return total == UINT64_MAX ? (uint64_t)1 << 30 : total;
}

static const struct {
    const char *name;
    uint64_t bytes;
} units[] = {
    {"", 1},
    {"b", 1},
    {"kb", 1000},
    {"mb", 1000000},
    {"gb", 1000000000},
    {"tb", 1000000000000},
    {"kib", 1 << 10},
    {"mib", 1 << 20},
    {"gib", 1ull << 30},
    {"tib", 1ull << 40},
};

int memory_parse(struct str text, uint64_t total, uint64_t *ret)
{
    size_t n = 0;
    double number;
    struct str unit;

    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;
    if (n == 0 || text.p[0] == '.' || str_to_f64(str_slice(text, 0, n), &number, NULL) < 0 || number > 1e15)
        return -1;
    unit = str_trim(str_skip(text, n));
    if (str_eq(unit, STR("%"))) {
        if (number <= 0 || number > 100)
            return -1;
        *ret = (uint64_t)((double)total * (number / 100));
        return 0;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_eq_nocase(unit, str_from_cstr(units[i].name)))
            continue;
        double bytes = number * (double)units[i].bytes;
        if (bytes > 0x1p60)
            return -1;
        *ret = (uint64_t)bytes;
        return 0;
    }
    return -1;
}
