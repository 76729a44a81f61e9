/* Which processors the threads of a pool run on. */
#ifndef ACT_CORE_AFFINITY_H
#define ACT_CORE_AFFINITY_H

#include <pthread.h>
#include <stdint.h>

/* How many processors the calling thread may run on; at least 1. */
uint32_t act_processors_allowed(void);
/* Keeps thread i on a processor of its own, none of them the caller's, when n + 1 threads are all that the allowed processors can run. Else,
 * or where the system has no such call, does nothing. Returns the processor that was left for the caller; -1: not all are kept. */
int act_processors_keep(const pthread_t *thread, uint32_t n);
/* The processor the calling thread is on at the moment; -1: unknown. */
int act_processor_here(void);

#endif
