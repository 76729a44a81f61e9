/* Loop programs run one element at a time, in double: what machine code must agree with up to rounding.
 *
 * Lanes are not modelled. A program whose meaning depended on them would break a rule (loop_verify), apart from the
 * order of sums, which in double does not show. Stores behind the last loop of a list wait until all values there are known. */
#include "graph/loop.h"

#include "graph/eval.h"
#include "graph/sx_inner.h"

#include <math.h>
#include <string.h>

/* A statement with its expression laid out once: evaluation is most of the work. */
typedef struct Code Code;
struct Code {
    const LoopStmt *stmt;
    SxTape tape;
    uint32_t *arg;    /* the kernel's arguments it reads */
    uint32_t n_arg;
    Code *body, *next;
    bool waits;       /* no loop follows in its list: a store comes last */
    double result;    /* of a store that waits */
};

typedef struct Run {
    const LoopProgram *program;
    const LoopMemory *memory;
    const LoopKernel *kernel;
    Arena *arena;
    double *uniform;
    int64_t i[LOOP_MAX_DEPTH];
    double *acc;
    double tile;
    double arg[64];
    const double *arg_at[64];
    double *value;      /* of the steps of the longest tape */
    uint32_t n_value;
} Run;

/* ── layout ── */
static void lay_value(Run *r, Code *code, Sx value)
{
    code->tape = sx_tape(r->program->sx, &value, 1, r->arena);
    code->arg = arena_array(r->arena, uint32_t, 64);
    uint64_t used = sx_args_used(r->program->sx, value);
    for (uint32_t i = 0; i < 64; i++) {
        if (used >> i & 1)
            code->arg[code->n_arg++] = i;
    }
    if (code->tape.n > r->n_value)
        r->n_value = code->tape.n;
}

static Code *lay_list(Run *r, const LoopStmt *list)
{
    const LoopStmt *last = NULL; /* the last loop */
    for (const LoopStmt *s = list; s; s = s->next)
        if (s->kind == LOOP_FOR || s->kind == LOOP_TILE)
            last = s;
    bool waits = last == NULL;
    Code *first = NULL, **end = &first;
    for (const LoopStmt *s = list; s; s = s->next) {
        Code *code = arena_new_of(r->arena, Code);
        code->stmt = s;
        code->waits = waits;
        waits = waits || s == last;
        if (s->kind == LOOP_FOR)
            code->body = lay_list(r, s->loop.body);
        else if (s->kind == LOOP_TILE)
            code->body = lay_list(r, s->tile.body);
        else if (s->kind == LOOP_STORE || s->kind == LOOP_ADD)
            lay_value(r, code, s->store.value);
        else if (s->kind == LOOP_ACC_ADD)
            lay_value(r, code, s->acc.value);
        *end = code;
        end = &code->next;
    }
    return first;
}

/* ── memory ── */
static int64_t affine_value(const Run *r, const Affine *at)
{
    int64_t value = at->base;
    for (uint32_t d = 0; d < LOOP_MAX_DEPTH; d++)
        value += at->coef[d] * r->i[d];
    return value;
}

static const unsigned char *buf_start(const Run *r, const LoopBuf *buf)
{
    const LoopMemory *m = r->memory;
    switch (buf->space) {
    case BUF_PARAM:
        return m->param + buf->offset;
    case BUF_STATE:
        return m->state + buf->offset;
    case BUF_WORK:
        return m->work + buf->offset;
    case BUF_INPUT:
        return m->input[buf->index];
    case BUF_TARGET:
        return m->target[buf->index];
    case BUF_OUTPUT:
    case BUF_WATCH:
        return m->output[buf->index];
    case BUF_PREDICTION:
        return m->prediction[buf->index];
    case BUF_LOSS:
        return (const unsigned char *)(m->loss + buf->index);
    }
    ACT_BUG("a buffer of no kind");
}

static double load(const Run *r, uint32_t buf, int64_t index)
{
    const LoopBuf *b = &r->program->bufs.at[buf];
    const unsigned char *at = buf_start(r, b) + 4 * index;
    if (b->dtype == DT_I32) {
        int32_t whole;
        memcpy(&whole, at, sizeof whole);
        return whole;
    }
    float real;
    memcpy(&real, at, sizeof real);
    return (double)real;
}

static void store(const Run *r, const LoopStmt *s, double value)
{
    const LoopBuf *b = &r->program->bufs.at[s->store.buf];
    unsigned char *at = (unsigned char *)(uintptr_t)buf_start(r, b) + 4 * affine_value(r, &s->store.at);
    float real = (float)value;
    memcpy(at, &real, sizeof real);
}

static int64_t row_value(const Run *r, const LoopRow *row)
{
    double index = load(r, row->buf, affine_value(r, &row->at));
    return row->step * (!(index > 0) ? 0 : index >= row->count ? row->count - 1 : (int64_t)index);
}

static void add(const Run *r, const LoopStmt *s, double value)
{
    const LoopBuf *b = &r->program->bufs.at[s->store.buf];
    int64_t index = affine_value(r, &s->store.at) + row_value(r, &s->store.row);
    unsigned char *at = (unsigned char *)(uintptr_t)buf_start(r, b) + 4 * index;
    float real = (float)(load(r, s->store.buf, index) + value);
    memcpy(at, &real, sizeof real);
}

/* ── values ── */
static double arg_value(const Run *r, const LoopArg *arg)
{
    switch (arg->kind) {
    case LARG_LOAD:
        return load(r, arg->index, affine_value(r, &arg->at));
    case LARG_ROW:
        return load(r, arg->index, affine_value(r, &arg->at) + row_value(r, &arg->row));
    case LARG_ACC:
        return r->acc[arg->index];
    case LARG_TILE:
        return r->tile;
    case LARG_INDEX:
        return (double)affine_value(r, &arg->at);
    case LARG_UNIFORM:
        return (double)(float)r->uniform[arg->index];
    case LARG_RANDOM:
        return eval_random(r->memory->seed, (uint64_t)r->memory->step, arg->index, (uint64_t)affine_value(r, &arg->at),
                           (uint64_t)affine_value(r, &arg->at2));
    }
    ACT_BUG("an argument of no kind");
}

static double value_of(Run *r, const Code *code)
{
    for (uint32_t i = 0; i < code->n_arg; i++)
        r->arg[code->arg[i]] = arg_value(r, &r->kernel->arg[code->arg[i]]);
    sx_tape_run(&code->tape, r->arg_at, 64, 1, r->value);
    return r->value[(size_t)code->tape.root[0] * SX_BLOCK];
}

static double fold(LoopFold how, double acc, double value)
{
    if (how == FOLD_SUM)
        return acc + value;
    return isnan(acc) || acc > value ? acc : value; /* a NaN on either side stays */
}

/* ── statements ── */
static void run_list(Run *r, Code *list, uint32_t depth);

static void run_for(Run *r, const Code *code, uint32_t depth)
{
    const LoopStmt *s = code->stmt;
    int64_t count = s->loop.extent.fixed + s->loop.extent.per_row * (int64_t)r->memory->n;
    if (s->loop.clamp > 0) {
        int64_t left = s->loop.clamp - count * r->i[s->loop.clamp_depth];
        count = left < count ? left : count;
    }
    for (r->i[depth] = 0; r->i[depth] < count; r->i[depth]++)
        run_list(r, code->body, depth + 1);
    r->i[depth] = 0;
}

static int64_t count_of(const Run *r, Extent extent) { return extent.fixed + extent.per_row * (int64_t)r->memory->n; }

/* Counts up through the axes, the last the fastest; false when all are through. */
static bool advance(const Run *r, const TileAxis *axis, uint32_t n, int64_t *i)
{
    while (n-- > 0) {
        if (++i[n] < count_of(r, axis[n].extent))
            return true;
        i[n] = 0;
    }
    return false;
}

/* What the axes' places add to A's and B's. */
static void add_axes(const TileAxis *axis, uint32_t n, const int64_t *i, int64_t *a, int64_t *b)
{
    for (uint32_t k = 0; k < n; k++) {
        *a += i[k] * axis[k].a;
        *b += i[k] * axis[k].b;
    }
}

static int64_t b_place(const LoopTile *t, int64_t k, int64_t block, int64_t j)
{
    if (t->b_turn > 0)
        return t->b_base + (block * t->width + j) * t->b_block + k / t->b_turn * t->b_k + k % t->b_turn;
    return t->b_base + block * t->b_block + k * t->b_k + j;
}

/* The sum of one element; a, b: what the axes around it add. */
static double tile_sum(Run *r, const LoopTile *t, const int64_t *over, int64_t a, int64_t b, int64_t row, int64_t block, int64_t column)
{
    int64_t deep[TILE_AXES] = {0}, terms = count_of(r, t->depth), from = 0, to = INT64_MAX;
    double sum = 0;
    if (t->border.end > 0)
        tile_lines(t, over[t->border.over], &from, &to);
    do {
        if (deep[t->border.deep] < from || deep[t->border.deep] >= to)
            continue;
        int64_t a_at = a, b_at = b;
        add_axes(t->deep, t->n_deep, deep, &a_at, &b_at);
        for (int64_t k = 0; k < terms; k++)
            sum += load(r, t->a, t->a_base + a_at + row * t->a_row + k * t->a_k) *
                   load(r, t->b, b_at + b_place(t, k, block, column));
    } while (advance(r, t->deep, t->n_deep, deep));
    return sum;
}

static bool runs(const Run *r, const TileAxis *axis, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        if (count_of(r, axis[k].extent) <= 0)
            return false;
    return true;
}

static void run_tile(Run *r, const Code *code, uint32_t depth)
{
    const LoopTile *t = &code->stmt->tile;
    int64_t *outer = &r->i[depth], *block = outer + t->n_outer, *over = block + 1, *row = over + t->n_over, *column = row + 1;
    int64_t rows = count_of(r, t->rows);
    if (!runs(r, t->outer, t->n_outer) || !runs(r, t->over, t->n_over))
        return;
    do {
        for (*block = 0; *block * t->width < t->cols; ++*block) {
            do {
                int64_t a = 0, b = 0;
                add_axes(t->outer, t->n_outer, outer, &a, &b);
                add_axes(t->over, t->n_over, over, &a, &b);
                for (*row = 0; *row < rows; ++*row) {
                    for (*column = 0; *column < t->width && *block * t->width + *column < t->cols; ++*column) {
                        r->tile = tile_sum(r, t, over, a, b, *row, *block, *column);
                        run_list(r, code->body, depth + 3 + t->n_outer + t->n_over);
                    }
                }
                *row = *column = 0;
            } while (advance(r, t->over, t->n_over, over));
        }
        *block = 0;
    } while (advance(r, t->outer, t->n_outer, outer));
}

static void run_list(Run *r, Code *list, uint32_t depth)
{
    for (Code *code = list; code; code = code->next) {
        const LoopStmt *s = code->stmt;
        switch (s->kind) {
        case LOOP_FOR:
            run_for(r, code, depth);
            break;
        case LOOP_ACC_NEW:
            r->acc[s->acc.acc] = s->acc.fold == FOLD_MAX ? -INFINITY : 0;
            break;
        case LOOP_ACC_ADD:
            r->acc[s->acc.acc] = fold(s->acc.fold, r->acc[s->acc.acc], value_of(r, code));
            break;
        case LOOP_STORE:
            code->result = value_of(r, code);
            if (!code->waits)
                store(r, s, code->result);
            break;
        case LOOP_ADD:
            add(r, s, value_of(r, code));
            break;
        case LOOP_TILE:
            run_tile(r, code, depth);
            break;
        }
    }
    for (Code *code = list; code; code = code->next) {
        if (code->waits && code->stmt->kind == LOOP_STORE)
            store(r, code->stmt, code->result);
    }
}

/* ── programs ── */
static void run_kernel(Run *r, const LoopKernel *kernel)
{
    r->kernel = kernel;
    r->acc = arena_array(r->arena, double, kernel->n_acc + 1);
    r->n_value = 0;
    Code *code = lay_list(r, kernel->body);
    r->value = arena_array(r->arena, double, ((size_t)r->n_value + 1) * SX_BLOCK);
    run_list(r, code, 0);
}

void loop_run(const LoopProgram *program, const LoopMemory *memory, Arena *arena)
{
    Run r = {.program = program, .memory = memory, .arena = arena};
    double known[] = {memory->step, memory->lr_scale, (double)memory->n};
    r.uniform = arena_array(arena, double, program->uniforms.n + 1);
    for (uint32_t i = 0; i < program->uniforms.n; i++)
        r.uniform[i] = sx_eval(program->sx, program->uniforms.at[i], known);
    for (uint32_t i = 0; i < 64; i++)
        r.arg_at[i] = &r.arg[i];
    for (uint32_t i = 0; i < program->kernels.n; i++)
        run_kernel(&r, &program->kernels.at[i]);
}
