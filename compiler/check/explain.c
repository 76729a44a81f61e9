/* actc explain NAME: finds the page, and adds the names it leads on to. */
#include "check/explain.h"

#include "ops/registry.h"
#include "sema/sema.h"

#include <ctype.h>
#include <string.h>

enum { WIDEST = 88, NARROWEST = 40, SEE_ALSO = 12 };

/* The user's definition hides the library's of the same kind; a layer and a schedule may share a name, and then both
 * are shown. */
static bool is_hidden(const Program *program, uint32_t i)
{
    const Def *def = &program->defs.at[i];
    for (uint32_t k = i + 1; k < program->defs.n; k++)
        if (program->defs.at[k].kind == def->kind && str_eq(program->defs.at[k].name, def->name))
            return true;
    return false;
}

static void explain_def(Page *page, const Def *def)
{
    static void (*const pages[])(Page *, const Def *) = {
        [DEF_ACTIVATION] = explain_activation,
        [DEF_FUNCTION] = explain_function,
        [DEF_LOSS] = explain_loss,
        [DEF_INITIALIZER] = explain_initializer,
        [DEF_OPTIMIZER] = explain_optimizer,
        [DEF_SCHEDULE] = explain_schedule,
        [DEF_BLOCK] = explain_block,
        [DEF_METRIC] = explain_metric,
        [DEF_PARAM] = explain_plain,
        [DEF_MODEL] = explain_plain,
        [DEF_DATA] = explain_plain,
    };
    pages[def->kind](page, def);
}

static bool explain_defs(Page *page, Str name)
{
    Program *program = page->program;
    const Layer *layer = layer_find(name);
    bool any = layer != NULL;
    if (layer)
        explain_layer(page, layer);
    for (uint32_t i = 0; i < program->defs.n; i++) {
        const Def *def = &program->defs.at[i];
        if (!str_eq(def->name, name) || def->kind == DEF_LAYER || is_hidden(program, i))
            continue;
        if (any)
            text_putc(page->out, '\n');
        any = true;
        explain_def(page, def);
    }
    return any;
}

static bool write_page(Page *page, Str name)
{
    const Rule *rule = check_find(name);
    if (rule) {
        explain_rule(page, rule);
        Text topic = {.arena = page->program->arena}; /* the thing beside the rule about it */
        Page beside = {page->program, &topic, page->width, page->unicode};
        if (explain_topic(&beside, str_of(rule->name))) {
            text_putc(page->out, '\n');
            text_add(page->out, text_str(&topic));
        }
        return true;
    }
    return explain_defs(page, name) || explain_error(page, name) || explain_topic(page, name) ||
           explain_primitive(page, name) || explain_word(page, name);
}

/* ── see also ── */
static bool has_page(Program *program, Str name)
{
    if (check_find(name) || check_is_hard(name) || layer_find(name))
        return true;
    for (uint32_t i = 0; i < program->defs.n; i++)
        if (str_eq(program->defs.at[i].name, name) && program->defs.at[i].kind <= DEF_BLOCK)
            return true;
    for (uint32_t i = 0; i < explain_topic_count(); i++)
        if (str_is(name, explain_topic_name(i)))
            return true;
    return false;
}

static bool is_code(Str name)
{
    return name.n > 5 && memcmp(name.p, "ACT", 3) == 0 && isdigit((unsigned char)name.p[3]);
}

/* Words in backticks and codes of rules, in the order in which they appear. */
static bool next_name(Str text, uint32_t *at, Str *name)
{
    for (; *at < text.n; (*at)++) {
        char c = text.p[*at];
        bool quoted = c == '`', code = c == 'A' && text.n - *at > 5 && is_code((Str){text.p + *at, 6});
        if (!quoted && !code)
            continue;
        uint32_t begin = *at + quoted, end = begin;
        while (end < text.n && (isalnum((unsigned char)text.p[end]) || text.p[end] == '_'))
            end++;
        if (end == begin || (quoted && (end >= text.n || text.p[end] != '`')))
            continue;
        *name = (Str){text.p + begin, end - begin};
        *at = end + quoted;
        return true;
    }
    return false;
}

/* Two names of one page: code and name. */
static bool same_page(Str a, Str b)
{
    return str_eq(a, b) || (check_find(a) && check_find(a) == check_find(b)) ||
           (check_hard_doc(a) && check_hard_doc(a) == check_hard_doc(b));
}

static void see_also(Page *page, Str name, Str text)
{
    Str seen[SEE_ALSO], found;
    unsigned n = 0;
    for (uint32_t at = 0; n < SEE_ALSO && next_name(text, &at, &found);) {
        bool known = same_page(found, name) || !has_page(page->program, found);
        for (unsigned i = 0; i < n; i++)
            known = known || same_page(seen[i], found);
        if (!known)
            seen[n++] = found;
    }
    Text line = {.arena = page->out->arena};
    for (unsigned i = 0; i < n; i++)
        text_printf(&line, "%s" STR_FMT, i ? ", " : "See also: ", STR_ARG(seen[i]));
    if (n) {
        text_putc(page->out, '\n');
        page_paragraphs(page, text_str(&line), 0);
    }
}

/* ── nothing is called so ── */
static unsigned known_names(const Program *program, Str **out)
{
    unsigned cap = 2 * check_count() + program->defs.n + layer_count() + 128, n = 0;
    Str *names = *out = arena_array(program->arena, Str, cap);
    for (unsigned i = 0; i < check_count(); i++) {
        names[n++] = str_of(check_at(i)->name);
        names[n++] = str_of(check_at(i)->code);
    }
    for (uint32_t i = 0; i < program->defs.n; i++)
        names[n++] = program->defs.at[i].name;
    for (unsigned i = 0; i < layer_count(); i++)
        names[n++] = str_of(layer_at(i)->name);
    return n + explain_topic_names(names + n, cap - n);
}

static void suggest(const Program *program, Str name, const Str *names, unsigned n, Str *why)
{
    Arena *arena = program->arena;
    int nearest = name.n > 2 ? str_nearest(name, names, n) : -1;
    if (nearest >= 0)
        *why = str_printf(arena, "nothing is called `" STR_FMT "`; there is `" STR_FMT "`", STR_ARG(name),
                          STR_ARG(names[nearest]));
    else
        *why = str_printf(arena, "nothing is called `" STR_FMT "`; `actc list` shows what there is", STR_ARG(name));
}

static unsigned page_width(const ExplainStyle *style)
{
    unsigned columns = style->columns ? style->columns : WIDEST;
    return columns > WIDEST ? WIDEST : columns < NARROWEST ? NARROWEST : columns;
}

void explain_one(Program *program, const Def *def, const ExplainStyle *style, Text *out)
{
    Page page = {program, out, page_width(style), style->unicode};
    if (def->layer)
        explain_layer(&page, def->layer);
    else
        explain_def(&page, def);
}

bool explain_page(Program *program, Str name, const ExplainStyle *style, Text *out, Str *why)
{
    Text text = {.arena = program->arena};
    Page page = {program, &text, page_width(style), style->unicode};
    if (!write_page(&page, name)) {
        Str *names; /* ReLU, nn.Linear: what others call so */
        unsigned n = known_names(program, &names);
        Str here = foreign_name(name, names, n);
        if (!here.n || !write_page(&page, here)) {
            suggest(program, name, names, n, why);
            return false;
        }
        name = here;
    }
    see_also(&page, name, text_str(&text));
    if (style->unicode)
        text_add(out, text_str(&text));
    else
        page_ascii(out, text_str(&text));
    return true;
}

bool check_explain(Program *program, Str name, Text *out, Str *why)
{
    return explain_page(program, name, &(ExplainStyle){.unicode = true}, out, why);
}

void explain_index(const ExplainStyle *style, Text *out)
{
    Text text = {.arena = out->arena};
    Page page = {NULL, &text, page_width(style), style->unicode};
    page_text(&page, "`actc explain NAME` has a page for every rule and hard error (ACT201, shape_mismatch), every "
                     "activation, loss, initializer, layer, optimizer, schedule, metric, block and function, and for "
                     "these topics:");
    text_putc(&text, '\n');
    explain_list_topics(&text, false);
    text_putc(&text, '\n');
    page_text(&page, "`actc list rules`, `actc list activations` … show what there is of a kind. With a file in front, "
                     "`actc explain model.act my_activation`, the file's own definitions have pages too.");
    if (style->unicode)
        text_add(out, text_str(&text));
    else
        page_ascii(out, text_str(&text));
}
