/* The reference interpreter: the meaning of a graph, in double. The oracle for compiled code and for gradients. */
#ifndef ACT_GRAPH_EVAL_H
#define ACT_GRAPH_EVAL_H

#include "graph/op.h"

typedef struct EvalEnv {
    size_t rows;                    /* n: rows of the batch in this call */
    const double *const *tensor;    /* by tensor index: dense values in the inside shape (data with the batch) */
    double step, lr_scale;          /* ActStep */
    uint64_t seed;
} EvalEnv;

/* value[id] = the values of node id, dense, batch first (arena memory); nodes no root needs are NULL. Composites are
 * evaluated through their own eval, in training mode when `train`. */
double **graph_eval(Arena *arena, const Graph *g, const EvalEnv *env);
size_t graph_value_count(const Graph *g, NodeId id, size_t rows);

/* Philox4x32-10 as the runtime has it (runtime/core/random.h): a uniform number in [0, 1) with 24 bits. */
double eval_random(uint64_t seed, uint64_t step, uint32_t stream, uint64_t sample, uint64_t element);
/* Fills a parameter as act_fill does, in inside order, for the interpreter. */
void eval_fill(const Tensor *tensor, uint32_t stream, uint64_t seed, double *out);

#endif
