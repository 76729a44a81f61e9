/* The pages of `actc explain`, one function for each kind of thing. What a page says in numbers is computed when it is
 * printed: from the definition's expression (graph/sx.h), from small networks built around the definition (Probe), or
 * by the rules themselves. */
#ifndef ACT_CHECK_EXPLAIN_H
#define ACT_CHECK_EXPLAIN_H

#include "check/check.h"
#include "check/signal.h"

typedef struct ExplainStyle {
    unsigned columns; /* of the terminal; 0: unknown */
    bool unicode;     /* else plots and text are ASCII */
} ExplainStyle;

/* As check_explain(), for a terminal. */
bool explain_page(Program *program, Str name, const ExplainStyle *style, Text *out, Str *why);
/* The page of this definition alone, where others share its name. */
void explain_one(Program *program, const Def *def, const ExplainStyle *style, Text *out);
/* What `actc explain` prints without a name: the topics, and which lists there are. */
void explain_index(const ExplainStyle *style, Text *out);
/* `actc list topics`; json: one object a line. */
void explain_list_topics(Text *out, bool json);
/* `actc list activations`: a computed table. */
void explain_list_activations(Program *program, Text *out, bool json);

/* ── a page being written ── */
typedef struct Page {
    Program *program;
    Text *out;
    unsigned width; /* paragraphs end here */
    bool unicode;
} Page;

/* Letters beyond ASCII as what stands for them: ² as ^2. */
void page_ascii(Text *out, Str text);
/* Paragraphs, wrapped behind `indent` spaces; a blank line separates two. */
void page_paragraphs(Page *page, Str text, unsigned indent);
void page_text(Page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "\nHeading:\n" */
void page_heading(Page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "  label         text" */
void page_row(Page *page, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Source text behind four spaces; the indentation it already has stays. */
void page_code(Page *page, Str code);
/* Title, documentation and source of a definition. */
void page_definition(Page *page, const Def *def, const char *kind);
/* The first paragraph of a documentation, and the rest: the advice. */
Str doc_summary(Str doc);
Str doc_advice(Str doc);
/* A number for people: four significant digits, "inf", no negative zero. */
Str page_number(Arena *arena, double value);
Str page_interval(Arena *arena, SxInterval range);
/* An expression as a formula, its numbers cut to six digits. */
Str page_formula(const SxPool *sx, Sx fn, const char *const *names, Arena *arena);

/* ── small networks around a definition ── */
/* The program of `text` with the definitions of `page`'s files; NULL when it has a mistake. */
Program *probe_program(Page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A loss as numbers: its value for one sample's prediction (and target), by the reference interpreter. */
typedef struct LossProbe {
    Model *model;
    const LossCall *call;
    uint32_t prediction, target; /* tensors */
    bool classes;                /* the target is an index */
    uint32_t size;               /* of the prediction */
    Sx fn;                       /* per element: of a0 the prediction and a1 the target; 0: it works on rows */
} LossProbe;
/* With `size` numbers (classes) as prediction; false when the loss takes no such values. */
bool probe_loss(Page *page, const Def *def, uint32_t size, LossProbe *out);
double probe_loss_value(const LossProbe *probe, const double *prediction, const double *target);
/* An output of a model whose only input is x, at x; `out` has room for `n`. False: it has no such output. */
bool probe_output(const Model *model, const double *x, double *out, uint32_t n);

enum { STACK_LAYERS = 20, STACK_WIDTH = 256 };
/* What a stack of linear layers with one activation does before training. */
typedef struct Stack {
    double signal[STACK_LAYERS];   /* root mean square behind the activation of each layer; data has 1 */
    double gradient[STACK_LAYERS]; /* norm at each layer's pre-activations, over that at the last layer behind them */
} Stack;
typedef struct StackCase {
    const char *activation, *initializer; /* as written: "leaky_relu(0.2)", "kaiming_normal" */
} StackCase;
/* `more` is source text in front. False: one of them can't be built. */
bool probe_stacks(Page *page, const StackCase *cases, unsigned n, const char *more, Stack *out);
bool probe_stack(Page *page, const char *activation, const char *initializer, const char *more, Stack *out);
/* The activations of the program that are functions of one number, and their traits; returns how many, at most `cap`.
 */
unsigned page_activations(Page *page, const Def **def, SxTraits *traits, unsigned cap);
/* The traits of an activation by name. */
bool page_traits(Page *page, const char *name, Sx *fn, SxTraits *traits);

/* ── the kinds of pages ── */
void explain_rule(Page *page, const Rule *rule);
bool explain_error(Page *page, Str name); /* a hard error; false: none is called so */
bool explain_topic(Page *page, Str name);
void explain_activation(Page *page, const Def *def);
void explain_loss(Page *page, const Def *def);
void explain_initializer(Page *page, const Def *def);
void explain_optimizer(Page *page, const Def *def);
void explain_schedule(Page *page, const Def *def);
void explain_metric(Page *page, const Def *def);
void explain_block(Page *page, const Def *def);
void explain_function(Page *page, const Def *def);
void explain_plain(Page *page, const Def *def); /* params, models, data */
void explain_layer(Page *page, const Layer *layer);
void explain_softmax(Page *page, const Layer *layer); /* what softmax and log_softmax have beyond other layers */
bool explain_primitive(Page *page, Str name);         /* exp, max …: built-in functions of numbers */

bool explain_word(Page *page, Str name); /* words that are no definitions: epochs, csv, repeat */

/* Parameters of a definition with their defaults. */
void page_parameters(Page *page, const Ast *ast);
/* Function and derivative of one variable. */
/* Argument 0 is drawn over [low, high], the others have the values in `args`; NULL: there are no others, and what is
 * worth seeing of the function is found. */
void page_plot(Page *page, Sx fn, const double *args, double low, double high, const char *title,
               const char *slope_title);

/* Names for suggestions; returns how many there are, at most `cap` are written. */
unsigned explain_topic_names(Str *name, unsigned cap);
unsigned explain_topic_count(void);
const char *explain_topic_name(unsigned i); /* listed ones; aliases and prevented faults are not */

/* A hard error's example: text that earns exactly it, and the same put right. NULL: none is called so. */
typedef struct ErrorExample {
    const char *code, *wrong, *right;
} ErrorExample;
const ErrorExample *explain_error_example(Str code);

#endif
