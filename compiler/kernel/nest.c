#include "kernel/nest.h"

#include "ops/index.h"
#include "pass/views.h"

void frame_make(Frame *frame, const Type *space, uint32_t columns, uint32_t panel)
{
    *frame = (Frame){.space = space, .columns = columns, .panel = panel};
    Nest *nest = &frame->nest;
    uint32_t lead = space->rank - columns;
    if (space->batch) { /* outermost: threads split the batch */
        frame->loop[0] = nest->n + 1;
        nest->dim[nest->n++] = (Dim){.size = 1, .batch = true};
    }
    /* pure maps over panels walk panel by panel; rows that fold columns must stay outermost */
    if (panel != 0 && columns == 0) {
        frame->loop[space->rank] = nest->n + 1;
        nest->dim[nest->n++] = (Dim){.size = (space->dim[space->rank - 1] + panel - 1) / panel};
    }
    for (uint32_t axis = 0; axis < space->rank; axis++) {
        if (axis == lead)
            nest->rows = nest->n;
        if (panel != 0 && axis + 1 == space->rank) {
            if (columns != 0) {
                frame->loop[space->rank] = nest->n + 1;
                nest->dim[nest->n++] = (Dim){.size = (space->dim[axis] + panel - 1) / panel};
            }
            frame->lane_loop = nest->n + 1;
            nest->dim[nest->n++] = (Dim){.size = panel,
                                         .clamp = space->dim[axis] % panel ? space->dim[axis] : 0,
                                         .panel_dim = frame->loop[space->rank] - 1};
        } else if (space->dim[axis] != 1) {
            frame->loop[1 + axis] = nest->n + 1;
            nest->dim[nest->n++] = (Dim){.size = space->dim[axis]};
        }
    }
    if (columns == 0)
        nest->rows = nest->n;
    ACT_ASSERT(nest->n <= LOOP_MAX_DEPTH);
}

/* A matrix in panels; all but its last axis are its rows: (r, c) at ((c / panel) * rows + r) * panel + c % panel. */
static Reach panel_reach(const Frame *frame, const Type *type, const Type *user, uint32_t panel)
{
    Reach reach = {0};
    ACT_ASSERT(frame->panel == panel && type->rank >= 2 && user->rank == type->rank && user->rank == frame->space->rank);
    int64_t rows = panel;
    for (uint32_t axis = type->rank - 1; axis-- > 0; rows *= type->dim[axis])
        if (frame->loop[1 + axis] != 0)
            reach.stride[frame->loop[1 + axis] - 1] = rows;
    reach.stride[frame->loop[type->rank] - 1] = rows;
    reach.stride[frame->lane_loop - 1] = 1;
    return reach;
}

/* `stride`: by axis of the user, the batch first. */
static Reach rows_reach(const Frame *frame, const Type *user, const int64_t *stride)
{
    Reach reach = {0};
    uint32_t shared = user->rank < frame->space->rank ? user->rank : frame->space->rank;
    for (uint32_t i = 0; i <= shared; i++) {
        if (frame->loop[i] == 0)
            continue;
        bool panels = frame->panel != 0 && i == frame->space->rank;
        reach.stride[frame->loop[i] - 1] = panels ? stride[i] * frame->panel : stride[i];
        if (panels)
            reach.stride[frame->lane_loop - 1] = stride[i];
    }
    return reach;
}

Reach frame_reach(const Frame *frame, const Type *type, const Type *user, uint32_t panel)
{
    if (panel != 0)
        return panel_reach(frame, type, user, panel);
    size_t dense[1 + TYPE_MAX_RANK];
    int64_t stride[1 + TYPE_MAX_RANK];
    index_broadcast(type, user, dense);
    for (uint32_t i = 0; i <= TYPE_MAX_RANK; i++)
        stride[i] = (int64_t)dense[i];
    return rows_reach(frame, user, stride);
}

Reach frame_reach_value(const Lower *l, const Frame *frame, NodeId value, const Type *user)
{
    const Type *type = graph_type(l->g, value);
    uint32_t panel;
    if (lower_layout(l, value, &panel) == LAYOUT_PANELS)
        return panel_reach(frame, type, user, panel);
    int64_t stride[1 + TYPE_MAX_RANK];
    View view = lower_view(l, value, &stride[0]);
    view_broadcast(&view, type, user, stride + 1);
    Reach reach = rows_reach(frame, user, stride);
    reach.base = view.base;
    return reach;
}

/* The lanes of a last panel count by the loop over panels: that one stays as it is. */
static bool counts_panels(const Nest *nest, uint32_t loop)
{
    for (uint32_t d = 0; d < nest->n; d++)
        if (nest->dim[d].clamp != 0 && nest->dim[d].panel_dim == loop)
            return true;
    return false;
}

static bool nests(const Frame *frame, Reach **reach, uint32_t n, uint32_t outer)
{
    for (uint32_t i = 0; i < n; i++)
        if (reach[i]->stride[outer] != reach[i]->stride[outer + 1] * frame->nest.dim[outer + 1].size)
            return false;
    return true;
}

void frame_collapse(Frame *frame, Reach **reach, uint32_t n, bool padding)
{
    Nest *nest = &frame->nest;
    for (uint32_t d = nest->n; d-- > 1;) {
        Dim *outer = &nest->dim[d - 1], *inner = &nest->dim[d];
        bool clamped = !padding && (inner->clamp != 0 || counts_panels(nest, d) || counts_panels(nest, d - 1));
        if (inner->batch || clamped || d == nest->rows || !nests(frame, reach, n, d - 1))
            continue;
        outer->size *= inner->size;
        for (uint32_t i = 0; i < n; i++) {
            reach[i]->stride[d - 1] = reach[i]->stride[d];
            for (uint32_t k = d; k + 1 < nest->n; k++)
                reach[i]->stride[k] = reach[i]->stride[k + 1];
            reach[i]->stride[nest->n - 1] = 0;
        }
        for (uint32_t k = d; k + 1 < nest->n; k++) {
            nest->dim[k] = nest->dim[k + 1];
            if (nest->dim[k].clamp != 0 && nest->dim[k].panel_dim >= d)
                nest->dim[k].panel_dim--;
        }
        nest->n--;
        nest->rows -= d < nest->rows;
    }
    for (uint32_t d = 0; d < nest->n && padding; d++)
        nest->dim[d].clamp = 0;
}

Extent frame_extent(const Frame *frame, uint32_t loop)
{
    const Dim *dim = &frame->nest.dim[loop];
    return dim->batch ? (Extent){.per_row = dim->size} : (Extent){.fixed = dim->size};
}

LoopStmt **lower_for_dim(Lower *l, const Frame *frame, uint32_t d, bool vector)
{
    LoopStmt **behind = lower_for(l, frame_extent(frame, d), vector ? LOOP_VECTOR : LOOP_SERIAL);
    l->loop->loop.clamp = frame->nest.dim[d].clamp;
    l->loop->loop.clamp_depth = frame->nest.dim[d].clamp ? frame->nest.dim[d].panel_dim : 0;
    return behind;
}

Affine reach_affine(const Frame *frame, const Reach *reach)
{
    Affine at = {.base = reach->base};
    for (uint32_t d = 0; d < frame->nest.n; d++)
        at.coef[d] = reach->stride[d];
    return at;
}
