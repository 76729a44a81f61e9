/* Building the core ops: one function each, so that callers neither know attribute order nor op records.
 *
 * All of them add nodes to `g` and return the new node; types that do not fit are a bug of the caller (use the *_fits
 * questions first, or graph_try). */
#ifndef ACT_OPS_BUILD_H
#define ACT_OPS_BUILD_H

#include "graph/op.h"

/* ── leaves ── */
NodeId build_tensor(Graph *g, uint32_t tensor);             /* input, target, param, constant or state, as the tensor's role says */
/* Is `node` a tensor (number? uniform?), and which? */
bool build_is_tensor(const Node *node, uint32_t *tensor);
bool build_is_number(const Node *node, double *value);
bool build_is_uniform(const Node *node, Sx *sx);
bool build_is_iota(const Node *node);
bool build_is_random(const Node *node, uint32_t *stream);
NodeId build_number(Graph *g, double value);                /* f32[] */
NodeId build_uniform(Graph *g, Sx sx);                      /* f32[], in double once a call; over a0 = step, a1 = lr_scale, a2 = n */
NodeId build_rows(Graph *g);                                /* n, the number of rows of the call, as f32[] */
NodeId build_iota(Graph *g, uint32_t count);                /* f32[count]: 0, 1, … */
NodeId build_random(Graph *g, const Type *type, uint32_t stream); /* uniform in [0, 1) */

/* ── pointwise ── the sx is over the inputs in order (a0, a1, …) ── */
Sx build_fn(const Node *map); /* its expression */
NodeId build_map(Graph *g, Sx sx, const NodeId *in, uint32_t n);
NodeId build_map1(Graph *g, SxOp op, NodeId a);
NodeId build_map2(Graph *g, SxOp op, NodeId a, NodeId b);
static inline NodeId build_add(Graph *g, NodeId a, NodeId b) { return build_map2(g, SX_ADD, a, b); }
static inline NodeId build_sub(Graph *g, NodeId a, NodeId b) { return build_map2(g, SX_SUB, a, b); }
static inline NodeId build_mul(Graph *g, NodeId a, NodeId b) { return build_map2(g, SX_MUL, a, b); }
static inline NodeId build_div(Graph *g, NodeId a, NodeId b) { return build_map2(g, SX_DIV, a, b); }
NodeId build_scale(Graph *g, NodeId a, double factor);
/* a, broadcast to the shape of `like`; a itself when it has that shape. */
NodeId build_expand(Graph *g, NodeId a, NodeId like);

/* ── reductions ── */
typedef enum ReduceOp { REDUCE_SUM, REDUCE_MAX } ReduceOp;
/* Folds the axes of `axes` (bit i: axis i of the shape without batch), and the batch when `batch`. keep: axes stay with size 1. */
NodeId build_reduce(Graph *g, ReduceOp op, NodeId a, uint32_t axes, bool batch, bool keep);
NodeId build_sum_last(Graph *g, NodeId a, bool keep);
NodeId build_sum_all(Graph *g, NodeId a);                   /* batch and all axes: f32[] */

/* What a reduction folds. */
typedef struct Fold {
    ReduceOp op;
    uint32_t axes;
    bool batch;
} Fold;
Fold build_fold(const Node *reduce);

/* ── contraction ── */
typedef enum ContractForm {
    CONTRACT_NN, /* x[Z…, R…, K…] · w[Z…, K…, N]            -> [Z…, R…, N]    forward         */
    CONTRACT_NT, /* g[Z…, R…, N] · w[Z…, K…, N] transposed  -> [Z…, R…, K…]   input gradient  */
    CONTRACT_TN, /* sum over S of x[Z…, S…, K…] g[Z…, S…, N] -> [Z…, K…, N]    weight gradient */
    /* g[Z…, R…, T…, N] · w[Z…, T…, C, N], each axis of T from its end -> [Z…, R…, C]: the input gradient of a convolution as a convolution.
     * T… and C are the `depth` axes of w. */
    CONTRACT_FLIPPED
} ContractForm;
/* Many products at once: `outer` leading axes Z, which both sides share, each with a product of its own. The batch of x and g
 * counts among the rows R (and is summed in S), unless `each`: then both sides have it and it leads Z. `depth`: the number of axes K. */
typedef struct Contract {
    ContractForm form;
    uint32_t outer, depth;
    bool each;
    /* FLIPPED: of the first axis of T (and so on) only every step-th tap from `phase` on; step 0: all taps of all axes */
    uint32_t step[TYPE_MAX_RANK], phase[TYPE_MAX_RANK];
} Contract;
Contract build_contract_of(const Node *contract);
/* How many of the `size` taps along an axis a flipped product takes. */
uint32_t build_contract_taps(const Contract *contract, uint32_t axis, uint32_t size);
ContractForm build_form(const Node *contract);
NodeId build_contract(Graph *g, ContractForm form, NodeId a, NodeId b); /* outer 0, depth 1: w is a matrix without batch */
NodeId build_product(Graph *g, Contract contract, NodeId a, NodeId b);

/* ── windows ── over the n leading axes of the shape */
typedef struct Window {
    uint32_t n;
    uint32_t kernel[TYPE_MAX_RANK], stride[TYPE_MAX_RANK], dilation[TYPE_MAX_RANK];
} Window;
Window build_window_of(const Node *node); /* of a window or an overlap_add */
/* Is the node a window? the greatest of each window? */
bool build_is_window(const Node *node, Window *window);
bool build_is_window_max(const Node *node, Window *window);
/* How many places the window has along an axis of `size`; 0: it does not fit. */
uint32_t window_places(uint32_t size, uint32_t kernel, uint32_t stride, uint32_t dilation);
/* Of a value with zeros around it: the part of what windows see, and (*share) the part of its elements, that is no such zero. */
double window_real(const Graph *g, NodeId value, const Window *window, double *share);
/* a[S…, rest] -> [O…, K…, rest]: element (o, k) is a's at o * stride + k * dilation. */
NodeId build_window(Graph *g, NodeId a, const Window *window);
/* The other way: a[O…, K…, rest] -> [S…, rest], what falls on the same place is added up. `size`: S, n of them. */
NodeId build_overlap_add(Graph *g, NodeId a, const Window *window, const uint32_t *size);
/* Is the node one of these? */
bool build_is_overlap_add(const Node *node, Window *window);
bool build_is_slice(const Node *node, uint32_t *axis, int64_t *start, int64_t *stop);
/* Parts that take turns along the first axes: element (i, j) of part p * step[1] + q is (i * step[0] + p, j * step[1] + q) of the whole.
 * `n` axes; the whole has shape `size` along them. */
NodeId build_interleave(Graph *g, const NodeId *in, uint32_t n, const uint32_t *step);
/* The greatest of each window, a[S…, rest] -> [O…, rest]; the gradient goes to the first of those that reach it. */
NodeId build_window_max(Graph *g, NodeId a, const Window *window);
/* The axes whose bits are set, from their ends. */
NodeId build_reverse(Graph *g, NodeId a, uint32_t axes);

/* ── movement ── axes without the batch ── */
NodeId build_reshape(Graph *g, NodeId a, uint32_t rank, const uint32_t *dim);
NodeId build_permute(Graph *g, NodeId a, uint32_t n, const int64_t *axes);
NodeId build_slice(Graph *g, NodeId a, uint32_t axis, int64_t start, int64_t stop);
NodeId build_pad(Graph *g, NodeId a, uint32_t axis, int64_t before, int64_t after); /* with zeros */
NodeId build_concat(Graph *g, const NodeId *in, uint32_t n, uint32_t axis);
/* Is `node` a pad? */
bool build_is_concat(const Node *node, uint32_t *axis);
bool build_is_pad(const Node *node, uint32_t *axis, uint32_t *before, uint32_t *after);

/* ── tables ── */
NodeId build_gather(Graph *g, NodeId table, NodeId index);  /* table[V, C], index i32[…] -> [..., C]; outside: the nearest row */
/* Its gradient: rows[…, C], summed over samples and places, each into the row its index[…] names -> [count, C]. */
NodeId build_scatter_add(Graph *g, NodeId index, NodeId rows, uint32_t count);

/* ── composites ── */
NodeId build_softmax(Graph *g, NodeId a);        /* last axis */
NodeId build_log_softmax(Graph *g, NodeId a);
NodeId build_logsumexp(Graph *g, NodeId a);      /* drops the last axis */
NodeId build_pick(Graph *g, NodeId a, NodeId index); /* a[…, index[…]]: drops the last axis */
NodeId build_one_hot(Graph *g, NodeId index, uint32_t classes); /* appends an axis */
/* One draw for all elements along the axes whose bits are set in `shared`. */
NodeId build_dropout(Graph *g, NodeId a, double p, uint32_t stream, uint32_t shared);
/* (x - mean) / sqrt(variance + eps) over the axes whose bits are set; not centred: x / sqrt(mean x² + eps). */
NodeId build_standardize(Graph *g, NodeId x, uint32_t axes, bool centre, double eps);
bool build_is_standardize(const Node *node);
/* in: x[…, C], weight, bias, running mean and variance, each [C] or []. In training over the batch and all positions. */
NodeId build_batch_norm(Graph *g, const NodeId in[5], double eps);
bool build_is_batch_norm(const Node *node);
/* The mean, or the variance (over the numbers less one), of each channel: [C]. No gradient passes. */
NodeId build_batch_moment(Graph *g, NodeId x, bool variance);
NodeId build_when_training(Graph *g, NodeId train, NodeId infer); /* the first in a training step, else the second */
NodeId build_stop_gradient(Graph *g, NodeId a);

/* ── attention ── */
typedef struct Attend {
    double scale;   /* of the scores q k' */
    bool causal;    /* query i sees the keys up to and with start + i; the others have weight 0 */
    uint32_t start; /* the place of the first query */
} Attend;
/* softmax(scale q k') v: q[Z…, G, T, D], k[Z…, S, D], v[Z…, S, E] -> [Z…, G, T, E]; G may be missing. All have the batch or none has. */
NodeId build_attend(Graph *g, Attend attend, NodeId q, NodeId k, NodeId v);
bool build_is_attend(const Node *node, Attend *attend);

#endif
