/* The functions people use, built by hand, for the tests of sx. Argument 0 is x; losses take the target as argument
 * 1. */
#ifndef TEST_GRAPH_SX_ZOO_H
#define TEST_GRAPH_SX_ZOO_H

#include "graph/sx.h"

typedef struct Zoo {
    const char *name;
    Sx (*make)(SxPool *p, Sx x);
} Zoo;

static inline Sx zoo_num(SxPool *p, double v) { return sx_num(p, v); }
static inline Sx zoo_max(SxPool *p, Sx a, double b) { return sx_bin(p, SX_MAX, a, sx_num(p, b)); }
static inline Sx zoo_min(SxPool *p, Sx a, double b) { return sx_bin(p, SX_MIN, a, sx_num(p, b)); }
static inline Sx zoo_times(SxPool *p, double k, Sx a) { return sx_mul(p, sx_num(p, k), a); }
static inline Sx zoo_plus(SxPool *p, Sx a, double k) { return sx_add(p, a, sx_num(p, k)); }
static inline Sx zoo_positive(SxPool *p, Sx x, Sx then, Sx other)
{
    return sx_select(p, sx_bin(p, SX_LT, sx_num(p, 0), x), then, other);
}

static inline Sx zoo_identity(SxPool *p, Sx x) { (void)p; return x; }
static inline Sx zoo_relu(SxPool *p, Sx x) { return zoo_max(p, x, 0); }
static inline Sx zoo_leaky_relu(SxPool *p, Sx x) { return zoo_positive(p, x, x, zoo_times(p, 0.01, x)); }
static inline Sx zoo_leaky_02(SxPool *p, Sx x) { return zoo_positive(p, x, x, zoo_times(p, 0.2, x)); }
static inline Sx zoo_low(SxPool *p, Sx x) { return sx_bin(p, SX_MIN, sx_num(p, 0), x); } /* a tie goes to x */
static inline Sx zoo_elu(SxPool *p, Sx x) { return zoo_positive(p, x, x, sx_un(p, SX_EXPM1, zoo_low(p, x))); }
static inline Sx zoo_selu(SxPool *p, Sx x)
{
    Sx low = zoo_times(p, 1.6732632423543772848, sx_un(p, SX_EXPM1, zoo_low(p, x)));
    return zoo_times(p, 1.0507009873554804934, zoo_positive(p, x, x, low));
}
static inline Sx zoo_gelu(SxPool *p, Sx x)
{
    Sx t = sx_un(p, SX_ERF, sx_div(p, x, sx_num(p, 1.4142135623730950488)));
    return sx_mul(p, zoo_times(p, 0.5, x), zoo_plus(p, t, 1));
}
static inline Sx zoo_gelu_tanh(SxPool *p, Sx x)
{
    Sx inner = sx_add(p, x, zoo_times(p, 0.044715, sx_powi(p, x, 3)));
    Sx t = sx_un(p, SX_TANH, zoo_times(p, 0.79788456080286535588, inner));
    return sx_mul(p, zoo_times(p, 0.5, x), zoo_plus(p, t, 1));
}
static inline Sx zoo_sigmoid(SxPool *p, Sx x) { return sx_un(p, SX_SIGMOID, x); }
static inline Sx zoo_tanh(SxPool *p, Sx x) { return sx_un(p, SX_TANH, x); }
static inline Sx zoo_silu(SxPool *p, Sx x) { return sx_mul(p, x, sx_un(p, SX_SIGMOID, x)); }
static inline Sx zoo_softplus(SxPool *p, Sx x)
{
    Sx tail = sx_un(p, SX_LOG1P, sx_un(p, SX_EXP, sx_neg(p, sx_un(p, SX_ABS, x))));
    return sx_add(p, zoo_max(p, x, 0), tail);
}
static inline Sx zoo_mish(SxPool *p, Sx x) { return sx_mul(p, x, sx_un(p, SX_TANH, zoo_softplus(p, x))); }
static inline Sx zoo_log_sigmoid(SxPool *p, Sx x) { return sx_neg(p, zoo_softplus(p, sx_neg(p, x))); }
static inline Sx zoo_relu6(SxPool *p, Sx x) { return zoo_min(p, zoo_max(p, x, 0), 6); }
static inline Sx zoo_hard_sigmoid(SxPool *p, Sx x)
{
    return sx_div(p, zoo_relu6(p, zoo_plus(p, x, 3)), sx_num(p, 6));
}
static inline Sx zoo_hard_swish(SxPool *p, Sx x) { return sx_mul(p, x, zoo_hard_sigmoid(p, x)); }
static inline Sx zoo_hard_tanh(SxPool *p, Sx x) { return zoo_max(p, zoo_min(p, x, 1), -1); }
static inline Sx zoo_softsign(SxPool *p, Sx x) { return sx_div(p, x, zoo_plus(p, sx_un(p, SX_ABS, x), 1)); }

static const Zoo zoo[] = {{"identity", zoo_identity},
                          {"relu", zoo_relu},
                          {"leaky_relu", zoo_leaky_relu},
                          {"leaky_02", zoo_leaky_02},
                          {"elu", zoo_elu},
                          {"selu", zoo_selu},
                          {"gelu", zoo_gelu},
                          {"gelu_tanh", zoo_gelu_tanh},
                          {"sigmoid", zoo_sigmoid},
                          {"tanh", zoo_tanh},
                          {"silu", zoo_silu},
                          {"softplus", zoo_softplus},
                          {"mish", zoo_mish},
                          {"log_sigmoid", zoo_log_sigmoid},
                          {"relu6", zoo_relu6},
                          {"hard_sigmoid", zoo_hard_sigmoid},
                          {"hard_swish", zoo_hard_swish},
                          {"hard_tanh", zoo_hard_tanh},
                          {"softsign", zoo_softsign}};
#define ZOO_COUNT (sizeof zoo / sizeof *zoo)

/* Losses of prediction x and target y. */
static inline Sx zoo_huber(SxPool *p, Sx x, Sx y)
{
    Sx r = sx_sub(p, x, y), size = sx_un(p, SX_ABS, r);
    Sx inner = zoo_times(p, 0.5, sx_powi(p, r, 2));
    return sx_select(p, sx_bin(p, SX_LE, size, sx_num(p, 1)), inner, zoo_plus(p, size, -0.5));
}
static inline Sx zoo_bce_with_logits(SxPool *p, Sx z, Sx y) { return sx_sub(p, zoo_softplus(p, z), sx_mul(p, z, y)); }
/* The same, in the order frameworks write it: max(z, 0) - z y + log1p(exp(-|z|)) */
static inline Sx zoo_bce_reordered(SxPool *p, Sx z, Sx y)
{
    Sx tail = sx_un(p, SX_LOG1P, sx_un(p, SX_EXP, sx_neg(p, sx_un(p, SX_ABS, z))));
    return sx_add(p, sx_sub(p, zoo_max(p, z, 0), sx_mul(p, z, y)), tail);
}

#endif
