/* The contract of an op: everything any part of the compiler may ask of it, in one record.
 *
 * A file ops/NAME.c defines `ACT_OP(NAME) = { … }`; the build finds it, no list is edited. Nobody outside ops/ asks which op a
 * node has: they ask the record what it can do. */
#ifndef ACT_GRAPH_OP_H
#define ACT_GRAPH_OP_H

#include "graph/graph.h"

#define ACT_OP(NAME) const Op op_##NAME

typedef enum OpKind {
    OP_LEAF,       /* no inputs: input, param, constant, uniform, iota, random */
    OP_MAP,        /* pointwise: attr 0 is its sx over the inputs, which broadcast */
    OP_REDUCE,     /* folds axes */
    OP_CONTRACT,   /* sums of products: matrix product (and convolution) in its three directions */
    OP_VIEW,       /* the same elements in the same order under another shape */
    OP_MOVE,       /* elements move, no arithmetic: permute, slice, concat, pad, window */
    OP_SCATTER,    /* elements are added up where they belong: overlap_add */
    OP_GATHER,     /* rows of the first input, chosen by the second: gather */
    OP_ADD_ROWS,   /* rows of the second input, added up in the row that the first names: scatter_add */
    OP_COMPOSITE,  /* expands into the kinds above before fusion: softmax, dropout … */
    OP_KINDS
} OpKind;

typedef enum AttrKind { ATTR_INT, ATTR_REAL, ATTR_SX, ATTR_STR, ATTR_DIMS } AttrKind;
typedef struct AttrDef {
    const char *name;
    AttrKind kind;
    bool optional; /* may be left out: a whole number is 0 then, and a list empty */
} AttrDef;

#define OP_MAX_ATTR 6

/* Adding up gradients; implemented in pass/grad.c, handed to vjp. */
typedef struct Grad Grad;
struct Grad {
    Graph *g;
    /* Adds `part` to the gradient of `value`. A part wider than the value is summed over the axes along which the value was
     * broadcast; a narrower one stands for its broadcast. So the dy that vjp gets may be narrower than the node's value, too. */
    void (*add)(Grad *grad, NodeId value, NodeId part);
    bool (*wanted)(Grad *grad, NodeId value); /* does any parameter stand behind `value`? */
};

/* One call of the reference interpreter: values in double, dense, batch first. */
typedef struct EvalCall {
    const Graph *g;
    const Node *node;
    const double *const *in;
    double *out;
    size_t rows;             /* the batch */
    const struct EvalEnv *env;
} EvalCall;

/* Signal propagation (check/signal.c; formulas in its header). Forward: moments of a value over fresh weights and data. */
typedef struct Moments {
    double mean, second;     /* E x, E x² (per element) */
    double corr;             /* correlation of an element between two random samples, of the raw second moment */
    double second_low, second_high; /* what this op leaves open about `second` (max pooling of unknown correlation) */
} Moments;
/* Backward: second moment of the gradient with respect to a value, per element, relative to the loss. */
typedef struct SignalCall {
    const Graph *g;
    const Node *node;
    const Moments *const *in;   /* forward: of the inputs; backward too */
    Moments *out;               /* forward: to fill */
    double grad_out;            /* backward: G of the output */
    double *grad_in;            /* backward: to fill, one per input, before summing over uses */
    SxPool *sx;
    bool inference;             /* dropout passes */
    bool near;                  /* one of the many runs of an ensemble: a table will do, correlations are not asked */
} SignalCall;

struct Op {
    const char *name;
    const char *doc;
    OpKind kind;
    uint32_t min_in, max_in;
    uint32_t n_attr;
    AttrDef attr[OP_MAX_ATTR];

    /* The type of a node from its inputs' types and attributes; NULL or a sentence that says what does not fit. */
    const char *(*infer)(const Graph *g, const Node *node, Type *out, Arena *arena);
    /* Adds the gradients of node `self` to its inputs, given the gradient dy of its value. NULL: not differentiable (gradient 0). */
    void (*vjp)(Grad *grad, NodeId self, NodeId dy);
    /* The meaning, in double. */
    void (*eval)(const EvalCall *call);
    /* Signal propagation; NULL: passes the first input through. */
    void (*signal)(const SignalCall *call);
    void (*signal_back)(const SignalCall *call);
    /* COMPOSITE: builds the node's meaning from other ops in `to`, given its already copied inputs. `train`: the
     * training step (dropout drops) or inference. */
    NodeId (*expand)(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train);
    /* MOVE: element `index` of the output comes from element *source of input *which (-1: a zero). Axes are those of the
     * shapes without the batch. The kernel generator asks for strides through this too (kernel/move.c).
     * SCATTER: element `index` of the input is added to element *source of the output. */
    bool (*locate)(const Graph *g, const Node *node, const uint32_t *index, uint32_t *which, uint32_t *source);
    /* MOVE with one input: the source's index is an affine function of the result's, so that strides can say where everything is, and
     * readers need no copy. */
    bool affine;
    /* MOVE with inputs that lie in the result as they are, beside each other or among zeros (concat, pad): where the first element of
     * input `which` stands, and how far apart its elements are along each axis. They may be written there in the first place. NULL: none. */
    void (*inside)(const Graph *g, const Node *node, uint32_t which, uint32_t *corner, uint32_t *step);
    /* Floating-point operations for one row (or in all, for values without the batch). NULL: one per element. */
    uint64_t (*flops)(const Graph *g, const Node *node);
    const char *const *examples; /* graph texts for the op tests: one per entry, NULL at the end */
};

static inline const AttrValue *node_attr(const Node *node, uint32_t i)
{
    ACT_ASSERT(i < node->op->n_attr);
    return &node->attr[i];
}

#endif
