/* What a compiled network takes of memory, layer by layer (--mem-report), and whether that is too much (--mem-limit). Private to the
 * driver. */
#ifndef ACT_DRIVER_MEMORY_H
#define ACT_DRIVER_MEMORY_H

#include "driver/session.h"
#include "kernel/unit.h"

typedef struct MemoryRow {
    Str name, kind;
    Span span;            /* source 0: no place */
    uint64_t weights;     /* of its own parameters, with the padding of panels */
    uint64_t copies;      /* the same weights again, transposed */
    uint64_t optimizer;   /* state of the optimizer */
    uint64_t activations; /* values of the way forward that a training step keeps */
    uint64_t gradients;   /* values of the way back */
} MemoryRow;

/* All in bytes. */
typedef struct Memory {
    const UnitModel *model;
    MemoryRow *row;       /* layers; parameters of no layer; all other values */
    uint32_t n;
    MemoryRow total;
    uint64_t train, forward, evaluate; /* work blocks of the three programs; the model has one, as large as the greatest */
    uint64_t best;        /* the best weights that a run with a validation part keeps; 0: the data has none */
    uint64_t all;         /* parameters, state, work, best weights */
} Memory;

Memory memory_of(Arena *arena, const UnitModel *model);
/* Memory.all with another batch. */
uint64_t memory_at(Arena *arena, const Memory *memory, uint32_t batch);

void memory_print_table(Arena *arena, const Sources *sources, const Memory *memory, Text *out);
/* An object a layer, then one for the model. */
void memory_print_json(Arena *arena, const Sources *sources, const Memory *memory, Text *out);

/* --mem-limit: an error (ACT1302) for each model of the unit that takes more. */
void memory_check(Session *s, const Unit *unit);
/* --mem-report: prints every model. EXIT_CLEAN, or EXIT_USAGE when standard output takes no more. */
int memory_report(const Session *s, const Unit *unit);

#endif
