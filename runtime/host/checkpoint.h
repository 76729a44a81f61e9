/* A training in a file: the parameters under PyTorch's names, the optimizer's state beside them, and in the metadata everything else that
 * state.h lists, what was measured on the data (facts.h), the model's name and hash, and a checksum of it all. */
#ifndef ACT_HOST_CHECKPOINT_H
#define ACT_HOST_CHECKPOINT_H

#include "facts.h"
#include "state.h"
#include "weights.h"

typedef struct ActCheckpoint {
    char *path;
    ActSafetensors file;
} ActCheckpoint;

ActStatus act_checkpoint_write(const char *path, const ActInstance *instance, const ActFacts *facts, const ActState *state,
                               const ActStand *stand, ActError *error);

/* ACT_E_IO or ACT_E_FORMAT when it can't be read, is damaged, or holds weights alone. Close it in any case. */
ActStatus act_checkpoint_open(ActCheckpoint *checkpoint, const char *path, ActError *error);
void act_checkpoint_close(ActCheckpoint *checkpoint);
/* A count or number of its state before anything is loaded; `absent` where there is none. */
uint64_t act_checkpoint_count(const ActCheckpoint *checkpoint, const char *key, uint64_t absent);
double act_checkpoint_number(const ActCheckpoint *checkpoint, const char *key, double absent);
/* Parameters, optimizer state, facts and every place of `state`. ACT_E_DATA and a list of differences when it is of another training:
 * then nothing has changed. */
ActStatus act_checkpoint_load(const ActCheckpoint *checkpoint, ActInstance *instance, ActFacts *facts, ActState *state, ActError *error);

#endif
