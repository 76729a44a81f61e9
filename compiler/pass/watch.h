/* What the monitor looks at: one point for each layer with weights and each activation, chosen before the passes (driver/watch.c), and the
 * arrays that a watched step fills for it. */
#ifndef ACT_PASS_WATCH_H
#define ACT_PASS_WATCH_H

#include "graph/graph.h"

/* z is the point's value, a the activation of it. As ActWatchStat of act/abi.h. */
typedef enum WatchStat {
    /* a number for every row of the batch */
    WATCH_SUM,             /* of z */
    WATCH_SQUARES,
    WATCH_GREATEST,        /* max |z| */
    WATCH_ZEROS,           /* how many a are 0 */
    WATCH_SATURATED,       /* how many z lie where the slope is below a hundredth of the greatest */
    WATCH_GRADIENT,        /* sum of the squares of the gradient with respect to z */
    WATCH_GRADIENT_GREATEST,
    /* a number for every unit */
    WATCH_ACTIVE,          /* for how many rows (and places) z lies where the slope is not 0 */
    WATCH_STATS
} WatchStat;

enum { WATCH_BINS = 32, WATCH_NONE = 0xffffffff };

typedef struct WatchPoint {
    Str layer, kind, function;   /* "linear1", "linear"; "relu", or empty where no activation follows */
    uint32_t line, function_line;
    NodeId value, result;        /* in the model's graph; result 0: none */
    uint32_t weight;             /* 1 + the tensor of its weights; 0: none */
    double dead_low, dead_high;  /* the slope is 0 at and below, at and above; infinite: nowhere */
    double flat_low, flat_high;  /* likewise where it is below a hundredth of the greatest; NaN: it does not saturate */
    double low, high;            /* of the histogram, in WATCH_BINS equal parts */
    /* what the checker expects; NaN: nothing */
    double deviation, gradient /* norm, against that at the output layer */, dead, saturated, update;
    /* filled by the pass */
    uint32_t units;
    uint64_t values;             /* of one row */
    uint32_t stat[WATCH_STATS];  /* the array; WATCH_NONE: not measured */
    uint32_t bins;               /* WATCH_BINS - 1 arrays from here on: how many z of each row lie below the end of bin i */
} WatchPoint;

typedef struct WatchWarning {    /* of the checker, to be held against the run */
    Str code, name, message;
    uint32_t line;
} WatchWarning;

typedef struct Watch {
    VEC(WatchPoint) points;
    VEC(WatchWarning) warnings;
    uint64_t every;              /* steps */
    uint32_t first, last;        /* 1 + the points whose gradients are compared; 0: none */
    double ratio, ratio_low, ratio_high; /* of their gradients, as expected */
    double loss;                 /* before training, as expected; NaN: not known */
    uint32_t window;             /* samples without which no unit is called dead */
    double clip_norm;            /* of the train block; 0: none */
    uint32_t arrays;             /* filled by the passes */
    uint32_t clip;               /* likewise: the array of one number, the square of the gradient's norm before it is clipped; WATCH_NONE */
} Watch;

#endif
