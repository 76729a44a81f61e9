/* From a file to a compiled unit: what `compile` and `run` share. */
#ifndef ACT_DRIVER_BUILD_H
#define ACT_DRIVER_BUILD_H

#include "driver/session.h"
#include "llvm/backend.h"

typedef struct Build {
    Session session;
    const Source *source;
    const Ast *file;
    Program *program;
    const Machine *machine;
    Watch **watch; /* by model: what its monitor looks at; NULL: it has none */
    Unit *unit; /* NULL: stopped by --stop-after */
} Build;

/* The one file of the command line, read, checked and reported. EXIT_CLEAN, or the exit code after the messages. */
int build_check(Build *b, Arena *arena, const Options *options);
/* Chooses the machine and looks up the passes named: before any work, as a mistake there is one of the command line. */
int build_prepare(Build *b);
int build_unit(Build *b);
/* The unit of a program without errors for this machine, to look at: --mem-limit is held against it. NULL: there is none. */
Unit *build_to_look_at(Session *s, const Program *program);
/* --time-passes: the line of the code generator, in the form of those of the passes. */
double build_clock(void);
void build_time(const Build *b, double since);
BackendOptions build_backend_options(const Build *b, bool program);

#endif
