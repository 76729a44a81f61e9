/* Large blocks ask for large pages: madvise is not in POSIX. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "act/act.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum { HUGE_PAGE = 2 << 20 };

/* The instance stands first, so that a pointer to it is a pointer to all. */
typedef struct Owned {
    ActInstance instance;
    void *block[3];
} Owned;

static void *allocate(uint64_t bytes)
{
    uint64_t align = bytes >= 2 * (uint64_t)HUGE_PAGE ? HUGE_PAGE : ACT_ALIGN;
    if (bytes > SIZE_MAX / 2) return NULL;
    uint64_t size = (bytes + align - 1) / align * align;
    void *block = aligned_alloc(align, size ? size : align);
    if (!block) return NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (align == HUGE_PAGE) madvise(block, size, MADV_HUGEPAGE); /* a wish; nothing is lost when it is not granted */
#endif
    memset(block, 0, size ? size : align);
    return block;
}

/* Below some two milliseconds a step, a second thread was measured to gain nothing, and on a busy machine it loses:
 * the step then waits for whichever thread was put aside. `--threads` decides otherwise. */
static uint32_t fitting_threads(const ActModel *model)
{
    static const double worth_it = 3e8; /* floating-point operations of a step */
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
        owned->block[i] = allocate(bytes[i]);
        if (owned->block[i]) continue;
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
    const ActMemory memory = { owned->block[0], bytes[0], owned->block[1], bytes[1], owned->block[2], bytes[2] };
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
    for (int i = 0; i < 3; i++) free(owned->block[i]);
    free(owned);
}
