#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "toy_run.h"

static FILE *problems;
static volatile sig_atomic_t stop;

static int begin(void **state)
{
    (void)state;
    toy_run_begin(0, 0.25);
    problems = fopen(folder_file(&folder, "problems"), "w+");
    assert_non_null(problems);
    stop = 0;
    return 0;
}

static int end(void **state)
{
    fclose(problems);
    return toy_run_end(state);
}

static ActRun run_here(void)
{
    return (ActRun){ .out = folder.path, .log = log_file, .problems = problems, .stop = &stop, .checkpoint_never = 1, .epochs = 4 };
}

static void train(const ActRun *run, ActStatus wanted)
{
    stop = 0;
    ActStatus status = act_train(m, run, &result, &error);
    if (status != wanted) print_error("%s\n", error.text);
    assert_int_equal(status, wanted);
}

/* Stopped behind this step: a checkpoint of it is there. */
static void stop_at(const ActRun *run, uint64_t step)
{
    toy.stop = &stop;
    toy.stop_at = step;
    train(run, ACT_E_STOPPED);
    toy.stop_at = 0;
}

static char *file_bytes(const char *name, size_t *size) { return read_all(folder_file(&folder, name), size); }
static int there(const char *name) { return access(folder_file(&folder, name), F_OK) == 0; }

static char *said(FILE *stream, const char *name)
{
    fflush(stream);
    return read_all(folder_file(&folder, name), NULL);
}

/* 90 rows in batches of 16: six steps an epoch. */
static void it_goes_on_bit_for_bit(void **state)
{
    (void)state;
    ActRun run = run_here();
    train(&run, ACT_OK);
    assert_int_equal(result.steps, 24);
    const ActScore score = result.score;
    size_t size, size_now;
    char *whole = file_bytes("toy.safetensors", &size);
    for (uint64_t step = 1; step < 24; step++) {
        run.resume = NULL;
        stop_at(&run, step);
        memset(m->param, 0x55, t.model.param_bytes);
        memset(m->state, 0x55, t.model.state_bytes);
        run.resume = "";
        uint64_t before = toy.steps;
        train(&run, ACT_OK);
        assert_int_equal(toy.steps - before, 24 - step);
        assert_int_equal(result.steps, 24);
        assert_true(result.score.loss == score.loss);
        char *now = file_bytes("toy.safetensors", &size_now);
        assert_int_equal(size, size_now);
        assert_memory_equal(whole, now, size);
        free(now);
    }
    free(whole);
}

static void what_is_not_said_is_the_checkpoint_s(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.epochs = 3, run.batch = 30, run.seed = 12, run.has_seed = 1, run.lr_scale = 0.5;
    stop_at(&run, 4);
    ActRun bare = run_here();
    bare.epochs = 0, bare.resume = "";
    train(&bare, ACT_OK);
    assert_int_equal(result.steps, 9);
    assert_true(toy.last_scale == 0.25); /* the schedule ends at one half */
    /* what is said, and goes with a training that has begun, is noted */
    stop_at(&run, 4);
    bare.epochs = 5, bare.lr_scale = 1;
    train(&bare, ACT_OK);
    assert_int_equal(result.steps, 15);
    char *text = said(log_file, "log");
    assert_has(text, "note: the run was begun for 3 epochs, and goes on to 5; its schedule is that of the new total from here on");
    assert_has(text, "note: the run had `--lr-scale 0.5` so far, and goes on with 1");
    free(text);
    /* the block's own change is seen, too */
    stop_at(&run, 4);
    t.train.epochs = 2;
    bare.epochs = 0;
    train(&bare, ACT_OK);
    assert_int_equal(result.steps, 6);
}

static void others_are_refused(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop_at(&run, 7);
    run.resume = "";
    run.batch = 30, run.has_seed = 1, run.seed = 4;
    train(&run, ACT_E_DATA);
    assert_has(error.text, "toy.step-00000007.safetensors` is not a checkpoint of this training of model `toy`:\n"
                           "  batch: 30 here, 16 in the file\n  seed: 4 here, 1 in the file\n`--weights /");
    run.batch = 0, run.has_seed = 0;

    t.train.settings = "adam(lr = 0.1)";
    t.train.recipe = "13";
    t.state[0].name = "linear1.weight.m";
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  optimizer: `adam(lr = 0.1)` here, `none` in the file\n`--weights");
    t.train.settings = NULL;
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  a formula of the optimizer or of the schedule was changed since\n`--weights");
    t.train.recipe = NULL;
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  missing: `linear1.weight.m`, f32[3, 4] (the file has `linear1.weight.v`)\n"
                           "  unknown: `linear1.weight.v`, f32[3, 4] (the model has `linear1.weight.m`)\n");
    t.state[0].name = "linear1.weight.v";

    t.train.schedule = "cosine";
    t.train.recipe = "12";
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  schedule: `cosine` here, `none` in the file\n`--weights");
    t.train.schedule = t.train.recipe = NULL;

    t.model.hash = "00fe";
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  the network: its parameters have the same shapes, but what it computes was changed since\n`--weights");
    t.model.hash = "00ff";

    t.param[TOY_BIAS].dim[0] = 2, t.state[1].dim[0] = 2;
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  `linear1.bias`: the model expects f32[2], the file has f32[3]\n");
    assert_has(error.text, "\nWithout `--resume` the training begins anew");
    t.param[TOY_BIAS].dim[0] = 3, t.state[1].dim[0] = 3;

    t.data.validation_split = 0.5;
    train(&run, ACT_E_DATA);
    assert_has(error.text, ":\n  training rows: 60 here, 90 in the file\nIt goes on with the data it was begun with");
    t.data.validation_split = 0;
    t.field[0].path = t.field[1].path = "iris-train.csv";
    train(&run, ACT_E_DATA);
    assert_has(error.text, "training rows: 120 here, 90 in the file");
    t.data.validation_split = 0.25;
    train(&run, ACT_OK);
    assert_int_equal(result.steps, 24);
}

static void a_larger_batch_than_compiled_is_said(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.batch = 32;
    stop_at(&run, 2);
    t.model.batch = 16;
    run.batch = 0, run.resume = "";
    train(&run, ACT_E_ARGUMENT);
    assert_has(error.text, "a batch of 32 is more than the 16 rows that model `toy` was compiled for; compile it with `--batch 32`, under which `/");
}

static void what_is_not_there_is_said(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.resume = "";
    train(&run, ACT_E_IO);
    assert_has(error.text, "there is no checkpoint of model `toy` in `");
    assert_has(error.text, "without `--resume` the training begins");
    run.resume = folder_file(&folder, "none.safetensors");
    train(&run, ACT_E_IO);
    assert_has(error.text, "none.safetensors` can't be read: No such file or directory");
    char path[128];
    snprintf(path, sizeof path, "%s", folder.path);
    run.resume = path;
    train(&run, ACT_E_IO);
    assert_has(error.text, "is a directory, and `--resume` wants a checkpoint; `--out /");
    run.resume = "", run.weights = "x";
    train(&run, ACT_E_ARGUMENT);
    assert_has(error.text, "`--resume` and `--weights` exclude each other");
    run.resume = run.weights = NULL;
    train(&run, ACT_OK);
    snprintf(path, sizeof path, "%s", folder_file(&folder, "toy.safetensors"));
    run.resume = path;
    train(&run, ACT_E_FORMAT);
    assert_has(error.text, "holds weights, but not the state of a training; `--weights ");
}

static void cut(const char *name, long size)
{
    assert_int_equal(truncate(folder_file(&folder, name), size), 0);
}

static void a_damaged_one_is_passed_over(void **state)
{
    (void)state;
    ActRun run = run_here();
    train(&run, ACT_OK);
    size_t size, now_size;
    char *whole = file_bytes("toy.safetensors", &size);
    run.checkpoint_never = 0, run.checkpoint_steps = 5;
    stop_at(&run, 17);
    assert_true(there("toy.step-00000017.safetensors") && there("toy.step-00000015.safetensors"));
    cut("toy.step-00000017.safetensors", 1500);
    run.resume = "";
    uint64_t before = toy.steps;
    train(&run, ACT_OK);
    assert_int_equal(toy.steps - before, 9);
    char *now = file_bytes("toy.safetensors", &now_size), *text = said(problems, "problems");
    assert_int_equal(size, now_size);
    assert_memory_equal(whole, now, size);
    assert_has(text, "warning: `");
    assert_has(text, "toy.step-00000017.safetensors` is ");
    assert_has(text, "; the one before it is taken\n");
    assert_false(there("toy.step-00000017.safetensors"));
    free(now);
    free(whole);
    free(text);
}

static void a_changed_bit_is_seen(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop_at(&run, 7);
    size_t size;
    char *bytes = file_bytes("toy.step-00000007.safetensors", &size);
    run.resume = "";
    bytes[size - 3] ^= 4;
    folder_write(&folder, "toy.step-00000007.safetensors", bytes, size);
    train(&run, ACT_E_FORMAT);
    assert_has(error.text, "toy.step-00000007.safetensors` is damaged: its checksum is ");
    assert_has(error.text, ". There is no other checkpoint; without `--resume` the training begins anew");
    bytes[size - 3] ^= 4;
    strstr(bytes + 8, "train.best_loss")[20] ^= 1;
    folder_write(&folder, "toy.step-00000007.safetensors", bytes, size);
    train(&run, ACT_E_FORMAT);
    assert_has(error.text, "is damaged");
    free(bytes);
}

/* With the key of the checksum gone, as after another program has written the file, the rest is looked at. */
static void metadata_is_looked_at(void **state)
{
    (void)state;
    static const struct { const char *key, *from, *to, *says; } cases[] = {
        { "train.crc32", "train.crc32", "other.crc32", NULL },
        { "train.step\":", "7", "x", "the metadata `train.step` is `x`, where a count should stand" },
        { "train.step\":", "7", "8", "the metadata does not hang together: train.step 8, train.epoch 1, train.row 16" },
        { "train.row\":", "16", "17", "does not hang together" },
        { "train.loss_rows", "16", "19", "does not hang together" },
        { "train.last_loss", "0.", "nan", "the metadata `train.last_loss` is `nan" },
        { "train.format", "1", "9", "is a checkpoint of version `9`, and this program knows version 1" },
        { "train.patience", "", "", NULL },
    };
    ActRun run = run_here();
    stop_at(&run, 7);
    char path[128];
    snprintf(path, sizeof path, "%s", folder_file(&folder, "toy.step-00000007.safetensors"));
    run.resume = path;
    size_t size;
    char *bytes = file_bytes("toy.step-00000007.safetensors", &size);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = malloc(size + 1), *at;
        memcpy(copy, bytes, size + 1);
        memcpy(strstr(copy + 8, "train.crc32"), "other", 5);
        at = strstr(copy + 8, cases[i].key);
        if (at && i) {
            at = strstr(at + strlen(cases[i].key), cases[i].from);
            memcpy(at, cases[i].to, strlen(cases[i].to));
        }
        folder_write(&folder, "toy.step-00000007.safetensors", copy, size);
        if (cases[i].says) {
            train(&run, ACT_E_FORMAT);
            assert_has(error.text, cases[i].says);
        } else {
            train(&run, ACT_OK);
        }
        free(copy);
    }
    free(bytes);
}

static size_t checkpoints(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder.path);
    for (struct dirent *entry; (entry = readdir(dir));) n += strstr(entry->d_name, ".step-") != NULL;
    closedir(dir);
    return n;
}

static void the_last_and_the_best_are_kept(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.checkpoint_never = 0, run.checkpoint_epochs = 1, run.checkpoint_keep = 2;
    run.epochs = 20, run.lr_scale = 60; /* so fast that the validation loss jumps about */
    train(&run, ACT_OK);
    assert_true(result.best_epoch > 0 && result.best_epoch < 18);
    char name[64];
    snprintf(name, sizeof name, "toy.step-%08llu.safetensors", 6 * (unsigned long long)result.best_epoch);
    assert_true(there(name));
    assert_true(there("toy.step-00000120.safetensors") && there("toy.step-00000114.safetensors"));
    assert_int_equal(checkpoints(), 3);
    /* it is done: to go on is to train longer */
    run.resume = "";
    train(&run, ACT_OK);
    char *text = said(log_file, "log");
    assert_has(text, "toy.step-00000120.safetensors`: step 120; 20 epochs are over, nothing is left to train (`--epochs N` trains longer)\n");
    free(text);
    run.epochs = 19; /* nothing goes on */
    train(&run, ACT_OK);
    text = said(log_file, "log");
    assert_lacks(text, "note: the run was begun for 20 epochs");
    free(text);
    run.epochs = 21;
    uint64_t before = toy.steps;
    train(&run, ACT_OK);
    assert_int_equal(toy.steps - before, 6);
}

static void an_unfinished_run_is_put_aside(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop_at(&run, 7);
    run.has_seed = 1, run.seed = 9;
    stop_at(&run, 2);
    assert_false(there("toy.step-00000007.safetensors"));
    assert_true(there("toy.step-00000002.safetensors") && there("toy.previous.safetensors"));
    char *text = said(log_file, "log"), path[128];
    assert_has(text, "note: an earlier run stands at step 7 here; it is kept as `");
    free(text);
    /* and goes on; what stood in its way is put aside in turn, after it has a checkpoint of its own */
    snprintf(path, sizeof path, "%s", folder_file(&folder, "toy.previous.safetensors"));
    run.resume = path, run.has_seed = 0, run.out = NULL;
    stop_at(&run, 8);
    assert_true(there("toy.step-00000007.safetensors") && there("toy.step-00000008.safetensors"));
    run.resume = "", run.out = folder.path;
    train(&run, ACT_OK);
}

static void the_end_of_a_resumed_run_is_a_checkpoint_too(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop_at(&run, 7);
    run.resume = "";
    train(&run, ACT_OK);
    assert_true(there("toy.step-00000024.safetensors"));
    run.resume = NULL;
    train(&run, ACT_OK); /* takes the place of a finished run: nothing to put aside */
    assert_false(there("toy.previous.safetensors"));
}

static void what_cannot_be_written_is_told_once(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.checkpoint_never = 0, run.checkpoint_steps = 1;
    char path[128];
    for (int step = 4; step < 20; step++) { /* directories in the way */
        snprintf(path, sizeof path, "toy.step-%08d.safetensors", step);
        assert_int_equal(mkdir(folder_file(&folder, path), 0777), 0);
    }
    train(&run, ACT_OK);
    char *text = said(problems, "problems"), *first = strstr(text, "warning: ");
    assert_non_null(first);
    assert_has(first, "toy.step-00000004.safetensors` can't be written: it is a directory; the training goes on, and tries again with the "
                      "next checkpoint (the last good one is of step 3)\n");
    assert_null(strstr(first + 1, "warning: "));
    free(text);
    assert_true(there("toy.step-00000024.safetensors"));
}

static void files_that_nobody_may_write_stay(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.checkpoint_never = 0, run.checkpoint_steps = 4, run.checkpoint_keep = 1;
    stop_at(&run, 5);
    assert_int_equal(chmod(folder_file(&folder, "toy.step-00000005.safetensors"), 0444), 0);
    run.resume = "";
    train(&run, ACT_OK);
    assert_true(there("toy.step-00000005.safetensors"));
    assert_int_equal(chmod(folder_file(&folder, "toy.safetensors"), 0444), 0);
    run.resume = NULL;
    train(&run, ACT_E_IO);
    assert_has(error.text, "toy.safetensors` can't be written: the file is read-only; `--out DIR` names another directory");
    run.out = folder_file(&folder, "else");
    train(&run, ACT_OK);
}

static void what_killed_runs_left_is_removed(void **state)
{
    (void)state;
    ActRun run = run_here();
    folder_text(&folder, "toy.step-00000003.safetensors.77.part", "half");
    folder_text(&folder, "toy.safetensors.77.part", "half");
    folder_text(&folder, "toys.safetensors.77.part", "another's");
    train(&run, ACT_OK);
    assert_false(there("toy.step-00000003.safetensors.77.part") || there("toy.safetensors.77.part"));
    assert_true(there("toys.safetensors.77.part"));
}

static void time_is_a_cadence(void **state)
{
    (void)state;
    ActRun run = run_here();
    run.checkpoint_never = 0, run.checkpoint_seconds = 1e-9, run.checkpoint_keep = 100;
    train(&run, ACT_OK);
    assert_int_equal(checkpoints(), 24);
}

/* The weights of a checkpoint are weights as any other's. */
static void weights_come_out_of_a_checkpoint(void **state)
{
    (void)state;
    ActRun run = run_here();
    stop_at(&run, 13);
    float held[32];
    assert_good(act_load_weights(m, folder_file(&folder, "toy.step-00000013.safetensors"), &error), &error);
    memcpy(held, m->param, sizeof held);
    unlink(folder_file(&folder, "toy.safetensors"));
    assert_int_equal(act_evaluate(m, &run, NULL, &error), ACT_E_IO);
    assert_has(error.text, "toy.safetensors` does not exist; a training that did not end left `");
    assert_has(error.text, "toy.step-00000013.safetensors`, which `--weights` takes, and `train --resume` goes on with");
    t.state[0].name = "linear1.weight.m", t.state[1].name = "linear1.bias.m"; /* under another optimizer, too */
    memset(m->param, 0, sizeof held);
    assert_good(act_load_weights(m, folder_file(&folder, "toy.step-00000013.safetensors"), &error), &error);
    assert_memory_equal(held, m->param, 128);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_goes_on_bit_for_bit),
        TEST(what_is_not_said_is_the_checkpoint_s),
        TEST(others_are_refused),
        TEST(a_larger_batch_than_compiled_is_said),
        TEST(what_is_not_there_is_said),
        TEST(a_damaged_one_is_passed_over),
        TEST(a_changed_bit_is_seen),
        TEST(metadata_is_looked_at),
        TEST(the_last_and_the_best_are_kept),
        TEST(an_unfinished_run_is_put_aside),
        TEST(the_end_of_a_resumed_run_is_a_checkpoint_too),
        TEST(what_cannot_be_written_is_told_once),
        TEST(files_that_nobody_may_write_stay),
        TEST(what_killed_runs_left_is_removed),
        TEST(time_is_a_cadence),
        TEST(weights_come_out_of_a_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
