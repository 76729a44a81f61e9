/* What the rules ask about the values of one graph: who reads a value, which pointwise function of which value it is,
 * what range it can have, which layer made it. Computed once a model.
 *
 * Activations are known here by their mathematics: a value is `fn` of `base`, whatever the definitions between them are
 * called. */
#ifndef ACT_CHECK_FACTS_H
#define ACT_CHECK_FACTS_H

#include "sema/model.h"

/* The values a node can take. `full`: every real number, whatever the other values are, because trained weights shift
 * and scale it freely; then a rule may speak of certainty. Bounds that are not known are infinite. */
typedef struct ValueRange {
    double low, high;
    bool full;
    bool known; /* the bounds are reached (to rounding), not just an enclosure */
} ValueRange;

typedef struct Facts {
    Arena *arena;
    const Graph *g;
    SxPool *sx;
    bool *live;      /* by node: a root needs it */
    uint32_t *first; /* consumers of node i: consumer[first[i] .. first[i + 1]), live ones, each once, ascending */
    NodeId *consumer;
    bool *root;   /* by node: an output, a loss or a metric's prediction reads it directly */
    NodeId *base; /* node i = fn[i](base[i]), pointwise; base[i] == i and fn[i] == a0 when it is no such function; base
                     0: */
    Sx *fn;       /*   fn[i] is a number */
    NodeId *last; /* by node: the greatest live node whose base it is */
    NodeId *weighted; /* by node: the nearest product with weights behind it (or itself); 0: none */
    uint32_t *depth;     /* by node: products with weights on the longest way to it, itself counted */
    bool *of_target;  /* by node: computed from a target, so part of a loss */
    ValueRange *range;
    Sx identity; /* a0 */
} Facts;

Facts *facts_new(Arena *arena, const Graph *g);

static inline uint32_t facts_uses(const Facts *f, NodeId id) { return f->first[id + 1] - f->first[id]; }

/* Op questions, by record. */
bool facts_is(const Node *node, const char *op); /* is it the op of this name? */
int facts_tensor(const Node *node);              /* the tensor a leaf stands for; -1: none */
bool facts_passes(const Node *node);             /* keeps every element's value: a view or a permutation */
/* The product of data with a matrix of weights: its parameter's tensor index; -1 when the node is none. */
int facts_weight(const Graph *g, NodeId id);
bool facts_is_param(const Graph *g, NodeId id); /* computed from parameters and numbers alone */

/* A normalisation: over the batch (linear in inference), or over axes of each sample. */
typedef enum NormKind { NORM_NONE, NORM_BATCH, NORM_SAMPLE } NormKind;
NormKind facts_norm(const Node *node);
/* Of a norm over the sample: is every channel (the last axis) taken for itself? */
bool facts_norm_channels(const Node *node);
/* The numbers that one mean of the norm is taken over, in a full batch. */
uint64_t facts_norm_numbers(const Graph *g, const Node *node);
/* Looks backward through views and permutations. */
NodeId facts_skip(const Facts *f, NodeId id);
/* A softmax: the op, positive values divided by their own sum, or e to the power of a log_softmax; and its logarithm:
 * the op, or a value minus its logsumexp. Over the last axis of the node. */
bool facts_is_softmax(const Facts *f, NodeId id);
bool facts_is_log_softmax(const Facts *f, NodeId id);
/* How node `id`, a map, reads its input number `i`. */
typedef enum ReadKind {
    READ_AFFINE,   /* slope does not depend on data: bias, scale, a plain number */
    READ_SUM,      /* affine, and other data is added: a residual */
    READ_GATE,     /* multiplied with other data */
    READ_NONLINEAR /* a function of it alone */
} ReadKind;
ReadKind facts_read(const Facts *f, NodeId id, uint32_t i);

/* The node that leads on from `id`: every reader works, directly or not, for one pointwise value `fn(id)`; that value
 * is returned. Returns `id` itself when its readers part (or nothing pointwise follows). */
NodeId facts_pointwise_end(const Facts *f, NodeId id);

/* The map in which a loss's body meets prediction and target; its sx reads them as a0 and a1. 0: there is none. */
Sx facts_loss_term(const Facts *f, const LossCall *loss);

/* Does `from` reach `to` forward? */
bool facts_reaches(const Facts *f, NodeId from, NodeId to);

#endif
