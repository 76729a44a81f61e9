#include "kernel/inner.h"

#include "ops/build.h"
#include "pass/views.h"

void inner_loop(Inner *inner, uint32_t axis)
{
    Nest *nest = &inner->nest;
    int64_t size = axis == 0 ? 1 : inner->space->dim[axis - 1];
    if (axis == 0 ? !inner->space->batch : size == 1)
        return;
    ACT_ASSERT(nest->n < LOOP_MAX_DEPTH);
    inner->step[nest->n] = 1;
    inner->loop[axis] = nest->n + 1;
    nest->dim[nest->n++] = (Dim){.size = size, .batch = axis == 0};
}

static Reach reach_of(const Lower *l, const Inner *inner, NodeId value)
{
    int64_t stride[1 + TYPE_MAX_RANK];
    View view = lower_view(l, value, &stride[0]);
    view_broadcast(&view, graph_type(l->g, value), inner->space, stride + 1);
    Reach reach = {.base = view.base};
    for (uint32_t axis = 0; axis <= inner->space->rank; axis++)
        if (inner->loop[axis] != 0)
            reach.stride[inner->loop[axis] - 1] = stride[axis];
    return reach;
}

static bool is_member(const Lower *l, NodeId value)
{
    return value == l->plan->storage[value] && l->plan->group_of[value] == l->number;
}

static const InnerOperand *find(const Inner *inner, NodeId value)
{
    for (uint32_t i = 0; i < inner->operand.n; i++)
        if (inner->operand.at[i].value == value)
            return &inner->operand.at[i];
    return NULL;
}

void inner_collect(Lower *l, Inner *inner, NodeId value)
{
    const Node *node = graph_node(l->g, value);
    Sx uniform;
    double number;
    if (is_member(l, value)) {
        for (uint32_t i = 0; i < node->n_in; i++)
            if (sx_uses_arg(l->g->sx, build_fn(node), i))
                inner_collect(l, inner, node->in[i]);
        return;
    }
    const Node *leaf = graph_node(l->g, l->plan->storage[value]);
    if (build_is_number(leaf, &number) || build_is_uniform(leaf, &uniform) || find(inner, value) != NULL)
        return;
    *vec_push(l->arena, &inner->operand) =
        (InnerOperand){.value = value, .index = build_is_iota(leaf), .reach = reach_of(l, inner, value)};
}

static bool nests(const Inner *inner, const Reach *reach, uint32_t d)
{
    return reach->stride[d] == reach->stride[d + 1] * inner->nest.dim[d + 1].size;
}

static void drop(Reach *reach, uint32_t d, uint32_t n)
{
    for (uint32_t k = d; k < n; k++)
        reach->stride[k] = k + 1 < LOOP_MAX_DEPTH ? reach->stride[k + 1] : 0;
}

bool inner_join(Inner *inner, uint32_t d, Reach **also, uint32_t n)
{
    Nest *nest = &inner->nest;
    if (nest->dim[d + 1].batch)
        return false;
    bool even = true;
    for (uint32_t i = 0; i < inner->operand.n; i++)
        even = even && nests(inner, &inner->operand.at[i].reach, d);
    for (uint32_t i = 0; i < n; i++)
        even = even && nests(inner, also[i], d);
    if (!even)
        return false;
    nest->dim[d].size *= nest->dim[d + 1].size;
    for (uint32_t i = 0; i < inner->operand.n; i++)
        drop(&inner->operand.at[i].reach, d, nest->n);
    for (uint32_t i = 0; i < n; i++)
        drop(also[i], d, nest->n);
    for (uint32_t k = d + 1; k + 1 < nest->n; k++)
        nest->dim[k] = nest->dim[k + 1];
    nest->n--;
    return true;
}

static void swap(Reach *reach, uint32_t d)
{
    int64_t outer = reach->stride[d];
    reach->stride[d] = reach->stride[d + 1];
    reach->stride[d + 1] = outer;
}

void inner_swap(Inner *inner, uint32_t d, Reach **also, uint32_t n)
{
    Dim outer = inner->nest.dim[d];
    inner->nest.dim[d] = inner->nest.dim[d + 1];
    inner->nest.dim[d + 1] = outer;
    for (uint32_t i = 0; i < inner->operand.n; i++)
        swap(&inner->operand.at[i].reach, d);
    for (uint32_t i = 0; i < n; i++)
        swap(also[i], d);
}

Affine inner_affine(const Inner *inner, const Reach *reach)
{
    Affine at = {.base = reach->base};
    for (uint32_t d = 0; d < inner->nest.n; d++) {
        at.base += reach->stride[d] * inner->at[d];
        at.coef[d] = reach->stride[d] * inner->step[d];
    }
    return at;
}

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    (void)user;
    return inner_value(l, context, value);
}

Sx inner_value(Lower *l, Inner *inner, NodeId value)
{
    const Node *leaf = graph_node(l->g, l->plan->storage[value]);
    Sx uniform;
    double number;
    if (is_member(l, value))
        return lower_expr(l, value, input, inner);
    if (build_is_number(leaf, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(leaf, &uniform))
        return lower_uniform(l, uniform);
    const InnerOperand *o = find(inner, value);
    ACT_ASSERT(o != NULL);
    Affine at = inner_affine(inner, &o->reach);
    return o->index ? lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = at}) : lower_load(l, value, at);
}
