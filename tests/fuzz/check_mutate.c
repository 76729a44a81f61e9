/* Throws damaged programs at everything between the parser and machine code: check_mutate --count 200000 --seed 1
 * FILES… (fuzz/mutate.h): names and shapes, the rules, and, for models without a mistake, passes and loop programs.
 *
 * What must always be true: a model is refused with an error, never silently; every diagnostic has a message, a
 * place inside its text and a form in every format; a healthy model's graph and loop programs keep their rules. With
 * --values the programs are also run and compared with the interpreter: what is found then may be a model that
 * rounding alone throws off. */
#include "mutate.h"

#include "check/check.h"
#include "syntax/parse.h"

#define fail_msg(...) abort() /* of cmocka, which is not here */
#include "../unit/units.h"

enum {
    MOST_NODES = 3000,    /* of a model that is compiled: larger ones only cost time */
    MOST_NUMBERS = 300000 /* of all values of a model that is run */
};

static const char *judge_span(const Sources *sources, Span span)
{
    const Source *source = source_get(sources, span.source);
    if (span.source == 0)
        return NULL;
    if (!source)
        return "a place in a text that does not exist";
    return span.begin > span.end || span.end > source->text.n ? "a place outside its text" : NULL;
}

static const char *judge_diag(const Sources *sources, const Diag *diag)
{
    const char *wrong = judge_span(sources, diag->primary.span);
    for (uint32_t i = 0; i < diag->labels.n && !wrong; i++)
        wrong = judge_span(sources, diag->labels.at[i].span);
    for (uint32_t i = 0; i < diag->edits.n && !wrong; i++) {
        const Source *source = source_get(sources, diag->edits.at[i].span.source);
        wrong = judge_span(sources, diag->edits.at[i].span);
        if (!wrong)
            wrong = !source ? "a fix without a place" : source->library ? "a fix of the standard library" : NULL;
    }
    if (wrong)
        return wrong;
    if (!diag->message.n || !diag->code || !diag->name)
        return "a diagnostic without a message, a code or a name";
    if (!diag->primary.span.source)
        return "a diagnostic without a place";
    return strstr(str_c(sources->arena, diag->message), "(null)") ? "a diagnostic with a hole" : NULL;
}

static const char *judge_diags(Arena *arena, const Sources *sources, Diags *diags)
{
    diag_sort(diags);
    const char *wrong = NULL;
    for (uint32_t i = 0; i < diags->list.n && !wrong; i++) {
        const Diag *diag = diags->list.at[i];
        wrong = judge_diag(sources, diag);
        if (i >= 50) /* the first ones of a flood will do */
            continue;
        DiagStyle human = {.format = DIAG_HUMAN, .columns = i % 2 ? 60 : 0, .colour = i % 3, .notes = true};
        diag_render(arena, diag, &human);
        diag_render(arena, diag, &(DiagStyle){.format = DIAG_SHORT, .notes = true});
        Str line = diag_render(arena, diag, &(DiagStyle){.format = DIAG_JSON, .notes = true});
        if (!line.n || memchr(line.p, '\n', line.n) != line.p + line.n - 1)
            wrong = "JSON on more than one line";
    }
    return wrong;
}

static bool small(const Program *program)
{
    uint64_t nodes = 0;
    for (uint32_t i = 0; i < program->models.n; i++)
        nodes += program->models.at[i]->graph->nodes.n;
    return nodes <= MOST_NODES;
}

static bool runs_fast(const Graph *g)
{
    uint64_t numbers = 0;
    for (NodeId id = 1; id < g->nodes.n && numbers <= MOST_NUMBERS; id++)
        numbers += type_elements(graph_type(g, id));
    return numbers <= MOST_NUMBERS;
}

/* The loop programs of the healthy models; unit_build holds them, and the graphs, against their rules. */
static const char *judge_code(Arena *arena, const Program *program, Str text)
{
    for (uint32_t i = 0; i < program->models.n; i++) {
        const Model *model = program->models.at[i];
        const char *why = model->poisoned ? "a model is refused without an error" : graph_verify(model->graph, arena);
        if (why)
            return why;
    }
    if (!small(program))
        return NULL;
    const Target *target = target_at(text.n % target_count());
    UnitOptions options = {.target = target, .level = 2, .verify = true};
    uint32_t before = program->diags->list.n;
    const Unit *unit = unit_build(arena, program, &options);
    if (!unit)
        return program->diags->list.n == before ? "a unit is refused without a diagnostic"
                                                : judge_diags(arena, program->sources, program->diags);
    const char *why = NULL;
    for (uint32_t i = 0; i < unit->models.n && fuzz_values && !why; i++)
        if (runs_fast(unit->models.at[i].graph))
            why = units_check_model(arena, &unit->models.at[i], target, unit->models.at[i].batch < 3 ? 1 : 3, 1e-3);
    return why;
}

static const char *judge(Arena *arena, Str text)
{
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("mutant.act"), text, false);
    const Ast *root = parse_source(arena, &diags, source);
    SemaOptions options = {.batch = 0};
    Program *program = sema_run(arena, &sources, &diags, root, &options);
    check_run(program, NULL);
    const char *wrong = judge_diags(arena, &sources, &diags);
    if (wrong || diag_count(&diags, LEVEL_ERROR))
        return wrong;
    return judge_code(arena, program, text);
}

int main(int argc, char **argv) { return fuzz_main(argc, argv, "check_mutate", judge); }
