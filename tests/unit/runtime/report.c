/* Pages that training programs draw: what is kept of long runs, what is drawn of what was answered. */
#include "../../../runtime/host/answers.h"
#include "../../../runtime/host/log.h"
#include "../../../runtime/host/runlog.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support.h"

static Folder folder;
static ActError error;

/* `steps` measurements of two layers behind step `from`. */
static void write_run(const char *path, uint64_t from, uint64_t steps)
{
    ActLogs logs = { 0 };
    static const uint64_t count[4] = { 0, 3, 5, 0 };
    assert_good(act_logs_open(&logs, &path, 1, from, &error), &error);
    for (uint64_t step = from + 1; step <= from + steps; step++)
        for (int l = 0; l < 2; l++) {
            const ActLogLayer layer = { l ? "b" : "a", 3, 0, 1, NAN, NAN, NAN, (double)step, NAN };
            const ActLogHistogram histogram = { layer.name, "preactivation", -2, 2, count, 4, 1, 6 };
            act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = step, .layer = &layer }, stderr);
            act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = step, .histogram = &histogram }, stderr);
        }
    ActScore trained = { .loss = 0.75 };
    act_logs_write(&logs, &(ActLogEvent){ .epoch = from ? 2 : 1, .step = from + steps, .seconds = 1, .rate = 2, .trained = &trained }, stderr);
    act_logs_close(&logs, stderr);
}

static size_t measurements(const char *path)
{
    ActRunLog log;
    ActCurves curves;
    assert_good(act_runlog_read(&log, path, &error), &error);
    assert_true(act_curves_layers(&curves, &log, "layer", "gradient"));
    assert_int_equal(curves.n, 2);
    size_t n = curves.at[0].n;
    assert_int_equal(curves.at[1].n, n);
    assert_true(curves.at[0].x[0] == 1);
    for (size_t i = 0; i < n; i++) assert_true(curves.at[0].y[i] == curves.at[0].x[i]);
    double apart = n > 2 ? curves.at[0].x[2] - curves.at[0].x[1] : 1;
    for (size_t i = 1; i < n; i++) assert_true(curves.at[0].x[i] - curves.at[0].x[i - 1] <= 2 * apart); /* evenly */
    act_curves_free(&curves);
    act_runlog_free(&log);
    return n;
}

static void long_runs_are_thinned_out(void **state)
{
    (void)state;
    folder_open(&folder);
    const char *few = folder_file(&folder, "few.html"), *many = folder_file(&folder, "many.html");
    write_run(few, 0, 100);
    assert_int_equal(measurements(few), 100);
    write_run(few, 100, 50);
    assert_int_equal(measurements(few), 150);
    write_run(many, 0, 3000);
    size_t n = measurements(many);
    assert_true(n >= 200 && n <= 401);
    folder_close(&folder);
}

/* Three classes of scores, and a picture of 4 x 4 for each row. */
static void wrong_answers_are_remembered(void **state)
{
    (void)state;
    enum { ROWS = 40 };
    ActTensor input = { .name = "image", .type = ACT_F32, .rank = 2, .dim = { 4, 4 }, .low = 0, .high = 1 };
    ActTensor target = { .name = "kind", .type = ACT_I32, .classes = 3 };
    ActTensor scores = { .name = "z", .type = ACT_F32, .rank = 1, .dim = { 3 } };
    ActMetric metric = { .name = "accuracy", .kind = "accuracy", .prediction = scores };
    const ActModel model = { .name = "m", .input = &input, .n_input = 1, .target_value = &target, .n_target = 1, .metric = &metric, .n_metric = 1 };
    const ActMetricCall call = { .prediction = &metric.prediction, .target = &target, .prediction_width = 3, .target_width = 1 };
    float prediction[ROWS * 3] = { 0 }, image[ROWS * 16];
    int32_t kind[ROWS];
    for (int r = 0; r < ROWS; r++) {
        kind[r] = r % 3;
        prediction[3 * r + 1] = (float)(r + 1); /* ever surer that it is 1 */
        for (int i = 0; i < 16; i++) image[16 * r + i] = (float)r / ROWS;
    }
    ActAnswers answers;
    assert_good(act_answers_new(&answers, &model, &error), &error);
    assert_true(answers.classes == 3 && answers.height == 4 && answers.channels == 1);
    const void *const inputs[] = { image };
    act_answers_add(&answers, &call, &model, prediction, kind, inputs, ROWS, 100);
    assert_true(answers.count[0 * 3 + 1] == 14 && answers.count[1 * 3 + 1] == 13 && answers.count[2 * 3 + 1] == 13 && answers.count[0] == 0);
    assert_int_equal(answers.n_wrong, ACT_ANSWERS_SHOWN);
    assert_true(answers.wrong[0].row == 139 && answers.wrong[0].actual == 0 && answers.wrong[0].answered == 1 && answers.wrong[1].row == 138);
    assert_int_equal(answers.wrong[0].pixel[3], (int)(255.0 * 39 / ROWS + 0.5));

    /* … and drawn */
    folder_open(&folder);
    const char *path = folder_file(&folder, "page.html");
    ActLogs logs = { 0 };
    const ActFacts none = { 0 };
    ActScore trained = { .loss = 1 };
    assert_good(act_logs_open(&logs, &path, 1, 0, &error), &error);
    act_logs_write(&logs, &(ActLogEvent){ .epoch = 1, .step = 9, .trained = &trained }, stderr);
    assert_int_equal(act_answers_log(&answers, &model, &none, 9, "test", &logs, stderr), ACT_OK);
    act_logs_close(&logs, stderr);
    char *text = read_all(path, NULL);
    assert_has(text, "kind, test part: rows are what it was");
    assert_has(text, "0, answered 1 (row 139)");
    assert_has(text, "src=\"data:image/png;base64,iVBOR");
    free(text);
    act_answers_clear(&answers);
    assert_true(answers.n_wrong == 0 && answers.count[1] == 0);
    act_answers_free(&answers);
    folder_close(&folder);
}

static void models_without_classes_have_no_answers(void **state)
{
    (void)state;
    ActTensor target = { .name = "y", .type = ACT_F32, .rank = 1, .dim = { 2 } };
    ActMetric metric = { .name = "mse", .kind = "mse", .prediction = target };
    const ActModel model = { .name = "m", .target_value = &target, .n_target = 1, .metric = &metric, .n_metric = 1 };
    ActAnswers answers;
    assert_good(act_answers_new(&answers, &model, &error), &error);
    assert_true(answers.classes == 0 && !answers.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_runs_are_thinned_out),
        cmocka_unit_test(wrong_answers_are_remembered),
        cmocka_unit_test(models_without_classes_have_no_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
