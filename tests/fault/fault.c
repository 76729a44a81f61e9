/* Stands between a program and the system (LD_PRELOAD) and spoils one of the calls that write a file safely:
 *     ACT_FAULT=N:HOW     the N-th of them, from 1
 *         kill   the process ends before it        after  the process ends behind it
 *         half   half of a write happens, then the process ends
 *         short  a write takes half of what it is given: no fault at all
 *         EIO, ENOSPC, EACCES   it fails so        ENOSPC+  it and all behind it that take room on the disk
 *         intr   a signal came before it did anything
 *     ACT_FAULT_LOG=FILE  gets a line for each of them, in order
 * Calls on `*.part` files, on `*.safetensors` and on folders count; all others pass. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 1024 };

static char watched[FILES]; /* 1 a file that is written, 2 a folder */
static const char *const kind[] = { "", "file", "folder" };
static long calls;

static long target(const char **how)
{
    const char *text = getenv("ACT_FAULT"), *colon = text ? strchr(text, ':') : NULL;
    *how = colon ? colon + 1 : "";
    return colon ? atol(text) : 0;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static void note(const char *call, const char *what)
{
    const char *path = getenv("ACT_FAULT_LOG");
    int (*open_)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open");
    ssize_t (*write_)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))next("write");
    char line[600];
    int fd = path ? open_(path, O_WRONLY | O_CREAT | O_APPEND, 0666) : -1;
    if (fd < 0) return;
    int n = snprintf(line, sizeof line, "%ld %s %.500s\n", calls, call, what);
    if (write_(fd, line, (size_t)n) != n) calls = -1;
    close(fd);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* What is to happen to this call: NULL: nothing. It may not come back. */
static const char *verdict(const char *call, const char *what, int takes_room)
{
    const char *how;
    long at = target(&how);
    calls++;
    note(call, what);
    if (strcmp(how, "ENOSPC+") == 0) return at && calls >= at && takes_room ? "ENOSPC" : NULL;
    if (calls != at) return NULL;
    if (strcmp(how, "kill") == 0) die();
    return how;
}

/* 1: the call fails with errno set. */
static int fails(const char *how)
{
    static const struct { const char *name; int number; } errors[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EACCES", EACCES } };
    for (size_t i = 0; how && i < sizeof errors / sizeof *errors; i++)
        if (strcmp(how, errors[i].name) == 0) {
            errno = errors[i].number;
            return 1;
        }
    return 0;
}

static void afterwards(const char *how)
{
    if (how && (strcmp(how, "after") == 0 || strcmp(how, "half") == 0)) die();
}

static int counts(const char *path)
{
    return strstr(path, ".part") || strstr(path, ".safetensors");
}

int open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open");
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    int writes = (flags & O_ACCMODE) != O_RDONLY && counts(path), folder = (flags & O_DIRECTORY) != 0;
    const char *how = writes || folder ? verdict("open", path, writes) : NULL;
    if (fails(how)) return -1;
    int fd = real(path, flags, mode);
    if (fd >= 0 && fd < FILES) watched[fd] = (char)(folder ? 2 : writes);
    afterwards(how);
    return fd;
}

ssize_t write(int fd, const void *data, size_t n)
{
    ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))next("write");
    if (fd < 0 || fd >= FILES || !watched[fd]) return real(fd, data, n);
    const char *how = verdict("write", "", 1);
    if (fails(how)) return -1;
    if (how && strcmp(how, "intr") == 0) return errno = EINTR, -1;
    int part = how && (strcmp(how, "half") == 0 || strcmp(how, "short") == 0);
    ssize_t done = real(fd, data, part && n > 1 ? n / 2 : n);
    afterwards(how);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t) = (ssize_t (*)(int, const void *, size_t, off_t))next("pwrite");
    if (fd < 0 || fd >= FILES || !watched[fd]) return real(fd, data, n, at);
    const char *how = verdict("pwrite", "", 1);
    if (fails(how)) return -1;
    if (how && strcmp(how, "intr") == 0) return errno = EINTR, -1;
    int part = how && (strcmp(how, "half") == 0 || strcmp(how, "short") == 0);
    ssize_t done = real(fd, data, part && n > 1 ? n / 2 : n, at);
    afterwards(how);
    return done;
}

int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))next("fsync");
    const char *how = fd >= 0 && fd < FILES && watched[fd] ? verdict("fsync", kind[(int)watched[fd]], 0) : NULL;
    if (fails(how)) return -1;
    int done = real(fd);
    afterwards(how);
    return done;
}

int close(int fd)
{
    int (*real)(int) = (int (*)(int))next("close");
    const char *how = fd >= 0 && fd < FILES && watched[fd] ? verdict("close", kind[(int)watched[fd]], 0) : NULL;
    if (fd >= 0 && fd < FILES) watched[fd] = 0;
    int done = real(fd);
    if (fails(how)) return -1;
    afterwards(how);
    return done;
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = (int (*)(const char *, const char *))next("rename");
    const char *how = counts(to) ? verdict("rename", to, 0) : NULL;
    if (fails(how)) return -1;
    int done = real(from, to);
    afterwards(how);
    return done;
}

int unlink(const char *path)
{
    int (*real)(const char *) = (int (*)(const char *))next("unlink");
    const char *how = counts(path) ? verdict("unlink", path, 0) : NULL;
    if (fails(how)) return -1;
    int done = real(path);
    afterwards(how);
    return done;
}
