/* A compiled unit: what one output file holds, ready for the LLVM floor. */
#ifndef ACT_KERNEL_UNIT_H
#define ACT_KERNEL_UNIT_H

#include "base/target.h"
#include "graph/loop.h"
#include "graph/plan.h"
#include "pass/watch.h"
#include "sema/model.h"

typedef struct UnitModel {
    const Model *model;
    Graph *graph;            /* the tensors carry layout, panel, offset, bytes (in the param or state block) */
    LoopProgram *forward;    /* outputs */
    LoopProgram *evaluate;   /* losses and predictions, inference mode */
    LoopProgram *train_step; /* losses and updates */
    LoopProgram *watch_step; /* the same step with the monitor's numbers; NULL: nobody watches */
    const Plan *forward_plan, *evaluate_plan, *train_plan, *watch_plan; /* what they were made from */
    Watch *watch;            /* what they are of; NULL as above */
    Sx schedule;             /* over a0 = now, a1 = total; 0: none */
    uint32_t batch;
    uint64_t param_bytes, state_bytes, work_bytes; /* work: the greatest of the programs' */
    uint64_t flops_forward, flops_step;            /* of one row */
    Str hash, recipe;        /* hex: of the network; of what a step computes beside it */
} UnitModel;

typedef struct Unit {
    Arena *arena;
    const Program *program;
    const Target *target;
    VEC(UnitModel) models;
} Unit;

/* What the pipelines print on the way. */
typedef struct UnitOptions {
    const Target *target;
    int level;               /* -O0 … -O3 */
    const char *dump_after;  /* a pass name, "all", or NULL; printed on standard output */
    const char *stop_after;
    bool time_passes;
    bool verify;             /* after each pass */
    Watch **watch;           /* by model of the program: what its monitor looks at; NULL, and NULL for a model: nobody watches */
} UnitOptions;

/* Compiles every healthy model of the program down to loop programs. NULL when stopped by stop_after or when a pass refuses (a
 * diagnostic was made). */
Unit *unit_build(Arena *arena, const Program *program, const UnitOptions *options);

#endif
