/* Growable arrays in an arena:  VEC(NodeId) uses = {0};  *vec_push(arena, &uses) = id;  uses.at[i], uses.n */
#ifndef ACT_BASE_VEC_H
#define ACT_BASE_VEC_H

#include "base/arena.h"

#include <stdint.h>

#define VEC(T)           \
    struct {             \
        T *at;           \
        uint32_t n, cap; \
    }

void *vec_grow_(Arena *arena, void *at, uint32_t n, uint32_t *cap, size_t item);

/* A pointer to a new, zeroed last element. The pointer is good until the next push. */
#define vec_push(arena, v)                                                                       \
    ((v)->n < (v)->cap ? (void)0                                                                 \
                       : (void)((v)->at = vec_grow_((arena), (v)->at, (v)->n, &(v)->cap, sizeof *(v)->at)), \
     &(v)->at[(v)->n++])

#endif
