/* Large blocks ask for large pages: madvise and anonymous memory are not in POSIX. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "act/act.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

/* Blocks from one large page on begin at one: measured to save a network of 2.7 MB of weights a hundredth of its step, and one of
 * 100 MB as much. */
enum { HUGE_PAGE = 2 << 20, LARGE = HUGE_PAGE };

typedef struct Block {
    void *at;
    uint64_t bytes;
    int mapped; /* else from the heap */
} Block;

/* The instance stands first, so that a pointer to it is a pointer to all. */
typedef struct Owned {
    ActInstance instance;
    Block block[3];
} Owned;

#if defined(__linux__) && defined(MAP_ANONYMOUS)
/* Fresh pages at a multiple of a large one. Nobody has touched them: they are zero, and what a program never uses, such as the
 * optimizer's state in a prediction, takes no memory. Whole large pages only, so that the end of a block takes no more than it is. */
static void *map_pages(uint64_t bytes)
{
    char *all = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return NULL;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), size = (bytes + page - 1) / page * page;
    uint64_t before = (HUGE_PAGE - (uintptr_t)all % HUGE_PAGE) % HUGE_PAGE;
    uint64_t mapped = (bytes + HUGE_PAGE + page - 1) / page * page;
    if (before) munmap(all, before);
    if (mapped > before + size) munmap(all + before + size, mapped - before - size);
#ifdef MADV_HUGEPAGE
    madvise(all + before, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish; nothing is lost when it is not granted */
#endif
    return all + before;
}

static void unmap_pages(void *at, uint64_t bytes)
{
    munmap(at, bytes); /* up to the end of the last page */
}
#else
static void *map_pages(uint64_t bytes)
{
    (void)bytes;
    return NULL;
}

static void unmap_pages(void *at, uint64_t bytes)
{
    (void)at;
    (void)bytes;
}
#endif

static int allocate(Block *block, uint64_t bytes)
{
    if (bytes > SIZE_MAX / 2) return 0;
    block->bytes = bytes;
    block->at = bytes >= LARGE ? map_pages(bytes) : NULL;
    block->mapped = block->at != NULL;
    if (block->mapped) return 1;
    uint64_t size = (bytes + ACT_ALIGN - 1) / ACT_ALIGN * ACT_ALIGN;
    block->at = aligned_alloc(ACT_ALIGN, size ? size : ACT_ALIGN);
    if (block->at) memset(block->at, 0, size ? size : ACT_ALIGN);
    return block->at != NULL;
}

static void release(const Block *block)
{
    if (block->mapped) unmap_pages(block->at, block->bytes);
    else free(block->at);
}

/* What pays on a machine that is busy, too. A step of 260 µs on one thread takes two threads 132; beside a program that wants one of the two
 * processors for itself 284 instead of 268, where the step waits for the thread that was put aside, and beside two such programs 389 instead of
 * 532. One of 65 µs gains a quarter of a training's time. Smaller ones gain little, and a thread that spins costs power. */
static uint32_t fitting_threads(const ActModel *model)
{
    static const double worth_it = 5e6; /* floating-point operations of a step */
    return (double)model->flops_step * model->batch < worth_it ? 1 : act_pool_machine_threads();
}

static ActStatus check_model(const ActModel *model, ActError *error)
{
    if (!model || !model->entry.bind)
        return act_error(error, ACT_E_ARGUMENT, "there is no model to make an instance of");
    if (model->abi != ACT_ABI_VERSION)
        return act_error(
            error, ACT_E_VERSION,
            "model `%s` was compiled for version %u of the runtime's interface, this is version %d; compile it again",
            model->name, model->abi, ACT_ABI_VERSION);
    if (!act_cpu_has(model->features))
        return act_error(
            error, ACT_E_CPU,
            "model `%s` was compiled for %s with %s, which this processor does not have; compile it with "
                         "`--cpu native` here, "
            "or with the name of a lesser processor",
            model->name, model->target, model->features);
    return ACT_OK;
}

ActInstance *act_instance_new(const ActModel *model, uint32_t threads, ActError *error)
{
    act_error_clear(error);
    if (check_model(model, error) != ACT_OK) return NULL;
    Owned *owned = calloc(1, sizeof *owned);
    ActInstance *m = owned ? &owned->instance : NULL;
    const uint64_t bytes[3] = { model->param_bytes, model->state_bytes, model->work_bytes };
    for (int i = 0; m && i < 3; i++) {
        if (allocate(&owned->block[i], bytes[i])) continue;
        act_error(error, ACT_E_MEMORY, "out of memory: model `%s` needs %s bytes", model->name,
                  act_text_count(bytes[0] + bytes[1] + bytes[2]).text);
        act_instance_free(m);
        return NULL;
    }
    if (threads == 0) threads = fitting_threads(model);
    ActPool *pool = m && threads > 1 ? act_pool_new(threads) : NULL;
    if (!m || (threads > 1 && !pool)) {
        act_error_memory(error);
        act_instance_free(m);
        return NULL;
    }
    const ActMemory memory = { owned->block[0].at, bytes[0], owned->block[1].at, bytes[1],
                               owned->block[2].at, bytes[2] };
    ActStatus status = model->entry.bind(m, &memory);
    m->model = model;
    m->pool = pool;
    if (status != ACT_OK) {
        act_error(error, status, "model `%s` can't be bound: %s", model->name, act_status_text(status));
        act_instance_free(m);
        return NULL;
    }
    return m;
}

void act_instance_free(ActInstance *instance)
{
    if (!instance) return;
    Owned *owned = (Owned *)(void *)instance;
    act_pool_free(instance->pool);
    for (int i = 0; i < 3; i++) release(&owned->block[i]);
    free(owned);
}
