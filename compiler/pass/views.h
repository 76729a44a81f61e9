/* Values that need no memory of their own because they lie in another's: reshaped, or moved so that strides say where. */
#ifndef ACT_PASS_VIEWS_H
#define ACT_PASS_VIEWS_H

#include "graph/op.h"
#include "graph/plan.h"

/* Fills plan->storage and plan->view. */
void views_find(Arena *arena, const Graph *g, Plan *plan);
/* Fills plan->home: a value that a padding or a concatenation would only copy is written there by the group that computes it. After
 * plan->group_of; changes plan->view of what moves. */
void views_settle(Arena *arena, const Graph *g, Plan *plan);
/* All elements of a value of `type` in their order. */
View view_dense(const Type *type);
/* The same elements under the shape `to`; false when no strides say that. */
bool view_reshape(const View *view, const Type *from, const Type *to, View *out);
/* Strides of `type`, seen through `view`, for someone who walks `user`'s shape, which it is broadcast to: by axis of `user`. */
void view_broadcast(const View *view, const Type *type, const Type *user, int64_t stride[TYPE_MAX_RANK]);
/* The last `columns` axes of a shape as one: the stride from one to the next; false when there is none. */
bool view_columns(const int64_t *stride, const Type *type, uint32_t columns, int64_t *out);

#endif
