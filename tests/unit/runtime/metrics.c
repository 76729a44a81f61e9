#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/metric.h"
#include "../../../runtime/host/shuffle.h"

#include "support.h"

#include <math.h>

static ActError error;

/* a row of `width` elements, by an axis of that length; width 0: a scalar */
static ActTensor tensor(const char *name, ActType type, uint32_t width, uint32_t classes)
{
    return (ActTensor){
        .name = name, .type = type, .rank = width > 0, .dim = { width }, .classes = classes, .low = 1, .high = -1
    };
}

static ActMetricCall call_of(const ActTensor *prediction, const ActTensor *target, double option)
{
    ActMetricCall call = {
        .prediction = prediction, .target = target, .option = option, .prediction_width = 1, .target_width = 1
    };
    for (uint32_t i = 0; i < prediction->rank; i++) call.prediction_width *= prediction->dim[i];
    for (uint32_t i = 0; i < target->rank; i++) call.target_width *= target->dim[i];
    return call;
}

/* in batches of `batch` rows */
static double value(const char *kind, const ActMetricCall *call, const float *p, const void *y, size_t n, size_t batch)
{
    const ActMetricKind *metric = act_metric_find(kind, &error);
    assert_non_null(metric);
    assert_good(act_metric_check(metric, call, &error), &error);
    double sum[64] = { 0 };
    assert_true(act_metric_slots(metric, call, n) <= 64);
    for (size_t at = 0; at < n; at += batch) {
        size_t rows = n - at < batch ? n - at : batch;
        metric->add(call, p + at * call->prediction_width, (const char *)y + at * call->target_width * 4, rows, sum);
    }
    return metric->finish(call, sum);
}

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)))) fail_msg("%.17g is not %.17g", got, want);
}

static void accuracy_of_classes(void **state)
{
    (void)state;
    ActTensor p = tensor("logits", ACT_F32, 3, 0), y = tensor("label", ACT_I32, 0, 3);
    ActMetricCall call = call_of(&p, &y, 0);
    const float logits[] = { 1, 2, 3, 5, 5, 1, NAN, 0, 1, -1, -2, -3, NAN, NAN, NAN };
    const int32_t labels[] = { 2, 0, 2, 1, 0 };
    near(value("accuracy", &call, logits, labels, 5, 2),
         4.0 / 5); /* of equals the first; NaN never wins against a number */
    near(value("accuracy", &call, logits, labels, 5, 5), 4.0 / 5);
}

static void accuracy_of_signs(void **state)
{
    (void)state;
    ActTensor p = tensor("logit", ACT_F32, 1, 0), y = tensor("label", ACT_F32, 1, 2);
    ActMetricCall call = call_of(&p, &y, 0);
    const float logits[] = { 2, -1, 0, 0.3f, NAN }, labels[] = { 1, 0, 0, 0, 0 };
    near(value("accuracy", &call, logits, labels, 5, 3), 3.0 / 5);
    p.low = 0, p.high = 1; /* probabilities */
    near(value("accuracy", &call, logits, labels, 5, 3), 4.0 / 5);
    ActTensor many = tensor("logits", ACT_F32, 2, 0), both = tensor("labels", ACT_I32, 2, 2);
    call = call_of(&many, &both, 0);
    const int32_t ones[] = { 1, 0, 1, 1 };
    near(value("accuracy", &call, logits, ones, 2, 1), 3.0 / 4);
}

static void labels_that_do_not_count(void **state)
{
    (void)state;
    ActTensor p = tensor("z", ACT_F32, 3, 0), y = tensor("label", ACT_I32, 0, 3);
    y.ignores = 1, y.ignored = -100;
    ActMetricCall call = call_of(&p, &y, 0);
    const float z[] = { 2, 1, 0, 0, 2, 1, 0, 1, 2, 2, 0, 0 };
    const int32_t labels[] = { 0, -100, 1, -100 };
    near(value("accuracy", &call, z, labels, 4, 3), 1.0 / 2);
    near(value("recall", &call, z, labels, 4, 4), 1.0 / 3); /* class 2 was predicted, once */
    near(value("perplexity", &call, z, labels, 4, 4), exp(log(1 + exp(-1) + exp(-2)) + 0.5));
    call.option = 2;
    near(value("top_k", &call, z, labels, 4, 4), 1);
    ActTensor score = tensor("s", ACT_F32, 2, 0), answer = tensor("a", ACT_I32, 0, 2);
    answer.ignores = 1, answer.ignored = 7;
    call = call_of(&score, &answer, 0);
    const float s[] = { 0, 1, 9, 0, 1, 0, 0, 2 };
    const int32_t answers[] = { 1, 7, 0, 7 };
    near(value("auc", &call, s, answers, 4, 4), 1);
}

static void accuracy_elsewhere(void **state)
{
    (void)state;
    ActTensor p = { .name = "z", .rank = 2, .dim = { 2, 3 }, .low = 1, .high = -1 }, y = tensor("next", ACT_I32, 2, 3);
    ActMetricCall call = call_of(&p, &y, 0);
    const float z[] = { 0, 1, 0, 9, 1, 0 };
    const int32_t next[] = { 1, 2 };
    near(value("accuracy", &call, z, next, 1, 1), 0.5);
    ActTensor q = tensor("p", ACT_F32, 3, 0), soft = tensor("s", ACT_F32, 3, 0);
    call = call_of(&q, &soft, 0);
    const float s[] = { 0.1f, 0.8f, 0.1f, 0.2f, 0.3f, 0.5f };
    near(value("accuracy", &call, z, s, 2, 1), 0.5);
    ActTensor four = tensor("label", ACT_I32, 0, 4);
    call = call_of(&q, &four, 0);
    assert_int_equal(act_metric_check(act_metric_find("accuracy", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "one score for each class of `label`");
}

static void top_k_counts_ties_by_place(void **state)
{
    (void)state;
    ActTensor p = tensor("z", ACT_F32, 4, 0), y = tensor("label", ACT_I32, 0, 4);
    const float z[] = { 4, 3, 2, 1, 1, 1, 1, 1, 1, NAN, 2, 3, 0, 0, 0, 5 };
    const int32_t labels[] = { 1, 2, 1, 3 };
    ActMetricCall call = call_of(&p, &y, 2);
    near(value("top_k", &call, z, labels, 4, 3), 2.0 / 4);
    call.option = 3;
    near(value("top_k", &call, z, labels, 4, 3), 3.0 / 4);
    call.option = 5;
    assert_int_equal(act_metric_check(act_metric_find("top_k", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "from 1 to the number of classes (4)");
}

static void perplexity_of_logits_and_probabilities(void **state)
{
    (void)state;
    ActTensor p = tensor("z", ACT_F32, 4, 0), y = tensor("label", ACT_I32, 0, 4);
    const float even[] = { 7, 7, 7, 7, -2, -2, -2, -2 }, p_of_two[] = { 0.5f, 0.25f, 0.125f, 0.125f, 0, 1, 0, 0 };
    const float sharp[] = { 800, 0, 0, 0, 0, 0, 0, 801 };
    const int32_t labels[] = { 2, 1 }, right[] = { 0, 3 };
    ActMetricCall call = call_of(&p, &y, 0);
    near(value("perplexity", &call, even, labels, 2, 1), 4);
    near(value("perplexity", &call, p_of_two, labels, 2, 2), sqrt(8));
    near(value("perplexity", &call, sharp, right, 2, 2), 1);
    ActTensor five = tensor("label", ACT_I32, 0, 5);
    call = call_of(&p, &five, 0);
    assert_int_equal(act_metric_check(act_metric_find("perplexity", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "one score for each class of `label`");
}

/* The example of scikit-learn's documentation: precision 2/9, recall 1/3, F1 4/15 as means over the classes. */
static void decisions_by_class(void **state)
{
    (void)state;
    ActTensor p = tensor("z", ACT_F32, 3, 0), y = tensor("label", ACT_I32, 0, 3);
    ActMetricCall call = call_of(&p, &y, 0);
    const float z[] = { 9, 0, 0, 0, 0, 9, 0, 9, 0, 9, 0, 0, 9, 0, 0, 0, 9, 0 }; /* 0 2 1 0 0 1 */
    const int32_t labels[] = { 0, 1, 2, 0, 1, 2 };
    for (size_t batch = 1; batch <= 6; batch += 5) {
        near(value("precision", &call, z, labels, 6, batch), 2.0 / 9);
        near(value("recall", &call, z, labels, 6, batch), 1.0 / 3);
        near(value("f1", &call, z, labels, 6, batch), 4.0 / 15);
    }
    /* class 2 neither there nor predicted: it does not count; a NaN decides for nothing */
    const float two[] = { 1, 0, 0, 0, 1, 0, NAN, NAN, NAN };
    const int32_t of_two[] = { 0, 1, 1 };
    near(value("precision", &call, two, of_two, 3, 2), 1);
    near(value("recall", &call, two, of_two, 3, 2), 0.75);
    ActTensor soft = tensor("soft", ACT_F32, 3, 0);
    call = call_of(&p, &soft, 0);
    const float shares[] = { 0.8f, 0.1f, 0.1f, 0.2f, 0.3f, 0.5f, 0, 1, 0 };
    near(value("recall", &call, z, shares, 3, 2), 1);
    near(value("f1", &call, z, shares, 1, 1), 1);
    assert_true(isnan(value("f1", &call, z, shares, 0, 1)));
    ActTensor four = tensor("label", ACT_I32, 0, 4);
    call = call_of(&p, &four, 0);
    assert_int_equal(act_metric_check(act_metric_find("recall", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "metric `recall` wants one score for each class of `label`");
}

static void decisions_by_sign(void **state)
{
    (void)state;
    ActTensor p = tensor("logit", ACT_F32, 1, 0), y = tensor("label", ACT_F32, 1, 2);
    ActMetricCall call = call_of(&p, &y, 0);
    const float logits[] = { 2, -1, 0.3f, 0.1f, NAN, -3 }, labels[] = { 1, 1, 0, 1, 1, 0 };
    near(value("precision", &call, logits, labels, 6, 4), 2.0 / 3);
    near(value("recall", &call, logits, labels, 6, 4), 2.0 / 4);
    near(value("f1", &call, logits, labels, 6, 4), 4.0 / 7);
    const float never[] = { -1, -1 }, ones[] = { 1, 0 };
    near(value("precision", &call, never, ones, 2, 2), 0);
    near(value("f1", &call, never, ones, 2, 2), 0);
    p.low = 0, p.high = 1; /* probabilities: one half decides */
    near(value("precision", &call, logits, labels, 6, 4), 1);
    near(value("recall", &call, logits, labels, 6, 4), 1.0 / 4);
}

/* 0.75 is the example of scikit-learn's documentation. */
static void area_under_the_curve(void **state)
{
    (void)state;
    ActTensor p = tensor("p", ACT_F32, 1, 0), y = tensor("label", ACT_F32, 1, 2);
    ActMetricCall call = call_of(&p, &y, 0);
    const float scores[] = { 0.1f, 0.4f, 0.35f, 0.8f }, labels[] = { 0, 0, 1, 1 }, back[] = { 1, 1, 0, 0 };
    near(value("auc", &call, scores, labels, 4, 3), 0.75);
    near(value("auc", &call, scores, back, 4, 1), 0.25);
    const float ties[] = { 1, 1, 1, 0, 2 }, of_ties[] = { 1, 0, 0, 0, 1 };
    near(value("auc", &call, ties, of_ties, 5, 2), 5.0 / 6); /* of six pairs four are right and two tie */
    assert_true(isnan(value("auc", &call, scores, of_ties + 1, 3, 2)));
    const float broken[] = { 1, NAN, 0, 2 };
    assert_true(isnan(value("auc", &call, broken, labels, 4, 4)));
    ActTensor both = tensor("z", ACT_F32, 2, 0), side = tensor("label", ACT_I32, 0, 2);
    call = call_of(&both, &side, 0);
    const float z[] = { 0, 0.1f, 0, 0.4f, 1, 1.35f, -1, -0.2f };
    const int32_t sides[] = { 0, 0, 1, 1 };
    near(value("auc", &call, z, sides, 4, 3), 0.75);
    ActTensor three = tensor("z", ACT_F32, 3, 0), label = tensor("label", ACT_I32, 0, 3);
    call = call_of(&three, &label, 0);
    assert_int_equal(act_metric_check(act_metric_find("auc", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "a score for each zero or one of `label`");
}

static void errors_of_numbers(void **state)
{
    (void)state;
    ActTensor p = tensor("y", ACT_F32, 2, 0), y = tensor("t", ACT_F32, 2, 0);
    ActMetricCall call = call_of(&p, &y, 0);
    const float a[] = { 1, 2, 3, 4, 5, 6 }, b[] = { 1, 4, 2, 4, 8, 5 };
    near(value("mse", &call, a, b, 3, 2), (0 + 4 + 1 + 0 + 9 + 1) / 6.0);
    near(value("mae", &call, a, b, 3, 1), (0 + 2 + 1 + 0 + 3 + 1) / 6.0);
    /* column 0: targets 1 2 8, mean 11/3, squares 86/3, residuals 10; column 1: 4 4 5, 2/3, 5 */
    near(value("r2", &call, a, b, 3, 2), ((1 - 10 / (86.0 / 3)) + (1 - 5 / (2.0 / 3))) / 2);
    near(value("r2", &call, b, b, 3, 3), 1);
    const float constant[] = { 2, 2, 2, 2 };
    near(value("r2", &call, constant, constant, 2, 1), 1);
    near(value("r2", &call, a, constant, 2, 1), 0);
    ActTensor one = tensor("t", ACT_F32, 0, 0);
    call = call_of(&p, &one, 0);
    assert_int_equal(act_metric_check(act_metric_find("mse", &error), &call, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "the prediction has 2 in a row and target `t` has 1");
}

/* far from zero, sums of squares cancel: the running mean must not */
static void r2_far_from_zero(void **state)
{
    (void)state;
    ActTensor p = tensor("y", ACT_F32, 0, 0), y = tensor("t", ACT_F32, 0, 0);
    ActMetricCall call = call_of(&p, &y, 0);
    float a[100], b[100];
    for (int i = 0; i < 100; i++) {
        b[i] = 1e6f + (float)(i % 10);
        a[i] = b[i] + (i % 2 ? 1.0f : -1.0f);
    }
    assert_true(fabs(value("r2", &call, a, b, 100, 7) - (1 - 100 / 825.0)) < 1e-9);
}

static void metrics_are_found(void **state)
{
    (void)state;
    assert_null(act_metric_find("acuracy", &error));
    assert_has(error.text, "there is `accuracy`");
    assert_has(error.text, "accuracy, auc, f1, mae, mse, perplexity, precision, r2, recall, top_k");
}

static void shuffles_are_permutations_by_seed_and_epoch(void **state)
{
    (void)state;
    enum { N = 1001 };
    uint32_t a[N], b[N], seen[N] = { 0 };
    for (uint32_t i = 0; i < N; i++) a[i] = b[i] = i;
    act_shuffle(a, N, 1, 0xffff, 1);
    act_shuffle(b, N, 1, 0xffff, 1);
    assert_memory_equal(a, b, sizeof a);
    size_t moved = 0;
    for (uint32_t i = 0; i < N; i++) {
        seen[a[i]]++;
        moved += a[i] != i;
    }
    for (uint32_t i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    assert_true(moved > N - 20);
    for (uint32_t i = 0; i < N; i++) b[i] = i;
    act_shuffle(b, N, 1, 0xffff, 2);
    assert_memory_not_equal(a, b, sizeof a);
    for (uint32_t i = 0; i < N; i++) b[i] = i;
    act_shuffle(b, N, 2, 0xffff, 1);
    assert_memory_not_equal(a, b, sizeof a);

    /* all orders of three are equally likely: 6,000 draws, 1,000 each, deviation 29 */
    size_t count[27] = { 0 };
    for (uint64_t e = 0; e < 6000; e++) {
        uint32_t three[3] = { 0, 1, 2 };
        act_shuffle(three, 3, 5, 0xffff, e);
        count[three[0] * 9 + three[1] * 3 + three[2]]++;
    }
    for (size_t i = 0; i < 27; i++) assert_true(count[i] == 0 || (count[i] > 850 && count[i] < 1150));
    act_shuffle(NULL, 0, 1, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accuracy_of_classes), cmocka_unit_test(accuracy_of_signs),
        cmocka_unit_test(labels_that_do_not_count),
        cmocka_unit_test(accuracy_elsewhere),  cmocka_unit_test(top_k_counts_ties_by_place),
        cmocka_unit_test(perplexity_of_logits_and_probabilities),
        cmocka_unit_test(decisions_by_class),
        cmocka_unit_test(decisions_by_sign),
        cmocka_unit_test(area_under_the_curve),
        cmocka_unit_test(errors_of_numbers),   cmocka_unit_test(r2_far_from_zero),
        cmocka_unit_test(metrics_are_found),   cmocka_unit_test(shuffles_are_permutations_by_seed_and_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
