/* What must survive when a training is stopped and goes on: one list of places. Whoever has such a thing (where the data stands, sums of
 * a metric, the best value so far, averaged weights) says once, before the first step, where it lies and what it is called:
 *
 *     act_state_counts(state, "train.patience", &early->waited, 1);
 *     act_state_numbers(state, "train.top_losses", topk->loss, topk->n);
 *     act_state_tensors(state, "average:", model->param, model->n_param, average->block, &average->steps);
 *     act_state_agree(state, "train.batch", "batch", batch);
 *
 * A checkpoint writes every place and restores every place (checkpoint.h); a file that lacks one of them, or holds one that nobody
 * asked for, belongs to another training and is refused by its name. Nothing is written by a clock, a thread or a machine: two runs with
 * the same settings write the same bytes.
 *
 * Keys are unique and begin with `train.`; tensors get a prefix that ends in `:`, which no parameter's name contains. `at` stays where
 * it is as long as the state lives. */
#ifndef ACT_HOST_STATE_H
#define ACT_HOST_STATE_H

#include "act/abi.h"

typedef enum ActStateKind {
    ACT_STATE_COUNTS,     /* uint64_t */
    ACT_STATE_NUMBERS,    /* double, every bit; infinities too, no NaN */
    ACT_STATE_AGREE,      /* uint64_t that here and in the file must be the same */
    ACT_STATE_AGREE_TEXT, /* likewise a text */
    ACT_STATE_AGREE_HASH, /* likewise, of something that shows in other texts if it can be shown */
    ACT_STATE_TENSORS
} ActStateKind;

typedef struct ActStateSlot {
    ActStateKind kind;
    const char *key;      /* tensors: the prefix */
    const char *what;     /* in messages; NULL: the key */
    void *at;
    size_t n;
    uint64_t value;       /* that must agree */
    const char *text;     /* likewise */
    const ActTensor *tensor;
    const uint64_t *present; /* tensors: where this is 0 there are none; it is a place of this list itself */
} ActStateSlot;

typedef struct ActState {
    ActStateSlot *slot;
    size_t n, room;
    int failed;           /* out of memory on the way: nothing is written */
} ActState;

void act_state_counts(ActState *state, const char *key, uint64_t *at, size_t n);
void act_state_numbers(ActState *state, const char *key, double *at, size_t n);
/* What the file must have been written under, with the word for it in the message that refuses. */
void act_state_agree(ActState *state, const char *key, const char *what, uint64_t value);
void act_state_agree_text(ActState *state, const char *key, const char *what, const char *text);
/* A hash says nothing to anybody: `sentence` does, where nothing else that must agree differs. */
void act_state_agree_hash(ActState *state, const char *key, const char *sentence, const char *hash);
/* Tensors with their offsets in `block`, stored in PyTorch's shapes and order. `present` may be NULL: always there. */
void act_state_tensors(ActState *state, const char *prefix, const ActTensor *tensor, size_t n, void *block, const uint64_t *present);
void act_state_free(ActState *state);

#endif
