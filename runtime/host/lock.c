/* flock is not in POSIX: a lock that ends with its process, however that ends. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever had the lock before may have removed the file between our opening and locking it: then what we hold has no name any more. */
static int has_its_name(int fd, const char *path)
{
    struct stat ours, named;
    return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static ActStatus refuse(int fd, const ActModel *model, const char *directory, ActError *error)
{
    char who[24] = "";
    ssize_t n = pread(fd, who, sizeof who - 1, 0);
    who[n > 0 ? strspn(who, "0123456789") : 0] = 0;
    return act_error(error, ACT_E_IO,
                     "another training of model `%s`%s%s is at work in `%s`; wait for its end, or name another directory with `--out DIR`",
                     model->name, *who ? ", process " : "", who, directory);
}

ActStatus act_lock_take(ActLock *lock, const ActModel *model, const char *directory, ActError *error)
{
    size_t length = strlen(directory) + strlen(model->name) + 8;
    char *path = malloc(length), who[24];
    if (!path) return act_error_memory(error);
    snprintf(path, length, "%s/%s.lock", directory, model->name);
    ActStatus status = ACT_OK;
    int fd = -1;
    for (int taken = 0; !taken && status == ACT_OK;) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd < 0) break;
        int busy = flock(fd, LOCK_EX | LOCK_NB) != 0;
        if (busy && errno == EWOULDBLOCK) status = refuse(fd, model, directory, error);
        taken = !busy && has_its_name(fd, path);
        if (taken) break;
        int without = busy && status == ACT_OK;
        close(fd);
        fd = -1;
        if (without) break;
    }
    if (fd < 0) {
        free(path);
        return status;
    }
    int n = snprintf(who, sizeof who, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, who, (size_t)n, 0) < n) who[0] = 0; /* then the message names no process */
    *lock = (ActLock){ fd, path };
    return ACT_OK;
}

void act_lock_release(ActLock *lock)
{
    if (!lock->path) return;
    unlink(lock->path); /* while it is locked: who waits for the name finds another file */
    close(lock->fd);
    free(lock->path);
    *lock = (ActLock){ 0 };
}
