/* The type of a value: element type, static shape, and whether the batch leads.
 *
 * The batch is one symbolic dimension in front of the shape, written B in the text form: f32[B, 28, 28, 1]. Axes count
 * without it. A value without the batch (a weight, a loss) is the same for every row. */
#ifndef ACT_GRAPH_TYPE_H
#define ACT_GRAPH_TYPE_H

#include "base/str.h"

#define TYPE_MAX_RANK 6

typedef enum DType { DT_F32, DT_I32 } DType;

typedef struct Type {
    DType dtype;
    bool batch;
    uint32_t rank;
    uint32_t dim[TYPE_MAX_RANK];
} Type;

Type type_make(DType dtype, bool batch, uint32_t rank, const uint32_t *dim);
static inline Type type_scalar(void) { return (Type){DT_F32, false, 0, {0}}; }
uint64_t type_elements(const Type *type);            /* of one row (without the batch); 1 for rank 0 */
uint64_t type_last(const Type *type);                /* the last dimension; 1 for rank 0 */
bool type_equal(const Type *a, const Type *b);
bool type_same_shape(const Type *a, const Type *b);  /* batch and dimensions, not the element type */
/* NumPy's rule on the shapes without the batch; the batch leads when either has it. False when they don't fit. */
bool type_broadcast(const Type *a, const Type *b, Type *out);
void type_print(const Type *type, Text *out);        /* "f32[B, 28, 28, 1]", "f32[]" */
/* For diagnostics, as in the language, without the batch: "[28, 28, 1]" */
void type_print_shape(const Type *type, Text *out);
bool type_read(Str *text, Type *out);                /* reads type_print's form and moves past it */

#endif
