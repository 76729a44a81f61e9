/* actc report: what a network consists of, layer by layer. */
#include "driver/session.h"

#include "graph/op.h"

#include <string.h>

typedef struct Row {
    const LayerUse *use;
    uint32_t line;
    Str shape;
    uint64_t parameters; /* of its own: a shared layer counts where it is first used */
    uint64_t flops;      /* forward, one row */
    uint64_t bytes;      /* of its value, one row */
} Row;

static uint64_t node_flops(const Graph *g, const Node *node)
{
    if (node->op->flops)
        return node->op->flops(g, node);
    bool free = node->op->kind == OP_LEAF || node->op->kind == OP_VIEW || node->op->kind == OP_MOVE;
    return free ? 0 : type_elements(&node->type);
}

static Row report_row(Arena *arena, const Sources *sources, const Model *model, uint32_t i, bool *counted)
{
    const Graph *g = model->graph;
    const LayerUse *use = &model->layers.at[i];
    const Source *source = source_get(sources, use->outer.source ? use->outer.source : use->span.source);
    Row row = {.use = use};
    row.line = source ? source_place(source, use->outer.source ? use->outer.begin : use->span.begin).line : 0;
    Text shape = {.arena = arena};
    type_print_shape(graph_type(g, use->out), &shape);
    row.shape = text_str(&shape);
    row.bytes = type_elements(graph_type(g, use->out)) * 4;
    for (uint32_t k = 0; k < use->n_tensor; k++)
        if (!counted[use->tensor[k]]) {
            counted[use->tensor[k]] = true;
            row.parameters += type_elements(&g->tensors.at[use->tensor[k]].type);
        }
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (graph_node(g, id)->layer == i + 1)
            row.flops += node_flops(g, graph_node(g, id));
    return row;
}

/* "1 234 567" reads easier than 1234567. */
static Str grouped(Arena *arena, uint64_t value)
{
    char digits[24], *end = digits + sizeof digits, *at = end;
    unsigned n = 0;
    do {
        if (n && n % 3 == 0)
            *--at = ' ';
        *--at = (char)('0' + value % 10);
        value /= 10;
        n++;
    } while (value);
    return str_copy(arena, (Str){at, (uint32_t)(end - at)});
}

static void print_json(const Row *row, Str model, Text *out)
{
    text_printf(out,
                "{\"model\":\"" STR_FMT "\",\"name\":\"" STR_FMT "\",\"kind\":\"" STR_FMT
                "\",\"line\":%u,\"shape\":" STR_FMT,
                STR_ARG(model), STR_ARG(row->use->name), STR_ARG(row->use->kind), row->line, STR_ARG(row->shape));
    text_printf(out, ",\"parameters\":%llu,\"flops\":%llu,\"bytes\":%llu}\n", (unsigned long long)row->parameters,
                (unsigned long long)row->flops, (unsigned long long)row->bytes);
}

static void print_table(Arena *arena, const Model *model, const Row *row, uint32_t n, Text *out)
{
    int name = 5, shape = 5, parameters = 10, flops = 5;
    uint64_t all_parameters = 0, all_flops = 0;
    for (uint32_t i = 0; i < n; i++) {
        all_parameters += row[i].parameters;
        all_flops += row[i].flops;
    }
#define WIDEN(column, value) column = (int)(value) > column ? (int)(value) : column
    for (uint32_t i = 0; i < n; i++) {
        WIDEN(name, row[i].use->name.n);
        WIDEN(shape, row[i].shape.n);
    }
    WIDEN(parameters, grouped(arena, all_parameters).n);
    WIDEN(flops, grouped(arena, all_flops).n);
#undef WIDEN
    text_printf(out, STR_FMT ", batch %u\n", STR_ARG(model->name), model->graph->batch);
    text_printf(out, "  %-*s  %5s  %-*s  %*s  %*s\n", name, "layer", "line", shape, "shape", parameters, "parameters",
                flops, "FLOPs");
    for (uint32_t i = 0; i < n; i++)
        text_printf(out, "  %-*.*s  %5u  %-*.*s  %*s  %*s\n", name, STR_ARG(row[i].use->name), row[i].line, shape,
                    STR_ARG(row[i].shape), parameters, grouped(arena, row[i].parameters).p, flops,
                    grouped(arena, row[i].flops).p);
    text_printf(out, "  %-*s  %5s  %-*s  %*s  %*s\n", name, "total", "", shape, "", parameters,
                grouped(arena, all_parameters).p, flops, grouped(arena, all_flops).p);
    text_add(out, STR("  FLOPs are of one row, forward.\n"));
}

static void report_model(Arena *arena, const Sources *sources, const Model *model, bool json, Text *out)
{
    bool *counted = arena_array(arena, bool, model->graph->tensors.n + 1u);
    Row *row = arena_array(arena, Row, model->layers.n);
    for (uint32_t i = 0; i < model->layers.n; i++)
        row[i] = report_row(arena, sources, model, i, counted);
    for (uint32_t i = 0; json && i < model->layers.n; i++)
        print_json(&row[i], model->name, out);
    if (!json)
        print_table(arena, model, row, model->layers.n, out);
}

static int report_run(Arena *arena, Options *options)
{
    if (options->files.n != 1)
        return usage_error(options, options->files.n ? STR("one file at a time") : STR("no file to report on"),
                           STR("actc report model.act"));
    Session s;
    session_begin(&s, arena, options);
    const Source *source = session_read(&s, options->files.at[0]);
    if (!source)
        return EXIT_USAGE;
    Program *program = session_program(&s, source);
    int code = session_report(&s);
    Text text = {.arena = arena};
    unsigned reported = 0;
    for (uint32_t i = 0; i < program->models.n; i++) {
        const Model *model = program->models.at[i];
        if (model->poisoned)
            continue;
        if (reported++ && options->format == TABLE_TEXT)
            text_putc(&text, '\n');
        report_model(arena, &s.sources, model, options->format == TABLE_JSON, &text);
    }
    int printed = print_text(options, text_str(&text));
    code = code > printed ? code : printed;
    if (!reported && !code)
        return session_fail(&s, EXIT_PROBLEMS,
                            str_printf(arena, "`" STR_FMT "` defines no model", STR_ARG(source->path)), (Str){0});
    return code;
}

ACT_COMMAND(report) = {
    .name = "report",
    .usage = "report [options] MODEL.act",
    .summary = "shape, parameters and FLOPs of every layer",
    .doc = "Prints a row for every layer: its shape without the batch, its own parameters, and the floating-point "
           "operations of "
           "one row on the way forward.",
    .examples = "actc report model.act\n"
                "actc report model.act --format=json\n",
    .run = report_run,
};
