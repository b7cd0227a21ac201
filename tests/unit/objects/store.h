/* A store in a fresh folder, and short forms of what tests do with it. */
#ifndef TESTS_OBJECTS_STORE_H
#define TESTS_OBJECTS_STORE_H

#include "base/vec.h"
#include "objects/objects.h"
#include "os/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct store {
    char dir[64];
    struct objects *o;
    struct arena arena;
    struct err err;
};

#define assert_ok(call)                                \
    do {                                               \
        if ((call) != 0)                               \
            fail_msg("%s: %s", #call, s->err.message); \
    } while (0)

static inline int store_setup(void **state)
{
    struct store *s = calloc(1, sizeof(*s));
    const char *base = getenv("TMPDIR");

    snprintf(s->dir, sizeof(s->dir), "%s/dp-objects-XXXXXX", base && strlen(base) < 30 ? base : P_tmpdir);
    if (!mkdtemp(s->dir))
        return -1;
    *state = s;
    return 0;
}

static inline int store_open_setup(void **state)
{
    if (store_setup(state) < 0)
        return -1;
    struct store *s = *state;
    if (objects_open(s->dir, &s->o, &s->err) < 0 || objects_create_bucket(s->o, STR("data"), &s->err) < 0) {
        fprintf(stderr, "%s\n", s->err.message);
        return -1;
    }
    return 0;
}

static inline int store_teardown(void **state)
{
    struct store *s = *state;

    objects_close(s->o);
    arena_release(&s->arena);
    int r = file_remove_tree(s->dir, NULL);
    free(s);
    return r;
}

static inline void store_reopen(struct store *s)
{
    objects_close(s->o);
    s->o = NULL;
    assert_ok(objects_open(s->dir, &s->o, &s->err));
}

static inline int store_try_put(struct store *s, struct str key, struct str bytes, const struct objects_conditions *c,
                                struct objects_info *ret)
{
    struct objects_write *w;
    int r = objects_write_begin(s->o, STR("data"), key, &w, &s->err);

    if (r < 0)
        return r;
    r = objects_write_append(w, bytes, &s->err);
    if (r < 0) {
        objects_write_abort(w);
        return r;
    }
    return objects_write_commit(w, &s->arena, NULL, 0, c, ret, &s->err);
}

static inline void store_put(struct store *s, struct str key, struct str bytes)
{
    struct objects_info info;

    assert_ok(store_try_put(s, key, bytes, NULL, &info));
}

static inline struct str store_get(struct store *s, struct str key)
{
    struct objects_reader r;

    assert_ok(objects_read(s->o, &s->arena, STR("data"), key, &r, &s->err));
    if (r.fd < 0)
        return r.inline_bytes;
    char *p = arena_alloc(&s->arena, r.info.size);
    assert_ok(file_pread_all(r.fd, p, r.info.size, 0, &s->err));
    objects_reader_release(&r);
    return str_from(p, r.info.size);
}

static inline bool store_has(struct store *s, struct str key)
{
    struct objects_info info;
    int r = objects_head(s->o, &s->arena, STR("data"), key, &info, &s->err);

    if (r == ERR_NOT_FOUND)
        return false;
    assert_int_equal(r, 0);
    return true;
}

/* n bytes that depend on the seed. */
static inline struct str store_bytes(struct arena *a, size_t n, uint64_t seed)
{
    char *p = arena_alloc(a, n);

    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        p[i] = (char)(seed >> 56);
    }
    return str_from(p, n);
}

#define assert_str(got, want)                                                             \
    do {                                                                                  \
        struct str got_ = (got), want_ = (want);                                          \
        if (!str_eq(got_, want_))                                                         \
            fail_msg("got \"%.*s\", expected \"%.*s\"", STR_ARG(str_slice(got_, 0, 200)), \
                     STR_ARG(str_slice(want_, 0, 200)));                                  \
    } while (0)

#define assert_error(call, code_, name_)                                     \
    do {                                                                     \
        assert_int_equal((call), code_);                                     \
        assert_string_equal(s->err.name ? s->err.name : "(no name)", name_); \
    } while (0)

#endif
