#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/source.h"
#include "base/target.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Arena *arena;
static char folder[] = "/tmp/act_file_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new();
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        unlink(path_join(arena, str_of(folder), str_of(e->d_name)).p);
    closedir(dir);
    rmdir(folder);
    arena_free(arena);
    return 0;
}

static unsigned count_files(void)
{
    unsigned n = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir));)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void writes_whole_files_and_leaves_nothing_beside(void **state)
{
    (void)state;
    Str path = path_join(arena, str_of(folder), STR("out.bin")), text, why;
    assert_true(file_write(arena, path, "a\0b", 3, &why));
    assert_true(file_read(arena, path, &text, &why));
    assert_int_equal(text.n, 3);
    assert_memory_equal(text.p, "a\0b", 4); /* and a NUL behind */
    chmod(path.p, 0755);
    assert_true(file_write(arena, path, "", 0, &why)); /* replaced, its mode kept */
    struct stat info;
    assert_int_equal(stat(path.p, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0755);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(count_files(), 1);
}

static void writes_through_links_and_into_devices(void **state)
{
    (void)state;
    Str real = path_join(arena, str_of(folder), STR("real")), link = path_join(arena, str_of(folder), STR("link"));
    Str text, why;
    assert_true(file_write(arena, real, "old", 3, &why));
    assert_int_equal(symlink(real.p, link.p), 0);
    assert_true(file_write(arena, link, "new", 3, &why));
    assert_true(file_read(arena, real, &text, &why) && str_is(text, "new"));
    struct stat info;
    assert_true(lstat(link.p, &info) == 0 && S_ISLNK(info.st_mode));
    assert_true(file_write(arena, STR("/dev/null"), "x", 1, &why));
    assert_true(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
}

static void refusals_are_sentences(void **state)
{
    (void)state;
    Str text, why;
    assert_false(file_read(arena, STR("/nowhere/x.act"), &text, &why));
    assert_string_equal(why.p, "cannot read `/nowhere/x.act`: no such file or directory");
    assert_false(file_read(arena, STR("/dev/zero"), &text, &why));
    assert_string_equal(why.p, "cannot read `/dev/zero`: it is larger than 256 MiB");
    assert_false(file_read(arena, str_of(folder), &text, &why));
    assert_non_null(strstr(why.p, "it is a directory"));
    assert_false(file_write(arena, STR("/nowhere/x.o"), "", 0, &why));
    assert_string_equal(why.p, "cannot write `/nowhere/x.o`: no such file or directory");
    Sources sources = {.arena = arena};
    assert_null(source_read(&sources, STR("/nowhere/x.act"), &why));
    assert_int_equal(sources.list.n, 0);
}

static void takes_paths_apart(void **state)
{
    (void)state;
    assert_true(str_is(path_stem(STR("dir/name.act")), "name") && str_is(path_ending(STR("dir/name.act")), ".act"));
    assert_true(str_is(path_dir(arena, STR("dir/name.act")), "dir/") && str_is(path_dir(arena, STR("name")), ""));
    assert_true(str_is(path_stem(STR("a.b.act")), "a.b") && str_is(path_ending(STR("dir.d/name")), ""));
    assert_true(str_is(path_stem(STR(".act")), ".act") && str_is(path_ending(STR(".act")), ""));
    assert_true(str_is(path_join(arena, STR("dir"), STR("x")), "dir/x"));
    assert_true(str_is(path_join(arena, STR("dir/"), STR("x")), "dir/x"));
    assert_true(str_is(path_join(arena, STR("dir/"), STR("/x")), "/x"));
    assert_true(str_is(path_join(arena, STR(""), STR("x")), "x"));
}

static void finds_places(void **state)
{
    (void)state;
    Sources sources = {.arena = arena};
    Source *s = source_add(&sources, STR("x"), STR("a\xc3\xa9z\r\n\n\xffq"), false);
    assert_int_equal(s->n_line, 3);
    static const struct {
        uint32_t offset, line, column;
    } rows[] = {{0, 1, 1}, {1, 1, 2}, {3, 1, 3}, {4, 1, 4}, {6, 2, 1}, {7, 3, 1}, {8, 3, 2}, {9, 3, 3}, {99, 3, 3}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        Place place = source_place(s, rows[i].offset);
        assert_int_equal(place.line, rows[i].line);
        assert_int_equal(place.column, rows[i].column);
    }
    assert_true(str_is(source_line(s, 1), "a\xc3\xa9z") && str_is(source_line(s, 2), "") &&
                str_is(source_line(s, 3), "\xffq") && str_is(source_line(s, 4), ""));
    assert_true(str_is(source_slice(&sources, (Span){1, 1, 3}), "\xc3\xa9"));
    assert_true(source_slice(&sources, (Span){0, 0, 1}).n == 0);
    assert_true(source_slice(&sources, (Span){1, 5, 100}).n == 0 && source_get(&sources, 2) == NULL);
    Span joined = span_join((Span){1, 4, 5}, (Span){1, 1, 2});
    assert_true(joined.begin == 1 && joined.end == 5);
    assert_true(span_join((Span){0, 0, 0}, (Span){1, 1, 2}).end == 2);
    assert_true(span_join((Span){1, 1, 2}, (Span){0, 9, 9}).end == 2);
}

static void targets_have_room_for_their_tiles(void **state)
{
    (void)state;
    for (unsigned i = 0; i < target_count(); i++) {
        const Target *t = target_at(i);
        assert_ptr_equal(target_find(t->lanes, t->registers), t);
        unsigned used = t->tile_rows * t->tile_vectors + t->tile_vectors + 1; /* sums, a panel's row, a broadcast */
        assert_true(used + (t->fma ? 0 : 1) <= t->registers);
        assert_true(t->l1 < t->l2);
    }
    assert_string_equal(target_find(16, 32)->name, "x86-64-v4");
    assert_string_equal(target_find(8, 32)->name, "x86-64-v3"); /* the widest that fits */
    assert_null(target_find(2, 16));
    assert_null(target_at(target_count()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_whole_files_and_leaves_nothing_beside),
        cmocka_unit_test(writes_through_links_and_into_devices),
        cmocka_unit_test(refusals_are_sentences),
        cmocka_unit_test(takes_paths_apart),
        cmocka_unit_test(finds_places),
        cmocka_unit_test(targets_have_room_for_their_tiles),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
