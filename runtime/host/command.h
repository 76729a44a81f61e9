/* Command lines to be shown and typed again. */
#ifndef ACT_HOST_COMMAND_H
#define ACT_HOST_COMMAND_H

#include <stddef.h>

/* The word as a shell wants it, in quotes where it has to be; in new memory. */
char *act_command_word(const char *word);
/* The command line that goes on with a training: `typed`, then argv[1..] without what it says of `--resume` and `--weights`, then
 * `--resume`. In new memory; NULL without any. */
char *act_command_resume(int n_typed, const char *const *typed, int argc, char **argv);

#endif
