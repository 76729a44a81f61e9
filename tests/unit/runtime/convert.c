/* Data that is converted once: what the file beside it survives, and when it is made anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/convert.h"

#include "support.h"

#include <fcntl.h>

static Folder folder;
static ActTable table;
static ActError error;
static FILE *log_file;
static char data[128], out[128];

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    setenv("ACT_DATA_MEMORY", "0", 1);
    log_file = tmpfile();
    assert_non_null(log_file);
    snprintf(data, sizeof data, "%s/t.csv", folder.path);
    snprintf(out, sizeof out, "%s/out", folder.path);
    mkdir(out, 0777);
    return 0;
}

static int end(void **state)
{
    (void)state;
    act_table_free(&table);
    fclose(log_file);
    unsetenv("ACT_DATA_MEMORY");
    folder_close(&folder);
    return 0;
}

static float value_at(uint64_t i)
{
    float x, room[1];
    const unsigned char *at = act_source_bytes(&table.source, table.start + i * 4, 4, room, &error);
    assert_non_null(at);
    memcpy(&x, at, 4);
    return x;
}

/* How often something was converted so far. */
static size_t conversions(void)
{
    char text[4096] = "";
    size_t n = 0;
    rewind(log_file);
    text[fread(text, 1, sizeof text - 1, log_file)] = 0;
    for (const char *at = text; (at = strstr(at, "was converted once")); at++) n++;
    return n;
}

static ActStatus read_it(const char *columns)
{
    const ActRequest request = { .path = data, .columns = columns, .out = out, .log = log_file };
    act_table_free(&table);
    act_error_clear(&error);
    return act_reader_find("csv", &error)->read(&request, &table, &error);
}

/* The file that was made; its name is what stands in `folder_` and ends in .actdata. */
static char *made_in(const char *path)
{
    static char found[512];
    DIR *dir = opendir(path);
    found[0] = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (strstr(entry->d_name, ".actdata")) snprintf(found, sizeof found, "%s/%s", path, entry->d_name);
    if (dir) closedir(dir);
    return found;
}

static void change_byte(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    int c = fgetc(file);
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    fputc(c ^ 4, file);
    fclose(file);
}

static void it_is_made_once(void **state)
{
    (void)state;
    folder_text(&folder, "t.csv", "a,b,k\n1,2,yes\n3,4,no\n");
    for (int i = 0; i < 3; i++) {
        assert_good(read_it("1..2"), &error);
        assert_int_equal(conversions(), 1);
        assert_int_equal(table.rows, 2);
        assert_int_equal(table.width, 2);
        assert_true(value_at(0) == 1 && value_at(3) == 4);
    }
    for (int i = 0; i < 2; i++) { /* another question has an answer of its own, and class names go with it */
        assert_good(read_it("k"), &error);
        assert_int_equal(conversions(), 2);
        assert_int_equal(table.n_class, 2);
        assert_string_equal(table.class_name[1], "yes");
        assert_true(value_at(0) == 1 && value_at(1) == 0);
    }
}

static void changed_data_is_seen(void **state)
{
    (void)state;
    folder_text(&folder, "t.csv", "1,2\n3,4\n");
    assert_good(read_it(""), &error);
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, data, times, 0), 0); /* another time, the same content */
    assert_good(read_it(""), &error);
    assert_int_equal(conversions(), 1);
    folder_text(&folder, "t.csv", "1,2\n3,5\n"); /* the same size */
    assert_good(read_it(""), &error);
    assert_int_equal(conversions(), 2);
    assert_true(value_at(3) == 5);
    folder_text(&folder, "t.csv", "1,2\n3,5\n6,7\n");
    assert_good(read_it(""), &error);
    assert_int_equal(conversions(), 3);
    assert_int_equal(table.rows, 3);
}

static void damage_is_seen(void **state)
{
    (void)state;
    static const long places[] = { 3, 9, 30, 60, 4096, 4103, -1 };
    folder_text(&folder, "t.csv", "1,2\n3,4\n");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_good(read_it(""), &error);
        assert_int_equal(conversions(), i + 1);
        change_byte(made_in(folder.path), places[i]);
    }
    assert_good(read_it(""), &error);
    assert_int_equal(truncate(made_in(folder.path), 4097), 0);
    assert_good(read_it(""), &error);
    assert_true(value_at(0) == 1 && value_at(3) == 4);
    assert_int_equal(conversions(), sizeof places / sizeof *places + 2);
}

static void nothing_is_left_of_a_failure(void **state)
{
    (void)state;
    folder_text(&folder, "t.csv", "1,2\n3,x\n");
    assert_int_equal(read_it(""), ACT_E_DATA);
    assert_has(error.text, "t.csv:2:3: `x` is not a number");
    DIR *dir = opendir(folder.path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) assert_null(strstr(entry->d_name, "actdata"));
    closedir(dir);
}

static void a_folder_that_cannot_be_written_has_another(void **state)
{
    (void)state;
    folder_text(&folder, "t.csv", "1,2\n3,4\n");
    assert_good(read_it(""), &error);
    char place[512]; /* a folder in the way, which not even root can write */
    snprintf(place, sizeof place, "%s", made_in(folder.path));
    unlink(place);
    mkdir(place, 0777);
    assert_good(read_it(""), &error);
    assert_int_equal(conversions(), 2);
    assert_non_null(strstr(made_in(out), "/t.csv."));
    assert_good(read_it(""), &error);
    assert_int_equal(conversions(), 2);
    unlink(made_in(out));
    rmdir(out);
    assert_int_equal(read_it(""), ACT_E_IO);
    assert_has(error.text, "it is a directory");
    assert_has(error.text, "t.csv` is too large to be converted in memory: say with `--out DIR` where there is room");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_made_once),
        TEST(changed_data_is_seen),
        TEST(damage_is_seen),
        TEST(nothing_is_left_of_a_failure),
        TEST(a_folder_that_cannot_be_written_has_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
