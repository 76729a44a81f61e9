/* Files for tests: a directory of their own, removed at the end; and asserts on messages. */
#ifndef TEST_RUNTIME_SUPPORT_H
#define TEST_RUNTIME_SUPPORT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../runtime/host/text.h"

#define UNUSED __attribute__((unused))

typedef struct Folder { char path[64]; } Folder;

UNUSED static void folder_open(Folder *folder)
{
    memset(folder, 0, sizeof *folder);
    strcpy(folder->path, "/tmp/act-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

/* folder/name; valid for the next seven calls */
UNUSED static const char *folder_file(Folder *folder, const char *name)
{
    static char joined[8][256];
    static int next;
    char *out = joined[next++ % 8];
    snprintf(out, sizeof joined[0], "%s/%s", folder->path, name);
    return out;
}

UNUSED static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char child[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (unlink(child) != 0) remove_tree(child);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

UNUSED static void folder_close(Folder *folder) { remove_tree(folder->path); }

UNUSED static const char *folder_write(Folder *folder, const char *name, const void *bytes, size_t n)
{
    const char *path = folder_file(folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
    return path;
}

UNUSED static const char *folder_text(Folder *folder, const char *name, const char *text)
{
    return folder_write(folder, name, text, strlen(text));
}

/* The whole file with a zero behind it; the caller frees. */
UNUSED static char *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    size_t n = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    text[n] = 0;
    if (size) *size = n;
    return text;
}

/* A file of the source tree, by its path from the top. */
UNUSED static const char *source_file(const char *path)
{
    static char out[1024];
    const char *here = __FILE__;
    size_t n = strlen(here) - strlen("tests/unit/runtime/support.h");
    snprintf(out, sizeof out, "%.*s%s", (int)n, here, path);
    return out;
}

UNUSED static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("`%s`\n  does not have `%s`", text, part);
}

UNUSED static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("`%s`\n  has `%s`", text, part);
}

UNUSED static void assert_good(ActStatus status, const ActError *error)
{
    if (status != ACT_OK) fail_msg("status %d: %s", status, error->text);
}

#endif
