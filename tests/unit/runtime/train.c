#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "toy_run.h"

#include <pthread.h>
#include <stdatomic.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define COUNTS_ALLOCATIONS 0
static atomic_ulong allocations;
#else
#define COUNTS_ALLOCATIONS 1
/* The program's own malloc and its kin, counted: they come before the library's. */
static atomic_ulong allocations;
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t n);
void *malloc(size_t n) { atomic_fetch_add(&allocations, 1); return __libc_malloc(n); }
void *calloc(size_t n, size_t size) { atomic_fetch_add(&allocations, 1); return __libc_calloc(n, size); }
void *realloc(void *old, size_t n) { atomic_fetch_add(&allocations, 1); return __libc_realloc(old, n); }
#endif

static int begin(void **state)
{
    (void)state;
    toy_run_begin(0, 0);
    return 0;
}

static ActRun run_here(void) { return (ActRun){ .out = folder.path, .log = log_file }; }

static char *log_text(void)
{
    fflush(log_file);
    return read_all(folder_file(&folder, "log"), NULL);
}

static void train_good(const ActRun *run) { assert_good(act_train(m, run, &result, &error), &error); }

static void iris_is_learned(void **state)
{
    (void)state;
    for (int normalize = 0; normalize < 2; normalize++) {
        act_instance_free(m);
        t.model.n_param = normalize ? TOY_PARAMS : 2;
        m = act_instance_new(&t.model, 1, &error);
        ActRun run = run_here();
        train_good(&run);
        assert_string_equal(result.score.part, "test");
        assert_int_equal(result.score.rows, 30);
        assert_true(result.score.metric[0].value >= 0.93);
        assert_true(result.score.loss < 0.2 && result.train_loss < 0.2);

        /* evaluation of the file gives the same numbers */
        ActResult again;
        memset(m->param, 0, 320);
        assert_good(act_evaluate(m, &run, &again, &error), &error);
        assert_true(again.score.loss == result.score.loss &&
                    again.score.metric[0].value == result.score.metric[0].value);
    }
}

static void logs_are_plain_lines(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.epochs = 3;
    train_good(&run);
    char *text = log_text();
    assert_lacks(text, "\r");
    assert_lacks(text, "\x1b");
    assert_has(text, "toy: 15 parameters, sgd(lr = 0.1, momentum = 0.9), batch 16, 1 thread\n");
    assert_has(text, "flowers: 120 training rows, 30 test rows\n");
    assert_has(text, "\nepoch 1/3: loss ");
    assert_has(text, " | test: loss 0.");
    assert_has(text, "\nepoch 3/3: loss ");
    assert_has(text, " rows/s\n");
    char *last = strstr(text, "\ntest: loss 0.");
    assert_non_null(last);
    assert_has(last, " % (30 rows)\n");
    free(text);
}

static void every_row_is_trained_once_an_epoch(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.epochs = 2;
    run.batch = 32; /* 120 = 3 * 32 + 24 */
    run.lr_scale = 0.5;
    train_good(&run);
    assert_int_equal(toy.steps, 8);
    assert_int_equal(toy.rows, 240);
    assert_int_equal(toy.last_n, 24);
    assert_true(toy.last_scale == 0.5 * 0.5); /* the schedule ends at one half */
    assert_int_equal(result.steps, 8);
    assert_int_equal(result.epochs, 2);
    run.batch = 33;
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "a batch of 33 is more than the 32 rows");
}

static void a_seed_decides_everything(void **state)
{
    (void)state;
    float first[32], row[TOY_IN];
    ActRun run = run_here();
    run.epochs = 2;
    train_good(&run);
    memcpy(first, m->param, sizeof first);
    memcpy(row, toy.first_row, sizeof row);
    for (uint64_t seed = 1; seed < 3; seed++) {
        memset(&toy, 0, sizeof toy);
        run.has_seed = 1, run.seed = seed;
        train_good(&run);
        if (seed == 1) { /* the block's own */
            assert_memory_equal(first, m->param, sizeof first);
            assert_memory_equal(row, toy.first_row, sizeof row);
        } else {
            assert_memory_not_equal(first, m->param, sizeof first);
            assert_memory_not_equal(row, toy.first_row, sizeof row);
        }
    }
}

static unsigned long seen_at_first, seen_at_last;
static void look(uint64_t step) { *(step == 1 ? &seen_at_first : &seen_at_last) = atomic_load(&allocations); }

static void steps_allocate_nothing(void **state)
{
    (void)state;
    ActRun run = run_here();
    t.data.validation_split = 0.1;
    toy.on_step = look;
    fprintf(log_file, "\n"); /* the stream has its buffer */
    train_good(&run);
    assert_true(!COUNTS_ALLOCATIONS || seen_at_first > 0);
    assert_int_equal(seen_at_first, seen_at_last);
}

static void the_best_epoch_is_kept(void **state)
{
    (void)state;
    ActRun run = run_here();
    t.data.validation_split = 0.25;
    t.data.split_seed = 3;
    t.train.patience = 2;
    run.epochs = 50;
    run.lr_scale = 60; /* so fast that the validation loss jumps about */
    train_good(&run);
    assert_true(result.best_epoch > 0 && result.best_epoch < result.epochs && result.epochs < 50);
    assert_int_equal(result.epochs - result.best_epoch, 2);
    char *text = log_text(), line[64];
    snprintf(line, sizeof line, "stopped early: the validation loss was best in epoch %d", (int)result.best_epoch);
    assert_has(text, line);
    assert_has(text, "flowers: 90 training rows, 30 validation rows, 30 test rows");
    assert_has(text, "| validation: loss ");
    /* the weights of that epoch: its line and the file agree about the validation part */
    ActResult best;
    run.part = "validation";
    assert_good(act_evaluate(m, &run, &best, &error), &error);
    snprintf(line, sizeof line, "epoch %2d/50", (int)result.best_epoch);
    const char *epoch = strstr(text, line);
    assert_non_null(epoch);
    snprintf(line, sizeof line, "| validation: loss %.4f", best.score.loss);
    assert_true(strstr(epoch, line) && strstr(epoch, line) < strchr(epoch, '\n'));
    free(text);
}

static void patience_without_validation_is_said(void **state)
{
    (void)state;
    ActRun run = run_here();
    t.train.patience = 1;
    run.epochs = 2;
    train_good(&run);
    char *text = log_text();
    assert_has(text, "stop early looks at the validation part, and the data has none");
    free(text);
}

static void parts_that_end_a_run(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.epochs = 1;
    t.data.n_part = 1;
    train_good(&run);
    assert_string_equal(result.score.part, "train");
    t.data.validation_split = 0.1;
    train_good(&run);
    assert_string_equal(result.score.part, "validation");
    char *text = log_text();
    assert_has(text, "(120 rows; the data has no validation or test part)");
    assert_has(text, "(12 rows; the data has no test part)");
    free(text);
}

static void nan_stops_and_writes_nothing(void **state)
{
    (void)state;
    ActRun run = run_here();
    toy.nan_at = 11;
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_NONFINITE);
    assert_has(error.text, "became NaN at step 11 (epoch 2, step 3 of 8); it was ");
    assert_has(error.text, "`--lr-scale 0.1` tries a tenth of lr = 0.1");
    assert_int_equal(access(folder_file(&folder, "toy.safetensors"), F_OK), -1);
}

static volatile sig_atomic_t stop;

static void a_stop_saves(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop = 0;
    run.stop = &stop;
    toy.stop = &stop;
    toy.stop_at = 13;
    assert_int_equal(act_train(m, &run, &result, &error), ACT_E_STOPPED);
    assert_has(error.text, "interrupted after step 13 (epoch 2 of 20); the weights are in `");
    assert_int_equal(toy.steps, 13);
    float kept[32];
    memcpy(kept, m->param, sizeof kept);
    memset(m->param, 0, 192);
    assert_good(act_load_weights(m, folder_file(&folder, "toy.safetensors"), &error), &error);
    assert_memory_equal(kept, m->param, 128);
}

static const char *watched;
static uint64_t appeared;
static void watch(uint64_t step)
{
    if (!appeared && access(watched, F_OK) == 0) appeared = step;
}

static void checkpoints_are_written_on_the_way(void **state)
{
    (void)state;
    char path[128];
    ActRun run = run_here();
    snprintf(path, sizeof path, "%s/toy.step-00000016.safetensors", folder.path);
    watched = path;
    t.train.checkpoint_every = 2;
    toy.on_step = watch;
    train_good(&run);
    assert_int_equal(appeared, 17); /* the first step of the third epoch of 8 steps */
}

static void training_goes_on_from_a_file(void **state)
{
    (void)state;
    ActRun run = run_here();
    train_good(&run);
    double before = result.score.loss;
    char path[128];
    snprintf(path, sizeof path, "%s/toy.safetensors", folder.path);
    run.weights = path;
    run.epochs = 1;
    run.lr_scale = 1e-6;
    train_good(&run);
    assert_true(fabs(result.score.loss - before) < 1e-4);
    run.weights = NULL;
    t.train.start_from = path;
    train_good(&run);
    assert_true(fabs(result.score.loss - before) < 1e-4);
    t.train.start_from = "none.safetensors";
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_IO);
    assert_has(error.text, "none.safetensors");
}

static void output_is_checked_before_training(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.out = folder_file(&folder, "log/x");
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_IO);
    assert_has(error.text, "a file of that name is in the way");
    assert_int_equal(toy.steps, 0);
    run.out = folder_file(&folder, "a/b/c");
    run.epochs = 1;
    train_good(&run);
    assert_int_equal(access(folder_file(&folder, "a/b/c/toy.safetensors"), F_OK), 0);
}

static void wrong_metrics_are_named(void **state)
{
    (void)state;
    ActRun run = run_here();
    t.metric.kind = "acuracy";
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "there is no metric `acuracy`; there is `accuracy`");
    t.metric.kind = "mse";
    assert_int_equal(act_train(m, &run, NULL, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "compares element by element");
}

static char *predicted(ActRun *run)
{
    FILE *out = fopen(folder_file(&folder, "out"), "w");
    run->output = out;
    ActStatus status = act_predict(m, run, &error);
    fclose(out);
    assert_good(status, &error);
    return read_all(folder_file(&folder, "out"), NULL);
}

/* softmax([3.2, 1.8, 0.5]) */
static void predictions_in_every_format(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", folder_text(&folder, "new.csv", "0,0,0,0\n1,0,0,0\n"));
    static const float bias[] = { 3.2f, 1.8f, 0.5f };
    memset(m->param, 0, 192);
    memcpy(toy_values(m, TOY_BIAS), bias, sizeof bias);
    t.field[0].n_transform = t.field[2].n_transform = 0;
    ActRun run = { .keep = 1, .input = path };
    char *text = predicted(&run);
    assert_string_equal(text, "[0.761, 0.188, 0.051]\n[0.761, 0.188, 0.051]\n");
    free(text);
    run.rows = 1;
    run.has_digits = 1, run.digits = 1;
    text = predicted(&run);
    assert_string_equal(text, "[0.8, 0.2, 0.1]\n");
    free(text);
    run.rows = 0;
    run.format = "csv";
    text = predicted(&run);
    assert_has(text, "p.0,p.1,p.2\n0.761149");
    free(text);
    run.format = "json";
    text = predicted(&run);
    assert_has(text, "[\n{\"p\": [0.761149");
    assert_has(text, "]},\n{\"p\": [");
    assert_has(text, "]}\n]\n");
    free(text);
    run.format = "npy";
    free(predicted(&run));
    size_t size;
    text = read_all(folder_file(&folder, "out"), &size);
    assert_memory_equal(text, "\x93NUMPY\1\0", 8);
    assert_int_equal((10 + (unsigned char)text[8]) % 64, 0);
    assert_has(text + 10, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }");
    assert_int_equal(size, 128 + 2 * 3 * 4);
    free(text);
    run.format = "xml";
    assert_int_equal(act_predict(m, &run, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "there are text, csv, json, npy and png");
}

static ActStatus small_numbers(const ActInstance *instance, const void *const *input, size_t n, void *const *output)
{
    static const float p[] = { -0.0001f, -0.0f, -0.1f };
    (void)instance, (void)input;
    for (size_t r = 0; r < n; r++) memcpy((float *)output[0] + r * TOY_OUT, p, sizeof p);
    return ACT_OK;
}

static void shapes_of_predictions(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", folder_text(&folder, "new.csv", "0,0,0,0\n"));
    memset(m->param, 0, 192);
    toy_values(m, TOY_BIAS)[0] = -INFINITY; /* p = 0, 1/2, 1/2 */
    t.output.rank = 3, t.output.dim[0] = 1, t.output.dim[1] = 3, t.output.dim[2] = 1;
    ActRun run = { .keep = 1, .input = path };
    t.field[0].n_transform = t.field[2].n_transform = 0;
    char *text = predicted(&run);
    assert_string_equal(text, "[[[0.000], [0.500], [0.500]]]\n");
    free(text);
    t.output.rank = 1, t.output.dim[0] = 3;
    t.model.entry.forward = small_numbers;
    text = predicted(&run);
    assert_string_equal(text, "[0.000, 0.000, -0.100]\n"); /* no -0.000 */
    free(text);
}

static void missing_weights_are_said(void **state)
{
    (void)state;
    ActRun run = run_here();
    assert_int_equal(act_evaluate(m, &run, NULL, &error), ACT_E_IO);
    assert_has(error.text, "there are no trained weights");
    assert_has(error.text, "run `train` first");
    run.part = "tset";
    assert_int_equal(act_evaluate(m, &run, NULL, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "has no part `tset`; there is `train`, `test`");
}

static void steps_are_timed(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.steps = 7;
    assert_good(act_bench(m, &run, &result, &error), &error);
    assert_int_equal(toy.steps, 27);
    assert_true(result.step_microseconds > 0);
    run.synthetic = 1;
    run.format = "json";
    assert_good(act_bench(m, &run, &result, &error), &error);
    char *text = log_text();
    assert_has(text, "toy: ");
    assert_has(text, " us a step (median of 7; ");
    assert_has(text, "{\"model\": \"toy\", \"threads\": 1, \"batch\": 32, \"steps\": 7, \"step_us\": ");
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, toy_run_end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(iris_is_learned),
        TEST(logs_are_plain_lines),
        TEST(every_row_is_trained_once_an_epoch),
        TEST(a_seed_decides_everything),
        TEST(steps_allocate_nothing),
        TEST(the_best_epoch_is_kept),
        TEST(patience_without_validation_is_said),
        TEST(parts_that_end_a_run),
        TEST(nan_stops_and_writes_nothing),
        TEST(a_stop_saves),
        TEST(checkpoints_are_written_on_the_way),
        TEST(training_goes_on_from_a_file),
        TEST(output_is_checked_before_training),
        TEST(wrong_metrics_are_named),
        TEST(predictions_in_every_format),
        TEST(shapes_of_predictions),
        TEST(missing_weights_are_said),
        TEST(steps_are_timed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
