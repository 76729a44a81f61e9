/* What graph_print.c, graph_read.c, graph_verify.c and graph_dot.c share: the words of the text form, and the rules
 * that attributes must keep before op->infer may look at them. */
#ifndef ACT_GRAPH_GRAPH_TEXT_H
#define ACT_GRAPH_GRAPH_TEXT_H

#include "graph/op.h"

#define GRAPH_ROLES 5
#define GRAPH_FILLS 5
#define GRAPH_ROOTS 5
extern const char *const graph_role_word[GRAPH_ROLES]; /* by Role: "input", "target", "param", "constant", "state" */
extern const char *const graph_fill_word[GRAPH_FILLS]; /* by FillKind: "constant", "normal" … */
extern const char *const graph_root_word[GRAPH_ROOTS]; /* by RootKind: "output", "loss", "prediction", "update", "watch" */

/* How many numbers a fill prints: constant and orthogonal have one. */
static inline unsigned graph_fill_numbers(const Fill *fill)
{
    return fill->b == 0 && (fill->kind == FILL_CONSTANT || fill->kind == FILL_ORTHOGONAL) ? 1 : 2;
}

/* "text" with \" \\ \n \t and \xHH for other control characters. */
void graph_print_quoted(Str s, Text *out);
void graph_print_attr(const Graph *g, const AttrDef *def, const AttrValue *value, Text *out);

/* The tensor a node stands for: its attribute `tensor`, -1 when the op has none or no such tensor exists. */
int graph_node_tensor(const Graph *g, const Op *op, const AttrValue *attr);
/* NULL, or what is wrong: a tensor that does not exist, too many dimensions, an expression that is missing or, in a
 * map, reads an input the node does not have, a real that is not a number. */
const char *graph_attr_rule(const Graph *g, const Op *op, const AttrValue *attr, uint32_t n_in, Arena *arena);

#endif
