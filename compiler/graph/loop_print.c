/* Loop programs as text. Expressions are formulas over named places, which is what one wants to see:
 *
 *   kernel softmax split n grain 1 by rows
 *     for i0 < n
 *       acc m0 = max
 *       for i1 < 10 vector
 *         m0 <- z[10*i0 + i1]
 *       for i1 < 10 vector
 *         p[10*i0 + i1] = exp(z[10*i0 + i1] - m0)                                                               */
#include "graph/loop.h"

#define FORMULA_MAX 48 /* operations written out as a tree; beyond it a formula is longer than its shared form */

static const char *const space_word[] = {
    [BUF_PARAM] = "param",   [BUF_STATE] = "state",   [BUF_WORK] = "work",             [BUF_INPUT] = "input",
    [BUF_TARGET] = "target", [BUF_OUTPUT] = "output", [BUF_PREDICTION] = "prediction", [BUF_LOSS] = "loss",
    [BUF_WATCH] = "watch",
};

typedef struct Printer {
    const LoopProgram *program;
    const LoopKernel *kernel;
    const char **name; /* of every argument of the kernel */
    Text *out;
} Printer;

/* ── pieces ── */
static void put_extent(Extent extent, Text *out)
{
    if (extent.per_row == 0)
        text_printf(out, "%lld", (long long)extent.fixed);
    else if (extent.per_row == 1)
        text_add(out, STR("n"));
    else
        text_printf(out, "%lld*n", (long long)extent.per_row);
    if (extent.per_row != 0 && extent.fixed != 0) /* not allowed, but a broken program is printed too */
        text_printf(out, " + %lld", (long long)extent.fixed);
}

static void put_affine(const Affine *at, Text *out)
{
    bool first = true;
    for (uint32_t d = 0; d < LOOP_MAX_DEPTH; d++) {
        long long coef = at->coef[d];
        if (coef == 0)
            continue;
        if (!first)
            text_add(out, coef < 0 ? STR(" - ") : STR(" + "));
        else if (coef < 0)
            text_putc(out, '-');
        if (coef != 1 && coef != -1)
            text_printf(out, "%llu*", coef < 0 ? 0ULL - (unsigned long long)coef : (unsigned long long)coef);
        text_printf(out, "i%u", d);
        first = false;
    }
    if (first)
        text_printf(out, "%lld", (long long)at->base);
    else if (at->base)
        text_printf(out, at->base < 0 ? " - %lld" : " + %lld", (long long)(at->base < 0 ? -at->base : at->base));
}

static void put_buf(const LoopProgram *program, uint32_t index, Text *out)
{
    if (index >= program->bufs.n || !program->bufs.at[index].name.n) {
        text_printf(out, "b%u", index);
        return;
    }
    Str name = program->bufs.at[index].name;
    text_add(out, name);
    for (uint32_t i = 0; i < program->bufs.n; i++) {
        if (i != index && str_eq(name, program->bufs.at[i].name)) {
            text_printf(out, "@%u", index); /* the name alone would not tell which */
            return;
        }
    }
}

static void put_place(const LoopProgram *program, uint32_t buf, const Affine *at, Text *out)
{
    put_buf(program, buf, out);
    text_putc(out, '[');
    put_affine(at, out);
    text_putc(out, ']');
}

static void put_row_place(const LoopProgram *program, uint32_t buf, const Affine *at, const LoopRow *row, Text *out)
{
    put_buf(program, buf, out);
    text_printf(out, "[%lld*", (long long)row->step);
    put_place(program, row->buf, &row->at, out);
    text_printf(out, " below %u + ", row->count);
    put_affine(at, out);
    text_putc(out, ']');
}

static const char *arg_name(const LoopProgram *program, const LoopArg *arg, Arena *arena)
{
    Text text = {.arena = arena};
    switch (arg->kind) {
    case LARG_LOAD:
        put_place(program, arg->index, &arg->at, &text);
        break;
    case LARG_ROW:
        put_row_place(program, arg->index, &arg->at, &arg->row, &text);
        break;
    case LARG_ACC:
        text_printf(&text, "m%u", arg->index);
        break;
    case LARG_TILE:
        text_add(&text, STR("tile"));
        break;
    case LARG_INDEX:
        text_putc(&text, '(');
        put_affine(&arg->at, &text);
        text_putc(&text, ')');
        break;
    case LARG_UNIFORM:
        text_printf(&text, "u%u", arg->index);
        break;
    case LARG_RANDOM:
        text_printf(&text, "random(%u; ", arg->index);
        put_affine(&arg->at, &text);
        text_add(&text, STR("; "));
        put_affine(&arg->at2, &text);
        text_putc(&text, ')');
        break;
    }
    return text_str(&text).p;
}

/* How many operations the tree of x has, counted up to `limit`. */
static unsigned tree_size(const SxPool *sx, Sx x, unsigned limit)
{
    const SxNode *node = sx_node(sx, x);
    unsigned size = 1;
    for (unsigned i = 0; i < sx_op_arity(node->op) && size < limit; i++)
        size += tree_size(sx, node->in[i], limit - size);
    return size;
}

static void put_value(Printer *p, Sx x)
{
    if (!x) {
        text_add(p->out, STR("none"));
        return;
    }
    const SxPool *sx = p->program->sx;
    if (sx_arg_limit(sx, x) <= p->kernel->n_arg && tree_size(sx, x, FORMULA_MAX + 1) <= FORMULA_MAX) {
        sx_print_formula(sx, x, p->name, p->out);
        return;
    }
    sx_print(sx, x, p->out);
    uint64_t used = sx_args_used(sx, x);
    const char *join = " with ";
    for (uint32_t i = 0; i < p->kernel->n_arg && i < 64; i++) {
        if (used >> i & 1) {
            text_printf(p->out, "%sa%u = %s", join, i, p->name[i]);
            join = ", ";
        }
    }
}

/* ── statements ── */
static void indent(Printer *p, uint32_t level)
{
    for (uint32_t i = 0; i < level; i++)
        text_add(p->out, STR("  "));
}

/* One loop after another: its extent in front, its number with what it counts in `names`, its steps in a and b. */
static uint32_t put_axes(Printer *p, const char *what, const TileAxis *axis, uint32_t n, uint32_t depth, Text *names, Affine *a,
                         Affine *b)
{
    for (uint32_t i = 0; i < n; i++, depth++) {
        text_printf(p->out, "%s ", what);
        put_extent(axis[i].extent, p->out);
        text_putc(p->out, ' ');
        text_printf(names, "i%u %s, ", depth, what);
        if (depth < LOOP_MAX_DEPTH) {
            a->coef[depth] = axis[i].a;
            b->coef[depth] = axis[i].b;
        }
    }
    return depth;
}

static void put_tile(Printer *p, const LoopTile *tile, uint32_t first, uint32_t level)
{
    Affine a = {.base = tile->a_base}, b = {.base = tile->b_base};
    Text names = {.arena = p->program->arena};
    text_add(p->out, STR("tile "));
    uint32_t block = put_axes(p, "outer", tile->outer, tile->n_outer, first, &names, &a, &b);
    text_printf(&names, "i%u block, ", block);
    uint32_t row = put_axes(p, "over", tile->over, tile->n_over, block + 1, &names, &a, &b);
    text_printf(&names, "i%u row, i%u column, ", row, row + 1);
    uint32_t term = put_axes(p, "deep", tile->deep, tile->n_deep, row + 2, &names, &a, &b);
    text_add(p->out, STR("rows "));
    put_extent(tile->rows, p->out);
    text_add(p->out, STR(" depth "));
    put_extent(tile->depth, p->out);
    text_printf(p->out, " cols %u width %u by %u rows\n", tile->cols, tile->width, tile->tile_rows);
    indent(p, level + 1);
    text_printf(p->out, STR_FMT "i%u term: tile <- ", STR_ARG(text_str(&names)), term);
    if (term < LOOP_MAX_DEPTH) { /* the terms are no loops of the program, only of this line */
        a.coef[row] = tile->a_row;
        a.coef[term] = tile->a_k;
        b.coef[block] = tile->b_turn > 0 ? tile->b_block * tile->width : tile->b_block;
        b.coef[row + 1] = tile->b_turn > 0 ? tile->b_block : 1;
        b.coef[term] = tile->b_turn > 0 ? 1 : tile->b_k;
    }
    put_place(p->program, tile->a, &a, p->out);
    text_add(p->out, STR(" * "));
    put_place(p->program, tile->b, &b, p->out);
    if (tile->b_turn > 0)
        text_printf(p->out, " turned, %lld terms and then %lld on", (long long)tile->b_turn, (long long)tile->b_k);
    text_add(p->out, tile->b_padded ? STR(" padded\n") : STR("\n"));
    const TileBorder *border = &tile->border;
    if (border->end > 0) {
        Affine line = {.base = 0};
        line.coef[block + 1 + border->over] = border->over_step;
        line.coef[row + 2 + border->deep] = border->deep_step;
        indent(p, level + 1);
        text_printf(p->out, "where %lld <= ", (long long)border->begin);
        put_affine(&line, p->out);
        text_printf(p->out, " < %lld, elsewhere are zeros\n", (long long)border->end);
    }
}

static void put_for(Printer *p, const LoopStmt *s, uint32_t depth)
{
    text_printf(p->out, "for i%u < ", depth);
    put_extent(s->loop.extent, p->out);
    if (s->loop.clamp > 0) {
        text_printf(p->out, " below %lld - ", (long long)s->loop.clamp);
        put_extent(s->loop.extent, p->out);
        text_printf(p->out, "*i%u", s->loop.clamp_depth);
    }
    text_add(p->out, s->loop.mode == LOOP_VECTOR ? STR(" vector\n") : STR("\n"));
}

static void put_list(Printer *p, const LoopStmt *s, uint32_t depth, uint32_t level)
{
    for (; s; s = s->next) {
        indent(p, level);
        switch (s->kind) {
        case LOOP_FOR:
            put_for(p, s, depth);
            put_list(p, s->loop.body, depth + 1, level + 1);
            break;
        case LOOP_ACC_NEW:
            text_printf(p->out, "acc m%u = %s\n", s->acc.acc, s->acc.fold == FOLD_MAX ? "max" : "sum");
            break;
        case LOOP_ACC_ADD:
            text_printf(p->out, "m%u <- %s", s->acc.acc, s->acc.fold == FOLD_MAX ? "max " : "+ ");
            put_value(p, s->acc.value);
            text_putc(p->out, '\n');
            break;
        case LOOP_STORE:
            put_place(p->program, s->store.buf, &s->store.at, p->out);
            text_add(p->out, STR(" = "));
            put_value(p, s->store.value);
            text_putc(p->out, '\n');
            break;
        case LOOP_ADD:
            put_row_place(p->program, s->store.buf, &s->store.at, &s->store.row, p->out);
            text_add(p->out, STR(" += "));
            put_value(p, s->store.value);
            text_putc(p->out, '\n');
            break;
        case LOOP_TILE:
            put_tile(p, &s->tile, depth, level);
            put_list(p, s->tile.body, depth + 3 + s->tile.n_outer + s->tile.n_over, level + 1);
            break;
        }
    }
}

/* ── programs ── */
static void put_kernel(const LoopProgram *program, const LoopKernel *kernel, Text *out)
{
    Printer p = {program, kernel, arena_array(out->arena, const char *, kernel->n_arg + 1), out};
    for (uint32_t i = 0; i < kernel->n_arg; i++)
        p.name[i] = arg_name(program, &kernel->arg[i], out->arena);
    text_printf(out, "kernel " STR_FMT, STR_ARG(kernel->name));
    if (kernel->split != SPLIT_NONE) {
        text_add(out, kernel->split == SPLIT_TILES ? STR(" split tiles of ") : STR(" split "));
        put_extent(kernel->split_extent, out);
        text_printf(out, " grain %u", kernel->grain);
    }
    text_printf(out, "%s%s", kernel->by_rows ? " by rows" : "", kernel->barrier ? " barrier" : "");
    if (kernel->strip > 0)
        text_printf(out, " strip %u", kernel->strip);
    if (kernel->strip_back > 0)
        text_printf(out, " back %u", kernel->strip_back);
    for (uint32_t i = 0; i < kernel->n_ahead; i++) {
        text_add(out, kernel->ahead[i].next ? STR(" next ") : STR(" ahead "));
        put_buf(program, kernel->ahead[i].buf, out);
    }
    text_add(out, STR("\n"));
    put_list(&p, kernel->body, 0, 1);
}

void loop_print(const LoopProgram *program, Text *out)
{
    static const char *const uniform_name[] = {"step", "lr_scale", "n"};
    text_printf(out, "program " STR_FMT " work %llu\n", STR_ARG(program->name),
                (unsigned long long)program->work_bytes);
    for (uint32_t i = 0; i < program->bufs.n; i++) {
        const LoopBuf *buf = &program->bufs.at[i];
        text_add(out, STR("buffer "));
        put_buf(program, i, out);
        text_printf(out, " %s", space_word[buf->space]);
        if (buf->space == BUF_PARAM || buf->space == BUF_STATE || buf->space == BUF_WORK)
            text_printf(out, " at %llu", (unsigned long long)buf->offset);
        else
            text_printf(out, " %u", buf->index);
        text_printf(out, " %s bytes %llu align %u\n", buf->dtype == DT_I32 ? "i32" : "f32",
                    (unsigned long long)buf->bytes, buf->align);
    }
    for (uint32_t i = 0; i < program->uniforms.n; i++) {
        text_printf(out, "uniform u%u = ", i);
        sx_print_formula(program->sx, program->uniforms.at[i], uniform_name, out);
        text_putc(out, '\n');
    }
    for (uint32_t i = 0; i < program->kernels.n; i++)
        put_kernel(program, &program->kernels.at[i], out);
}
