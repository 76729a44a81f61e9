/* A map from strings to pointers that remembers the order of insertion: walking it is deterministic. */
#ifndef ACT_BASE_MAP_H
#define ACT_BASE_MAP_H

#include "base/str.h"

typedef struct MapItem {
    Str key;
    void *value;
} MapItem;

/* Zero-initialise apart from `arena`. Items stand in `item[0..n)`, in order of insertion. */
typedef struct Map {
    Arena *arena;
    MapItem *item;
    uint32_t n, cap;
    uint32_t *slot;
    uint32_t n_slot;
} Map;

void *map_get(const Map *map, Str key);            /* NULL when absent */
bool map_has(const Map *map, Str key);
void map_set(Map *map, Str key, void *value);      /* inserts, or replaces the value in place */

#endif
