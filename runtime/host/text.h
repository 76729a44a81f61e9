/* Messages and small pieces of text. */
#ifndef ACT_HOST_TEXT_H
#define ACT_HOST_TEXT_H

#include "act/act.h"

/* Clears an error before a function that may fail. NULL is allowed everywhere. */
void act_error_clear(ActError *error);
/* Sets status and message; returns the status, so that `return act_error(…)` reads well. */
ActStatus act_error(ActError *error, ActStatus status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Appends to the message; a message too long ends in "…". */
void act_error_more(ActError *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
ActStatus act_error_memory(ActError *error);

typedef struct ActText { char text[400]; } ActText;

/* "60,000" */
ActText act_text_count(uint64_t n);
/* "f32[28, 28, 1]"; "f32" for rank 0 */
ActText act_text_shape(const char *type, const uint32_t *dim, uint32_t rank);
/* "88.71 %" or "0.3312" */
ActText act_text_metric(double value, int percent);
/* "test: loss 0.3312, accuracy 88.71 %", "loss 3.4 (d 1.3, g 2.1)" of several losses; a score without a part begins with the loss */
ActText act_text_score(const ActScore *score);

/* The candidate nearest to `name` by Damerau-Levenshtein distance, when it is near enough to be a slip: at most a
 * third of the letters. NULL when none is. Candidates are `n` strings, `stride` bytes apart. */
const char *act_text_nearest(const char *name, const char *const *candidate, size_t n, size_t stride);

/* A copy, or NULL without memory. `n`: at most so many bytes. */
char *act_text_copy(const char *text, size_t n);

#endif
