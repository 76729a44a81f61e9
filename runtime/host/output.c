/* flock is not in POSIX: a lock that ends with its process, however that ends. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 18 };

static const char part[] = ".part";

static void release(ActFileOut *out)
{
    free(out->path);
    free(out->temporary);
    free(out->buffer);
    *out = (ActFileOut){ .fd = -1 };
}

ActStatus act_file_replaceable(const char *path, ActError *error)
{
    struct stat info;
    if (stat(path, &info) != 0) return ACT_OK;
    if (S_ISDIR(info.st_mode)) return act_error(error, ACT_E_IO, "`%s` can't be written: it is a directory", path);
    if (info.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH)) return ACT_OK;
    return act_error(error, ACT_E_IO, "`%s` can't be written: the file is read-only", path);
}

ActStatus act_file_begin(ActFileOut *out, const char *path, ActError *error)
{
    size_t length = strlen(path) + 32;
    *out = (ActFileOut){ .fd = -1 };
    ActStatus status = act_file_replaceable(path, error);
    if (status != ACT_OK) return status;
    out->path = act_text_copy(path, SIZE_MAX);
    out->temporary = malloc(length);
    out->buffer = malloc(BUFFER);
    if (!out->path || !out->temporary || !out->buffer) {
        release(out);
        return act_error_memory(error);
    }
    snprintf(out->temporary, length, "%s.%ld%s", path, (long)getpid(), part);
    out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out->fd < 0) {
        status = act_error(error, ACT_E_IO, "`%s` can't be written: %s", path, strerror(errno));
        release(out);
        return status;
    }
    flock(out->fd, LOCK_EX | LOCK_NB); /* for act_file_tidy; where there are no locks, nothing is lost */
    return ACT_OK;
}

/* All of it: a write may take less than it is given, and a signal may come between. at < 0: behind what is there. */
static void write_all(ActFileOut *out, const unsigned char *data, size_t n, int64_t at)
{
    while (n > 0 && !out->why) {
        ssize_t done = at < 0 ? write(out->fd, data, n) : pwrite(out->fd, data, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            out->why = done < 0 && errno ? errno : ENOSPC;
            return;
        }
        data += done;
        n -= (size_t)done;
        if (at >= 0) at += done;
    }
}

static void flush(ActFileOut *out)
{
    write_all(out, out->buffer, out->used, -1);
    out->used = 0;
}

void act_file_put(ActFileOut *out, const void *data, size_t n)
{
    const unsigned char *from = data;
    while (n > 0) {
        size_t some = BUFFER - out->used < n ? BUFFER - out->used : n;
        memcpy(out->buffer + out->used, from, some);
        out->used += some;
        from += some;
        n -= some;
        if (out->used == BUFFER) flush(out);
    }
}

void act_file_patch(ActFileOut *out, uint64_t at, const void *data, size_t n)
{
    flush(out);
    write_all(out, data, n, (int64_t)at);
}

/* A name that was changed survives a power failure only once its folder is on the disk. Some file systems can't sync folders: they say
 * so, and it is not the user's concern. */
static int sync_folder(const char *path)
{
    char *folder = act_text_copy(path, SIZE_MAX), *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder) return ENOMEM;
    if (slash) slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), why = 0;
    free(folder);
    if (fd < 0) return errno == EACCES ? 0 : errno; /* a folder to write into but not to read */
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF) why = errno;
    close(fd);
    return why;
}

ActStatus act_file_finish(ActFileOut *out, ActError *error)
{
    flush(out);
    if (!out->why && fsync(out->fd) != 0) out->why = errno;
    if (close(out->fd) != 0 && !out->why) out->why = errno;
    if (!out->why && rename(out->temporary, out->path) != 0) out->why = errno;
    ActStatus status = ACT_OK;
    if (out->why) {
        unlink(out->temporary);
        status = act_error(error, ACT_E_IO, "`%s` can't be written: %s", out->path, strerror(out->why));
    } else if ((out->why = sync_folder(out->path)) != 0) {
        status = act_error(error, ACT_E_IO, "`%s` is written, but its folder can't be synced to the disk: %s", out->path,
                           strerror(out->why));
    }
    release(out);
    return status;
}

static int left_over(const char *name, const char *prefix)
{
    size_t n = strlen(name), end = sizeof part - 1;
    return strncmp(name, prefix, strlen(prefix)) == 0 && n > end && strcmp(name + n - end, part) == 0;
}

void act_file_tidy(const char *directory, const char *prefix)
{
    DIR *folder = opendir(directory);
    const struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        if (!left_over(entry->d_name, prefix)) continue;
        int fd = openat(dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) unlinkat(dirfd(folder), entry->d_name, 0);
        close(fd);
    }
    if (folder) closedir(folder);
}
