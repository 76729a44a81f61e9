/* The rows of options.def as a table. Private to the driver. */
#ifndef ACT_DRIVER_OPTIONS_H
#define ACT_DRIVER_OPTIONS_H

#include "driver/command.h"

typedef enum OptionKind {
    OPTION_GROUP, /* a heading */
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_LIST,
    OPTION_WHOLE,
    OPTION_SIZE,
    OPTION_CHOICE,
    OPTION_RULE,
    OPTION_LEVEL
} OptionKind;

typedef struct OptionRow {
    OptionKind kind;
    size_t field; /* offset in Options; RULE: the level */
    char letter;
    const char *name; /* NULL or "": none */
    const char *help; /* GROUP: the heading */
    const char *value;
    const char *commands;
} OptionRow;

extern const OptionRow option_row[];
extern const unsigned option_count;

bool option_for(const OptionRow *row, const Command *command);

#endif
