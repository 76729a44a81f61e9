/* Plain stacks of linear layers of one width and one activation, built by hand, for tests of signal propagation. */
#ifndef TEST_CHECK_STACK_H
#define TEST_CHECK_STACK_H

#include "check/signal.h"
#include "ops/build.h"

typedef struct Stack {
    Arena *arena;
    Graph *g;
    NodeId prediction;
    NodeId product[64]; /* the pre-activations, in order */
    uint32_t layers;
    Sx fn;
} Stack;

static inline uint32_t stack_tensor(Graph *g, const char *name, Role role, Type type, double deviation)
{
    Tensor t = {.name = str_of(name),
                .role = role,
                .type = type,
                .low = 1,
                .high = 0,
                .trainable = true,
                .deviation = deviation};
    t.weight = role == ROLE_PARAM;
    t.fill = (Fill){FILL_NORMAL, 0, deviation};
    t.fan_in = type.dim[0];
    t.fan_out = type.dim[type.rank ? type.rank - 1 : 0];
    return graph_tensor_add(g, &t);
}

static inline Sx stack_fn(SxPool *sx, const char *text, Arena *arena)
{
    Str rest = str_of(text), why = {0};
    Sx fn = sx_read(sx, &rest, &why, arena);
    ACT_ASSERT(fn != 0);
    return fn;
}

/* `hidden` layers of `width` units with weights of variance gain² / width, the activation behind each, and an output
 * layer of the same width and gain. */
static inline Stack stack_new(const char *fn, double gain, uint32_t hidden, uint32_t width)
{
    Stack s = {.arena = arena_new()};
    s.g = graph_new(s.arena, sx_pool_new(s.arena), STR("stack"), 32);
    s.fn = stack_fn(s.g->sx, fn, s.arena);
    uint32_t shape[2] = {width, width};
    NodeId x = build_tensor(s.g, stack_tensor(s.g, "x", ROLE_INPUT, type_make(DT_F32, true, 1, shape), 0));
    for (uint32_t i = 0; i <= hidden; i++) {
        double deviation = gain / __builtin_sqrt(width);
        const char *name = str_printf(s.arena, "w%u", i).p;
        NodeId w =
            build_tensor(s.g, stack_tensor(s.g, name, ROLE_PARAM, type_make(DT_F32, false, 2, shape), deviation));
        x = build_contract(s.g, CONTRACT_NN, x, w);
        s.product[s.layers++] = x;
        if (i < hidden)
            x = build_map(s.g, s.fn, &x, 1);
    }
    s.prediction = x;
    graph_root_add(s.g, ROOT_OUTPUT, x, 0, STR("y"));
    return s;
}

static inline Signal *stack_signal(const Stack *s)
{
    SignalOptions options = {.prediction = &s->prediction, .n_prediction = 1};
    return signal_run(s->arena, facts_new(s->arena, s->g), &options);
}

#define FN_RELU     "(max a0 0)"
#define FN_SIGMOID  "(sigmoid a0)"
#define FN_TANH     "(tanh a0)"
#define FN_GELU     "(mul (mul a0 0.5) (add 1 (erf (mul a0 0.7071067811865476))))"
#define FN_SILU     "(mul a0 (sigmoid a0))"
#define FN_ELU      "(select (lt 0 a0) a0 (expm1 a0))"
#define FN_SELU     "(mul 1.0507009873554805 (select (lt 0 a0) a0 (mul 1.6732632423543772 (expm1 a0))))"
#define FN_SOFTPLUS "(add (max a0 0) (log1p (exp (neg (abs a0)))))"

#endif
