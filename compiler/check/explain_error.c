/* Hard errors: what the scanner, the parser and sema refuse. */
#include "check/explain.h"

#include "sema/codes.h"

#include <ctype.h>

/* The codes of scanner and parser, which have no table of their own. */
static const SemaCode syntax_codes[] = {
    {"ACT0002", "syntax",
     "The text does not have the form of the language at this place. The message says what would have fitted. "
     "Reading goes on behind the "
     "mistake, at the next statement or definition, so that several mistakes are reported in one run."},
    {"ACT0003", "bad_character",
     "Characters that are no part of the language: a stray sign, a letter from another alphabet in a name, an escape "
     "that means nothing. "
     "`#` begins a comment; strings stand in double quotes."},
    {"ACT0004", "unterminated_string",
     "A string that does not end on its line. Strings stand in double quotes, on one line."},
    {"ACT0005", "too_deep",
     "Brackets or expressions are nested more than 200 levels deep. Name an inner value and use its name."},
    {"ACT0006", "unclosed",
     "A bracket that is never closed, or a closing one that closes nothing. Brackets of a kind must pair up; the "
     "indentation of the lines "
     "around them often shows where one is missing."},
    {"ACT0007", "misplaced",
     "A statement in a place where it means nothing: a `target` in a block, a `part` of data in a model, `state` "
     "outside an optimizer. The "
     "message says where it belongs."},
    {"ACT0008", "malformed_number",
     "Text that begins like a number and goes on like something else, or a number that no double holds. Digits stand "
     "on both sides of a "
     "decimal point (`0.5`, `1.0`), an exponent is whole (`1e-3`)."},
};

static bool same(Str given, const char *name)
{
    Str wanted = str_of(name);
    for (uint32_t i = 0; i < given.n && given.n == wanted.n; i++)
        if (tolower((unsigned char)(given.p[i] == '-' ? '_' : given.p[i])) != tolower((unsigned char)name[i]))
            return false;
    return given.n == wanted.n;
}

static const SemaCode *find(Str name)
{
    for (unsigned i = 0; i < sizeof syntax_codes / sizeof syntax_codes[0]; i++)
        if (same(name, syntax_codes[i].code) || same(name, syntax_codes[i].name))
            return &syntax_codes[i];
    for (unsigned i = 0; i < SEMA_CODE_COUNT; i++)
        if (same(name, sema_code_at(i)->code) || same(name, sema_code_at(i)->name))
            return sema_code_at(i);
    return NULL;
}

bool check_is_hard(Str name) { return find(name) != NULL; }

const char *check_hard_doc(Str name)
{
    const SemaCode *code = find(name);
    return code ? code->doc : NULL;
}

bool explain_error(Str name, Text *out)
{
    const SemaCode *code = find(name);
    if (code == NULL)
        return false;
    text_printf(out, "%s %s (hard error)\n\n", code->code, code->name);
    explain_paragraphs(out, str_of(code->doc), 0);
    text_printf(out, "\nA hard error cannot be allowed: the model is neither checked further nor compiled.\n");
    return true;
}
