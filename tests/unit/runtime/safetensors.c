#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/safetensors.h"
#include "../../../runtime/host/weights.h"

#include "act/pool.h"
#include "support.h"
#include "toy_model.h"

static Folder folder;
static ActError error;

static int open_folder(void **state)
{
    (void)state;
    folder_open(&folder);
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    folder_close(&folder);
    return 0;
}

/* length, header, then n bytes of data */
static const char *make_file(const char *name, const char *header, size_t data)
{
    char bytes[2048];
    uint64_t length = strlen(header);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    memset(bytes + 8 + length, 0, data);
    return folder_write(&folder, name, bytes, 8 + length + data);
}

static void hostile_files_are_refused(void **state)
{
    (void)state;
    const struct { const char *header; size_t data; const char *part;
    } cases[] = {
        { "[]", 0, "header is not JSON" },
        { " {}", 0, "header is not JSON" },
        { "{", 0, "header is not JSON" },
        { "{}x", 0, "header is not JSON" },
        { "{}\n", 0, "header is not JSON" }, /* only blanks may pad */
        { "{\"a\":1}", 0, "exactly dtype, shape and data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "exactly dtype, shape and data_offsets" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4, "exactly dtype" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"shape\":[1]}}", 4, "exactly dtype" },
        { "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype `F31`" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "shape that can't be" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "shape that can't be" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}", 4, "shape that can't be" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
          "shape that can't be" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967295,4294967295,4294967295],\"data_offsets\":[0,4]}}", 4,
          "larger than any memory" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets of two counts" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "data_offsets of two counts" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e300]}}", 4, "data_offsets of two counts" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "data_offsets span" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "data_offsets span" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 3, "is cut off" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 5, "behind its last tensor" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "unused bytes before it" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
          "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}",
          6, "overlaps" },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
          "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
          8, "there twice" },
        { "{\"__metadata__\":{\"a\":1}}", 0, "object of strings" },
        { "{\"__metadata__\":[]}", 0, "object of strings" },
        { "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "object of strings" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ActSafetensors file;
        const char *path = make_file("h.safetensors", cases[i].header, cases[i].data);
        if (act_safetensors_read(path, &file, &error) != ACT_E_FORMAT) fail_msg("accepted: %s", cases[i].header);
        assert_has(error.text, cases[i].part);
        assert_has(error.text, path);
    }
    ActSafetensors file;
    const unsigned char far[] = { 0, 0, 0, 0, 0, 0, 0, 128, '{', '}' }, longer[] = { 3, 0, 0, 0, 0, 0, 0, 0, '{', '}' };
    assert_int_equal(act_safetensors_read(folder_write(&folder, "f", far, sizeof far), &file, &error), ACT_E_FORMAT);
    assert_int_equal(act_safetensors_read(folder_write(&folder, "g", longer, sizeof longer), &file, &error),
                     ACT_E_FORMAT);
    assert_int_equal(act_safetensors_read(folder_write(&folder, "e", "", 0), &file, &error), ACT_E_FORMAT);
    assert_has(error.text, "0 bytes are too few");
    assert_int_equal(act_safetensors_read(folder_file(&folder, "none"), &file, &error), ACT_E_IO);
}

static void lawful_files_are_read(void **state)
{
    (void)state;
    ActSafetensors file;
    assert_good(act_safetensors_read(make_file("a", "{}", 0), &file, &error), &error);
    assert_int_equal(file.n, 0);
    act_safetensors_free(&file);
    assert_good(
        act_safetensors_read(
            make_file(
                "a",
                "{\"__metadata__\":{\"k\":\"v\"},\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                "\"e\":{\"dtype\":\"U8\",\"shape\":[0,3],\"data_offsets\":[0,0]},"
                "\"z\":{\"data_offsets\":[4,6],\"dtype\":\"U8\",\"shape\":[2]}}    ",
                6),
            &file, &error),
        &error);
    assert_int_equal(file.n, 3);
    assert_string_equal(file.tensor[0].name, "e");
    assert_string_equal(act_safetensors_note(&file, "k"), "v");
    assert_null(act_safetensors_note(&file, "none"));
    act_safetensors_free(&file);
}

/* A lawful file cut at every length, and with every single byte changed, never crashes (run under the sanitizers). */
static void damage_is_survived(void **state)
{
    (void)state;
    size_t size;
    char *bytes = read_all(source_file("tests/fixtures/runtime/linear-f32.safetensors"), &size);
    ActSafetensors file;
    for (size_t n = 0; n < size; n++)
        assert_int_not_equal(act_safetensors_read(folder_write(&folder, "cut", bytes, n), &file, &error), ACT_OK);
    for (size_t i = 0; i < size; i++) {
        char before = bytes[i];
        for (int k = 0; k < 8; k++) {
            bytes[i] = (char)(before ^ (1 << k));
            if (act_safetensors_read(folder_write(&folder, "bit", bytes, size), &file, &error) == ACT_OK)
                act_safetensors_free(&file);
        }
        bytes[i] = before;
    }
    free(bytes);
}

static void widths_are_converted(void **state)
{
    (void)state;
    static const float expected[] = { 0.0f, -0.0f, 1.5f, -2.0f, 65504.0f, 0x1p-14f, 0x1p-24f, INFINITY, -INFINITY };
    ActSafetensors file;
    assert_good(act_safetensors_read(source_file("tests/fixtures/runtime/widths.safetensors"), &file, &error), &error);
    assert_int_equal(file.n, 4);
    assert_string_equal(act_safetensors_note(&file, "format"), "pt");
    for (size_t t = 0; t < 4; t++) {
        float out[9];
        assert_int_equal(file.tensor[t].elements, 9);
        assert_true(act_stored_convert(&file.tensor[t], 0, out));
        for (int i = 0; i < 9; i++) {
            float want =
                i == 4 && strcmp(file.tensor[t].name, "brain") == 0 ? 65536.0f : expected[i]; /* rounded to 8 bits */
            assert_memory_equal(&out[i], &want, 4);
        }
        assert_false(act_stored_convert(&file.tensor[t], 1, out));
    }
    act_safetensors_free(&file);
}

static ActInstance *instance(ToyModel *t, int normalize)
{
    toy_make(t, ".", normalize);
    ActInstance *m = act_instance_new(&t->model, 1, &error);
    assert_non_null(m);
    return m;
}

static void pytorch_files_are_loaded(void **state)
{
    (void)state;
    static const char *const names[] = { "f32", "f64", "f16", "bf16" };
    for (size_t k = 0; k < 4; k++) {
        ToyModel t;
        ActInstance *m = instance(&t, 0);
        char path[64];
        snprintf(path, sizeof path, "tests/fixtures/runtime/linear-%s.safetensors", names[k]);
        memset(m->param, 0x55, 192);
        assert_good(act_load_weights(m, source_file(path), &error), &error);
        for (size_t o = 0; o < 8; o++)
            for (size_t i = 0; i < 4; i++) {
                float want = o < 3 ? (float)o + (float)i / 8 : 0; /* the padding of the panel is zero */
                assert_true(*toy_weight(toy_values(m, TOY_WEIGHT), i, o) == want);
            }
        for (size_t o = 0; o < 3; o++) assert_true(toy_values(m, TOY_BIAS)[o] == -(float)o);
        act_instance_free(m);
    }
}

/* inside (y, x, k), in the file (k, y, x); the values say where they belong */
static void image_weights_are_permuted(void **state)
{
    (void)state;
    ToyModel t;
    toy_make(&t, ".", 0);
    t.param[0].dim[0] = 12;
    t.param[0].bytes = 12 * 8 * 4;
    t.param[0].flat_rank = 3;
    t.param[0].flat[0] = 2, t.param[0].flat[1] = 3, t.param[0].flat[2] = 2;
    t.model.n_param = 1;
    t.model.param_bytes = 512;
    ActInstance *m = act_instance_new(&t.model, 1, &error);
    assert_good(act_load_weights(m, source_file("tests/fixtures/runtime/image.safetensors"), &error), &error);
    for (size_t o = 0; o < 3; o++)
        for (size_t y = 0; y < 2; y++)
            for (size_t x = 0; x < 3; x++)
                for (size_t k = 0; k < 2; k++)
                    assert_true(*toy_weight(toy_values(m, 0), (y * 3 + x) * 2 + k, o) ==
                                (float)(100 * o + 10 * k + 3 * y + x));
    const char *path = folder_file(&folder, "again.safetensors");
    assert_good(act_save_weights(m, path, &error), &error);
    ActSafetensors a, b;
    assert_good(act_safetensors_read(source_file("tests/fixtures/runtime/image.safetensors"), &a, &error), &error);
    assert_good(act_safetensors_read(path, &b, &error), &error);
    assert_memory_equal(a.tensor[0].data, b.tensor[0].data, 36 * 4);
    act_safetensors_free(&a);
    act_safetensors_free(&b);
    act_instance_free(m);
}

static void saving_and_loading_gives_the_same_bits(void **state)
{
    (void)state;
    ToyModel t;
    ActInstance *m = instance(&t, 1);
    t.model.entry.init(m, 7);
    float before[80];
    memcpy(before, m->param, 320);
    const char *path = folder_file(&folder, "toy.safetensors");
    assert_good(act_save_weights(m, path, &error), &error);
    size_t size;
    char *bytes = read_all(path, &size);
    uint64_t length;
    memcpy(&length, bytes, 8);
    assert_int_equal((8 + length) % 64, 0);
    assert_int_equal(size, 8 + length + (12 + 3 + 4 + 4) * 4);
    assert_has(bytes + 8, "\"linear1.weight\":{\"dtype\":\"F32\",\"shape\":[3,4]");
    free(bytes);
    memset(m->param, 0x33, 320);
    assert_good(act_load_weights(m, path, &error), &error);
    for (size_t i = 0; i < 32; i++) assert_true(toy_values(m, TOY_WEIGHT)[i] == before[i]);
    assert_memory_equal(toy_values(m, TOY_STD), before + 64, 16);
    act_instance_free(m);
}

static void misfits_are_listed(void **state)
{
    (void)state;
    ToyModel t;
    ActInstance *m = instance(&t, 0);
    t.model.entry.init(m, 7);
    char before[192];
    memcpy(before, m->param, sizeof before);

    const char *path = make_file(
        "m.safetensors",
        "{\"linear1.weight\":{\"dtype\":\"F32\",\"shape\":[4,3],\"data_offsets\":[0,48]},"
        "\"linear1.bais\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[48,60]},"
        "\"linear1.weight.v\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[60,60]},"
        "\"elsewhere\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[60,62]}}",
        62);
    assert_int_equal(act_load_weights(m, path, &error), ACT_E_DATA);
    assert_has(error.text, "`linear1.weight`: the model expects f32[3, 4], the file has f32[4, 3]");
    assert_has(error.text, "missing: `linear1.bias`, f32[3] (the file has `linear1.bais`)");
    assert_has(error.text, "unknown: `linear1.bais`, f32[3] (the model has `linear1.bias`)");
    assert_has(error.text, "unknown: `elsewhere`, bf16[1]");
    assert_lacks(error.text, "weight.v"); /* the optimizer's state may be there */
    assert_has(error.text, path);

    assert_int_equal(act_load_weights(m, source_file("tests/fixtures/runtime/linear-i32.safetensors"), &error),
                     ACT_E_DATA);
    assert_has(error.text, "the file has i32[3, 4]");
    assert_memory_equal(m->param, before, sizeof before); /* nothing was touched */

    char many[1800] = "{";
    for (int i = 0; i < 20; i++) {
        char entry[80];
        snprintf(entry, sizeof entry, "%s\"t%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
                 i ? "," : "", i, i, i + 1);
        strcat(many, entry);
    }
    strcat(many, "}");
    assert_int_equal(act_load_weights(m, make_file("n", many, 20), &error), ACT_E_DATA);
    assert_has(error.text, "and 10 more");
    act_instance_free(m);
}

static void unwritable_places_are_named(void **state)
{
    (void)state;
    ToyModel t;
    ActInstance *m = instance(&t, 0);
    assert_int_equal(act_save_weights(m, folder_file(&folder, "none/w.safetensors"), &error), ACT_E_IO);
    assert_has(error.text, "none/w.safetensors` can't be written");
    assert_int_equal(act_save_weights(m, "/dev/full/x", &error), ACT_E_IO);
    assert_int_equal(mkdir(folder_file(&folder, "taken"), 0777), 0);
    assert_int_equal(act_save_weights(m, folder_file(&folder, "taken"), &error),
                     ACT_E_IO); /* can't be replaced by a file */
    DIR *dir = opendir(folder.path);
    for (struct dirent *entry; (entry = readdir(dir));)
        assert_null(strstr(entry->d_name, ".part")); /* nothing is left behind */
    closedir(dir);
    act_instance_free(m);
}

static void instances_check_the_object(void **state)
{
    (void)state;
    ToyModel t;
    toy_make(&t, ".", 0);
    t.model.abi = 77;
    assert_null(act_instance_new(&t.model, 1, &error));
    assert_int_equal(error.status, ACT_E_VERSION);
    assert_has(error.text, "version 77");
    toy_make(&t, ".", 0);
#ifdef __x86_64__
    t.model.features = "sse2,avx512vpopcntdq,avx512bf16,avx512fp16";
    t.model.target = "x86_64-unknown-linux-gnu";
    if (!act_cpu_has(t.model.features)) {
        assert_null(act_instance_new(&t.model, 1, &error));
        assert_int_equal(error.status, ACT_E_CPU);
        assert_has(error.text, "--cpu native");
    }
    t.model.features = "";
#endif
    t.model.param_bytes = 64; /* the model refuses its own memory */
    assert_null(act_instance_new(&t.model, 1, &error));
    assert_int_equal(error.status, ACT_E_MEMORY);
    t.model.param_bytes = (uint64_t)1 << 63;
    assert_null(act_instance_new(&t.model, 1, &error));
    assert_has(error.text, "9,223,372,036,854,776,000 bytes");
    assert_null(act_instance_new(NULL, 1, NULL));
    toy_make(&t, ".", 0);
    ActInstance *m = act_instance_new(&t.model, 3, &error);
    assert_int_equal(act_pool_threads(m->pool), 3);
    act_instance_free(m);
    act_instance_free(NULL);
    for (int large = 0; large < 2; large++) { /* 0: as many as pay */
        t.model.flops_step = large ? 6000000 / t.model.batch : 10;
        m = act_instance_new(&t.model, 0, &error);
        assert_int_equal(act_pool_threads(m->pool), large ? act_pool_machine_threads() : 1);
        act_instance_free(m);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hostile_files_are_refused),
        TEST(lawful_files_are_read),
        TEST(damage_is_survived),
        TEST(widths_are_converted),
        TEST(pytorch_files_are_loaded),
        TEST(image_weights_are_permuted),
        TEST(saving_and_loading_gives_the_same_bits),
        TEST(misfits_are_listed),
        TEST(unwritable_places_are_named),
        TEST(instances_check_the_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
