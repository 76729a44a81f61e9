/* What a compiled model looks like from outside: the descriptor, the entry points and the C header all read this list,
 * so that they cannot disagree about an order, a shape or a name. No LLVM in here. */
#ifndef ACT_LLVM_INTERFACE_H
#define ACT_LLVM_INTERFACE_H

#include "kernel/unit.h"

/* A value that crosses the border as a dense array [n][shape]. */
typedef struct Port {
    Str name;
    Str label; /* for people: "class(10)", "f32[28, 28, 1] in [0, 1]" */
    Type type; /* one row */
    uint64_t row_bytes;
    const Tensor *tensor; /* inputs and targets */
    double low, high;     /* declared, or of an output: certain by its last function (sigmoid: 0 and 1); low > high: not known */
    bool unread; /* an input that no output needs: forward is not given it */
    Span span;
} Port;

typedef struct Interface {
    const UnitModel *unit;
    VEC(Port) input, target; /* in the order of graph->tensors */
    VEC(Port) output;        /* in the order of the `output` statements */
    VEC(Port) prediction;    /* one a metric */
    VEC(Str) loss;           /* names, in order */
    VEC(const Tensor *)
    param; /* the parameter block: trained and frozen; the place is the stream of its random numbers */
    VEC(const Tensor *) state;
    VEC(Port) drawn;      /* inputs that the model draws itself: no function has them */
    bool forward, trains; /* has an output; has a loss to train by */
    bool draws;           /* forward or evaluate draws numbers */
} Interface;

void interface_of(Arena *arena, const UnitModel *unit, Interface *out);
/* "CLASSIFIER" of "classifier". */
Str interface_upper(Arena *arena, Str name);
/* The place among the targets of a tensor given as 1 + its index; 0 when it is none of them. */
uint32_t interface_target(const Interface *interface, uint32_t tensor);

#endif
