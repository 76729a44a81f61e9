/* What the layers of this folder share: shapes in messages, axes, and the one way a layer says that a value does not
 * fit. */
#ifndef ACT_OPS_LAYER_H
#define ACT_OPS_LAYER_H

#include "graph/layer.h"
#include "ops/build.h"

/* Fewer outputs than this do not fill a vector: the weights of such a layer lie [out, in], as in files, and their gradient has its lanes
 * along the inputs. */
enum { LAYER_NARROW = 16 };

/* "[28, 28, 1]" of the value, without the batch. */
Str layer_shape(const LayerCall *call, NodeId value);
static inline const Type *layer_type(const LayerCall *call, uint32_t value)
{
    return graph_type(call->g, call->value[value].value);
}
/* An error at the call with the shape of value `value` as a label. */
Diag *layer_error(LayerCall *call, const char *code, const char *name, uint32_t value, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The axis that argument `arg` means, negative ones from the end; false after an error. */
bool layer_axis(LayerCall *call, uint32_t arg, int64_t axis, uint32_t rank, uint32_t *out);
/* Whole numbers are no features: false after an error when value `value` holds indices. */
bool layer_real(LayerCall *call, uint32_t value);
bool layer_done(LayerCall *call, NodeId result); /* one result: true */

#endif
