/* stack: what stands side by side twice is there once. A concatenation of values that a longer one has next to each other, in the same order,
 * is a slice of that one, and a slice is read in place.
 *
 * The steps of a recurrent layer: all gradients of the gates, one below the other, are the right side of the weight gradient of the
 * inputs; all but the first that of the recurrent weights. */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Position {
    NodeId whole;          /* a concatenation */
    uint32_t at;           /* number of its input */
} Position;

typedef VEC(Position) Positions;

typedef struct Stack {
    Arena *arena;
    const Graph *from;
    Graph *g;
    Positions *places;        /* by node: where it stands in concatenations */
    Position *part_of;        /* by node: the longer one it is a slice of */
    NodeId *map;
    uint32_t *seen, walk;  /* by node: the walk that saw it last */
    VEC(NodeId) open;
} Stack;

static void find_places(Stack *s)
{
    uint32_t axis;
    for (NodeId id = 1; id < s->from->nodes.n; id++) {
        const Node *node = graph_node(s->from, id);
        for (uint32_t i = 0; build_is_concat(node, &axis) && i < node->n_in; i++)
            *vec_push(s->arena, &s->places[node->in[i]]) = (Position){id, i};
    }
}

/* What a node is made from: its inputs, or the one it is a slice of. */
static uint32_t needs(const Stack *s, NodeId id, const NodeId **in)
{
    const Node *node = graph_node(s->from, id);
    bool slice = s->part_of[id].whole != 0;
    *in = slice ? &s->part_of[id].whole : node->in;
    return slice ? 1 : node->n_in;
}

static bool depends(Stack *s, NodeId id, NodeId on)
{
    s->walk++;
    s->open.n = 0;
    *vec_push(s->arena, &s->open) = id;
    while (s->open.n > 0) {
        const NodeId *in;
        NodeId next = s->open.at[--s->open.n];
        if (next == on)
            return true;
        for (uint32_t i = needs(s, next, &in); i-- > 0;)
            if (s->seen[in[i]] != s->walk) {
                s->seen[in[i]] = s->walk;
                *vec_push(s->arena, &s->open) = in[i];
            }
    }
    return false;
}

static bool has_run(const Stack *s, const Node *part, Position place)
{
    const Node *whole = graph_node(s->from, place.whole);
    uint32_t a, b;
    if (!build_is_concat(part, &a) || !build_is_concat(whole, &b) || a != b || part->n_in >= whole->n_in ||
        place.at + part->n_in > whole->n_in)
        return false;
    for (uint32_t i = 0; i < part->n_in; i++)
        if (part->in[i] != whole->in[place.at + i])
            return false;
    return true;
}

static void find_parts(Stack *s)
{
    for (NodeId id = 1; id < s->from->nodes.n; id++) {
        const Node *part = graph_node(s->from, id);
        uint32_t axis;
        if (!build_is_concat(part, &axis))
            continue;
        const Positions *places = &s->places[part->in[0]];
        for (uint32_t i = 0; i < places->n && s->part_of[id].whole == 0; i++)
            if (has_run(s, part, places->at[i]) && !depends(s, places->at[i].whole, id))
                s->part_of[id] = places->at[i];
    }
}

static void make(Stack *s, NodeId id)
{
    const Node *node = graph_node(s->from, id);
    Position place = s->part_of[id];
    uint32_t axis;
    if (place.whole == 0 || !build_is_concat(node, &axis)) {
        s->map[id] = graph_copy_node(s->g, s->from, id, s->map);
        return;
    }
    int64_t start = 0;
    const Node *whole = graph_node(s->from, place.whole);
    for (uint32_t i = 0; i < place.at; i++)
        start += graph_type(s->from, whole->in[i])->dim[axis];
    s->map[id] = build_slice(s->g, s->map[place.whole], axis, start, start + node->type.dim[axis]);
    Node *slice = graph_node(s->g, s->map[id]);
    slice->span = node->span, slice->name = node->name, slice->fn = node->fn, slice->layer = node->layer;
}

/* A slice stands behind what it is taken from, which may come later in the old order. */
static void make_all(Stack *s, NodeId id)
{
    s->open.n = 0;
    *vec_push(s->arena, &s->open) = id;
    while (s->open.n > 0) {
        const NodeId *in;
        NodeId next = s->open.at[s->open.n - 1];
        uint32_t before = s->open.n;
        for (uint32_t i = needs(s, next, &in); i-- > 0 && s->map[next] == 0;)
            if (s->map[in[i]] == 0)
                *vec_push(s->arena, &s->open) = in[i];
        if (s->open.n > before)
            continue;
        if (s->map[next] == 0)
            make(s, next);
        s->open.n--;
    }
}

static void run(PassState *state)
{
    uint32_t n = state->g->nodes.n;
    Stack s = {.arena = state->arena, .from = state->g, .g = graph_like(state->g)};
    s.places = arena_alloc(state->arena, sizeof *s.places * n);
    s.part_of = arena_array(state->arena, Position, n);
    s.map = arena_array(state->arena, NodeId, n);
    s.seen = arena_array(state->arena, uint32_t, n);
    find_places(&s);
    find_parts(&s);
    for (NodeId id = 1; id < n; id++)
        make_all(&s, id);
    pass_copy_roots(s.g, s.from, s.map);
    state->g = s.g;
}

const Pass pass_stack = {
    .name = "stack",
    .doc = "Concatenations that are part of a longer one become slices of it.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL,
    .run = run,
};
