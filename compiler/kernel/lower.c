#include "kernel/lower.h"

#include "ops/build.h"

#include <string.h>

/* ── buffers ── */

uint32_t lower_add_buf(Lower *l, LoopBuf buf)
{
    for (uint32_t i = 0; i < l->program->bufs.n; i++) {
        const LoopBuf *have = &l->program->bufs.at[i];
        if (have->space == buf.space && have->index == buf.index && have->offset == buf.offset &&
            have->bytes == buf.bytes && str_eq(have->name, buf.name))
            return i;
    }
    *vec_push(l->arena, &l->program->bufs) = buf;
    return l->program->bufs.n - 1;
}

/* The number of a tensor among those of its role: the caller's arrays come in that order. */
static uint32_t ordinal(const Graph *g, uint32_t tensor)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < tensor; i++)
        n += g->tensors.at[i].role == g->tensors.at[tensor].role;
    return n;
}

static uint64_t tensor_bytes(const Graph *g, const Tensor *t)
{
    return 4 * type_elements(&t->type) * (t->type.batch ? g->batch : 1);
}

static LoopBuf tensor_buf(const Lower *l, uint32_t index)
{
    const Tensor *t = &l->g->tensors.at[index];
    LoopBuf buf = {.offset = t->offset, .bytes = t->bytes, .align = 64, .dtype = t->type.dtype, .name = t->name};
    buf.space = t->role == ROLE_STATE ? BUF_STATE : BUF_PARAM;
    if (t->role == ROLE_INPUT || t->role == ROLE_TARGET) {
        buf.space = t->role == ROLE_INPUT ? BUF_INPUT : BUF_TARGET;
        buf.index = ordinal(l->g, index);
        buf.offset = 0;
        buf.bytes = tensor_bytes(l->g, t);
        buf.align = 4;
    }
    return buf;
}

/* The node in whose memory a value lies. */
static NodeId home_of(const Lower *l, NodeId value) { return l->plan->home[l->plan->storage[value]]; }

Layout lower_layout(const Lower *l, NodeId value, uint32_t *panel)
{
    const Slot *slot = &l->plan->slot[home_of(l, value)];
    *panel = slot->layout == LAYOUT_PANELS ? slot->panel : 0;
    return slot->layout;
}

uint32_t lower_pad(const Lower *l, NodeId value)
{
    const Slot *slot = &l->plan->slot[home_of(l, value)];
    return slot->space == SPACE_WORK ? slot->pad : 0;
}

View lower_view(const Lower *l, NodeId value, int64_t *batch)
{
    const Type *home = graph_type(l->g, home_of(l, value));
    *batch = home->batch ? (int64_t)type_elements(home) + lower_pad(l, value) : 0;
    return l->plan->view[value];
}

static uint64_t value_bytes(const Lower *l, NodeId id)
{
    const Type *type = graph_type(l->g, id);
    uint32_t panel;
    uint64_t elements = type_elements(type);
    if (lower_layout(l, id, &panel) == LAYOUT_PANELS)
        elements = elements / type_last(type) * ((type_last(type) + panel - 1) / panel) * panel;
    return 4 * (elements + lower_pad(l, id)) * (type->batch ? l->g->batch : 1);
}

uint32_t lower_buf_of(Lower *l, NodeId value, bool write)
{
    NodeId id = home_of(l, value);
    const Node *node = graph_node(l->g, id);
    const Slot *slot = &l->plan->slot[id];
    uint32_t tensor;
    if (!write && build_is_tensor(node, &tensor))
        return lower_add_buf(l, tensor_buf(l, tensor));
    if (slot->space == SPACE_TENSOR)
        return lower_add_buf(l, tensor_buf(l, slot->index));
    LoopBuf buf = {.bytes = value_bytes(l, id), .align = 4, .dtype = DT_F32, .index = slot->index};
    buf.name = node->name.n ? node->name : str_printf(l->arena, "v%u", id);
    switch (slot->space) {
    case SPACE_WORK:
        buf.space = BUF_WORK, buf.offset = slot->offset, buf.index = 0, buf.align = 64;
        break;
    case SPACE_OUTPUT: buf.space = BUF_OUTPUT; break;
    case SPACE_PREDICTION: buf.space = BUF_PREDICTION; break;
    case SPACE_LOSS: buf.space = BUF_LOSS; break;
    case SPACE_WATCH: buf.space = BUF_WATCH; break;
    case SPACE_NONE:
    case SPACE_TENSOR: ACT_BUG("a value without memory is read or written");
    }
    return lower_add_buf(l, buf);
}

uint32_t lower_buf(Lower *l, NodeId value) { return lower_buf_of(l, value, false); }

bool lower_stored(const Lower *l, NodeId value) { return l->plan->slot[value].space != SPACE_NONE; }

/* ── kernels ── */

LoopStmt *lower_stmt(Lower *l, LoopStmtKind kind)
{
    LoopStmt *s = arena_new_of(l->arena, LoopStmt);
    s->kind = kind;
    *l->tail = s;
    l->tail = &s->next;
    return s;
}

LoopStmt **lower_for(Lower *l, Extent extent, LoopMode mode)
{
    LoopStmt *s = lower_stmt(l, LOOP_FOR);
    s->loop.extent = extent;
    s->loop.mode = mode;
    l->tail = &s->loop.body;
    l->loop = s;
    return &s->next;
}

static bool affine_same(const Affine *a, const Affine *b) { return memcmp(a, b, sizeof *a) == 0; }

static bool row_same(const LoopRow *a, const LoopRow *b)
{
    return a->buf == b->buf && a->count == b->count && a->step == b->step && affine_same(&a->at, &b->at);
}

Sx lower_arg(Lower *l, LoopArg arg)
{
    for (uint32_t i = 0; i < l->args.n; i++) {
        const LoopArg *have = &l->args.at[i];
        if (have->kind == arg.kind && have->index == arg.index && affine_same(&have->at, &arg.at) &&
            affine_same(&have->at2, &arg.at2) && row_same(&have->row, &arg.row))
            return sx_arg(l->g->sx, i);
    }
    ACT_ASSERT(l->args.n < 64);
    *vec_push(l->arena, &l->args) = arg;
    return sx_arg(l->g->sx, l->args.n - 1);
}

Sx lower_load(Lower *l, NodeId value, Affine at)
{
    return lower_arg(l, (LoopArg){.kind = LARG_LOAD, .index = lower_buf(l, value), .at = at});
}

Sx lower_uniform(Lower *l, Sx sx)
{
    uint32_t i = 0;
    while (i < l->program->uniforms.n && l->program->uniforms.at[i] != sx)
        i++;
    if (i == l->program->uniforms.n)
        *vec_push(l->arena, &l->program->uniforms) = sx;
    return lower_arg(l, (LoopArg){.kind = LARG_UNIFORM, .index = i});
}

uint32_t lower_new_acc(Lower *l) { return l->kernel.n_acc++; }

void lower_store(Lower *l, NodeId value, Affine at, Sx what)
{
    LoopStmt *s = lower_stmt(l, LOOP_STORE);
    s->store.buf = lower_buf_of(l, value, true);
    s->store.at = at;
    s->store.value = what;
}

/* A name a profiler can show: the layer or function of the first node that has one, numbered. */
static Str kernel_name(Lower *l, const char *suffix)
{
    Text text = {.arena = l->arena};
    text_printf(&text, "k%u", l->program->kernels.n);
    Str last = {0};
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        const Node *node = graph_node(l->g, l->group->nodes.at[i]);
        Str part = node->fn.n ? node->fn : node->name;
        if (part.n == 0 || str_eq(part, last) || text.n + part.n > 60)
            continue;
        text_putc(&text, '_');
        for (uint32_t k = 0; k < part.n; k++)
            text_putc(&text, (part.p[k] >= 'a' && part.p[k] <= 'z') || (part.p[k] >= '0' && part.p[k] <= '9') ? part.p[k] : '_');
        last = part;
    }
    text_printf(&text, "%s", suffix);
    return text_str(&text);
}

void lower_begin(Lower *l, const char *suffix)
{
    l->kernel = (LoopKernel){.name = kernel_name(l, suffix)};
    l->args.at = NULL;
    l->args.n = l->args.cap = 0;
    l->tail = &l->kernel.body;
    l->kernel.group = l->number;
    l->kernel.span = graph_node(l->g, l->group->nodes.at[0])->span;
    memset(l->expr, 0, sizeof *l->expr * l->g->nodes.n);
    memset(l->acc, 0, sizeof *l->acc * l->g->nodes.n);
}

/* Last, when expressions have been put into one another. */
static void fuse_sums(Lower *l, LoopStmt *s, uint64_t steady)
{
    SxPool *sx = l->g->sx;
    for (; s; s = s->next)
        switch (s->kind) {
        case LOOP_FOR: fuse_sums(l, s->loop.body, steady); break;
        case LOOP_TILE: fuse_sums(l, s->tile.body, steady); break;
        case LOOP_ACC_ADD: s->acc.value = sx_fuse(sx, s->acc.value, steady); break;
        case LOOP_STORE:
        case LOOP_ADD: s->store.value = sx_fuse(sx, s->store.value, steady); break;
        case LOOP_ACC_NEW: break;
        }
}

void lower_end(Lower *l, LoopSplit split, Extent extent, bool by_rows, uint32_t grain)
{
    uint64_t steady = 0; /* sums of a row, and what is computed once a call */
    for (uint32_t i = 0; i < l->args.n; i++)
        steady |= (uint64_t)(l->args.at[i].kind == LARG_ACC || l->args.at[i].kind == LARG_UNIFORM) << i;
    fuse_sums(l, l->kernel.body, steady);
    lower_rebase(l);
    l->kernel.split = split;
    l->kernel.split_extent = extent;
    l->kernel.by_rows = split == SPLIT_OUTER && by_rows;
    l->kernel.grain = grain;
    l->kernel.arg = l->args.at;
    l->kernel.n_arg = l->args.n;
    l->kernel.barrier = l->barrier; /* once, before the group's first kernel */
    l->barrier = false;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        const Node *node = graph_node(l->g, l->group->nodes.at[i]);
        uint64_t flops = node->op->flops == NULL ? type_elements(&node->type) : node->op->flops(l->g, node);
        if (node->type.batch || (node->n_in > 0 && graph_type(l->g, node->in[0])->batch))
            l->kernel.flops_row += flops;
        else
            l->kernel.flops_fixed += flops;
    }
    *vec_push(l->arena, &l->program->kernels) = l->kernel;
}

/* ── expressions ── */

Sx lower_expr(Lower *l, NodeId id, LowerInput input, void *context)
{
    if (l->expr[id] != 0)
        return l->expr[id];
    const Node *node = graph_node(l->g, id);
    ACT_ASSERT(node->op->kind == OP_MAP);
    SxPool *sx = l->g->sx;
    Sx to[64], f = build_fn(node);
    for (uint32_t i = 0; i < node->n_in; i++)
        to[i] = sx_uses_arg(sx, f, i) ? input(l, node, node->in[i], context) : sx_num(sx, 0);
    return l->expr[id] = sx_substitute(sx, f, to, node->n_in);
}

/* ── the program ── */

LoopProgram *lower_plan(Arena *arena, const Plan *plan, const Target *target, Str name)
{
    Lower l = {.arena = arena, .g = plan->g, .plan = plan, .target = target};
    l.program = arena_new_of(arena, LoopProgram);
    l.program->arena = arena;
    l.program->sx = plan->g->sx;
    l.program->name = name;
    l.program->work_bytes = plan->work_bytes;
    l.expr = arena_array(arena, Sx, plan->g->nodes.n);
    l.acc = arena_array(arena, uint32_t, plan->g->nodes.n);
    static void (*const lower[])(Lower *) = {[GROUP_ROWS] = lower_rows, [GROUP_COLUMNS] = lower_columns,
                                             [GROUP_CONTRACT] = lower_contract, [GROUP_MOVE] = lower_move,
                                             [GROUP_SCATTER] = lower_scatter, [GROUP_TABLE] = lower_table};
    for (uint32_t k = 0; k < plan->groups.n; k++) {
        l.group = &plan->groups.at[k];
        l.barrier |= l.group->barrier;
        l.number = k + 1;
        lower[l.group->kind](&l);
    }
    lower_strips(l.program, target, plan->g->batch, arena);
    return l.program;
}
