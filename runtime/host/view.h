/* Rows of a value as the model takes them, made of what a file holds when they are wanted. */
#ifndef ACT_HOST_VIEW_H
#define ACT_HOST_VIEW_H

#include "reader.h"

typedef struct ActViewStep {
    uint32_t kind;            /* ACT_T_AFFINE, ACT_T_STANDARD, ACT_T_ONE_HOT; ACT_T_NORMALIZE by the constants below */
    double a, b;
    double *mean, *std; size_t features; /* owned */
} ActViewStep;

typedef struct ActView {
    const ActReader *reader;
    const ActField *field;    /* of the model; what `reader` was asked */
    char *path;               /* the file */
    ActTable table;           /* as it lies there */
    ActViewStep *step; size_t n_step;
    uint64_t width;           /* of a row behind the steps, and its shape */
    uint32_t rank, dim[ACT_MAX_RANK];
    int shaped;
    int whole;                /* rows of int32 */
    float *look; size_t look_features; /* what becomes of each byte, where that is all that decides */
} ActView;

/* Takes the table, which is settled. */
void act_view_begin(ActView *view, ActTable *table);
/* One step more. mean and std (`features` of them) are copied. */
ActStatus act_view_add(ActView *view, const ActViewStep *step, ActError *error);
/* Behind the last step. */
ActStatus act_view_end(ActView *view, int whole, ActError *error);
void act_view_free(ActView *view);

/* Rows of the table `pick[0]`… (NULL: from `first` on), as floats, or as int32 where `whole`, into out[n][width]. Any number of threads
 * may ask. */
ActStatus act_view_rows(const ActView *view, const uint32_t *pick, uint64_t first, size_t n, void *out, ActError *error);
/* Where the rows lie as the model takes them, one behind the other; NULL: they don't. */
const void *act_view_ready(const ActView *view);
/* Its first rows are no longer its. */
void act_view_skip(ActView *view, uint64_t rows);
/* "flowers.csv:3:5", or "`flowers.npy`, row 3" */
ActText act_view_place(const ActView *view, uint64_t row, uint64_t element);

#endif
