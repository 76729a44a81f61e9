#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "toy_run.h"

static volatile sig_atomic_t stop;
static uint64_t stop_behind; /* steps of all folds together */

static void stop_some_time(uint64_t step)
{
    (void)step;
    if (toy.steps == stop_behind) stop = 1;
}

static void fifth_steps(uint64_t step) { assert_int_equal(step % 5, 0); }

static int begin(void **state)
{
    (void)state;
    toy_run_begin(1, 0);
    stop = 0;
    stop_behind = 0;
    return 0;
}

static ActRun run_here(void) { return (ActRun){ .out = folder.path, .log = log_file, .stop = &stop }; }
static int there(const char *name) { return access(folder_file(&folder, name), F_OK) == 0; }

static void assert_said(const char *part)
{
    fflush(log_file);
    char *text = read_all(folder_file(&folder, "log"), NULL);
    assert_has(text, part);
    free(text);
}

static void a_few_rows_by_heart(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.sanity = 1;
    assert_good(act_train(m, &run, &result, &error), &error);
    assert_true(result.steps < 1000);
    assert_int_equal(toy.last_n, 16);
    assert_int_equal(toy.rows, 16 * result.steps);
    assert_said("toy: 16 rows again and again; before the first step: loss ");
    assert_said("learnt by heart in ");
    assert_false(there("toy.safetensors") || there("toy.lock"));
}

static void every_step_counts(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.sanity = 1;
    t.train.accumulate = 5;
    toy.on_step = fifth_steps;
    assert_good(act_train(m, &run, &result, &error), &error);
    toy.on_step = NULL;
}

static void not_by_heart(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.sanity = 1;
    run.lr_scale = 1e-9;
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_DATA);
    assert_int_equal(result.steps, 1000);
    assert_has(error.text, "RT20: model `toy` can't learn 16 rows of its training part by heart: after 1000 steps ");
    assert_has(error.text, "wrong answers, and below 5 % is wanted");
    assert_has(error.text, "`actc explain vanishing_gradient`");
    t.metric.kind = "f1"; /* then it is the loss */
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_DATA);
    assert_has(error.text, "after 1000 steps 100 % of the first loss left");
    run.lr_scale = 0;
    assert_good(act_train(m, &run, &result, &error), &error);
    toy.nan_at = 3;
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_NONFINITE);
    assert_has(error.text, "became NaN in step 3");
}

static void no_loss_to_judge_by(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.sanity = 1;
    ActTensor noise = t.input;
    noise.name = "noise";
    t.model.drawn = &noise, t.model.n_drawn = 1;
    assert_good(act_train(m, &run, &result, &error), &error); /* it has an accuracy */
    t.metric.kind = "f1";
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "model `toy` draws some of its inputs");
}

static void the_rate_grows(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.lr_low = 1e-5, run.lr_high = 1e4;
    assert_good(act_train(m, &run, &result, &error), &error);
    assert_true(result.steps > 50 && result.steps < 200); /* it ends where the loss is back */
    assert_said("toy: the rate grows from 1e-05 to 10000 in 200 steps of up to 16 rows");
    assert_said("  <- falls fastest");
    assert_said("the block says lr = 0.1; `--lr-scale ");
    char *text = read_all(folder_file(&folder, "toy.lr-range.jsonl"), NULL), *line = text;
    assert_int_equal(strncmp(text, "{\"event\":\"lr\",\"step\":1,\"lr\":1", 29), 0);
    uint64_t lines = 0;
    double before = 0;
    for (char *next; (next = strchr(line, '\n')); line = next + 1) {
        const char *lr = strstr(line, "\"lr\":"), *smoothed = strstr(line, "\"smoothed\":");
        if (!smoothed || smoothed > next) continue; /* the last */
        assert_true(atof(lr + 5) > before);
        before = atof(lr + 5);
        lines++;
    }
    assert_int_equal(lines, result.steps - (toy.last_scale * 0.1 > before * 1.01));
    assert_has(text, "{\"event\":\"lr_range\",\"model\":\"toy\",\"steepest\":");
    assert_has(text, "\"diverged\":true}");
    free(text);
    assert_false(there("toy.safetensors"));

    const char *elsewhere = folder_file(&folder, "range.jsonl");
    run.logs = &elsewhere, run.n_logs = 1;
    run.lr_low = 1e-9, run.lr_high = 1e-8;
    assert_good(act_train(m, &run, &result, &error), &error);
    assert_said("no rate in this range lowers the loss");
    text = read_all(elsewhere, NULL);
    assert_has(text, "\"steepest\":null,");
    free(text);
}

static uint64_t rows_said(const char *text)
{
    uint64_t rows = 0;
    for (const char *at = text; (at = strstr(at, "\"rows\":")); at++) rows += strtoull(at + 7, NULL, 10);
    return rows;
}

static void folds_share_the_rows(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.folds = 7, run.epochs = 3;
    assert_good(act_cross_validate(m, &run, &error), &error);
    assert_said("fold 7 of 7\n");
    assert_said("\n  deviation ");
    size_t size;
    char *text = read_all(folder_file(&folder, "toy.folds.jsonl"), &size);
    assert_int_equal(rows_said(text), 120);
    assert_has(text, "{\"event\":\"fold\",\"fold\":1,\"rows\":17,\"loss\":");
    assert_has(text, "{\"event\":\"mean\",\"loss\":");
    assert_true(there("fold7/toy.safetensors") && !there("toy.safetensors"));
    const uint64_t steps = toy.steps;
    char *weights = read_all(folder_file(&folder, "fold3/toy.safetensors"), NULL);

    /* stopped in the third fold, it goes on there, and ends the same */
    remove_tree(folder_file(&folder, "fold3"));
    remove_tree(folder_file(&folder, "fold4"));
    remove_tree(folder_file(&folder, "fold2"));
    toy.steps = 0;
    toy.on_step = stop_some_time;
    stop_behind = 2 * steps / 7 + 4;
    assert_int_equal(act_cross_validate(m, &run, &error), ACT_E_STOPPED);
    stop = 0;
    stop_behind = 0;
    toy.on_step = NULL;
    run.resume = "";
    assert_good(act_cross_validate(m, &run, &error), &error);
    assert_true(toy.steps <= steps);
    size_t size_now;
    char *again = read_all(folder_file(&folder, "toy.folds.jsonl"), &size_now);
    assert_string_equal(text, again);
    free(again);
    again = read_all(folder_file(&folder, "fold3/toy.safetensors"), NULL);
    assert_memory_equal(weights, again, 64);
    free(again);
    free(weights);
    free(text);
}

static void folds_that_make_no_sense(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.folds = 1;
    assert_int_equal(act_cross_validate(m, &run, &error), ACT_E_ARGUMENT);
    run.folds = 100;
    assert_int_equal(act_cross_validate(m, &run, &error), ACT_E_DATA);
    assert_has(error.text, "has 120 rows, too few for 100 folds");
    run.folds = 3;
    run.resume = "x.safetensors";
    assert_int_equal(act_cross_validate(m, &run, &error), ACT_E_ARGUMENT);
    /* a log of each fold; what one fold wrote is not another's to go on from */
    const char *log = folder_file(&folder, "run.csv");
    run.resume = NULL, run.logs = &log, run.n_logs = 1, run.epochs = 1;
    assert_good(act_cross_validate(m, &run, &error), &error);
    assert_true(there("run.fold1.csv") && there("run.fold3.csv") && !there("run.csv"));
    ActRun second = run_here();
    second.folds = 3, second.fold = 2, second.epochs = 1, second.resume = folder_file(&folder, "fold1/toy.step-00000005.safetensors");
    assert_int_equal(act_train(m, &second, NULL, &error), ACT_E_DATA);
    assert_has(error.text, "fold: 2 here, 1 in the file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_few_rows_by_heart, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(every_step_counts, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(not_by_heart, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(no_loss_to_judge_by, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(the_rate_grows, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(folds_share_the_rows, begin, toy_run_end),
        cmocka_unit_test_setup_teardown(folds_that_make_no_sense, begin, toy_run_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
