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
    uint32_t batch;
    uint32_t *seen, walk;  /* by buffer: the walk that saw it last */
    Bytes bytes;
} Strips;

static void note(Strips *s, uint32_t index)
{
    const LoopBuf *buf = &s->program->bufs.at[index];
    if (s->seen[index] == s->walk)
        return;
    s->seen[index] = s->walk;
    if (buf->space == BUF_PARAM || buf->space == BUF_STATE)
        s->bytes.fixed += buf->bytes;
    else
        s->bytes.row += buf->bytes / s->batch;
}

static void note_list(Strips *s, const LoopStmt *list)
{
    for (; list; list = list->next) {
        if (list->kind == LOOP_FOR)
            note_list(s, list->loop.body);
        if (list->kind == LOOP_STORE || list->kind == LOOP_ADD)
            note(s, list->store.buf);
        if (list->kind != LOOP_TILE)
            continue;
        note(s, list->tile.a);
        note(s, list->tile.b);
        note_list(s, list->tile.body);
    }
}

/* All that a kernel touches. */
static Bytes bytes_of(Strips *s, const LoopKernel *k)
{
    s->bytes = (Bytes){0};
    s->walk++;
    for (uint32_t i = 0; i < k->n_arg; i++)
        if (k->arg[i].kind == LARG_LOAD || k->arg[i].kind == LARG_ROW)
            note(s, k->arg[i].index);
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
        from = i + 1;
    }
}

void lower_strips(LoopProgram *program, const Target *target, uint32_t batch, Arena *arena)
{
    Strips s = {.program = program, .target = target, .batch = batch, .seen = arena_array(arena, uint32_t, program->bufs.n + 1)};
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
