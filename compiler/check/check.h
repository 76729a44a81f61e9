/* The checker: rules over healthy models, their levels, what they say about themselves.
 *
 * A file check/NAME.c defines one or several `ACT_CHECK(rule_name) = { … }`; the build finds them, no list is edited.
 * A rule looks at one model at a time (check/context.h), reports findings, and says which other rules its finding
 * explains away.
 *
 *     CheckOptions options = {0};
 *     check_set(arena, &options, LEVEL_DENY, STR("ACT2"), &why);        -D ACT2
 *     check_run(program, &options);                                     into program->diags
 *     if (diag_count(program->diags, LEVEL_DENY)) …                     no code is generated
 */
#ifndef ACT_CHECK_CHECK_H
#define ACT_CHECK_CHECK_H

#include "sema/model.h"

#define ACT_CHECK(NAME)   const Rule check_##NAME
#define RULE_MAX_SILENCES 8

typedef struct CheckContext CheckContext;

typedef struct Rule {
    const char *code;    /* "ACT201" */
    const char *name;    /* "double_softmax": the bad thing, as it reads after "allow" */
    const char *group;   /* output, hidden, init, meta: for -W/-A/-D */
    Level level;         /* of an ordinary finding; one finding may be milder (a note) or harder, as the doc says */
    const char *summary; /* one line for `actc list rules` */
    const char *doc;     /* the reasoning, several sentences; blank lines separate paragraphs */
    const char *wrong;   /* a whole .act file that earns exactly this rule */
    const char *right;   /* the same network, right: earns nothing */
    const char *silences[RULE_MAX_SILENCES]; /* codes of rules whose findings at the same place follow from this one */
    void (*run)(CheckContext *cx);           /* over one model; NULL: none, or the checker itself (ACT0001) */
    void (*run_program)(CheckContext *cx);   /* over the whole program, when nothing in it is a hard error; no model */
} Rule;

const Rule *check_find(Str name); /* by code or name, in any case; NULL: none */
unsigned check_count(void);
const Rule *check_at(unsigned i); /* sorted by code */

/* ── levels ── */
typedef struct CheckSetting {
    Level level;
    Str name; /* a code, a name, the beginning of a code ("ACT2"), a group, "all" */
} CheckSetting;
typedef struct CheckOptions {
    VEC(CheckSetting) settings; /* later ones win */
    bool werror;                /* warnings stop code generation */
} CheckOptions;

/* Adds `-W/-A/-D name` (LEVEL_WARN, LEVEL_ALLOW, LEVEL_DENY). False, with a sentence in *why, when nothing is called so
 * or when it is a hard error, which has no level. A code or a name moves every finding of the rule; a prefix or a group
 * leaves notes notes. */
bool check_set(Arena *arena, CheckOptions *options, Level level, Str name, Str *why);
/* The level of a finding that is `level` by default. */
Level check_level(const CheckOptions *options, const Rule *rule, Level level);

/* A hard error (syntax, names, shapes, types) is called so. */
bool check_is_hard(Str name);
/* What `actc explain` says of a hard error, by code or name; NULL: none is called so. */
const char *check_hard_doc(Str name);

/* ── running ── */
/* Runs every rule over every model that is not poisoned, applies levels and @allow, and adds to program->diags. options
 * may be NULL. Marks the allows used; one that silences nothing earns ACT0001. */
void check_run(Program *program, const CheckOptions *options);

/* ── explaining ── */
/* The page of a rule, a hard error, an activation, loss, initializer, layer, optimizer, schedule, metric, block or a
 * topic. `program` gives the definitions (sema_library() when there is no file). False, with a sentence in *why that
 * may suggest a name, when there is none. The text ends in a newline. */
bool check_explain(Program *program, Str name, Text *out, Str *why);
/* `actc list rules`: a table of code, name, level and summary; json: one object a line. */
void check_list(Text *out, bool json);

#endif
