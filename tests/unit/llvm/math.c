/* The vector functions: error over samples of all floats, special values, the same bits in every lane count; minimum,
 * maximum, floor, powers, sine and cosine. The slow test goes through every float. */
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/ulp.h"

/* All functions, compiled for every level that this machine runs. */
static void each_level(void (*test)(const JitLevel *level, const UlpRun *run))
{
    for (int l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Jit jit;
        UlpRun run[ULP_FUNCTIONS];
        ulp_start(&jit, &jit_level[l], run);
        test(&jit_level[l], run);
        jit_end(&jit);
    }
}

/* Floats in order of their bits, `stride` apart. */
static void error_at(const JitLevel *level, const UlpRun *run)
{
    enum { STRIDE = 10007 };
    static float in[ULP_BLOCK], out[ULP_BLOCK];
    static double ref[ULP_BLOCK];
    for (unsigned f = 0; f < ULP_FUNCTIONS; f++) {
        UlpWorst worst = {0};
        for (uint64_t next = 0; next >> 32 == 0;) {
            for (unsigned i = 0; i < ULP_BLOCK; i++, next += STRIDE) {
                uint32_t bits = (uint32_t)next;
                memcpy(&in[i], &bits, 4);
                ref[i] = ulp_function[f].reference((double)in[i]);
            }
            run[f](in, out, ULP_BLOCK);
            ulp_measure(in, out, ref, ULP_BLOCK, &worst);
        }
        if (!(worst.error <= ulp_most(f, level)))
            fail_msg("%s, %s: %.3f ULP at %a", level->name, ulp_function[f].name, worst.error, (double)worst.at);
    }
}

static void test_error(void **state)
{
    (void)state;
    each_level(error_at);
}

/* Where something changes: zeros, ends of the range, and their neighbours. */
static void special_at(const JitLevel *level, const UlpRun *run)
{
    static const float place[] = {0,       0x1p-149f, 0x1p-126f,       0x1p-24f,  0.5f,      1,          2,     9,
                                  17.33f,  88.72283f, 88.72284f,       87.33654f, 87.33655f, 103.97208f, 3.93f, 0x1p24f,
                                  0x1p25f, 0x1p126f,  0x1.fffffep127f, INFINITY};
    enum { N = 6 * sizeof place / sizeof *place + 16 };
    static float first[ULP_FUNCTIONS][N / 16 * 16]; /* the bits of the first level with a fused multiply-add */
    static bool fused_seen;
    float in[N / 16 * 16] = {NAN}, out[N / 16 * 16];
    unsigned n = 1;
    for (unsigned i = 0; i < sizeof place / sizeof *place; i++)
        for (unsigned sign = 0; sign < 2; sign++) {
            float x = sign ? -place[i] : place[i];
            in[n++] = x;
            in[n++] = nextafterf(x, -INFINITY);
            in[n++] = nextafterf(x, INFINITY);
        }
    assert_true(n <= sizeof in / sizeof *in);
    for (unsigned f = 0; f < ULP_FUNCTIONS; f++) {
        run[f](in, out, sizeof in / sizeof *in);
        for (unsigned i = 0; i < n; i++) {
            double error = ulp_error(out[i], ulp_function[f].reference((double)in[i]));
            if (!(error <= ulp_most(f, level)))
                fail_msg("%s, %s(%a) is %a", level->name, ulp_function[f].name, (double)in[i], (double)out[i]);
        }
        if (!level->target.fma)
            continue;
        if (!fused_seen)
            memcpy(first[f], out, sizeof out);
        else
            assert_memory_equal(first[f], out, sizeof out);
    }
    fused_seen = fused_seen || level->target.fma;
}

static void test_special(void **state)
{
    (void)state;
    each_level(special_at);
}

/* exp goes down to nothing by way of the subnormal numbers, in every width. */
static void subnormal_at(const JitLevel *level, const UlpRun *run)
{
    enum { N = 1 << 10 };
    static float in[N], out[N];
    assert_string_equal(ulp_function[0].name, "exp");
    for (int i = 0; i < N; i++)
        in[i] = -87.0f - (float)i * (18.0f / N);
    run[0](in, out, N);
    for (int i = 0; i < N; i++)
        if (!(fabs((double)out[i] - exp((double)in[i])) <= 2.4 * 0x1p-149))
            fail_msg("%s, exp(%a) is %a", level->name, (double)in[i], (double)out[i]);
}

static void test_subnormal(void **state)
{
    (void)state;
    each_level(subnormal_at);
}

/* ── functions of two arguments and of either type: x in lanes, y its reverse ── */
static LLVMValueRef reversed(Cg *c, LLVMValueRef x)
{
    unsigned lanes = cg_lanes_of(cg_type(x));
    int from[16];
    for (unsigned i = 0; i < lanes; i++)
        from[i] = (int)(lanes - 1 - i);
    return cg_shuffle(c, x, from, lanes);
}

static LLVMValueRef make_min(Cg *c, LLVMValueRef x) { return cg_fmin(c, x, reversed(c, x)); }
static LLVMValueRef make_max(Cg *c, LLVMValueRef x) { return cg_fmax(c, x, reversed(c, x)); }
static LLVMValueRef make_relu(Cg *c, LLVMValueRef x) { return cg_fmax(c, x, cg_num(cg_type(x), 0)); }
static LLVMValueRef make_pow(Cg *c, LLVMValueRef x) { return cg_pow_f32(c, x, reversed(c, x)); }
static LLVMValueRef make_powi(Cg *c, LLVMValueRef x) { return cg_powi(c, x, -5); }

/* With NaN from either side. */
static float want_min(float a, float b) { return isnan(a) || isnan(b) ? NAN : a < b ? a : b; }
static float want_max(float a, float b) { return isnan(a) || isnan(b) ? NAN : a > b ? a : b; }
static float want_relu(float a, float b) { return (void)b, want_max(a, 0); }
static float want_pow(float a, float b) { return (float)pow((double)a, (double)b); }
static float want_powi(float a, float b) { return (void)b, (float)pow((double)a, -5); }
static float want_floor(float a, float b) { return (void)b, floorf(a); }
static float want_sin(float a, float b) { return (void)b, (float)sin((double)a); }
static float want_cos(float a, float b) { return (void)b, (float)cos((double)a); }

static const struct {
    const char *name;
    LLVMValueRef (*make)(Cg *c, LLVMValueRef x);
    float (*want)(float x, float y);
    int ulps;
} other[] = {
    {"min", make_min, want_min, 0},     {"max", make_max, want_max, 0},   {"relu", make_relu, want_relu, 0},
    {"floor", cg_floor, want_floor, 0}, {"pow", make_pow, want_pow, 1},   {"powi", make_powi, want_powi, 4},
    {"sin", cg_sin_f32, want_sin, 2},   {"cos", cg_cos_f32, want_cos, 2},
};
enum { OTHERS = sizeof other / sizeof *other };

static bool near(float got, float want, int ulps)
{
    if (isnan(want))
        return isnan(got);
    if (got == want)
        return signbit(got) == signbit(want) || ulps == 0;
    float low = want, high = want;
    for (int i = 0; i < ulps; i++) {
        low = nextafterf(low, -INFINITY);
        high = nextafterf(high, INFINITY);
    }
    return (got >= low && got <= high) || (fabsf(want) < 0x1p-126f && fabsf(got - want) <= 0x1p-126f);
}

static void test_others(void **state)
{
    (void)state;
    static const float sample[16] = {-0.0f,   3,         NAN, INFINITY, -2, 0.3f,  -7.5f, 1,
                                     0x1p23f, -INFINITY, -1,  1e-40f,   5,  1e30f, 2.5f,  0};
    for (int l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Jit jit;
        jit_start(&jit, &jit_level[l]);
        for (unsigned f = 0; f < OTHERS; f++)
            ulp_emit(&jit.cg, other[f].name, other[f].make);
        jit_link(&jit);
        int lanes = (int)jit_level[l].target.lanes;
        for (unsigned f = 0; f < OTHERS; f++) {
            UlpRun run = (UlpRun)jit_find(&jit, other[f].name);
            bool turns = other[f].make == cg_sin_f32 || other[f].make == cg_cos_f32;
            for (int round = 0; round < 400; round++) {
                float in[16], out[16];
                for (int i = 0; i < 16; i++) /* the samples first, turned against each other; then other numbers */
                    in[i] = round < 16 ? sample[(i * (round | 1) + round) % 16]
                                       : (float)sin(round * 16.0 + i) * (float)round;
                for (int i = 0; i < 16 && turns; i++)
                    in[i] = fabsf(in[i]) > 1e7f && !isinf(in[i]) ? 1 : in[i];
                run(in, out, 16);
                for (int i = 0; i < 16; i++) {
                    float y = in[i / lanes * lanes + lanes - 1 - i % lanes], want = other[f].want(in[i], y);
                    if (!near(out[i], want, other[f].ulps))
                        fail_msg("%s, %s(%a, %a) is %a, not %a", jit_level[l].name, other[f].name, (double)in[i],
                                 (double)y, (double)out[i], (double)want);
                }
            }
        }
        jit_end(&jit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_special),
        cmocka_unit_test(test_subnormal),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
