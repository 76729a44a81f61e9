/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2,
 * 3", SC 2011).
 *
 * THE DEFINITION, for the runtime, the interpreter and the vector code alike. A number is named by
 *     seed    64 bits
 *     stream  what it is for: the number of the parameter or of the random node, below 2^16
 *     step    of training, from 1; 0 while initializing; below 2^48
 *     sample  row of the batch, below 2^32
 *     element inside the row (or the tensor, in file order), below 2^34
 * and is word `element % 4` of the four words that Philox4x32-10 gives for
 *     key     = { seed mod 2^32, seed / 2^32 }
 *     counter = { element / 4, sample, step mod 2^32, stream ^ ((step / 2^32) << 16) }
 * so that four neighbours share a call, and nothing depends on threads, batch size or layout.
 *
 * From a word w:
 *     float in [0, 1)   (w >> 8) * 2^-24                exact, 24 bits; an event of probability p: this is below p
 *     double in (0, 1)  (w + 0.5) * 2^-32               exact; never 0 or 1: inverse distribution functions stay finite
 *     normal            act_random_normal of the double in (0, 1)
 *
 * Streams from 0xff00 belong to the host: */
#ifndef ACT_RANDOM_H
#define ACT_RANDOM_H

#include <stdint.h>

enum {
    ACT_STREAM_SHUFFLE   = 0xffff, /* order of the training rows; step: the epoch */
    ACT_STREAM_SPLIT     = 0xfffe, /* validation = split(…) */
    ACT_STREAM_AUGMENT   = 0xfffc, /* images of a training step; sample: the row */
    ACT_STREAM_TEXT      = 0xfffb, /* characters of a text; step: the place, from 1 */
    ACT_STREAM_SYNTHETIC = 0xfffd  /* `bench` without data; step: the value's number */
};

/* The ten rounds, as published. */
void act_random_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]);
/* The words of elements 4 * block to 4 * block + 3. */
void act_random_block(uint64_t seed, uint32_t stream, uint64_t step, uint32_t sample, uint32_t block, uint32_t word[4]);
/* The word of one element. */
uint32_t act_random_word(uint64_t seed, uint32_t stream, uint64_t step, uint32_t sample, uint64_t element);

static inline float act_random_unit(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }
static inline double act_random_open(uint32_t word) { return ((double)word + 0.5) * 0x1p-32; }
/* The standard normal's inverse distribution function at p in (0, 1); relative error about 1e-16 (Wichura, algorithm
 * AS 241, Applied Statistics 37, 1988). -infinity at 0, +infinity at 1, NaN elsewhere. */
double act_random_normal(double p);

#endif
