/* RT16 and RT17: what is odd about the training part is told when it is read, with the place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/dataset.h"

#include "support.h"
#include "toy_model.h"

static Folder folder;
static ToyModel t;
static ActInstance *m;
static ActFacts facts;
static ActDataset set;
static ActError error;
static char said[4096], csv[65536];

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    toy_make(&t, folder.path, 0);
    t.data.n_part = 1;
    t.field[0].n_transform = 0;
    t.field[0].line = 31;
    m = act_instance_new(&t.model, 1, &error);
    assert_non_null(m);
    return 0;
}

static int end(void **state)
{
    (void)state;
    act_instance_free(m);
    folder_close(&folder);
    return 0;
}

/* What is said of the rows in csv. */
static const char *judge(void)
{
    FILE *out = tmpfile();
    assert_non_null(out);
    const ActRun run = { .problems = out };
    const ActWanted wanted = { 1u << ACT_TRAIN_PART, 1, NULL, 1 };
    folder_text(&folder, "train.csv", csv);
    assert_good(act_facts_new(&facts, &t.model, &error), &error);
    assert_good(act_dataset_load(&set, m, &run, &wanted, &facts, &error), &error);
    act_dataset_free(&set);
    act_facts_free(&facts);
    rewind(out);
    said[fread(said, 1, sizeof said - 1, out)] = 0;
    fclose(out);
    return said;
}

/* Rows of four numbers about 0, and a class: so many of each. */
static void write_rows(size_t ants, size_t cats, size_t dogs)
{
    char line[96];
    strcpy(csv, "a,b,c,d,species\n");
    for (size_t i = 0; i < ants + cats + dogs; i++) {
        snprintf(line, sizeof line, "%d,%d,%d,%d,%s\n", i % 2 ? 1 : -1, i % 4 < 2 ? 1 : -1, i % 6 < 3 ? 1 : -1, i % 2 ? -1 : 1,
                 i < ants ? "ant" : i < ants + cats ? "cat" : "dog");
        strcat(csv, line);
    }
}

static void balanced_data_is_not_mentioned(void **state)
{
    (void)state;
    write_rows(20, 30, 90);
    assert_string_equal(judge(), "");
}

static void unbalanced_classes(void **state)
{
    (void)state;
    write_rows(10, 20, 60);
    assert_has(judge(), "note[RT16]: the classes of `species` are unbalanced in `");
    assert_has(said, "train.csv`: `dog` has 60 of 90 rows, `ant` 10: a network that always says the first is right in 67 % of them");
    write_rows(2, 20, 60);
    assert_has(judge(), "warning[RT16]");
    ActTensor param[3] = { t.param[0], t.param[1], t.param[1] }; /* unless the model weighs them */
    param[2].name = "species.balance", param[2].role = ACT_CONSTANT;
    t.model.param = param, t.model.n_param = 3;
    assert_string_equal(judge(), "");
    t.model.param = t.param, t.model.n_param = 2;
    t.target.classes = 4; /* numbered, and the last is nowhere */
    write_rows(20, 20, 20);
    assert_has(judge(), "warning[RT16]: in `");
    assert_has(said, "train.csv`, class 3 of `species` never occurs: nothing can be learned of what is not there");
    t.target.classes = 6;
    assert_has(judge(), "3 of the 6 classes of `species` never occur");
}

static void constant_columns(void **state)
{
    (void)state;
    strcpy(csv, "a,b,c,d,species\n");
    for (int i = 0; i < 12; i++) {
        char line[64];
        snprintf(line, sizeof line, "%d,1.5,%d,-2,%s\n", i % 2 ? 1 : -1, i % 2 ? -1 : 1, i % 3 ? i % 3 > 1 ? "ant" : "cat" : "dog");
        strcat(csv, line);
    }
    assert_has(judge(), "warning[RT17]: toy.act:31: 2 of the 4 columns of `x` are the same in every row of `");
    assert_has(said, "train.csv:2:4: 1.5, ");
    assert_has(said, "train.csv:2:10: -2); what never changes tells a network nothing: leave it out");
}

static void numbers_far_from_one(void **state)
{
    (void)state;
    write_rows(20, 20, 20);
    strcat(csv, "-1,1,4000,1,dog\n");
    assert_has(judge(), "note[RT17]: toy.act:31: `x` in `");
    assert_has(said, "has numbers from -1 to 4000 in column 3, mean 65.6, deviation 508; networks learn best from a mean of 0 and a deviation of 1");
    t.field[0].n_transform = 1; /* normalize */
    assert_lacks(judge(), "RT17");
    t.field[0].n_transform = 0;
    t.input.low = -5000, t.input.high = 5000; /* declared: the compiler knew */
    assert_lacks(judge(), "RT17");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(balanced_data_is_not_mentioned),
        TEST(unbalanced_classes),
        TEST(constant_columns),
        TEST(numbers_far_from_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
