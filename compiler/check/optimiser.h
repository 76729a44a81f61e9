/* What an optimizer does, found by running its updates on single weights: a user's own is known as well as a built-in
 * one. */
#ifndef ACT_CHECK_OPTIMISER_H
#define ACT_CHECK_OPTIMISER_H

#include "check/context.h"

typedef struct Optimiser {
    bool linear;      /* a gradient ten times as large makes a step ten times as large: gradient descent */
    bool invariant;   /* the same step whatever the gradient's size: Adam, RMSprop, signs */
    double first;     /* change of w in the first step under a gradient of 1; below 0: downhill */
    double step;      /* mean change of w in a step under a steady gradient of 1 */
    double memory;    /* linear: steps are so many times lr * g once it runs steadily; 1 without momentum */
    double decay;     /* the share of a weight that one step takes away when its gradient is 0 (in the first step) */
    bool decay_mixed; /* … and that goes through the averages of the gradient: L2 inside an adaptive method */
} Optimiser;

/* The rate is taken as written, without a schedule. */
Optimiser optimiser_of(const CheckContext *cx, const OptimizerUse *use);

/* The greatest factor of the schedule over a run of `total` steps; 1 without one. `total` 0, not known: the least that
 * runs of 100 to 100000 steps have. */
double optimiser_peak(const CheckContext *cx, double total);

/* An argument that is a number, its default included; NaN when there is none of that name. */
double optimiser_number(const OptimizerUse *use, const char *name);

/* Where to point for an argument: its text, else the whole expression. */
Span optimiser_span(const CheckContext *cx, const OptimizerUse *use, const char *name);

#endif
