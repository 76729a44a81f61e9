#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "act/act.h"

#include "support.h"
#include "toy_model.h"

#include "../../../runtime/host/command.h"

#include <signal.h>
#include <sys/wait.h>

static Folder folder;
static ToyModel first, second;
static const ActModel *models[2];
static size_t n_models;
static char *out, *err;

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    toy_make(&second, source_file("examples/data"), 0);
    toy_iris(&first, source_file("examples/data"), 1);
    second.model.name = "other";
    second.model.train = NULL;
    models[0] = &first.model;
    models[1] = &second.model;
    n_models = 1;
    out = err = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(out);
    free(err);
    folder_close(&folder);
    return 0;
}

/* The program with these words; what it says goes to files and back. */
static int program(const char *words)
{
    char line[1024], *argv[32] = { (char *)(uintptr_t)"./toy" };
    int argc = 1, saved[2];
    snprintf(line, sizeof line, "%s", words);
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
    const char *names[2] = { "stdout", "stderr" };
    FILE *streams[2] = { stdout, stderr };
    for (int i = 0; i < 2; i++) {
        fflush(streams[i]);
        saved[i] = dup(i + 1);
        FILE *file = fopen(folder_file(&folder, names[i]), "w");
        assert_non_null(file);
        dup2(fileno(file), i + 1);
        fclose(file);
    }
    int code = act_program_main(argc, argv, models, n_models);
    for (int i = 0; i < 2; i++) {
        fflush(streams[i]);
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
    free(out);
    free(err);
    out = read_all(folder_file(&folder, "stdout"), NULL);
    err = read_all(folder_file(&folder, "stderr"), NULL);
    return code;
}

/* %s stands for the test's folder, twice at most */
static int program_here(const char *words)
{
    char line[1024];
    const char *at = strstr(words, "HERE");
    size_t used = 0;
    for (; at; words = at + 4, at = strstr(words, "HERE"))
        used += (size_t)snprintf(line + used, sizeof line - used, "%.*s%s", (int)(at - words), words, folder.path);
    snprintf(line + used, sizeof line - used, "%s", words);
    return program(line);
}

static void a_whole_session(void **state)
{
    (void)state;
    assert_int_equal(program_here("train --out HERE/run --epochs 5 --batch=8 --threads 2 --seed 3"), 0);
    assert_string_equal(err, "");
    assert_has(out, "epoch 5/5: loss");
    assert_has(out, "batch 8, 2 threads");
    assert_has(out, "run/toy.safetensors\ntest: loss 0.");
    char *last = strstr(out, "\ntest: ");
    assert_non_null(last);
    char kept[128];
    snprintf(kept, sizeof kept, "%s", last + 1);
    assert_int_equal(program_here("eval --out HERE/run"), 0);
    assert_string_equal(out, kept); /* the line that ended the training */
    assert_int_equal(program_here("toy eval --weights HERE/run/toy.safetensors --part train"), 0);
    assert_has(out, "train: loss 0.");
    assert_int_equal(program_here("predict --out HERE/run --rows 2 --digits 2"), 0);
    assert_has(out, "] setosa\n[");
    assert_string_equal(err, "");
    assert_int_equal(program_here("predict --out HERE/run --format csv --to HERE/p.csv"), 0);
    assert_string_equal(out, "");
    char *csv = read_all(folder_file(&folder, "p.csv"), NULL);
    assert_has(csv, "p.0,p.1,p.2,species\n");
    assert_has(csv, ",\"setosa\"\n"); /* the likeliest class by its name */
    free(csv);
    first.model.hash = "0100"; /* another text of the model, the same shapes */
    assert_int_equal(program_here("predict --out HERE/run --rows 1 --format json"), 0);
    assert_has(out, "], \"species\": \"setosa\"}\n]");
    assert_has(err, "note: the weights were trained by another text of model `toy`");
    assert_int_equal(program_here("eval --out HERE/run"), 0);
    assert_has(out, "note: the weights were trained by another text");
    first.model.hash = "00ff";
    assert_int_equal(program("bench --steps 3 --synthetic --threads 1"), 0);
    assert_has(out, "us a step");
    assert_int_equal(program_here("train --quiet --epochs 1 --out HERE"), 0);
    assert_string_equal(out, "");
}

static void places_that_are_none(void **state)
{
    (void)state;
    assert_int_equal(program_here("train --data HERE/nowhere --out HERE"), 2);
    assert_has(err, "error: there is no directory `");
    assert_has(err, "/nowhere` (--data)");
    first.field[0].path = ".";
    assert_int_equal(program_here("train --quiet --out HERE"), 2);
    assert_has(err, "/.` is a directory; a file is wanted");
}

static void help_has_examples(void **state)
{
    (void)state;
    assert_int_equal(program("--help"), 0);
    assert_has(out, "usage: ./toy COMMAND [options]");
    assert_has(out, "--lr-scale X");
    assert_has(out, "examples\n");
    assert_has(out, "exit codes");
    assert_int_equal(program("train --help"), 0);
    assert_has(out, "usage: ./toy train [options]");
    assert_lacks(out, "--steps");
    assert_int_equal(program("bench -h"), 0);
    assert_has(out, "--steps N");
    assert_lacks(out, "--epochs N ");
}

static void slips_are_understood(void **state)
{
    (void)state;
    const struct { const char *words, *part; } cases[] = {
        { "", "a command is wanted: train, eval, predict or bench" },
        { "trian", "`trian` is neither a command nor a model; there is `train`" },
        { "zzzzzz", "the commands are train, eval, predict and bench" },
        { "train --epoch 3", "there is no option `--epoch`; there is `--epochs`" },
        { "train --epocsh=3", "there is no option `--epocsh`; there is `--epochs`" },
        { "train --zzzzzzzzzzz", "there is no option `--zzzzzzzzzzz` (see --help)" },
        { "train --epochs", "`--epochs` wants a value: --epochs N" },
        { "train --epochs 0", "`--epochs` wants a whole number from 1, not `0`" },
        { "train --epochs 3x", "not `3x`" },
        { "train --epochs -3", "not `-3`" },
        { "train --epochs 99999999999999999999", "`--epochs` wants" },
        { "train --lr-scale 0", "`--lr-scale` wants a number above 0, not `0`" },
        { "train --lr-scale nan", "not `nan`" },
        { "train --quiet=1", "`--quiet` takes no value" },
        { "train --steps 3", "`--steps` means nothing to `train`" },
        { "train now", "`now` is not expected here" },
        { "--epochs 3 train", "the command comes before the options" },
        { "train --threads 5000", "at most 1024" },
        { "train --lr-range 1", "`--lr-range` wants two rates, the lower one first, such as 1e-6:1; not `1`" },
        { "train --lr-range 1:0.1", "not `1:0.1`" },
        { "train --lr-range 0.1:1:2", "not `0.1:1:2`" },
        { "train --lr-range 0.1:1 --log x.csv", "one log of JSON lines" },
        { "train --sanity --folds 3", "`--sanity` and `--folds` do not go together" },
        { "train --resume --lr-range 0.1:1", "`--lr-range` and `--resume` do not go together" },
        { "train --folds 1", "`--folds` wants 2 or more" },
        { "predict --digits 101", "whole number from 0 to 100" },
        { "predict --prompt x", "`--prompt` goes with `--generate N`" },
        { "train --batch 64", "a batch of 64 is more than the 32 rows" },
        { "eval --weights /nowhere/w.safetensors", "`/nowhere/w.safetensors` can't be read" },
        { "predict --to /nowhere/x --rows 1", "`/nowhere/x` can't be written" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (program(cases[i].words) != 2) fail_msg("`%s` should be a usage error: %s%s", cases[i].words, out, err);
        assert_has(err, "error: ");
        assert_has(err, cases[i].part);
        assert_string_equal(out, "");
    }
}

static void several_models(void **state)
{
    (void)state;
    n_models = 2;
    assert_int_equal(program_here("train --epochs 1 --out HERE"), 0); /* the only one with a train block */
    assert_has(out, "toy: ");
    assert_int_equal(program("other train"), 2);
    assert_has(err, "model `other` has no data of its own");
    second.model.train = &second.train;
    assert_int_equal(program("train"), 2);
    assert_has(err, "there are several models; name one before the command: `toy`, `other`");
    assert_int_equal(program("othr train"), 2);
    assert_has(err, "there is `other`");
    assert_int_equal(program("--help"), 0);
    assert_has(out, "usage: ./toy [MODEL] COMMAND [options]");
    assert_has(out, "models\n  toy\n  other\n");
}

static void exit_codes(void **state)
{
    (void)state;
    toy.nan_at = 3;
    assert_int_equal(program_here("train --out HERE"), 3);
    assert_has(err, "error: the loss of model `toy` became NaN at step 3");
    toy.nan_at = 0;
    first.target.classes = 2;
    assert_int_equal(program_here("train --out HERE"), 1);
    assert_has(err, "has 3 different names");
}

static void interrupt(uint64_t step)
{
    if (step == 5) raise(SIGINT);
}

static void an_interrupt_saves(void **state)
{
    (void)state;
    toy.on_step = interrupt;
    signal(SIGTERM, SIG_IGN);
    assert_int_equal(program_here("train --out HERE"), 130);
    assert_has(err, "note: interrupted after step 5 (epoch 1 of 20); the weights are in `");
    assert_int_equal(access(folder_file(&folder, "toy.safetensors"), F_OK), 0);
    struct sigaction now;
    sigaction(SIGINT, NULL, &now);
    assert_true(now.sa_handler == SIG_DFL);
    sigaction(SIGTERM, NULL, &now);
    assert_true(now.sa_handler == SIG_IGN); /* given back as it was */
    signal(SIGTERM, SIG_DFL);
}

static int signal_sent;
static void send(uint64_t step)
{
    if (step == 5) raise(signal_sent);
}

static void every_signal_saves(void **state)
{
    (void)state;
    static const int signals[] = { SIGTERM, SIGHUP, SIGPIPE };
    toy.on_step = send;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        signal_sent = signals[i];
        assert_int_equal(program_here("train --out HERE"), 128 + signals[i]);
        assert_has(err, "; the weights are in `");
        assert_has(err, "toy.safetensors`. It goes on with\n    ./toy train --out ");
        assert_has(err, " --resume\n");
        assert_int_equal(access(folder_file(&folder, "toy.step-00000005.safetensors"), F_OK), 0);
    }
    toy.on_step = NULL;
    assert_int_equal(program_here("train --out HERE --resume"), 0);
    assert_has(out, "toy.step-00000005.safetensors`: step 5, epoch 1 of 20\n");
}

/* The first signal leaves the second to the system. */
static void two_signals(uint64_t step)
{
    if (step != 5) return;
    raise(SIGINT);
    raise(SIGTERM);
}

static void the_second_signal_ends_it(void **state)
{
    (void)state;
    toy.on_step = two_signals;
    pid_t child = fork();
    if (child == 0) _exit(program_here("train --out HERE"));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(access(folder_file(&folder, "toy.safetensors"), F_OK), -1);
}

static void checkpoint_options(void **state)
{
    (void)state;
    static const char *const wrong[] = { "5", "epochs", "0steps", "2weeks", "-1steps", "1e3steps", "99999999999999999999steps", "steps5" };
    char line[128];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(line, sizeof line, "train --checkpoint=%s", wrong[i]);
        assert_int_equal(program(line), 2);
        snprintf(line, sizeof line, "such as 2epochs, 500steps or 10min, or `never`; not `%s`", wrong[i]);
        assert_has(err, line);
    }
    assert_int_equal(program_here("train --out HERE --epochs 4 --checkpoint 8steps --keep 2"), 0);
    assert_has(out, "`, every 8 steps; the last 2 stay, and the best\n");
    assert_int_equal(access(folder_file(&folder, "toy.step-00000016.safetensors"), F_OK), -1);
    assert_int_equal(access(folder_file(&folder, "toy.step-00000024.safetensors"), F_OK), 0);
    assert_int_equal(program_here("train --out HERE --epochs 1 --checkpoint 2epochs --resume nothing"), 2);
    assert_has(err, "`nothing` can't be read");
    assert_int_equal(program("train --resume --weights x"), 2);
    assert_has(err, "`--resume` and `--weights` exclude each other");
    assert_int_equal(program("eval --resume"), 2);
    assert_has(err, "`--resume` means nothing to `eval`");
}

/* Words of a command line, as a shell takes them. */
static void commands_are_typed_again(void **state)
{
    (void)state;
    static const char *const typed[] = { "actc", "run", "my net.act", "--" };
    char *argv[] = { (char *)(uintptr_t)"net",       (char *)(uintptr_t)"train",  (char *)(uintptr_t)"--out",        (char *)(uintptr_t)"it's here",
                     (char *)(uintptr_t)"--resume",  (char *)(uintptr_t)"x y",    (char *)(uintptr_t)"--weights",    (char *)(uintptr_t)"w",
                     (char *)(uintptr_t)"--epochs=5", (char *)(uintptr_t)"--resume", (char *)(uintptr_t)"--threads", (char *)(uintptr_t)"2",
                     (char *)(uintptr_t)"--resume=z" };
    char *line = act_command_resume(4, typed, 13, argv);
    assert_string_equal(line, "actc run 'my net.act' -- train --out 'it'\\''s here' --epochs=5 --threads 2 --resume");
    free(line);
    line = act_command_word("");
    assert_string_equal(line, "''");
    free(line);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_session), TEST(places_that_are_none), TEST(help_has_examples), TEST(slips_are_understood),
        TEST(several_models),  TEST(exit_codes),        TEST(an_interrupt_saves),
        TEST(every_signal_saves), TEST(the_second_signal_ends_it), TEST(checkpoint_options), TEST(commands_are_typed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
