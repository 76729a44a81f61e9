/* What the rules on fresh weights share. */
#ifndef ACT_CHECK_INIT_H
#define ACT_CHECK_INIT_H

#include "check/flow.h"

/* The weights of one hidden layer, written by hand, and the activation behind them. */
typedef struct InitPair {
    int tensor;
    NodeId product;
    Follow follow; /* ends in an activation */
    double factor; /* deviation (with the mean: root mean square) over the one that keeps the signal */
} InitPair;

/* All of them, in order; `pair` has room for every node. Returns how many. */
uint32_t init_pairs(CheckContext *cx, InitPair *pair);
/* A deviation given by itself, not by a family that follows the fans. */
bool init_is_plain(const Tensor *tensor);
/* … that is off by more than a factor of three, where that matters: ACT403, and not ACT402. */
bool init_is_off_scale(CheckContext *cx, const InitPair *pair);
/* The layer stands in a residual branch or behind a gate, where a small start is meant. */
bool init_may_start_small(const CheckContext *cx, NodeId product);
/* By gain where the initializer has one, else by its deviation: the variance that the layer gives a unit signal. */
double init_variance(const Tensor *tensor);

#endif
