/* How loops over one shape address values of another: the questions fusion and the kernel generator share. */
#ifndef ACT_PASS_ACCESS_H
#define ACT_PASS_ACCESS_H

#include "graph/op.h"

/* How many last axes a reduction folds; 0 when it folds others, or the batch (a sum over columns). */
uint32_t access_trailing(const Graph *g, const Node *reduce);
/* Is every element of `to`'s shape one element of `from`, in the same order? */
bool access_is_dense(const Type *from, const Type *to);
bool access_is_scalar(const Type *type);
/* Does `type` hold one element for each row of `space`, whose last `columns` axes are the row? Same batch, same leading axes. */
bool access_is_row(const Type *type, const Type *space, uint32_t columns);
/* As NumPy broadcasts `type` to `space`: constant along the columns, dense along the rest. */
bool access_row_strides(const Type *type, const Type *space, uint32_t columns);
/* `space` as a matrix: rows are the batch and all but the last `columns` axes. Element (row, column) of a value of `type` stands at
 * row * *row_stride + column * *column_stride; false when two strides can't say it. */
bool access_matrix(const Type *type, const Type *space, uint32_t columns, int64_t *row_stride, int64_t *column_stride);
/* Does the node swap the two axes of a matrix without batch? Only such a movement can go between panels. */
bool access_is_transpose(const Graph *g, const Node *node);
/* How many last axes of a contraction's result are its columns. */
uint32_t access_columns(const Node *contract);
/* Must input i of the node lie in rows? */
bool access_wants_rows(const Graph *g, const Node *node, uint32_t i);

#endif
