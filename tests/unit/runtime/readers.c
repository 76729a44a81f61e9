#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/reader.h"

#include "support.h"

#include <math.h>
#include <zlib.h>

static Folder folder;
static ActTable table;
static ActError error;

static int open_folder(void **state)
{
    (void)state;
    folder_open(&folder);
    memset(&table, 0, sizeof table);
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    act_table_free(&table);
    folder_close(&folder);
    return 0;
}

static ActStatus read_with(const char *reader, const char *path, const char *columns)
{
    const ActReader *found = act_reader_find(reader, &error);
    assert_non_null(found);
    act_table_free(&table);
    act_error_clear(&error);
    return found->read(&(ActRequest){ .path = path, .columns = columns }, &table, &error);
}

/* the i-th number of the table */
static float value_of(uint64_t i)
{
    float x;
    size_t size = act_element_size(table.element);
    uint64_t at = table.start + (i / table.width * table.stride + i % table.width) * size;
    const unsigned char *bytes = act_source_bytes(&table.source, at, size, (unsigned char[8]){ 0 }, &error);
    assert_non_null(bytes);
    act_element_floats(table.element, bytes, 1, &x);
    return x;
}

static void good(const char *reader, const char *path, const char *columns, uint64_t rows, uint64_t width)
{
    assert_good(read_with(reader, path, columns), &error);
    assert_int_equal(table.rows, rows);
    assert_int_equal(table.width, width);
}

static void bad(const char *reader, const char *path, const char *columns, ActStatus status, const char *part)
{
    assert_int_equal(read_with(reader, path, columns), status);
    assert_has(error.text, part);
}

static void csv_text(const char *text) { folder_text(&folder, "t.csv", text); }
static void csv_good(const char *text, const char *columns, uint64_t rows, uint64_t width)
{
    csv_text(text);
    good("csv", folder_file(&folder, "t.csv"), columns, rows, width);
}
static void csv_bad(const char *text, const char *columns, const char *part)
{
    csv_text(text);
    bad("csv", folder_file(&folder, "t.csv"), columns, ACT_E_DATA, part);
}

static void readers_are_found_by_name_and_file(void **state)
{
    (void)state;
    assert_non_null(act_reader_find("csv", NULL));
    assert_null(act_reader_find("cvs", &error));
    assert_has(error.text, "there is `csv`");
    assert_has(error.text, "csv, idx, images, npy, text");
    assert_string_equal(act_reader_of_file("a/b.csv.gz")->name, "csv");
    assert_string_equal(act_reader_of_file("train-images-idx3-ubyte.gz")->name, "idx");
    assert_string_equal(act_reader_of_file("x.npy")->name, "npy");
    assert_string_equal(act_reader_of_file("x.txt")->name, "text");
    assert_null(act_reader_of_file("x.bin"));
    for (size_t i = 0; act_reader_at(i); i++) {
        assert_non_null(act_reader_at(i)->doc);
        assert_non_null(act_reader_at(i)->endings);
    }
}

static void csv_plain(void **state)
{
    (void)state;
    csv_good("1,2,3\n4,5,6\n", "", 2, 3);
    assert_true(value_of(5) == 6);
    csv_good("a,b\n1,2\r\n3,4", "", 2, 2);          /* header, CRLF, no line end at the end */
    assert_true(value_of(3) == 4);
    csv_good("\xEF\xBB\xBF" "a,b\n-1.5e2,+.5\n", "", 1, 2);
    assert_true(value_of(0) == -150 && value_of(1) == 0.5f);
    csv_good("a;b\n1;2\n", "b", 1, 1);
    assert_true(value_of(0) == 2);
    csv_good("a\tb\n1\t2\n", "", 1, 2);
    csv_good("\n\n1, 2 ,3\n\n4,5,6\n\n", "", 2, 3); /* blank lines and spaces */
    csv_good("7\n", "", 1, 1);
    csv_good("\"a,\"\"b\"\"\",\"c\nd\"\n\"1\" ,\"2\"\n", "", 1, 2);
    csv_good("\"a,\"\"b\"\"\",\"c\nd\"\n\"1\",\"2\"\n", "a,\"b\"", 1, 1);
    assert_true(value_of(0) == 1);
}

static void csv_columns(void **state)
{
    (void)state;
    const char *text = "a,b,c,d\n1,2,3,4\n5,6,7,8\n";
    csv_good(text, "2..3", 2, 2);
    assert_true(value_of(0) == 2 && value_of(3) == 7);
    csv_good(text, "b..d", 2, 3);
    csv_good(text, "4, 1", 2, 2);
    assert_true(value_of(0) == 4 && value_of(1) == 1);
    csv_good(text, "d, 1..2", 2, 3);
    assert_true(value_of(0) == 4 && value_of(2) == 2);
    csv_good("1,2\n3,4\n", "2", 2, 1);
    csv_bad(text, "2..5", "has no column 5: it has 4");
    csv_bad(text, "0", "has no column 0");
    csv_bad(text, "3..2", "backwards");
    csv_bad("width,height,depth\n1,2,3\n", "heigth", "there is `height`");
    csv_bad(text, "zebra", "its columns are `a`, `b`, `c`, `d`");
    csv_bad("1,2\n", "zebra", "has no header");
}

static void csv_classes(void **state)
{
    (void)state;
    csv_good("x,kind\n1,dog\n2,cat\n3,dog\n4,ant\n", "kind", 4, 1);
    assert_int_equal(table.n_class, 3);
    assert_string_equal(table.class_name[0], "ant");
    assert_string_equal(table.class_name[2], "dog");
    assert_true(value_of(0) == 2 && value_of(1) == 1 && value_of(2) == 2 && value_of(3) == 0);

    /* the names of another part rule */
    char *names[] = { (char *)(uintptr_t)"dog", (char *)(uintptr_t)"cat" };
    csv_text("x,kind\n1,cat\n2,dog\n");
    act_table_free(&table);
    ActRequest request = { .path = folder_file(&folder, "t.csv"), .columns = "kind", .class_name = names, .n_class = 2 };
    assert_good(act_reader_find("csv", NULL)->read(&request, &table, &error), &error);
    assert_true(value_of(0) == 1 && value_of(1) == 0 && table.n_class == 0);
    act_table_free(&table);
    csv_text("x,kind\n1,cat\n2,dgo\n");
    request.path = folder_file(&folder, "t.csv");
    assert_int_equal(act_reader_find("csv", NULL)->read(&request, &table, &error), ACT_E_DATA);
    assert_has(error.text, "t.csv:3:3: the class `dgo` is not among");
    assert_has(error.text, "there is `dog`");
    csv_bad("x,kind\n1,dog\n2,\n", "kind", "t.csv:3:3: the cell is empty");
}

static void csv_mistakes_have_a_place(void **state)
{
    (void)state;
    csv_bad("a,b\n1,2\n3,x4\n", "", "t.csv:3:3: `x4` is not a number (column `b`)");
    csv_bad("a,b\n1,2\n3,x4\n", "", "; the rows before have numbers there: mend the cell, or remove the row");
    csv_bad("a,b\n1,x4\n", "", "choose the columns of numbers, as in `columns = 1..1`");
    csv_bad("kind,a,b\ncat,1,2\n", "", "choose the columns of numbers, as in `columns = 2..3`");
    csv_bad("1,2\n,4\n", "", "t.csv:2:1: the cell is empty (column 1)");
    csv_bad("a,b\n1,2,3\n", "", "t.csv:2: this row has 3 cells, the first row has 2");
    csv_bad("a,b\n1,\"2\n", "", "t.csv:2:3: this quote is never closed");
    csv_bad("a,b\n1,\"2\"x\n", "", "t.csv:2:3: there is text behind the closing quote");
    csv_bad("a,b\n1,nan\n", "", "`nan` is not a number");
    csv_bad("a\n1\ninf\n", "", "`inf` is not a number");
    csv_bad("a\n1\n0x10\n", "", "is not a number");
    csv_bad("a\n1\n1e99\n", "", "t.csv:3:1: this number is beyond the range of f32");
    csv_bad("", "", "is empty: a line of names and a line for each row are wanted");
    csv_bad("a,b\n", "", "has no rows behind its line of names");
    csv_bad("a,b\n\"x\ny\",1\n2,z\n", "b", "t.csv:4:3: `z`"); /* a line end inside quotes counts as a line */
    csv_bad("\xC3\xA4\xC3\xB6,b\n\"\xC3\xA4\xC3\xB6\",z\n1,2\n", "", "t.csv:2:1");
    csv_bad("a,b\n1,2\n\xC3\xA4\xC3\xB6,z\n", "b", "t.csv:3:4: `z`"); /* characters, not bytes */
    bad("csv", folder_file(&folder, "none.csv"), "", ACT_E_IO, "none.csv");
    bad("csv", folder.path, "", ACT_E_IO, "is a directory");
    folder_write(&folder, "zero.csv", "1,2\0\n", 5);
    bad("csv", folder_file(&folder, "zero.csv"), "", ACT_E_FORMAT, "not a text file");
}

static void csv_of_the_examples(void **state)
{
    (void)state;
    good("csv", source_file("examples/data/iris.csv"), "1..4", 150, 4);
    assert_true(fabsf(value_of(0) - 5.1f) == 0);
    good("csv", source_file("examples/data/iris.csv"), "species", 150, 1);
    assert_int_equal(table.n_class, 3);
    assert_string_equal(table.class_name[2], "virginica");
    good("csv", source_file("examples/data/breast_cancer.csv"), "1..30", 569, 30);
    good("csv", source_file("examples/data/breast_cancer-test.csv"), "diagnosis", 113, 1);
    good("csv", source_file("examples/data/diabetes.csv"), "progression", 442, 1);
    good("csv", source_file("examples/data/digits-train.csv.gz"), "p00..p77", 1438, 64);
    good("csv", source_file("examples/data/digits-test.csv.gz"), "digit", 359, 1);
    good("csv", source_file("examples/data/spirals.csv"), "x, y", 800, 2);
    good("csv", source_file("examples/data/xor.csv"), "", 4, 3);
}

static void idx_types(void **state)
{
    (void)state;
    const unsigned char bytes[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 7, 8 };
    good("idx", folder_write(&folder, "a", bytes, sizeof bytes), "", 2, 2);
    assert_int_equal(table.rank, 2);
    assert_int_equal(table.dim[1], 2);
    assert_true(table.shaped && value_of(1) == 255 && value_of(3) == 8);
    const unsigned char labels[] = { 0, 0, 9, 1, 0, 0, 0, 2, 255, 3 };
    good("idx", folder_write(&folder, "b", labels, sizeof labels), "", 2, 1);
    assert_true(value_of(0) == -1 && table.rank == 0);
    const unsigned char shorts[] = { 0, 0, 11, 1, 0, 0, 0, 2, 255, 254, 1, 0 };
    good("idx", folder_write(&folder, "c", shorts, sizeof shorts), "", 2, 1);
    assert_true(value_of(0) == -2 && value_of(1) == 256);
    const unsigned char ints[] = { 0, 0, 12, 1, 0, 0, 0, 1, 255, 255, 255, 0 };
    good("idx", folder_write(&folder, "d", ints, sizeof ints), "", 1, 1);
    assert_true(value_of(0) == -256);
    const unsigned char floats[] = { 0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0 };
    good("idx", folder_write(&folder, "e", floats, sizeof floats), "", 1, 1);
    assert_true(value_of(0) == 1.5f);
    const unsigned char doubles[] = { 0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 4, 0, 0, 0, 0, 0, 0 };
    good("idx", folder_write(&folder, "f", doubles, sizeof doubles), "", 1, 1);
    assert_true(value_of(0) == -2.5f);
}

static void idx_packed_and_damaged(void **state)
{
    (void)state;
    unsigned char bytes[8 + 3000] = { 0, 0, 8, 1, 0, 0, 3000 >> 8, 3000 & 255 };
    for (size_t i = 0; i < 3000; i++) bytes[8 + i] = (unsigned char)(i * 7);
    const char *path = folder_file(&folder, "p.gz");
    gzFile packed = gzopen(path, "wb");
    assert_int_equal(gzwrite(packed, bytes, sizeof bytes), sizeof bytes);
    gzclose(packed);
    good("idx", path, "", 3000, 1);
    assert_true(value_of(2999) == (float)(2999 * 7 % 256));

    size_t size;
    char *raw = read_all(path, &size);
    folder_write(&folder, "short.gz", raw, size - 9);
    bad("idx", folder_file(&folder, "short.gz"), "", ACT_E_FORMAT, "damaged or cut off");
    raw[size - 6] ^= 1; /* in the checksum */
    folder_write(&folder, "sum.gz", raw, size);
    bad("idx", folder_file(&folder, "sum.gz"), "", ACT_E_FORMAT, "damaged or cut off");
    free(raw);
}

static void idx_hostile(void **state)
{
    (void)state;
    const struct { unsigned char bytes[24]; size_t n; const char *part;
    } cases[] = {
        { { 0 }, 0, "not an IDX file" },
        { { 0, 0, 8 }, 3, "not an IDX file" },
        { { 0x89, 'P', 'N', 'G' }, 4, "not an IDX file" },
        { { 0, 0, 10, 1, 0, 0, 0, 0 }, 8, "not an IDX file" },
        { { 0, 0, 8, 0 }, 4, "not an IDX file" },
        { { 0, 0, 8, 9 }, 4, "9 axes" },
        { { 0, 0, 8, 2, 0, 0, 0, 1, 0 }, 9, "cut off inside its header" },
        { { 0, 0, 8, 1, 0, 0, 0, 5, 1, 2 }, 10, "cut off: its header promises 5 bytes" },
        { { 0, 0, 8, 1, 0, 0, 0, 1, 1, 2 }, 10, "bytes behind its end" },
        { { 0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
          16,
          "claims a size that can't be" },
        { { 0, 0, 8, 1, 255, 255, 255, 255 }, 8, "cut off: its header promises 4,294,967,295 bytes" },
        { { 0, 0, 8, 1, 0, 0, 0, 0 }, 8, "is empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = folder_write(&folder, "h", cases[i].bytes, cases[i].n);
        ActStatus status = read_with("idx", path, "");
        assert_true(status == ACT_E_FORMAT || status == ACT_E_DATA);
        assert_has(error.text, cases[i].part);
        assert_has(error.text, path);
    }
}

static const char *npy_file(int version, const char *header, const void *data, size_t n)
{
    unsigned char bytes[512] = { 0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)version, 0 };
    size_t length = strlen(header), start = version == 1 ? 10 : 12;
    bytes[8] = (unsigned char)length;
    bytes[9] = (unsigned char)(length >> 8);
    memcpy(bytes + start, header, length);
    if (n) memcpy(bytes + start + length, data, n);
    return folder_write(&folder, "t.npy", bytes, start + length + n);
}

static void npy_types(void **state)
{
    (void)state;
    const float f[] = { 1.5f, -2, 3, 4, 5, 6 };
    good("npy", npy_file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", f, sizeof f), "", 2, 3);
    assert_true(table.shaped && table.rank == 1 && value_of(1) == -2);
    good("npy", npy_file(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 1)}\n", f, sizeof f), "", 3, 2);
    assert_int_equal(table.rank, 2);
    const double d[] = { 0.1, 1e10 };
    good("npy", npy_file(1, "{'shape': (2,), 'fortran_order': False, 'descr': '<f8'}", d, sizeof d), "", 2, 1);
    assert_true(value_of(0) == 0.1f && table.rank == 0);
    const int64_t wide[] = { -3, 9 };
    good("npy", npy_file(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", wide, sizeof wide), "", 2, 1);
    assert_true(value_of(0) == -3);
    const int32_t whole[] = { -3, 9 };
    good("npy", npy_file(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }", whole, sizeof whole), "", 2,
         1);
    good("npy", npy_file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "\x01\xff\x00", 3), "", 3, 1);
    assert_true(value_of(1) == 255);
    good("npy", npy_file(1, "{'descr': '|i1', 'fortran_order': True, 'shape': (3,), }", "\x01\xff\x00", 3), "", 3, 1);
    assert_true(value_of(1) == -1);
}

static void npy_mistakes(void **state)
{
    (void)state;
    const float f[] = { 1, 2, 3, 4 };
    const struct { const char *header; size_t n; const char *part; } cases[] = {
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (4,), }", 16, "holds `>f4`" },
        { "{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", 16, "holds `|O`" },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16, "ascontiguousarray" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", 16, "cut off: its shape wants 20 bytes" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 16, "bytes behind its end" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 4, "single number" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", 0, "is empty" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 0, "header that can't be read" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (4", 0, "header that can't be read" },
        { "{'descr': '<f4', 'fortran_order': False}", 0, "header that can't be read" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}", 0, "header that can't be read" },
        { "{'descr': '<f4", 0, "header that can't be read" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", 16, "header that can't be read" },
        { "", 0, "header that can't be read" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", 16, "can't be" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", 4, "can't be read" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_not_equal(read_with("npy", npy_file(1, cases[i].header, f, cases[i].n), ""), ACT_OK);
        assert_has(error.text, cases[i].part);
        assert_has(error.text, "t.npy");
    }
    bad("npy", npy_file(3, "{}", f, 0), "", ACT_E_FORMAT, "version 3");
    bad("npy", folder_write(&folder, "x.npy", "PK\3\4", 4), "", ACT_E_FORMAT, "not an .npy file");
    bad("npy", folder_write(&folder, "y.npy", "\x93NUMPY\1\0\xff\xff", 10), "", ACT_E_FORMAT,
        "cut off inside its header");
}

/* What numpy.save writes: tests/tools/make_runtime_fixtures.py made the file. */
static void npy_of_numpy(void **state)
{
    (void)state;
    good("npy", source_file("tests/fixtures/runtime/rows.npy"), "", 4, 6);
    assert_int_equal(table.rank, 2);
    for (int i = 0; i < 24; i++) assert_true(value_of(i) == (float)i / 4);
    good("npy", source_file("tests/fixtures/runtime/labels.npy"), "", 5, 1);
    assert_true(value_of(0) == 3 && value_of(4) == -1);
}

/* Lawful files with single bytes changed, or cut off, are read or refused, but never crash a reader (run under the
 * sanitizers). */
static void damage_is_survived(void **state)
{
    (void)state;
    const struct { const char *reader, *path, *text; } cases[] = {
        { "npy", "tests/fixtures/runtime/rows.npy", NULL },
        { "csv", NULL, "a,\"b \"\"c\"\"\",d\n1,2.5,x\r\n-3,4e2,\"y\nz\"\n" },
        { "idx", NULL, NULL },
    };
    static const unsigned char idx[] = { 0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 7, 8 };
    static const char changes[] = { 0, 1, (char)255, '"', ',', '\n', '(', '9', '-' };
    for (size_t c = 0; c < 3; c++) {
        size_t size = sizeof idx;
        char *bytes = cases[c].path ? read_all(source_file(cases[c].path), &size) : malloc(256);
        if (cases[c].text) size = strlen(cases[c].text), memcpy(bytes, cases[c].text, size);
        else if (!cases[c].path) memcpy(bytes, idx, size);
        for (size_t i = 0; i < size; i++) {
            char before = bytes[i];
            read_with(cases[c].reader, folder_write(&folder, "cut", bytes, i), "");
            for (size_t k = 0; k < sizeof changes; k++) {
                bytes[i] = changes[k];
                ActStatus status =
                    read_with(cases[c].reader, folder_write(&folder, "bit", bytes, size), k % 2 ? "" : "1..2");
                assert_true(status == ACT_OK || strstr(error.text, "bit")); /* a message names the file */
            }
            bytes[i] = before;
        }
        free(bytes);
    }
}

/* Characters by their sorted bytes, one of two bytes among them; known ones by the place they had; bytes as they are. */
static void text_characters(void **state)
{
    (void)state;
    folder_text(&folder, "t.txt", "ba\n\xC3\xA9 b");
    const char *path = folder_file(&folder, "t.txt");
    static const float places[] = { 3, 2, 0, 4, 1, 3 };
    good("text", path, "", 6, 1);
    assert_int_equal(table.n_class, 5);
    assert_string_equal(table.class_name[4], "\xC3\xA9");
    for (int i = 0; i < 6; i++) assert_float_equal(value_of(i), places[i], 0);
    good("text", path, "bytes stride=3", 7, 1);
    assert_float_equal(value_of(3), 0xC3, 0);
    act_table_free(&table);
    char a[] = "a", b[] = "b", line[] = "\n", blank[] = " ", *const names[] = { line, blank, a, b };
    ActRequest request = { .path = path, .columns = "", .class_name = names, .n_class = 4 };
    assert_int_equal(act_reader_find("text", NULL)->read(&request, &table, &error), ACT_E_DATA);
    assert_has(error.text, "t.txt:2:1: the character `\xC3\xA9` does not occur in the training text");
    folder_text(&folder, "t.txt", "a\xFF");
    bad("text", folder_file(&folder, "t.txt"), "", ACT_E_FORMAT, "no UTF-8 text: byte 1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_are_found_by_name_and_file),
        TEST(csv_plain),
        TEST(csv_columns),
        TEST(csv_classes),
        TEST(csv_mistakes_have_a_place),
        TEST(csv_of_the_examples),
        TEST(idx_types),
        TEST(idx_packed_and_damaged),
        TEST(idx_hostile),
        TEST(npy_types),
        TEST(npy_mistakes),
        TEST(npy_of_numpy),
        TEST(text_characters),
        TEST(damage_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
