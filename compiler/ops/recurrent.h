/* What rnn, lstm and gru share: arguments, parameters by PyTorch's names, the walk over the steps in one or both directions.
 *
 * A sequence x[T, I] is taken apart: the input's part of all steps is one product x W, step t adds h[t-1] U to its slice of it. */
#ifndef ACT_OPS_RECURRENT_H
#define ACT_OPS_RECURRENT_H

#include "ops/layer.h"

/* The parameters all three have, in this order; a cell's own ones follow. */
enum { REC_FEATURES, REC_LAST, REC_BIDIRECTIONAL, REC_INITIAL, REC_STATE, REC_WEIGHT, REC_RECURRENT, REC_BIAS, REC_OWN };
#define RECURRENT_PARAMS(OUT)                                                                                                    \
    {.name = "features", .kind = ARG_INT, .doc = "how many numbers a step gives"},                                               \
        {.name = "last", .kind = ARG_FLAG, .def = "false", .doc = "only what stands at the end; else every step"},               \
        {.name = "bidirectional", .kind = ARG_FLAG, .def = "false", .doc = "a second pass from the end, side by side with it"},  \
        {.name = "initial", .kind = ARG_VALUE, .doc = "what stands before the first step; else zeros", .optional = true,         \
         .named_only = true},                                                                                                    \
        {.name = "state", .kind = ARG_FLAG, .def = "false", .doc = OUT, .named_only = true},                                     \
        {.name = "weight", .kind = ARG_INIT, .def = "auto", .doc = "how the input's weights start", .named_only = true},         \
        {.name = "recurrent", .kind = ARG_INIT, .def = "orthogonal", .doc = "how the weights between steps start",               \
         .named_only = true},                                                                                                    \
        {.name = "bias", .kind = ARG_INIT, .def = "zeros", .doc = "how the biases start; `false` leaves them out",               \
         .named_only = true}

/* What goes from step to step: h[H], and c[H] for an lstm; 0: zeros. */
typedef struct RecurrentState {
    NodeId h, c;
} RecurrentState;

/* One direction's weights: between steps, and the bias there when the cell has one of its own (0: none). */
typedef struct RecurrentWeights {
    NodeId hidden, bias;
} RecurrentWeights;

typedef struct RecurrentCell {
    const char *name;
    uint32_t gates;          /* parts of the products, in PyTorch's order */
    bool bias_inside;        /* the hidden bias is part of what the gates scale, so it is added at every step */
    bool memory;             /* has c */
    double gate_bias;        /* what the hidden bias of part `gate` starts at (counted from 1; 0: none) */
    uint32_t gate;
    int initial_memory;      /* number of the argument that is c before the first step; 0: none */
    /* The state after a step: `input` is the input's part [gates H]. */
    RecurrentState (*step)(LayerCall *call, NodeId input, RecurrentState before, const RecurrentWeights *weights);
} RecurrentCell;

bool recurrent_build(LayerCall *call, const RecurrentCell *cell);
/* h U + bias, [gates H]; 0 when both are left out. */
NodeId recurrent_hidden(Graph *g, NodeId h, const RecurrentWeights *weights);
/* Part i of n of the last axis. */
NodeId recurrent_part(Graph *g, NodeId value, uint32_t i, uint32_t n);

#endif
