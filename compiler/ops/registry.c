#include "ops/registry.h"

#include <string.h>

#define OP(name) extern const Op op_##name;
#include "ops/op_list.inc"
#undef OP
#define LAYER(name) extern const Layer layer_##name;
#include "ops/layer_list.inc"
#undef LAYER

static const Op *const ops[] = {
#define OP(name) &op_##name,
#include "ops/op_list.inc"
#undef OP
    NULL};

static const Layer *const layers[] = {
#define LAYER(name) &layer_##name,
#include "ops/layer_list.inc"
#undef LAYER
    NULL};

const Op *op_find(Str name)
{
    for (unsigned i = 0; ops[i] != NULL; i++)
        if (str_is(name, ops[i]->name))
            return ops[i];
    return NULL;
}

unsigned op_count(void) { return (unsigned)(sizeof ops / sizeof ops[0]) - 1; }

const Op *op_at(unsigned i) { return ops[i]; }

const Layer *layer_find(Str name)
{
    for (unsigned i = 0; layers[i] != NULL; i++)
        if (str_is(name, layers[i]->name))
            return layers[i];
    return NULL;
}

unsigned layer_count(void) { return (unsigned)(sizeof layers / sizeof layers[0]) - 1; }

const Layer *layer_at(unsigned i) { return layers[i]; }
