/* Distinct names, and which is which: those of classes. */
#ifndef ACT_HOST_NAMES_H
#define ACT_HOST_NAMES_H

#include <stddef.h>
#include <stdint.h>

typedef struct ActNames {
    char **name; size_t n, room;
    uint32_t *slot; size_t slots; /* a table of indices from 1, by hash */
} ActNames;

/* Its index, added when it is new. SIZE_MAX: no memory. */
size_t act_names_add(ActNames *names, const char *name);
/* SIZE_MAX: it is not there. */
size_t act_names_find(const ActNames *names, const char *name);
/* By their bytes. */
int act_names_sort(ActNames *names); /* 0: no memory */
void act_names_free(ActNames *names);

#endif
