#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

ActStatus act_file_read(const char *path, ActBytes *bytes, ActError *error)
{
    struct stat info;
    bytes->data = NULL;
    bytes->size = 0;
    if (stat(path, &info) != 0) return act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode)) return act_error(error, ACT_E_IO, "`%s` is a directory; a file is wanted", path);
    gzFile file = gzopen(path, "rb");
    if (!file) return act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    gzbuffer(file, 1 << 18);

    /* the memory grows with what is really there, not with what a header claims */
    size_t room = info.st_size > 0 ? (size_t)info.st_size + 64 : 4096;
    unsigned char *data = malloc(room);
    ActStatus status = data ? ACT_OK : act_error_memory(error);
    while (status == ACT_OK) {
        if (bytes->size + 1 >= room) {
            unsigned char *larger = room < SIZE_MAX / 2 ? realloc(data, room * 2) : NULL;
            if (!larger) {
                status = act_error(error, ACT_E_MEMORY, "`%s` is too large for this machine's memory", path);
                break;
            }
            data = larger;
            room *= 2;
        }
        size_t want = room - 1 - bytes->size;
        int got = gzread(file, data + bytes->size, want > (1u << 30) ? 1u << 30 : (unsigned)want);
        if (got > 0) bytes->size += (size_t)got;
        int code = Z_OK;
        const char *why = gzerror(file, &code);
        if (got < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR)
            status = code == Z_ERRNO
                         ? act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno))
                         : act_error(error, ACT_E_FORMAT,
                                     "`%s`: the compressed data is damaged or cut off (%s); fetch the file again", path,
                                     why);
        else if (got == 0) break;
    }
    gzclose(file);
    if (status != ACT_OK) {
        free(data);
        bytes->size = 0;
        return status;
    }
    data[bytes->size] = 0;
    bytes->data = data;
    return ACT_OK;
}

int act_file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISDIR(info.st_mode);
}

int act_file_is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* directory/path + ending, in new memory */
static char *joined(const char *directory, size_t n, const char *path, const char *ending)
{
    size_t length = n + 1 + strlen(path) + strlen(ending) + 1;
    char *out = malloc(length);
    if (out)
        snprintf(out, length, "%.*s%s%s%s", (int)n, directory, n > 0 && directory[n - 1] != '/' ? "/" : "", path,
                 ending);
    return out;
}

static char *try_endings(const char *directory, size_t n, const char *path, int folder)
{
    char *found = joined(directory, n, path, "");
    if (folder && found && act_file_is_directory(found)) return found;
    if (!found || act_file_exists(found)) return found;
    size_t length = strlen(found);
    if (length > 3 && strcmp(found + length - 3, ".gz") == 0) {
        found[length - 3] = 0;
    } else {
        free(found);
        found = joined(directory, n, path, ".gz");
    }
    if (found && act_file_exists(found)) return found;
    free(found);
    return NULL;
}

static char *try_directory(const char *directory, size_t n, const char *path, int by_name, int folder, ActError *error)
{
    char *found = try_endings(directory, n, path, folder);
    const char *name = strrchr(path, '/');
    if (!found && by_name && name) found = try_endings(directory, n, name + 1, folder);
    if (!found)
        act_error_more(error, "%s`%.*s`", error && strstr(error->text, "looked in") ? ", " : "; looked in ", (int)n,
                       directory);
    return found;
}

char *act_file_find(const char *path, const char *base, const char *const *dir, size_t n_dir, int folder, ActError *error)
{
    act_error(error, ACT_E_IO, "`%s` is not found", path);
    char *found = NULL;
    if (path[0] == '/') {
        found = try_endings("", 0, path, folder);
    } else {
        const char *first = base && *base ? base : ".";
        found = try_directory(first, strlen(first), path, 0, folder, error);
        for (size_t i = 0; !found && i < n_dir; i++) found = try_directory(dir[i], strlen(dir[i]), path, 1, folder, error);
        const char *list = getenv("ACT_DATA_PATH");
        while (!found && list && *list) {
            size_t n = strcspn(list, ":");
            if (n > 0) found = try_directory(list, n, path, 1, folder, error);
            list += n + (list[n] == ':');
        }
    }
    const char *below = path[0] == '/' ? "" : base && *base ? base : ".";
    char *here = found ? NULL : joined(below, strlen(below), path, "");
    if (found) act_error_clear(error);
    else if (here && act_file_is_directory(here))
        act_error(error, ACT_E_IO, "`%s` is a directory; a file is wanted", here);
    else act_error_more(error, ". Say where it is with `--data DIR`, or in the environment with ACT_DATA_PATH");
    free(here);
    return found;
}

ActStatus act_file_make_directory(const char *path, ActError *error)
{
    char *copy = act_text_copy(path, SIZE_MAX);
    if (!copy) return act_error_memory(error);
    for (char *at = copy + 1; ; at++) {
        if (*at != '/' && *at != 0) continue;
        char kept = *at;
        *at = 0;
        struct stat info;
        if (mkdir(copy, 0777) != 0 && (errno != EEXIST || stat(copy, &info) != 0 || !S_ISDIR(info.st_mode))) {
            ActStatus status = act_error(error, ACT_E_IO, "the directory `%s` can't be made: %s", copy,
                                         errno == EEXIST ? "a file of that name is in the way" : strerror(errno));
            free(copy);
            return status;
        }
        if (!kept) break;
        *at = kept;
    }
    free(copy);
    return ACT_OK;
}
