#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "source.h"

#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0: nothing is said there */
static uint64_t number_in(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (!fgets(text, sizeof text, file)) text[0] = 0;
    fclose(file);
    return strtoull(text, NULL, 10);
}

static uint64_t allowed(void)
{
    uint64_t least = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), group = number_in("/sys/fs/cgroup/memory.max");
    static const int limits[] = { RLIMIT_AS, RLIMIT_DATA };
    if (group && group < least) least = group;
    for (size_t i = 0; i < 2; i++) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)limits[i], &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < least)
            least = limit.rlim_cur;
    }
    return least;
}

/* What ACT_DATA_MEMORY says; UINT64_MAX: nothing. */
static uint64_t given(void)
{
    const char *text = getenv("ACT_DATA_MEMORY");
    char *end;
    unsigned long mebibytes = text ? strtoul(text, &end, 10) : 0;
    return text && *text && !*end && mebibytes < 1ul << 40 ? (uint64_t)mebibytes << 20 : UINT64_MAX;
}

uint64_t act_source_share(void)
{
    uint64_t said = given();
    return said != UINT64_MAX ? said : allowed() / 16;
}

uint64_t act_source_limit(void)
{
    const uint64_t most = 64 << 20;
    uint64_t share = act_source_share();
    return given() != UINT64_MAX || share < most ? share : most;
}

static ActStatus refuse(ActSource *source, const char *path, ActError *error)
{
    ActStatus status = act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    act_source_close(source);
    return status;
}

static int read_at(int fd, unsigned char *to, uint64_t offset, size_t n)
{
    while (n > 0) {
        ssize_t got = pread(fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            if (got == 0) errno = 0;
            return 0;
        }
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return 1;
}

static ActStatus cut_off(const ActSource *source, ActError *error)
{
    if (errno) return act_error(error, ACT_E_IO, "`%s` can't be read: %s", source->path, strerror(errno));
    return act_error(error, ACT_E_IO, "`%s` became shorter while it was read", source->path);
}

ActStatus act_source_open(ActSource *source, const char *path, ActError *error)
{
    struct stat info;
    *source = (ActSource){ .path = act_text_copy(path, SIZE_MAX) };
    if (!source->path) return act_error_memory(error);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    source->fd = fd > 0 ? fd : 0;
    if (fd < 0 || fstat(fd, &info) != 0) return refuse(source, path, error);
    if (S_ISDIR(info.st_mode)) {
        act_source_close(source);
        return act_error(error, ACT_E_IO, "`%s` is a directory; a file is wanted", path);
    }
    source->size = (uint64_t)info.st_size;
    if (source->size <= act_source_limit()) {
        source->memory = malloc(source->size + 1);
        if (source->memory && read_at(fd, source->memory, 0, source->size)) {
            source->at = source->memory;
        } else {
            ActStatus status = source->memory ? cut_off(source, error) : act_error_memory(error);
            act_source_close(source);
            return status;
        }
    } else {
        void *map = mmap(NULL, source->size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) return ACT_OK; /* more than may be mapped */
        source->at = map;
        source->mapped = 1;
        act_mapped_add(map, source->size, source->path);
    }
    close(fd);
    source->fd = 0;
    return ACT_OK;
}

void act_source_take(ActSource *source, void *memory, uint64_t size)
{
    *source = (ActSource){ .at = memory, .size = size, .memory = memory };
}

const unsigned char *act_source_bytes(const ActSource *source, uint64_t offset, size_t n, void *room, ActError *error)
{
    if (source->at) return source->at + offset;
    if (read_at(source->fd, room, offset, n)) return room;
    cut_off(source, error);
    return NULL;
}

void act_source_close(ActSource *source)
{
    if (source->mapped) {
        act_mapped_remove(source->at);
        munmap((void *)(uintptr_t)source->at, source->size);
    }
    if (source->fd) close(source->fd);
    free(source->memory);
    free(source->path);
    *source = (ActSource){ 0 };
}
