#include "base/sarif.h"

#include "base/diag_render.h"

#include <stdlib.h>
#include <string.h>

/* ── writing JSON with commas and indentation where they belong ── */

typedef struct Writer {
    Text *out;
    unsigned depth;
    bool first; /* nothing stands in the innermost bracket yet */
} Writer;

static void line(Writer *w)
{
    if (w->depth)
        text_add(w->out, w->first ? STR("\n") : STR(",\n"));
    text_printf(w->out, "%*s", (int)w->depth, "");
    w->first = false;
}

static void key(Writer *w, const char *name)
{
    line(w);
    text_printf(w->out, "\"%s\": ", name);
}

static void open(Writer *w, char bracket)
{
    text_putc(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void shut(Writer *w, char bracket)
{
    w->depth--;
    if (!w->first) {
        text_putc(w->out, '\n');
        text_printf(w->out, "%*s", (int)w->depth, "");
    }
    text_putc(w->out, bracket);
    w->first = false;
}

static void open_field(Writer *w, const char *name, char bracket)
{
    key(w, name);
    open(w, bracket);
}

static void open_item(Writer *w)
{
    line(w);
    open(w, '{');
}

static void string_field(Writer *w, const char *name, Str value)
{
    key(w, name);
    json_string(w->out, value);
}

static void number_field(Writer *w, const char *name, unsigned value)
{
    key(w, name);
    text_printf(w->out, "%u", value);
}

static void text_field(Writer *w, const char *name, Str text)
{
    open_field(w, name, '{');
    string_field(w, "text", text);
    shut(w, '}');
}

/* ── places ── */

/* The path as a URI reference: what RFC 3986 does not let stand in a path is written in hexadecimal. A first part with
 * a colon would read as a scheme, so colons are too. */
static Str uri_of(Arena *arena, Str path)
{
    Text out = {.arena = arena};
    if (path.n && path.p[0] == '/')
        text_add(&out, STR("file://"));
    while (str_starts(path, STR("./")))
        path = (Str){path.p + 2, path.n - 2};
    for (uint32_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-._~/!$&'()*+,;=@", c));
        if (plain)
            text_putc(&out, c);
        else
            text_printf(&out, "%%%02X", (unsigned char)c);
    }
    return text_str(&out);
}

static void artifact(Writer *w, const Source *source)
{
    open_field(w, "artifactLocation", '{');
    string_field(w, "uri", uri_of(w->out->arena, source->path));
    shut(w, '}');
}

static void region(Writer *w, const char *name, const Source *source, Span span)
{
    Place begin = source_place(source, span.begin), end = source_place(source, span.end);
    open_field(w, name, '{');
    number_field(w, "startLine", begin.line);
    number_field(w, "startColumn", begin.column);
    number_field(w, "endLine", end.line);
    number_field(w, "endColumn", end.column);
    shut(w, '}');
}

/* `id` 0: none. */
static void location(Writer *w, const Source *source, const DiagLabel *label, unsigned id)
{
    open_item(w);
    if (id)
        number_field(w, "id", id);
    open_field(w, "physicalLocation", '{');
    artifact(w, source);
    region(w, "region", source, label->span);
    shut(w, '}');
    if (label->text.n)
        text_field(w, "message", label->text);
    shut(w, '}');
}

/* ── rules ── */

static int compare_codes(const void *left, const void *right)
{
    return strcmp(((const Diag *const *)left)[0]->code, ((const Diag *const *)right)[0]->code);
}

typedef VEC(const Diag *) Results;

/* One diagnostic for each rule, by code. */
static Results find_rules(Arena *arena, const Results *results)
{
    Results rules = {0};
    for (uint32_t i = 0; i < results->n; i++)
        *vec_push(arena, &rules) = results->at[i];
    if (rules.n)
        qsort(rules.at, rules.n, sizeof *rules.at, compare_codes);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rules.n; i++)
        if (!n || strcmp(rules.at[n - 1]->code, rules.at[i]->code) != 0)
            rules.at[n++] = rules.at[i];
    rules.n = n;
    return rules;
}

static const char *sarif_level(Level level)
{
    return level == LEVEL_ALLOW ? "none" : diag_level_word(level);
}

static void write_rule(Writer *w, const Diag *diag, const SarifTool *tool)
{
    Arena *arena = w->out->arena;
    SarifRule rule = {.level = diag->level, .group = "", .summary = str_of(diag->name)};
    bool known = tool->rule && tool->rule(arena, diag->code, &rule);
    open_item(w);
    string_field(w, "id", str_of(diag->code));
    string_field(w, "name", str_of(diag->name));
    text_field(w, "shortDescription", rule.summary);
    if (known) {
        text_field(w, "fullDescription", rule.doc);
        open_field(w, "help", '{');
        string_field(w, "text", rule.help);
        string_field(w, "markdown", rule.markdown);
        shut(w, '}');
    }
    open_field(w, "defaultConfiguration", '{');
    if (rule.level == LEVEL_ALLOW) {
        key(w, "enabled");
        text_add(w->out, STR("false"));
    } else
        string_field(w, "level", str_of(sarif_level(rule.level)));
    shut(w, '}');
    open_field(w, "properties", '{');
    open_field(w, "tags", '[');
    line(w);
    json_string(w->out, STR("neural-network"));
    if (rule.group[0]) {
        line(w);
        json_string(w->out, str_of(rule.group));
    }
    shut(w, ']');
    shut(w, '}');
    shut(w, '}');
}

/* ── results ── */

static uint64_t mix(uint64_t hash, Str text)
{
    return (hash ^ str_hash(text)) * 0x100000001B3u;
}

/* The rule, the marked text and the line it begins on, without the space around it. */
static uint64_t fingerprint(const Diag *diag)
{
    const Source *source = source_get(diag->list->sources, diag->primary.span.source);
    uint64_t hash = str_hash(str_of(diag->code));
    if (!source)
        return mix(hash, diag->message);
    Str text = source_line(source, source_place(source, diag->primary.span.begin).line);
    while (text.n && (*text.p == ' ' || *text.p == '\t'))
        text = (Str){text.p + 1, text.n - 1};
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
        text.n--;
    return mix(mix(hash, text), source_slice(diag->list->sources, diag->primary.span));
}

static void write_fix(Writer *w, const Diag *diag)
{
    const Sources *sources = diag->list->sources;
    open_field(w, "fixes", '[');
    open_item(w);
    if (diag->helps.n)
        text_field(w, "description", diag->helps.at[0]);
    open_field(w, "artifactChanges", '[');
    for (uint32_t i = 0; i < diag->edits.n; i++) { /* one change for each file, in the order of their first edits */
        const Source *source = source_get(sources, diag->edits.at[i].span.source);
        bool done = !source;
        for (uint32_t k = 0; k < i && !done; k++)
            done = diag->edits.at[k].span.source == source->id;
        if (done)
            continue;
        open_item(w);
        artifact(w, source);
        open_field(w, "replacements", '[');
        for (uint32_t k = i; k < diag->edits.n; k++) {
            const DiagEdit *edit = &diag->edits.at[k];
            if (edit->span.source != source->id)
                continue;
            open_item(w);
            region(w, "deletedRegion", source, edit->span);
            if (edit->text.n)
                text_field(w, "insertedContent", edit->text);
            shut(w, '}');
        }
        shut(w, ']');
        shut(w, '}');
    }
    shut(w, ']');
    open_field(w, "properties", '{');
    string_field(w, "applicability", diag->fix == FIX_SAFE ? STR("safe") : STR("unsafe"));
    shut(w, '}');
    shut(w, '}');
    shut(w, ']');
}

static void write_related(Writer *w, const Diag *diag)
{
    bool any = false;
    for (uint32_t i = 0; i < diag->labels.n; i++) {
        const Source *source = source_get(diag->list->sources, diag->labels.at[i].span.source);
        if (!source)
            continue;
        if (!any)
            open_field(w, "relatedLocations", '[');
        any = true;
        location(w, source, &diag->labels.at[i], i + 1);
    }
    if (any)
        shut(w, ']');
}

/* `again`: how many earlier results have the same fingerprint. */
static void write_result(Writer *w, const Diag *diag, const Results *rules, uint64_t hash, unsigned again, bool allowed)
{
    Arena *arena = w->out->arena;
    open_item(w);
    string_field(w, "ruleId", str_of(diag->code));
    uint32_t index = 0;
    while (strcmp(rules->at[index]->code, diag->code) != 0)
        index++;
    number_field(w, "ruleIndex", index);
    string_field(w, "level", str_of(sarif_level(diag->level)));
    text_field(w, "message", diag_whole_text(arena, diag));
    const Source *source = source_get(diag->list->sources, diag->primary.span.source);
    open_field(w, "locations", '[');
    if (source)
        location(w, source, &diag->primary, 0);
    shut(w, ']');
    write_related(w, diag);
    if (diag->edits.n)
        write_fix(w, diag);
    if (allowed) {
        open_field(w, "suppressions", '[');
        open_item(w);
        string_field(w, "kind", STR("inSource"));
        if (diag->reason.n)
            string_field(w, "justification", diag->reason);
        shut(w, '}');
        shut(w, ']');
    }
    open_field(w, "partialFingerprints", '{');
    string_field(w, "actFinding/v1", str_printf(arena, "%016llx:%u", (unsigned long long)hash, again + 1));
    shut(w, '}');
    shut(w, '}');
}

typedef struct Print {
    uint64_t hash;
    uint32_t source, index;
} Print;

static int compare_prints(const void *left, const void *right)
{
    const Print *a = left, *b = right;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

static void write_results(Writer *w, const Results *results, uint32_t shown, const Results *rules)
{
    Arena *arena = w->out->arena;
    Print *print = arena_array(arena, Print, results->n);
    unsigned *again = arena_array(arena, unsigned, results->n);
    for (uint32_t i = 0; i < results->n; i++)
        print[i] = (Print){fingerprint(results->at[i]), results->at[i]->primary.span.source, i};
    if (results->n)
        qsort(print, results->n, sizeof *print, compare_prints);
    for (uint32_t i = 1; i < results->n; i++)
        if (print[i].hash == print[i - 1].hash && print[i].source == print[i - 1].source)
            again[print[i].index] = again[print[i - 1].index] + 1;
    open_field(w, "results", '[');
    for (uint32_t i = 0; i < results->n; i++)
        write_result(w, results->at[i], rules, fingerprint(results->at[i]), again[i], i >= shown);
    shut(w, ']');
}

static void write_driver(Writer *w, const Results *rules, const SarifTool *tool)
{
    open_field(w, "tool", '{');
    open_field(w, "driver", '{');
    string_field(w, "name", str_of(tool->name));
    string_field(w, "version", str_of(tool->version));
    string_field(w, "informationUri", str_of(tool->uri));
    open_field(w, "rules", '[');
    for (uint32_t i = 0; i < rules->n; i++)
        write_rule(w, rules->at[i], tool);
    shut(w, ']');
    shut(w, '}');
    shut(w, '}');
}

Str sarif_document(Arena *arena, const Diags *diags, const DiagStyle *style, const SarifTool *tool)
{
    Results results = {0};
    for (uint32_t i = 0, n = diag_printed(diags, style); i < n; i++)
        if (diag_shown(diags->list.at[i], style))
            *vec_push(arena, &results) = diags->list.at[i];
    uint32_t shown = results.n;
    for (uint32_t i = 0; i < diags->allowed.n; i++)
        if (diag_shown(diags->allowed.at[i], style))
            *vec_push(arena, &results) = diags->allowed.at[i];
    Results rules = find_rules(arena, &results);

    Text out = {.arena = arena};
    Writer writer = {.out = &out}, *w = &writer;
    open(w, '{');
    string_field(w, "$schema", STR("https://json.schemastore.org/sarif-2.1.0.json"));
    string_field(w, "version", STR("2.1.0"));
    open_field(w, "runs", '[');
    open_item(w);
    write_driver(w, &rules, tool);
    open_field(w, "invocations", '[');
    open_item(w);
    key(w, "executionSuccessful");
    text_add(w->out, tool->failed ? STR("false") : STR("true"));
    shut(w, '}');
    shut(w, ']');
    string_field(w, "columnKind", STR("unicodeCodePoints"));
    write_results(w, &results, shown, &rules);
    shut(w, '}');
    shut(w, ']');
    shut(w, '}');
    text_putc(w->out, '\n');
    return text_str(&out);
}
