/* Images among a model's outputs, side by side in one PNG file. */
#ifndef ACT_HOST_GRID_H
#define ACT_HOST_GRID_H

#include "act/act.h"

enum { ACT_GRID_ROWS = 64 /* shown where nobody says how many */ };

typedef struct ActGrid {
    uint32_t output;                  /* the first that is an image: [height, width] or [height, width, 1 or 3] */
    uint32_t height, width, channels; /* of one image */
    uint64_t rows, columns, count;    /* of the grid, in images; images in all */
    double low, high;                 /* black and white; low > high: not declared, found from the values */
    float *value;                     /* [count][height][width][channels] */
} ActGrid;

/* A grid for `count` predictions, as square as it gets. Refuses a model without an image among its outputs. Black and
 * white are the declared range of an input of the same shape; without one, [0, 1] or [-1, 1], whichever holds all
 * values, or else their least and greatest. Freed with act_grid_free, also after a failure. */
ActStatus act_grid_new(ActGrid *grid, const ActModel *model, uint64_t count, ActError *error);
/* Image number r, from row `at` of a batch. */
void act_grid_put(ActGrid *grid, uint64_t r, const void *output, size_t at);
/* Two black pixels lie between images and around them. Nothing in the file depends on when or where it is made. */
ActStatus act_grid_write(const ActGrid *grid, FILE *out, ActError *error);
void act_grid_free(ActGrid *grid);

#endif
