/* Logs of a training for programs to read: `--log run.csv`, `--log run.jsonl`, `--log runs/a/` (TensorBoard). A format is one file in
 * host/logs/, found by the build through its line `ACT_LOG(name) = {…};`; the ending of the name given chooses it.
 *
 * A training that goes on from a checkpoint continues its log behind the step of the checkpoint: what was logged after it happens
 * again, and stands there once. A log that can't be written is told once and left; the training goes on. */
#ifndef ACT_HOST_LOG_H
#define ACT_HOST_LOG_H

#include "act/act.h"

/* An epoch is over. */
typedef struct ActLogEvent {
    uint64_t epoch, step;
    double seconds, rate;        /* of the run so far; rows a second in this epoch's steps */
    const ActScore *trained;     /* part NULL: the mean over the epoch, as it was before each update */
    const ActScore *score;       /* of the parts evaluated */
    size_t n;
} ActLogEvent;

typedef struct ActLog ActLog;

typedef struct ActLogKind {
    const char *name, *ending, *doc; /* ending: of names, "/" for a folder */
    /* Opens log->file for what comes behind step log->from; 0: a new one. */
    ActStatus (*open)(ActLog *log, ActError *error);
    /* Writes the event to log->file. May set log->why. */
    void (*write)(ActLog *log, const ActLogEvent *event);
} ActLogKind;

#define ACT_LOG(name) const ActLogKind act_log_##name

struct ActLog {
    const ActLogKind *kind;
    const char *path;            /* as the user wrote it */
    FILE *file;
    uint64_t from;
    int begun;                   /* something stands there: for formats with a first line */
    const char *why;             /* it goes on no more; NULL: errno says why */
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
void act_logs_close(ActLogs *logs);

/* ── for formats ── */
/* Opens a file of lines. Of one that goes on the lines stay that `step` finds a step at most log->from in, and those in which it finds
 * none (0: a headline). */
ActStatus act_log_lines(ActLog *log, uint64_t (*step)(const char *line), ActError *error);
/* Every number of the event, in a fixed order: its part ("train", "validation", "test"), name and value. */
typedef void (*ActLogEach)(void *context, const char *part, const char *name, double value);
void act_log_values(const ActLogEvent *event, ActLogEach each, void *context);

#endif
