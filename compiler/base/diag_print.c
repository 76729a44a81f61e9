/* All diagnostics of a run, and the line that sums them up. */
#include "base/diag_render.h"

bool diag_shown(const Diag *diag, const DiagStyle *style)
{
    return diag->level > LEVEL_NOTE || (diag->level == LEVEL_NOTE && style->notes);
}

DiagTally diag_tally(const Diags *diags, const DiagStyle *style)
{
    DiagTally tally = {0};
    Level worst = LEVEL_ALLOW;
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = diags->list.at[i];
        if (!diag_shown(diag, style))
            continue;
        tally.errors += diag->level >= LEVEL_DENY;
        tally.warnings += diag->level == LEVEL_WARN;
        tally.notes += diag->level == LEVEL_NOTE;
        tally.safe += diag->fix == FIX_SAFE;
        tally.unsafe += diag->fix == FIX_UNSAFE;
        Level level = diag->level == LEVEL_DENY ? LEVEL_ERROR : diag->level;
        if (level > worst) {
            worst = level;
            tally.code = diag->code;
        }
    }
    return tally;
}

static void add_count(Text *out, unsigned n, const char *word, bool *first)
{
    if (n)
        text_printf(out, "%s%u %s%s", *first ? "" : ", ", n, word, n == 1 ? "" : "s");
    *first = *first && !n;
}

static void add_offer(Text *out, const DiagTally *tally, const DiagStyle *style)
{
    unsigned safe = style->fixing == FIX_NONE ? tally->safe : 0;
    unsigned unsafe = style->fixing == FIX_UNSAFE ? 0 : tally->unsafe;
    if (safe && unsafe)
        text_printf(out, " (%u fixable with `--fix`, %u more with `--unsafe-fixes`)", safe, unsafe);
    else if (safe || unsafe)
        text_printf(out, " (%u fixable with `%s`)", safe + unsafe, safe ? "--fix" : "--unsafe-fixes");
}

Str diag_summary(Arena *arena, const DiagTally *tally, const DiagStyle *style)
{
    Text out = {.arena = arena};
    if (style->fixed) {
        text_printf(&out, "%u fixed", style->fixed);
        if (style->files > 1)
            text_printf(&out, " in %u files", style->files);
        text_add(&out, tally->code ? STR("; left: ") : STR("; nothing is left"));
    }
    bool first = true;
    add_count(&out, tally->errors, "error", &first);
    add_count(&out, tally->warnings, "warning", &first);
    add_count(&out, tally->notes, "note", &first);
    if (tally->code) {
        add_offer(&out, tally, style);
        text_printf(&out, "; `actc explain %s` says more", tally->code);
    }
    return text_str(&out);
}

uint32_t diag_printed(const Diags *diags, const DiagStyle *style)
{
    unsigned errors = 0;
    for (uint32_t i = 0; i < diags->list.n; i++) {
        if (!diag_shown(diags->list.at[i], style))
            continue;
        if (style->error_limit && errors == style->error_limit)
            return i;
        errors += diags->list.at[i]->level >= LEVEL_DENY;
    }
    return diags->list.n;
}

void diag_print_all(const Diags *diags, const DiagStyle *style, FILE *out)
{
    uint32_t printed = diag_printed(diags, style), held = 0;
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = diags->list.at[i];
        if (!diag_shown(diag, style))
            continue;
        if (i >= printed) {
            held++;
            continue;
        }
        Arena *arena = arena_new();
        Str text = diag_render(arena, diag, style);
        fwrite(text.p, 1, text.n, out);
        if (style->format == DIAG_HUMAN)
            fputc('\n', out);
        arena_free(arena);
    }
    if (style->format != DIAG_HUMAN)
        return;
    if (held)
        fprintf(out, "%u more %s not shown behind error %u (--error-limit)\n", held, held == 1 ? "is" : "are",
                style->error_limit);
    Arena *arena = arena_new();
    DiagTally tally = diag_tally(diags, style);
    Str summary = diag_summary(arena, &tally, style);
    if (summary.n)
        fprintf(out, STR_FMT "\n", STR_ARG(summary));
    arena_free(arena);
}
