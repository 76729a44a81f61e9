/* The parts of scaled dot-product attention that its value and its gradient share. Internal to ops/.
 *
 * Shapes: q[Z…, G, T, D], k[Z…, S, D], v[Z…, S, E]; every index of Z (and every sample) is a product of its own. G, the number of
 * query heads that share keys and values, may be missing. */
#ifndef ACT_OPS_ATTEND_H
#define ACT_OPS_ATTEND_H

#include "ops/build.h"

/* Up to so many queries the weights of all of them are one value, kept for the gradient; beyond, the queries go in blocks, at most
 * ATTEND_BLOCKS of at least ATTEND_ROWS, and the gradient computes the weights of a block anew. */
enum { ATTEND_WHOLE = 256, ATTEND_ROWS = 128, ATTEND_BLOCKS = 16 };

/* What attend_part computes of one row of scores s, with m its maximum. */
typedef enum AttendPart {
    ATTEND_WEIGHTS, /* exp(s - m), [Z…, G, T, S]; exactly 0 where a query does not see a key */
    ATTEND_TOTAL,   /* their sum, [Z…, G, T, 1] */
    ATTEND_LOGSUM   /* m + log of the sum, [Z…, G, T, 1] */
} AttendPart;

Attend attend_of(const Node *node);
NodeId attend_part(Graph *g, AttendPart part, const Attend *attend, NodeId q, NodeId k);

/* Axes of q, k and what follows from them. */
typedef struct AttendShape {
    uint32_t outer, groups; /* Z axes; 1 when q has the axis G */
    uint32_t queries, keys; /* T, S */
    uint32_t depth, width;  /* D, E */
    uint64_t products, rows; /* of Z; G T */
    bool each;
} AttendShape;
AttendShape attend_shape(const Graph *g, const Node *node);

/* The blocks of queries: *rows of each but the last; their number. */
uint32_t attend_blocks(uint32_t queries, uint32_t *rows);
/* Of block [start, stop): the keys it sees, as the end of their range. */
uint32_t attend_seen(const AttendShape *shape, const Attend *attend, uint32_t stop);
/* "Query `row` sees key `column`", over arguments row and column (which count from 0), as an sx. */
Sx attend_sees(Graph *g, const Attend *attend, unsigned row, unsigned column);
/* 0, 1 … along axis `axis` of `rank`, size 1 along the others. */
NodeId attend_places(Graph *g, uint32_t count, uint32_t axis, uint32_t rank);
/* Adds the gradients of q, k and v; attend's vjp. */
void attend_vjp(Grad *grad, NodeId self, NodeId dy);

#endif
