/* Taking up definitions: the standard library, the user's file, and what it imports, each file once. */
#include "base/file.h"
#include "ops/registry.h"
#include "sema/sema.h"
#include "syntax/parse.h"

enum { MAX_FILES = 500 };

typedef struct Embedded {
    const char *name;
    const unsigned char *text;
    size_t size;
} Embedded;

#define EMBED(name, ...) {name, (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__}) - 1},
static const Embedded std_files[] = {
#include "sema/std_files.inc"
    {NULL, NULL, 0}};
#undef EMBED

static DefKind function_kind(Str word)
{
    if (str_is(word, "activation"))
        return DEF_ACTIVATION;
    if (str_is(word, "loss"))
        return DEF_LOSS;
    if (str_is(word, "initializer"))
        return DEF_INITIALIZER;
    if (str_is(word, "schedule"))
        return DEF_SCHEDULE;
    return DEF_FUNCTION;
}

/* Definitions that a name in an expression can mean: within one file they may not share a name. */
static bool callable(DefKind kind)
{
    return kind == DEF_ACTIVATION || kind == DEF_FUNCTION || kind == DEF_LOSS || kind == DEF_INITIALIZER ||
           kind == DEF_BLOCK || kind == DEF_PARAM;
}

static const Item *same_name(const Sema *s, DefKind kind, Str name)
{
    for (uint32_t i = 0; i < s->items.n; i++) {
        const Item *item = s->items.at[i];
        bool rivals = item->def.kind == kind || (callable(item->def.kind) && callable(kind));
        if (!item->def.library && item->env == s->global && rivals && str_eq(item->def.name, name))
            return item;
    }
    return NULL;
}

Item *item_add(Sema *s, DefKind kind, const Ast *ast, Frame *env, bool library)
{
    if (!library && env == s->global) {
        const Item *other = same_name(s, kind, ast->text);
        if (other) {
            Diag *diag = sema_error(s, CODE_duplicate_name, ast->name_span, "`" STR_FMT "` is defined twice",
                                    STR_ARG(ast->text));
            diag_label(diag, other->def.ast->name_span, "first defined here");
            return NULL;
        }
    }
    Item *item = arena_new_of(s->arena, Item);
    item->def = (Def){.kind = kind, .name = ast->text, .doc = ast->doc, .ast = ast, .library = library};
    item->env = env;
    for (uint32_t i = 0; i < ast->n_kid; i++)
        if (ast->kid[i] && ast->kid[i]->kind == AST_PARAMETERS)
            item->params = ast->kid[i];
    if (ast->kind == AST_FUNCTION && ast->n_kid > 1)
        item->body = ast->kid[1];
    if (env != s->global) { /* a block inside a model is found through its frame */
        for (uint32_t i = 0; i < s->cyclic.n; i++)
            item->poisoned = item->poisoned || s->cyclic.at[i] == ast;
        return item;
    }
    *vec_push(s->arena, &s->items) = item;
    map_set(&s->by_kind[kind], ast->text, item);
    if (library)
        map_set(&s->library[kind], ast->text, item);
    return item;
}

/* "a/./b/../c.act" -> "a/c.act", so that a file has one name however it is reached. */
static Str normal_path(Sema *s, Str path)
{
    VEC(Str) part = {0};
    bool absolute = path.n && path.p[0] == '/';
    for (uint32_t i = 0; i < path.n;) {
        uint32_t end = i;
        while (end < path.n && path.p[end] != '/')
            end++;
        Str one = {path.p + i, end - i};
        bool up = str_is(one, "..") && part.n && !str_is(part.at[part.n - 1], "..");
        if (up)
            part.n--;
        else if (one.n && !str_is(one, "."))
            *vec_push(s->arena, &part) = one;
        i = end + 1;
    }
    Text text = {.arena = s->arena};
    for (uint32_t i = 0; i < part.n; i++)
        text_printf(&text, "%s" STR_FMT, i || absolute ? "/" : "", STR_ARG(part.at[i]));
    return text_str(&text);
}

static const Source *read_import(Sema *s, Str path, Str *why)
{
    const SemaOptions *options = s->options;
    Str text;
    if (options && options->open && options->open(options->open_context, path, &text))
        return source_add(s->program->sources, path, text, false);
    return source_read(s->program->sources, path, why);
}

static void import_file(Sema *s, const Ast *import)
{
    const Source *from = source_get(s->program->sources, import->span.source);
    Str path = path_join(s->arena, path_dir(s->arena, from->path), import->text);
    path = normal_path(s, path);
    if (str_is(path, "-")) {
        sema_error(s, CODE_unreadable_import, import->span, "standard input can't be imported");
        return;
    }
    for (uint32_t i = 0; i < s->program->sources->list.n; i++)
        if (str_eq(normal_path(s, s->program->sources->list.at[i]->path), path))
            return; /* taken up already, or being taken up: a cycle of imports is harmless */
    if (s->program->sources->list.n > MAX_FILES) {
        sema_error(s, CODE_too_large, import->span, "more than %d files are imported", MAX_FILES);
        return;
    }
    Str why;
    const Source *source = read_import(s, path, &why);
    if (!source) {
        sema_error(s, CODE_unreadable_import, import->span, STR_FMT, STR_ARG(why));
        return;
    }
    library_file(s, parse_source(s->arena, s->diags, source), false);
}

void library_file(Sema *s, const Ast *file, bool library)
{
    for (uint32_t i = 0; i < file->n_kid; i++) {
        const Ast *def = file->kid[i];
        if (!def)
            continue;
        if (def->kind == AST_IMPORT)
            import_file(s, def);
        else if (def->kind == AST_FUNCTION)
            item_add(s, function_kind(def->word), def, s->global, library);
        else if (def->kind == AST_OPTIMIZER)
            item_add(s, DEF_OPTIMIZER, def, s->global, library);
        else if (def->kind == AST_BLOCK)
            item_add(s, DEF_BLOCK, def, s->global, library);
        else if (def->kind == AST_PARAM) {
            if (item_add(s, DEF_PARAM, def, s->global, library)) {
                Binding *b = frame_bind(s, s->global, def->text, def->name_span);
                b->statement = def;
                b->frame = s->global;
                b->callable = true;
            }
        } else if (def->kind == AST_MODEL)
            item_add(s, DEF_MODEL, def, s->global, library);
        else if (def->kind == AST_DATA)
            item_add(s, DEF_DATA, def, s->global, library);
    }
    *vec_push(s->arena, &s->files) = file;
}

/* Layers and the distributions everything else is defined by stand behind names like any definition. */
static void add_native(Sema *s, DefKind kind, const char *name, const char *doc, const Layer *layer)
{
    Item *item = arena_new_of(s->arena, Item);
    item->def = (Def){.kind = kind, .name = str_of(name), .doc = str_of(doc), .layer = layer, .library = true};
    item->env = s->global;
    *vec_push(s->arena, &s->items) = item;
    map_set(&s->by_kind[kind], item->def.name, item);
    map_set(&s->library[kind], item->def.name, item);
}

void library_load(Sema *s)
{
    for (unsigned i = 0; i < layer_count(); i++)
        add_native(s, DEF_LAYER, layer_at(i)->name, layer_at(i)->doc, layer_at(i));
    for (unsigned i = 0; i < init_native_count(); i++)
        add_native(s, DEF_INITIALIZER, init_native_name(i), init_native_doc(i), NULL);
    for (unsigned i = 0; i < metric_count(); i++)
        add_native(s, DEF_METRIC, metric_name(i), metric_doc(i), NULL);
    for (uint32_t i = 0; std_files[i].name; i++) {
        Str path = str_printf(s->arena, "<std>/%s", std_files[i].name);
        Str text = {(const char *)std_files[i].text, (uint32_t)std_files[i].size};
        const Source *source = source_add(s->program->sources, path, text, true);
        library_file(s, parse_source(s->arena, s->diags, source), true);
    }
}
