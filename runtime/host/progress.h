/* How a training run shows itself: on a terminal one line that rewrites itself, elsewhere one plain line per epoch. */
#ifndef ACT_HOST_PROGRESS_H
#define ACT_HOST_PROGRESS_H

#include "text.h"

typedef struct ActProgress {
    FILE *out;               /* NULL: silent */
    int terminal, dirty;     /* dirty: an unfinished line stands on the terminal */
    uint64_t epochs, steps;  /* steps in an epoch */
    double begin, epoch_begin, shown, trained; /* seconds; trained: without evaluation */
    uint64_t skipped;        /* rows of this epoch that were trained before the run went on */
    uint64_t done, before;   /* steps taken; those of a run that goes on, taken before */
} ActProgress;

double act_progress_seconds(void); /* of a clock that never steps back */

void act_progress_begin(ActProgress *progress, FILE *out, uint64_t epochs, uint64_t steps);
/* A line of text above the progress. */
void act_progress_say(ActProgress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An epoch begins, `skipped` rows of it trained before. */
void act_progress_epoch(ActProgress *progress, uint64_t skipped);
/* After step `step` (from 1) of epoch `epoch` (from 1); `rows` of this epoch are done, at a mean loss of `loss`. */
void act_progress_step(ActProgress *progress, uint64_t epoch, uint64_t step, uint64_t rows, double loss);
/* The steps of an epoch are over; evaluation follows. Returns rows per second. */
double act_progress_trained(ActProgress *progress, uint64_t rows);
/* The epoch's line. `scores`: n parts evaluated. */
void act_progress_report(ActProgress *progress, uint64_t epoch, const ActScore *trained, const ActScore *score, size_t n,
                         double rate);

#endif
