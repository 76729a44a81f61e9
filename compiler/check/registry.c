/* All rules, found by the build, and what their names and levels mean on the command line. */
#include "check/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(name) extern const Rule check_##name;
#include "check/check_list.inc"
#undef CHECK

enum {
#define CHECK(name) INDEX_##name,
#include "check/check_list.inc"
#undef CHECK
    RULE_COUNT
};

static const Rule *const unsorted[] = {
#define CHECK(name) &check_##name,
#include "check/check_list.inc"
#undef CHECK
    NULL};

unsigned check_count(void) { return RULE_COUNT; }

/* Letters, then numbers: ACT107, ACT201, ACT1001, STY03. */
static int by_code(const char *a, const char *b)
{
    int letters = strncmp(a, b, 3);
    return letters ? letters : atoi(a + 3) - atoi(b + 3);
}

/* By code: the number of rules whose code is smaller is the place of a rule. Found once, always the same. */
const Rule *check_at(unsigned i)
{
    static const Rule *sorted[RULE_COUNT];
    static bool ready;
    for (unsigned k = 0; !ready && k < RULE_COUNT; k++) {
        unsigned before = 0;
        for (unsigned m = 0; m < RULE_COUNT; m++)
            before += by_code(unsorted[m]->code, unsorted[k]->code) < 0;
        sorted[before] = unsorted[k];
    }
    ready = true;
    return i < RULE_COUNT ? sorted[i] : NULL;
}

/* Letters in any case; a dash is an underscore. */
static bool same(Str given, const char *name, bool prefix)
{
    size_t n = strlen(name);
    if (given.n > n || (!prefix && given.n != n) || given.n == 0)
        return false;
    for (uint32_t i = 0; i < given.n; i++) {
        char a = given.p[i] == '-' ? '_' : given.p[i];
        if (tolower((unsigned char)a) != tolower((unsigned char)name[i]))
            return false;
    }
    return true;
}

const Rule *check_find(Str name)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (same(name, unsorted[i]->code, false) || same(name, unsorted[i]->name, false))
            return unsorted[i];
    return NULL;
}

typedef enum Match { MATCH_NONE, MATCH_MANY, MATCH_ONE } Match;

static Match match(Str given, const Rule *rule)
{
    if (same(given, rule->code, false) || same(given, rule->name, false))
        return MATCH_ONE;
    bool prefix = given.n >= 3 && same(given, rule->code, true);
    return prefix || same(given, rule->group, false) || same(given, "all", false) ? MATCH_MANY : MATCH_NONE;
}

bool check_set(Arena *arena, CheckOptions *options, Level level, Str name, Str *why)
{
    bool found = false;
    for (unsigned i = 0; i < RULE_COUNT; i++)
        found |= match(name, unsorted[i]) != MATCH_NONE;
    if (!found) {
        Str names[2 * RULE_COUNT + 1];
        for (unsigned i = 0; i < RULE_COUNT; i++) {
            names[2 * i] = str_of(unsorted[i]->name);
            names[2 * i + 1] = str_of(unsorted[i]->group);
        }
        int nearest = str_nearest(name, names, 2 * RULE_COUNT);
        *why = check_is_hard(name) ? str_printf(arena, "`" STR_FMT "` is a hard error: it has no level", STR_ARG(name))
               : nearest >= 0 ? str_printf(arena, "no rule or group is called `" STR_FMT "`; there is `" STR_FMT "`",
                                           STR_ARG(name), STR_ARG(names[nearest]))
                              : str_printf(arena, "no rule or group is called `" STR_FMT "`; see `actc list rules`",
                                           STR_ARG(name));
        return false;
    }
    *vec_push(arena, &options->settings) = (CheckSetting){level, name};
    return true;
}

Level check_level(const CheckOptions *options, const Rule *rule, Level level)
{
    Level result = level;
    for (uint32_t i = 0; options && i < options->settings.n; i++) {
        Match how = match(options->settings.at[i].name, rule);
        if (how == MATCH_ONE || (how == MATCH_MANY && level != LEVEL_NOTE))
            result = options->settings.at[i].level;
    }
    return options && options->werror && result == LEVEL_WARN ? LEVEL_DENY : result;
}
