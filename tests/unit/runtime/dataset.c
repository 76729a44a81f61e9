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
static ActRun run;

static const char *const rows =
    "a,b,c,d,species\n1,10,5,0,cat\n3,10,6,1,dog\n5,10,7,0,cat\n7,10,8,1,ant\n9,10,9,0,ant\n11,10,10,1,dog\n";

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    folder_text(&folder, "train.csv", rows);
    folder_text(&folder, "test.csv", "a,b,c,d,species\n1,10,6,1,dog\n21,12,4,0,ant\n");
    toy_make(&t, folder.path, 0);
    m = act_instance_new(&t.model, 1, &error);
    assert_non_null(m);
    assert_good(act_facts_new(&facts, &t.model, &error), &error);
    memset(&run, 0, sizeof run);
    memset(&set, 0, sizeof set);
    return 0;
}

static int end(void **state)
{
    (void)state;
    act_dataset_free(&set);
    act_facts_free(&facts);
    act_instance_free(m);
    folder_close(&folder);
    unsetenv("ACT_DATA_PATH");
    return 0;
}

static const ActWanted everything = { 7, 1, NULL, 0 };

static void load(void) { assert_good(act_dataset_load(&set, m, &run, &everything, &facts, &error), &error); }

static void refuse(ActStatus status, const char *part)
{
    act_facts_free(&facts);
    assert_good(act_facts_new(&facts, &t.model, &error), &error);
    assert_int_equal(act_dataset_load(&set, m, &run, &everything, &facts, &error), status);
    assert_has(error.text, part);
}

static float x_of(ActPartKind part, size_t row, size_t column)
{
    return ((const float *)set.part[part].value[0])[row * 4 + column];
}
static int32_t label_of(ActPartKind part, size_t row) { return ((const int32_t *)set.part[part].value[1])[row]; }

static void normalize_is_measured_on_the_training_part(void **state)
{
    (void)state;
    load();
    assert_int_equal(set.part[ACT_TRAIN_PART].rows, 6);
    assert_int_equal(set.part[ACT_TEST_PART].rows, 2);
    assert_int_equal(set.part[ACT_VALIDATION_PART].rows, 0);
    double deviation = sqrt(35.0 / 3); /* of 1, 3, …, 11 */
    assert_true(fabs((double)x_of(ACT_TRAIN_PART, 0, 0) - -5 / deviation) < 1e-6);
    assert_true(x_of(ACT_TRAIN_PART, 3, 1) == 0); /* a constant feature becomes 0 */
    assert_true(fabs((double)x_of(ACT_TEST_PART, 1, 0) - 15 / deviation) < 1e-6);
    assert_true(x_of(ACT_TEST_PART, 1, 1) == 2);
    static const int32_t labels[] = { 1, 2, 1, 0, 0, 2 };
    for (size_t i = 0; i < 6; i++) assert_int_equal(label_of(ACT_TRAIN_PART, i), labels[i]);
    assert_int_equal(label_of(ACT_TEST_PART, 0), 2); /* dog, though the test part has no cat */
    assert_int_equal(facts.fact[1].n_class, 3);
    assert_int_equal(facts.fact[0].n_feature, 4);
    assert_true(facts.fact[0].mean[0] == 6 && facts.fact[0].std[1] == 1);
}

static void a_model_that_normalizes_gets_its_constants(void **state)
{
    (void)state;
    t.model.n_param = TOY_PARAMS;
    t.model.entry.init(m, 1);
    load();
    assert_true(x_of(ACT_TRAIN_PART, 0, 0) == 1 && x_of(ACT_TEST_PART, 1, 0) == 21); /* the data stays */
    assert_true(toy_values(m, TOY_MEAN)[0] == 6 && toy_values(m, TOY_MEAN)[1] == 10);
    assert_true(fabs((double)toy_values(m, TOY_STD)[0] - sqrt(35.0 / 3)) < 1e-6 && toy_values(m, TOY_STD)[1] == 1);
    assert_null(facts.fact[0].mean);

    /* weights from a file bring their own */
    act_dataset_free(&set);
    toy_values(m, TOY_MEAN)[0] = 100;
    facts.loaded = 1;
    load();
    assert_true(toy_values(m, TOY_MEAN)[0] == 100);
}

static void known_facts_are_used(void **state)
{
    (void)state;
    load();
    act_dataset_free(&set);
    facts.known = facts.loaded = 1;
    facts.fact[0].mean[0] = 0;
    facts.fact[0].std[0] = 2;
    unlink(folder_file(&folder, "train.csv")); /* only the test part is read */
    ActWanted test = { 1u << ACT_TEST_PART, 1, NULL, 0 };
    assert_good(act_dataset_load(&set, m, &run, &test, &facts, &error), &error);
    assert_true(x_of(ACT_TEST_PART, 1, 0) == 10.5f);
    assert_int_equal(label_of(ACT_TEST_PART, 0), 2);
}

static void unknown_facts_are_measured_first(void **state)
{
    (void)state;
    ActWanted test = { 1u << ACT_TEST_PART, 1, NULL, 0 };
    facts.loaded = 1; /* weights from elsewhere */
    assert_good(act_dataset_load(&set, m, &run, &test, &facts, &error), &error);
    assert_int_equal(label_of(ACT_TEST_PART, 0), 2);
    assert_true(fabs((double)x_of(ACT_TEST_PART, 0, 0) - -5 / sqrt(35.0 / 3)) < 1e-6);
}

static void splits_are_disjoint_and_fixed(void **state)
{
    (void)state;
    char text[8192] = "a,b,c,d,species\n", line[64];
    for (int i = 0; i < 100; i++) {
        snprintf(line, sizeof line, "%d,0,0,0,%s\n", i, i % 3 == 0 ? "ant" : i % 3 == 1 ? "cat" : "dog");
        strcat(text, line);
    }
    folder_text(&folder, "train.csv", text);
    t.data.validation_split = 0.2;
    t.data.split_seed = 9;
    t.field[0].n_transform = t.field[2].n_transform = 0;
    uint32_t first[100];
    for (int pass = 0; pass < 2; pass++) {
        load();
        const ActRows *train = &set.part[ACT_TRAIN_PART], *validation = &set.part[ACT_VALIDATION_PART];
        assert_int_equal(train->rows, 80);
        assert_int_equal(validation->rows, 20);
        int seen[100] = { 0 };
        for (size_t i = 0; i < 80; i++) seen[train->index[i]]++;
        for (size_t i = 0; i < 20; i++) seen[validation->index[i]]++;
        for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
        if (pass) assert_memory_equal(first, validation->index, 80);
        else memcpy(first, validation->index, 80);
        assert_true(first[19] != 19 && first[0] != 80); /* drawn, not the first or last rows */
        act_dataset_free(&set);
    }
    t.field[0].n_transform = 1; /* measured on what remains for training only */
    load();
    double sum = 0;
    for (size_t i = 0; i < 80; i++) sum += set.part[ACT_TRAIN_PART].index[i];
    assert_true(fabs(facts.fact[0].mean[0] - sum / 80) < 1e-12);
}

static void batches_point_or_copy(void **state)
{
    (void)state;
    t.field[0].n_transform = t.field[2].n_transform = 0;
    load();
    float x[8];
    int32_t label[2];
    void *const room[] = { x, label };
    const void *batch[2];
    assert_good(act_dataset_batch(&set, &set.part[ACT_TRAIN_PART], NULL, 2, 2, 2, room, batch, &error), &error);
    assert_ptr_equal(batch[0], (const float *)set.part[ACT_TRAIN_PART].value[0] + 8);
    const uint32_t order[] = { 5, 4, 3 };
    assert_good(act_dataset_batch(&set, &set.part[ACT_TRAIN_PART], order, 1, 2, 2, room, batch, &error), &error);
    assert_ptr_equal(batch[0], x);
    assert_true(x[0] == 9 && x[4] == 7 && label[0] == 0 && label[1] == 0);
}

static void transforms_in_order(void **state)
{
    (void)state;
    t.transform[0] = (ActTransform){ .kind = ACT_T_AFFINE, .a = 0.5, .b = 1 };
    t.transform[1] = (ActTransform){ .kind = ACT_T_STANDARD, .a = 1, .b = 0.25 };
    t.field[0].n_transform = 2;
    load();
    assert_true(x_of(ACT_TRAIN_PART, 1, 0) == 6 && x_of(ACT_TEST_PART, 0, 0) == 1.5f);
    act_dataset_free(&set);
    t.transform[1].kind = 99;
    refuse(ACT_E_VERSION, "`x` wants a transform this runtime does not know (99)");
}

static void one_hot_makes_vectors(void **state)
{
    (void)state;
    t.field[0].columns = t.field[2].columns = "d";
    t.transform[0] = (ActTransform){ .kind = ACT_T_ONE_HOT, .a = 4 };
    load();
    assert_true(x_of(ACT_TRAIN_PART, 0, 0) == 1 && x_of(ACT_TRAIN_PART, 0, 1) == 0);
    assert_true(x_of(ACT_TRAIN_PART, 1, 0) == 0 && x_of(ACT_TRAIN_PART, 1, 1) == 1);
    act_dataset_free(&set);
    folder_text(&folder, "train.csv", "a,b,c,d,species\n1,10,5,0,cat\n3,10,6,4,dog\n");
    refuse(ACT_E_DATA, "train.csv:3:8: 4 is not one of the 4 classes of one_hot, 0 to 3");
}

static void shift_drops_the_rows_without_partner(void **state)
{
    (void)state;
    t.transform[0] = (ActTransform){ .kind = ACT_T_SHIFT, .a = 2 };
    t.part[1].n_field = 0, t.data.n_part = 1;
    load();
    assert_int_equal(set.part[ACT_TRAIN_PART].rows, 4);
    assert_true(x_of(ACT_TRAIN_PART, 0, 0) == 5 &&
                label_of(ACT_TRAIN_PART, 0) == 1); /* x of row 2 beside the label of row 0 */
    act_dataset_free(&set);
    t.transform[0].a = -1;
    load();
    assert_int_equal(set.part[ACT_TRAIN_PART].rows, 5);
    assert_true(x_of(ACT_TRAIN_PART, 0, 0) == 1 && label_of(ACT_TRAIN_PART, 0) == 2);
    act_dataset_free(&set);
    t.transform[0].a = 6;
    refuse(ACT_E_DATA, "shift(6) leaves none");
}

static void mistakes_are_named(void **state)
{
    (void)state;
    t.field[0].columns = "1..3";
    refuse(ACT_E_DATA, "`x: f32[4]` needs 4 values a row, `");
    assert_has(error.text, "train.csv` has 3 columns");
    t.field[0].columns = "1..4";
    t.field[1].name = "specie";
    refuse(ACT_E_DATA, "the `train` part of data `flowers` gives no `species`");
    t.field[1].name = "species";
    t.field[1].columns = "a";
    refuse(ACT_E_DATA,
           "train.csv:3:1: `species: class(3)` can't be 3; the classes are 0 to 2: do the labels count from 1?");
    t.target.ignores = 1, t.target.ignored = 3; /* unless that is a label that does not count */
    folder_text(&folder, "signed.csv", "a,b\n1,2\n-7,3\n3,0\n0,0\n0,0\n0,0\n");
    t.field[1].columns = "a", t.field[1].path = "signed.csv";
    refuse(ACT_E_DATA, "signed.csv:3:1: `species: class(3)` can't be -7; the classes are 0 to 2; rows that are not to count want "
                       "`ignore = -7` in the loss");
    t.target.ignores = 0, t.field[1].path = "train.csv";
    t.field[1].columns = "species";
    t.target.classes = 2;
    refuse(ACT_E_DATA, "has 3 different names, `species: class(3)` allows 2: `ant`, `cat`, `dog`");
    t.target.classes = 3;
    t.field[1].reader = "idx";
    refuse(ACT_E_ARGUMENT, "the reader `idx` knows no columns");
    t.field[1].reader = "csb";
    refuse(ACT_E_ARGUMENT, "there is no data reader `csb`; there is `csv`");
    t.field[1].reader = "csv";
    folder_text(&folder, "short.csv", "species\ncat\ndog\n");
    t.field[1].path = "short.csv";
    refuse(ACT_E_DATA, "`x` has 6 rows (");
    assert_has(error.text, "`species` has 2 (");
    t.field[1].path = "train.csv";
    t.data.validation_split = 0.99;
    refuse(ACT_E_DATA, "too few for validation = split(0.99)");
    t.data.validation_split = 0;
    t.input.low = 0, t.input.high = 10;
    t.field[0].n_transform = 0;
    refuse(ACT_E_DATA, "train.csv:7:1: `x: f32[4]` can't be 11; scale the data");
    t.input.low = 1, t.input.high = -1;
    folder_text(&folder, "test.csv", "a,b,c,d,species\n1,10,6,1,cow\n");
    refuse(ACT_E_DATA, "test.csv:2:10: the class `cow` is not among those of the training part; rows of such a class belong there, too, or out of");
}

/* x.npy with float rows of this shape */
static void write_npy(const char *shape, const float *values, size_t n)
{
    char bytes[256];
    int length = snprintf(bytes + 10, 200, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }\n", shape);
    memcpy(bytes, "\x93NUMPY\1", 8);
    bytes[8] = (char)length, bytes[9] = 0;
    memcpy(bytes + 10 + length, values, n * sizeof *values);
    folder_write(&folder, "x.npy", bytes, 10 + (size_t)length + n * sizeof *values);
}

static void bad_numbers_in_files(void **state)
{
    (void)state;
    float values[8] = { 1, 2, 3, 4, 5, 6, NAN, 8 };
    write_npy("(2, 4)", values, 8);
    t.field[0] = (ActField){ .name = "x", .reader = "npy", .path = "x.npy" };
    refuse(ACT_E_DATA, "x.npy`, row 2: value 3 of `x` is not a number (NaN)");
    values[6] = -INFINITY;
    write_npy("(2, 4)", values, 8);
    refuse(ACT_E_DATA, "value 3 of `x` is infinite");
    values[6] = 1;
    write_npy("(4, 2)", values, 8);
    t.field[1].path = "four.csv";
    folder_text(&folder, "four.csv", "species\ncat\ndog\ncat\nant\n");
    refuse(ACT_E_DATA, "`x: f32[4]` needs 4 values a row, `");
    assert_has(error.text, "x.npy` has rows of shape [2]");
}

/* Trailing axes of size 1 may be added, and a list of numbers takes any shape; nothing else. */
static void shapes_that_fit(void **state)
{
    (void)state;
    t.input.rank = 3, t.input.dim[0] = 2, t.input.dim[1] = 2, t.input.dim[2] = 1;
    t.field[0].n_transform = t.field[2].n_transform = 0;
    load();
    act_dataset_free(&set);
    unsigned char idx[16 + 24] = { 0, 0, 8, 3, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 0, 2 };
    folder_write(&folder, "x.idx", idx, sizeof idx);
    t.field[0] = (ActField){ .name = "x", .reader = "idx", .path = "x.idx" };
    load();
    act_dataset_free(&set);
    idx[11] = 1, idx[15] = 4;
    folder_write(&folder, "x.idx", idx, sizeof idx);
    refuse(ACT_E_DATA, "the same count, but only axes of size 1 may be added at the end");
}

static void files_are_searched(void **state)
{
    (void)state;
    t.data.base = "/nowhere";
    refuse(ACT_E_IO, "`train.csv` is not found; looked in `/nowhere`. Say where it is with `--data DIR`");
    const char *dirs[] = { "/also-nowhere", folder.path };
    run.data = dirs, run.n_data = 1;
    refuse(ACT_E_IO, "looked in `/nowhere`, `/also-nowhere`");
    run.n_data = 2;
    load();
    act_dataset_free(&set);
    run.n_data = 0;
    char list[128];
    snprintf(list, sizeof list, "/also-nowhere::%s", folder.path);
    setenv("ACT_DATA_PATH", list, 1);
    t.field[0].path = t.field[1].path = "flowers/train.csv.gz"; /* by its name alone, and not packed after all */
    load();
    char path[128];
    snprintf(path, sizeof path, "%s/train.csv.gz", folder.path);
    t.field[0].path = t.field[1].path = path;
    act_dataset_free(&set);
    load();
}

static void directories_serve_models_without_data(void **state)
{
    (void)state;
    const char *dirs[] = { folder.path };
    t.train.data = NULL;
    refuse(ACT_E_ARGUMENT, "has no data of its own; say where it is with `--data DIR`");
    run.data = dirs, run.n_data = 1;
    refuse(ACT_E_IO, "holds no file such as train-x.npy");
    folder_text(&folder, "train-x.csv", "1,2,3,4\n5,6,7,8\n");
    folder_text(&folder, "train-species.csv", "2\n0\n");
    folder_text(&folder, "test-x.csv", "1,2,3,4\n");
    folder_text(&folder, "test-species.csv", "1\n");
    load();
    assert_int_equal(set.part[ACT_TRAIN_PART].rows, 2);
    assert_int_equal(label_of(ACT_TRAIN_PART, 0), 2);
    assert_int_equal(label_of(ACT_TEST_PART, 0), 1);
}

static void a_file_to_predict(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", folder_text(&folder, "new.csv", "5.0,1,1,1\n7.0,1,1,1\n"));
    ActWanted input = { 1u << ACT_TEST_PART, 0, path, 0 };
    t.part[0].name = "train";
    load();
    act_dataset_free(&set);
    facts.known = 1;
    assert_good(act_dataset_load(&set, m, &run, &input, &facts, &error), &error);
    assert_int_equal(set.part[ACT_TEST_PART].rows, 2);
    assert_true(fabs((double)x_of(ACT_TEST_PART, 0, 0) - -1 / sqrt(35.0 / 3)) < 1e-6);
    act_dataset_free(&set);
    t.train.data = NULL; /* by the ending alone */
    assert_good(act_dataset_load(&set, m, &run, &input, &facts, &error), &error);
    assert_true(x_of(ACT_TEST_PART, 0, 0) == 5);
    act_dataset_free(&set);
    input.input = "new.xyz";
    assert_int_equal(act_dataset_load(&set, m, &run, &input, &facts, &error), ACT_E_ARGUMENT);
    assert_has(error.text, "does not tell its format by its ending");
}

/* What a training part gives as batches, in an order of its own; float and int32 have the same size. */
static void gather(float *x, int32_t *label)
{
    static const uint32_t order[] = { 4, 1, 1, 5, 0, 3, 2 };
    void *const room[] = { x, label };
    const void *batch[2];
    assert_good(act_dataset_batch(&set, &set.part[ACT_TRAIN_PART], order, 0, 7, 2, room, batch, &error), &error);
    assert_ptr_equal(batch[0], x);
    assert_good(act_dataset_batch(&set, &set.part[ACT_TEST_PART], NULL, 0, 2, 2,
                                  (void *const[]){ x + 28, label + 7 }, batch, &error), &error);
    memcpy(x + 28, batch[0], 8 * sizeof *x);
    memcpy(label + 7, batch[1], 2 * sizeof *label);
}

static void what_is_too_large_for_memory_is_the_same(void **state)
{
    (void)state;
    float x[2][36];
    int32_t label[2][9];
    for (int pass = 0; pass < 3; pass++) { /* from memory, converted once, found converted */
        if (pass) setenv("ACT_DATA_MEMORY", "0", 1);
        act_facts_free(&facts);
        assert_good(act_facts_new(&facts, &t.model, &error), &error);
        load();
        assert_true((set.part[ACT_TRAIN_PART].value[0] == NULL) == (pass > 0));
        gather(x[pass > 0], label[pass > 0]);
        act_dataset_free(&set);
        unsetenv("ACT_DATA_MEMORY");
        if (pass) assert_memory_equal(x[0], x[1], sizeof x[0]);
        if (pass) assert_memory_equal(label[0], label[1], sizeof label[0]);
        assert_int_equal(facts.fact[1].n_class, 3);
        assert_string_equal(facts.fact[1].class_name[2], "dog");
    }
}

static void bytes_are_looked_up(void **state)
{
    (void)state;
    unsigned char idx[12 + 24] = { 0, 0, 8, 2, 0, 0, 0, 6, 0, 0, 0, 4 };
    for (unsigned i = 0; i < 24; i++) idx[12 + i] = (unsigned char)(i * 11);
    folder_write(&folder, "x.idx", idx, sizeof idx);
    t.field[0].reader = t.field[2].reader = "idx";
    t.field[0].path = t.field[2].path = "x.idx";
    t.field[0].columns = t.field[2].columns = "";
    t.transform[1] = (ActTransform){ .kind = ACT_T_AFFINE, .a = 0.3, .b = 1 };
    t.field[0].n_transform = t.field[2].n_transform = 2;
    t.field[3].path = "train.csv";
    float x[2][36];
    int32_t label[2][9];
    for (int pass = 0; pass < 2; pass++) {
        if (pass) setenv("ACT_DATA_MEMORY", "0", 1);
        load();
        assert_true((set.part[ACT_TRAIN_PART].view[0]->look != NULL));
        gather(x[pass], label[pass]);
        act_dataset_free(&set);
    }
    unsetenv("ACT_DATA_MEMORY");
    assert_memory_equal(x[0], x[1], sizeof x[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(normalize_is_measured_on_the_training_part),
        TEST(a_model_that_normalizes_gets_its_constants),
        TEST(known_facts_are_used),
        TEST(unknown_facts_are_measured_first),
        TEST(splits_are_disjoint_and_fixed),
        TEST(batches_point_or_copy),
        TEST(transforms_in_order),
        TEST(one_hot_makes_vectors),
        TEST(shift_drops_the_rows_without_partner),
        TEST(mistakes_are_named),
        TEST(bad_numbers_in_files),
        TEST(shapes_that_fit),
        TEST(files_are_searched),
        TEST(directories_serve_models_without_data),
        TEST(a_file_to_predict),
        TEST(what_is_too_large_for_memory_is_the_same),
        TEST(bytes_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
