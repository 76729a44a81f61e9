/* Throws damaged data files at every reader: damaged_data --count 10000 --seed 1
 *                                            damaged_data --only N --seed 1
 *
 * A file is taken, and then every number of it is looked at, or it is refused with a message that names it. What was converted once and is
 * damaged then is never taken: the reader must give what it gave before. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "../../runtime/host/reader.h"

#include "damage.h"

#include <dirent.h>
#include <png.h>
#include <sys/stat.h>
#include <zlib.h>

#include <jpeglib.h>

enum { SECONDS = 10, SIDE = 8, KINDS = 17 };

/* A good file, and how it is asked for. */
typedef struct Kind {
    const char *reader, *ending, *columns;
    int classes;              /* of the target; 0: an input of SIDE x SIDE */
    Bytes bytes;
} Kind;

static Kind kind[KINDS];
static size_t kinds;
static ActError error;

/* ── good files ── */

static Bytes *add(const char *reader, const char *ending, const char *columns, int classes)
{
    if (kinds == KINDS) die("too many kinds", ending);
    Kind *k = &kind[kinds++];
    *k = (Kind){ .reader = reader, .ending = ending, .columns = columns, .classes = classes };
    return &k->bytes;
}

static void put(Bytes *b, const void *data, size_t n)
{
    if (b->n + n > LARGEST) die("too long", "a good file");
    memcpy(b->at + b->n, data, n);
    b->n += n;
}

static void put_text(Bytes *b, const char *text) { put(b, text, strlen(text)); }

static void pack(Bytes *to, const Bytes *from)
{
    z_stream z = { 0 };
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) die("zlib", "deflateInit2");
    z.next_in = (unsigned char *)(uintptr_t)from->at, z.avail_in = (unsigned)from->n;
    z.next_out = to->at, z.avail_out = LARGEST;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) die("zlib", "deflate");
    to->n = z.total_out;
    deflateEnd(&z);
}

static void add_idx(unsigned char type, size_t size)
{
    Bytes *b = add("idx", ".idx", "", 0);
    const unsigned char head[] = { 0, 0, type, 3, 0, 0, 0, 5, 0, 0, 0, SIDE, 0, 0, 0, SIDE };
    put(b, head, sizeof head);
    for (size_t i = 0; i < 5 * SIDE * SIDE * size; i++) put(b, &(unsigned char){ (unsigned char)(size > 1 ? 62 : i * 7) }, 1);
}

static void add_npy(int version, const char *type, size_t size)
{
    Bytes *b = add("npy", ".npy", "", 0);
    char text[256];
    int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (5, %d, %d), }", type, SIDE, SIDE);
    put(b, "\x93NUMPY", 6);
    const unsigned char head[] = { (unsigned char)version, 0, (unsigned char)(n + 1), 0, 0, 0 };
    put(b, head, version == 1 ? 4 : 6);
    put(b, text, (size_t)n);
    put(b, "\n", 1);
    for (size_t i = 0; i < 5 * SIDE * SIDE * size; i++) put(b, &(unsigned char){ (unsigned char)(i % 64) }, 1);
}

static void add_png(png_uint_32 format)
{
    unsigned char pixel[SIDE * SIDE * 8];
    png_image image = { .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = format, .colormap_entries = 4 };
    static const unsigned char colours[12] = { 0, 50, 100, 150, 200, 250, 9, 8, 7, 6, 5, 4 };
    Bytes *b = add("images", ".png", "", 0);
    for (size_t i = 0; i < sizeof pixel; i++) pixel[i] = (unsigned char)(format & PNG_FORMAT_FLAG_COLORMAP ? i % 4 : i * 5);
    png_alloc_size_t n = LARGEST;
    if (!png_image_write_to_memory(&image, b->at, &n, 0, pixel, 0, colours)) die("libpng", image.message);
    b->n = n;
}

static void add_jpeg(int progressive)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL;
    unsigned long n = 0;
    Bytes *b = add("images", ".jpg", "", 0);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &n);
    jpeg.image_height = jpeg.image_width = SIDE;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < SIDE; y++) {
        unsigned char line[SIDE * 3], *row = line;
        for (int x = 0; x < SIDE * 3; x++) line[x] = (unsigned char)(x * 9 + y * 20);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    put(b, out, n);
    jpeg_destroy_compress(&jpeg);
    free(out);
}

static void make_kinds(void)
{
    static const char *const table = "a,b,kind\n1,2.5,\"a \"\"dog\"\"\"\n-3,4e2,cat\n\"5\",.5,cat\n\n7,8,dog\n";
    put_text(add("csv", ".csv", "1..2", 0), table);
    put_text(add("csv", ".csv", "kind", 3), table);
    pack(add("csv", ".csv.gz", "1..2", 0), &kind[0].bytes);
    put_text(add("text", ".txt", "", 0), "Wer reitet so spät durch Nacht und Wind?\nEs ist der Vater – mit seinem Kind. 𝄞\n");
    put_text(add("text", ".txt", "bytes", 0), "bytes of any kind");
    pack(add("text", ".txt.gz", "", 0), &kind[3].bytes);
    add_idx(0x08, 1);
    const Bytes *plain = &kind[kinds - 1].bytes;
    pack(add("idx", ".idx.gz", "", 0), plain);
    add_idx(0x0D, 4);
    add_npy(1, "<f4", 4);
    add_npy(2, "|u1", 1);
    add_png(PNG_FORMAT_GRAY);
    add_png(PNG_FORMAT_RGBA);
    add_png(PNG_FORMAT_RGB_COLORMAP);
    add_png(PNG_FORMAT_LINEAR_Y);
    add_jpeg(0);
    add_jpeg(1);
}

/* ── damage ── */

static void damage(Bytes *b)
{
    static const char *const words[] = { "\"", ",", "\n", "\r\n", ";", "\t", "nan", "inf", "1e999", "-", "0", "99999999999999999999", "\xEF\xBB\xBF",
                                         "\xC3", "\xED\xA0\x80", "\xF4\x90\x80\x80", "'", "(", ")", "{", "}", ",,", "'shape': (", "<f8", "True", "\xFF\xD8",
                                         "\xFF\xC2", "\xFF\xFF\xFF\xFF", "\x7F\xFF\xFF\xFF", "\x80", "IDAT", "IEND", "PLTE", "tRNS" };
    unsigned char piece[24] = { 0 };
    size_t at = below(b->n), head = below(b->n < 40 ? b->n : 40), some = below(24);
    if (b->n > sizeof piece) memcpy(piece, b->at + below(b->n - sizeof piece), sizeof piece);
    if (b->n == 0) return;
    switch (below(9)) {
    case 0: b->at[at] ^= (unsigned char)(1 << below(8)); break;
    case 1: b->at[head] ^= (unsigned char)(1 << below(8)); break;
    case 2: b->at[head] = (unsigned char)below(256); break;
    case 3: b->n = below(b->n); break;
    case 4: replace(b, at, 0, piece, some); break;
    case 5: replace(b, at, some < b->n - at ? some : 0, piece, 0); break;
    case 6: replace(b, b->n, 0, piece, some); break;
    default: {
        const char *word = words[below(sizeof words / sizeof *words)];
        replace(b, below(2) ? at : head, below(2) ? 0 : 1, word, strlen(word));
    }
    }
}

/* ── reading ── */

/* The numbers' own hash; 0: refused. */
static uint64_t read_all(const Kind *k, const char *path)
{
    const ActTensor input = { .name = "x", .rank = 3, .dim = { SIDE, SIDE, 1 } }, target = { .name = "y", .type = ACT_I32, .classes = 3 };
    const ActRequest request = { .path = path, .columns = k->columns, .tensor = k->classes ? &target : &input, .out = folder };
    ActTable table = { 0 };
    act_error_clear(&error);
    ActStatus status = act_reader_find(k->reader, NULL)->read(&request, &table, &error);
    uint64_t h = 1;
    if (status == ACT_OK) {
        act_table_settle(&table);
        size_t size = act_element_size(table.element);
        uint64_t n = table.rows * table.width;
        if (table.rows == 0 || table.width == 0 || table.start + n * size > table.source.size) die("rows beyond the file", path);
        for (uint64_t i = 0; i < n; i++) {
            unsigned char room[8];
            float x;
            uint32_t bits;
            const unsigned char *at = act_source_bytes(&table.source, table.start + i * size, size, room, &error);
            if (!at) die("can't be read on", error.text);
            act_element_floats(table.element, at, 1, &x);
            memcpy(&bits, &x, 4);
            h = (h ^ bits) * 0x100000001b3u;
        }
        for (size_t i = 0; i < table.n_class; i++) h = (h ^ strlen(table.class_name[i])) * 0x100000001b3u;
    } else {
        h = 0;
        if (!strstr(error.text, path)) die("a message without the file", error.text);
        if (status == ACT_E_MEMORY) die("memory for what is not there", error.text);
    }
    act_table_free(&table);
    return h;
}

/* Damages what was converted, if anything was. */
static int damage_converted(void)
{
    DIR *dir = opendir(folder);
    int found = 0;
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[512];
        if (!strstr(entry->d_name, ".actdata")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        Bytes *b = read_file(path);
        for (uint64_t n = 1 + below(MUTATIONS); n > 0; n--) damage(b);
        write_file(path, b);
        free(b);
        found = 1;
    }
    if (dir) closedir(dir);
    return found;
}

static void remove_all(void)
{
    DIR *dir = opendir(folder);
    for (const struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
}

static void judge(void)
{
    const Kind *k = &kind[below(kinds)];
    char path[96];
    snprintf(path, sizeof path, "%s/mutant%s", folder, k->ending);
    int converted = below(4) == 0;
    if (converted || below(2)) setenv("ACT_DATA_MEMORY", "0", 1);
    if (converted) { /* the data is good, and what was made of it is not */
        write_file(path, &k->bytes);
        uint64_t h = read_all(k, path);
        if (!h) die("refused though good", error.text);
        if (damage_converted() && read_all(k, path) != h) die("taken, and not the same", path);
    } else {
        Bytes *b = malloc(sizeof *b);
        if (!b) die("memory", "none");
        *b = k->bytes;
        for (uint64_t n = 1 + below(MUTATIONS); n > 0; n--) damage(b);
        write_file(path, b);
        read_all(k, path);
        free(b);
    }
    unsetenv("ACT_DATA_MEMORY");
    remove_all();
}

int main(int argc, char **argv)
{
    const Rounds rounds = rounds_begin(argc, argv);
    make_kinds();
    rounds_run(&rounds, SECONDS, judge, error.text);
    if (!rounds.only) printf("%lu damaged data files\n", rounds.count);
    rounds_end();
    return 0;
}
