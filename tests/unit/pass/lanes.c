/* Neighbouring places in the lanes: the same numbers forward, for both gradients, and behind maps; where it does not pay nothing happens. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops/build.h"
#include "rewritten.h"

typedef struct Case {
    uint32_t size[2], kernel[2], stride[2], channels, columns;
    ContractForm form;
    uint32_t step, phase;  /* of a flipped product: [2 K, 2 K] taps, every second */
    uint32_t lanes;        /* columns of the product it becomes */
} Case;

static NodeId input(Graph *g, const char *name, bool batch, uint32_t rank, const uint32_t *dim)
{
    Tensor t = {.name = str_of(name), .role = batch ? ROLE_INPUT : ROLE_PARAM, .type = type_make(DT_F32, batch, rank, dim), .low = 1};
    for (uint32_t i = 0; i < TYPE_MAX_RANK; i++)
        t.file_axis[i] = i;
    return build_tensor(g, graph_tensor_add(g, &t));
}

static NodeId product(Graph *g, const Case *c)
{
    Window w = {.n = 2};
    uint32_t dy[3] = {0, 0, c->columns}, k[4] = {0, 0, c->channels, c->columns};
    Contract form = {.form = c->form, .depth = 3};
    for (uint32_t i = 0; i < 2; i++) {
        w.kernel[i] = c->kernel[i], w.stride[i] = c->stride[i], w.dilation[i] = 1;
        dy[i] = window_places(c->size[i], c->kernel[i], c->stride[i], 1);
        k[i] = c->kernel[i] * (c->step ? c->step : 1);
        form.step[i] = c->step, form.phase[i] = c->step ? c->phase : 0;
    }
    if (c->form == CONTRACT_FLIPPED)
        k[2] = c->columns, k[3] = c->channels;
    NodeId x = input(g, "x", true, 3, (uint32_t[]){c->size[0], c->size[1], c->channels});
    NodeId other = c->form == CONTRACT_TN ? input(g, "dy", true, 3, dy) : input(g, "w", false, 4, k);
    NodeId y = build_product(g, form, build_window(g, x, &w), other);
    if (c->form == CONTRACT_TN)
        return build_mul(g, y, input(g, "s", true, 1, (uint32_t[]){1}));
    NodeId bias = input(g, "b", false, 1, &c->columns), same = input(g, "r", true, 3, dy);
    y = build_map1(g, SX_TANH, build_add(g, y, bias));
    return build_mul(g, build_add(g, y, same), build_add(g, y, build_number(g, 2)));
}

static uint32_t widest(const Graph *g)
{
    uint32_t most = 0;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        if (node->op->kind == OP_CONTRACT && type_last(&node->type) > most)
            most = (uint32_t)type_last(&node->type);
    }
    return most;
}

static void same_numbers(void **unused)
{
    (void)unused;
    static const Case cases[] = {
        {{7, 8}, {3, 3}, {1, 1}, 2, 6, CONTRACT_NN, 0, 0, 12},      {{9, 13}, {5, 5}, {1, 1}, 1, 5, CONTRACT_NN, 0, 0, 15},
        {{9, 13}, {5, 5}, {2, 2}, 2, 1, CONTRACT_NN, 0, 0, 5},      {{7, 8}, {3, 3}, {1, 1}, 2, 6, CONTRACT_TN, 0, 0, 12},
        {{9, 14}, {3, 4}, {2, 2}, 3, 4, CONTRACT_TN, 0, 0, 12},     {{7, 8}, {3, 3}, {1, 1}, 5, 3, CONTRACT_FLIPPED, 0, 0, 9},
        {{6, 9}, {2, 2}, {1, 1}, 5, 3, CONTRACT_FLIPPED, 2, 1, 12}, {{6, 9}, {2, 2}, {1, 1}, 5, 3, CONTRACT_FLIPPED, 2, 0, 12},
        {{7, 9}, {3, 3}, {1, 1}, 2, 6, CONTRACT_NN, 0, 0, 6},       {{7, 8}, {3, 3}, {1, 1}, 2, 9, CONTRACT_NN, 0, 0, 9},
        {{7, 8}, {3, 1}, {1, 1}, 2, 4, CONTRACT_TN, 0, 0, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new();
        Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 2);
        NodeId y = product(g, &cases[i]);
        graph_root_add(g, ROOT_OUTPUT, y, 0, STR("y"));
        PassState state = {.arena = arena, .g = g, .target = target_find(16, 32)};
        pass_lanes.run(&state);
        pass_prune.run(&state);
        const char *why = graph_verify(state.g, arena);
        if (why != NULL)
            fail_msg("case %zu: %s", i, why);
        if (widest(state.g) != cases[i].lanes)
            fail_msg("case %zu: %u columns", i, widest(state.g));
        rewritten_check(arena, g, state.g, 1e-12, i);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_numbers)};
    return cmocka_run_group_tests_name("pass.lanes", tests, NULL, NULL);
}
