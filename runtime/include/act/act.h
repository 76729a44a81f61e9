/* The runtime for programs: memory for a compiled model, weights in files, training, evaluation, prediction.
 *
 *     ActError error;
 *     ActInstance *m = act_instance_new(&classifier_model, 2, &error);
 *     if (!m || act_train(m, &(ActRun){ .log = stdout }, NULL, &error)) fprintf(stderr, "%s\n", error.text);
 *     act_instance_free(m);
 *
 * Every function that takes an `ActError *` accepts NULL, leaves `text` empty when it succeeds, and otherwise one
 * clear message with a place and a way out, without a final newline. Nothing here ends the program or writes to a
 * stream it was not given. */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include <signal.h>
#include <stdio.h>

#include "act/abi.h"
#include "act/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ActError {
    ActStatus status;
    char text[4096];
} ActError;

/* "out of memory", for a status without a message. */
const char *act_status_text(ActStatus status);

/* Checks the object's version and processor features, allocates its blocks (zeroed, aligned to ACT_ALIGN), starts
 * threads - 1 threads and binds. 0 threads: as many as the machine has, or 1 for a model too small to gain from more.
 * The parameters still want entry.init or act_load_weights; act_train does that itself. */
ActInstance *act_instance_new(const ActModel *model, uint32_t threads, ActError *error);
void act_instance_free(ActInstance *instance);

/* safetensors, under PyTorch's names, shapes and orientation. The file must hold exactly the model's parameters
 * (optimizer state in it is passed over); F64, F16 and BF16 are converted. Nothing changes unless everything fits. */
ActStatus act_load_weights(ActInstance *instance, const char *path, ActError *error);
/* Written beside `path` and renamed onto it: a reader never sees half a file. */
ActStatus act_save_weights(const ActInstance *instance, const char *path, ActError *error);

/* How to train, evaluate, predict or measure. Zero or NULL everywhere means: as the `train` block says. */
typedef struct ActRun {
    const char *const *data; size_t n_data; /* directories to search for data, after that of the .act file */
    const char *weights;   /* file to start from (train) or to use; NULL: none, or `out`/<model>.safetensors */
    int keep;              /* evaluate, predict: use what the instance holds now, load nothing */
    const char *out;       /* directory for weights; NULL: "." */
    const char *part;      /* evaluate, predict: "train", "validation" or "test"; NULL: the last of these that exists */
    const char *input;     /* predict: a file to read instead of a part */
    const char *format;    /* predict: "text" (default), "csv", "json", "npy", "png" */
    uint64_t epochs, batch, steps /* bench: steps to time */, rows /* predict: at most so many; how many to draw */;
    uint64_t seed; int has_seed; /* of weights, order of rows and what the model draws */
    double lr_scale;       /* multiplies the schedule; 0: 1 */
    int digits; int has_digits; /* predict as text: decimals, 3 */
    uint64_t generate;     /* predict: so many characters of a text instead of outputs, behind `prompt` (UTF-8; NULL: a line's end) */
    const char *prompt;
    double temperature;    /* of them; 0: 1, as the model says; below it the likely ones get likelier */
    int synthetic;         /* bench: drawn data even where the model has some */
    FILE *log;             /* progress, results, notes; NULL: none. On a terminal progress rewrites its line */
    FILE *output;          /* predictions; NULL: stdout */
    const volatile sig_atomic_t *stop; /* training ends after the step in which this becomes non-zero; may be NULL */
    /* train: checkpoints, from which a training goes on as if it had never stopped */
    const char *resume;    /* go on from this checkpoint; "": from the newest in `out`. Settings that are not given are those of the checkpoint */
    uint64_t checkpoint_epochs, checkpoint_steps; /* one every so many; */
    double checkpoint_seconds; /* all three 0: as the block says, else every ten minutes */
    int checkpoint_never;  /* only when stopped */
    uint64_t checkpoint_keep; /* so many stay beside the best; 3 */
    const char *resume_command; /* for the message of a run that was stopped: what its user types to go on; may be NULL */
    const char *const *logs; size_t n_logs; /* train: files of numbers an epoch; the endings say how: .csv, .jsonl, .html (a page), / for TensorBoard */
    int sanity;            /* train: only see whether a few rows can be learnt by heart; nothing is written */
    double lr_low, lr_high;/* train: only see how the loss behaves while the rate grows from one to the other; high 0: train */
    uint64_t folds, fold;  /* the training rows in so many parts, of which `fold` (from 1) is the validation part; act_cross_validate sets it */
    uint64_t monitor_every; /* train: steps between two measurements of a model compiled with --monitor; 0: as compiled */
    int monitor_never;     /* train: not even then */
    FILE *problems;        /* what goes wrong without ending the run; NULL: none */
} ActRun;

enum { ACT_MAX_SCORES = 16 };

/* What a model does on one part of its data. */
typedef struct ActScore {
    const char *part;      /* "train", "validation", "test"; NULL when nothing was evaluated */
    uint64_t rows;
    double loss;           /* the weighted sum of the losses, per row where they are sums */
    uint32_t n_loss;       /* several `loss` statements: each by itself; else 0 */
    struct { const char *name; double value; } part_loss[ACT_MAX_SCORES];
    uint32_t n_metric;
    struct { const char *name; double value; int percent; } metric[ACT_MAX_SCORES];
} ActScore;

typedef struct ActResult {
    ActScore score;        /* of the part evaluated; train: test, else validation, else train, with the weights kept */
    double train_loss;     /* the last epoch's mean, as it was before each update */
    uint64_t epochs, steps, best_epoch /* by validation loss; 0 without a validation part */;
    double step_microseconds; /* bench: median */
    ActScore validation;   /* train, with folds: of the fold's own part, with the weights kept */
} ActResult;

/* Trains from fresh weights, or from run->weights or the block's `start from`, and saves to
 * <out>/<model>.safetensors. With a validation part the weights kept are those of its best epoch. ACT_E_NONFINITE:
 * the loss became NaN or infinite, no weights are written. ACT_E_STOPPED: run->stop; the weights are saved, and a
 * checkpoint <out>/<model>.step-<step>.safetensors: parameters, optimizer and all else that makes run->resume end in
 * the bytes of a run that was never stopped, for any number of threads. `result` may be NULL. */
ActStatus act_train(ActInstance *instance, const ActRun *run, ActResult *result, ActError *error);
/* Trains run->folds times from the beginning, each time with another part of the training rows as its validation part, in <out>/fold1 …,
 * and says mean and deviation of the loss and every metric: in run->log, and as JSON lines in <out>/<model>.folds.jsonl. Which rows are
 * in which part depends on the block's seed alone. With run->resume ("") finished folds are only evaluated. */
ActStatus act_cross_validate(ActInstance *instance, const ActRun *run, ActError *error);
/* What the monitor of a training looks for: rule i in the order of codes, which `actc list rules` and `actc explain` show. 0: there is none. */
typedef struct ActWatchPage {
    const char *code, *name, *summary, *doc;
    const char *meets[4];  /* codes of the checker's rules that predict what this one observes; NULL behind the last */
} ActWatchPage;
int act_watch_page(size_t i, ActWatchPage *page);
ActStatus act_evaluate(ActInstance *instance, const ActRun *run, ActResult *result, ActError *error);
ActStatus act_predict(ActInstance *instance, const ActRun *run, ActError *error);
/* Times training steps on the training part, or on drawn data where there is none. Changes the weights, saves none. */
ActStatus act_bench(ActInstance *instance, const ActRun *run, ActResult *result, ActError *error);

/* A page of charts (HTML) from logs of trainings: JSON lines, tables, pages, or folders that hold them. One run is shown with all that its
 * log has, several are laid over each other. A file that is no log, or a damaged one, is named with line and column. */
ActStatus act_plot(const char *const *run, size_t n, const char *to, ActError *error);

/* The command line of a training program: train, eval, predict, bench. Returns the exit code: 0 done, 1 failure, 2
 * usage or I/O, 3 training produced NaN or infinity, 128 + the signal (INT, TERM, HUP, PIPE) when training was
 * interrupted: the step was finished and all is saved. A second signal ends the program at once. */
int act_program_main(int argc, char **argv, const ActModel *const *models, size_t n_models);
/* The same for a program that its user starts by other words than argv[0], as in `actc run net.act --`: messages that
 * show a command line begin with these. */
int act_program_typed(int n_typed, const char *const *typed, int argc, char **argv, const ActModel *const *models, size_t n_models);

#ifdef __cplusplus
}
#endif
#endif
