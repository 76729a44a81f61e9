/* How far a recurrent layer sees: what is left of the gradient behind its steps, and how long a gated memory keeps what it was given.
 *
 * A layer is recurrent when it multiplies with the same weights several times, each time what the time before led to. Its horizon is the
 * norm of the gradient at the first of these products over that at the last, the gradient coming from the state behind the last one
 * alone. For h = f(x + h U) with weights of variance v between n units it is (n v E f'(z)²)^(steps / 2).
 *
 * A gated state goes on by two ways, and the weights that one of them takes are the same at every step. So what comes back over k steps is a
 * product (F_k + A U') … (F_1 + A U') of the gates' diagonal F and of the slopes A in front of the weights: the C(k, j) ways that take the
 * weights j times end in the same direction and add up, to about Σ_j C(k, j)² E[f]^2(k-j) (a² n v)^j ~ (f + a √(n v))^2k where steps with weights
 * of their own would give Σ_j C(k, j) … = (f² + a² n v)^k. And E ∏ f_t² of one unit exceeds ∏ E f_t², because its gate depends on states
 * that last, on what all steps have in common, and, behind few inputs, on how long its weights are. Over 60 steps of an lstm both together are
 * a factor of 15, over 120 one of 300.
 *
 * All of that is second moments between every two steps. They are computed from what makes them: layers of at most 128 units are drawn, with
 * weights as the layer's initializer makes them, and inputs of the moments that the signal predicts (check/signal.h), independent
 * from step to step; values go forward and gradients back in them. The prediction is the geometric mean over eleven such layers (of the norm over
 * eight samples each); nine layers of ten lie in the band.
 * tests/e2e/predictions holds both against compiled layers. Data whose steps depend on each other leaves more than predicted: a gate that
 * sees the same at every step stays as it is. */
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
/* Of the gradient's norms, over steps - 2 steps back. Some 0.1 to 0.5 s for a gated layer. */
typedef struct HorizonRatio {
    double middle;    /* geometric mean over networks; NaN: the layer is of a kind that can't be drawn */
    double low, high; /* nine networks of ten lie between */
} HorizonRatio;
/* `orthogonal`: with weights between the steps that keep lengths, instead of the layer's own. */
HorizonRatio horizon_ratio(const Facts *facts, const Signal *signal, const Horizon *horizon, bool orthogonal);
/* After how many steps half of what a memory was given is left. */
double horizon_half_life(const Horizon *horizon);

#endif
