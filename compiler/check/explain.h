/* The pages of `actc explain`, one function for each kind of thing. */
#ifndef ACT_CHECK_EXPLAIN_H
#define ACT_CHECK_EXPLAIN_H

#include "check/check.h"

/* Paragraphs of `doc`, wrapped at 88 columns behind `indent` spaces; lines that begin with a space stay as they are. */
void explain_paragraphs(Text *out, Str doc, unsigned indent);
/* Source text behind four spaces; the indentation it already has stays. */
void explain_code(Text *out, Str code);

void explain_rule(const Rule *rule, Text *out);
bool explain_error(Str name, Text *out); /* a hard error; false: none is called so */
bool explain_topic(Str name, Text *out);
void explain_activation(Program *program, const Def *def, Text *out);
void explain_definition(Program *program, const Def *def, Text *out);
void explain_layer(const Layer *layer, Text *out);
/* Names for suggestions; returns how many there are, at most `cap` are written. */
unsigned explain_topic_names(Str *name, unsigned cap);

#endif
