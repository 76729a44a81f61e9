#include "driver/table.h"

#include <string.h>

Table table_new(Arena *arena, uint32_t rows)
{
    return (Table){.arena = arena, .n_row = rows, .cell = arena_array(arena, Str, rows * TABLE_COLUMNS + 1u)};
}

void table_column(Table *table, const char *head, bool left)
{
    ACT_ASSERT(table->n_column < TABLE_COLUMNS);
    table->head[table->n_column] = head;
    table->left[table->n_column++] = left;
}

Str *table_cell(const Table *table, uint32_t row, uint32_t column) { return &table->cell[row * TABLE_COLUMNS + column]; }

static uint32_t columns_of(Str text)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    return n;
}

static void put(Text *line, Str text, uint32_t width, bool left)
{
    uint32_t pad = width - columns_of(text);
    text_printf(line, "  %*s", left ? 0 : (int)pad, "");
    text_add(line, text);
    text_printf(line, "%*s", left ? (int)pad : 0, "");
}

static void put_line(Text *out, Text *line)
{
    Str text = text_str(line);
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    text_add(out, text);
    text_putc(out, '\n');
}

void table_print(const Table *table, Text *out)
{
    uint32_t width[TABLE_COLUMNS];
    for (uint32_t c = 0; c < table->n_column; c++) {
        width[c] = (uint32_t)strlen(table->head[c]);
        for (uint32_t r = 0; r < table->n_row; r++) {
            uint32_t own = columns_of(*table_cell(table, r, c));
            width[c] = own > width[c] ? own : width[c];
        }
    }
    for (uint32_t r = 0; r <= table->n_row; r++) {
        Text line = {.arena = table->arena};
        for (uint32_t c = 0; c < table->n_column; c++)
            put(&line, r ? *table_cell(table, r - 1, c) : str_of(table->head[c]), width[c], table->left[c]);
        put_line(out, &line);
    }
}

Str table_grouped(Arena *arena, uint64_t value)
{
    char digits[32], *end = digits + sizeof digits, *at = end;
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

Str table_size(Arena *arena, uint64_t bytes)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024)
        return str_printf(arena, "%llu byte%s", (unsigned long long)bytes, bytes == 1 ? "" : "s");
    double value = (double)bytes / 1024;
    unsigned i = 0;
    for (; value >= 999.5 && i < 3; i++)
        value /= 1024;
    return str_printf(arena, "%.*f %s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, unit[i]);
}
