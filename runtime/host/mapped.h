/* Files that are mapped. One that somebody cuts off while it is read would end the program with a bus error; a training program says which
 * file it was instead, and that its checkpoints are there. */
#ifndef ACT_HOST_MAPPED_H
#define ACT_HOST_MAPPED_H

#include <signal.h>
#include <stdint.h>

/* `path` stays where it is until the file is removed. Beyond 256 files the rest is not told by name. */
void act_mapped_add(const void *at, uint64_t size, const char *path);
void act_mapped_remove(const void *at);
/* For programs, not for a library in somebody else's: handles SIGBUS until act_mapped_release. Ends with exit code 2. */
void act_mapped_guard(struct sigaction *before);
void act_mapped_release(const struct sigaction *before);

#endif
