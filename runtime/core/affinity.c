/* Two threads that meet every few dozen microseconds look idle to a scheduler, and it may leave both on one processor, where they take
 * turns instead of working side by side. When there are as many threads as processors, each worker is kept on its own. */
#define _GNU_SOURCE
#include "core/affinity.h"

#include <sched.h>
#include <unistd.h>

#ifdef __linux__

uint32_t act_processors_allowed(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a set holds */
        return n < 1 ? 1 : (uint32_t)n;
    }
    return CPU_COUNT(&set) < 1 ? 1 : (uint32_t)CPU_COUNT(&set);
}

int act_processors_keep(const pthread_t *thread, uint32_t n)
{
    cpu_set_t set;
    int here = sched_getcpu();
    if (here < 0 || sched_getaffinity(0, sizeof set, &set) != 0 || (uint32_t)CPU_COUNT(&set) != n + 1) return -1;
    uint32_t next = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && next < n; cpu++) {
        if (cpu == here || !CPU_ISSET(cpu, &set)) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (pthread_setaffinity_np(thread[next++], sizeof one, &one) != 0) here = -1; /* a refusal costs speed only */
    }
    return here;
}

int act_processor_here(void) { return sched_getcpu(); }

#else

uint32_t act_processors_allowed(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (uint32_t)n;
}

int act_processors_keep(const pthread_t *thread, uint32_t n)
{
    (void)thread;
    (void)n;
    return -1;
}

int act_processor_here(void) { return -1; }

#endif
