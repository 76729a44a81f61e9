#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "mapped.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 256 };

/* A handler reads it at any moment: `at` is written last, and cleared first. */
static struct {
    _Atomic(const char *) at;
    uint64_t size;
    const char *path;
    atomic_int taken;
} mapped[MOST];

void act_mapped_add(const void *at, uint64_t size, const char *path)
{
    for (int i = 0; i < MOST; i++) {
        int is_free = 0;
        if (!atomic_compare_exchange_strong(&mapped[i].taken, &is_free, 1)) continue;
        mapped[i].size = size;
        mapped[i].path = path;
        atomic_store(&mapped[i].at, (const char *)at);
        return;
    }
}

void act_mapped_remove(const void *at)
{
    for (int i = 0; i < MOST; i++)
        if (atomic_load(&mapped[i].at) == at) {
            atomic_store(&mapped[i].at, NULL);
            atomic_store(&mapped[i].taken, 0);
            return;
        }
}

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0) _exit(2);
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    const char *place = info->si_addr;
    for (int i = 0; i < MOST; i++) {
        const char *at = atomic_load(&mapped[i].at);
        if (!at || place < at || place >= at + mapped[i].size) continue;
        say("error: `");
        say(mapped[i].path);
        say("` became shorter while it was read; checkpoints are as they were, `--resume` goes on from the newest once the file is whole\n");
        _exit(2);
    }
    signal(number, SIG_DFL); /* somebody else's: it happens again, and ends the program as ever */
}

void act_mapped_guard(struct sigaction *before)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, before);
}

void act_mapped_release(const struct sigaction *before) { sigaction(SIGBUS, before, NULL); }
