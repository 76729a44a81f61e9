/* What windows see of a value: the geometry of convolutions and pools, whatever layer they come from. */
#ifndef ACT_CHECK_SIGHT_H
#define ACT_CHECK_SIGHT_H

#include "check/context.h"

#include "ops/build.h"

/* Along one axis. Counts are in elements of the value without its border. */
typedef struct SightAxis {
    uint32_t size;          /* of the value itself */
    uint32_t before, after; /* the border around it */
    uint32_t kernel, stride, dilation;
    uint32_t span;          /* of a window, from its first to its last element */
    uint32_t places;        /* of the window */
    uint32_t read;          /* elements that some window sees */
    uint32_t tail;          /* those behind the last one that is seen */
    uint32_t empty;         /* places where the window sees the border alone */
    uint32_t idle;          /* elements of the kernel that meet nothing but the border, at any place */
} SightAxis;

typedef struct Sight {
    uint32_t n; /* axes: the leading ones */
    SightAxis axis[TYPE_MAX_RANK];
    bool maximum;   /* the greatest of each window */
    bool zeros;     /* the border is made of zeros (or of nothing); else of the value's own elements */
    NodeId source;  /* the value without its border */
} Sight;

/* Does the live node look at its input through windows? */
bool sight_of(const CheckContext *cx, NodeId id, Sight *sight);
/* "row", "column" or "step", for axis `axis` of `n`. */
const char *sight_word(uint32_t n, uint32_t axis);

#endif
