#include "act/pool.h"

#include "core/affinity.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* A training step opens a gate every few dozen microseconds, and waking a sleeper takes longer than that: on a virtual machine, where its
 * processor has been given back, a hundred or two. So waiters spin first, and for many times the cost of waking: whoever wakes late makes
 * the others wait as long, and if they went to sleep over it, every gate from then on would be opened to sleepers. A partner whose
 * processor was taken away is away for milliseconds; then sleeping costs nothing. But when the caller has been moved to a worker's
 * processor the one cannot run before the other stops: there they sleep soon, and the caller, woken, may find its own again. */
/* Two processors that share a cache tell each other something in 50 ns, two that do not in 200, and a virtual machine's may be moved from the
 * one kind of place to the other at any time. With all that crosses behind it, a meeting of two threads cost a small network 0.4 µs in the one
 * and 2.7 µs in the other. */
enum { LEAST_NANOSECONDS = 6000 };
enum { CROWDED_NANOSECONDS = 20000, SPIN_NANOSECONDS = 2000000, PAUSES_PER_LOOK = 32, MAX_THREADS = 1024 };

/* A number that only grows, and whoever waits for it to change. */
typedef struct Gate {
    alignas(64) atomic_uint value;
    atomic_uint sleepers;
    pthread_mutex_t lock;
    pthread_cond_t opened;
} Gate;

struct ActPool {
    Gate start, finish, barrier;
    alignas(64) atomic_uint running;  /* workers that have not finished the present work */
    alignas(64) atomic_uint arrived;  /* at the barrier */
    alignas(64) ActWork work;         /* written before `start` opens, read after */
    void *context;
    uint32_t threads;
    uint64_t least;                   /* nanoseconds: see act_pool_least */
    int spin, quit;
    atomic_int home;                  /* the processor that no worker is kept on; -1: they are not kept */
    atomic_int caller;                /* the processor the caller was on when the present work began */
    struct Worker { ActPool *pool; pthread_t handle; uint32_t index; } *worker;
};

static void gate_init(Gate *gate)
{
    atomic_init(&gate->value, 0);
    atomic_init(&gate->sleepers, 0);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->opened, NULL);
}

static void gate_destroy(Gate *gate)
{
    pthread_cond_destroy(&gate->opened);
    pthread_mutex_destroy(&gate->lock);
}

/* The value and the count of sleepers are sequentially consistent: either the opener sees the sleeper, or the sleeper
 * the value. */
static void gate_open(Gate *gate)
{
    atomic_fetch_add(&gate->value, 1);
    if (atomic_load(&gate->sleepers) == 0) return;
    pthread_mutex_lock(&gate->lock);
    pthread_cond_broadcast(&gate->opened);
    pthread_mutex_unlock(&gate->lock);
}

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Does this thread share a worker's processor with the caller? */
static int crowded(const ActPool *pool)
{
    int home = atomic_load_explicit(&pool->home, memory_order_relaxed), here = act_processor_here();
    return home >= 0 && here != home && here == atomic_load_explicit(&pool->caller, memory_order_relaxed);
}

static void gate_wait(const ActPool *pool, Gate *gate, unsigned seen)
{
    if (pool->spin) {
        int64_t begin = 0;
        for (;;) {
            for (int i = 0; i < PAUSES_PER_LOOK; i++) {
                if (atomic_load_explicit(&gate->value, memory_order_acquire) != seen) return;
                relax();
            }
            int64_t now = nanoseconds();
            if (begin == 0) begin = now;
            if (now - begin > SPIN_NANOSECONDS) break;
            if (now - begin > CROWDED_NANOSECONDS && crowded(pool)) break;
        }
    }
    pthread_mutex_lock(&gate->lock);
    atomic_fetch_add(&gate->sleepers, 1);
    while (atomic_load(&gate->value) == seen) pthread_cond_wait(&gate->opened, &gate->lock);
    atomic_fetch_sub(&gate->sleepers, 1);
    pthread_mutex_unlock(&gate->lock);
}

static void *worker_main(void *argument)
{
    struct Worker *self = argument;
    ActPool *pool = self->pool;
    for (unsigned seen = 0;; seen++) {
        gate_wait(pool, &pool->start, seen);
        if (pool->quit) return NULL;
        pool->work(pool->context, self->index, pool->threads);
        if (atomic_fetch_sub(&pool->running, 1) == 1) gate_open(&pool->finish);
    }
}

uint32_t act_pool_machine_threads(void)
{
    uint32_t n = act_processors_allowed();
    return n > MAX_THREADS ? MAX_THREADS : n;
}

static void keep_apart(ActPool *pool)
{
    pthread_t *handle = malloc(sizeof *handle * pool->threads);
    if (!handle) return; /* costs speed only */
    for (uint32_t i = 1; i < pool->threads; i++) handle[i - 1] = pool->worker[i].handle;
    int home = act_processors_keep(handle, pool->threads - 1);
    atomic_store_explicit(&pool->home, home, memory_order_relaxed);
    free(handle);
}

ActPool *act_pool_new(uint32_t threads)
{
    if (threads < 1) threads = 1;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    ActPool *pool = aligned_alloc(alignof(ActPool), sizeof *pool);
    struct Worker *worker = calloc(threads, sizeof *worker);
    if (!pool || !worker) {
        free(pool);
        free(worker);
        return NULL;
    }
    gate_init(&pool->start);
    gate_init(&pool->finish);
    gate_init(&pool->barrier);
    atomic_init(&pool->running, 0);
    atomic_init(&pool->home, -1);
    atomic_init(&pool->caller, -1);
    atomic_init(&pool->arrived, 0);
    pool->work = NULL;
    pool->context = NULL;
    pool->quit = 0;
    /* with more threads than processors, a spinner keeps others from their work */
    pool->spin = threads <= act_pool_machine_threads();
    pool->worker = worker;
    pool->least = LEAST_NANOSECONDS;
    pool->threads = 1;
    for (uint32_t i = 1; i < threads; i++) {
        worker[i].pool = pool;
        worker[i].index = i;
        if (pthread_create(&worker[i].handle, NULL, worker_main, &worker[i]) != 0) break;
        pool->threads++;
    }
    keep_apart(pool);
    return pool;
}

void act_pool_free(ActPool *pool)
{
    if (!pool) return;
    pool->quit = 1;
    gate_open(&pool->start);
    for (uint32_t i = 1; i < pool->threads; i++) pthread_join(pool->worker[i].handle, NULL);
    gate_destroy(&pool->start);
    gate_destroy(&pool->finish);
    gate_destroy(&pool->barrier);
    free(pool->worker);
    free(pool);
}

uint32_t act_pool_threads(const ActPool *pool)
{
    return pool ? pool->threads : 1;
}

void act_pool_least(ActPool *pool, uint64_t nanoseconds)
{
    if (pool) pool->least = nanoseconds;
}

uint32_t act_pool_share(const ActPool *pool, uint64_t nanoseconds)
{
    return pool && nanoseconds >= pool->least ? pool->threads : 1;
}

void act_parallel(ActPool *pool, ActWork work, void *context)
{
    if (!pool || pool->threads == 1) {
        work(context, 0, 1);
        return;
    }
    unsigned seen = atomic_load_explicit(&pool->finish.value, memory_order_relaxed);
    pool->work = work;
    pool->context = context;
    if (atomic_load_explicit(&pool->home, memory_order_relaxed) >= 0)
        atomic_store_explicit(&pool->caller, act_processor_here(), memory_order_relaxed);
    atomic_store_explicit(&pool->running, pool->threads - 1, memory_order_relaxed);
    gate_open(&pool->start);
    work(context, 0, pool->threads);
    gate_wait(pool, &pool->finish, seen);
}

/* Sense-reversing, with a counter for a sense: the last to arrive resets the count before it opens the gate, so that
 * the barrier can be used again at once. */
void act_barrier(ActPool *pool)
{
    if (!pool || pool->threads == 1) return;
    unsigned seen = atomic_load_explicit(&pool->barrier.value, memory_order_acquire);
    if (atomic_fetch_add(&pool->arrived, 1) + 1 == pool->threads) {
        atomic_store_explicit(&pool->arrived, 0, memory_order_relaxed);
        gate_open(&pool->barrier);
    } else {
        gate_wait(pool, &pool->barrier, seen);
    }
}
