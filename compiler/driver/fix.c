#include "driver/fix.h"

#include <stdlib.h>
#include <string.h>

enum { FIX_ROUNDS = 10 /* a fix may uncover the next */ };

typedef struct Edit {
    uint32_t source, begin, end, order;
    Str text;
} Edit;

typedef VEC(Edit) Edits;
typedef VEC(const Diag *) Fixes;

static int edit_compare(const void *left, const void *right)
{
    const Edit *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Places that touch are apart, unless one of them is an insertion: two fixes might insert the same. */
static bool spans_clash(Span span, const Edit *edit)
{
    if (span.source != edit->source)
        return false;
    bool insertion = span.begin == span.end || edit->begin == edit->end;
    return insertion ? span.begin <= edit->end && edit->begin <= span.end
                     : span.begin < edit->end && edit->begin < span.end;
}

static bool edits_clash(const Edits *taken, const Diag *diag)
{
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        for (uint32_t k = 0; k < taken->n; k++)
            if (spans_clash(diag->edits.at[i].span, &taken->at[k]))
                return true;
    }
    return false;
}

static void edits_add(Arena *arena, Edits *taken, const Diag *diag)
{
    for (uint32_t k = 0; k < diag->edits.n; k++) {
        const DiagEdit *edit = &diag->edits.at[k];
        *vec_push(arena, taken) =
            (Edit){edit->span.source, edit->span.begin, edit->span.end, taken->n - 1, edit->text};
    }
}

static bool fix_wanted(const Diag *diag, bool unsafe)
{
    return diag->edits.n && (diag->fix == FIX_SAFE || (unsafe && diag->fix == FIX_UNSAFE));
}

/* New lines end as the file's first line does. */
static void add_inserted(Text *out, const Source *source, Str text)
{
    bool crlf = source->n_line > 1 && source->line[1] > 1 && source->text.p[source->line[1] - 2] == '\r';
    for (uint32_t i = 0; i < text.n; i++) {
        if (crlf && text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            text_putc(out, '\r');
        text_putc(out, text.p[i]);
    }
}

/* The text of `source` after sorted edits; those of other sources are passed over. */
static Str edits_apply(Arena *arena, const Edits *taken, const Source *source)
{
    Text text = {.arena = arena};
    uint32_t at = 0;
    for (uint32_t i = 0; i < taken->n; i++) {
        const Edit *edit = &taken->at[i];
        if (edit->source != source->id || edit->begin < at) /* two edits of one fix overlap: the first stands */
            continue;
        text_add(&text, (Str){source->text.p + at, edit->begin - at});
        add_inserted(&text, source, edit->text);
        at = edit->end;
    }
    text_add(&text, (Str){source->text.p + at, source->text.n - at});
    return text_str(&text);
}

static void edits_sort(Edits *taken)
{
    if (taken->n)
        qsort(taken->at, taken->n, sizeof *taken->at, edit_compare);
}

static bool edit_fits(const DiagEdit *edit, const Source *source)
{
    return source && edit->span.begin <= edit->span.end && edit->span.end <= source->text.n;
}

Str fix_apply(Arena *arena, const Diags *diags, const Source *source, bool unsafe, unsigned *applied)
{
    Edits taken = {0};
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = diags->list.at[i];
        bool fits = fix_wanted(diag, unsafe) && diag->level != LEVEL_ALLOW;
        for (uint32_t k = 0; fits && k < diag->edits.n; k++)
            fits = diag->edits.at[k].span.source == source->id && edit_fits(&diag->edits.at[k], source);
        if (!fits || edits_clash(&taken, diag))
            continue;
        edits_add(arena, &taken, diag);
        ++*applied;
    }
    edits_sort(&taken);
    return edits_apply(arena, &taken, source);
}

/* ── many files ── */

static FixFile *file_of(FixRun *run, Str path)
{
    Str file = session_file(run->arena, path);
    for (uint32_t i = 0; i < run->files.n; i++)
        if (str_eq(run->files.at[i].file, file))
            return &run->files.at[i];
    return NULL;
}

static bool find_unsaved(void *owner, Str path, Str *text)
{
    const FixFile *file = file_of(owner, path);
    if (file)
        *text = file->text;
    return file != NULL;
}

void fix_check(FixRun *run, Session *s)
{
    s->unsaved = find_unsaved;
    s->owner = run;
    for (uint32_t i = 0; i < run->files.n; i++)
        if (run->files.at[i].asked)
            session_check(s, run->files.at[i].path, run->files.at[i].text);
    diag_sort(&s->diags);
}

/* A source that can be changed: a file, or standard input; not the library, nor what stands on the command line. */
static bool source_is_file(FixRun *run, const Source *source)
{
    if (!source || source->library)
        return false;
    if (file_of(run, source->path))
        return true;
    Str file = session_file(run->arena, source->path);
    if (!file.n || file.p[0] != '/')
        return false;
    *vec_push(run->arena, &run->files) =
        (FixFile){.path = str_copy(run->arena, source->path),
                  .file = file,
                  .before = str_copy(run->arena, source->text),
                  .text = str_copy(run->arena, source->text)};
    return true;
}

/* What a fix is known by when the text around it has changed: rule, file and the line it marks. */
static Str fix_key(Arena *arena, const Diag *diag)
{
    const Source *source = source_get(diag->list->sources, diag->primary.span.source);
    Str line = source ? source_line(source, source_place(source, diag->primary.span.begin).line) : STR("");
    return str_printf(arena, "%s " STR_FMT ": " STR_FMT " " STR_FMT, diag->code,
                      STR_ARG(source ? source->path : STR("")), STR_ARG(line), STR_ARG(diag->message));
}

static bool is_refused(const FixRun *run, Str key)
{
    for (uint32_t i = 0; i < run->refused.n; i++)
        if (str_eq(run->refused.at[i], key))
            return true;
    return false;
}

/* What is repaired first: a file that does not parse has no shapes, and one with wrong shapes no rules. */
typedef enum Stage { STAGE_SYNTAX, STAGE_MEANING, STAGE_RULES } Stage;

static Stage stage_of(const Diag *diag)
{
    if (diag->level != LEVEL_ERROR)
        return STAGE_RULES;
    return strncmp(diag->code, "ACT00", 5) == 0 ? STAGE_SYNTAX : STAGE_MEANING;
}

static bool is_possible(FixRun *run, Arena *arena, const Session *s, const Diag *diag)
{
    if (!fix_wanted(diag, run->options->unsafe_fixes) || !diag_shown(diag, &s->style))
        return false;
    for (uint32_t k = 0; k < diag->edits.n; k++) {
        const Source *source = source_get(&s->sources, diag->edits.at[k].span.source);
        if (!edit_fits(&diag->edits.at[k], source) || !source_is_file(run, source))
            return false;
    }
    return !is_refused(run, fix_key(arena, diag));
}

/* The fixes of this round: those of the first stage that has any, as far as the edits do not touch each other. */
static Fixes choose(FixRun *run, Arena *arena, const Session *s)
{
    Fixes possible = {0}, chosen = {0};
    Stage first = STAGE_RULES;
    for (uint32_t i = 0; i < s->diags.list.n; i++) {
        const Diag *diag = s->diags.list.at[i];
        if (!is_possible(run, arena, s, diag))
            continue;
        first = stage_of(diag) < first ? stage_of(diag) : first;
        *vec_push(arena, &possible) = diag;
    }
    Edits taken = {0};
    for (uint32_t i = 0; i < possible.n; i++) {
        if (stage_of(possible.at[i]) != first || edits_clash(&taken, possible.at[i]))
            continue;
        edits_add(arena, &taken, possible.at[i]);
        *vec_push(arena, &chosen) = possible.at[i];
    }
    return chosen;
}

static void apply(FixRun *run, Arena *arena, const Session *s, const Fixes *fixes)
{
    Edits edits = {0};
    for (uint32_t i = 0; i < fixes->n; i++)
        edits_add(arena, &edits, fixes->at[i]);
    edits_sort(&edits);
    for (uint32_t i = 0; i < edits.n; i++) {
        if (i && edits.at[i].source == edits.at[i - 1].source)
            continue;
        const Source *source = source_get(&s->sources, edits.at[i].source);
        FixFile *file = file_of(run, source->path);
        if (file)
            file->text = edits_apply(run->arena, &edits, source);
    }
}

/* ── is a round an improvement? ── */

static Str path_of(const Session *s, const Diag *diag)
{
    const Source *source = source_get(&s->sources, diag->primary.span.source);
    return source ? source->path : STR("");
}

/* Errors of a stage in a file; with `code`, only those. */
static unsigned count_errors(const Session *s, Stage stage, Str path, const char *code)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < s->diags.list.n; i++) {
        const Diag *diag = s->diags.list.at[i];
        n += diag->level >= LEVEL_DENY && stage_of(diag) == stage && (!code || strcmp(diag->code, code) == 0) &&
             str_eq(path_of(s, diag), path);
    }
    return n;
}

/* The first error that was not there before fixes of this stage. What a later stage finds was there, but could not be
 * seen. */
static const Diag *first_new_error(const Session *before, const Session *after, Stage repaired)
{
    Fixes asked = {0}; /* one for each file and code */
    for (uint32_t i = 0; i < after->diags.list.n; i++) {
        const Diag *diag = after->diags.list.at[i];
        Stage stage = stage_of(diag);
        bool done = diag->level < LEVEL_DENY || stage > repaired;
        for (uint32_t k = asked.n; k > 0 && !done; k--) {
            const Diag *other = asked.at[k - 1];
            if (other->primary.span.source != diag->primary.span.source)
                break;
            done = strcmp(other->code, diag->code) == 0;
        }
        if (done)
            continue;
        Str path = path_of(after, diag);
        const char *code = stage == STAGE_RULES ? diag->code : NULL;
        if (count_errors(after, stage, path, code) > count_errors(before, stage, path, code))
            return diag;
        *vec_push(after->arena, &asked) = diag;
    }
    return NULL;
}

/* ── rounds ── */

static Session *trial_begin(FixRun *run)
{
    Arena *arena = arena_new();
    Session *s = arena_new_of(arena, Session);
    session_begin(s, arena, run->options);
    fix_check(run, s);
    return s;
}

static void trial_end(Session *s) { arena_free(s->arena); }

static Str place_of(Arena *arena, const Session *s, const Diag *diag)
{
    const Source *source = source_get(&s->sources, diag->primary.span.source);
    if (!source)
        return STR("the command line");
    Place place = source_place(source, diag->primary.span.begin);
    return str_printf(arena, STR_FMT ":%u:%u", STR_ARG(source->path), place.line, place.column);
}

static void refuse(FixRun *run, const Session *s, const Diag *fix, const Session *after, const Diag *error)
{
    *vec_push(run->arena, &run->refused) = fix_key(run->arena, fix);
    Str at = place_of(run->arena, s, fix), there = place_of(run->arena, after, error);
    *vec_push(run->arena, &run->remarks) =
        str_printf(run->arena,
                   "the fix for %s at " STR_FMT " is taken back: it leads to error[%s] at " STR_FMT ": " STR_FMT,
                   fix->code, STR_ARG(at), error->code, STR_ARG(there),
                   STR_ARG(error->message));
}

typedef struct Texts {
    Str *at;
    uint32_t n;
} Texts;

static Texts keep_texts(const FixRun *run, Arena *arena)
{
    Texts texts = {arena_array(arena, Str, run->files.n), run->files.n};
    for (uint32_t i = 0; i < texts.n; i++)
        texts.at[i] = run->files.at[i].text;
    return texts;
}

static void restore_texts(FixRun *run, const Texts *texts)
{
    for (uint32_t i = 0; i < texts->n; i++)
        run->files.at[i].text = texts->at[i];
}

/* Together the fixes led to an error: one after the other, which are good? NULL: none. */
static Session *apply_singly(FixRun *run, const Session *s, const Texts *texts, Fixes *fixes)
{
    Fixes good = {0};
    for (uint32_t i = 0; i < fixes->n; i++) {
        Fixes one = {.at = &fixes->at[i], .n = 1};
        apply(run, s->arena, s, &one);
        Session *after = trial_begin(run);
        const Diag *error = first_new_error(s, after, stage_of(fixes->at[0]));
        if (error)
            refuse(run, s, fixes->at[i], after, error);
        else
            *vec_push(s->arena, &good) = fixes->at[i];
        trial_end(after);
        restore_texts(run, texts);
    }
    Session *after = NULL;
    while (good.n) { /* good ones may still not go together: then the first alone, the others in later rounds */
        apply(run, s->arena, s, &good);
        after = trial_begin(run);
        if (good.n == 1 || !first_new_error(s, after, stage_of(fixes->at[0])))
            break;
        trial_end(after);
        after = NULL;
        restore_texts(run, texts);
        good.n = 1;
    }
    *fixes = good;
    return after;
}

/* One round. The session of the new texts; NULL when nothing could be changed. */
static Session *fix_round(FixRun *run, const Session *s)
{
    Fixes fixes = choose(run, s->arena, s);
    if (!fixes.n)
        return NULL;
    Texts texts = keep_texts(run, s->arena);
    apply(run, s->arena, s, &fixes);
    Session *after = trial_begin(run);
    if (first_new_error(s, after, stage_of(fixes.at[0]))) {
        trial_end(after);
        restore_texts(run, &texts);
        after = apply_singly(run, s, &texts, &fixes);
    }
    for (uint32_t i = 0; i < fixes.n; i++)
        file_of(run, source_get(&s->sources, fixes.at[i]->edits.at[0].span.source)->path)->fixed++;
    return after;
}

void fix_all(FixRun *run)
{
    Session *s = trial_begin(run);
    for (unsigned round = 0; round < FIX_ROUNDS; round++) {
        Session *after = fix_round(run, s);
        if (!after)
            break;
        trial_end(s);
        s = after;
        if (round + 1 == FIX_ROUNDS && choose(run, s->arena, s).n)
            *vec_push(run->arena, &run->remarks) =
                str_printf(run->arena, "there is more to fix after %d rounds: run it again", FIX_ROUNDS);
    }
    trial_end(s);
    for (uint32_t i = 0; i < run->files.n; i++)
        if (str_eq(run->files.at[i].text, run->files.at[i].before)) /* there and back again */
            run->files.at[i].fixed = 0;
}
