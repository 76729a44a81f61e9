#include "shuffle.h"

#include "core/random.h"

void act_shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t stream, uint64_t step)
{
    uint32_t word[4];
    for (size_t i = 0; i + 1 < n; i++) {
        if (i % 2 == 0) act_random_block(seed, stream, step, 0, (uint32_t)(i / 2), word);
        const uint32_t *pair = word + i % 2 * 2;
        size_t left = n - i, pick = (size_t)((pair[0] | (uint64_t)pair[1] << 32) % left); /* the bias is below 2^-32 */
        uint32_t last = order[left - 1];
        order[left - 1] = order[pick];
        order[pick] = last;
    }
}
