/* The sums of windows as convolutions: the same numbers, with strides, dilations, cut edges and uneven sizes; what does not fit stays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops/build.h"
#include "rewritten.h"

typedef struct Case {
    uint32_t size[2], kernel[2], stride[2], dilation[2], cut[4]; /* cut: off each side, as the gradient of a padding does */
    bool convolution;
    uint32_t channels; /* 0: 16 */
} Case;

static NodeId sums(Graph *g, const Case *c)
{
    Window w = {.n = 2};
    uint32_t places[2], columns = c->channels ? 64 : 5;
    for (int i = 0; i < 2; i++) {
        w.kernel[i] = c->kernel[i], w.stride[i] = c->stride[i], w.dilation[i] = c->dilation[i];
        places[i] = window_places(c->size[i], c->kernel[i], c->stride[i], c->dilation[i]);
    }
    Tensor dy = {.name = STR("dy"), .role = ROLE_INPUT, .type = {DT_F32, true, 3, {places[0], places[1], columns}}, .low = 1};
    Tensor k = {.name = STR("w"), .role = ROLE_PARAM, .type = {DT_F32, false, 4, {c->kernel[0], c->kernel[1], c->channels ? c->channels : 16, columns}}};
    k.low = 1;
    for (uint32_t i = 0; i < TYPE_MAX_RANK; i++)
        dy.file_axis[i] = k.file_axis[i] = i;
    NodeId a = build_tensor(g, graph_tensor_add(g, &dy)), b = build_tensor(g, graph_tensor_add(g, &k));
    NodeId wide = build_product(g, (Contract){.form = CONTRACT_NT, .depth = 3}, a, b);
    NodeId y = build_overlap_add(g, wide, &w, c->size);
    for (uint32_t i = 0; i < 2; i++)
        if (c->cut[2 * i] + c->cut[2 * i + 1] > 0)
            y = build_slice(g, y, i, c->cut[2 * i], c->size[i] - c->cut[2 * i + 1]);
    return y;
}

static bool has_sums(const Graph *g)
{
    Window w;
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (build_is_overlap_add(graph_node(g, id), &w))
            return true;
    return false;
}

static void same_numbers(void **unused)
{
    (void)unused;
    static const Case cases[] = {
        {{6, 7}, {3, 3}, {1, 1}, {1, 1}, {0}, true, 0},          {{6, 7}, {3, 2}, {1, 1}, {1, 1}, {1, 1, 0, 1}, true, 0},
        {{9, 8}, {2, 3}, {1, 1}, {3, 2}, {2, 1, 3, 3}, true, 0}, {{5, 5}, {3, 3}, {1, 1}, {1, 1}, {2, 2, 2, 2}, true, 0},
        {{8, 4}, {4, 1}, {1, 1}, {1, 1}, {0, 3, 1, 0}, true, 0}, {{7, 7}, {3, 3}, {2, 1}, {1, 1}, {1, 1, 1, 1}, true, 0},
        {{8, 9}, {3, 3}, {2, 2}, {1, 1}, {0}, true, 0},          {{10, 11}, {4, 5}, {2, 3}, {1, 1}, {1, 1, 2, 1}, true, 0},
        {{9, 9}, {3, 2}, {3, 2}, {1, 1}, {1, 0, 0, 0}, true, 0}, {{9, 9}, {1, 1}, {2, 2}, {1, 1}, {0}, false, 0},
        {{9, 9}, {3, 3}, {2, 2}, {2, 1}, {0}, false, 0},         {{14, 14}, {5, 5}, {1, 1}, {1, 1}, {0}, false, 6},
        {{10, 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, true, 64}, {{10, 10}, {3, 3}, {1, 1}, {1, 1}, {0}, false, 64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new();
        Graph *g = graph_new(arena, sx_pool_new(arena), STR("g"), 2);
        NodeId y = sums(g, &cases[i]);
        graph_root_add(g, ROOT_OUTPUT, y, 0, STR("y"));
        PassState state = {.arena = arena, .g = g, .target = target_find(16, 32)};
        pass_convolve.run(&state);
        pass_prune.run(&state);
        assert_null(graph_verify(state.g, arena));
        assert_int_equal(has_sums(state.g), !cases[i].convolution);
        rewritten_check(arena, g, state.g, 0, i);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_numbers)};
    return cmocka_run_group_tests_name("pass.convolve", tests, NULL, NULL);
}
