/* How far a recurrent layer sees: what is left of the gradient behind its steps, and how long a gated memory keeps what it was given.
 *
 * A layer is recurrent when it multiplies with the same weights several times, each time what the time before led to. Its horizon is the
 * norm of the gradient at the first of these products over that at the last, the gradient coming from the state behind the last one
 * alone: by the formulas of check/signal.h, so that for h = f(x + h U), with weights of variance v between n units, it is
 * (n v E f'(z)²)^(steps / 2). */
#ifndef ACT_CHECK_HORIZON_H
#define ACT_CHECK_HORIZON_H

#include "check/signal.h"

typedef struct Horizon {
    uint32_t use;         /* index into Model.layers */
    uint32_t weight;      /* the tensor between the steps */
    NodeId first, last;   /* products with it */
    NodeId end;           /* the state behind the last */
    uint32_t steps;       /* how often the state is computed: one more than there are products */
    bool end_only;        /* the layer gives its last state and no other */
    bool gated;           /* part of a state goes on without passing the weights: (1 - z) n + z h, f c + i g */
    bool apart;           /* and what does is a memory of its own, which no weights read */
    double keep;          /* gated: the part that goes on, exp(E ln of the gate's mean) */
    double gate;          /* gated: the mean of what the gate is a sigmoid of; NaN: of no single value */
} Horizon;

/* Every direction of every recurrent layer of the model, in order; `most` of them at most. */
uint32_t horizon_find(const Facts *facts, const Model *model, const Signal *signal, Horizon *out, uint32_t most);
/* Of the gradient's norms, over steps - 2 steps back; `deviation` as in SignalOptions. */
double horizon_ratio(Arena *arena, const Facts *facts, const Model *model, const double *deviation, const Horizon *horizon);
/* After how many steps half of what a memory was given is left. */
double horizon_half_life(const Horizon *horizon);

#endif
