#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "act/pool.h"

#ifdef __linux__
#include <sched.h>
#endif
#include <stdatomic.h>
#include <string.h>

enum { MANY = 8, ROUNDS = 2000 };

typedef struct Count { uint32_t seen[MANY], threads; } Count;

static void count_work(void *context, uint32_t thread, uint32_t threads)
{
    Count *count = context;
    count->seen[thread]++;
    if (thread == 0) count->threads = threads;
}

static void every_thread_runs_once(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= MANY; threads++) {
        ActPool *pool = act_pool_new(threads);
        assert_non_null(pool);
        assert_int_equal(act_pool_threads(pool), threads);
        Count count = { { 0 }, 0 };
        for (uint32_t round = 1; round <= 100; round++) {
            act_parallel(pool, count_work, &count);
            for (uint32_t t = 0; t < MANY; t++) assert_int_equal(count.seen[t], t < threads ? round : 0);
        }
        assert_int_equal(count.threads, threads);
        act_pool_free(pool);
    }
}

static void null_is_one_thread(void **state)
{
    (void)state;
    Count count = { { 0 }, 0 };
    act_parallel(NULL, count_work, &count);
    assert_int_equal(count.seen[0], 1);
    assert_int_equal(count.threads, 1);
    assert_int_equal(act_pool_threads(NULL), 1);
    act_barrier(NULL);
    act_pool_free(NULL);
    ActPool *pool = act_pool_new(0);
    assert_int_equal(act_pool_threads(pool), 1);
    act_barrier(pool);
    act_pool_free(pool);
    assert_true(act_pool_machine_threads() >= 1);
}

static void little_work_is_not_shared(void **state)
{
    (void)state;
    ActPool *pool = act_pool_new(3);
    assert_int_equal(act_pool_share(pool, 0), 1);
    assert_int_equal(act_pool_share(pool, 1000000), 3);
    act_pool_least(pool, 500);
    assert_int_equal(act_pool_share(pool, 499), 1);
    assert_int_equal(act_pool_share(pool, 500), 3);
    act_pool_least(pool, 0);
    assert_int_equal(act_pool_share(pool, 0), 3);
    act_pool_free(pool);
    assert_int_equal(act_pool_share(NULL, 1000000), 1);
    act_pool_least(NULL, 0);
}

/* Each thread writes its cell, meets the others, and reads its neighbour's: plain memory, so that a missing barrier is
 * both a wrong value and a race for the thread sanitizer. */
typedef struct Ring { ActPool *pool; uint32_t cell[MANY]; atomic_uint wrong; } Ring;

static void ring_work(void *context, uint32_t thread, uint32_t threads)
{
    Ring *ring = context;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        ring->cell[thread] = round * 100 + thread;
        act_barrier(ring->pool);
        uint32_t neighbour = (thread + 1) % threads;
        if (ring->cell[neighbour] != round * 100 + neighbour) atomic_fetch_add(&ring->wrong, 1);
        act_barrier(ring->pool);
    }
}

static void barrier_separates_phases(void **state)
{
    (void)state;
    const uint32_t threads[] = { 1, 2, 3, 5 };
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        Ring ring = { .pool = act_pool_new(threads[i]) };
        atomic_init(&ring.wrong, 0);
        act_parallel(ring.pool, ring_work, &ring);
        act_parallel(ring.pool, ring_work, &ring);
        assert_int_equal(atomic_load(&ring.wrong), 0);
        act_pool_free(ring.pool);
    }
}

static void pools_come_and_go(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        ActPool *pool = act_pool_new(3);
        Count count = { { 0 }, 0 };
        if (i % 2) act_parallel(pool, count_work, &count);
        act_pool_free(pool);
        assert_int_equal(count.seen[2], i % 2);
    }
}

static void processor_features(void **state)
{
    (void)state;
    assert_true(act_cpu_has(NULL));
    assert_true(act_cpu_has(""));
    assert_true(act_cpu_has(",,"));
    assert_true(act_cpu_has("prefer-256-bit,some-future-tuning"));
#ifdef __x86_64__
    assert_true(act_cpu_has("sse2"));
    assert_true(act_cpu_has("+sse2,-avx512f,sse"));
    int fma = __builtin_cpu_supports("fma") != 0, wide = __builtin_cpu_supports("avx512f") != 0;
    assert_int_equal(act_cpu_has("sse2,fma"), fma);
    assert_int_equal(act_cpu_has("avx512f,sse2"), wide);
    assert_int_equal(act_cpu_has("avx512f,fma"), wide && fma);
#endif
}

#ifdef __linux__
/* ── as many threads as processors: each worker keeps one, and no two the same ── */
static void where_work(void *context, uint32_t thread, uint32_t threads)
{
    (void)threads;
    cpu_set_t *set = context;
    assert_return_code(sched_getaffinity(0, sizeof *set, &set[thread]), 0);
}

static void workers_keep_apart(void **state)
{
    (void)state;
    enum { MOST = 64 };
    cpu_set_t set[MOST], all;
    uint32_t threads = act_pool_machine_threads();
    assert_return_code(sched_getaffinity(0, sizeof all, &all), 0);
    assert_int_equal(threads, CPU_COUNT(&all));
    if (threads > MOST) return;
    ActPool *pool = act_pool_new(threads);
    act_parallel(pool, where_work, set);
    assert_true(CPU_EQUAL(&set[0], &all)); /* the caller's own thread is left alone */
    for (uint32_t i = 1; i < threads; i++) {
        assert_int_equal(CPU_COUNT(&set[i]), 1);
        for (uint32_t j = 1; j < i; j++) assert_false(CPU_EQUAL(&set[i], &set[j]));
    }
    act_pool_free(pool);
    pool = act_pool_new(threads + 1); /* more threads than processors: nobody is tied down */
    for (uint32_t i = 0; i < threads + 1 && i < MOST; i++) CPU_ZERO(&set[i]);
    if (threads < MOST) act_parallel(pool, where_work, set);
    for (uint32_t i = 0; i < threads + 1 && threads < MOST; i++) assert_true(CPU_EQUAL(&set[i], &all));
    act_pool_free(pool);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_thread_runs_once),
        cmocka_unit_test(null_is_one_thread),
        cmocka_unit_test(little_work_is_not_shared),
        cmocka_unit_test(barrier_separates_phases),
        cmocka_unit_test(pools_come_and_go),
#ifdef __linux__
        cmocka_unit_test(workers_keep_apart),
#endif
        cmocka_unit_test(processor_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
