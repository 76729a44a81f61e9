/* The monitor of a training: a model compiled with --monitor has a second program of the training step (ActWatch, act/abi.h) that
 * measures its layers on the way and leaves the same bytes. It runs instead of the plain one in the first step and then every N steps.
 *
 * What a measurement means is for rules, one file each in host/watch/, found by the build through its line `ACT_WATCH(name) = {…};`.
 * The end of the run holds the checker's predictions and warnings against what was seen. */
#ifndef ACT_HOST_MONITOR_H
#define ACT_HOST_MONITOR_H

#include "log.h"
#include "progress.h"

typedef enum ActLevel { ACT_LEVEL_NONE, ACT_LEVEL_NOTE, ACT_LEVEL_WARNING, ACT_LEVEL_ERROR } ActLevel;

/* What one measurement says of a point. NaN: it does not apply. */
typedef struct ActMeasured {
    double mean, deviation, zeros, saturated;
    double gradient;              /* norm over the batch */
    double update;                /* |change of the weights| / |weights| */
    double greatest, gradient_greatest; /* of the absolute values; NaN or infinity where one of them is */
    double dead;                  /* of the last full window of samples; NaN before */
    double values, sum, squares;
    uint64_t count[ACT_WATCH_BINS];
} ActMeasured;

typedef struct ActMonitor ActMonitor;
struct ActTraining;

typedef struct ActWatchRule {
    const char *code, *name;      /* "RT01", "dead_units" */
    const char *summary;          /* one line: `actc list rules` */
    const char *doc;              /* the reasoning, with the thresholds: `actc explain RT01` */
    const char *meets[4];         /* codes of the checker's rules that predict what this one observes */
    size_t room;                  /* bytes of its own, zeroed at the start of a run */
    void (*measured)(ActMonitor *m, void *own);             /* after a measurement: m->now */
    void (*stepped)(ActMonitor *m, void *own, double loss); /* after every step */
    void (*over)(ActMonitor *m, void *own, const ActScore *trained, const ActScore *score, size_t n); /* after an epoch's evaluation */
} ActWatchRule;

#define ACT_WATCH(name) const ActWatchRule act_watch_##name

/* What a rule found, told when it is first so bad. */
typedef struct ActFound {
    const ActWatchRule *rule;
    ActLevel level;
    uint64_t step;                /* 0: never */
    uint32_t line, times;
    char text[240];
} ActFound;

struct ActMonitor {
    const ActModel *model;
    const ActWatch *watch;        /* NULL: there is no monitor */
    const ActRun *run;
    ActProgress *progress;
    ActLogs *logs;
    uint64_t every, batch;
    uint64_t lead;                /* the first steps that are all watched: a window of samples of the fresh network */
    void **array;                 /* ActWatch.step's */
    ActMeasured *now, *first;     /* by point: the newest measurement, and the first */
    double **active;              /* by point: for how many samples of the window each unit was on; NULL: it can't die */
    uint64_t window;              /* samples in it */
    struct ActTraining *training;
    size_t rows;                  /* of the newest measurement */
    uint64_t first_step;          /* of `first` */
    uint64_t first_update;        /* the first step measured that changes weights, of which `first` has the update; 0: none yet */
    double first_scale;           /* of the learning rate in that step: updates are predicted at the full rate */
    uint64_t measurements, step, epoch; /* where it stands; epoch from 1 */
    float *param, *state;         /* as they were before the watched step */
    uint64_t kept_step, kept_epoch, kept_row; /* and where the run stood */
    ActFound *found;              /* by rule */
    void **own;
    size_t rule;                  /* at work */
    const char **source; size_t n_source; char *source_text; /* lines of the .act file, where it can be read */
};

/* Nothing happens for a model without a monitor, or when nobody wants it (run->monitor_never). */
ActStatus act_monitor_begin(ActMonitor *m, struct ActTraining *t);
void act_monitor_free(ActMonitor *m);
/* Is the next step, number `step` (from 1), to be watched? Then parameters and state are kept. */
int act_monitor_wants(ActMonitor *m, const struct ActTraining *t);
/* After a watched step on n rows. ACT_E_NONFINITE, with the message: something was no number. */
ActStatus act_monitor_measure(ActMonitor *m, struct ActTraining *t, size_t n);
/* After every step; after every epoch. */
void act_monitor_stepped(ActMonitor *m, uint64_t step, uint64_t epoch, double loss);
void act_monitor_over(ActMonitor *m, const ActScore *trained, const ActScore *score, size_t n);
/* The loss is no number: goes through the steps since the last measurement again, watched, and says where it began (monitor_trace.c). */
ActStatus act_monitor_trace(ActMonitor *m, struct ActTraining *t);
/* What was found, what was predicted, and which of the checker's warnings came true (monitor_end.c). */
void act_monitor_end(ActMonitor *m);

/* ── for rules ── */
/* Tells and logs it where it is worse than all that the rule at work told before. Notes are logged and counted only. `help` may be NULL. */
void act_found(ActMonitor *m, ActLevel level, uint32_t line, const char *help, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The same without showing it, for what the run ends with. */
void act_finding_log(ActMonitor *m, const ActWatchRule *rule, ActLevel level, uint32_t line, const char *text);
/* The least of a number's levels: above `note`, `warning`, `error` (INFINITY: none). */
ActLevel act_level_above(double x, double note, double warning, double error);
/* The same below them (-INFINITY: none). */
ActLevel act_level_below(double x, double note, double warning, double error);
/* Means of the loss over `steps` steps, one after the other: 1 when this step fills one. */
typedef struct ActLossWindow {
    double sum;
    uint32_t steps;
} ActLossWindow;
int act_loss_window(ActLossWindow *window, uint32_t steps, double loss, double *mean);
/* Does this step change weights, or only add to their gradients? */
int act_step_updates(const ActMonitor *m, uint64_t step);
/* Where the loss stands. */
uint32_t act_loss_line(const ActMonitor *m);
/* The point with the most of what lies at `offset` in its newest ActMeasured. */
const ActWatchPoint *act_point_with_most(const ActMonitor *m, size_t offset, double *most);
/* The line of a point to show for what happens in its activation. */
uint32_t act_point_line(const ActWatchPoint *point);
/* "`linear1`", or "`relu` behind `linear1`" */
ActText act_point_name(const ActWatchPoint *point);

const ActWatchRule *act_watch_rule(size_t i); /* sorted by file name; NULL behind the last */

#endif
