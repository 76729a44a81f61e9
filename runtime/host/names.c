#include "names.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *slot_of(const ActNames *names, const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const char *at = name; *at; at++) h = (h ^ (unsigned char)*at) * 0x100000001b3u; /* FNV-1a */
    for (size_t i = (size_t)(h ^ h >> 32);; i++) {
        uint32_t *slot = &names->slot[i & (names->slots - 1)];
        if (!*slot || strcmp(names->name[*slot - 1], name) == 0) return slot;
    }
}

static int place_all(ActNames *names, size_t slots)
{
    uint32_t *slot = calloc(slots, sizeof *slot);
    if (!slot) return 0;
    free(names->slot);
    names->slot = slot;
    names->slots = slots;
    for (size_t i = 0; i < names->n; i++) *slot_of(names, names->name[i]) = (uint32_t)i + 1;
    return 1;
}

size_t act_names_find(const ActNames *names, const char *name)
{
    uint32_t found = names->slots ? *slot_of(names, name) : 0;
    return found ? found - 1 : SIZE_MAX;
}

size_t act_names_add(ActNames *names, const char *name)
{
    size_t found = act_names_find(names, name);
    if (found != SIZE_MAX) return found;
    if (names->n * 2 >= names->slots && !place_all(names, names->slots ? names->slots * 2 : 64)) return SIZE_MAX;
    if (names->n == names->room) {
        char **larger = realloc(names->name, (names->room * 2 + 16) * sizeof *larger);
        if (!larger) return SIZE_MAX;
        names->name = larger;
        names->room = names->room * 2 + 16;
    }
    char *copy = act_text_copy(name, SIZE_MAX);
    if (!copy) return SIZE_MAX;
    names->name[names->n++] = copy;
    *slot_of(names, copy) = (uint32_t)names->n;
    return names->n - 1;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int act_names_sort(ActNames *names)
{
    if (names->n) qsort(names->name, names->n, sizeof *names->name, by_bytes);
    return names->n == 0 || place_all(names, names->slots);
}

void act_names_free(ActNames *names)
{
    for (size_t i = 0; i < names->n; i++) free(names->name[i]);
    free(names->name);
    free(names->slot);
    *names = (ActNames){ 0 };
}
