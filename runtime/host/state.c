#include "state.h"

#include <stdlib.h>

static void add(ActState *state, ActStateSlot slot)
{
    if (state->n == state->room) {
        size_t room = state->room ? 2 * state->room : 32;
        ActStateSlot *larger = realloc(state->slot, room * sizeof *larger);
        if (!larger) {
            state->failed = 1;
            return;
        }
        state->slot = larger;
        state->room = room;
    }
    state->slot[state->n++] = slot;
}

void act_state_counts(ActState *state, const char *key, uint64_t *at, size_t n)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_COUNTS, .key = key, .at = at, .n = n });
}

void act_state_numbers(ActState *state, const char *key, double *at, size_t n)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_NUMBERS, .key = key, .at = at, .n = n });
}

void act_state_agree(ActState *state, const char *key, const char *what, uint64_t value)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_AGREE, .key = key, .what = what, .value = value, .n = 1 });
}

void act_state_agree_text(ActState *state, const char *key, const char *what, const char *text)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_AGREE_TEXT, .key = key, .what = what, .text = text ? text : "none", .n = 1 });
}

void act_state_agree_hash(ActState *state, const char *key, const char *sentence, const char *hash)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_AGREE_HASH, .key = key, .what = sentence, .text = hash ? hash : "none", .n = 1 });
}

void act_state_tensors(ActState *state, const char *prefix, const ActTensor *tensor, size_t n, void *block, const uint64_t *present)
{
    add(state, (ActStateSlot){ .kind = ACT_STATE_TENSORS, .key = prefix, .at = block, .n = n, .tensor = tensor, .present = present });
}

void act_state_free(ActState *state)
{
    free(state->slot);
    *state = (ActState){ 0 };
}
