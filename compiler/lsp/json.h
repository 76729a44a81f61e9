/* JSON-RPC messages through cJSON: fields of something that may be anything, and text that is UTF-8 for certain. */
#ifndef ACT_LSP_JSON_H
#define ACT_LSP_JSON_H

#include "base/str.h"

#include <cjson/cJSON.h>

/* The value behind a dotted path, "textDocument.uri"; NULL when a part of it is missing. */
const cJSON *json_at(const cJSON *value, const char *path);
/* The string there, good as long as the message is; empty when there is none. */
Str json_str(const cJSON *value, const char *path);
bool json_true(const cJSON *value, const char *path);
/* A whole number in [0, 2^31); false when there is none. */
bool json_count(const cJSON *value, const char *path, uint32_t *out);
/* Is `text` among the strings of the array there? */
bool json_lists(const cJSON *value, const char *path, const char *text);

/* New values. Bytes that are no UTF-8 become U+FFFD. */
cJSON *json_text(Str text);
void json_set(cJSON *object, const char *key, cJSON *value);
void json_set_text(cJSON *object, const char *key, Str text);
void json_set_number(cJSON *object, const char *key, double number);
cJSON *json_push(cJSON *array, cJSON *value); /* gives `value` back */

/* Parses a message. Escapes of characters that are none (half of a surrogate pair, U+0000) are replaced in place by
 * U+FFFD first, since one of them would lose the whole message. NULL when it is no JSON. */
cJSON *json_parse(char *text, size_t n);

#endif
