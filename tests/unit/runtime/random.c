#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/core/random.h"

#include <math.h>

/* Random123's kat_vectors, philox4x32 with 10 rounds */
static void philox_known_answers(void **state)
{
    (void)state;
    static const struct { uint32_t counter[4], key[2], word[4]; } known[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { ~0u, ~0u, ~0u, ~0u }, { ~0u, ~0u }, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint32_t word[4];
        act_random_philox(known[i].counter, known[i].key, word);
        assert_memory_equal(word, known[i].word, sizeof word);
    }
}

/* the third vector again, through the definition of counter and key */
static void counter_is_as_defined(void **state)
{
    (void)state;
    uint64_t seed = 0x299f31d0a4093822u, step = ((uint64_t)0x0370 << 32) | 0x13198a2e;
    uint32_t stream = 0x7344, sample = 0x85a308d3, block = 0x243f6a88;
    static const uint32_t expected[4] = { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 };
    uint32_t word[4];
    act_random_block(seed, stream, step, sample, block, word);
    assert_memory_equal(word, expected, sizeof word);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(act_random_word(seed, stream, step, sample, (uint64_t)block * 4 + i), expected[i]);
}

static void conversions_stay_in_range(void **state)
{
    (void)state;
    assert_true(act_random_unit(0) == 0.0f);
    assert_true(act_random_unit(0xffu) == 0.0f);
    assert_true(act_random_unit(0xffffffffu) == 1.0f - 0x1p-24f);
    assert_true(act_random_open(0) == 0x1p-33);
    assert_true(act_random_open(0xffffffffu) == 1.0 - 0x1p-33);
}

static double distribution(double x) { return 0.5 * erfc(-x / sqrt(2)); }

static void normal_inverts_the_distribution(void **state)
{
    (void)state;
    assert_true(act_random_normal(0.5) == 0);
    assert_true(fabs(act_random_normal(0.975) - 1.9599639845400545) < 1e-15);
    assert_true(fabs(act_random_normal(1e-10) + 6.3613409024040557) < 1e-14);
    assert_true(isinf(act_random_normal(0)) && act_random_normal(0) < 0);
    assert_true(isinf(act_random_normal(1)) && act_random_normal(1) > 0);
    assert_true(isnan(act_random_normal(-0.1)) && isnan(act_random_normal(1.1)) && isnan(act_random_normal(NAN)));
    for (double x = -8; x < 8; x += 0.01) {
        double p = distribution(x);
        if (p < 0.5) assert_true(fabs(act_random_normal(p) - x) < 4e-15 * fmax(1, fabs(x)));
        else if (p < 1 - 1e-6) assert_true(fabs(act_random_normal(p) - x) < 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(counter_is_as_defined),
        cmocka_unit_test(conversions_stay_in_range),
        cmocka_unit_test(normal_inverts_the_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
