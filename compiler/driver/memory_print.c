/* Memory as a table for people and as JSON. */
#include "driver/memory.h"
#include "driver/table.h"

#include <string.h>

static uint32_t line_of(const Sources *sources, Span span)
{
    const Source *source = span.source ? source_get(sources, span.source) : NULL;
    return source ? source_place(source, span.begin).line : 0;
}

/* Batches around the model's: a quarter, half, itself, twice, four times. */
static uint32_t batches_of(const Memory *memory, uint32_t batch[5])
{
    uint32_t own = memory->model->batch, n = 0;
    for (uint32_t part = 4; part > 0; part /= 2)
        if (own / part > 0 && (n == 0 || batch[n - 1] != own / part))
            batch[n++] = own / part;
    for (uint32_t times = 2; times <= 4 && own <= UINT32_MAX / times; times *= 2)
        batch[n++] = own * times;
    return n;
}

typedef struct Column {
    const char *head;
    size_t field;
} Column;

static const Column column[] = {{"weights", offsetof(MemoryRow, weights)},
                                {"copies", offsetof(MemoryRow, copies)},
                                {"optimizer", offsetof(MemoryRow, optimizer)},
                                {"activations", offsetof(MemoryRow, activations)},
                                {"gradients", offsetof(MemoryRow, gradients)}};
enum { COLUMNS = sizeof column / sizeof *column };

static uint64_t field(const MemoryRow *row, unsigned c)
{
    uint64_t value;
    memcpy(&value, (const char *)row + column[c].field, sizeof value);
    return value;
}

/* A column in which nothing would stand is left out. */
static void print_rows(Arena *arena, const Sources *sources, const Memory *memory, Text *out)
{
    Table table = table_new(arena, memory->n + 1);
    table_column(&table, "layer", true);
    table_column(&table, "line", false);
    for (unsigned c = 0; c < COLUMNS; c++)
        if (field(&memory->total, c) > 0)
            table_column(&table, column[c].head, false);
    for (uint32_t i = 0; i <= memory->n; i++) {
        const MemoryRow *row = i < memory->n ? &memory->row[i] : &memory->total;
        uint32_t line = line_of(sources, row->span), at = 2;
        *table_cell(&table, i, 0) = row->name;
        if (line)
            *table_cell(&table, i, 1) = str_printf(arena, "%u", line);
        for (unsigned c = 0; c < COLUMNS; c++)
            if (field(&memory->total, c) > 0) {
                uint64_t bytes = field(row, c);
                *table_cell(&table, i, at++) = bytes > 0 ? table_grouped(arena, bytes) : (Str){0};
            }
    }
    table_print(&table, out);
}

static void put_size(Text *out, const char *what, uint64_t bytes)
{
    Str exact = table_grouped(out->arena, bytes), size = table_size(out->arena, bytes);
    text_printf(out, "  %-24s " STR_FMT " bytes", what, STR_ARG(exact));
    if (bytes >= 1024)
        text_printf(out, " (" STR_FMT ")", STR_ARG(size));
    text_putc(out, '\n');
}

void memory_print_table(Arena *arena, const Sources *sources, const Memory *memory, Text *out)
{
    const UnitModel *unit = memory->model;
    text_printf(out, STR_FMT ", batch %u: memory in bytes\n", STR_ARG(unit->model->name), unit->batch);
    print_rows(arena, sources, memory, out);
    text_add(out, STR("  Copies, activations and gradients lie in the work block and share its places.\n"));
    put_size(out, "parameters", unit->param_bytes);
    if (unit->state_bytes > 0)
        put_size(out, "optimizer state", unit->state_bytes);
    put_size(out, "work", unit->work_bytes);
    if (memory->best > 0)
        put_size(out, "best weights so far", memory->best);
    put_size(out, "all", memory->all);
    Str size[] = {table_size(arena, memory->train), table_size(arena, memory->forward),
                  table_size(arena, memory->evaluate)};
    text_printf(out, "  Work of a training step " STR_FMT ", of prediction " STR_FMT ", of evaluation " STR_FMT "%s",
                STR_ARG(size[0]), STR_ARG(size[1]), STR_ARG(size[2]), unit->watch_step ? "" : ".\n");
    if (unit->watch_step)
        text_printf(out, ", of a step of the monitor " STR_FMT ".\n", STR_ARG(table_size(arena, unit->watch_step->work_bytes)));
    uint32_t batch[5], n = batches_of(memory, batch);
    text_add(out, STR("  By batch:"));
    for (uint32_t i = 0; i < n; i++) {
        Str all = table_size(arena, memory_at(arena, memory, batch[i]));
        text_printf(out, "%s %u: " STR_FMT, i ? "," : "", batch[i], STR_ARG(all));
    }
    text_add(out, STR(". The data comes on top.\n"));
}

static void json_bytes(Text *out, const char *key, uint64_t bytes)
{
    text_printf(out, ",\"%s\":%llu", key, (unsigned long long)bytes);
}

void memory_print_json(Arena *arena, const Sources *sources, const Memory *memory, Text *out)
{
    const UnitModel *unit = memory->model;
    Str model = unit->model->name;
    for (uint32_t i = 0; i < memory->n; i++) {
        const MemoryRow *row = &memory->row[i];
        text_printf(out, "{\"model\":\"" STR_FMT "\",\"name\":\"" STR_FMT "\",\"kind\":\"" STR_FMT "\",\"line\":",
                    STR_ARG(model), STR_ARG(row->name), STR_ARG(row->kind));
        uint32_t line = line_of(sources, row->span);
        text_printf(out, line ? "%u" : "null", line);
        for (unsigned c = 0; c < COLUMNS; c++)
            json_bytes(out, column[c].head, field(row, c));
        text_add(out, STR("}\n"));
    }
    text_printf(out, "{\"model\":\"" STR_FMT "\",\"batch\":%u", STR_ARG(model), unit->batch);
    json_bytes(out, "param_bytes", unit->param_bytes);
    json_bytes(out, "state_bytes", unit->state_bytes);
    json_bytes(out, "work_bytes", unit->work_bytes);
    json_bytes(out, "train_bytes", memory->train);
    json_bytes(out, "forward_bytes", memory->forward);
    json_bytes(out, "evaluate_bytes", memory->evaluate);
    json_bytes(out, "best_bytes", memory->best);
    json_bytes(out, "all_bytes", memory->all);
    uint32_t batch[5], n = batches_of(memory, batch);
    text_add(out, STR(",\"batches\":["));
    for (uint32_t i = 0; i < n; i++)
        text_printf(out, "%s{\"batch\":%u,\"all_bytes\":%llu}", i ? "," : "", batch[i],
                    (unsigned long long)memory_at(arena, memory, batch[i]));
    text_add(out, STR("]}\n"));
}

int memory_report(const Session *s, const Unit *unit)
{
    Text text = {.arena = s->arena};
    for (uint32_t i = 0; i < unit->models.n; i++) {
        Memory memory = memory_of(s->arena, &unit->models.at[i]);
        if (i > 0 && s->options->format == TABLE_TEXT)
            text_putc(&text, '\n');
        if (s->options->format == TABLE_JSON)
            memory_print_json(s->arena, &s->sources, &memory, &text);
        else
            memory_print_table(s->arena, &s->sources, &memory, &text);
    }
    return print_text(s->options, text_str(&text));
}
