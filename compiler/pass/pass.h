/* A pass is one record; the runner (pass/pipelines.c) checks what it needs, runs it, verifies the graph after it and dumps it.
 *
 * A pass takes a graph and makes a new one (PassState.g), or decides something about it (PassState.plan). Facts are what later
 * passes rely on: a pass says which it needs, which it keeps, and which it gives. */
#ifndef ACT_PASS_PASS_H
#define ACT_PASS_PASS_H

#include "base/target.h"
#include "graph/plan.h"
#include "pass/watch.h"
#include "sema/model.h"

typedef enum Fact {
    FACT_TYPED = 1,        /* every node types; true from the start */
    FACT_GRADIENTS = 2,    /* updates of all trained parameters are roots */
    FACT_EXPANDED = 4,     /* no composite is left */
    FACT_CANONICAL = 8,    /* every reduction folds one run of neighbouring axes */
    FACT_LAYOUT = 16,      /* tensors have their layout, contractions read panels */
    FACT_GROUPED = 32,     /* plan->groups */
    FACT_SCHEDULED = 64,   /* plan->groups in order of execution, with barriers; plan->stage */
    FACT_PLANNED = 128     /* plan->slot, work_bytes */
} Fact;

typedef struct PassState {
    Arena *arena;
    const Model *model;
    const Target *target;
    Diags *diags;
    bool train;            /* the training step, else inference */
    Watch *watch;          /* of a training step that the monitor looks at; else NULL */
    NodeId *gradient;      /* then from `gradient` to `watch`: by node of g, the gradient with respect to it; 0: none */
    Graph *g;
    Plan *plan;
} PassState;

typedef struct Pass {
    const char *name;
    const char *doc;
    unsigned needs, keeps, gives;   /* facts; what is not kept is dropped */
    void (*run)(PassState *state);
} Pass;

typedef struct PassOptions {
    const char *dump_after;   /* a name, "all", or NULL; printed to standard output */
    const char *stop_after;
    const char *label;        /* printed above dumps: "classifier.train_step" */
    bool time;                /* seconds of each pass to standard error */
    bool verify;
} PassOptions;

/* The pipelines, ended by NULL: forward and evaluate; the training step; the same with the monitor's numbers. */
extern const Pass *const pipeline_inference[];
extern const Pass *const pipeline_train[];
extern const Pass *const pipeline_watch[];
/* False when stopped by stop_after. */
bool pass_run(PassState *state, const Pass *const *pipeline, const PassOptions *options);
const Pass *pass_find(Str name);   /* NULL: no such pass */
/* All passes of both pipelines, each once, in order. */
unsigned pass_count(void);
const Pass *pass_at(unsigned i);

extern const Pass pass_lookup, pass_outline, pass_gradient, pass_watch, pass_merge, pass_optimize, pass_expand, pass_convolve, pass_lanes,
    pass_canonical, pass_fold, pass_simplify, pass_share, pass_prune, pass_stack, pass_layout, pass_fuse, pass_schedule, pass_memory;

/* Columns of a panel for a matrix with `cols` columns: of the tile widths the one that pads least, two vectors first among equals. */
uint32_t layout_panel(const Target *target, uint64_t cols);
/* Marks the tensors of `g` that `uses` (a graph over the same tensors) reads in a way panels do not allow. */
void layout_mark_rows(Graph *g, const Graph *uses);
void plan_print(const Plan *plan, Text *out);
/* Does the parameter belong to a group named by prefixes (`for g, h`: "g.…" or "h.…")? */
bool pass_in_group(const Str *prefix, uint32_t n, Str parameter);
/* By node: no root but the monitor's needs it. */
const bool *watch_only(Arena *arena, const Graph *g);
/* Copies all of `from` into `to` with `map` (old node -> new), which the caller has filled for the nodes it treats itself. */
void pass_copy_roots(Graph *to, const Graph *from, const NodeId *map);
/* state->g becomes a copy of itself, node by node. `each` may make something else of a node (one of state->g), in `g` and from what its inputs
 * became there (map[input]); 0: it is copied. What is made stands where the node stood in the source, and its result bears the node's name. */
typedef NodeId (*PassRewrite)(PassState *state, Graph *g, const Node *node, const NodeId *map);
void pass_rewrite(PassState *state, PassRewrite each);

#endif
