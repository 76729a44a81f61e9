/* Many trainings of one file, each with other values of its `param`s: what command_sweep.c, sweep_run.c and sweep_table.c share. */
#ifndef ACT_DRIVER_SWEEP_H
#define ACT_DRIVER_SWEEP_H

#include "driver/session.h"

#include <sys/types.h>

typedef struct SweepParam {
    Str name;
    VEC(Str) value;
} SweepParam;

typedef enum SweepState {
    SWEEP_WAITING,
    SWEEP_RUNNING,
    SWEEP_DONE,
    SWEEP_SKIPPED, /* was done before: --resume */
    SWEEP_FAILED,
    SWEEP_STOPPED
} SweepState;

typedef struct SweepRun {
    Str name;              /* "lr=1e-2,hidden=relu", and the folder's name where it can be one */
    Str folder, log, said; /* paths: the folder, its run.jsonl, its output.txt */
    const Str *value;      /* of each param */
    SweepState state;
    pid_t process;
    int code;              /* FAILED: the exit code, or -signal */
    double begin, seconds;
} SweepRun;

typedef struct Sweep {
    Session session;
    VEC(SweepParam) params;
    VEC(SweepRun) runs;    /* the last param changes fastest */
    Str folder;
    uint32_t jobs;
} Sweep;

/* Trains all that wait, as many at a time as there are jobs, a process and a thread each. The number of the signal that stopped it all; 0
 * when it came to its end. */
int sweep_run(Sweep *sweep);

/* The page that lays the logs of all finished runs over each other, by `actc plot`; empty when there is none. */
Str sweep_compare(const Sweep *sweep);

/* The file that says a run has come to its end. */
Str sweep_result_path(Arena *arena, const SweepRun *run);
/* What a finished run came to, in a line. */
Str sweep_result(Arena *arena, const SweepRun *run);
/* The last line that a failed one said. */
Str sweep_last_words(Arena *arena, const SweepRun *run);
/* All that are done, the best first. */
void sweep_print_table(const Sweep *sweep, Text *out);

#endif
