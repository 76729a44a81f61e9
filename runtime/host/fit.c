#include "fit.h"

#include "balance.h"
#include "core/layout.h"
#include "tensor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 12, /* lines of a message; the rest is counted */ NAME = 1024 };

void act_misfit_begin(ActMisfit *misfit, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    misfit->lines = 0;
    act_error(&misfit->list, ACT_E_DATA, "%s", text);
}

void act_misfit_add(ActMisfit *misfit, const char *format, ...)
{
    char text[1024];
    if (misfit->lines++ >= LISTED) return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    act_error_more(&misfit->list, "\n  %s", text);
}

ActStatus act_misfit_end(ActMisfit *misfit, const char *way_out, ActError *error)
{
    if (misfit->lines == 0) return ACT_OK;
    if (misfit->lines > LISTED)
        act_error_more(&misfit->list, "\n  and %llu more", (unsigned long long)(misfit->lines - LISTED));
    if (way_out) act_error_more(&misfit->list, "\n%s", way_out);
    if (error) *error = misfit->list;
    return ACT_E_DATA;
}

static const char *name_of(const ActStoreEntry *want, char room[NAME])
{
    if (!want->prefix) return want->tensor->name;
    snprintf(room, NAME, "%s%s", want->prefix, want->tensor->name);
    return room;
}

const ActStored *act_fit_find(const ActSafetensors *file, const ActStoreEntry *want)
{
    char room[NAME];
    const char *name = name_of(want, room);
    for (size_t i = 0; i < file->n; i++)
        if (strcmp(file->tensor[i].name, name) == 0) return &file->tensor[i];
    return NULL;
}

static ActText stored_shape(const ActStored *t)
{
    char type[16];
    size_t i = 0;
    for (; t->dtype[i] && i + 1 < sizeof type; i++)
        type[i] = t->dtype[i] >= 'A' && t->dtype[i] <= 'Z' ? (char)(t->dtype[i] + 32) : t->dtype[i];
    type[i] = 0;
    return act_text_shape(type, t->dim, t->rank);
}

static int can_become(const ActStored *stored, const ActTensor *tensor, unsigned flags)
{
    static const char *const floats[] = { "F32", "F64", "F16", "BF16" }, *const ints[] = { "I32", "I64" };
    if (flags & ACT_FIT_EXACT) return strcmp(stored->dtype, tensor->type == ACT_I32 ? "I32" : "F32") == 0;
    for (size_t i = 0; tensor->type == ACT_F32 && i < 4; i++) if (strcmp(stored->dtype, floats[i]) == 0) return 1;
    int count = tensor->type == ACT_I32 || (tensor->role == ACT_CONSTANT && tensor->rank == 0); /* as batches seen */
    for (size_t i = 0; count && i < 2; i++) if (strcmp(stored->dtype, ints[i]) == 0) return 1;
    return 0;
}

static void check_wanted(ActMisfit *misfit, const ActStoreEntry *want, const ActSafetensors *file, unsigned flags)
{
    const ActTensor *tensor = want->tensor;
    const ActStored *found = act_fit_find(file, want);
    uint32_t shape[ACT_MAX_RANK];
    char room[NAME];
    act_layout_file_shape(tensor, shape);
    ActText expected = act_text_shape(act_tensor_type(tensor), shape, tensor->rank);
    if (!found && (flags & ACT_FIT_TRAINING) && act_balance_is(tensor)) return;
    if (!found) {
        const char *name = name_of(want, room), *near = NULL;
        if (file->n) near = act_text_nearest(name, &file->tensor[0].name, file->n, sizeof *file->tensor);
        if (near) act_misfit_add(misfit, "missing: `%s`, %s (the file has `%s`)", name, expected.text, near);
        else act_misfit_add(misfit, "missing: `%s`, %s", name, expected.text);
    } else if (found->rank != tensor->rank || memcmp(found->dim, shape, tensor->rank * sizeof *shape) != 0 ||
               !can_become(found, tensor, flags)) {
        act_misfit_add(misfit, "`%s`: the model expects %s, the file has %s", found->name, expected.text,
                       stored_shape(found).text);
    }
}

/* Does a training keep this beside the tensor: `linear1.weight.velocity`? */
static int stands_below(const char *name, const ActStoreEntry *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(want[i].tensor->name);
        if (strncmp(name, want[i].tensor->name, length) == 0 && name[length] == '.' && !strchr(name + length + 1,
                '.')) return 1;
    }
    return 0;
}

static int is_wanted(const char *name, const ActStoreEntry *want, size_t n)
{
    char room[NAME];
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, name_of(&want[i], room)) == 0) return 1;
    return 0;
}

void act_fit_tensors(ActMisfit *misfit, const ActStoreEntry *want, size_t n, const ActSafetensors *file, unsigned flags)
{
    for (size_t i = 0; i < n; i++) check_wanted(misfit, &want[i], file, flags);
    for (size_t i = 0; i < file->n; i++) {
        const char *name = file->tensor[i].name, *near = NULL;
        if (is_wanted(name, want, n)) continue;
        if ((flags & ACT_FIT_TRAINING) && (strchr(name, ':') || stands_below(name, want, n))) continue;
        size_t plain = 0;
        while (plain < n && !want[plain].prefix) plain++;
        const char **names = malloc((plain + 1) * sizeof *names);
        for (size_t k = 0; names && k < plain; k++) names[k] = want[k].tensor->name;
        if (names && plain) near = act_text_nearest(name, names, plain, sizeof *names);
        ActText shape = stored_shape(&file->tensor[i]);
        if (near) act_misfit_add(misfit, "unknown: `%s`, %s (the model has `%s`)", name, shape.text, near);
        else act_misfit_add(misfit, "unknown: `%s`, %s", name, shape.text);
        free(names);
    }
}
