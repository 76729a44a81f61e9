#include "base/vec.h"

#include <string.h>

void *vec_grow_(Arena *arena, void *at, uint32_t n, uint32_t *cap, size_t item)
{
    ACT_ASSERT(*cap <= UINT32_MAX / 2);
    *cap = *cap ? *cap * 2 : 8;
    void *to = arena_alloc(arena, *cap * item);
    if (n)
        memcpy(to, at, n * item);
    return to;
}
