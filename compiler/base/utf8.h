/* UTF-8, strictly: overlong forms, surrogates and values above U+10FFFF are no text. */
#ifndef ACT_BASE_UTF8_H
#define ACT_BASE_UTF8_H

#include "base/str.h"

enum { UTF8_BAD = 0xFFFD }; /* what an undecodable byte reads as */

/* Bytes of the code point at `p` (n > 0 of them are readable) and its value. A byte that starts none is one byte long,
 * gives UTF8_BAD, and sets *bad (which may be NULL). */
unsigned utf8_decode(const char *p, size_t n, uint32_t *code, bool *bad);
/* Writes 1 to 4 bytes; returns how many. */
unsigned utf8_encode(uint32_t code, char out[4]);
/* Terminal cells: 0 for combining marks, 2 for East Asian wide characters and emoji, else 1. */
unsigned utf8_cells(uint32_t code);

#endif
