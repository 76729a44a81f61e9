/* A training run, as the files that make it up see it: train.c has the loop, prepare.c the beginning, resume.c the beginning from a
 * checkpoint, save.c what is written. */
#ifndef ACT_HOST_TRAINING_H
#define ACT_HOST_TRAINING_H

#include "average.h"
#include "checkpoint.h"
#include "evaluate.h"
#include "feed.h"
#include "keep.h"
#include "lock.h"
#include "log.h"
#include "monitor.h"
#include "progress.h"

/* When checkpoints are taken. */
typedef struct ActCadence {
    uint64_t epochs, steps;   /* every so many; 0: not by these */
    double seconds;           /* likewise */
    int asked;                /* by the `train` block or the command line: then the best epoch and the end get one, too */
} ActCadence;

/* Everything is allocated before the first step. */
typedef struct ActTraining {
    ActInstance *m;
    const ActModel *model;
    const ActRun *run;
    ActError *error;
    ActFacts facts;
    ActDataset set;
    ActEvaluator evaluator;
    ActAnswers answers;       /* of the last evaluation, for logs */
    ActProgress progress;
    ActLogs logs;
    ActMonitor monitor;

    /* settings in force */
    uint64_t epochs, seed, patience, batch, steps_per_epoch;
    double lr_scale;
    ActCadence cadence;
    const char *directory;    /* of what the run writes */
    char *path, *owned_directory; /* of the weights; the directory when it is not the caller's text */

    /* where the run stands: `state` lists all that must survive */
    ActState state;
    uint64_t step;            /* taken */
    uint64_t epoch, row;      /* epochs that are over, evaluation included, and rows trained in the one under way */
    ActLossSum sum;           /* of those rows */
    double last_loss;         /* of the last step, for the message about NaN */
    void *best;               /* the parameters of the best epoch */
    double best_loss;
    uint64_t best_epoch;      /* 0: none yet */
    uint64_t rows;            /* of the training part */
    uint64_t finished;        /* nothing is left but to end: all epochs are over, or patience is */
    uint64_t block_epochs, block_batch, block_seed; /* as the block says: a change there is seen when a run goes on */
    ActKeep keep;
    ActAverage average;

    /* not part of it */
    int validated;            /* there is a validation part */
    uint32_t *order;          /* of the training rows in this epoch */
    ActFeed *feed;            /* of their batches */
    double scale;             /* of the learning rates in the newest step */
    const void *const *given; /* the batch of the newest step */
    void **room;              /* a trial's: per value a batch of rows */
    const void **value;
    float *loss;
    float *spare;             /* likewise; of an image, where images are moved */
    uint64_t saved_step, saved_row; /* of the newest checkpoint in the folder; step 0: none */
    double saved_at;          /* seconds */
    ActError unsaved;         /* the last failure to write one, told once */
    ActLock lock;             /* on the folder */
    ActCheckpoint from;       /* that the run goes on from; path NULL: it begins */
    ActResult result;
} ActTraining;

ActStatus act_training_prepare(ActTraining *t);
/* The order of the rows in the epoch under way. */
void act_training_order(ActTraining *t);
/* The next step, on the feed's next *n rows: t->step counts it, t->row does not. `array`: the watched step, which fills these. */
ActStatus act_training_step(ActTraining *t, void *const *array, size_t *n);
void act_training_introduce(ActTraining *t);
/* Tells the logs what is trained, how, and where. */
void act_training_log(ActTraining *t);
int act_training_stopped(const ActTraining *t);
/* The weights that a run is to leave take their place: those of the best epoch, the averages, or those that there are. */
void act_training_settle(ActTraining *t);
/* Would one more epoch be one too many? */
int act_training_over(const ActTraining *t);

/* Finds the checkpoint that run->resume names, or the newest that is good. */
ActStatus act_resume_open(ActTraining *t);
/* Settings that nobody named now are those of the checkpoint. */
void act_resume_settle(ActTraining *t);
ActStatus act_resume_load(ActTraining *t);
/* Once the data is there: is it what the run began with, and does the place lie in it? */
ActStatus act_resume_verify(ActTraining *t);

/* The files a run will write must be writable before it computes for hours. */
ActStatus act_save_prepare(ActTraining *t);
/* Makes room for the run's checkpoints. One that goes on from a file elsewhere has a checkpoint of its own first. */
ActStatus act_save_begin(ActTraining *t);
/* When checkpoints are wanted: after a step inside an epoch. */
void act_save_after_step(ActTraining *t);
/* After the evaluation of an epoch; `value` is what its weights are judged by, `improved` whether it is the best of all. */
void act_save_after_epoch(ActTraining *t, double value, int improved);
/* A checkpoint of where the run stands, unless there is one already. */
ActStatus act_save_checkpoint(ActTraining *t, double value, ActError *error);
ActStatus act_save_final(ActTraining *t);
/* The message of a run that was stopped, with the command that goes on, after everything is saved. */
ActStatus act_save_stopped(ActTraining *t);

#endif
