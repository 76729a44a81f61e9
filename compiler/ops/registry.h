/* All ops and layers, found by the build: every ACT_OP(name) and ACT_LAYER(name) of this folder. */
#ifndef ACT_OPS_REGISTRY_H
#define ACT_OPS_REGISTRY_H

#include "graph/layer.h"

const Op *op_find(Str name);         /* NULL: none */
unsigned op_count(void);
const Op *op_at(unsigned i);         /* sorted by name */
const Layer *layer_find(Str name);
unsigned layer_count(void);
const Layer *layer_at(unsigned i);

#endif
