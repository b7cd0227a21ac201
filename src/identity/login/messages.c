/*
 * The texts are few hundred: a key is found by a binary search over its language's lines, which are sorted once, when the
 * first page asks.
 */
#include "identity/login/template.h"

#include "base/vec.h"
#include "identity/login/embedded.h"

#include <pthread.h>

enum { LANGUAGES_MAX = 8 };

struct line {
    struct str key, text;
};

struct messages {
    char tag[12];
    struct line *lines;
    size_t n;
};

static struct messages languages[LANGUAGES_MAX];
static size_t language_count, english;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* Lives as long as the process. */
static void load(void)
{
    for (size_t i = 0; i < login_messages_count && i < LANGUAGES_MAX; i++) {
        const struct embedded *e = &login_messages[i];
        struct messages *m = &languages[language_count];
        struct str rest = str_from(e->text, e->n), line;
        VEC(struct line) lines = {0};

        (void)snprintf(m->tag, sizeof(m->tag), "%.*s", (int)str_find_char(str_from_cstr(e->name), '.', 0), e->name);
        while (str_split(&rest, '\n', &line)) {
            size_t equals = str_find_char(line, '=', 0);
            if (equals == SIZE_MAX || line.p[0] == '#')
                continue;
            struct line l = {str_slice(line, 0, equals), str_skip(line, equals + 1)};
            vec_push(&lines, l);
        }
        qsort(lines.items, lines.n, sizeof(lines.items[0]), by_key);
        m->lines = lines.items;
        m->n = lines.n;
        if (strcmp(m->tag, "en") == 0)
            english = language_count;
        language_count++;
    }
}

const struct messages *messages_for(const struct str *wanted, size_t n)
{
    pthread_once(&once, load);
    for (size_t i = 0; i < n; i++) {
        struct str language = str_slice(wanted[i], 0, str_find_char(wanted[i], '-', 0));
        for (size_t j = 0; j < language_count; j++) {
            if (str_eq_nocase(language, str_from_cstr(languages[j].tag)))
                return &languages[j];
        }
    }
    return &languages[english];
}

const struct messages *messages_at(size_t i)
{
    pthread_once(&once, load);
    return i < language_count ? &languages[i] : NULL;
}

const char *messages_tag(const struct messages *m)
{
    return m->tag;
}

/* RFC 9110, 12.4.2: 0, 0.5, 0.123, 1; what is malformed counts as 1. In thousandths. */
static int weight_of(struct str parameters)
{
    struct str part;

    while (str_split(&parameters, ';', &part)) {
        int64_t digits = 0;
        part = str_trim(part);
        if (!str_starts_with_nocase(part, STR("q=0")))
            continue;
        if (part.n <= 4)
            return 0;
        struct str fraction = str_slice(part, 4, 3);
        if (str_to_i64(fraction, &digits, NULL) < 0 || digits < 0)
            return 1000;
        return (int)(fraction.n == 1 ? digits * 100 : fraction.n == 2 ? digits * 10 : digits);
    }
    return 1000;
}

size_t messages_parse_accept(struct str header, struct str *ret, size_t max)
{
    int weights[16];
    struct str item, tag;
    size_t n = 0;

    if (max > ARRAY_LEN(weights))
        max = ARRAY_LEN(weights);
    while (n < max && str_split(&header, ',', &item)) {
        (void)str_split(&item, ';', &tag);
        int weight = str_is_null(item) ? 1000 : weight_of(item);
        size_t at = n;
        if (weight == 0)
            continue;
        while (at > 0 && weights[at - 1] < weight) {
            weights[at] = weights[at - 1];
            ret[at] = ret[at - 1];
            at--;
        }
        weights[at] = weight;
        ret[at] = str_trim(tag);
        n++;
    }
    return n;
}

static struct str find(const struct messages *m, struct str key)
{
    const struct line wanted = {.key = key};
    const struct line *found = bsearch(&wanted, m->lines, m->n, sizeof(m->lines[0]), by_key);

    return found ? found->text : STR_NULL;
}

struct str messages_get(const struct messages *m, struct str key)
{
    struct str text = find(m, key);

    return str_is_null(text) ? find(&languages[english], key) : text;
}

struct str messages_text(const struct messages *m, struct arena *a, const char *key, const struct str *args, size_t n)
{
    struct str text = messages_get(m, str_from_cstr(key));
    BUF_SCOPED struct buf out = {0};

    if (str_is_null(text))
        return str_from_cstr(key);
    buf_init(&out, 64 << 10);
    for (size_t at = 0; at < text.n; at++) {
        size_t which = at + 2 < text.n && text.p[at] == '{' && text.p[at + 2] == '}' ? (size_t)(text.p[at + 1] - '0')
                                                                                     : SIZE_MAX;
        if (which < n) {
            buf_add_str(&out, args[which]);
            at += 2;
        } else {
            buf_add_char(&out, text.p[at]);
        }
    }
    return arena_str(a, buf_str(&out));
}
