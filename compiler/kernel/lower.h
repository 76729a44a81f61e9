/* From a plan to a loop program: shared by the files that know one kind of group each. */
#ifndef ACT_KERNEL_LOWER_H
#define ACT_KERNEL_LOWER_H

#include "base/target.h"
#include "graph/loop.h"
#include "graph/plan.h"

/* One loop of a nest: `size` iterations, times n when `batch`. */
typedef struct Dim {
    int64_t size;
    bool batch;
    int64_t clamp;         /* > 0: lanes of panels of a matrix with so many columns; the loop over panels stands at panel_dim */
    uint32_t panel_dim;
} Dim;

/* The loops of a group, outermost first; the first `rows` of them go over rows, the others over the columns of one. */
typedef struct Nest {
    uint32_t n, rows;
    Dim dim[LOOP_MAX_DEPTH];
} Nest;

/* How a value is addressed by the loops of a nest: element = sum of stride[d] * (variable of loop d). */
typedef struct Reach {
    int64_t base, stride[LOOP_MAX_DEPTH];
} Reach;

typedef struct Lower {
    Arena *arena;
    const Graph *g;
    const Plan *plan;
    const Target *target;
    LoopProgram *program;
    /* of the kernel at work */
    LoopKernel kernel;
    VEC(LoopArg) args;
    const Group *group;
    uint32_t number;       /* 1 + of the group */
    bool barrier;          /* one stands before the next kernel */
    LoopStmt **tail;       /* where the next statement goes */
    LoopStmt *loop;        /* the loop opened last */
    Sx *expr;              /* by node: its expression in the loop at work, 0 not yet made */
    uint32_t *acc;         /* by node: 1 + accumulator of a reduction */
} Lower;

/* ── lower.c ── */
/* Which kernels threads go through a few rows at a time. */
void lower_strips(LoopProgram *program, const Target *target, uint32_t batch, Arena *arena);
/* Kernels [first, last) are gone through in strips: which products ask for what others read. */
void lower_ahead(LoopProgram *program, uint32_t first, uint32_t last, const Target *target, uint32_t batch, Arena *arena);

LoopProgram *lower_plan(Arena *arena, const Plan *plan, const Target *target, Str name);
uint32_t lower_buf(Lower *l, NodeId value);              /* the buffer a value (or the tensor it is) lies in */
uint32_t lower_buf_of(Lower *l, NodeId value, bool write); /* write: where the new value of an updated tensor goes */
LoopStmt *lower_stmt(Lower *l, LoopStmtKind kind);       /* appended at l->tail */
Sx lower_arg(Lower *l, LoopArg arg);                     /* the argument as an expression; equal ones are shared */
Sx lower_load(Lower *l, NodeId value, Affine at);
uint32_t lower_new_acc(Lower *l);
/* Appends `for` and moves l->tail into its body; returns where to go on behind it. */
LoopStmt **lower_for(Lower *l, Extent extent, LoopMode mode);
Sx lower_uniform(Lower *l, Sx sx);                        /* a number computed once a call */
Layout lower_layout(const Lower *l, NodeId value, uint32_t *panel);
/* Where a value lies that is in rows: its strides, and the elements between two rows of the batch (0: it has none). */
View lower_view(const Lower *l, NodeId value, int64_t *batch);
uint32_t lower_pad(const Lower *l, NodeId value);        /* elements between the rows of a value [B, F] */
bool lower_stored(const Lower *l, NodeId value);         /* has memory of its own, so its kernel stores it */
void lower_store(Lower *l, NodeId value, Affine at, Sx what);
/* Starts and ends a kernel; several may come from one group. */
void lower_begin(Lower *l, const char *suffix);
void lower_end(Lower *l, LoopSplit split, Extent extent, bool by_rows, uint32_t grain);

/* rebase.c: slices of work buffers that the kernel at work reads or writes become buffers of their own. */
void lower_rebase(Lower *l);
uint32_t lower_add_buf(Lower *l, LoopBuf buf);           /* the number of an equal one, or of the new one */

/* ── one kind of group each ── */
void lower_rows(Lower *l);
void lower_columns(Lower *l);
void lower_contract(Lower *l);
void lower_table(Lower *l);
void lower_move(Lower *l);
void lower_scatter(Lower *l);

/* ── the expression of a node; how its inputs become arguments is the caller's ── */
typedef Sx (*LowerInput)(Lower *l, const Node *user, NodeId input, void *context);
Sx lower_expr(Lower *l, NodeId id, LowerInput input, void *context);

#endif
