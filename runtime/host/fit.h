/* Does a file hold what is wanted? Everything that does not fit, in one message. */
#ifndef ACT_HOST_FIT_H
#define ACT_HOST_FIT_H

#include "safetensors.h"

typedef struct ActMisfit {
    ActError list;
    size_t lines;
} ActMisfit;

/* The line all others stand under: "`x` does not hold the weights of model `m`:" */
void act_misfit_begin(ActMisfit *misfit, const char *format, ...) __attribute__((format(printf, 2, 3)));
void act_misfit_add(ActMisfit *misfit, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* ACT_OK when there is no line; else ACT_E_DATA and the message, with `way_out` (may be NULL) on its last line. */
ActStatus act_misfit_end(ActMisfit *misfit, const char *way_out, ActError *error);

typedef enum ActFitFlag {
    ACT_FIT_EXACT = 1,   /* types as well: nothing is converted */
    ACT_FIT_TRAINING = 2 /* the file may hold a training's state beside: names with a `:`, and below those of wanted tensors */
} ActFitFlag;

/* Tensors of `file` against those wanted: missing, of another shape or type, unknown. */
void act_fit_tensors(ActMisfit *misfit, const ActStoreEntry *want, size_t n, const ActSafetensors *file, unsigned flags);
/* The tensor of the file for one that is wanted; NULL when there is none. */
const ActStored *act_fit_find(const ActSafetensors *file, const ActStoreEntry *want);

#endif
