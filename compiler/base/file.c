#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "cannot read `x`: no such file or directory" */
static bool file_refuse(Arena *arena, const char *verb, Str path, const char *reason, Str *why)
{
    if (why) {
        char *text = (char *)str_c(arena, str_of(reason));
        if (text[0] && text[1] && islower((unsigned char)text[1]))
            text[0] = (char)tolower((unsigned char)text[0]);
        *why = str_printf(arena, "cannot %s `" STR_FMT "`: %s", verb, STR_ARG(path), text);
    }
    return false;
}

enum { LARGEST = 256 << 20 /* bytes of a text: a device without end ends here */ };

static bool file_read_all(Arena *arena, FILE *in, Str path, Str *text, Str *why)
{
    size_t n = 0, cap = 1 << 16;
    char *data = malloc(cap);
    if (!data)
        base_out_of_memory(cap);
    for (size_t got; n <= LARGEST && (got = fread(data + n, 1, cap - n, in)) > 0;) {
        n += got;
        if (n == cap) {
            char *more = realloc(data, cap *= 2);
            if (!more)
                base_out_of_memory(cap);
            data = more;
        }
    }
    const char *reason = ferror(in) ? strerror(errno) : n > LARGEST ? "it is larger than 256 MiB" : NULL;
    if (!reason)
        *text = str_copy(arena, (Str){data, (uint32_t)n});
    free(data);
    return reason ? file_refuse(arena, "read", path, reason, why) : true;
}

bool file_read(Arena *arena, Str path, Str *text, Str *why)
{
    if (str_is(path, "-"))
        return file_read_all(arena, stdin, path, text, why);
    const char *name = str_c(arena, path);
    struct stat info;
    FILE *in = fopen(name, "rb");
    if (!in)
        return file_refuse(arena, "read", path, strerror(errno), why);
    bool ok = fstat(fileno(in), &info) == 0 && S_ISDIR(info.st_mode)
                  ? file_refuse(arena, "read", path, "it is a directory", why)
                  : file_read_all(arena, in, path, text, why);
    fclose(in);
    return ok;
}

static bool write_all(int file, const char *data, size_t size)
{
    while (size) {
        ssize_t wrote = write(file, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        data += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

/* A device or a pipe is written in place; renaming onto it would replace it. */
static bool file_write_in_place(Arena *arena, Str path, const char *name, const void *data, size_t size, Str *why)
{
    int file = open(name, O_WRONLY);
    if (file < 0)
        return file_refuse(arena, "write", path, strerror(errno), why);
    bool ok = write_all(file, data, size);
    int error = errno;
    ok = close(file) == 0 && ok;
    return ok ? true : file_refuse(arena, "write", path, strerror(error), why);
}

bool file_write(Arena *arena, Str path, const void *data, size_t size, Str *why)
{
    const char *name = str_c(arena, path);
    struct stat info;
    bool exists = stat(name, &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return file_refuse(arena, "write", path, "it is a directory", why);
    if (exists && !S_ISREG(info.st_mode))
        return file_write_in_place(arena, path, name, data, size, why);
    char *real = exists ? realpath(name, NULL) : NULL; /* through a link, to the file it names */
    if (real) {
        name = str_c(arena, str_of(real));
        free(real);
    }
    /* The name only has to be unused; it is gone when this returns. */
    char *beside = (char *)str_printf(arena, "%s.%ld.tmp", name, (long)getpid()).p;
    int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC, exists ? info.st_mode & 0777 : 0666);
    if (file < 0)
        return file_refuse(arena, "write", path, strerror(errno), why);
    bool ok = write_all(file, data, size);
    if (ok && exists) {
        bool kept = fchown(file, info.st_uid, info.st_gid) == 0; /* else it is ours now, as an editor's would be */
        (void)kept;
        ok = fchmod(file, info.st_mode & 0777) == 0; /* the umask may have taken something away */
    }
    int error = errno;
    if (close(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(beside, name) != 0) {
        ok = false;
        error = errno;
    }
    if (ok)
        return true;
    unlink(beside);
    return file_refuse(arena, "write", path, strerror(error), why);
}

/* Where the file's name begins: behind the last slash. */
static uint32_t path_name(Str path)
{
    uint32_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/')
        at--;
    return at;
}

/* Where the ending begins: at the last dot of the name, unless the name starts with it. */
static uint32_t path_dot(Str path)
{
    uint32_t name = path_name(path);
    for (uint32_t at = path.n; at > name + 1; at--)
        if (path.p[at - 1] == '.')
            return at - 1;
    return path.n;
}

Str path_stem(Str path)
{
    uint32_t name = path_name(path);
    return (Str){path.p + name, path_dot(path) - name};
}

Str path_dir(Arena *arena, Str path)
{
    return str_copy(arena, (Str){path.p, path_name(path)});
}

Str path_ending(Str path)
{
    uint32_t dot = path_dot(path);
    return (Str){path.p + dot, path.n - dot};
}

Str path_join(Arena *arena, Str dir, Str path)
{
    if (!dir.n || (path.n && path.p[0] == '/'))
        return str_copy(arena, path);
    const char *slash = dir.p[dir.n - 1] == '/' ? "" : "/";
    return str_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(dir), slash, STR_ARG(path));
}
