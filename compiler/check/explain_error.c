/* Hard errors: what the scanner, the parser and sema refuse. */
#include "check/explain.h"

#include "sema/codes.h"
#include "syntax/parse.h"

#include <ctype.h>

/* The codes of scanner, parser and the command line, which have no table of their own. */
static const SemaCode other_codes[] = {
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
    {"ACT1302", "memory_limit",
     "Training takes more memory than `--mem-limit` allows. The compiler knows beforehand: a program allocates the "
     "parameters, the optimizer's state and one work block for activations and gradients, and nothing in a step. Only "
     "the work block grows with the batch. The message names the layers that take most and the greatest batch that "
     "fits; `--mem-report` shows every layer. The data comes on top."},
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
    for (unsigned i = 0; i < sizeof other_codes / sizeof other_codes[0]; i++)
        if (same(name, other_codes[i].code) || same(name, other_codes[i].name))
            return &other_codes[i];
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

/* ── examples ── */
#define MODEL(body) "model m {\n    input  x : f32[8]\n    target y : f32[2]\n" body "}\n"
#define LINES(body) MODEL("    " body "\n    loss mse(z, y)\n")

static const ErrorExample examples[] = {
    {"ACT0002", LINES("z = x |> linear(2) |>"), LINES("z = x |> linear(2)")},
    {"ACT0003", LINES("z = x |> linear(2) $ 1"), LINES("z = x |> linear(2)")},
    {"ACT0004", "import \"blocks.act\n", NULL},
    {"ACT0006", LINES("z = x |> linear(2"), LINES("z = x |> linear(2)")},
    {"ACT0007", "z = 3\n", "param z = 3\n"},
    {"ACT0008", LINES("z = .5 * x |> linear(2)"), LINES("z = 0.5 * x |> linear(2)")},
    {"ACT101", LINES("z = (x |> linear(4)) + (x |> linear(2))"), LINES("z = (x |> linear(2)) + (x |> linear(2))")},
    {"ACT102",
     "model m {\n    input  image : f32[8, 8, 1]\n    target digit : class(10)\n"
     "    z = image |> linear(10)\n    loss cross_entropy(z, digit)\n}\n",
     "model m {\n    input  image : f32[8, 8, 1]\n    target digit : class(10)\n"
     "    z = image |> flatten |> linear(10)\n    loss cross_entropy(z, digit)\n}\n"},
    {"ACT103", LINES("z = x |> reshape(3, 3) |> flatten |> linear(2)"),
     LINES("z = x |> reshape(2, 4) |> flatten |> linear(2)")},
    {"ACT104", LINES("z = x + (x |> linear(16) |> relu) |> linear(2)"),
     LINES("z = x + (x |> linear(16) |> relu |> linear(8)) |> linear(2)")},
    {"ACT105", LINES("z = concat(x |> reshape(2, 4), x |> reshape(4, 2)) |> flatten |> linear(2)"),
     LINES("z = concat(x |> reshape(4, 2), x |> reshape(4, 2)) |> flatten |> linear(2)")},
    {"ACT106", LINES("z = x |> linear(1)"), LINES("z = x |> linear(2)")},
    {"ACT505", LINES("z = x |> linear(12) |> group_norm(8) |> linear(2)"), LINES("z = x |> linear(12) |> group_norm(4) |> linear(2)")},
    {"ACT701", LINES("z = x |> reshape(8, 1) |> conv1d(4, 9) |> flatten |> linear(2)"),
     LINES("z = x |> reshape(8, 1) |> conv1d(4, 9, padding = same) |> flatten |> linear(2)")},
    {"ACT803", LINES("z = x |> reshape(2, 4) |> attention(3, position = rotary) |> flatten |> linear(2)"),
     LINES("z = x |> reshape(2, 4) |> attention(2, position = rotary) |> flatten |> linear(2)")},
    {"ACT808",
     "model m {\n    input  word : token(40)[8]\n    target y : f32[4]\n"
     "    z = word |> embedding(4, classes = 30) |> mean(axis = 0)\n    loss mse(z, y)\n}\n",
     "model m {\n    input  word : token(40)[8]\n    target y : f32[4]\n"
     "    z = word |> embedding(4) |> mean(axis = 0)\n    loss mse(z, y)\n}\n"},
    {"ACT1204", LINES("h = z |> linear(8) |> relu\n    z = h |> linear(2)"),
     LINES("h = x |> linear(8) |> relu\n    z = h |> linear(2)")},
    {"ACT1205", LINES("h = x |> linear(8)\n    h = h |> relu\n    z = h |> linear(2)"),
     LINES("z = x |> linear(8) |> relu |> linear(2)")},
    {"ACT1206", LINES("z = x |> liner(2)"), LINES("z = x |> linear(2)")},
    {"ACT1209", LINES("z = x |> dropout(2) |> linear(2)"), LINES("z = x |> dropout(0.2) |> linear(2)")},
    {"ACT1210", LINES("z = x |> linear"), LINES("z = x |> linear(2)")},
    {"ACT1211", MODEL("    z = x |> linear(2)\n    loss mse(relu, y)\n"), LINES("z = x |> linear(2)")},
    {"ACT1213", LINES("z, w = x |> split(4)"), LINES("z, w, u, v = x |> linear(8) |> split(4)")},
    {"ACT1214", "import \"nowhere.act\"\n", NULL},
    {"ACT1215", LINES("z = x |> linear(x.features / 3) |> linear(2)"), LINES("z = x |> linear(x.features / 4)")},
    {"ACT1216", LINES("z = x |> repeat(1000000, linear(8)) |> linear(2)"), LINES("z = x |> linear(2)")},
    {"ACT1217", "model m {\n    input x : f32[8]\n}\n",
     "model m {\n    input x : f32[8]\n    output x |> linear(2)\n}\n"},
    {"ACT1219", MODEL("    input  n : f32[8] in [-1, 1] = normal(0, 1)\n    z = concat(x, n) |> linear(2)\n    loss mse(z, y)\n"),
     MODEL("    input  n : f32[8] in [-1, 1] = uniform(-1, 1)\n    z = concat(x, n) |> linear(2)\n    loss mse(z, y)\n")},
    {"ACT1220", MODEL("    z = x |> linear(2)\n    loss (z - y)^2\n"),
     MODEL("    z = x |> linear(2)\n    loss mean((z - y)^2)\n")},
};

const ErrorExample *explain_error_example(Str code)
{
    for (unsigned i = 0; i < sizeof examples / sizeof examples[0]; i++)
        if (str_is(code, examples[i].code))
            return &examples[i];
    return NULL;
}

/* What is said about it, here and now. */
static void said(Page *page, const ErrorExample *example)
{
    Arena *arena = page->out->arena;
    Sources *sources = arena_new_of(arena, Sources);
    sources->arena = arena;
    Diags *diags = arena_new_of(arena, Diags);
    *diags = (Diags){.arena = arena, .sources = sources};
    const Source *source = source_add(sources, STR("wrong.act"), str_of(example->wrong), false);
    sema_run(arena, sources, diags, parse_source(arena, diags, source), &(SemaOptions){0});
    diag_sort(diags);
    for (uint32_t i = 0; i < diags->list.n; i++) {
        if (!str_is(str_of(diags->list.at[i]->code), example->code))
            continue;
        DiagStyle style = {.format = DIAG_HUMAN, .columns = page->width - 4};
        Str text = diag_render(arena, diags->list.at[i], &style);
        while (text.n && text.p[text.n - 1] == '\n')
            text.n--;
        text_printf(page->out, "\n`actc check` says:\n\n");
        page_code(page, text);
        return;
    }
}

bool explain_error(Page *page, Str name)
{
    const SemaCode *code = find(name);
    if (code == NULL)
        return false;
    text_printf(page->out, "%s %s (hard error)\n\n", code->code, code->name);
    page_paragraphs(page, str_of(code->doc), 0);
    const ErrorExample *example = explain_error_example(str_of(code->code));
    if (example) {
        text_printf(page->out, "\nWrong:\n\n");
        page_code(page, str_of(example->wrong));
        said(page, example);
    }
    if (example && example->right) {
        text_printf(page->out, "\nRight:\n\n");
        page_code(page, str_of(example->right));
    }
    text_putc(page->out, '\n');
    page_text(page, "A hard error cannot be allowed: the model is neither checked further nor compiled.");
    return true;
}
