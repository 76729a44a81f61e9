/* Topics: what one asks beyond a single name. Their numbers are computed when the page is printed. */
#ifndef ACT_CHECK_EXPLAIN_TOPIC_H
#define ACT_CHECK_EXPLAIN_TOPIC_H

#include "check/explain.h"

typedef struct Topic {
    const char *name, *title;
    const char *aliases; /* other plain names, with spaces between */
    void (*write)(Page *page);
} Topic;

/* explain_topic_signal.c */
void topic_initialization(Page *page);
void topic_vanishing_gradient(Page *page);
void topic_saturation(Page *page);
void topic_dead_units(Page *page);
void topic_four_failures(Page *page);
/* explain_topic_choice.c */
void topic_output_and_loss(Page *page);
void topic_multi_label(Page *page);
void topic_gates(Page *page);
void topic_gelu_or_relu(Page *page);
void topic_decision_guide(Page *page);
void topic_quick_checks(Page *page);
/* explain_prevented.c */
void topic_prevented(Page *page);
bool explain_prevented(Page *page, Str name);
unsigned prevented_count(void);
const char *prevented_name(unsigned i);

#endif
