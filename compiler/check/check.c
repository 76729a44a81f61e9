/* Running the rules: findings of one model are weighed against each other, then levels and @allow say what is shown. */
#include "check/context.h"

#include <math.h>
#include <string.h>

static bool inside(Span span, Span scope)
{
    return span.source && span.source == scope.source && span.begin >= scope.begin && span.end <= scope.end;
}

static bool touches(const Diag *diag, Span scope)
{
    if (inside(diag->primary.span, scope))
        return true;
    for (uint32_t i = 0; i < diag->labels.n; i++)
        if (inside(diag->labels.at[i].span, scope))
            return true;
    return false;
}

static bool share_spot(const Finding *a, const Finding *b)
{
    for (uint32_t i = 0; i < a->spots.n; i++)
        for (uint32_t k = 0; k < b->spots.n; k++)
            if (a->spots.at[i].kind == b->spots.at[k].kind && a->spots.at[i].index == b->spots.at[k].index)
                return true;
    return false;
}

/* One cause, one diagnostic: what follows from another finding at the same spot is not said. A note, which is seldom
 * shown, silences notes only. */
static bool is_silenced(const CheckContext *cx, const Finding *finding)
{
    for (uint32_t i = 0; i < cx->findings.n; i++) {
        const Finding *other = &cx->findings.at[i];
        if (other->diag->level < LEVEL_WARN && other->diag->level < finding->diag->level)
            continue;
        for (unsigned k = 0; k < RULE_MAX_SILENCES && other->rule->silences[k]; k++)
            if (strcmp(other->rule->silences[k], finding->rule->code) == 0 && share_spot(other, finding))
                return true;
    }
    return false;
}

/* Every @allow that covers the finding counts as used, also when the finding would not have been shown. The reason
 * of the last one goes with it. */
static bool is_allowed(Program *program, const Finding *finding)
{
    bool allowed = false;
    for (uint32_t i = 0; i < program->allows.n; i++) {
        Allow *allow = &program->allows.at[i];
        if (check_find(allow->rule) != finding->rule || !touches(finding->diag, allow->scope))
            continue;
        allow->used = true;
        allowed = true;
        finding->diag->reason = allow->reason;
    }
    return allowed;
}

static void publish(Program *program, const CheckOptions *options, Finding *finding, bool silenced)
{
    Diag *diag = finding->diag;
    bool allowed = is_allowed(program, finding);
    diag->level = check_level(options, finding->rule, diag->level);
    if (silenced || diag->level == LEVEL_ALLOW)
        return;
    diag->list = program->diags;
    if (allowed)
        *vec_push(program->diags->arena, &program->diags->allowed) = diag;
    else
        *vec_push(program->diags->arena, &program->diags->list) = diag;
}

static void lead_to(CheckContext *cx, NodeId prediction)
{
    bool *behind = arena_array(cx->arena, bool, cx->g->nodes.n);
    behind[prediction] = true;
    for (NodeId id = prediction; id > 0; id--) {
        if (behind[id] && cx->prediction[id] == 0)
            cx->prediction[id] = prediction;
        for (uint32_t i = 0; behind[id] && i < cx->g->nodes.at[id].n_in; i++)
            behind[cx->g->nodes.at[id].in[i]] = true;
    }
}

static void find_predictions(CheckContext *cx)
{
    const Model *model = cx->model;
    cx->prediction = arena_array(cx->arena, NodeId, cx->g->nodes.n);
    for (uint32_t i = 0; i < model->losses.n; i++)
        if (model->losses.at[i].prediction)
            lead_to(cx, model->losses.at[i].prediction);
    for (uint32_t i = 0; model->losses.n == 0 && i < model->outputs.n; i++)
        lead_to(cx, model->outputs.at[i].value);
}

static void check_model(Program *program, Model *model, const CheckOptions *options)
{
    CheckContext cx = {
        .arena = program->arena, .program = program, .model = model, .g = model->graph, .sx = model->graph->sx};
    cx.scratch = (Diags){.arena = program->diags->arena, .sources = program->diags->sources};
    cx.facts = facts_new(cx.arena, cx.g);
    find_predictions(&cx);
    cx.signal = signal_of_model(cx.arena, cx.facts, model, NULL);
    for (unsigned i = 0; i < check_count(); i++) {
        cx.rule = check_at(i);
        if (cx.rule->run)
            cx.rule->run(&cx);
    }
    for (uint32_t i = 0; i < cx.findings.n; i++)
        cx.findings.at[i].silenced = is_silenced(&cx, &cx.findings.at[i]);
    check_merge_uses(&cx);
    for (uint32_t i = 0; i < cx.findings.n; i++)
        publish(program, options, &cx.findings.at[i], cx.findings.at[i].silenced);
}

/* What no single model can tell. Behind a hard error stands text whose meaning nobody knows. */
static void check_program(Program *program, const CheckOptions *options)
{
    CheckContext cx = {.arena = program->arena, .program = program, .sx = program->sx};
    cx.scratch = (Diags){.arena = program->diags->arena, .sources = program->diags->sources};
    if (diag_count(program->diags, LEVEL_ERROR))
        return;
    for (unsigned i = 0; i < check_count(); i++) {
        cx.rule = check_at(i);
        if (cx.rule->run_program)
            cx.rule->run_program(&cx);
    }
    for (uint32_t i = 0; i < cx.findings.n; i++)
        publish(program, options, &cx.findings.at[i], is_silenced(&cx, &cx.findings.at[i]));
}

/* Whether the rules have seen what the @allow covers: not in a model with hard errors, nor, when there is such a model,
 * in a block that it may use. */
static bool was_checked(const Program *program, const Allow *allow)
{
    bool poisoned = false;
    for (uint32_t i = 0; i < program->models.n; i++) {
        if (inside(allow->scope, program->models.at[i]->span))
            return !program->models.at[i]->poisoned;
        poisoned |= program->models.at[i]->poisoned;
    }
    return !poisoned;
}

static void check_allows(Program *program, const CheckOptions *options)
{
    const Rule *rule = check_find(STR("unused_allow"));
    Level level = check_level(options, rule, rule->level);
    for (uint32_t i = 0; level != LEVEL_ALLOW && i < program->allows.n; i++) {
        const Allow *allow = &program->allows.at[i];
        const Rule *named = check_find(allow->rule);
        if (allow->used || (named && !was_checked(program, allow)))
            continue;
        if (named) {
            Diag *diag = diag_new(program->diags, level, rule->code, rule->name, allow->span,
                                  "`@allow(%s)` silences nothing", named->name);
            diag_primary(diag, "the rule finds nothing in what follows");
            diag_help(diag, "remove it; should the rule fire again, it has something to say");
            Span line = allow->span; /* with the line end behind it */
            if (allow->scope.source == line.source && allow->scope.begin > line.end)
                line.end = allow->scope.begin;
            diag_fix(diag, FIX_SAFE, line, "%s", "");
            continue;
        }
        bool hard = check_is_hard(allow->rule);
        Diag *diag =
            diag_new(program->diags, level, rule->code, rule->name, allow->span,
                     hard ? "`" STR_FMT "` is a hard error and cannot be allowed" : "no rule is called `" STR_FMT "`",
                     STR_ARG(allow->rule));
        Str *names = arena_array(program->arena, Str, check_count());
        for (unsigned k = 0; k < check_count(); k++)
            names[k] = str_of(check_at(k)->name);
        int nearest = hard ? -1 : str_nearest(allow->rule, names, check_count());
        if (nearest >= 0)
            diag_help(diag, "there is a rule with a similar name: `" STR_FMT "`", STR_ARG(names[nearest]));
        else
            diag_help(diag, "`actc list rules` shows the rules");
    }
}

void check_run(Program *program, const CheckOptions *options)
{
    check_program(program, options);
    for (uint32_t i = 0; i < program->models.n; i++)
        if (!program->models.at[i]->poisoned)
            check_model(program, program->models.at[i], options);
    check_allows(program, options);
}
