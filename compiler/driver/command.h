/* Commands and options. A file driver/command_NAME.c defines `ACT_COMMAND(NAME) = { … }`; the build finds it, no list
 * is edited. */
#ifndef ACT_DRIVER_COMMAND_H
#define ACT_DRIVER_COMMAND_H

#include "check/check.h"

#define ACT_COMMAND(NAME) const Command command_##NAME

/* Exit codes. */
enum { EXIT_CLEAN = 0, EXIT_PROBLEMS = 1, EXIT_USAGE = 2 /* or I/O */ };

typedef struct Options Options;

typedef struct Command {
    const char *name;
    const char *usage;    /* behind "actc ": "check [options] FILES…" */
    const char *summary;  /* one line */
    const char *doc;      /* what it does, for --help */
    const char *examples; /* lines for --help */
    int (*run)(Arena *arena, Options *options);
} Command;

typedef enum ErrorFormat { FORMAT_HUMAN, FORMAT_SHORT, FORMAT_JSON, FORMAT_SARIF, FORMAT_GITHUB } ErrorFormat;
typedef enum ColourChoice { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } ColourChoice;
typedef enum TableFormat { TABLE_TEXT, TABLE_JSON } TableFormat;

/* What options.def fills; a field a command does not take keeps its default. */
struct Options {
    const Command *command;
    VEC(Str) files; /* in order; "-" is standard input */
    VEC(Str) rest;  /* behind "--" */
    VEC(Str) typed; /* all before it, the program's name first */
    Str output, emit, target, cpu, dump_after, stop_after;
    VEC(Str) set;
    CheckOptions check;
    uint32_t batch;        /* 0: as written */
    uint32_t jobs;         /* 0: as many as processors */
    uint64_t mem_limit;    /* bytes; 0: none */
    uint32_t max_warnings; /* UINT32_MAX: any number */
    uint32_t error_limit;  /* 0: any number */
    int level, format, error_format, colour;
    bool debug, notes, fix, unsafe_fixes, statistics, check_only, diff, time_passes, mem_report, cost, stdio, resume, help, monitor;
    bool version;
};

const Command *command_find(Str name); /* NULL: none */
unsigned command_count(void);
const Command *command_at(unsigned i); /* sorted by name */

/* Reads argv[1..argc). EXIT_CLEAN, or EXIT_USAGE after one message on standard error. */
int options_parse(Arena *arena, int argc, char **argv, Options *options);
/* The help of a command, or of actc itself (NULL). */
void options_help(const Command *command, Text *out);

/* One message, as every part of actc gives them: "error: …", then "help: …" unless `help` is empty. Returns EXIT_USAGE.
 */
int usage_error(const Options *options, Str message, Str help);
/* Writes to standard output. EXIT_CLEAN, or EXIT_USAGE after a message when it takes no more. */
int print_text(const Options *options, Str text);

#endif
