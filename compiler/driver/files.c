#include "driver/files.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int compare_paths(const void *left, const void *right)
{
    return str_compare(*(const Str *)left, *(const Str *)right);
}

/* What stands in one directory, sorted. Returns 0 or errno. */
static int read_directory(Arena *arena, Str path, Paths *names)
{
    DIR *folder = opendir(str_c(arena, path));
    if (!folder)
        return errno;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            *vec_push(arena, names) = str_copy(arena, str_of(entry->d_name));
    closedir(folder);
    if (names->n)
        qsort(names->at, names->n, sizeof *names->at, compare_paths);
    return 0;
}

static int walk(Arena *arena, Str path, Paths *files)
{
    Paths names = {0};
    int error = read_directory(arena, path, &names);
    for (uint32_t i = 0; i < names.n && !error; i++) {
        bool bare = path.p[path.n - 1] == '/', here = str_is(path, ".");
        Str name = names.at[i];
        Str inner = here ? name : str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(path), bare ? "" : "/", STR_ARG(name));
        struct stat info;
        if (lstat(inner.p, &info) != 0)
            continue; /* gone in the meantime */
        if (S_ISDIR(info.st_mode))
            error = walk(arena, inner, files);
        else if (str_is(path_ending(inner), ".act"))
            *vec_push(arena, files) = inner;
    }
    return error;
}

bool files_expand(Session *s, Str path, Paths *files)
{
    struct stat info;
    if (str_is(path, "-") || stat(str_c(s->arena, path), &info) != 0 || !S_ISDIR(info.st_mode)) {
        *vec_push(s->arena, files) = path;
        return true;
    }
    uint32_t before = files->n;
    int error = walk(s->arena, path, files);
    if (!error && files->n > before)
        return true;
    Str why = error ? str_printf(s->arena, "cannot read all of `" STR_FMT "`: %s", STR_ARG(path), strerror(error))
                    : str_printf(s->arena, "there is no .act file below `" STR_FMT "`", STR_ARG(path));
    session_fail(s, EXIT_USAGE, why, (Str){0});
    s->failed = true;
    return false;
}
