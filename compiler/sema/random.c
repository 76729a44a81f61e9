/* Values that are drawn: an input of noise, noise added while training. Normal numbers come from two uniform ones
 * (Box-Muller). */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

static Sx normal(SxPool *p, double mean, double deviation)
{
    Sx u = sx_sub(p, sx_num(p, 1), sx_arg(p, 0)); /* in (0, 1]: the logarithm is finite */
    Sx radius = sx_un(p, SX_SQRT, sx_mul(p, sx_num(p, -2), sx_un(p, SX_LOG, u)));
    Sx angle = sx_mul(p, sx_num(p, 6.283185307179586), sx_arg(p, 1));
    Sx z = sx_mul(p, radius, sx_un(p, SX_COS, angle));
    return sx_add(p, sx_num(p, mean), sx_mul(p, sx_num(p, deviation), z));
}

static NodeId draw(Sema *s, const Dist *dist, const Type *type, Span span)
{
    Type real = *type;
    real.dtype = DT_F32;
    uint32_t stream = 0x40000000u + 2 * s->streams++;
    SxPool *p = s->sx;
    double a = dist->fill.a, b = dist->fill.b;
    NodeId in[2] = {build_random(s->g, &real, stream), 0};
    Sx u = sx_arg(p, 0);
    switch (dist->fill.kind) {
    case FILL_CONSTANT:
        return build_map(s->g, sx_num(p, a), in, 1);
    case FILL_UNIFORM:
        return build_map(s->g, sx_add(p, sx_num(p, a), sx_mul(p, sx_num(p, b - a), u)), in, 1);
    case FILL_NORMAL:
        in[1] = build_random(s->g, &real, stream + 1);
        return build_map(s->g, normal(p, a, b), in, 2);
    default: {
        Diag *diag = sema_error(s, CODE_not_supported, span, "values can't be drawn from `" STR_FMT "` yet",
                                STR_ARG(dist->name));
        diag_help(diag, "use normal, uniform or constant");
        return 0;
    }
    }
}

NodeId random_draw(Sema *s, Closure *init, const Type *type, Span span)
{
    if (init->draw && type_same_shape(graph_type(s->g, init->draw), type))
        return init->draw;
    if (init->draw) {
        Text text = {.arena = s->arena};
        type_print_shape(type, &text);
        sema_error(s, CODE_shape_mismatch, span,
                   "these numbers were drawn with shape " STR_FMT ", and are used with " STR_FMT,
                   STR_ARG(sema_shape(s, init->draw)), STR_ARG(text_str(&text)));
        return 0;
    }
    Dist dist;
    Fans fans = {(double)type_elements(type), (double)type_elements(type), 0};
    if (!init_resolve(s, value_fn(init, span), span, &fans, &dist))
        return 0;
    NodeId from = s->g->nodes.n;
    NodeId node = draw(s, &dist, type, span);
    if (node && init->training)
        node = build_when_training(s->g, node, build_map(s->g, sx_num(s->sx, 0), &node, 1));
    origin_set(s, from, span, dist.name);
    init->draw = node;
    bool bounded = dist.fill.kind == FILL_UNIFORM || dist.fill.kind == FILL_CONSTANT;
    if (node)
        *vec_push(s->arena, &s->model->draws) = (DrawUse){
            .node = node, .text = init_fill_text(s->arena, &dist.fill), .span = span, .training = init->training,
            .low = bounded ? dist.fill.a : -INFINITY,
            .high = !bounded ? INFINITY : dist.fill.kind == FILL_CONSTANT ? dist.fill.a : dist.fill.b};
    return node;
}
