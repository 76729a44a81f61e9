/* Every rule of graph_verify, broken once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/tiny.h"

#include "graph/fresh.h"

#include <math.h>

/* Tensors 0 x input, 1 label target, 2 w param, 3 its state; nodes %1 x, %2 w, %3 = x * w, %4 = total, %5 the new w. */
static Graph *sound(void)
{
    Graph *g = graph_new(arena, sx, STR("g"), 8);
    Type row = type_make(DT_F32, true, 1, (uint32_t[]){4}), flat = type_make(DT_F32, false, 1, (uint32_t[]){4});
    Tensor tensors[] = {
        {.name = STR("x"), .role = ROLE_INPUT, .type = row},
        {.name = STR("label"), .role = ROLE_TARGET, .type = type_make(DT_I32, true, 0, NULL), .classes = 4},
        {.name = STR("w"), .role = ROLE_PARAM, .type = flat, .fill = {FILL_NORMAL, 0, 1}, .trainable = true},
        {.name = STR("w.m"), .role = ROLE_STATE, .type = flat, .of = 3},
    };
    for (unsigned i = 0; i < 4; i++)
        graph_tensor_add(g, &tensors[i]);
    NodeId x = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 0});
    NodeId w = graph_add(g, &tiny_leaf, NULL, 0, &(AttrValue){.i = 2});
    AttrValue product = {.sx = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 1))};
    NodeId y = graph_add(g, &tiny_map, (NodeId[]){x, w}, 2, &product);
    NodeId loss = graph_add(g, &tiny_total, &y, 1, NULL);
    NodeId again = graph_add(g, &tiny_map, &w, 1, &(AttrValue){.sx = sx_un(sx, SX_EXP, sx_arg(sx, 0))});
    graph_root_add(g, ROOT_OUTPUT, y, 0, STR("y"));
    graph_root_add(g, ROOT_LOSS, loss, 0, STR("loss"));
    graph_root_add(g, ROOT_PREDICTION, y, 0, STR("mse"));
    graph_root_add(g, ROOT_UPDATE, again, 2, STR("w"));
    return g;
}

static int setup_sound(void **state)
{
    setup(state);
    *state = sound();
    return 0;
}

#define BROKEN(g, sentence)                          \
    do {                                             \
        const char *why_ = graph_verify((g), arena); \
        assert_non_null(why_);                       \
        assert_string_equal(why_, sentence);         \
    } while (0)

static void test_sound(void **state)
{
    assert_null(graph_verify(*state, arena));
}

static void test_batch(void **state)
{
    Graph *g = *state;
    g->batch = 0;
    BROKEN(g, "the graph has a batch of 0 rows");
}

/* ── tensors ── */
static void test_tensor_type(void **state)
{
    Graph *g = *state;
    Tensor *w = &g->tensors.at[2];
    Type good = w->type;
    w->type.dtype = (DType)7;
    BROKEN(g, "tensor 2 \"w\" has no element type");
    w->type = good;
    w->type.rank = TYPE_MAX_RANK + 1;
    BROKEN(g, "tensor 2 \"w\" has too many dimensions");
    w->type = good;
    w->type.dim[0] = 0;
    BROKEN(g, "tensor 2 \"w\" has a dimension of size 0");
    w->type = type_make(DT_F32, false, 2, (uint32_t[]){UINT32_MAX, UINT32_MAX});
    BROKEN(g, "tensor 2 \"w\" has too many elements");
    w->type = good;
    w->type.dtype = DT_I32;
    BROKEN(g, "tensor 2 \"w\" is not of floats");
}

static void test_tensor_names(void **state)
{
    Graph *g = *state;
    g->tensors.at[3].name = STR("w");
    BROKEN(g, "tensor 3 \"w\" has the name of another tensor");
    g->tensors.at[3].name = STR("");
    BROKEN(g, "tensor 3 \"\" has no name");
}

static void test_tensor_batch(void **state)
{
    Graph *g = *state;
    g->tensors.at[2].type.batch = true;
    BROKEN(g, "tensor 2 \"w\" has a batch, which only inputs and targets have");
    g->tensors.at[1].type.batch = false;
    BROKEN(g, "tensor 1 \"label\" is data without a batch");
}

static void test_tensor_axes(void **state)
{
    Graph *g = *state;
    Tensor *w = &g->tensors.at[2];
    w->file_axis[0] = 1;
    BROKEN(g, "tensor 2 \"w\" has file axes that are no permutation");
    w->type = type_make(DT_F32, false, 2, (uint32_t[]){3, 3});
    w->file_axis[1] = 1;
    BROKEN(g, "tensor 2 \"w\" has file axes that are no permutation"); /* 1, 1 */
}

static void test_tensor_role(void **state)
{
    Graph *g = *state;
    g->tensors.at[3].trainable = true;
    BROKEN(g, "tensor 3 \"w.m\" is trainable, but no parameter");
    g->tensors.at[3].trainable = false;
    g->tensors.at[3].of = 1;
    BROKEN(g, "tensor 3 \"w.m\" is the state of something that is no parameter");
    g->tensors.at[3].of = 9;
    BROKEN(g, "tensor 3 \"w.m\" is the state of something that is no parameter");
    g->tensors.at[2].of = 3;
    BROKEN(g, "tensor 2 \"w\" belongs to a parameter, but is no state");
}

static void test_tensor_layout(void **state)
{
    Graph *g = *state;
    Tensor *w = &g->tensors.at[2];
    w->layout = LAYOUT_PANELS;
    w->panel = 16;
    BROKEN(g, "tensor 2 \"w\" is in panels, but no weight of the model with a panel width"); /* one axis */
    Tensor m = {.name = STR("v"), .role = ROLE_PARAM, .type = type_make(DT_F32, false, 2, (uint32_t[]){2, 3}),
                .layout = LAYOUT_PANELS};
    w->layout = LAYOUT_ROWS;
    uint32_t v = graph_tensor_add(g, &m);
    BROKEN(g, "tensor 4 \"v\" is in panels, but no weight of the model with a panel width"); /* width 0 */
    g->tensors.at[v].panel = 16;
    assert_null(graph_verify(g, arena));
    g->tensors.at[v].rows_only = true;
    BROKEN(g, "tensor 4 \"v\" is in panels, but read in rows");
}

static void test_tensor_flat(void **state)
{
    Graph *g = *state;
    Tensor *w = &g->tensors.at[2];
    w->flat_rank = 2;
    w->flat[0] = w->flat[1] = 3;
    BROKEN(g, "tensor 2 \"w\" has a first axis that is not the product of `flat`");
    w->flat[0] = w->flat[1] = 2;
    assert_null(graph_verify(g, arena));
    w->flat_rank = 99;
    BROKEN(g, "tensor 2 \"w\" has a flattened axis it can't have");
}

static void test_tensor_fill(void **state)
{
    Graph *g = *state;
    Fill *fill = &g->tensors.at[2].fill;
    fill->b = -1;
    BROKEN(g, "tensor 2 \"w\" has a fill of negative deviation");
    *fill = (Fill){FILL_UNIFORM, 1, 0};
    BROKEN(g, "tensor 2 \"w\" has a fill whose interval is empty");
    *fill = (Fill){FILL_CONSTANT, (double)NAN, 0};
    BROKEN(g, "tensor 2 \"w\" has a fill that is not finite");
    *fill = (Fill){(FillKind)17, 0, 0};
    BROKEN(g, "tensor 2 \"w\" has an unknown fill");
}

/* ── nodes ── */
static void test_node_order(void **state)
{
    Graph *g = *state;
    graph_node(g, 3)->in[1] = 3;
    BROKEN(g, "%3 (map): uses %3, which does not come before it");
    graph_node(g, 3)->in[1] = 0;
    BROKEN(g, "%3 (map): uses %0, which does not come before it");
    graph_node(g, 3)->in[1] = 4000;
    BROKEN(g, "%3 (map): uses %4000, which does not come before it");
}

static void test_node_inputs(void **state)
{
    Graph *g = *state;
    graph_node(g, 4)->n_in = 0;
    BROKEN(g, "%4 (total): has 0 inputs, not 1 to 1");
    graph_node(g, 4)->op = NULL;
    BROKEN(g, "%4 (?): has no op");
}

static void test_node_type(void **state)
{
    Graph *g = *state;
    graph_node(g, 3)->type.dim[0] = 5;
    BROKEN(g, "%3 (map): is f32[B, 5], but should be f32[B, 4]");
    graph_node(g, 3)->type.dim[0] = 0;
    BROKEN(g, "%3 (map): has a dimension of size 0");
}

static void test_node_infer(void **state)
{
    Graph *g = *state;
    g->tensors.at[2].type.dim[0] = 3; /* x and w do not broadcast any more; %2 is the first to show it */
    BROKEN(g, "%2 (leaf): is f32[4], but should be f32[3]");
    graph_node(g, 2)->type.dim[0] = 3;
    BROKEN(g, "%3 (map): the shapes do not broadcast");
}

static void test_attributes(void **state)
{
    Graph *g = *state;
    graph_node(g, 1)->attr[0].i = 4;
    BROKEN(g, "%1 (leaf): there is no tensor 4");
    graph_node(g, 1)->attr[0].i = -1;
    BROKEN(g, "%1 (leaf): there is no tensor -1");
    graph_node(g, 1)->attr[0].i = 0;
    graph_node(g, 3)->attr[0].sx = sx_arg(sx, 2);
    BROKEN(g, "%3 (map): the expression reads a2 of 2 inputs");
    graph_node(g, 3)->attr[0].sx = 0;
    BROKEN(g, "%3 (map): the map has no expression");
}

static void test_attribute_kinds(void **state)
{
    Graph *g = *state;
    AttrValue attr[5] = {{.i = 1}, {.f = 2}, {.s = STR("abc")}, {.dims = {1, {4}}}, {.sx = sx_num(sx, 1)}};
    Node *node = graph_node(g, graph_add(g, &tiny_mixed, NULL, 0, attr));
    assert_null(graph_verify(g, arena));
    node->attr[1].f = (double)NAN;
    BROKEN(g, "%6 (mixed): `scale` is not a number");
    node->attr[1].f = (double)INFINITY; /* what a maximum is padded with */
    assert_null(graph_verify(g, arena));
    node->attr[3].dims.n = TYPE_MAX_RANK + 1;
    BROKEN(g, "%6 (mixed): `shape` has 7 numbers, more than 6");
}

/* ── roots ── */
static void test_root_node(void **state)
{
    Graph *g = *state;
    g->roots.at[0].node = 6;
    BROKEN(g, "output 0: %6: there is no node %6");
    g->roots.at[0].node = 0;
    BROKEN(g, "output 0: %0: there is no node %0");
}

static void test_root_types(void **state)
{
    Graph *g = *state;
    g->roots.at[0].node = 4;
    BROKEN(g, "output 0: %4: f32[] is no row of floats for every sample");
    g->roots.at[0].node = 3;
    g->roots.at[1].node = 3;
    BROKEN(g, "loss 0: %3: f32[B, 4] is no scalar");
    g->roots.at[1].node = 4;
    g->roots.at[2].node = 2;
    BROKEN(g, "prediction 0: %2: f32[4] is no row of floats for every sample");
}

static void test_root_update(void **state)
{
    Graph *g = *state;
    g->roots.at[3].node = 4;
    BROKEN(g, "update 2: %4: f32[] for a tensor of type f32[4]");
    g->roots.at[3].index = 0;
    BROKEN(g, "update 0: %4: data can't be updated");
    g->roots.at[3].index = 4;
    BROKEN(g, "update 4: %4: there is no tensor 4");
}

static void test_root_twice(void **state)
{
    Graph *g = *state;
    graph_root_add(g, ROOT_LOSS, 4, 1, STR("other"));
    assert_null(graph_verify(g, arena));
    graph_root_add(g, ROOT_LOSS, 4, 1, STR("again"));
    BROKEN(g, "loss 1: %4: there is another one with this number");
    g->roots.n--;
    g->roots.at[4].kind = (RootKind)9;
    BROKEN(g, "root 1: %4: it is of no kind");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_sound, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sound),       TEST(test_batch),       TEST(test_tensor_type),   TEST(test_tensor_names),
        TEST(test_tensor_batch), TEST(test_tensor_axes), TEST(test_tensor_role),   TEST(test_tensor_layout),
        TEST(test_tensor_flat), TEST(test_tensor_fill), TEST(test_node_order),    TEST(test_node_inputs),
        TEST(test_node_type),   TEST(test_node_infer),  TEST(test_attributes),    TEST(test_attribute_kinds),
        TEST(test_root_node),   TEST(test_root_types),  TEST(test_root_update),   TEST(test_root_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
