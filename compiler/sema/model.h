/* What sema makes of a file: models as typed graphs, with the facts the checks, the code generator and the editor ask
 * for. */
#ifndef ACT_SEMA_MODEL_H
#define ACT_SEMA_MODEL_H

#include "graph/graph.h"
#include "graph/layer.h"
#include "syntax/ast.h"

/* One use of a layer or activation: `|> linear(128)`, `|> relu`. Nodes carry 1 + its index. */
typedef struct LayerUse {
    Str name;          /* dotted: "block1.linear2"; activations have a counted name too ("relu3") */
    Str kind;          /* the definition: "linear", "relu", "softmax", a user's name */
    bool activation;   /* a pointwise function applied to a value */
    Span span;         /* the call, as written */
    Span outer;        /* the outermost use, when the call stands in a block; else equal to span */
    NodeId in, out;
    uint32_t tensor[8], n_tensor; /* its parameters: indices into graph->tensors */
    const Ast *call;
    uint32_t repeat;   /* copy number inside a repeat, 0 outside */
} LayerUse;

/* One call of a loss function inside a `loss` statement. */
typedef struct LossCall {
    Str fn;                /* "cross_entropy" */
    Span span;             /* the call */
    Span statement;
    uint32_t loss;         /* which loss root */
    NodeId prediction, target;
    uint32_t target_tensor;/* 1 + index; 0: the target is not a target (a literal, a value) */
    Span prediction_span, target_span;
    double target_number;  /* a literal target; else NaN */
    double ignore;         /* the class that does not count; else NaN */
    bool mean;             /* reduction = mean */
    /* cross_entropy, bce_with_logits / bce / nll, kl; read off the formula */
    bool wants_logits, wants_probabilities, wants_log_probabilities;
    bool classes;          /* a loss over classes (cross_entropy, nll); false: per element */
} LossCall;

/* One `loss` statement: root number i of ROOT_LOSS is loss_uses.at[i]. */
typedef struct LossUse {
    Str name;
    Span span;
    NodeId node;
    VEC(Str) group;        /* `loss for d`: trains only parameters whose name begins with "d."; empty: all */
} LossUse;

typedef struct MetricUse {
    Str name, kind;        /* shown name, "accuracy" */
    Span span;
    NodeId prediction;
    uint32_t target_tensor;/* 1 + index */
    double option;
} MetricUse;

typedef struct OutputUse {
    Str name;
    Span span;
    NodeId value;
} OutputUse;

/* Numbers that the model draws: `input noise : f32[64] = normal(0, 1)`, `n : f32[8] = normal(0, 0.3) when training`. */
typedef struct DrawUse {
    NodeId node;
    Str text;              /* "normal(0, 1)" */
    Span span;             /* of the distribution */
    bool input, training;  /* an `input`; drawn only while training */
    double low, high;      /* where the numbers lie */
} DrawUse;

/* ── optimizers: sequential updates of per-element values ──
 * Arguments of every sx: a0 = w, a1 = g, a2 … = states in order, then a[2 + n_state] = step and
 * a[3 + n_state] = lr_scale. */
typedef struct OptimizerUpdate {
    uint32_t target;       /* 0: w; 1 + i: state i */
    Sx value;              /* over the values as they are when the statement runs */
} OptimizerUpdate;
typedef struct SettingNumber { Str name; double value; } SettingNumber;
typedef struct OptimizerUse {
    Str name;              /* "adamw" */
    Str text;              /* as written, canonical: "adamw(lr = 0.001, weight_decay = 0.01)" */
    Span span;
    double lr, weight_decay; /* NaN when the optimizer has no such parameter */
    VEC(SettingNumber) number; /* every argument that is a number, the defaults too: eps, momentum … */
    bool library;          /* the standard library's definition */
    const Ast *ast;        /* the expression; NULL when none was written */
    VEC(Str) state;        /* names: m, v */
    VEC(double) state_init;
    VEC(OptimizerUpdate) update;
    bool decay_matrices_only;
    VEC(OptimizerUpdate) update_plain; /* decay_matrices_only: with weight_decay = 0, for all that is no matrix */
    VEC(Str) group;        /* `for g, h`: prefixes of parameter names; empty: all others */
} OptimizerUse;

/* ── data and training, as ActData and ActTrain of act/abi.h ── */
typedef struct TransformUse { uint32_t kind; double a, b; Span span; } TransformUse; /* kind: ActTransformKind */
typedef struct FieldUse {
    Str name, reader, path, columns;
    VEC(TransformUse) transforms;
    Span span;
    const Ast *value;      /* the expression: the reader and what is done to it */
    uint32_t tensor;       /* 1 + index of the input or target */
} FieldUse;
typedef struct PartUse { Str name; VEC(FieldUse) fields; Span span; } PartUse;
typedef struct DataUse {
    Str name, base;
    const Ast *ast;
    VEC(PartUse) parts;
    double validation_split;
    bool flip;             /* augment flip, crop(4): images of the training part */
    uint32_t crop;
    Span span;
} DataUse;

typedef struct TrainUse {
    Span span;
    DataUse *data;         /* NULL: the caller brings it */
    uint64_t epochs, seed, patience, checkpoint_every /* epochs */, checkpoint_steps;
    uint32_t batch;
    VEC(OptimizerUse *) optimizers;  /* the one without a group first */
    Sx schedule;           /* a0 = now, a1 = total; 0: none */
    Str schedule_text;
    double clip_norm, clip_value; /* 0: none */
    double average_decay;  /* average ema(0.999); 0: none */
    uint32_t average_last; /* average last(5): epochs; 0: none */
    uint32_t accumulate;   /* 1: none */
    Str start_from;
    uint64_t monitor_every; /* steps between two measurements; 0: nobody watches */
    const Ast *ast;        /* the TRAIN block */
} TrainUse;

typedef struct Allow {
    Str rule;              /* code or name */
    Str reason;
    Span span;             /* of the @allow */
    Span scope;            /* of what it precedes */
    bool used;
} Allow;

typedef struct Model {
    Arena *arena;
    Str name;
    Span span, name_span;
    const Ast *ast;
    Graph *graph;          /* forward: roots OUTPUT, LOSS, PREDICTION */
    VEC(LayerUse) layers;
    VEC(LossCall) losses;
    VEC(LossUse) loss_uses;
    VEC(MetricUse) metrics;
    VEC(OutputUse) outputs;
    VEC(DrawUse) draws;
    TrainUse *train;       /* NULL: no train block; then SGD without a schedule is compiled */
    bool poisoned;         /* had a hard error: no checks, no code */
} Model;

/* A definition of the language, built in or the user's (explain, list, completion). */
typedef enum DefKind {
    DEF_ACTIVATION,
    DEF_FUNCTION,
    DEF_LOSS,
    DEF_INITIALIZER,
    DEF_OPTIMIZER,
    DEF_SCHEDULE,
    DEF_BLOCK,
    DEF_LAYER,
    DEF_PARAM,
    DEF_MODEL,
    DEF_DATA,
    DEF_METRIC
} DefKind;
typedef struct Def {
    DefKind kind;
    Str name, doc;
    const Ast *ast;        /* NULL for layers and built-in distributions */
    const Layer *layer;    /* DEF_LAYER */
    bool library;
} Def;

/* What an expression, or the place where a name gets its value, came to. In a block that is used several times: of its
 * first use. */
typedef struct Mark {
    Span span;
    const Model *model;    /* whose graph has the node; NULL: a block that nobody uses */
    NodeId node;           /* 0: no value of the network */
    uint32_t tensor;       /* 1 + index of the parameter that it is; 0: none */
    Type type;             /* of the node or parameter */
    bool varies;           /* another use gave another type */
    Str text;              /* what it is otherwise: "the number 3", "the layer `linear`" */
} Mark;

typedef struct Program {
    Arena *arena;
    Sources *sources;
    Diags *diags;
    SxPool *sx;
    VEC(Model *) models;
    VEC(Def) defs;         /* library first, then the user's, each in order */
    VEC(Allow) allows;
    VEC(const Ast *) files; /* the user's, the one given last */
    VEC(Mark) marks;       /* SemaOptions.marks; each place once */
} Program;

typedef struct SemaOptions {
    VEC(Str) set;          /* "hidden=gelu" of --set */
    uint32_t batch;        /* --batch; 0: as written */
    bool marks;            /* fill Program.marks */
    /* Where imports are looked for before they are read from disk: what an editor has not saved yet. May be NULL. */
    bool (*open)(void *context, Str path, Str *text);
    void *open_context;
} SemaOptions;

/* Never NULL. Reports into diags; models with hard errors are poisoned. Imports are read relative to the file. */
Program *sema_run(Arena *arena, Sources *sources, Diags *diags, const Ast *file, const SemaOptions *options);
/* Only the standard library (explain and list without a file). */
Program *sema_library(Arena *arena, Sources *sources, Diags *diags);
/* The range of what a field delivers, where its file tells (8-bit: 0 to 255, moved by the arithmetic behind it). */
bool sema_field_range(const FieldUse *field, double *low, double *high);
const Def *sema_find(const Program *program, DefKind kind, Str name);
const Mark *sema_mark(const Program *program, Span span); /* NULL: nothing is known about this place */

/* The words that mean something in their place and are no definitions. */
typedef enum Vocabulary {
    VOCABULARY_SETTING, /* of `train` */
    VOCABULARY_READER,  /* of `data` */
    VOCABULARY_STAGE,   /* of a data pipeline */
    VOCABULARY_TYPE,
    VOCABULARY_FIELD,   /* of a value */
    VOCABULARY_SPECIAL  /* calls that are no definitions */
} Vocabulary;
/* Word `i` and an example of its use (or NULL); NULL behind the last. */
const char *sema_word(Vocabulary vocabulary, unsigned i, const char **looks_like);
/* A function of numbers that is built in: exp, max … NULL behind the last. */
const char *sema_primitive(unsigned i);
/* The sx of an activation with its defaults: argument 0 is x. 0 when it is not pointwise in one value. */
Sx sema_activation(Program *program, const Def *def);
/* Its further parameters' defaults are folded in; names[0] is the parameter's name for printing. */

#endif
