/* A model's parameters in a file. */
#ifndef ACT_HOST_WEIGHTS_H
#define ACT_HOST_WEIGHTS_H

#include "facts.h"

/* Where a run stands, for the metadata; all zero when it is not known. */
typedef struct ActStand { uint64_t epoch, step, seed; } ActStand;

/* `facts` may be NULL in both. */
ActStatus act_weights_load(ActInstance *instance, const char *path, ActFacts *facts, ActError *error);
ActStatus act_weights_save(const ActInstance *instance, const char *path, const ActFacts *facts, const ActStand *stand,
                           ActError *error);
/* <directory>/<model>.safetensors, in new memory; NULL directory: "." */
char *act_weights_path(const ActModel *model, const char *directory);

#endif
