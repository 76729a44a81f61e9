#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "act/act.h"

#include "../../../runtime/host/weights.h"
#include "support.h"
#include "toy_model.h"

enum { TIME = 4 };

static Folder folder;
static ToyModel t;
static ActInstance *m;
static ActError error;
static char *said;
static int logits;

/* The next character in the order of their indices follows with 0.75, the one behind it with 0.25. */
static ActStatus next_but_seldom(const ActInstance *instance, const void *const *input, size_t n, void *const *output)
{
    const int32_t *x = input[0];
    uint32_t words = instance->model->output[0].dim[1];
    assert_int_equal(n, 1);
    for (uint32_t at = 0; at < TIME; at++) {
        float *row = (float *)output[0] + at * words;
        for (uint32_t c = 0; c < words; c++) row[c] = logits ? -100 : 0;
        row[((uint32_t)x[at] + 1) % words] = logits ? 3 + logf(3) : 0.75f;
        row[((uint32_t)x[at] + 2) % words] = logits ? 3 : 0.25f;
    }
    return ACT_OK;
}

/* A model of texts of `words` characters. */
static int open_words(uint32_t words)
{
    folder_open(&folder);
    toy_make(&t, ".", 0);
    t.input = (ActTensor){ .name = "text", .role = ACT_INPUT, .type = ACT_I32, .rank = 1, .dim = { TIME }, .classes = words };
    t.output = (ActTensor){ .name = "p", .role = ACT_OUTPUT, .rank = 2, .dim = { TIME, words }, .low = 1, .high = -1 };
    t.model.entry.forward = next_but_seldom;
    m = act_instance_new(&t.model, 1, &error);
    assert_non_null(m);
    return 0;
}

static int open_bytes(void **state)
{
    (void)state;
    return open_words(256);
}

static int open_named(void **state)
{
    (void)state;
    open_words(3);
    char *name[] = { (char[]){ "\n" }, (char[]){ "x" }, (char[]){ "é" } };
    ActFact fact[2] = { { .value = "text", .class_name = name, .n_class = 3 }, { .value = "species" } };
    ActFacts facts = { .fact = fact, .n = 2 };
    assert_good(act_weights_save(m, folder_file(&folder, "toy.safetensors"), &facts, &(ActStand){ 1, 1, 1 }, &error), &error);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(said);
    said = NULL;
    logits = 0;
    act_instance_free(m);
    folder_close(&folder);
    return 0;
}

static ActStatus generate(ActRun run)
{
    FILE *out = fopen(folder_file(&folder, "said"), "w");
    assert_non_null(out);
    run.output = out;
    ActStatus status = act_predict(m, &run, &error);
    fclose(out);
    free(said);
    said = read_all(folder_file(&folder, "said"), NULL);
    return status;
}

static void bytes_behind_a_prompt(void **state)
{
    (void)state;
    ActRun run = { .keep = 1, .generate = 6, .prompt = "ab", .temperature = 0.01 };
    assert_good(generate(run), &error);
    assert_string_equal(said, "abcdefgh\n");
    run.prompt = "ABCDEFG";
    assert_good(generate(run), &error);
    assert_string_equal(said, "ABCDEFGHIJKLM\n");
}

static void names_of_characters(void **state)
{
    (void)state;
    ActRun run = { .out = folder.path, .generate = 4, .temperature = 0.01 };
    assert_good(generate(run), &error);
    assert_string_equal(said, "xé\nx\n");
    run.prompt = "é";
    assert_good(generate(run), &error);
    assert_string_equal(said, "é\nxé\n\n");
    run.prompt = "xü";
    assert_int_equal(generate(run), ACT_E_ARGUMENT);
    assert_has(error.text, "the character `ü` of the prompt does not occur");
    run.keep = 1;
    assert_int_equal(generate(run), ACT_E_ARGUMENT);
    assert_has(error.text, "do not name the characters of `text`");
}

/* How many of 400 draws took the seldom one; the first byte is 'a', each step adds one or two. */
static int seldom(ActRun run)
{
    run.keep = 1, run.generate = 400, run.prompt = "a", run.has_seed = 1;
    assert_good(generate(run), &error);
    int n = 0;
    for (int i = 0; i < 400; i++) n += (unsigned char)(said[i + 1] - said[i]) == 2;
    return n;
}

static void draws_as_the_model_says(void **state)
{
    (void)state;
    int n = seldom((ActRun){ .seed = 1 });
    char *first = said;
    said = NULL;
    assert_in_range(n, 70, 130);
    assert_int_equal(seldom((ActRun){ .seed = 1 }), n);
    assert_string_equal(said, first);
    seldom((ActRun){ .seed = 2 });
    assert_string_not_equal(said, first);
    logits = 1;
    assert_int_equal(seldom((ActRun){ .seed = 1 }), n);
    assert_int_equal(seldom((ActRun){ .seed = 1, .temperature = 0.05 }), 0);
    assert_in_range(seldom((ActRun){ .seed = 1, .temperature = 4 }), 140, 210);
    free(first);
}

static void other_models_write_nothing(void **state)
{
    (void)state;
    t.output.dim[1] = 3;
    assert_int_equal(generate((ActRun){ .keep = 1, .generate = 4 }), ACT_E_ARGUMENT);
    assert_has(error.text, "model `toy` is no such one");
    assert_string_equal(said, "");
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_behind_a_prompt, open_bytes),
        TEST(names_of_characters, open_named),
        TEST(draws_as_the_model_says, open_bytes),
        TEST(other_models_write_nothing, open_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
