/* What was measured on the training part and belongs to the trained network: the names of classes, in order, and the
 * constants of a `normalize` that the model itself does not hold. Kept in the metadata of the weights file, so that
 * evaluation and prediction use the same. */
#ifndef ACT_HOST_FACTS_H
#define ACT_HOST_FACTS_H

#include "safetensors.h"

typedef struct ActFact {
    const char *value;                /* name of the input or target */
    char **class_name; size_t n_class; /* NULL: its column was numbers */
    double *mean, *std; size_t n_feature; /* NULL: not normalized, or by the model */
} ActFact;

typedef struct ActFacts {
    ActFact *fact; size_t n; /* inputs, then targets */
    int loaded;              /* weights came from a file, and with them the constants the model holds */
    int other_text;          /* that file names another hash of the model's text */
    int known;               /* that file was written by a training run: nothing is left to measure */
} ActFacts;

ActStatus act_facts_new(ActFacts *facts, const ActModel *model, ActError *error);
void act_facts_free(ActFacts *facts);
/* From the metadata of a file. A file from elsewhere has none: fine. */
ActStatus act_facts_read(ActFacts *facts, const ActModel *model, const ActSafetensors *file, const char *path,
                         ActError *error);
/* As metadata: at most 2 * facts->n notes, keys and values in new memory, freed by act_facts_notes_free, also after a failure. */
ActStatus act_facts_write(const ActFacts *facts, ActNote *note, size_t *n_note, ActError *error);
void act_facts_notes_free(ActNote *note, size_t n);

#endif
