/* Where the cursor stands in a text that is being written: what could come next, told from the tokens before it alone.
 */
#ifndef ACT_LSP_CURSOR_H
#define ACT_LSP_CURSOR_H

#include "base/source.h"

typedef enum CursorPlace {
    PLACE_NOTHING,   /* in a comment, a text, or where a new name is made up */
    PLACE_STATEMENT, /* a statement begins */
    PLACE_STAGE,     /* behind `|>` */
    PLACE_VALUE,
    PLACE_ARGUMENT, /* in the brackets of a call */
    PLACE_RULE,     /* in those of @allow */
    PLACE_TYPE,
    PLACE_FIELD,   /* behind a dot */
    PLACE_SETTING, /* the value of a setting */
    PLACE_MODEL,   /* the name behind `train` */
    PLACE_METRIC,
    PLACE_LOSS,
    PLACE_GROUP /* behind `for` */
} CursorPlace;

typedef enum Body { BODY_FILE, BODY_MODEL, BODY_BLOCK, BODY_TRAIN, BODY_DATA, BODY_PART, BODY_OPTIMIZER } Body;

typedef struct Cursor {
    CursorPlace place;
    Body body;
    uint32_t body_begin; /* of the word that opens the body: `model` */
    Str body_name;
    Str prefix;  /* what is written of the word already */
    Str object;  /* FIELD: the name before the dot */
    Str setting; /* in TRAIN: the key of this statement */
    bool metric; /* the statement is one */
    /* the innermost call around the place, if any */
    Str callee;
    bool piped;     /* it stands behind `|>` */
    uint32_t index; /* number of the argument, from 0 */
    Str argument;   /* `name =` was written: its name */
    VEC(Str) given; /* names of arguments given so far */
} Cursor;

Cursor cursor_at(Arena *arena, Str text, uint32_t offset);

#endif
