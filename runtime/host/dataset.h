/* A model's data: each part of its `data` block, read, checked against the model's shapes and ranges. What is small lies in memory as the
 * model takes it; rows of what is large are made of the file's when a batch wants them (host/view.h). */
#ifndef ACT_HOST_DATASET_H
#define ACT_HOST_DATASET_H

#include "facts.h"
#include "view.h"

typedef enum ActPartKind { ACT_TRAIN_PART, ACT_VALIDATION_PART, ACT_TEST_PART, ACT_PARTS } ActPartKind;
extern const char *const act_part_name[ACT_PARTS];

/* Rows of a part. value[v] (inputs, then targets) is dense [stored rows][width of v], four bytes an element; NULL
 * when not loaded, or made by view[v]. */
typedef struct ActRows {
    size_t rows;              /* 0: there is no such part */
    uint32_t *index;          /* row i is stored row index[i]; NULL: i itself */
    const void *const *value;
    ActView *const *view;     /* NULL where not loaded */
} ActRows;

typedef struct ActDataset {
    const ActModel *model;
    ActRows part[ACT_PARTS];
    size_t n_value;
    size_t *width;            /* elements of a row, per value */
    void **owned; size_t n_owned; /* freed with the dataset */
    ActView **view; size_t n_view; /* likewise */
} ActDataset;

typedef struct ActWanted {
    unsigned parts;           /* 1 << ACT_TRAIN_PART | … */
    int targets;              /* 0: inputs only */
    const char *input;        /* a file instead of the test part; NULL: the block's own */
    int judge;                /* what is odd about the training part is told on run->problems */
} ActWanted;

/* Reads the wanted parts that exist. Measured constants and class names come from `facts` when those are known, else
 * they are measured on the training part (which is then read too) and put there, or, for a `normalize` the model
 * holds, into the parameter block. After a failure the dataset is empty. */
ActStatus act_dataset_load(ActDataset *set, ActInstance *instance, const ActRun *run, const ActWanted *wanted,
                           ActFacts *facts, ActError *error);
void act_dataset_free(ActDataset *set);

/* Points at rows first to first + n of a part in `order` (NULL: their own order): into the stored rows where they lie
 * together, else copied into room[v]. `values`: how many of the values are wanted. Fails when a file can't be read on. Any number of
 * threads may ask. */
ActStatus act_dataset_batch(const ActDataset *set, const ActRows *rows, const uint32_t *order, size_t first, size_t n,
                       size_t values, void *const *room, const void **batch, ActError *error);

#endif
