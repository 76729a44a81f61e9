/* The pool of threads that a model may be given. One pool serves any number of models, one call at a time.
 * What runs in it is declared in abi.h: act_parallel, act_barrier, act_pool_threads, act_pool_share. */
#ifndef ACT_POOL_H
#define ACT_POOL_H

#include "act/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A pool of `threads` threads, the caller's own among them (thread 0), so that threads - 1 are started. When the
 * system grants fewer, the pool is smaller: act_pool_threads tells. NULL when there is no memory. 0 counts as 1. */
ActPool *act_pool_new(uint32_t threads);
/* Ends the threads. No act_parallel may be under way. NULL is allowed. */
void act_pool_free(ActPool *pool);
/* From how many nanoseconds between two meetings on work is shared among the threads; less runs on the caller's alone. 6000 in a new pool;
 * 0 shares everything. What is computed does not depend on it. No call of a model that has the pool may be under way. */
void act_pool_least(ActPool *pool, uint64_t nanoseconds);
/* Processors this process may use now, at least 1. */
uint32_t act_pool_machine_threads(void);

#ifdef __cplusplus
}
#endif
#endif
