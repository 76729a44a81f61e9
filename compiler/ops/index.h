/* Walking the elements of shapes: what the interpreter's side of every op needs. */
#ifndef ACT_OPS_INDEX_H
#define ACT_OPS_INDEX_H

#include "graph/op.h"

/* Elements of a value in a call: rows times the shape for a batch value. */
static inline size_t index_count(const Type *type, size_t rows)
{
    return (size_t)type_elements(type) * (type->batch ? rows : 1);
}

/* Strides, in elements, with which a value of type `from` is read by someone who walks the shape of `to` (0 along broadcast axes).
 * stride[0] is the batch's; stride[1 + axis] the axes of `to`. */
void index_broadcast(const Type *from, const Type *to, size_t stride[1 + TYPE_MAX_RANK]);

/* A walk over all elements of a shape, batch first: for (walk_start(&w, &type, rows); walk_more(&w); walk_next(&w)) … */
typedef struct Walk {
    const Type *type;
    size_t rows, row, at;              /* at: number of the element, dense */
    uint32_t index[TYPE_MAX_RANK];
    bool done;
} Walk;
void walk_start(Walk *walk, const Type *type, size_t rows);
static inline bool walk_more(const Walk *walk) { return !walk->done; }
void walk_next(Walk *walk);
/* Where the walk stands in an array read with `stride`. */
size_t walk_at(const Walk *walk, const size_t stride[1 + TYPE_MAX_RANK]);

#endif
