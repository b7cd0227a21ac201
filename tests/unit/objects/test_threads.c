#include "store.h"
#include <pthread.h>

enum { THREADS = 16, PUTS = 40 };

struct worker {
    struct store *s;
    int number;
    int won;
    const char *failure;
};

/* Bytes of what a thread puts: small ones are inline, some are blobs. */
static struct str value_of(struct arena *a, int thread, int i)
{
    return store_bytes(a, i % 4 ? (size_t)i * 10 : 10000 + (size_t)i, (uint64_t)thread * 1000 + (uint64_t)i);
}

static int put(struct objects *o, struct arena *a, struct str key, struct str bytes, const struct objects_conditions *c)
{
    struct objects_write *w;
    struct objects_info info;

    if (objects_write_begin(o, STR("data"), key, &w, NULL) < 0)
        return ERR_INTERNAL;
    if (objects_write_append(w, bytes, NULL) < 0) {
        objects_write_abort(w);
        return ERR_INTERNAL;
    }
    return objects_write_commit(w, a, NULL, 0, c, &info, NULL);
}

static void *put_own_keys(void *arg)
{
    struct worker *me = arg;
    ARENA_SCOPED struct arena a = ARENA_INIT;

    for (int i = 0; i < PUTS; i++) {
        struct str key = arena_printf(&a, "%d/%d", me->number, i);
        if (put(me->s->o, &a, key, value_of(&a, me->number, i), NULL) < 0)
            me->failure = "put";
        if (i % 5 == 4 && objects_delete(me->s->o, STR("data"), arena_printf(&a, "%d/%d", me->number, i - 4), NULL) < 0)
            me->failure = "delete";
        struct objects_list list;
        struct objects_list_request q = {.bucket = STR("data"), .delimiter = STR("/"), .max = 100};
        if (objects_list(me->s->o, &a, &q, &list, NULL) < 0)
            me->failure = "list";
    }
    return NULL;
}

static void run_all(struct store *s, void *(*run)(void *), struct worker *workers)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.s = s, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (workers[i].failure)
            fail_msg("thread %d: %s failed", i, workers[i].failure);
    }
}

static void threads_do_not_disturb_each_other(void **state)
{
    struct store *s = *state;
    struct worker workers[THREADS];

    run_all(s, put_own_keys, workers);
    store_reopen(s);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < PUTS; i++) {
            struct str key = arena_printf(&s->arena, "%d/%d", t, i);
            if (i % 5 == 0)
                assert_false(store_has(s, key));
            else
                assert_str(store_get(s, key), value_of(&s->arena, t, i));
        }
}

static void *create_once(void *arg)
{
    struct worker *me = arg;
    ARENA_SCOPED struct arena a = ARENA_INIT;
    struct objects_conditions none = {.if_none_match = STR("*")};

    for (int i = 0; i < PUTS; i++) {
        int r = put(me->s->o, &a, arena_printf(&a, "%d", i), arena_printf(&a, "%d", me->number), &none);
        if (r == 0)
            me->won++;
        else if (r != ERR_CONFLICT)
            me->failure = "conditional put";
    }
    return NULL;
}

static void one_of_many_conditional_creators_wins(void **state)
{
    struct store *s = *state;
    struct worker workers[THREADS];
    int won = 0;

    run_all(s, create_once, workers);
    for (int i = 0; i < THREADS; i++)
        won += workers[i].won;
    assert_int_equal(won, PUTS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, store_open_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(threads_do_not_disturb_each_other), T(one_of_many_conditional_creators_wins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
