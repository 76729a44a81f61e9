/* One training of a model in a folder at a time: two would take turns at overwriting each other's checkpoints. */
#ifndef ACT_HOST_LOCK_H
#define ACT_HOST_LOCK_H

#include "text.h"

typedef struct ActLock {
    int fd;      /* 0: none */
    char *path;  /* <directory>/<model>.lock */
} ActLock;

/* Takes the lock, or says who has it. It ends with its process, however that ends: what a killed run left holds nobody up. Where the file
 * system has no locks, or the folder takes no file, there is none, and nothing is said. */
ActStatus act_lock_take(ActLock *lock, const ActModel *model, const char *directory, ActError *error);
/* The file goes with it. Nothing happens without a lock. */
void act_lock_release(ActLock *lock);

#endif
