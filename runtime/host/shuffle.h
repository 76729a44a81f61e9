/* The order of rows: a function of seed and epoch only. */
#ifndef ACT_HOST_SHUFFLE_H
#define ACT_HOST_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* Shuffles order[0..n) in place: Fisher-Yates from the end, the i-th draw (i from 0) being the 64 bits of elements 2i
 * and 2i + 1 of (seed, stream, step), low word first, modulo what is left. */
void act_shuffle(uint32_t *order, size_t n, uint64_t seed, uint32_t stream, uint64_t step);

#endif
