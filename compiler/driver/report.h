/* What `actc report` shows: facts and predictions, a row for each layer. Private to the driver. */
#ifndef ACT_DRIVER_REPORT_H
#define ACT_DRIVER_REPORT_H

#include "check/forecast.h"
#include "check/horizon.h"

typedef struct ReportRow {
    const LayerUse *use;
    uint32_t line;
    Str shape;
    uint64_t parameters; /* of its own: a shared layer counts where it is first used */
    uint64_t flops;      /* forward, one row */
    uint64_t bytes;      /* of its value, one row */
    Str initializer;     /* of its weights; empty: it has none */
    /* Predictions (check/signal.h); NaN where they do not apply. */
    double deviation;    /* standard deviation of its value */
    double gradient;     /* L2 norm of the gradient with respect to its value, against the last weight layer's */
    double dead;         /* fraction of units, on forecast_window() samples */
    double saturated;    /* fraction of units */
    double update;       /* first change of its weights, relative to their size */
    HorizonRatio horizon; /* of a recurrent layer (check/horizon.h): what is left of the gradient behind its steps */
    double half_life;    /* of its memory, in steps; NaN: it has none */
    uint32_t steps;      /* 0: it is not recurrent */
} ReportRow;

typedef struct Report {
    const Model *model;
    ReportRow *row;
    uint32_t n;
    SignalPath path;   /* of the first prediction */
    SignalBand band;   /* of path.ratio */
    Str first, last;   /* names of the path's layers */
    double *loss;      /* before training, by model->losses; NaN: not known how */
    uint32_t window;
    uint64_t running;  /* numbers that training steps change without a gradient: running statistics */
} Report;

Report report_of(Arena *arena, const Sources *sources, const Model *model);
void report_print_table(Arena *arena, const Report *report, Text *out);
/* An object a layer, then one for the model. */
void report_print_json(const Report *report, Text *out);

#endif
