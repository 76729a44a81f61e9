/* What the files of signal propagation share: the run itself, and what a drawn network adds to it. */
#ifndef ACT_CHECK_SIGNAL_INNER_H
#define ACT_CHECK_SIGNAL_INNER_H

#include "check/signal.h"

/* A network drawn at random, and one of its samples. */
typedef struct SignalDraw {
    uint32_t member, sample; /* from 1 */
    const double *inputs;    /* by node: the inputs one output of a product with weights sums over; 0: no product */
    const double *common;    /* by node: the part of their wandering that samples share */
    double direction;        /* the mean squared cosine of their gradients at the prediction */
} SignalDraw;

/* Lets the value that was just computed wander. */
void signal_draw_value(Signal *s, NodeId id, const SignalDraw *draw);
/* The factor by which the gradient of a product's data input differs from what is expected. */
double signal_draw_gradient(const Signal *s, NodeId id, const SignalDraw *draw);

/* Moments of a node's parts, if those of its inputs differ (signal_part.c); value[id] becomes their mean. True when it did. */
bool signal_parts(Signal *s, NodeId id, const Node *node, const SignalOptions *options);

Signal *signal_new(Arena *arena, const Facts *facts);
bool *signal_needed(Arena *arena, const Graph *g, const SignalOptions *options);
/* Fills s for the nodes needed; what it held before does not count. */
void signal_propagate(Signal *s, const bool *needed, const SignalOptions *options);

#endif
