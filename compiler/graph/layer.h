/* Layers: what the language calls by name, `x |> linear(128, bias = false)`, and turns into graph nodes.
 *
 * A file ops/NAME.c may define `ACT_LAYER(NAME) = { … }`. Its parameters are data: sema evaluates and type-checks the arguments
 * against them (names, defaults, suggestions for wrong ones), documents them in `actc explain NAME`, then calls build. */
#ifndef ACT_GRAPH_LAYER_H
#define ACT_GRAPH_LAYER_H

#include "graph/op.h"

#define ACT_LAYER(NAME) const Layer layer_##NAME
#define LAYER_MAX_PARAM 12
#define LAYER_MAX_RESULT 16

typedef enum LayerArgKind {
    ARG_NONE,    /* not given, and no default */
    ARG_VALUE,   /* a graph value */
    ARG_INT,     /* a whole number */
    ARG_REAL,
    ARG_FLAG,    /* true / false */
    ARG_WORD,    /* one of `words`: same, valid, causal, sinusoidal … */
    ARG_DIMS,    /* whole numbers: a number, a tuple or a list; with `variadic`, all remaining positional arguments */
    ARG_INIT,    /* an initializer; `init` is opaque here, NULL: auto. May become FLAG (`bias = false`), TENSOR or VALUE (tied) */
    ARG_TENSOR   /* another layer's parameter (`weight = table.weight`) */
} LayerArgKind;

typedef struct LayerParam {
    const char *name;
    LayerArgKind kind;
    const char *def;     /* default as text: "1", "true", "auto", "valid"; NULL: required (VALUE, INT …) or none (`optional`) */
    const char *doc;
    bool optional, variadic, named_only;
    const char *words;   /* ARG_WORD: "valid|same"; an ARG_DIMS parameter may take words too */
} LayerParam;

typedef struct LayerArg {
    LayerArgKind kind;
    Span span;
    NodeId value;
    int64_t i;
    double f;
    bool flag;
    Str word;
    Dims dims;
    const void *init;    /* sema's initializer value */
    uint32_t tensor;     /* ARG_TENSOR: index */
} LayerArg;

typedef struct LayerCall {
    Graph *g;
    Diags *diags;
    Arena *arena;
    Span span;            /* the call */
    Str path;             /* its dotted name: "block1.linear2" */
    uint32_t layer;       /* 1 + index into Model.layers, for the nodes built */
    bool trainable;
    LayerArg value[LAYER_MAX_RESULT];  /* leading values: x |> f, or concat's many */
    uint32_t n_value;
    LayerArg arg[LAYER_MAX_PARAM];     /* by parameter, defaults filled in */
    NodeId result[LAYER_MAX_RESULT];
    uint32_t n_result;
    /* A parameter named path.name; filled later by sema (`init`: an ARG_INIT argument or NULL for auto; fill as given when
     * `fixed`). A second call of a shared layer gets the parameters of the first. Returns the node. */
    NodeId (*param)(struct LayerCall *call, const Tensor *like, const char *name, const LayerArg *init);
    /* A tensor path.name that no gradient trains: running statistics, starting as like->fill says, in files like a parameter.
     * Returns its node; *latest, when wanted, is what an earlier call of a shared layer makes of it in this step. */
    NodeId (*running)(struct LayerCall *call, const Tensor *like, const char *name, NodeId *latest);
    /* Every training step gives the running tensor this value, once the losses and gradients have read the old one. */
    void (*update)(struct LayerCall *call, NodeId running, NodeId value);
    void *context;
} LayerCall;

typedef struct Layer {
    const char *name;
    const char *doc;
    uint32_t min_value, max_value;     /* how many leading values it takes (1, 1 for most; concat 2, 16) */
    uint32_t n_param;
    LayerParam param[LAYER_MAX_PARAM];
    bool weighted;                     /* has parameters of its own: gets a counted name (linear1) */
    const char *example;               /* a whole model that uses it, for its page; a test checks and compiles it */
    /* Fills result[]; on a user's mistake reports through diags and returns false. */
    bool (*build)(LayerCall *call);
} Layer;

#endif
