/* What a rule works with: one model, facts about its values, and a way to report. */
#ifndef ACT_CHECK_CONTEXT_H
#define ACT_CHECK_CONTEXT_H

#include "check/check.h"
#include "check/facts.h"
#include "check/signal.h"

/* Something that can be wrong once: findings of different rules at the same spot are weighed by Rule.silences. */
typedef struct Spot {
    enum { SPOT_LOSS, SPOT_NODE, SPOT_TENSOR } kind;
    uint32_t index;
} Spot;

typedef struct Finding {
    const Rule *rule;
    Diag *diag;
    VEC(Spot) spots;
    bool silenced; /* it follows from another finding, or another one says it */
} Finding;

typedef struct KnownTraits {
    Sx fn;
    SxTraits traits;
} KnownTraits;

struct CheckContext {
    Arena *arena;
    Program *program;
    Model *model;
    Graph *g;
    SxPool *sx;
    const Rule *rule; /* the one that runs */
    Facts *facts;
    Signal *signal;     /* of the model as it stands */
    const double *hidden_deviation; /* see flow_deviation(); NULL: not asked yet, or none */
    Signal *hidden_signal;          /* see flow_signal() */
    NodeId *prediction; /* by node: the prediction of the first loss (or the first output) it leads to; 0: none */
    Diags scratch;
    VEC(Finding) findings;
    VEC(KnownTraits) traits;
};

/* A finding; Rule.code and name are filled in. The returned diagnostic takes labels, notes, help and fixes. */
Diag *check_report(CheckContext *cx, Level level, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What one line of a block earns in several uses is one finding: the first, with the places and notes of the others. */
void check_merge_uses(CheckContext *cx);
/* Names a spot of the newest finding. */
void check_spot_loss(CheckContext *cx, const LossCall *loss);
void check_spot_node(CheckContext *cx, NodeId id);
void check_spot_tensor(CheckContext *cx, uint32_t tensor);
/* All that made value `id` what it is: inputs and weights. For findings about the size of a value, which follow from a
 * finding about one of these. */
void check_spot_causes(CheckContext *cx, NodeId id);

/* Computed once for each function. */
const SxTraits *check_traits(CheckContext *cx, Sx fn);

/* The use a node belongs to; NULL when the compiler or plain arithmetic made it. */
const LayerUse *check_use(const CheckContext *cx, NodeId id);
/* Where to point for node `id`: the use as written, else the node's own place. */
Span check_span(const CheckContext *cx, NodeId id);
/* What to call it: "relu", "softmax", "linear2"; for plain arithmetic the formula. */
Str check_name(const CheckContext *cx, NodeId id);
/* The place where a block that contains the use stands, as a secondary label; nothing when it stands alone. */
void check_label_outer(const CheckContext *cx, Diag *diag, NodeId id, const char *text);

/* ── what stands in front of a loss ── */
typedef struct Head {
    NodeId value;  /* the prediction, behind views, permutations and dropout */
    double kept;   /* of the prediction's values by the dropout on the way: 1 without one */
    NodeId source; /* value = fn(source) */
    Sx fn;
    NodeId at; /* the node of the activation itself (value, or below it where a scale follows); = value without one */
    bool softmax, log_softmax; /* of the rows that the loss sees */
    NodeId scaled_softmax;     /* such a softmax that value is a function of, itself counted; 0: none */
    bool activation;   /* fn is not affine */
    bool sigmoid_like; /* rises between two asymptotes within [0, 1] */
    ValueRange range;
    uint32_t units; /* size of the last axis, 1 for none */
    Span span;
    Str name;
} Head;
Head check_head(CheckContext *cx, NodeId prediction);

/* ── targets ── */
typedef enum TargetKind { TARGET_NONE /* a literal, a value */, TARGET_CLASS, TARGET_BINARY, TARGET_REAL } TargetKind;
TargetKind check_target(const CheckContext *cx, const LossCall *loss, const Tensor **tensor);

/* A loss per element that asks yes or no: bce, bce_with_logits. */
bool check_is_binary_loss(const CheckContext *cx, const LossCall *loss);
/* A loss that only looks at the distance from prediction to target, f(p + t, y + t) = f(p, y): mse, mae, huber, one's
 * own. */
bool check_is_distance_loss(const CheckContext *cx, const LossCall *loss);

/* A number for people: three significant digits ("0.707", "2.6e-13"). */
Str check_number(Arena *arena, double value);
/* "[0, 1]", "[0, inf)" */
Str check_range_text(Arena *arena, double low, double high);

#endif
