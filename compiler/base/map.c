#include "base/map.h"

#include <string.h>

/* Slots hold an item's number plus one; 0 is free. Open addressing, at most half full. */
static uint32_t *map_slot(const Map *map, Str key)
{
    uint32_t mask = map->n_slot - 1;
    for (uint32_t i = (uint32_t)str_hash(key) & mask;; i = (i + 1) & mask)
        if (!map->slot[i] || str_eq(map->item[map->slot[i] - 1].key, key))
            return &map->slot[i];
}

static const MapItem *map_find(const Map *map, Str key)
{
    if (!map->n)
        return NULL;
    uint32_t at = *map_slot(map, key);
    return at ? &map->item[at - 1] : NULL;
}

void *map_get(const Map *map, Str key)
{
    const MapItem *item = map_find(map, key);
    return item ? item->value : NULL;
}

bool map_has(const Map *map, Str key)
{
    return map_find(map, key) != NULL;
}

static void map_grow(Map *map)
{
    uint32_t cap = map->cap ? map->cap * 2 : 8;
    MapItem *item = arena_array(map->arena, MapItem, cap);
    if (map->n)
        memcpy(item, map->item, map->n * sizeof *item);
    map->item = item;
    map->cap = cap;
    map->n_slot = cap * 2;
    map->slot = arena_array(map->arena, uint32_t, map->n_slot);
    for (uint32_t i = 0; i < map->n; i++)
        *map_slot(map, map->item[i].key) = i + 1;
}

void map_set(Map *map, Str key, void *value)
{
    if (map->n == map->cap)
        map_grow(map);
    uint32_t *slot = map_slot(map, key);
    if (*slot) {
        map->item[*slot - 1].value = value;
        return;
    }
    map->item[map->n++] = (MapItem){key, value};
    *slot = map->n;
}
