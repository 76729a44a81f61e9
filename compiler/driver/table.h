/* Tables of text: a column is as wide as its widest cell. Private to the driver. */
#ifndef ACT_DRIVER_TABLE_H
#define ACT_DRIVER_TABLE_H

#include "base/str.h"

enum { TABLE_COLUMNS = 8 };

typedef struct Table {
    Arena *arena;
    uint32_t n_column, n_row;
    const char *head[TABLE_COLUMNS];
    bool left[TABLE_COLUMNS]; /* flush left; numbers are flush right */
    Str *cell;                /* [row][TABLE_COLUMNS] */
} Table;

Table table_new(Arena *arena, uint32_t rows);
void table_column(Table *table, const char *head, bool left);
Str *table_cell(const Table *table, uint32_t row, uint32_t column);
/* Head and rows, each behind two blanks; no blanks at the ends of lines. */
void table_print(const Table *table, Text *out);
/* "1 234 567" reads easier than 1234567. */
Str table_grouped(Arena *arena, uint64_t value);
/* "96.4 MiB"; below 1024 "17 bytes". */
Str table_size(Arena *arena, uint64_t bytes);

#endif
