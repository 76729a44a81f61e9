/* Places in a text as editors count them: lines from 0, ended by \n, \r\n or \r, and units of the negotiated encoding.
 */
#ifndef ACT_LSP_POSITION_H
#define ACT_LSP_POSITION_H

#include "base/source.h"
#include "lsp/json.h"

typedef enum Encoding { ENCODING_UTF16, ENCODING_UTF8, ENCODING_UTF32 } Encoding;

typedef struct Position {
    uint32_t line, character;
} Position;

typedef struct Lines {
    Str text;
    uint32_t *start; /* byte offset of each line */
    uint32_t n;      /* at least 1 */
} Lines;

Lines lines_of(Arena *arena, Str text);
/* Beyond the end of a line is its end, beyond the last line the end of the text, inside a character its beginning. */
uint32_t position_offset(const Lines *lines, Encoding encoding, Position position);
Position position_at(const Lines *lines, Encoding encoding, uint32_t offset);

/* {"line": …, "character": …}; false when it is none. */
bool position_read(const cJSON *json, Position *out);
cJSON *position_json(Position position);
cJSON *range_json(const Lines *lines, Encoding encoding, uint32_t begin, uint32_t end);

#endif
