/* Strips: a run of kernels by rows, a few rows of the batch at a time.
 *
 * Between two barriers a thread's rows depend on its rows alone, whatever the kernel. So it need not take all of them through one kernel
 * before it begins the next: where a sample's values are so large that those of the whole batch leave the cache, it takes as many samples as
 * the second-level cache holds through all kernels of the run, and what one kernel writes the next still finds there. Weights are read once
 * a strip; a kernel with more of them than values stays outside. */
#include "kernel/lower.h"

typedef struct Bytes {
    uint64_t row, fixed;   /* of one row of the batch; of what has none */
} Bytes;

typedef struct Strips {
    LoopProgram *program;
    const Target *target;
    Arena *arena;
    uint32_t batch;
    const LoopKernel *kernel;
    uint32_t *seen, walk;         /* by buffer: the walk that saw it last, */
    uint64_t *noted;              /* and what that has noted of it */
    Extent level[LOOP_MAX_DEPTH]; /* the loops around the current place */
    uint32_t depth;
    Bytes bytes;
} Strips;

/* `elements` of a buffer, for each row of the batch or of no row. However often it is touched, there is no more than all of it: a step of a
 * sequence touches a small part of the values of all steps, and that is what counts. */
static void note(Strips *s, uint32_t index, uint64_t elements, bool by_row)
{
    const LoopBuf *buf = &s->program->bufs.at[index];
    if (s->seen[index] != s->walk)
        s->noted[index] = 0;
    s->seen[index] = s->walk;
    uint64_t all = by_row ? buf->bytes / s->batch : buf->bytes, left = all > s->noted[index] ? all - s->noted[index] : 0;
    uint64_t bytes = 4 * elements < left ? 4 * elements : left;
    s->noted[index] += bytes;
    *(by_row ? &s->bytes.row : &s->bytes.fixed) += bytes;
}

static void note_place(Strips *s, uint32_t index, const Affine *at)
{
    uint64_t elements = 1;
    bool by_row = false;
    for (uint32_t d = 0; d < s->depth; d++) {
        if (at->coef[d] == 0)
            continue;
        by_row |= s->level[d].per_row > 0;
        elements *= (uint64_t)(s->level[d].fixed + s->level[d].per_row);
    }
    note(s, index, elements, by_row);
}

static void note_value(Strips *s, Sx value)
{
    uint64_t used = sx_args_used(s->program->sx, value);
    for (uint32_t i = 0; i < s->kernel->n_arg; i++) {
        const LoopArg *arg = &s->kernel->arg[i];
        if (used >> i & 1 && (arg->kind == LARG_LOAD || arg->kind == LARG_ROW))
            note_place(s, arg->index, &arg->at);
    }
}

static void push(Strips *s, Extent extent)
{
    ACT_ASSERT(s->depth < LOOP_MAX_DEPTH);
    s->level[s->depth++] = extent;
}

/* One side of a product: by the axes that move it. */
typedef struct Side {
    uint64_t elements;
    bool by_row;
} Side;

static void along(Side *side, Extent extent, int64_t step)
{
    if (step == 0)
        return;
    side->by_row |= extent.per_row > 0;
    side->elements *= (uint64_t)(extent.fixed + extent.per_row);
}

static void note_sides(Strips *s, const LoopTile *t)
{
    Side a = {.elements = 1}, b = {.elements = t->cols};
    const TileAxis row = {t->rows, t->a_row, 0}, term = {t->depth, 1, 1};
    const TileAxis *run[] = {t->outer, t->over, &row, t->deep, &term};
    const uint32_t n[] = {t->n_outer, t->n_over, 1, t->n_deep, 1};
    for (uint32_t k = 0; k < sizeof n / sizeof *n; k++)
        for (uint32_t i = 0; i < n[k]; i++) {
            along(&a, run[k][i].extent, run[k][i].a);
            along(&b, run[k][i].extent, run[k][i].b);
        }
    note(s, t->a, a.elements, a.by_row);
    note(s, t->b, b.elements, b.by_row);
}

static void note_list(Strips *s, const LoopStmt *list)
{
    uint32_t depth = s->depth;
    for (; list; list = list->next, s->depth = depth) {
        switch (list->kind) {
        case LOOP_FOR:
            push(s, list->loop.extent);
            note_list(s, list->loop.body);
            break;
        case LOOP_ACC_NEW: break;
        case LOOP_ACC_ADD: note_value(s, list->acc.value); break;
        case LOOP_STORE:
        case LOOP_ADD:
            note_value(s, list->store.value);
            note_place(s, list->store.buf, &list->store.at);
            break;
        case LOOP_TILE:
            note_sides(s, &list->tile);
            for (uint32_t i = 0; i < list->tile.n_outer; i++)
                push(s, list->tile.outer[i].extent);
            push(s, (Extent){.fixed = (list->tile.cols + list->tile.width - 1) / list->tile.width});
            for (uint32_t i = 0; i < list->tile.n_over; i++)
                push(s, list->tile.over[i].extent);
            push(s, list->tile.rows);
            push(s, (Extent){.fixed = list->tile.width});
            note_list(s, list->tile.body);
            break;
        }
    }
}

/* All that a kernel touches. */
static Bytes bytes_of(Strips *s, const LoopKernel *k)
{
    s->bytes = (Bytes){0};
    s->kernel = k;
    s->walk++;
    note_list(s, k->body);
    return s->bytes;
}

static bool may_join(const LoopKernel *k) { return k->by_rows && k->split == SPLIT_OUTER && k->split_extent.per_row > 0; }

/* Kernels [first, last) have no barrier between them. */
static void strip(Strips *s, uint32_t first, uint32_t last, uint32_t grain, const Bytes *bytes)
{
    uint64_t most = 0, all = 0, room = s->target->l2 / 2;
    for (uint32_t i = first; i < last; i++) {
        most = bytes[i].row > most ? bytes[i].row : most;
        all += bytes[i].row * s->batch;
    }
    if (last - first < 2 || most == 0 || most > s->target->l2 || all <= 2 * (uint64_t)s->target->l2)
        return;
    uint64_t rows = most < room ? room / most : 1;
    rows = (rows + grain - 1) / grain * grain;
    if (rows * 2 > s->batch)
        return;
    uint32_t from = first;
    for (uint32_t i = first; i <= last; i++) {
        if (i < last && bytes[i].fixed * 3 <= rows * bytes[i].row)
            continue;
        for (uint32_t k = from; k < i && i - from > 1; k++) {
            s->program->kernels.at[k].strip = (uint32_t)rows;
            s->program->kernels.at[k].strip_back = k + 1 == i ? i - 1 - from : 0;
        }
        if (i - from > 1)
            lower_ahead(s->program, from, i, s->target, s->batch, s->arena);
        from = i + 1;
    }
}

void lower_strips(LoopProgram *program, const Target *target, uint32_t batch, Arena *arena)
{
    Strips s = {.program = program, .target = target, .arena = arena, .batch = batch};
    s.seen = arena_array(arena, uint32_t, program->bufs.n + 1);
    s.noted = arena_array(arena, uint64_t, program->bufs.n + 1);
    Bytes *bytes = arena_array(arena, Bytes, program->kernels.n + 1);
    uint32_t grain = 1, first = 0;
    for (uint32_t i = 0; i < program->kernels.n; i++) {
        const LoopKernel *k = &program->kernels.at[i];
        bytes[i] = bytes_of(&s, k);
        grain = k->by_rows && k->grain > grain ? k->grain : grain;
    }
    for (uint32_t i = 0; i <= program->kernels.n; i++) {
        bool joins = i < program->kernels.n && may_join(&program->kernels.at[i]);
        if (joins && !program->kernels.at[i].barrier)
            continue;
        strip(&s, first, i, grain, bytes);
        first = joins ? i : i + 1;
    }
}
