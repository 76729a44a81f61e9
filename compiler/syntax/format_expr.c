/* A tree as text on one line. Parentheses that were written stand in the tree (GROUP); those that a tree made by the
 * compiler needs are added from the precedence. */
#include "syntax/parse.h"

/* Loosest first, as in the grammar. */
enum {
    PREC_PIPE,
    PREC_IF,
    PREC_RELATION,
    PREC_RANGE,
    PREC_SUM,
    PREC_PRODUCT,
    PREC_UNARY,
    PREC_POWER,
    PREC_OPERAND
};

static void print(Text *out, const Ast *node);

static int binary_level(const Ast *node)
{
    char c = node->text.n ? node->text.p[0] : 0;
    if (c == '^')
        return PREC_POWER;
    if (c == '*' || c == '/')
        return PREC_PRODUCT;
    return c == '+' || c == '-' ? PREC_SUM : PREC_RELATION;
}

static int level_of(const Ast *node)
{
    switch ((int)node->kind) {
    case AST_PIPE:
        return PREC_PIPE;
    case AST_IF:
        return PREC_IF;
    case AST_RANGE:
        return PREC_RANGE;
    case AST_UNARY:
        return PREC_UNARY;
    case AST_BINARY:
        return binary_level(node);
    default:
        return PREC_OPERAND;
    }
}

static void print_at(Text *out, const Ast *node, int level)
{
    bool group = level_of(node) < level;
    if (group)
        text_putc(out, '(');
    print(out, node);
    if (group)
        text_putc(out, ')');
}

/* What may be called, piped into, labelled or asked for a field without parentheses. */
static void print_callable(Text *out, const Ast *node)
{
    bool plain = node->kind == AST_NAME || node->kind == AST_GROUP || node->kind == AST_CALL || node->kind == AST_FIELD;
    if (!plain)
        text_putc(out, '(');
    print(out, node);
    if (!plain)
        text_putc(out, ')');
}

static void print_list(Text *out, const Ast *node, uint32_t from)
{
    for (uint32_t i = from; i < node->n_kid; i++) {
        if (i > from)
            text_add(out, STR(", "));
        print(out, node->kid[i]);
    }
}

static void print_binary(Text *out, const Ast *node)
{
    int level = binary_level(node);
    const char *space = level == PREC_POWER ? "" : " ";
    int left = level == PREC_POWER ? PREC_OPERAND : level == PREC_RELATION ? PREC_RANGE : level;
    print_at(out, node->kid[0], left);
    text_printf(out, "%s" STR_FMT "%s", space, STR_ARG(node->text), space);
    print_at(out, node->kid[1], level == PREC_POWER ? PREC_UNARY : level + 1);
}

static void print_string(Text *out, Str text)
{
    text_putc(out, '"');
    for (uint32_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else if (c == '\n')
            text_add(out, STR("\\n"));
        else if (c == '\t')
            text_add(out, STR("\\t"));
        else
            text_putc(out, c);
    }
    text_putc(out, '"');
}

static void print_type(Text *out, const Ast *type)
{
    text_add(out, type->text);
    if (type->kid[0]) {
        text_putc(out, '(');
        print(out, type->kid[0]);
        text_putc(out, ')');
    }
    if (type->kid[1]) {
        text_putc(out, '[');
        print(out, type->kid[1]);
        text_putc(out, ']');
    }
    if (type->kid[2]) {
        text_add(out, STR(" in ["));
        print_list(out, type->kid[2], 0);
        text_putc(out, ']');
    }
}

static void print_setting(Text *out, const Ast *node)
{
    text_add(out, node->text);
    for (uint32_t i = 0; i < node->n_kid; i++) {
        text_add(out, str_is(node->kid[i]->word, ",") ? STR(", ") : STR(" "));
        print(out, node->kid[i]);
    }
}

/* word name(parameters) { a; b } */
static void print_body(Text *out, const Ast *node, const char *word, uint32_t from)
{
    text_printf(out, "%s%s" STR_FMT, word, *word ? " " : "", STR_ARG(node->text));
    if (from)
        print(out, node->kid[0]);
    text_add(out, STR(" { "));
    for (uint32_t i = from; i < node->n_kid; i++) {
        if (i > from)
            text_add(out, STR("; "));
        print(out, node->kid[i]);
    }
    text_add(out, node->n_kid > from ? STR(" }") : STR("}"));
}

/* word name = value, or word value */
static void print_named(Text *out, const Ast *node, const char *word)
{
    text_printf(out, "%s ", word);
    if (node->kind == AST_LOSS && node->kid[1]) {
        text_printf(out, STR_FMT "%sfor ", STR_ARG(node->text), node->text.n ? " " : "");
        print_list(out, node->kid[1], 0);
        text_add(out, STR(" : "));
    } else if (node->text.n) {
        text_printf(out, STR_FMT " = ", STR_ARG(node->text));
    }
    print(out, node->kid[0]);
}

static void print_statement(Text *out, const Ast *node)
{
    switch ((int)node->kind) {
    case AST_FILE:
        for (uint32_t i = 0; i < node->n_kid; i++) {
            print(out, node->kid[i]);
            text_putc(out, '\n');
        }
        break;
    case AST_IMPORT:
        text_add(out, STR("import "));
        print_string(out, node->text);
        break;
    case AST_PARAM:
        print_named(out, node, "param");
        break;
    case AST_SHARE:
        print_named(out, node, "share");
        break;
    case AST_STATE:
        print_named(out, node, "state");
        break;
    case AST_LOSS:
        print_named(out, node, "loss");
        break;
    case AST_METRIC:
        print_named(out, node, "metric");
        break;
    case AST_OUTPUT:
        print_named(out, node, "output");
        break;
    case AST_MODEL:
        print_body(out, node, "model", 0);
        break;
    case AST_DATA:
        print_body(out, node, "data", 0);
        break;
    case AST_PART:
        print_body(out, node, "", 0);
        break;
    case AST_TRAIN:
        print_body(out, node, "train", 0);
        break;
    case AST_BLOCK:
        print_body(out, node, "block", 1);
        break;
    case AST_OPTIMIZER:
        print_body(out, node, "optimizer", 1);
        break;
    case AST_FUNCTION:
        text_printf(out, STR_FMT " " STR_FMT, STR_ARG(node->word), STR_ARG(node->text));
        if (node->kid[0])
            print(out, node->kid[0]);
        text_add(out, STR(" = "));
        print(out, node->kid[1]);
        break;
    case AST_ASSIGN:
        print_list(out, node->kid[0], 0);
        if (node->kid[1]) {
            text_add(out, STR(" : "));
            print(out, node->kid[1]);
        }
        text_add(out, STR(" = "));
        print(out, node->kid[2]);
        if (node->text.n)
            text_printf(out, " when " STR_FMT, STR_ARG(node->text));
        break;
    case AST_INPUT:
        text_printf(out, "input " STR_FMT " : ", STR_ARG(node->text));
        print(out, node->kid[0]);
        if (node->kid[1]) {
            text_add(out, STR(" = "));
            print(out, node->kid[1]);
        }
        break;
    case AST_TARGET:
        text_printf(out, "target " STR_FMT " : ", STR_ARG(node->text));
        print(out, node->kid[0]);
        break;
    case AST_ALLOW:
        text_add(out, STR("@allow("));
        print_list(out, node, 0);
        text_add(out, STR(", reason = "));
        print_string(out, node->text);
        text_add(out, STR(") "));
        break;
    default:
        print_setting(out, node);
        break;
    }
}

static void print_expression(Text *out, const Ast *node)
{
    switch ((int)node->kind) {
    case AST_STRING:
        print_string(out, node->text);
        break;
    case AST_LIST:
        text_putc(out, '[');
        print_list(out, node, 0);
        text_putc(out, ']');
        break;
    case AST_PARAMETERS:
    case AST_GROUP:
    case AST_TUPLE:
        text_putc(out, '(');
        print_list(out, node, 0);
        text_putc(out, ')');
        break;
    case AST_CALL:
        print_callable(out, node->kid[0]);
        text_putc(out, '(');
        print_list(out, node, 1);
        text_putc(out, ')');
        break;
    case AST_PARAMETER:
    case AST_ARG:
        text_add(out, node->text);
        if (node->kid[0]) {
            text_add(out, node->text.n ? STR(" = ") : STR(""));
            print(out, node->kid[0]);
        }
        break;
    case AST_PIPE:
        print_at(out, node->kid[0], PREC_PIPE);
        text_add(out, STR(" |> "));
        if (node->kid[1]->kind == AST_LABEL)
            print(out, node->kid[1]);
        else
            print_callable(out, node->kid[1]);
        break;
    case AST_LABEL:
        print_callable(out, node->kid[0]);
        text_printf(out, " as " STR_FMT, STR_ARG(node->text));
        break;
    case AST_FIELD:
        print_callable(out, node->kid[0]);
        text_printf(out, "." STR_FMT, STR_ARG(node->text));
        break;
    case AST_UNARY:
        text_putc(out, '-');
        print_at(out, node->kid[0], PREC_UNARY);
        break;
    case AST_BINARY:
        print_binary(out, node);
        break;
    case AST_IF:
        text_add(out, STR("if "));
        print_at(out, node->kid[0], PREC_IF);
        text_add(out, STR(" then "));
        print_at(out, node->kid[1], PREC_IF);
        text_add(out, STR(" else "));
        print_at(out, node->kid[2], PREC_IF);
        break;
    case AST_RANGE:
        print_at(out, node->kid[0], PREC_SUM);
        text_add(out, STR(".."));
        print_at(out, node->kid[1], PREC_SUM);
        break;
    case AST_FOR:
        text_add(out, STR("for "));
        print_list(out, node, 0);
        break;
    case AST_NAMES:
    case AST_RESULT:
    case AST_SHAPE:
    case AST_COUNT:
        print_list(out, node, 0);
        break;
    case AST_TYPE:
        print_type(out, node);
        break;
    case AST_ERROR:
        text_add(out, STR("?"));
        break;
    default: /* NUMBER, NAME */
        if (node->text.n)
            text_add(out, node->text);
        else
            text_number(out, node->number); /* a number the compiler made */
        break;
    }
}

static void print(Text *out, const Ast *node)
{
    for (const Ast *allow = node->allow; node->kind != AST_ALLOW && allow; allow = allow->allow)
        print_statement(out, allow);
    bool statement = node->kind < AST_TYPE && node->kind != AST_PARAMETERS && node->kind != AST_PARAMETER &&
                     node->kind != AST_NAMES && node->kind != AST_RESULT && node->kind != AST_FOR;
    if (statement)
        print_statement(out, node);
    else
        print_expression(out, node);
}

Str format_expr(Arena *arena, const Ast *expr)
{
    Text out = {.arena = arena};
    print(&out, expr);
    return text_str(&out);
}
