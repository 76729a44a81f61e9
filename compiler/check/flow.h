/* Where a value goes: what the rules on hidden layers and initializers ask. */
#ifndef ACT_CHECK_FLOW_H
#define ACT_CHECK_FLOW_H

#include "check/context.h"

/* What follows a value through linear steps (bias, scale, dropout, views). */
typedef enum FollowEnd {
    FOLLOW_ACTIVATION, /* a pointwise non-linear function */
    FOLLOW_LAYER,      /* another product with weights, nothing between */
    FOLLOW_RESIDUAL,   /* a sum with other data */
    FOLLOW_GATE,       /* a product with other data */
    FOLLOW_END         /* the model's end, several readers, or something that is none of these */
} FollowEnd;
typedef struct Follow {
    FollowEnd end;
    NodeId before; /* the last value before it: the pre-activation */
    NodeId node;   /* ACTIVATION: its value; LAYER: the product; else the reader, 0 for none */
    Sx fn;         /* ACTIVATION: node = fn(before) */
    bool random;   /* dropout on the way */
} Follow;
Follow flow_follow(const CheckContext *cx, NodeId id);

/* Everything a value reaches before the next product with weights. */
typedef struct Reach {
    bool layer;    /* it feeds a product with weights: a hidden value */
    bool gate;     /* it multiplies other data: attention, a gated unit */
    bool head;     /* it is a prediction or an output */
    bool random;   /* dropout on the way */
    bool constant; /* all the weights it feeds start equal */
    NodeId first;  /* the first product with weights reached */
} Reach;
Reach flow_reach(const CheckContext *cx, NodeId id);

bool flow_is_head(const CheckContext *cx, NodeId id); /* a prediction or an output itself */
/* The prediction of the first loss (or the first output) that the value reaches; 0: none. */
NodeId flow_prediction(const CheckContext *cx, NodeId id);

/* The signal of the model with the last layers of the network and of residual branches at gain 1 where they start
 * smaller: small ones are meant (policies, residual ends) and say nothing about the layers before them. */
const Signal *flow_signal(CheckContext *cx);
/* The deviations it takes, by tensor, for signal_options_of(); NULL: every tensor's own. */
const double *flow_deviation(CheckContext *cx);
/* The activation this model uses in hidden layers (the most frequent that does not saturate), or "relu". */
Str flow_hidden_activation(const CheckContext *cx);
/* The initializer that fits the activation: kaiming for a gain near sqrt(2), lecun near 1, xavier for those that
 * saturate, else auto, which takes the computed gain. `uniform`: the family's uniform form. */
const char *flow_initializer(CheckContext *cx, Sx fn, bool uniform);
const char *flow_fitting(const SxTraits *traits, bool uniform);
/* All entries start equal. */
bool flow_is_constant(const Tensor *tensor);

#endif
