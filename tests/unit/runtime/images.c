/* Pictures in folders. They are written by libpng and libjpeg, whose own readers are not what is tested. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../runtime/host/reader.h"

#include "support.h"

#include <png.h>

#include <jpeglib.h>

enum { HIGH = 4, WIDE = 6 };

static Folder folder;
static ActTable table;
static ActError error;
static ActTensor pixels, label;

static int begin(void **state)
{
    (void)state;
    folder_open(&folder);
    memset(&table, 0, sizeof table);
    pixels = (ActTensor){ .name = "image", .rank = 3, .dim = { HIGH, WIDE, 1 } };
    label = (ActTensor){ .name = "label", .type = ACT_I32, .classes = 3 };
    return 0;
}

static int end(void **state)
{
    (void)state;
    act_table_free(&table);
    folder_close(&folder);
    return 0;
}

/* Pixels that are easily told: 40 y + 3 x, and for the other colours 10 more each. */
static unsigned char ink(size_t y, size_t x, size_t c) { return (unsigned char)(40 * y + 3 * x + 10 * c); }

static const char *in_folder(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s", folder_file(&folder, name));
    for (char *at = path + strlen(folder.path) + 1; (at = strchr(at, '/')); *at++ = '/') {
        *at = 0;
        mkdir(path, 0777);
    }
    return folder_file(&folder, name);
}

static void write_png(const char *name, size_t high, size_t wide, png_uint_32 format, size_t bytes)
{
    unsigned char pixel[16 * 16 * 4];
    png_image image = { .version = PNG_IMAGE_VERSION, .width = (png_uint_32)wide, .height = (png_uint_32)high, .format = format };
    for (size_t y = 0; y < high; y++)
        for (size_t x = 0; x < wide; x++)
            for (size_t c = 0; c < bytes; c++) pixel[(y * wide + x) * bytes + c] = ink(y, x, c);
    assert_true(png_image_write_to_file(&image, in_folder(name), 0, pixel, 0, NULL));
}

static void write_jpeg(const char *name, int channels)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_height = HIGH, jpeg.image_width = WIDE;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t y = 0; y < HIGH; y++) {
        unsigned char line[WIDE * 3], *row = line;
        for (size_t x = 0; x < WIDE; x++)
            for (size_t c = 0; c < (size_t)channels; c++) line[x * (size_t)channels + c] = ink(y, x, c);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static ActStatus read_for(const char *name, const ActTensor *tensor)
{
    const ActRequest request = { .path = *name ? folder_file(&folder, name) : folder.path, .tensor = tensor, .out = folder.path };
    act_table_free(&table);
    act_error_clear(&error);
    ActStatus status = act_reader_find("images", &error)->read(&request, &table, &error);
    if (status == ACT_OK) act_table_settle(&table);
    return status;
}

static void refuse(const ActTensor *tensor, ActStatus status, const char *part)
{
    assert_int_equal(read_for("", tensor), status);
    assert_has(error.text, part);
}

static int near(size_t i, unsigned wanted, unsigned most)
{
    int d = (int)table.source.at[table.start + i] - (int)wanted;
    return (unsigned)(d < 0 ? -d : d) <= most;
}

static void every_kind_becomes_grey_or_coloured(void **state)
{
    (void)state;
    write_png("a.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    write_png("b.PNG", HIGH, WIDE, PNG_FORMAT_RGB, 3);
    write_png("c.png", HIGH, WIDE, PNG_FORMAT_RGBA, 4);
    write_jpeg("d.jpg", 1);
    write_jpeg("e.jpeg", 3);
    folder_text(&folder, "notes.txt", "no picture");
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        pixels.dim[2] = channels;
        assert_good(read_for("", &pixels), &error);
        assert_int_equal(table.rows, 5);
        assert_int_equal(table.width, HIGH * WIDE * channels);
        assert_int_equal(table.element, ACT_ELEMENT_U8);
        size_t i = 0;
        for (size_t f = 0; f < 5; f++)
            for (size_t y = 0; y < HIGH; y++)
                for (size_t x = 0; x < WIDE; x++)
                    for (size_t c = 0; c < channels; c++, i++) {
                        int coloured = f == 1 || f == 2 || f == 4;
                        /* grey of three equal steps: 10 more each weigh 0.587 and 2 * 0.114 */
                        unsigned wanted = !coloured ? ink(y, x, 0) : channels == 3 ? ink(y, x, c) : ink(y, x, 0) + 8u;
                        if (!near(i, wanted, f == 4 ? 6 : f == 3 ? 2 : 0)) fail_msg("file %zu, row %zu, column %zu: %d, not %u", f, y, x, table.source.at[table.start + i], wanted);
                    }
    }
    pixels.rank = 2;
    assert_good(read_for("", &pixels), &error);
    assert_int_equal(table.width, HIGH * WIDE);
}

static void folders_are_classes(void **state)
{
    (void)state;
    write_png("rose/2.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    write_png("rose/1.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    write_png("aster/z.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    write_png("lily/3.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    assert_good(read_for("", &label), &error);
    assert_int_equal(table.rows, 4);
    assert_int_equal(table.n_class, 3);
    assert_string_equal(table.class_name[0], "aster");
    assert_string_equal(table.class_name[2], "rose");
    float class[4];
    memcpy(class, table.source.at, sizeof class);
    assert_true(class[0] == 0 && class[1] == 1 && class[2] == 2 && class[3] == 2);
    assert_good(read_for("", &pixels), &error);
    assert_int_equal(table.rows, 4);
    char *place = act_reader_find("images", NULL)->place(&(ActRequest){ .path = folder.path }, 2, 0);
    assert_has(place, "/rose/1.png");
    free(place);

    /* the training part's classes rule */
    char *names[] = { (char *)(uintptr_t)"rose", (char *)(uintptr_t)"lili", (char *)(uintptr_t)"aster" };
    const ActRequest request = { .path = folder.path, .tensor = &label, .class_name = names, .n_class = 3 };
    act_table_free(&table);
    assert_int_equal(act_reader_find("images", NULL)->read(&request, &table, &error), ACT_E_DATA);
    assert_has(error.text, "the class `lily` is not among those of the training part; there is `lili`");
}

static void one_file_is_one_row(void **state)
{
    (void)state;
    write_png("a.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    assert_good(read_for("a.png", &pixels), &error);
    assert_int_equal(table.rows, 1);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuse(&pixels, ACT_E_DATA, "holds no picture (.png, .jpg, .jpeg), and no folder of them");
    write_png("a.png", HIGH, 5, PNG_FORMAT_GRAY, 1);
    refuse(&pixels, ACT_E_DATA, "a.png` is 4 pixels high and 5 wide, and 4 x 6 are wanted; scale the pictures first");
    refuse(&label, ACT_E_DATA, "holds pictures, and no folders, which would be their classes; read `label` from elsewhere");
    mkdir(folder_file(&folder, "rose"), 0777);
    refuse(&pixels, ACT_E_DATA, "beside them pictures such as `a.png`, which are of none");
    unlink(folder_file(&folder, "a.png"));
    refuse(&pixels, ACT_E_DATA, "/rose` holds no picture");
    mkdir(folder_file(&folder, "rose/deep"), 0777);
    refuse(&pixels, ACT_E_DATA, "/rose/deep` is a folder in the folder of a class");
    rmdir(folder_file(&folder, "rose/deep"));
    pixels.rank = 1;
    write_png("rose/a.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    refuse(&pixels, ACT_E_DATA, "pictures have the shape [height, width], [height, width, 1] or [height, width, 3], and `image` has another");
}

/* Whatever is cut off or in the way is told with the file's name. */
static void damaged_files_are_named(void **state)
{
    (void)state;
    char *bytes;
    size_t n;
    write_png("a.png", HIGH, WIDE, PNG_FORMAT_GRAY, 1);
    write_jpeg("b.jpg", 3);
    for (int k = 0; k < 2; k++) {
        const char *name = k ? "b.jpg" : "a.png";
        bytes = read_all(folder_file(&folder, name), &n);
        for (size_t cut = 0; cut + 2 < n; cut += 5) { /* the mark of the end alone is not missed */
            folder_write(&folder, "c.png", bytes, cut);
            if (read_for("c.png", &pixels) == ACT_OK && !(k == 0 && cut + 12 >= n)) fail_msg("%s of %zu bytes is taken", name, cut);
            if (error.text[0]) assert_has(error.text, "c.png");
        }
        free(bytes);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_becomes_grey_or_coloured),
        TEST(folders_are_classes),
        TEST(one_file_is_one_row),
        TEST(mistakes_are_named),
        TEST(damaged_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
