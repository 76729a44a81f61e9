#include "kernel/cost.h"

enum { KERNEL_CYCLES = 100, TILE_CYCLES = 24, ROW_CYCLES = 6 };
static const double TILE_EFFICIENCY = 0.95;

CostMachine cost_machine(const Target *target)
{
    /* A core of a server or a desktop of the last years. */
    CostMachine machine = {.ghz = 3.7, .bytes_cycle = {24, 16, 9}, .l2 = target->l2, .l3 = 16 << 20};
    machine.units = (double)target->flops_cycle / (2.0 * target->lanes);
    return machine;
}

const char *cost_level_name(CostLevel level)
{
    static const char *const name[] = {"second-level cache", "third-level cache", "memory"};
    return name[level];
}

typedef struct Walk {
    const LoopProgram *program;
    const LoopKernel *kernel;
    const Target *target;
    const CostMachine *machine;
    uint32_t batch;
    double *read, *written; /* by buffer: elements, at most all of it */
    uint32_t *touched, n_touched; /* those of the present kernel: the others are 0 */
    KernelCost *cost;
    double cycles;
} Walk;

static double most(Extent extent, uint32_t batch) { return (double)(extent.fixed + extent.per_row * batch); }

static void touch(Walk *w, double *elements, double times, uint32_t buf)
{
    double all = (double)w->program->bufs.at[buf].bytes / 4;
    if (times <= 0 || all <= 0)
        return;
    if (w->read[buf] + w->written[buf] == 0)
        w->touched[w->n_touched++] = buf;
    elements[buf] = elements[buf] + times < all ? elements[buf] + times : all;
}

/* `times` elements that each take `cost` additions; `inside` of them share one vector loop. */
static void elements(Walk *w, double cost, double stores, double times, double inside)
{
    double lanes = w->target->lanes;
    double vectors = inside > 0 ? (double)(uint64_t)((inside + lanes - 1) / lanes) * (times / inside) : times / lanes;
    w->cost->element_ops += cost * times;
    w->cycles += (cost + stores) * vectors / w->machine->units;
}

static void reads(Walk *w, Sx value, double times)
{
    uint64_t used = sx_args_used(w->program->sx, value);
    for (uint32_t i = 0; i < w->kernel->n_arg && i < 64; i++) {
        const LoopArg *arg = &w->kernel->arg[i];
        if ((used >> i & 1) && (arg->kind == LARG_LOAD || arg->kind == LARG_ROW))
            touch(w, w->read, times, arg->index);
    }
}

static void list(Walk *w, const LoopStmt *s, double times, double inside);

/* The stores of a list share what they have in common: the cost of their sum, without its additions. */
static void stores(Walk *w, const LoopStmt *s, double times, double inside)
{
    SxPool *sx = w->program->sx;
    Sx all = 0;
    unsigned n = 0, apart = 0;
    for (; s; s = s->next)
        if (s->kind == LOOP_STORE) {
            all = all ? sx_add(sx, all, s->store.value) : s->store.value;
            apart += sx_cost(sx, s->store.value);
            n++;
            reads(w, s->store.value, times);
            touch(w, w->written, times, s->store.buf);
        }
    if (n == 0)
        return;
    unsigned together = sx_cost(sx, all);
    together = together > n - 1 ? together - (n - 1) : 0;
    elements(w, together < apart ? together : apart, n, times, inside);
}

static void tile(Walk *w, const LoopTile *t, double times)
{
    double rows = most(t->rows, w->batch), depth = most(t->depth, w->batch), lanes = w->target->lanes;
    for (uint32_t i = 0; i < t->n_outer; i++)
        times *= most(t->outer[i].extent, w->batch);
    for (uint32_t i = 0; i < t->n_over; i++)
        rows *= most(t->over[i].extent, w->batch);
    for (uint32_t i = 0; i < t->n_deep; i++)
        depth *= most(t->deep[i].extent, w->batch);
    uint32_t vectors = 0, blocks = 0;
    for (uint32_t at = 0; at < t->cols; at += t->width, blocks++) {
        uint32_t cols = t->cols - at < t->width ? t->cols - at : t->width;
        vectors += (cols + w->target->lanes - 1) / w->target->lanes;
    }
    double tiles = (double)(uint64_t)((rows + t->tile_rows - 1) / t->tile_rows) * blocks;
    w->cost->product_flops += 2 * rows * depth * t->cols * times;
    w->cycles += times * rows * vectors * depth / w->machine->units / TILE_EFFICIENCY;
    w->cycles += times * (tiles * TILE_CYCLES + rows * vectors + rows * blocks * ROW_CYCLES);
    if (t->b_turn > 0) /* turned through registers on the way */
        w->cycles += times * depth * t->cols / lanes * 2;
    touch(w, w->read, rows * depth * times, t->a);
    touch(w, w->read, depth * t->cols * times, t->b);
    list(w, t->body, times * rows * t->cols, t->cols < t->width ? t->cols : t->width);
}

static void list(Walk *w, const LoopStmt *s, double times, double inside)
{
    stores(w, s, times, inside);
    for (; s; s = s->next) {
        switch (s->kind) {
        case LOOP_FOR: {
            double count = most(s->loop.extent, w->batch);
            list(w, s->loop.body, times * count, s->loop.mode == LOOP_VECTOR ? count : inside);
            if (s->loop.mode == LOOP_VECTOR)
                w->cycles += times * ROW_CYCLES;
            break;
        }
        case LOOP_ACC_NEW:
            break;
        case LOOP_ADD:
            reads(w, s->store.value, times);
            touch(w, w->read, times, s->store.buf);
            touch(w, w->written, times, s->store.buf);
            elements(w, sx_cost(w->program->sx, s->store.value) + 1, 1, times, inside);
            break;
        case LOOP_ACC_ADD:
            reads(w, s->acc.value, times);
            elements(w, sx_cost(w->program->sx, s->acc.value) + 1, 0, times, inside);
            break;
        case LOOP_STORE:
            break;
        case LOOP_TILE:
            tile(w, &s->tile, times);
            break;
        }
    }
}

static void kernel_cost(Walk *w, CostLevel level)
{
    KernelCost *c = w->cost;
    w->cycles = KERNEL_CYCLES;
    list(w, w->kernel->body, 1, 0);
    while (w->n_touched > 0) {
        uint32_t b = w->touched[--w->n_touched];
        c->read += 4 * w->read[b];
        c->written += 4 * w->written[b];
        w->read[b] = w->written[b] = 0;
    }
    c->compute_us = w->cycles / w->machine->ghz * 1e-3;
    c->memory_us = (c->read + c->written) / w->machine->bytes_cycle[level] / w->machine->ghz * 1e-3;
    c->us = c->compute_us > c->memory_us ? c->compute_us : c->memory_us;
}

/* Buffers may share bytes of the work block: the block counts, not they. */
static uint64_t footprint(const LoopProgram *program)
{
    uint64_t bytes = program->work_bytes;
    for (uint32_t b = 0; b < program->bufs.n; b++)
        bytes += program->bufs.at[b].space == BUF_WORK ? 0 : program->bufs.at[b].bytes;
    return bytes;
}

ProgramCost cost_program(Arena *arena, const LoopProgram *program, uint32_t batch, const Target *target,
                         const CostMachine *machine)
{
    ProgramCost cost = {.footprint = footprint(program)};
    cost.kernel = arena_array(arena, KernelCost, program->kernels.n + 1);
    cost.level = cost.footprint <= machine->l2 ? COST_L2 : cost.footprint <= machine->l3 ? COST_L3 : COST_MEMORY;
    Walk w = {.program = program, .target = target, .machine = machine, .batch = batch};
    w.read = arena_array(arena, double, program->bufs.n + 1);
    w.written = arena_array(arena, double, program->bufs.n + 1);
    w.touched = arena_array(arena, uint32_t, program->bufs.n + 1);
    for (uint32_t k = 0; k < program->kernels.n; k++) {
        w.kernel = &program->kernels.at[k];
        w.cost = &cost.kernel[k];
        kernel_cost(&w, cost.level);
        cost.total.product_flops += w.cost->product_flops;
        cost.total.element_ops += w.cost->element_ops;
        cost.total.read += w.cost->read;
        cost.total.written += w.cost->written;
        cost.total.compute_us += w.cost->compute_us;
        cost.total.memory_us += w.cost->memory_us;
        cost.total.us += w.cost->us;
        cost.memory_bound += w.cost->memory_us > w.cost->compute_us;
    }
    return cost;
}
