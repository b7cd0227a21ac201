#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "os/pool.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int ran;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count(void *arg)
{
    (void)arg;
    ran++;
}

static void wait_at_gate(void *arg)
{
    atomic_int *waiting = arg;

    (*waiting)++;
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    ran++;
}

static void freeing_runs_all_that_was_taken(void **state)
{
    struct pool *p;
    (void)state;

    ran = 0;
    assert_int_equal(pool_new("test", 3, 1000, &p, NULL), 0);
    for (int i = 0; i < 1000; i++)
        assert_true(pool_submit(p, count, NULL));
    pool_free(p);
    assert_int_equal(ran, 1000);
}

static void a_full_queue_refuses_and_never_runs_the_item(void **state)
{
    struct pool *p;
    atomic_int waiting = 0;
    (void)state;

    ran = 0;
    assert_int_equal(pool_new("test", 2, 3, &p, NULL), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 2; i++)
        assert_true(pool_submit(p, wait_at_gate, &waiting));
    while (waiting < 2)
        sched_yield();
    for (int i = 0; i < 3; i++)
        assert_true(pool_submit(p, count, NULL));
    assert_false(pool_submit(p, count, NULL));
    pthread_mutex_unlock(&gate);
    pool_free(p);
    assert_int_equal(ran, 5);
}

static void as_many_items_run_at_once_as_there_are_threads(void **state)
{
    struct pool *p;
    atomic_int waiting = 0;
    (void)state;

    assert_int_equal(pool_new("test", 4, 8, &p, NULL), 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++)
        assert_true(pool_submit(p, wait_at_gate, &waiting));
    while (waiting < 4) /* would never be if one thread served two */
        sched_yield();
    pthread_mutex_unlock(&gate);
    pool_free(p);
}

static void sizes_out_of_range_are_refused(void **state)
{
    struct pool *p = NULL;
    (void)state;

    assert_int_equal(pool_new("test", 0, 1, &p, NULL), ERR_INVALID);
    assert_int_equal(pool_new("test", 1, 0, &p, NULL), ERR_INVALID);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeing_runs_all_that_was_taken),
        cmocka_unit_test(a_full_queue_refuses_and_never_runs_the_item),
        cmocka_unit_test(as_many_items_run_at_once_as_there_are_threads),
        cmocka_unit_test(sizes_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
