#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/tiny.h"
#include "graph/fresh.h"

/* x[B, 3], w[3]; y = x * w named "y" from "scale", in layer 4; loss = total(y) */
static Graph *small(void)
{
    Graph *g = graph_new(arena, sx, STR("small"), 8);
    Tensor x = {.name = STR("x"), .role = ROLE_INPUT, .type = type_make(DT_F32, true, 1, (uint32_t[]){3})};
    Tensor w = {.name = STR("w"), .role = ROLE_PARAM, .type = type_make(DT_F32, false, 1, (uint32_t[]){3})};
    graph_tensor_add(g, &x);
    graph_tensor_add(g, &w);
    NodeId a = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 0});
    NodeId b = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 1});
    AttrValue product = {.sx = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 1))};
    NodeId y = graph_add(g, &tiny_map, (NodeId[]){a, b}, 2, &product);
    Node *node = graph_node(g, y);
    node->name = STR("y");
    node->fn = STR("scale");
    node->layer = 4;
    node->span = (Span){2, 10, 20};
    NodeId loss = graph_add(g, &tiny_total, &y, 1, NULL);
    graph_root_add(g, ROOT_OUTPUT, y, 0, STR("y"));
    graph_root_add(g, ROOT_LOSS, loss, 0, STR("loss"));
    return g;
}

static void test_build(void **state)
{
    (void)state;
    Graph *g = small();
    assert_int_equal(g->nodes.n, 5);
    assert_int_equal(graph_node(g, 3)->in[1], 2);
    Type y = type_make(DT_F32, true, 1, (uint32_t[]){3}), loss = type_scalar();
    assert_true(type_equal(graph_type(g, 3), &y));
    assert_true(type_equal(graph_type(g, 4), &loss));
    assert_int_equal(graph_tensor_find(g, STR("w")), 1);
    assert_int_equal(graph_tensor_find(g, STR("v")), -1);
    assert_null(graph_verify(g, arena));
}

static void test_inputs_are_copied(void **state)
{
    (void)state;
    Graph *g = small();
    NodeId in[] = {1, 2};
    char word[] = "abc";
    AttrValue attr[5] = {{.i = 1}, {.f = 2}, {.s = {word, 3}}, {.dims = {1, {4}}}, {.sx = sx_num(sx, 1)}};
    NodeId id = graph_add(g, &tiny_mixed, NULL, 0, attr);
    NodeId sum = graph_add(g, &tiny_map, in, 2, &(AttrValue){.sx = sx_arg(sx, 0)});
    in[0] = 77;
    word[0] = 'z';
    attr[0].i = 9;
    assert_int_equal(graph_node(g, sum)->in[0], 1);
    assert_true(str_is(node_attr(graph_node(g, id), 2)->s, "abc"));
    assert_int_equal(node_attr(graph_node(g, id), 0)->i, 1);
}

static void test_try_refuses(void **state)
{
    (void)state;
    Graph *g = small();
    Str why = {0};
    AttrValue attr[5] = {{.i = 0}, {.f = 0}, {.s = STR("")}, {.dims = {2, {3, 0}}}, {.sx = 0}};
    assert_int_equal(graph_try(g, &tiny_mixed, NULL, 0, attr, &why), 0);
    assert_true(str_is(why, "axis 1 of size 0"));
    assert_int_equal(graph_try(g, &tiny_total, NULL, 0, NULL, &why), 0);
    assert_true(str_is(why, "`total` takes 1 to 1 inputs, not 0"));
    assert_int_equal(graph_try(g, &tiny_total, (NodeId[]){5}, 1, NULL, &why), 0);
    assert_true(str_is(why, "input 0 of `total` is no node of this graph"));
    assert_int_equal(g->nodes.n, 5); /* nothing is left behind */
}

static void test_copy(void **state)
{
    (void)state;
    Graph *g = small(), *to = graph_like(g);
    assert_int_equal(to->nodes.n, 1);
    assert_int_equal(to->roots.n, 0);
    assert_int_equal(to->tensors.n, 2);
    assert_int_equal(to->batch, 8);
    assert_ptr_equal(to->sx, g->sx);
    NodeId map[5] = {0};
    map[2] = graph_copy_node(to, g, 2, map);
    map[1] = graph_copy_node(to, g, 1, map);
    map[3] = graph_copy_node(to, g, 3, map);
    assert_int_equal(map[3], 3);
    const Node *node = graph_node(to, 3);
    assert_int_equal(node->in[0], 2);
    assert_int_equal(node->in[1], 1);
    assert_true(str_is(node->name, "y"));
    assert_true(str_is(node->fn, "scale"));
    assert_int_equal(node->layer, 4);
    assert_int_equal(node->span.end, 20);
    to->tensors.at[0].panel = 5; /* the tensors are copies */
    assert_int_equal(g->tensors.at[0].panel, 0);
}

static void test_copy_into_itself(void **state)
{
    (void)state;
    Graph *g = small();
    NodeId map[5] = {0, 1, 2, 3, 4};
    for (int i = 0; i < 100; i++) /* grows the table many times over */
        assert_int_equal(graph_copy_node(g, g, 3, map), 5 + i);
    assert_true(str_is(graph_node(g, 104)->name, "y"));
    assert_null(graph_verify(g, arena));
}

static void test_uses(void **state)
{
    (void)state;
    Graph *g = small();
    uint32_t *uses = graph_uses(g, arena);
    assert_int_equal(uses[1], 1);
    assert_int_equal(uses[2], 1);
    assert_int_equal(uses[3], 2); /* total and a root */
    assert_int_equal(uses[4], 1);
}

static void test_tensor_defaults(void **state)
{
    (void)state;
    Graph *g = graph_new(arena, sx, STR("t"), 1);
    Tensor plain = {.name = STR("w"), .role = ROLE_PARAM, .type = type_make(DT_F32, false, 2, (uint32_t[]){3, 4})};
    assert_int_equal(graph_tensor_add(g, &plain), 0);
    const Tensor *t = &g->tensors.at[0];
    assert_int_equal(t->file_axis[0], 0);
    assert_int_equal(t->file_axis[1], 1);
    assert_true(t->low > t->high);
    Tensor given = plain;
    given.name = STR("v");
    given.file_axis[0] = 1;
    given.low = -1;
    given.high = 2;
    assert_int_equal(graph_tensor_add(g, &given), 1);
    t = &g->tensors.at[1];
    assert_int_equal(t->file_axis[0], 1);
    assert_int_equal(t->file_axis[1], 0);
    assert_true(t->low == -1 && t->high == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_build, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inputs_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_try_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy_into_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tensor_defaults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
