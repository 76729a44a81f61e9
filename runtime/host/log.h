/* Logs of a training for programs to read: `--log run.csv`, `--log run.jsonl`, `--log runs/a/` (TensorBoard); and for people: `--log run.html`. A format is one file in
 * host/logs/, found by the build through its line `ACT_LOG(name) = {…};`; the ending of the name given chooses it.
 *
 * A training that goes on from a checkpoint continues its log behind the step of the checkpoint: what was logged after it happens
 * again, and stands there once. A log that can't be written is told once and left; the training goes on. */
#ifndef ACT_HOST_LOG_H
#define ACT_HOST_LOG_H

#include "act/act.h"

/* What was measured in one layer, or what the checker expects of it before the first step. NaN: not known, or it makes no sense there. */
typedef struct ActLogLayer {
    const char *name;            /* "linear1" */
    uint32_t line;               /* of the source; 0 unknown */
    double mean, deviation;      /* of the pre-activations */
    double zeros, dead, saturated; /* fractions: of activations that are 0; of units that are 0 for every row of a window; of flat ones */
    double gradient;             /* norm with respect to the pre-activations, of the mean loss over the batch */
    double update;               /* |change of the weights| / |weights| in the step */
} ActLogLayer;

/* count[i] values lie in the i-th of n equal parts of [low, high); those outside count in the first and the last. */
typedef struct ActLogHistogram {
    const char *layer, *what;    /* "preactivation" */
    double low, high;
    const uint64_t *count;
    size_t n;
    double sum, squares;         /* of the values */
} ActLogHistogram;

typedef struct ActLogFinding {
    const char *code;            /* "RT01" */
    uint32_t line;
    const char *level, *message; /* "note", "warning" or "error" */
} ActLogFinding;

/* An epoch is over; or, where one of the last five pointers is not NULL, just that. */
typedef struct ActLogEvent {
    uint64_t epoch, step;        /* epoch counts from 1; of a forecast both are 0 */
    double seconds, rate;        /* of the run so far; rows a second in this epoch's steps */
    const ActScore *trained;     /* part NULL: the mean over the epoch, as it was before each update */
    const ActScore *score;       /* of the parts evaluated */
    size_t n;
    const ActLogLayer *layer;
    const ActLogHistogram *histogram;
    const ActLogFinding *finding;
    const ActLogLayer *forecast; /* what the checker predicts; before the first step */
    const struct cJSON *object;  /* anything else as JSON lines say it: "event" names it, "step" says when it was */
} ActLogEvent;

typedef struct ActLog ActLog;

typedef struct ActLogKind {
    const char *name, *ending, *doc; /* ending: of names, "/" for a folder */
    /* Opens log->file for what comes behind step log->from; 0: a new one. */
    ActStatus (*open)(ActLog *log, ActError *error);
    /* Writes the event to log->file. May set log->why. */
    void (*write)(ActLog *log, const ActLogEvent *event);
    /* The training is over or was stopped: what is still to be written. Returns why that was not possible, or NULL. May be NULL itself. */
    const char *(*end)(ActLog *log);
    /* Closes log->file and frees what the format keeps; NULL: fclose. */
    void (*close)(ActLog *log);
} ActLogKind;

#define ACT_LOG(name) const ActLogKind act_log_##name

struct ActLog {
    const ActLogKind *kind;
    const char *path;            /* as the user wrote it */
    FILE *file;
    uint64_t from;
    int begun;                   /* something stands there: for formats with a first line */
    const char *why;             /* it goes on no more; NULL: errno says why */
    void *own;                   /* the format's */
};

typedef struct ActLogs {
    ActLog *log;
    size_t n;
} ActLogs;

/* Finds a format for every name, or says which there are. */
ActStatus act_logs_check(const char *const *paths, size_t n, ActError *error);
ActStatus act_logs_open(ActLogs *logs, const char *const *paths, size_t n, uint64_t from, ActError *error);
/* Failures go to `problems` (may be NULL), each once. */
void act_logs_write(ActLogs *logs, const ActLogEvent *event, FILE *problems);
/* A page may still be drawn; failures go to `problems`. */
void act_logs_close(ActLogs *logs, FILE *problems);

/* ── for formats ── */
/* Opens a file of lines. Of one that goes on the lines stay that `step` finds a step at most log->from in, and those in which it finds
 * none (0: a headline). */
ActStatus act_log_lines(ActLog *log, uint64_t (*step)(const char *line), ActError *error);
/* Every number of the event, in a fixed order: its part ("train", "validation", "test"), name and value. */
typedef void (*ActLogEach)(void *context, const char *part, const char *name, double value);
void act_log_values(const ActLogEvent *event, ActLogEach each, void *context);
/* Is it the end of an epoch? */
int act_log_is_epoch(const ActLogEvent *event);
/* Every number of a layer that is one, in a fixed order; `part` is the layer's name. */
void act_log_layer_values(const ActLogLayer *layer, ActLogEach each, void *context);

#endif
