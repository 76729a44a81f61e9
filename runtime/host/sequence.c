#include "sequence.h"

#include "tensor.h"

#include <stdlib.h>
#include <string.h>

static int is_stream(const ActColumn *column)
{
    const ActReader *reader = column->field ? act_reader_find(column->field->reader, NULL) : NULL;
    return reader && reader->stream;
}

int act_sequence_is(const ActColumn *columns, size_t values)
{
    for (size_t v = 0; v < values; v++)
        if (is_stream(&columns[v])) return 1;
    return 0;
}

static int64_t shift_of(const ActColumn *column)
{
    double shift = 0;
    for (uint32_t t = 0; t < column->field->n_transform; t++)
        if (column->field->transform[t].kind == ACT_T_SHIFT) shift += column->field->transform[t].a;
    return (int64_t)shift;
}

static uint64_t stride_of(const ActColumn *column)
{
    const char *at = column->field->columns ? strstr(column->field->columns, "stride=") : NULL;
    return at ? strtoull(at + 7, NULL, 10) : 0;
}

/* Rows overlap where the stride is shorter: they are places in the same sequence. */
static void cut(ActColumn *column, uint64_t start, uint64_t stride, uint64_t rows)
{
    ActTable *table = &column->table;
    uint64_t width = act_tensor_width(column->tensor);
    act_table_settle(table);
    table->start += start * act_element_size(table->element);
    table->stride = stride;
    table->rows = rows;
    table->width = width;
    table->rank = 1;
    table->dim[0] = (uint32_t)width;
    table->shaped = 0;
    column->cut = 1;
}

ActStatus act_sequence_cut(ActColumn *columns, size_t values, ActError *error)
{
    int64_t low = 0, end = 0;
    uint64_t stride = 0, longest = 1, length = 0;
    const ActColumn *any = NULL;
    for (size_t v = 0; v < values; v++) {
        ActColumn *column = &columns[v];
        if (!column->field) continue;
        if (!is_stream(column))
            return act_error(error, ACT_E_DATA, "`%s` is cut from a text, and `%s` is not; a part has one or the other",
                             any ? any->tensor->name : columns[v + 1 < values ? v + 1 : v].tensor->name, column->tensor->name);
        int64_t shift = shift_of(column), width = (int64_t)act_tensor_width(column->tensor);
        low = !any || shift < low ? shift : low;
        end = !any || shift + width > end ? shift + width : end;
        longest = (uint64_t)width > longest ? (uint64_t)width : longest;
        stride = stride_of(column) ? stride_of(column) : stride;
        length = column->table.rows;
        any = column;
    }
    stride = stride ? stride : longest;
    uint64_t span = (uint64_t)(end - low);
    if (any && length < span)
        return act_error(error, ACT_E_DATA, "`%s` has %s characters, and one sequence takes %s", any->path,
                         act_text_count(length).text, act_text_count(span).text);
    for (size_t v = 0; v < values; v++)
        if (columns[v].field) cut(&columns[v], (uint64_t)(shift_of(&columns[v]) - low), stride, (length - span) / stride + 1);
    return ACT_OK;
}
