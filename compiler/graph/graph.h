/* The graph: one network as nodes in an arena, in topological order.
 *
 * A node's inputs have smaller numbers than the node itself, so walking ids upward is walking forward. Passes do not
 * edit a graph: they copy it into a new one, changed (graph_copy_node and a table old -> new), which keeps the order and
 * leaves no rubbish.
 * Gradients and optimizer updates are nodes like any other. */
#ifndef ACT_GRAPH_GRAPH_H
#define ACT_GRAPH_GRAPH_H

#include "base/diag.h"
#include "base/vec.h"
#include "graph/sx.h"
#include "graph/type.h"

typedef uint32_t NodeId; /* from 1; 0 is "none" */
typedef struct Op Op;

typedef struct Dims {
    uint32_t n;
    int64_t at[TYPE_MAX_RANK];
} Dims;

typedef union AttrValue { /* which member: the op's AttrDef */
    int64_t i;
    double f;
    Sx sx;
    Str s;
    Dims dims;
} AttrValue;

typedef struct Node {
    const Op *op;
    Type type;
    uint32_t n_in;
    NodeId *in;
    AttrValue *attr;  /* op->n_attr of them, in the order of op->attr */
    Span span;        /* what the user wrote; source 0 for values the compiler made */
    Str name;         /* of the value ("logits"), when it has one */
    Str fn;           /* the definition it came from: "relu", "mse", "linear"; empty when there is none */
    uint32_t layer;   /* 1 + index into Model.layers; 0: none */
} Node;

/* ── tensors: what lives outside the graph and is named in files and headers ── */
typedef enum Role { ROLE_INPUT, ROLE_TARGET, ROLE_PARAM, ROLE_CONSTANT, ROLE_STATE } Role;
typedef enum Layout { LAYOUT_ROWS, LAYOUT_PANELS } Layout;
typedef enum FillKind { FILL_CONSTANT, FILL_NORMAL, FILL_UNIFORM, FILL_TRUNCATED_NORMAL, FILL_ORTHOGONAL } FillKind;

typedef struct Fill {  /* numbers as in ActFill of act/abi.h */
    FillKind kind;
    double a, b;         /* constant: b = 1 … 4: a in that quarter of the elements and 0 elsewhere (an lstm's forget gate) */
} Fill;

typedef struct Tensor {
    Str name;                 /* "linear1.weight" */
    Str label;                /* a target's or input's type as written: "class(10)" */
    Role role;
    Type type;                /* batch is true for inputs and targets */
    Span span;
    uint32_t classes;         /* class, token: values are below this; binary: 2; else 0 */
    bool binary;              /* a binary target */
    double low, high;         /* declared or known range; low > high: none */
    /* parameters */
    Fill fill;                /* how init fills it (state: constant) */
    Str init;                 /* the initializer's name as resolved: "kaiming_normal", "auto" … */
    Span init_span;           /* where it was written, or the layer */
    double fan_in, fan_out, gain;
    double deviation;         /* standard deviation of the fresh values; 0 for constants */
    bool weight;              /* a matrix of weights (not a bias, not a norm's scale) */
    bool trainable;
    uint32_t of;              /* ROLE_STATE: 1 + the index of its parameter */
    uint32_t file_axis[TYPE_MAX_RANK]; /* canonical axis i is inside axis file_axis[i] */
    uint32_t flat_rank, flat[TYPE_MAX_RANK]; /* as ActTensor.flat */
    bool turned;              /* lies [out, in]; the language reads it [in, out], as every layer's weight */
    /* decided by the layout pass and the memory plan */
    bool rows_only;           /* read in a way that panels do not allow (as a view, or as a left side) */
    Layout layout;
    uint32_t panel;
    uint64_t offset, bytes;
} Tensor;

/* As the language reads it and messages show it. */
static inline Type tensor_type(const Tensor *t)
{
    uint32_t across[] = {t->type.dim[1], t->type.dim[0]};
    return t->turned ? type_make(t->type.dtype, t->type.batch, 2, across) : t->type;
}

typedef enum RootKind {
    ROOT_OUTPUT,      /* what forward returns */
    ROOT_LOSS,        /* a scalar without batch */
    ROOT_PREDICTION,  /* of a metric */
    ROOT_UPDATE,      /* the new value of tensor `index` */
    ROOT_WATCH        /* array `index` of what the monitor is given: f32, with the batch or without */
} RootKind;

typedef struct Root {
    RootKind kind;
    NodeId node;
    uint32_t index;   /* number of the output, loss, metric; tensor of an update */
    Str name;
} Root;

typedef struct Graph {
    Arena *arena;
    SxPool *sx;
    Str name;
    uint32_t batch;       /* greatest number of rows of a training step */
    VEC(Node) nodes;      /* nodes.at[0] is unused */
    VEC(Tensor) tensors;
    VEC(Root) roots;
} Graph;

Graph *graph_new(Arena *arena, SxPool *sx, Str name, uint32_t batch);
static inline Node *graph_node(const Graph *g, NodeId id)
{
    ACT_ASSERT(id > 0 && id < g->nodes.n);
    return &g->nodes.at[id];
}
static inline const Type *graph_type(const Graph *g, NodeId id) { return &graph_node(g, id)->type; }

/* A new node; inputs and attributes are copied, the type comes from op->infer. A node that does not type is a bug of
 * ours (sema checks what users write before it builds). The pointer graph_node() gave earlier may move. */
NodeId graph_add(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const AttrValue *attr);
/* The same, returning 0 with a sentence in *why when op->infer refuses. */
NodeId graph_try(Graph *g, const Op *op, const NodeId *in, uint32_t n_in, const AttrValue *attr, Str *why);
/* Copies node `id` of `from` into `to` with inputs map[old input]; span, name, fn and layer come along. */
NodeId graph_copy_node(Graph *to, const Graph *from, NodeId id, const NodeId *map);
/* An empty graph with the same name, batch, sx pool and a copy of the tensors. */
Graph *graph_like(const Graph *g);
uint32_t graph_tensor_add(Graph *g, const Tensor *tensor);   /* its index */
int graph_tensor_find(const Graph *g, Str name);             /* -1: none */
void graph_root_add(Graph *g, RootKind kind, NodeId node, uint32_t index, Str name);
/* uses[id] = how many inputs and roots refer to node id. */
uint32_t *graph_uses(const Graph *g, Arena *arena);

/* Every rule a graph must keep: operands before uses, types as infer says, attributes in range, roots of the right type.
 * NULL or a sentence that names the node. Run after every pass in debug builds. */
const char *graph_verify(const Graph *g, Arena *arena);

/* ── text form ──
 *   graph classifier batch 128
 *   tensor "linear1.weight" param f32[784, 10] fill normal 0 0.05
 *   %1 = input {tensor = 0} : f32[B, 784]            # comments
 *   %4 = map %2, %3 {fn = (max (add a0 a1) 0)} : f32[B, 10]
 *   output 0 "logits" %4
 *
 * Only facts that differ from a plain tensor are written. Behind a node's type stand its name, fn and layer:
 *   %4 = map %2 {fn = (max a0 0)} : f32[B, 10] name "h1" fn "relu" layer 3
 * A hand-written text may leave types out, number nodes with holes, and name a tensor: {tensor = "linear1.weight"}. */
void graph_print(const Graph *g, Text *out);
/* Reads it back; NULL and "line 3: …" in *why. `find` gives ops by name (op_find of ops/registry.h). */
Graph *graph_read(Arena *arena, SxPool *sx, Str text, const Op *(*find)(Str name), Str *why);
void graph_print_dot(const Graph *g, Text *out);  /* Graphviz */

#endif
