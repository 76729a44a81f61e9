/* Definitions as people read them in an editor: Markdown for hover and completion. */
#ifndef ACT_LSP_DESCRIBE_H
#define ACT_LSP_DESCRIBE_H

#include "check/check.h"

/* What is written above a definition, behind it and computed from it. `facts`: the computed ones too. */
void describe_def(Program *program, const Def *def, bool facts, Text *out);
/* "linear(features, bias = zeros, …)", "relu(x)" */
Str describe_signature(Arena *arena, const Program *program, const Def *def);
void describe_rule(const Rule *rule, Text *out);
void describe_param(const Layer *layer, const LayerParam *param, Text *out);

/* The parameters of a definition as they are written in a call. */
typedef struct ParamText {
    Str name;
    Str def; /* default; empty: none */
    Str doc;
    Str words; /* "valid|same"; empty: none */
    bool flag; /* true or false */
    bool init; /* an initializer */
} ParamText;
typedef VEC(ParamText) ParamTexts;
/* In order. `value`: the leading parameter that a pipe gives is one of them (blocks, functions). */
ParamTexts describe_params(Arena *arena, const Program *program, const Def *def);
/* How many of them a pipe gives: 0 for layers, whose values are no parameters. */
uint32_t describe_piped(const Def *def);

#endif
