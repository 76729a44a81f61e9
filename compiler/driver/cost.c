#include "driver/cost.h"

#include "driver/table.h"
#include "kernel/cost.h"
#include "kernel/words.h"

typedef struct CostReport {
    Arena *arena;
    const Sources *sources;
    const UnitModel *unit;
    const Plan *plan;
    const LoopProgram *program;
    const Target *target;
    CostMachine machine;
    ProgramCost cost;
} CostReport;

static const char *bound(const KernelCost *cost) { return cost->memory_us > cost->compute_us ? "memory" : "compute"; }

static Str whole(Arena *arena, double value) { return table_grouped(arena, (uint64_t)(value + 0.5)); }

static void put_row(const CostReport *r, const Table *table, uint32_t row, const KernelCost *cost)
{
    *table_cell(table, row, 4) = whole(r->arena, cost->product_flops + cost->element_ops);
    *table_cell(table, row, 5) = whole(r->arena, cost->read + cost->written);
    *table_cell(table, row, 6) = str_printf(r->arena, "%.2f", cost->us);
}

static void print_table(const CostReport *r, Text *out)
{
    const LoopProgram *program = r->program;
    Table table = table_new(r->arena, program->kernels.n + 1);
    static const struct {
        const char *head;
        bool left;
    } column[] = {{"kernel", true}, {"layer", true},  {"line", false}, {"what", true},
                  {"FLOPs", false}, {"bytes", false}, {"us", false},   {"bound", true}};
    for (unsigned c = 0; c < sizeof column / sizeof *column; c++)
        table_column(&table, column[c].head, column[c].left);
    for (uint32_t k = 0; k < program->kernels.n; k++) {
        const LoopKernel *kernel = &program->kernels.at[k];
        uint32_t line = words_line(r->sources, kernel);
        *table_cell(&table, k, 0) = str_printf(r->arena, "k%u", k);
        *table_cell(&table, k, 1) = words_layer(r->unit, r->plan, kernel);
        *table_cell(&table, k, 2) = line ? str_printf(r->arena, "%u", line) : (Str){0};
        *table_cell(&table, k, 3) = words_of_kernel(r->arena, r->unit, r->plan, kernel);
        put_row(r, &table, k, &r->cost.kernel[k]);
        *table_cell(&table, k, 7) = str_of(bound(&r->cost.kernel[k]));
    }
    *table_cell(&table, program->kernels.n, 0) = STR("total");
    put_row(r, &table, program->kernels.n, &r->cost.total);
    text_printf(out, STR_FMT " of " STR_FMT ", %u rows, for %s:\n", STR_ARG(program->name),
                STR_ARG(r->unit->model->name), r->unit->batch, r->target->name);
    table_print(&table, out);
    const CostMachine *m = &r->machine;
    Str size = table_size(r->arena, r->cost.footprint);
    text_printf(
        out,
        "\nOne thread. Assumed: %.1f GHz, %u FLOPs a cycle (%.0f GFLOP/s).\n" STR_FMT
        " are touched, so what a kernel must read and write comes from the %s at %.0f bytes a cycle (%.0f GB/s).\n",
        m->ghz, r->target->flops_cycle, m->ghz * r->target->flops_cycle, STR_ARG(size), cost_level_name(r->cost.level),
        m->bytes_cycle[r->cost.level], m->bytes_cycle[r->cost.level] * m->ghz);
    double peak = r->cost.total.product_flops / (m->ghz * r->target->flops_cycle) * 1e-3;
    if (r->cost.total.us > 0 && peak > 0)
        text_printf(out, "The products alone take %.1f us at that peak, %.0f %% of the prediction.\n", peak,
                    100 * peak / r->cost.total.us);
}

static void put_numbers(const KernelCost *c, Text *out)
{
    text_printf(out, ",\"product_flops\":%.0f,\"element_ops\":%.0f,\"read_bytes\":%.0f,\"written_bytes\":%.0f",
                c->product_flops, c->element_ops, c->read, c->written);
    text_printf(out, ",\"compute_us\":%.3f,\"memory_us\":%.3f,\"us\":%.3f", c->compute_us, c->memory_us, c->us);
}

static void print_json(const CostReport *r, Text *out)
{
    for (uint32_t k = 0; k < r->program->kernels.n; k++) {
        const LoopKernel *kernel = &r->program->kernels.at[k];
        Str layer = words_layer(r->unit, r->plan, kernel), what = words_of_kernel(r->arena, r->unit, r->plan, kernel);
        uint32_t line = words_line(r->sources, kernel);
        text_printf(out, "{\"model\":\"" STR_FMT "\",\"program\":\"" STR_FMT "\",\"kernel\":\"" STR_FMT "\",\"layer\":",
                    STR_ARG(r->unit->model->name), STR_ARG(r->program->name), STR_ARG(kernel->name));
        text_printf(out, layer.n ? "\"" STR_FMT "\"" : "null", STR_ARG(layer));
        text_printf(out, line ? ",\"line\":%u" : ",\"line\":null", line);
        text_printf(out, ",\"what\":\"" STR_FMT "\"", STR_ARG(what));
        put_numbers(&r->cost.kernel[k], out);
        text_printf(out, ",\"bound\":\"%s\"}\n", bound(&r->cost.kernel[k]));
    }
    text_printf(out, "{\"model\":\"" STR_FMT "\",\"program\":\"" STR_FMT "\",\"batch\":%u,\"target\":\"%s\"",
                STR_ARG(r->unit->model->name), STR_ARG(r->program->name), r->unit->batch, r->target->name);
    put_numbers(&r->cost.total, out);
    text_printf(out, ",\"memory_bound_kernels\":%u,\"footprint_bytes\":%llu", r->cost.memory_bound,
                (unsigned long long)r->cost.footprint);
    text_printf(out, ",\"ghz\":%.1f,\"flops_cycle\":%u,\"bytes_cycle\":%.0f}\n", r->machine.ghz, r->target->flops_cycle,
                r->machine.bytes_cycle[r->cost.level]);
}

int cost_report(const Session *s, const Unit *unit)
{
    Text text = {.arena = s->arena};
    for (uint32_t i = 0; i < unit->models.n; i++) {
        const UnitModel *model = &unit->models.at[i];
        bool trained = model->train_step != NULL;
        CostReport r = {.arena = s->arena, .sources = &s->sources, .unit = model, .target = unit->target};
        r.plan = trained ? model->train_plan : model->forward_plan;
        r.program = trained ? model->train_step : model->forward;
        if (!r.program)
            continue;
        r.machine = cost_machine(unit->target);
        r.cost = cost_program(s->arena, r.program, model->batch, unit->target, &r.machine);
        if (text.n > 0 && s->options->format == TABLE_TEXT)
            text_putc(&text, '\n');
        if (s->options->format == TABLE_JSON)
            print_json(&r, &text);
        else
            print_table(&r, &text);
    }
    return print_text(s->options, text_str(&text));
}
