#include "ops/index.h"

void index_broadcast(const Type *from, const Type *to, size_t stride[1 + TYPE_MAX_RANK])
{
    size_t step = 1;
    for (uint32_t i = 0; i <= TYPE_MAX_RANK; i++)
        stride[i] = 0;
    for (uint32_t k = 1; k <= from->rank; k++) { /* axes from the last */
        uint32_t dim = from->dim[from->rank - k];
        if (dim != 1)
            stride[1 + to->rank - k] = step;
        step *= dim;
    }
    stride[0] = from->batch ? step : 0;
}

void walk_start(Walk *walk, const Type *type, size_t rows)
{
    *walk = (Walk){.type = type, .rows = type->batch ? rows : 1};
    walk->done = index_count(type, rows) == 0;
}

void walk_next(Walk *walk)
{
    walk->at++;
    for (uint32_t axis = walk->type->rank; axis-- > 0;) {
        if (++walk->index[axis] < walk->type->dim[axis])
            return;
        walk->index[axis] = 0;
    }
    walk->done = ++walk->row == walk->rows;
}

size_t walk_at(const Walk *walk, const size_t stride[1 + TYPE_MAX_RANK])
{
    size_t at = walk->row * stride[0];
    for (uint32_t axis = 0; axis < walk->type->rank; axis++)
        at += walk->index[axis] * stride[1 + axis];
    return at;
}
