/* Text written by a model that says which character follows. */
#ifndef ACT_HOST_GENERATE_H
#define ACT_HOST_GENERATE_H

#include "text.h"

/* What `predict --generate N` does: writes the prompt and N characters behind it to run->output. The model reads one text (token(V)[T]),
 * and its first output is [T, V]: at every place how likely each character is to follow, as probabilities where a row has none below 0
 * and they add up to 1, else as logits. Each character is drawn and read with the last T before the next; places that are not written
 * yet hold index 0, which a causal model does not see. The same seed gives the same text. ACT_E_ARGUMENT: the model is no such one, or
 * the prompt has a character that the training text had not. */
ActStatus act_generate(ActInstance *instance, const ActRun *run, ActError *error);

#endif
