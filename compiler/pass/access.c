#include "pass/access.h"

#include "ops/build.h"
#include "ops/index.h"

uint32_t access_trailing(const Graph *g, const Node *reduce)
{
    const Type *in = graph_type(g, reduce->in[0]);
    Fold fold = build_fold(reduce);
    uint32_t columns = 0;
    if (fold.batch)
        return 0;
    while (columns < in->rank && fold.axes >> (in->rank - 1 - columns) & 1)
        columns++;
    return fold.axes == (((1ull << columns) - 1) << (in->rank - columns)) ? columns : 0;
}

/* Dimension i of a shape: 0 is the batch. */
static int64_t dim(const Type *type, uint32_t i) { return i == 0 ? (type->batch ? 2 : 1) : type->dim[i - 1]; }

/* Strides [first, last) of `type` broadcast to `space` as one stride: neighbours must nest. The batch counts as longer than one. */
static bool collapse(const Type *type, const Type *space, uint32_t first, uint32_t last, int64_t *out)
{
    size_t stride[1 + TYPE_MAX_RANK];
    index_broadcast(type, space, stride);
    bool found = false;
    int64_t inner = 0, count = 1;
    *out = 0;
    for (uint32_t i = last; i-- > first;) {
        if (dim(space, i) == 1)
            continue;
        if (found && (int64_t)stride[i] != inner * count)
            return false;
        if (!found)
            *out = inner = (int64_t)stride[i];
        found = true;
        count *= dim(space, i);
    }
    return true;
}

bool access_is_dense(const Type *from, const Type *to)
{
    return from->batch == to->batch && type_elements(from) == type_elements(to);
}

bool access_is_scalar(const Type *type) { return !type->batch && type_elements(type) == 1; }

bool access_is_row(const Type *type, const Type *space, uint32_t columns)
{
    uint32_t lead = space->rank - columns, i = 0;
    if (type->batch != space->batch || type->rank < lead)
        return false;
    while (i < lead && type->dim[i] == space->dim[i])
        i++;
    if (i < lead)
        return false;
    for (; i < type->rank; i++)
        if (type->dim[i] != 1)
            return false;
    return true;
}

bool access_row_strides(const Type *type, const Type *space, uint32_t columns)
{
    int64_t row, column;
    return access_matrix(type, space, columns, &row, &column) && column == 0 && row <= 1;
}

bool access_matrix(const Type *type, const Type *space, uint32_t columns, int64_t *row_stride, int64_t *column_stride)
{
    uint32_t cut = 1 + space->rank - columns;
    return collapse(type, space, 0, cut, row_stride) && collapse(type, space, cut, 1 + space->rank, column_stride);
}

bool access_is_transpose(const Graph *g, const Node *node)
{
    if (node->op->kind != OP_MOVE || node->n_in != 1 || node->type.batch || node->type.rank != 2)
        return false;
    const Type *in = graph_type(g, node->in[0]);
    uint32_t rows = node->type.dim[0], cols = node->type.dim[1], which = 0;
    uint32_t last[TYPE_MAX_RANK] = {rows - 1}, source[TYPE_MAX_RANK] = {0};
    if (in->batch || in->rank != 2 || in->dim[0] != cols || in->dim[1] != rows)
        return false;
    if (rows > 1) /* else any way to read it is the right one: both are one row or column */
        return node->op->locate(g, node, last, &which, source) && source[0] == 0 && source[1] == rows - 1;
    last[0] = 0, last[1] = cols - 1;
    return node->op->locate(g, node, last, &which, source) && source[0] == cols - 1 && source[1] == 0;
}

uint32_t access_columns(const Node *contract)
{
    Contract c = build_contract_of(contract);
    return c.form == CONTRACT_NT ? c.depth : 1;
}

bool access_wants_rows(const Graph *g, const Node *node, uint32_t i)
{
    OpKind kind = node->op->kind;
    if (kind == OP_CONTRACT)
        return i == 0 || build_form(node) == CONTRACT_TN;
    if (kind == OP_GATHER || kind == OP_ADD_ROWS)
        return true;
    return kind == OP_VIEW || kind == OP_SCATTER || (kind == OP_MOVE && !access_is_transpose(g, node));
}
