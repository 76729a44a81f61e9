/* Inside sema: the values the evaluator computes with, where names live, and what each file offers to the others.
 *
 * The evaluator walks the tree and yields values. Arithmetic on numbers gives numbers, on symbolic scalars sx, on
 * values of the network map nodes of the graph. V_NONE is the value of a mistake that was reported: everything that
 * touches it stays silent. */
#ifndef ACT_SEMA_SEMA_H
#define ACT_SEMA_SEMA_H

#include "base/map.h"
#include "graph/op.h"
#include "sema/codes.h"
#include "sema/model.h"

typedef struct Sema Sema;
typedef struct Frame Frame;
typedef struct Closure Closure;
typedef struct List List;

/* ── values ── */
typedef enum ValueKind {
    V_NONE, /* poisoned: somebody has reported why */
    V_NUMBER,
    V_FLAG,
    V_WORD,   /* a string */
    V_SX,     /* a symbolic scalar, in the body of a pointwise function */
    V_NODE,   /* a value of the network */
    V_TENSOR, /* a parameter: fc1.weight; reads as its node */
    V_FN,     /* a function, with or without some of its arguments */
    V_LIST,   /* [1, 64], (3, 5), several results */
    V_RANGE   /* 1..4 */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    Span span; /* where it was written */
    union {
        double number;
        bool flag;
        Str word;
        Sx sx;
        NodeId node;
        uint32_t tensor;
        Closure *fn;
        List *list;
        double range[2];
    };
} Value;

struct List {
    VEC(Value) item;
    bool results; /* several results of a block or layer */
};

/* ── definitions ── */
typedef struct Item {
    Def def;
    Frame *env;    /* a block inside a model: its frame; else the global frame */
    bool poisoned; /* its cycle or its mistake has been reported */
    bool used;     /* a block that some model calls */
    bool row_op;   /* its body works on rows or whole values, not on one number */
    Sx known;      /* the body of its last call with numbers only: argument i where fixed[i] is NaN */
    double fixed[8];
    const Ast *params; /* PARAMETERS, or NULL */
    const Ast *body;   /* of a FUNCTION */
} Item;

/* An argument of a call. Evaluated when the parameter it goes to is known, since words depend on that. */
typedef struct Arg {
    Str name;
    Span name_span;
    const Ast *ast;
    Frame *frame;
    Value value;
    bool done;
} Arg;
typedef VEC(Arg) Args;

/* One layer or block that several uses share. */
typedef struct Share {
    Str path;
    bool used;
} Share;

typedef enum ClosureKind { CLOSURE_ITEM, CLOSURE_PRIMITIVE, CLOSURE_REPEAT, CLOSURE_CHAIN } ClosureKind;
struct Closure {
    ClosureKind kind;
    const Item *item;
    SxOp primitive;
    Str name;        /* as called: an alias keeps its own */
    Args pos, named; /* given so far; for a block or layer they follow the value */
    Str label;       /* linear(8) as fc1 */
    Span label_span;
    Share *share;
    Closure *inner; /* REPEAT: what is repeated … */
    Closure *next;  /* CHAIN: what `inner` is followed by: linear(8) |> relu */
    uint32_t count; /* … and how often */
    Span span;
    NodeId draw;   /* an initializer used as a value: the numbers drawn */
    bool training; /* … only in training steps */
};

/* ── where names live ── */
typedef struct Binding {
    Str name;
    Span span;
    const Ast *statement; /* gives the value when first asked for; NULL: it has one */
    Frame *frame;         /* of the statement */
    bool callable;        /* may hold a function: a parameter, a share, a block */
    enum { BIND_WAITING, BIND_BUSY, BIND_DONE } state;
    Value value;
} Binding;

/* Names of layers: a path and counters. */
typedef struct Scope {
    Str path;
    Map used;    /* name -> Span, labels and counted names */
    Map counter; /* kind -> number */
    bool reuse;  /* a later use of something shared: parameters are found, not made */
    bool frozen; /* trainable = false */
} Scope;

typedef enum FrameKind {
    FRAME_GLOBAL,
    FRAME_GRAPH, /* a model or a block */
    FRAME_SCALAR /* the body of a function of numbers */
} FrameKind;
struct Frame {
    Frame *parent; /* where names are looked up next */
    FrameKind kind;
    Map names;  /* Binding */
    Map labels; /* Binding whose statement holds the label */
    Scope *scope;
    const Item *item; /* whose body this is */
    Span outer;       /* the use that is being expanded, as Sema.outer */
    bool loss;        /* inside a loss: nothing broadcasts; sum and mean without an axis take the batch too */
    bool rows;        /* … of rows: sum, mean and max without an axis take the last one */
};

/* A parameter whose initializer waits until the network is complete. */
typedef struct Pending {
    uint32_t tensor;
    Value init; /* V_NONE: auto */
    Span span;
} Pending;

typedef struct Gain {
    Sx activation;
    double gain;
} Gain;

struct Sema {
    Program *program;
    Arena *arena;
    Diags *diags;
    Diags scratch;  /* what is said in a trial */
    uint32_t trial; /* depth of trials */
    bool failed;    /* the trial met a mistake */
    bool row_op;    /* a row operation met a symbolic scalar */
    SxPool *sx;
    const SemaOptions *options;
    VEC(Item *) items; /* library first */
    VEC(const Ast *) files;
    VEC(const Ast *) cyclic;     /* blocks inside models that lead back to themselves */
    Map by_kind[DEF_METRIC + 1]; /* the user's definition hides the library's … */
    Map library[DEF_METRIC + 1]; /* … but not from the library itself */
    Frame *global;
    uint64_t fuel; /* evaluations so far */
    uint32_t depth;
    bool exhausted;
    /* the model being built */
    Model *model;
    Graph *g;
    VEC(NodeId) tensor_node;
    Map tensor_index; /* parameters by name */
    Map lost;         /* dotted names of layers and blocks whose call has a mistake: what they would have made is missing */
    VEC(Pending) pending;
    Span outer; /* the use, in the user's text, of the outermost block being expanded; source 0: none */
    uint32_t repeat;
    uint32_t layer; /* 1 + index of the layer being built */
    int32_t loss;   /* number of the loss statement being evaluated, -1: none */
    Span loss_span;
    uint32_t streams;          /* random streams handed out to draws */
    VEC(uint8_t) loss_node;    /* by node: computed inside a loss */
    VEC(const Ast *) declared; /* by tensor: its TYPE, for inputs and targets */
    struct Follow *follow;     /* of auto.c, for this many nodes */
    uint32_t follow_nodes;
    VEC(Gain) gains;
    uint32_t *mark_slot; /* of mark.c: 1 + index into program->marks, by place */
    uint32_t n_mark_slot;
};

/* ── report.c ── */
/* A hard error. In a trial, or when the same was said at the same place, it goes nowhere (but is never NULL). */
Diag *sema_error(Sema *s, SemaCodeId code, Span span, const char *format, ...) __attribute__((format(printf, 4, 5)));
Diags *sema_sink(Sema *s); /* where layers report */
/* `name` is unknown: says so, suggests the nearest of `candidates` with a fix. `what` is "layer", "argument of
 * `linear`" … */
Diag *sema_unknown(Sema *s, Span span, const char *what, Str name, const Str *candidates, uint32_t n);
/* A place in the user's text: the use of the block when `span` lies in the library. */
Span sema_place(const Sema *s, Span span);
Str foreign_name(Str name, const Str *candidates, uint32_t n); /* foreign.c: what others call so; empty: nothing */
bool foreign_same(Str a, Str b);               /* but for capitals, underscores and a module in front */
Str sema_shape(Sema *s, NodeId node); /* "[28, 28, 1]" */
Str value_describe(Sema *s, Value v); /* "a number", "a value of shape [128]", "the activation `relu`" */

/* ── broken.c ── */
/* Would a statement that the parser could not read, in a body around the use, have given `name`? */
bool broken_gives(const Sema *s, Span use, Str name);
/* The call of what would be called `path` has a mistake, and that is said: nobody reports its parameters as missing. */
void broken_layer(Sema *s, Str path);
bool broken_parameter(const Sema *s, Str path);
/* Has a mistake been reported in this text? */
bool broken_inside(const Sema *s, Span text);

/* ── mark.c ── */
void mark_value(Sema *s, Span span, Value v); /* what stands there came to `v`; nothing unless SemaOptions.marks */
const Mark *mark_find(const Sema *s, Span span);

/* ── value.c ── */
static inline Value value_none(void) { return (Value){.kind = V_NONE}; }
Value value_number(double number, Span span);
Value value_flag(bool flag, Span span);
Value value_sx(Sx sx, Span span);
Value value_node(NodeId node, Span span);
Value value_fn(Closure *fn, Span span);
bool value_is_graph(Value v);                      /* a node or a parameter */
bool value_small(Sema *s, NodeId node, Span span); /* at most 2^31 numbers a sample; else says so */
NodeId value_to_node(Sema *s, Value v);            /* of those */
/* Of a value that must be one of the network; says what it is instead and returns 0. `who` wants it: "`linear`". */
NodeId value_want_node(Sema *s, Value v, Span span, const char *who);
/* A number, exactly whole, in [low, high]. False after saying so (silent for V_NONE). `what`: "the width of `linear`".
 */
bool value_whole(Sema *s, Value v, Span span, const char *what, int64_t low, int64_t high, int64_t *out);
bool value_real(Sema *s, Value v, Span span, const char *what, double *out);
bool value_dims(Sema *s, Value v, Span span, const char *what,
                Dims *out); /* a number, tuple or list of whole numbers >= 1 or -1 */

/* ── names.c ── */
Frame *frame_new(Sema *s, Frame *parent, FrameKind kind);
Binding *frame_bind(Sema *s, Frame *f, Str name, Span span); /* reports a duplicate */
void frame_set(Sema *s, Frame *f, Str name, Value value);    /* a name that has its value */
/* Predeclares what the statements of a model or block give: names, labels, blocks. */
void frame_declare(Sema *s, Frame *f, const Ast *const *statement, uint32_t n);
Binding *frame_find(Frame *f, Str name);              /* up the parents; NULL: none */
Value binding_value(Sema *s, Binding *b, Span use);   /* evaluates the statement when needed; reports a cycle */
Value name_value(Sema *s, Frame *f, const Ast *name); /* a NAME where a value stands */
/* A NAME where a function stands; NULL after saying why. `pos`: how many positional arguments will be given (max(a,
 * b)). */
Closure *name_callee(Sema *s, Frame *f, const Ast *name, uint32_t pos, bool scalar);
Item *item_find(const Sema *s, DefKind kind, Str name);
Item *item_callable(const Sema *s, const Frame *f,
                    Str name); /* activation, function, block, loss or layer, seen from f */
bool scalar_primitive(int op); /* a function of numbers that the language has */
void names_visible(Sema *s, Frame *f, bool callables, bool values,
                   void *out); /* VEC(Str): candidates for suggestions */

/* ── scope.c ── */
Scope *scope_new(Sema *s, Scope *parent, Str path);
Str scope_path(Sema *s, const Scope *scope, Str name);
/* The dotted name of a use: its label, or its kind counted. */
Str scope_name(Sema *s, Scope *scope, Str kind, Str label, Span label_span);

/* ── library.c, cycle.c ── */
void library_load(Sema *s);
void library_file(Sema *s, const Ast *file, bool library); /* takes up the definitions of a file, and of its imports */
void cycle_check(Sema *s);                                 /* definitions that lead back to themselves */
Item *item_add(Sema *s, DefKind kind, const Ast *ast, Frame *env, bool library);

/* ── eval_expr.c ── */
Value eval(Sema *s, Frame *f, const Ast *e);
Value eval_field(Sema *s, Frame *f, const Ast *e, bool called); /* a FIELD; `called`: a function or layer is due */
bool eval_spent(Sema *s, Span span); /* one more step; true, after saying so once, when there have been too many */
const Ast *ast_ungroup(const Ast *e);

/* ── eval_op.c ── */
Value op_binary(Sema *s, Frame *f, const Ast *e, Value a, Value b);
Value op_negate(Sema *s, Frame *f, const Ast *e, Value a);
Value op_select(Sema *s, Frame *f, const Ast *e, Value c, Value a, Value b);
Value op_primitive(Sema *s, Frame *f, Span span, SxOp op, Value *arg, uint32_t n);

/* The inputs of a map under construction: each node once. */
typedef struct Operands {
    NodeId node[8];
    Span span[8];
    uint32_t n;
} Operands;
bool operand_fits(const Operands *o);         /* room for one more */
Sx operand_sx(Sema *s, Operands *o, Value v); /* a number's literal, a node's argument */
/* One map over them; checks shapes. 0 after saying why not. */
NodeId operands_map(Sema *s, Frame *f, const Operands *o, Sx sx, Span span, Str fn);
void origin_set(Sema *s, NodeId from, Span span, Str fn); /* marks the nodes made since `from` */

/* ── eval_call.c ── */
Value eval_call(Sema *s, Frame *f, const Ast *call);
Value eval_pipe(Sema *s, Frame *f, const Ast *pipe);
Value arg_value(Sema *s, Arg *arg);
Arg arg_of_value(Value v);
void args_push(Sema *s, Args *pos, Value v); /* each of several results */
void args_read(Sema *s, Frame *f, const Ast *call, Args *pos, Args *named);
/* Applies a function. `path`: the use's full name when it is already decided (a copy of a repeat), else empty. */
Value closure_apply(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
/* Binds arguments to the parameters of a definition: names and values in `into`. False after saying what is wrong.
 * `given(name)` supplies what is missing; may be NULL. */
typedef bool (*GivenFn)(Sema *s, void *context, Str name, Value *out);
bool args_bind(Sema *s, const Item *item, Args *pos, Args *named, Span span, Frame *into, GivenFn given, void *context);

/* ── eval_function.c, eval_layer.c, eval_block.c ── */
Value function_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
Value layer_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
Value block_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
Value repeat_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
Value chain_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path);
Value chain_make(Sema *s, Closure *first, Closure *next, Span span);
Value repeat_make(Sema *s, Frame *f, const Ast *call, Args *pos, Args *named);
void block_check(Sema *s, Item *item);                       /* mistakes in a block nobody calls */
void statement_run(Sema *s, Frame *f, const Ast *statement); /* ASSIGN, SHARE, BLOCK of a model or block */
/* The body of a pointwise definition as sx: its parameters are arguments 0, 1, … for those without `fixed`; 0: it is
 * not pointwise. */
Sx pointwise_body(Sema *s, const Item *item, const Frame *bound, Operands *o); /* 0: not pointwise; nothing is said */
Sx function_sx(Sema *s, const Item *item, bool quiet);
void function_check(Sema *s, Item *item); /* reports mistakes in a definition nobody calls */
uint32_t use_begin(Sema *s, Str name, Str kind, bool activation, Span span, const Ast *call, NodeId in);
void use_end(Sema *s, uint32_t use, NodeId out, uint32_t outer_layer);

/* ── init.c, auto.c, random.c ── */
unsigned init_native_count(void); /* the distributions everything else is defined by: normal, uniform … */
const char *init_native_name(unsigned i);
const char *init_native_doc(unsigned i);
typedef struct Dist {
    Fill fill;
    double deviation;
    double gain; /* NaN: the initializer has none */
    Str name;    /* "kaiming_normal" */
} Dist;
typedef struct Fans {
    double in, out;
    uint32_t tensor; /* 1 + index of the tensor whose following non-linearity gives the gain; 0: gain 1 */
} Fans;
bool init_resolve(Sema *s, Value init, Span span, const Fans *fans, Dist *out);
uint32_t param_make(Sema *s, const Tensor *like, Str name, Value init, Span init_span, bool reuse, Span span, bool *ok);
int tensor_find(const Sema *s, Str name);
NodeId tensor_node(Sema *s, uint32_t tensor);
bool tensor_same_in_files(const Tensor *a, const Tensor *b); /* type and shape as files have them */
Str tensor_shape(Sema *s, const Tensor *t);                  /* "[8, 4]", as the language reads it */
Value parameter_make(Sema *s, Frame *f, const Ast *call, Str name);
void init_finish(Sema *s);                                               /* fills every pending parameter */
/* "normal(0, 1)" */
Str init_fill_text(Arena *arena, const Fill *fill);
bool init_is(Value v);                                                   /* an initializer, with or without arguments */
double auto_gain(Sema *s, uint32_t tensor);                              /* of the non-linearity that follows */
NodeId random_draw(Sema *s, Closure *init, const Type *type, Span span); /* 0 after saying why */

/* ── types.c ── */
typedef struct TypeInfo {
    Type type;
    Str label;
    uint32_t classes;
    bool binary;
    double low, high;
} TypeInfo;
bool type_eval(Sema *s, Frame *f, const Ast *type, bool batch, TypeInfo *out);
const char *type_word(unsigned i); /* as sema_word */

/* ── model.c, losses.c, loss_facts.c, target_shape.c, metrics.c ── */
void model_build(Sema *s, const Ast *ast);
void model_statement(Sema *s, Frame *f, const Ast *statement); /* INPUT, TARGET */
Value loss_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span);
Value loss_reduce_all(Sema *s, NodeId value, bool mean, Span span, Str fn);
void loss_mark(Sema *s, NodeId from);      /* nodes since `from` are computed inside a loss */
bool loss_works_on_rows(const Item *item); /* pick, logsumexp, softmax in its body */
void loss_facts(Sema *s, const Item *item, Sx body, LossCall *call);
void loss_shape_error(Sema *s, NodeId prediction, Span prediction_span, uint32_t target, NodeId target_node,
                      Span target_span, Span span);
bool residual_mismatch(Sema *s, const Operands *o, Sx sum, Span span); /* shape_fix.c: ACT104, when it is a skip */
void reshape_fix(Sema *s, const LayerCall *call, const Ast *ast); /* the one size that can be wrong in an ACT103 */
bool flatten_missing(Sema *s, NodeId prediction, uint32_t target, Span span); /* ACT102, when that is the reason */
NodeId value_want_rows(Sema *s, Value v, Span span, const char *who); /* … of real numbers, a row for every sample */
uint32_t target_of(const Sema *s, NodeId node); /* 1 + index of the target tensor that `node` is; 0: none */
void metric_run(Sema *s, Frame *f, const Ast *metric);
unsigned metric_count(void); /* the kinds the runtime measures */
const char *metric_name(unsigned i);
const char *metric_doc(unsigned i);

/* ── train.c, data.c, optimizer.c, schedule.c ── */
void train_build(Sema *s, const Ast *ast);
const char *train_setting(unsigned i, const char **looks_like); /* as sema_word */
const char *data_reader(unsigned i);
const char *data_stage(unsigned i);
DataUse *data_build(Sema *s, const Ast *ast, Model *model); /* model NULL: only checks the block */
void normalize_inputs(Sema *s, Model *model);               /* measured normalizes become constants of the model */
OptimizerUse *optimizer_build(Sema *s, Frame *f, const Ast *expr);
Item *setting_item(Sema *s, Frame *f, const Ast *e, DefKind kind, const char *what, Args *pos, Args *named);
Args setting_args(Sema *s, const Item *item, const Args *pos, Args *named, uint32_t skip);
Sx schedule_build(Sema *s, Frame *f, const Ast *expr, Str *text);
void optimizer_check(Sema *s, Item *item);
void scalar_check(Sema *s, Item *item); /* of an initializer or schedule nobody uses */

#endif
