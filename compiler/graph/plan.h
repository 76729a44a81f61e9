/* What the passes decide about a graph for the code generator: groups, their order, and where each value lies. */
#ifndef ACT_GRAPH_PLAN_H
#define ACT_GRAPH_PLAN_H

#include "graph/graph.h"

typedef enum GroupKind {
    GROUP_ROWS,      /* maps and reductions of trailing axes over one row space: loops over rows, several vector loops in each */
    GROUP_COLUMNS,   /* a reduction of leading axes (the batch): lanes are columns; maps before (inlined) and after it */
    GROUP_CONTRACT,  /* a contraction and the maps of its result: register tiles with an epilogue */
    GROUP_MOVE,      /* a movement that could not be read in place */
    GROUP_SCATTER,   /* elements added up where they belong */
    GROUP_TABLE      /* rows of a table: read where indices say, or added up there */
} GroupKind;

typedef struct Group {
    GroupKind kind;
    NodeId anchor;            /* the reduction of columns, contraction or movement; 0 for rows */
    VEC(NodeId) nodes;        /* in topological order */
    /* GROUP_ROWS: a member is full (shaped like `space`) or a row value (one number for each row: `space` without its
     * last `columns` axes, or with ones there). columns is 0 as long as nothing is folded. */
    Type space;
    uint32_t columns;
    bool by_rows;             /* every value it makes has the batch and row b needs only row b: threads split the batch */
    bool by_tiles;            /* of a contraction: threads split its result by panels, so that each finds the weights it updates */
    bool barrier;             /* all threads must have finished the groups before */
} Group;

typedef enum Space {
    SPACE_NONE,     /* never materialised: inlined where it is used, or a root nobody stores */
    SPACE_TENSOR,   /* of a leaf or an update: the tensor's own memory */
    SPACE_WORK,     /* in the work block at `offset` */
    SPACE_OUTPUT,   /* the caller's output / prediction / loss `index` */
    SPACE_LOSS, SPACE_PREDICTION,
    SPACE_WATCH           /* the caller's array `index` of the monitor */
} Space;

typedef struct Slot {
    Space space;
    uint32_t index;       /* tensor, or number of the output, prediction, loss */
    uint64_t offset;      /* SPACE_WORK, bytes */
    Layout layout;        /* of a matrix without batch: like the parameter it belongs to */
    uint32_t panel;
    uint32_t pad;         /* SPACE_WORK, a value [B, F]: unused elements behind each row of the batch */
} Slot;

/* A value in the work block, from the group that writes it to the last that reads it. */
typedef struct WorkValue {
    NodeId id;
    uint32_t first, last;   /* groups */
    uint64_t row_bytes;     /* of one row of the batch; 0: it has no batch */
    uint64_t bytes, offset; /* of all of it */
    bool by_rows;           /* its writer goes by rows: a thread writes only the rows it has in all such groups */
    bool owned;             /* so do all groups that touch it in its last stretch between barriers */
} WorkValue;

/* Where a value is read: element (b, i…) of it is element base + Σ stride * i of row b of its storage's home. */
typedef struct View {
    int64_t base, stride[TYPE_MAX_RANK];
    bool moved;             /* other elements than its storage's, or in another order */
} View;

typedef struct Plan {
    const Graph *g;
    VEC(Group) groups;      /* in order of execution */
    uint32_t *group_of;     /* by node: 1 + group that computes it; 0: leaf, view or inlined */
    uint32_t *epoch;        /* by group: how many barriers stand before it */
    /* by node of a GROUP_ROWS: which of the row's loops computes it. A row value of stage s is there before loop s. */
    uint32_t *stage;
    Slot *slot;             /* by node; a view has the slot of what it views */
    NodeId *storage;        /* by node: the node that computes its elements (views: what they view); itself otherwise */
    NodeId *home;           /* by node that computes: the node in whose memory it lies: itself, or what would only copy it (a padding) */
    View *view;             /* by node: where in its storage's home */
    uint32_t *update_of;    /* by tensor: the node that is its new value; 0 none */
    VEC(WorkValue) work;    /* by id */
    uint64_t work_bytes;
} Plan;

#endif
