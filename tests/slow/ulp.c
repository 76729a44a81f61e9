/* Every float through every compiled function, on two threads: the error against the double library with and without a
 * fused multiply-add, and the same bits in all vector widths that have one (in every eighth block of 16384). Prints a
 * table; fails beyond what ulp.h allows. */
#define _DEFAULT_SOURCE
#include "llvm/ulp.h"

#include <stdatomic.h>

enum { BLOCKS = (int)((UINT64_C(1) << 32) / ULP_BLOCK), THREADS = 2, COMPARED = 8 /* one block in so many */ };

static UlpRun run[JIT_LEVELS][ULP_FUNCTIONS];
static bool usable[JIT_LEVELS];
static atomic_int next_block;

typedef struct Part {
    UlpWorst worst[JIT_LEVELS][ULP_FUNCTIONS];
    uint64_t different;
} Part;

static void block(Part *part, uint32_t first, unsigned f)
{
    static _Thread_local float in[ULP_BLOCK], out[ULP_BLOCK], fused[ULP_BLOCK];
    static _Thread_local double ref[ULP_BLOCK];
    for (uint32_t i = 0; i < ULP_BLOCK; i++) {
        uint32_t bits = first + i;
        memcpy(&in[i], &bits, 4);
        ref[i] = ulp_function[f].reference((double)in[i]);
    }
    int with_fma = -1;
    bool compare = first / ULP_BLOCK % COMPARED == 0;
    for (int l = 0; l < JIT_LEVELS; l++) {
        bool fma = jit_level[l].target.fma;
        if (!usable[l] || (fma && with_fma >= 0 && !compare))
            continue;
        run[l][f](in, fma && with_fma < 0 ? fused : out, ULP_BLOCK);
        if (!fma)
            ulp_measure(in, out, ref, ULP_BLOCK, &part->worst[l][f]);
        else if (with_fma < 0)
            ulp_measure(in, fused, ref, ULP_BLOCK, &part->worst[with_fma = l][f]);
        else
            part->different += memcmp(fused, out, sizeof out) != 0;
    }
}

static void *work(void *context)
{
    Part *part = context;
    for (int b; (b = atomic_fetch_add(&next_block, 1)) < BLOCKS;)
        for (unsigned f = 0; f < ULP_FUNCTIONS; f++)
            block(part, (uint32_t)b * ULP_BLOCK, f);
    return NULL;
}

int main(void)
{
    static Jit jit[JIT_LEVELS];
    static Part part[THREADS];
    for (int l = 0; l < JIT_LEVELS; l++) {
        usable[l] = jit_can_run(&jit_level[l]);
        if (usable[l])
            ulp_start(&jit[l], &jit_level[l], run[l]);
    }
    pthread_t id[THREADS];
    for (int t = 0; t < THREADS; t++)
        if (pthread_create(&id[t], NULL, work, &part[t]))
            jit_die("no thread");
    for (int t = 0; t < THREADS; t++)
        pthread_join(id[t], NULL);

    bool good = true, fused_seen = false;
    for (int l = 0; l < JIT_LEVELS; l++) {
        if (!usable[l] || (jit_level[l].target.fma && fused_seen))
            continue;
        fused_seen = fused_seen || jit_level[l].target.fma;
        printf("%s\n", jit_level[l].name);
        for (unsigned f = 0; f < ULP_FUNCTIONS; f++) {
            UlpWorst worst = part[0].worst[l][f];
            for (int t = 1; t < THREADS; t++)
                if (part[t].worst[l][f].error > worst.error)
                    worst = part[t].worst[l][f];
            printf("  %-8s %.3f ULP at %a\n", ulp_function[f].name, worst.error, (double)worst.at);
            good = good && worst.error <= ulp_most(f, &jit_level[l]);
        }
    }
    uint64_t different = 0;
    for (int t = 0; t < THREADS; t++)
        different += part[t].different;
    printf("blocks that differ between vector widths with fused multiply-add: %llu\n", (unsigned long long)different);
    for (int l = 0; l < JIT_LEVELS; l++)
        if (usable[l])
            jit_end(&jit[l]);
    return good && !different ? 0 : 1;
}
