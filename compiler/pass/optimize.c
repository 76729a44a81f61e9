/* optimize: replaces each gradient root by the optimizer's updates of the parameter and of its state. The update of a tensor that is not
 * trained (running statistics) is its new value already, and stays. */
#include "ops/build.h"
#include "pass/pass.h"

/* Plain gradient descent, for a model without a train block. */
static const OptimizerUse *plain_descent(PassState *state)
{
    SxPool *sx = state->g->sx;
    OptimizerUse *use = arena_new_of(state->arena, OptimizerUse);
    use->name = use->text = STR("sgd");
    use->lr = 0.01;
    Sx rate = sx_mul(sx, sx_num(sx, use->lr), sx_arg(sx, 3));
    *vec_push(state->arena, &use->update) =
        (OptimizerUpdate){0, sx_sub(sx, sx_arg(sx, 0), sx_mul(sx, rate, sx_arg(sx, 1)))};
    return use;
}

bool pass_in_group(const Str *prefix, uint32_t n, Str parameter)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_starts(parameter, prefix[i]) && (parameter.n == prefix[i].n || parameter.p[prefix[i].n] == '.'))
            return true;
    return false;
}

/* A group that names the parameter wins over the optimizer of all. */
static const OptimizerUse *optimizer_of(const PassState *state, const OptimizerUse *plain, Str parameter)
{
    const TrainUse *train = state->model == NULL ? NULL : state->model->train;
    if (train == NULL || train->optimizers.n == 0)
        return plain;
    const OptimizerUse *all = NULL;
    for (uint32_t i = 0; i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        if (use->group.n == 0)
            all = all == NULL ? use : all;
        else if (pass_in_group(use->group.at, use->group.n, parameter))
            return use;
    }
    return all;
}

/* PyTorch's clip_grad_norm_: every gradient times min(1, limit / (norm of all + 1e-6)). */
static void clip(Graph *g, Watch *watch, NodeId *gradient, uint32_t n, double limit)
{
    SxPool *sx = g->sx;
    NodeId total = 0;
    for (uint32_t i = 0; i < n; i++)
        if (gradient[i] != 0) {
            NodeId square = build_sum_all(g, build_map(g, sx_powi(sx, sx_arg(sx, 0), 2), &gradient[i], 1));
            total = total == 0 ? square : build_add(g, total, square);
        }
    if (total == 0)
        return;
    if (watch != NULL) {
        watch->clip = watch->arrays++;
        graph_root_add(g, ROOT_WATCH, total, watch->clip, (Str){0});
    }
    Sx norm = sx_add(sx, sx_un(sx, SX_SQRT, sx_arg(sx, 0)), sx_num(sx, 1e-6));
    Sx factor = sx_bin(sx, SX_MIN, sx_div(sx, sx_num(sx, limit), norm), sx_num(sx, 1));
    NodeId scale = build_map(g, factor, &total, 1);
    for (uint32_t i = 0; i < n; i++)
        if (gradient[i] != 0)
            gradient[i] = build_mul(g, gradient[i], scale);
}

/* PyTorch's clip_grad_value_: every element of a gradient between -limit and limit. */
static NodeId clip_value(Graph *g, NodeId gradient, double limit)
{
    SxPool *sx = g->sx;
    Sx below = sx_bin(sx, SX_MIN, sx_arg(sx, 0), sx_num(sx, limit));
    return build_map(g, sx_bin(sx, SX_MAX, below, sx_num(sx, -limit)), &gradient, 1);
}

/* The state tensor; it is there when an earlier program of the model made it. */
static uint32_t state_add(Graph *g, const Tensor *like)
{
    int there = graph_tensor_find(g, like->name);
    return there >= 0 && g->tensors.at[there].role == ROLE_STATE ? (uint32_t)there : graph_tensor_add(g, like);
}

/* A state tensor of the parameter, shaped and laid out like it. */
static uint32_t state_like(Graph *g, uint32_t tensor, Str name, double start)
{
    Tensor like = g->tensors.at[tensor];
    like.name = str_printf(g->arena, STR_FMT "." STR_FMT, STR_ARG(like.name), STR_ARG(name));
    like.role = ROLE_STATE;
    like.fill = (Fill){FILL_CONSTANT, start, 0};
    like.init = STR("constant");
    like.fan_in = like.fan_out = like.gain = like.deviation = 0;
    like.weight = like.trainable = false;
    like.of = 1 + tensor;
    return state_add(g, &like);
}

/* ── accumulate: an update every `count` steps, from all their gradients ── */

/* 1 in a step that updates, else 0. */
static NodeId updates_now(Graph *g, uint32_t count)
{
    SxPool *sx = g->sx;
    Sx step = sx_arg(sx, 0), n = sx_num(sx, count);
    Sx whole = sx_mul(sx, n, sx_un(sx, SX_FLOOR, sx_div(sx, step, n)));
    return build_uniform(g, sx_bin(sx, SX_EQ, step, whole));
}

/* `total`, which starts anew after an update, as the state `sum`. */
static void keep_sum(Graph *g, uint32_t sum, NodeId total, uint32_t count)
{
    SxPool *sx = g->sx;
    NodeId left[2] = {updates_now(g, count), total};
    NodeId kept = build_map(g, sx_select(sx, sx_arg(sx, 0), sx_num(sx, 0), sx_arg(sx, 1)), left, 2);
    graph_root_add(g, ROOT_UPDATE, kept, sum, g->tensors.at[sum].name);
}

/* Losses that are means count by their rows: the mean over all rows of the group, whatever its batches have. */
static bool counts_rows(const Model *model)
{
    bool means = model->losses.n > 0;
    for (uint32_t i = 0; i < model->losses.n; i++)
        means = means && model->losses.at[i].mean;
    return means;
}

/* One over the rows of the group up to this step: a state of one number, kept beside the first gradient's. */
static NodeId share_of_rows(Graph *g, uint32_t tensor, uint32_t count)
{
    SxPool *sx = g->sx;
    Tensor like = {.role = ROLE_STATE, .init = STR("constant"), .fill = {FILL_CONSTANT, 0, 0}};
    like.name = str_printf(g->arena, STR_FMT ".accumulated_rows", STR_ARG(g->tensors.at[tensor].name));
    like.type = (Type){.dtype = DT_F32};
    uint32_t rows = state_add(g, &like);
    NodeId total = build_add(g, build_tensor(g, rows), build_uniform(g, sx_arg(sx, 2)));
    keep_sum(g, rows, total, count);
    return build_map(g, sx_div(sx, sx_num(sx, 1), sx_arg(sx, 0)), &total, 1);
}

/* The sum so far with this step's part added. `share`: of a row, where batches count by their rows; else 0, and all are alike. */
static NodeId accumulate(Graph *g, uint32_t tensor, NodeId gradient, uint32_t count, NodeId share)
{
    SxPool *sx = g->sx;
    uint32_t sum = state_like(g, tensor, STR("accumulated"), 0);
    NodeId in[3] = {build_tensor(g, sum), gradient, build_uniform(g, sx_arg(sx, 2))};
    Sx part = sx_mul(sx, sx_arg(sx, 1), share ? sx_arg(sx, 2) : sx_num(sx, 1.0 / count));
    NodeId total = build_map(g, sx_add(sx, sx_arg(sx, 0), part), in, share ? 3 : 2);
    keep_sum(g, sum, total, count);
    return share ? build_mul(g, total, share) : total;
}

/* ── average: PyTorch's AveragedModel with get_ema_multi_avg_fn, one step of it behind every update ── */

/* The first update's weights are the average, later ones move it by (1 - decay) of what it lacks. */
static void average(Graph *g, uint32_t tensor, NodeId now, uint32_t count, double decay)
{
    SxPool *sx = g->sx;
    uint32_t mean = state_like(g, tensor, STR("average"), 0);
    Sx lack = sx_sub(sx, sx_arg(sx, 1), sx_arg(sx, 2));
    Sx moved = sx_add(sx, sx_arg(sx, 2), sx_mul(sx, sx_num(sx, 1 - decay), lack));
    Sx until_first = sx_bin(sx, SX_LT, sx_num(sx, count), sx_arg(sx, 0)); /* 0 up to the first update */
    NodeId in[4] = {build_uniform(g, until_first), now, build_tensor(g, mean), 0};
    if (count > 1) { /* between updates it stays */
        in[3] = updates_now(g, count);
        moved = sx_select(sx, sx_arg(sx, 3), moved, sx_arg(sx, 2));
    }
    NodeId value = build_map(g, sx_select(sx, sx_arg(sx, 0), moved, sx_arg(sx, 1)), in, count > 1 ? 4 : 3);
    graph_root_add(g, ROOT_UPDATE, value, mean, g->tensors.at[mean].name);
}

/* ── state that decays ── */

/* Does argument `arg` fade in `value`, its next value, as in 0.9 * m + 0.1 * g? */
static bool fades(SxPool *sx, Sx value, unsigned arg)
{
    Sx slope[64];
    double share;
    ACT_ASSERT(arg < 64);
    sx_gradient(sx, value, arg + 1, slope);
    return !sx_is_num(sx, sx_simplify(sx, slope[arg]), &share) || (share != 0 && share > -1 && share < 1);
}

/* A momentum whose gradients are 0, behind a dead ReLU for one, fades to the smallest of numbers and stays there, since 0.9 of 4 units of the
 * last place is 4 units again. Arithmetic with numbers below the normal ones takes a processor a hundred cycles, and a step of Adam half
 * as long again. What is kept of such numbers is 0; PyTorch's differs from it by less than 5e-38. */
static NodeId settled(Graph *g, NodeId value)
{
    SxPool *sx = g->sx;
    return build_map(g, sx_un(sx, SX_SETTLE, sx_arg(sx, 0)), &value, 1);
}

static void update(PassState *state, Graph *g, const OptimizerUse *use, uint32_t tensor, NodeId gradient, uint32_t count)
{
    uint32_t n_state = use->state.n;
    NodeId *value = arena_array(state->arena, NodeId, n_state + 4);
    uint32_t *state_tensor = arena_array(state->arena, uint32_t, n_state + 1);
    value[0] = build_tensor(g, tensor);
    value[1] = gradient;
    for (uint32_t i = 0; i < n_state; i++) {
        state_tensor[i] = state_like(g, tensor, use->state.at[i], use->state_init.at[i]);
        value[2 + i] = build_tensor(g, state_tensor[i]);
    }
    Sx step = sx_arg(g->sx, 0);
    if (count > 1) /* an optimizer counts its updates */
        step = sx_un(g->sx, SX_FLOOR, sx_div(g->sx, step, sx_num(g->sx, count)));
    value[2 + n_state] = build_uniform(g, step);
    value[3 + n_state] = build_uniform(g, sx_arg(g->sx, 1));
    bool *fading = arena_array(state->arena, bool, n_state + 1);
    bool plain = use->decay_matrices_only && use->update_plain.n > 0 && g->tensors.at[tensor].type.rank < 2;
    uint32_t n_update = plain ? use->update_plain.n : use->update.n; /* biases and scales do not decay there */
    for (uint32_t i = 0; i < n_update; i++) {
        const OptimizerUpdate *u = plain ? &use->update_plain.at[i] : &use->update.at[i];
        uint32_t slot = u->target == 0 ? 0 : 1 + u->target; /* a0 is w, a1 g, the states follow */
        fading[u->target] = u->target > 0 && fades(g->sx, u->value, slot);
        NodeId in[64], next;
        Sx to[64];
        uint32_t n = 0;
        for (uint32_t k = 0; k < n_state + 4; k++)
            if (sx_uses_arg(g->sx, u->value, k)) {
                to[k] = sx_arg(g->sx, n);
                in[n++] = value[k];
            } else {
                to[k] = 0;
            }
        if (n == 0)
            in[n++] = value[slot];
        next = build_map(g, sx_substitute(g->sx, u->value, to, n_state + 4), in, n);
        value[slot] = build_expand(g, next, build_tensor(g, tensor));
    }
    for (uint32_t i = 0; i <= n_state && count > 1; i++) { /* between updates everything stays as it is */
        uint32_t slot = i == 0 ? 0 : 1 + i;
        NodeId in[3] = {updates_now(g, count), value[slot], build_tensor(g, i == 0 ? tensor : state_tensor[i - 1])};
        Sx chosen = sx_select(g->sx, sx_arg(g->sx, 0), sx_arg(g->sx, 1), sx_arg(g->sx, 2));
        value[slot] = build_map(g, chosen, in, 3);
    }
    graph_root_add(g, ROOT_UPDATE, value[0], tensor, g->tensors.at[tensor].name);
    const TrainUse *train = state->model == NULL ? NULL : state->model->train;
    if (train != NULL && train->average_decay > 0)
        average(g, tensor, value[0], count, train->average_decay);
    for (uint32_t i = 0; i < n_state; i++)
        value[2 + i] = fading[1 + i] ? settled(g, value[2 + i]) : value[2 + i];
    for (uint32_t i = 0; i < n_state; i++)
        graph_root_add(g, ROOT_UPDATE, value[2 + i], state_tensor[i], g->tensors.at[state_tensor[i]].name);
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    NodeId *gradient = arena_array(state->arena, NodeId, from->tensors.n);
    for (NodeId id = 1; id < from->nodes.n; id++)
        map[id] = graph_copy_node(g, from, id, map);
    for (uint32_t i = 0; i < from->roots.n; i++) {
        const Root *root = &from->roots.at[i];
        if (root->kind == ROOT_UPDATE && g->tensors.at[root->index].trainable)
            gradient[root->index] = map[root->node];
        else
            graph_root_add(g, root->kind, map[root->node], root->index, root->name);
    }
    const TrainUse *train = state->model == NULL ? NULL : state->model->train;
    uint32_t count = train != NULL && train->accumulate > 1 ? train->accumulate : 1;
    for (uint32_t i = 0; i < g->roots.n && train != NULL && train->average_decay > 0; i++) { /* running statistics */
        Root root = g->roots.at[i];
        if (root.kind == ROOT_UPDATE && g->tensors.at[root.index].role == ROLE_CONSTANT && g->tensors.at[root.index].type.rank > 0)
            average(g, root.index, root.node, count, train->average_decay);
    }
    NodeId share = 0;
    for (uint32_t t = 0; t < from->tensors.n && count > 1; t++)
        if (gradient[t] != 0) {
            share = share || !counts_rows(state->model) ? share : share_of_rows(g, t, count);
            gradient[t] = accumulate(g, t, gradient[t], count, share);
        }
    for (uint32_t t = 0; t < from->tensors.n && train != NULL && train->clip_value > 0; t++)
        if (gradient[t] != 0)
            gradient[t] = clip_value(g, gradient[t], train->clip_value);
    if (train != NULL && train->clip_norm > 0)
        clip(g, state->watch, gradient, from->tensors.n, train->clip_norm);
    const OptimizerUse *plain = plain_descent(state);
    for (uint32_t t = 0; t < from->tensors.n; t++) {
        const OptimizerUse *use = optimizer_of(state, plain, from->tensors.at[t].name);
        if (gradient[t] != 0 && use != NULL)
            update(state, g, use, t, gradient[t], count);
    }
    state->g = g;
}

const Pass pass_optimize = {
    .name = "optimize",
    .doc = "Turn gradients into updates of parameters and optimizer state.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .gives = FACT_GRADIENTS,
    .run = run,
};
