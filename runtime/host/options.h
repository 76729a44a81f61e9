/* The command line of a training program: which command on which model, with which options. */
#ifndef ACT_HOST_OPTIONS_H
#define ACT_HOST_OPTIONS_H

#include "text.h"

typedef enum ActCommand {
    ACT_TRAIN, ACT_EVAL, ACT_PREDICT, ACT_BENCH,
    ACT_COMMANDS, ACT_HELP = ACT_COMMANDS
} ActCommand;

typedef struct ActOptions {
    ActCommand command;       /* ACT_HELP: print help and end */
    ActCommand help_on;       /* then: a command, or ACT_HELP for the whole program */
    const ActModel *model;
    uint64_t threads;         /* 0: as fits */
    const char *to;           /* predict: a file; NULL: standard output */
    int quiet;
    int monitor;              /* --monitor was given */
    const char **data;        /* owned; run.data points to it */
    const char **logs;        /* likewise */
    ActRun run;
} ActOptions;

/* ACT_E_ARGUMENT and one message with the nearest option, model or command when the line can't be understood. Free with
 * act_options_free in any case. */
ActStatus act_options_parse(ActOptions *options, int argc, char **argv, const ActModel *const *models, size_t n_models,
                            ActError *error);
void act_options_free(ActOptions *options);
/* Help on the program; on one command when `command` is one. */
void act_options_help(FILE *out, const char *program, ActCommand command, const ActModel *const *models,
                      size_t n_models);

#endif
