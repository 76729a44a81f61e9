/* Fixes: changes of the source text that a rule can offer, found through the syntax tree.
 *
 * Each function adds the edits to the diagnostic and returns true, or leaves it alone and returns false when the text
 * does not have the form it knows (a partial application in a repeat, a layer handed to a block): then the help stands
 * without a fix. */
#ifndef ACT_CHECK_EDIT_H
#define ACT_CHECK_EDIT_H

#include "check/context.h"

/* One use of a layer or an activation in the text. */
typedef struct Stage {
    const Ast *call;  /* `softmax`, `linear(128)`; without its label */
    const Ast *outer; /* with its label: `linear(128) as fc1` */
    const Ast *value; /* what it is applied to: left of `|>`, or the first argument; NULL in a partial application */
    const Ast *pipe;  /* the PIPE it stands in; NULL in the form softmax(x) */
    Span name;        /* the name called */
} Stage;

bool edit_stage(const CheckContext *cx, Span span, Stage *stage);
/* The node whose place is exactly `span`, in any definition of the program, and the node above another. NULL: none. */
const Ast *edit_find(const CheckContext *cx, Span span);
const Ast *edit_parent(const CheckContext *cx, const Ast *node);
Str edit_text(const CheckContext *cx, Span span);
/* The first argument behind the value: `0.3` in `x |> dropout(0.3)`; the use itself when none is written. */
Span edit_given(const CheckContext *cx, Span use);

/* The activation in front of the loss also feeds other layers or another loss: it cannot be changed for this loss
 * alone. */
bool edit_is_shared(const CheckContext *cx, const Head *head, const LossCall *loss);
/* v |> softmax -> v, softmax(v) -> v; everywhere the value goes. */
bool edit_remove(const CheckContext *cx, Diag *diag, FixKind kind, Span use);
/* The same for one loss only: when the value also leaves the model as an output, the loss gets the value before the
 * activation and the output stays as it is. */
bool edit_remove_before_loss(const CheckContext *cx, Diag *diag, FixKind kind, const Head *head, const LossCall *loss);
/* Another activation in the same place; its arguments go. This and edit_initializer change a place once, however often
 * the graph has what stands there. */
bool edit_replace(const CheckContext *cx, Diag *diag, FixKind kind, Span use, const char *name);
/* `|> name` behind a layer. */
bool edit_insert_after(const CheckContext *cx, Diag *diag, FixKind kind, Span use, Str name);
bool edit_loss_name(const CheckContext *cx, Diag *diag, FixKind kind, const LossCall *loss, const char *name);
/* The layer's number of units, when it is written as a number. */
bool edit_units(const CheckContext *cx, Diag *diag, FixKind kind, const LayerUse *use, uint32_t units);
/* A parameter's initializer, when it is written at the layer. */
bool edit_initializer(const CheckContext *cx, Diag *diag, FixKind kind, const Tensor *tensor, const char *name);
/* `class(2)` -> `binary` */
bool edit_target_type(const CheckContext *cx, Diag *diag, FixKind kind, const Tensor *target, const char *type);

/* ── edit_text.c ── */
/* `name = value` among a call's arguments: the ARG; NULL: not given so. */
const Ast *edit_argument(const Ast *call, const char *name);
/* Writes `name = value` among the arguments of a use: for the value that is given, or behind the others. */
bool edit_set_argument(const CheckContext *cx, Diag *diag, FixKind kind, Span use, const char *name, Str value);
/* What is written for the argument, or else the use. */
Span edit_argument_span(const CheckContext *cx, Span use, const char *name);
/* Has the use's layer a parameter of that name? */
bool edit_takes(const LayerUse *use, const char *name);
/* The setting of a train block: `batch 32`. NULL: not written. */
const Ast *edit_setting(const TrainUse *train, const char *key);
/* The call of an optimizer as the user wrote it; NULL when it was not written or has no arguments. */
const Ast *edit_optimizer_call(const CheckContext *cx, const OptimizerUse *use);
/* A whole statement with its lines and its documentation (`##`); false when it shares a line. */
bool edit_delete_statement(const CheckContext *cx, Diag *diag, FixKind kind, Span statement);
/* The one NAME in the model's statements that reads the input called `name`; NULL when there are none or several. */
const Ast *edit_only_reader(const CheckContext *cx, Str name);
/* Is `name` read anywhere in the tree? Not where it is given its value, nor below a definition that calls a parameter
 * so. */
bool edit_mentions(const Ast *tree, Str name);
/* A value for people and for the language: shortest decimal form. */
Str edit_number(Arena *arena, double value);

#endif
