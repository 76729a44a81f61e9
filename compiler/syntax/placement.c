/* Which statement may stand in which body. The grammar takes any statement anywhere, so that what is wrong is only its
 * place, and the message can say where it belongs. */
#include "syntax/build.h"

#include "syntax/words.h"

#define BIT(kind) (UINT64_C(1) << AST_##kind)

_Static_assert(AST_KIND_COUNT <= 64, "a set of kinds is one word");

/* What the body of each kind holds; 0: it has none. */
static const uint64_t allowed[AST_KIND_COUNT] = {
    [AST_FILE] = BIT(IMPORT) | BIT(PARAM) | BIT(MODEL) | BIT(DATA) | BIT(TRAIN) | BIT(BLOCK) | BIT(FUNCTION) |
                 BIT(OPTIMIZER),
    [AST_MODEL] = BIT(INPUT) | BIT(TARGET) | BIT(SHARE) | BIT(ASSIGN) | BIT(LOSS) | BIT(METRIC) | BIT(OUTPUT) |
                  BIT(BLOCK),
    [AST_BLOCK] = BIT(SHARE) | BIT(ASSIGN) | BIT(RESULT) | BIT(BLOCK),
    [AST_OPTIMIZER] = BIT(STATE) | BIT(ASSIGN),
    [AST_DATA] = BIT(PART) | BIT(ASSIGN) | BIT(SETTING),
    [AST_PART] = BIT(ASSIGN) | BIT(SETTING),
    [AST_TRAIN] = BIT(SETTING),
};

static const char *where_name(AstKind kind)
{
    switch (kind) {
    case AST_MODEL:
        return "in a model";
    case AST_BLOCK:
        return "in a block";
    case AST_OPTIMIZER:
        return "in an optimizer";
    case AST_DATA:
        return "in a data definition";
    case AST_PART:
        return "in a part of the data";
    case AST_TRAIN:
        return "in a train definition";
    default:
        return "at the top level of a file";
    }
}

/* Where a statement belongs, for the help. */
static const char *home_of(AstKind kind)
{
    switch (kind) {
    case AST_INPUT:
    case AST_TARGET:
    case AST_LOSS:
    case AST_METRIC:
    case AST_OUTPUT:
        return "it belongs in a model";
    case AST_SHARE:
        return "it belongs in a model or a block";
    case AST_STATE:
        return "it belongs in an optimizer";
    case AST_PART:
        return "it belongs in a data definition";
    case AST_BLOCK:
        return "it belongs in the file, a model or a block";
    case AST_ASSIGN:
    case AST_RESULT:
        return "it belongs in a model or a block";
    case AST_SETTING:
        return "it belongs in a train definition";
    default:
        return "it belongs at the top level of a file, outside of all braces";
    }
}

typedef struct Placement {
    Diags *diags;
    const Source *source;
} Placement;

static Diag *placement_report(const Placement *p, Span span, const char *what, AstKind parent)
{
    return diag_new(p->diags, LEVEL_ERROR, "ACT0007", "misplaced", span, "%s does not belong %s", what,
                    where_name(parent));
}

/* The first word of a statement. */
static Span first_word(const Placement *p, const Ast *node)
{
    Span span = node->span;
    uint32_t end = span.begin;
    while (end < span.end && p->source->text.p[end] >= 'a' && p->source->text.p[end] <= 'z')
        end++;
    span.end = end > span.begin ? end : span.end;
    return span;
}

static void report_assign(const Placement *p, const Ast *node, AstKind parent)
{
    const Ast *names = node->kid[0];
    Span name = names->n_kid ? names->kid[0]->span : node->span;
    Diag *d = placement_report(p, name, "a named value", parent);
    if (parent == AST_FILE) {
        diag_help(d, "a value for the whole file is a `param`");
        if (names->n_kid == 1 && !node->kid[1] && !node->text.n)
            diag_fix(d, FIX_UNSAFE, (Span){name.source, name.begin, name.begin}, "param ");
    } else if (parent == AST_TRAIN && names->n_kid == 1) {
        Str key = source_slice(p->diags->sources, name);
        diag_help(d, "a setting has no `=`: `" STR_FMT " …`", STR_ARG(key));
        if (node->kid[2] && !node->kid[1])
            diag_fix(d, FIX_SAFE, (Span){name.source, name.end, node->kid[2]->span.begin}, " ");
    } else {
        diag_help(d, "%s", home_of(AST_ASSIGN));
    }
}

static const char *statement_looks_like(Str word)
{
    for (unsigned i = 0; i < words_count; i++)
        if ((words_table[i].places & IN_BODY) && str_is(word, words_table[i].text))
            return words_table[i].looks_like;
    return NULL;
}

static void report_result(const Placement *p, const Ast *node, AstKind parent)
{
    const Ast *value = node->n_kid ? node->kid[0] : node;
    if (parent == AST_MODEL) {
        const char *looks_like = value->kind == AST_NAME ? statement_looks_like(value->text) : NULL;
        if (looks_like) { /* `loss` and nothing behind it */
            diag_help(diag_new(p->diags, LEVEL_ERROR, "ACT0002", "syntax", node->span,
                               "nothing stands behind `" STR_FMT "`", STR_ARG(value->text)),
                      "it looks like this: `%s`", looks_like);
            return;
        }
        Diag *d = diag_new(p->diags, LEVEL_ERROR, "ACT0007", "misplaced", node->span,
                           "this value is computed and not used");
        if (value->kind == AST_UNARY || (value->kind == AST_BINARY && value->kid[0]->kind == AST_UNARY))
            diag_help(d, "a line that begins with `-` is a new value: to subtract, end the line above with `-`");
        else
            diag_help(d, "give it a name (`h = …`), or make it an output (`output …`)");
    } else {
        Diag *d = placement_report(p, node->span, "a value", parent);
        if (parent == AST_FILE)
            diag_help(d, "%s", home_of(AST_RESULT));
        else
            diag_help(d, "give it a name: `name = …`");
    }
}

static void check_statement(const Placement *p, const Ast *node, AstKind parent)
{
    if (node->kind == AST_ERROR || (allowed[parent] & UINT64_C(1) << node->kind))
        return;
    if (node->kind == AST_ASSIGN) {
        report_assign(p, node, parent);
    } else if (node->kind == AST_RESULT) {
        report_result(p, node, parent);
    } else {
        Span word = first_word(p, node);
        Str text = source_slice(p->diags->sources, word);
        Str what = str_printf(p->diags->arena, "`" STR_FMT "`", STR_ARG(text));
        diag_help(placement_report(p, word, str_c(p->diags->arena, what), parent), "%s", home_of(node->kind));
    }
}

/* The last line of a block is its value, and no other line is. */
static void check_block(const Placement *p, const Ast *block)
{
    const Ast *last = block->n_kid > 1 ? block->kid[block->n_kid - 1] : NULL;
    bool broken = false;
    for (uint32_t i = 1; i < block->n_kid; i++) {
        const Ast *node = block->kid[i];
        broken = broken || node->kind == AST_ERROR;
        if (node->kind != AST_RESULT || node == last)
            continue;
        Diag *d = diag_new(p->diags, LEVEL_ERROR, "ACT0007", "misplaced", node->span,
                           "only the last line of a block is its value");
        diag_help(d, "give this value a name (`h = …`), or move it to the end");
        broken = true;
    }
    if (broken || (last && last->kind == AST_RESULT))
        return;
    Diag *d = diag_new(p->diags, LEVEL_ERROR, "ACT0007", "misplaced", block->name_span,
                       "the block `" STR_FMT "` has no value", STR_ARG(block->text));
    if (last && last->kind == AST_ASSIGN) {
        diag_label(d, last->span, "this line only names one");
        diag_help(d, "the last line of a block is its value, without a name");
    } else {
        diag_help(d, "end it with a line that is its value: `x |> linear(8)`");
    }
}

static void check_body(const Placement *p, const Ast *body)
{
    uint32_t first = body->kind == AST_BLOCK || body->kind == AST_OPTIMIZER; /* behind PARAMETERS */
    for (uint32_t i = first; i < body->n_kid; i++) {
        check_statement(p, body->kid[i], body->kind);
        if (allowed[body->kid[i]->kind])
            check_body(p, body->kid[i]);
    }
    if (body->kind == AST_BLOCK)
        check_block(p, body);
}

void placement_check(Diags *diags, const Source *source, const Ast *root)
{
    check_body(&(Placement){diags, source}, root);
}
