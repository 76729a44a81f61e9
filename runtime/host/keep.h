/* The checkpoints of a run in its folder: <model>.step-00001200.safetensors. The last few stay, and the best. */
#ifndef ACT_HOST_KEEP_H
#define ACT_HOST_KEEP_H

#include "state.h"
#include "text.h"

typedef struct ActKeep {
    const ActModel *model;
    const char *directory;
    uint64_t last;            /* so many stay, beside the best */
    double best;              /* the value of the best; INFINITY: none yet */
    uint64_t best_step;
} ActKeep;

/* What of it must survive. */
void act_keep_state(ActKeep *keep, ActState *state);
/* The checkpoint of a step, in new memory; NULL without memory. */
char *act_keep_path(const ActModel *model, const char *directory, uint64_t step);
/* <model>.previous.safetensors: the last checkpoint of an unfinished run that another took the place of. */
char *act_keep_previous(const ActModel *model, const char *directory);
/* The steps of all checkpoints there are, latest first, in new memory; n = 0 when there is none or the folder can't be read. */
uint64_t *act_keep_steps(const ActModel *model, const char *directory, size_t *n);

/* At the start of a run that stands behind `step` (0: at its beginning): removes what killed runs left half written. Checkpoints of later
 * steps are another run's: the last of an unfinished one becomes the previous one, which `log` is told. */
void act_keep_begin(const ActKeep *keep, uint64_t step, FILE *log);
/* After the checkpoint of `step` was written: removes those that are neither the best nor among the last, and those of later steps. Files
 * that nobody may write stay. */
void act_keep_prune(const ActKeep *keep, uint64_t step);

#endif
