/* Messages on a stream: a header with Content-Length, an empty line, that many bytes.
 *
 * What is damaged costs the message it belongs to and no more: the reader says so once and goes on at the next thing
 * that looks like a header. */
#ifndef ACT_LSP_FRAME_H
#define ACT_LSP_FRAME_H

#include <stdbool.h>
#include <stddef.h>

enum { FRAME_MAX = 64 * 1024 * 1024, FRAME_HEADER_MAX = 8192 };

/* Zero-initialise. */
typedef struct Frames {
    char *data; /* of malloc */
    size_t n, cap, at;
    size_t body, body_end; /* of the message given last */
    bool lost;             /* looking for the next header */
} Frames;

typedef enum FrameResult {
    FRAME_NONE, /* more bytes are needed */
    FRAME_MESSAGE,
    FRAME_BAD /* bytes were given up; *why says what was wrong with them */
} FrameResult;

void frames_feed(Frames *frames, const char *data, size_t n);
/* The next message; its bytes are good until the next call of any of these. */
FrameResult frames_next(Frames *frames, char **body, size_t *n, const char **why);
/* The message given last was no JSON: its length may have been wrong, so it is searched for the next header. */
void frames_reject(Frames *frames);
void frames_free(Frames *frames);

#endif
