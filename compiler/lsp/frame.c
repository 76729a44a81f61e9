#include "lsp/frame.h"

#include "base/arena.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char length_key[] = "content-length:";
enum { KEY = sizeof length_key - 1 };

void frames_feed(Frames *f, const char *data, size_t n)
{
    if (f->at > f->cap / 2 || f->at == f->n) { /* what was read is let go */
        memmove(f->data ? f->data : (char *)"", f->data ? f->data + f->at : "", f->n - f->at);
        f->n -= f->at;
        f->at = 0;
    }
    if (f->n + n > f->cap) {
        size_t cap = f->cap ? f->cap : 4096;
        while (cap < f->n + n)
            cap *= 2;
        char *more = realloc(f->data, cap);
        if (!more)
            base_out_of_memory(cap);
        f->data = more;
        f->cap = cap;
    }
    memcpy(f->data + f->n, data, n);
    f->n += n;
}

static bool key_at(const Frames *f, size_t at)
{
    if (f->n - at < KEY)
        return false;
    for (size_t i = 0; i < KEY; i++)
        if (tolower((unsigned char)f->data[at + i]) != length_key[i])
            return false;
    return true;
}

/* Goes on to the next header behind `from`; false when it is not there yet. */
static bool resync(Frames *f, size_t from)
{
    size_t at = from;
    while (at < f->n && !key_at(f, at))
        at++;
    f->lost = at == f->n;
    /* what may be the beginning of one stays */
    f->at = !f->lost ? at : f->n - from < KEY ? from : f->n - (KEY - 1);
    return !f->lost;
}

typedef enum HeaderResult { HEADER_MORE, HEADER_GOOD, HEADER_BAD } HeaderResult;

static bool read_length(const char *p, const char *end, size_t *length, const char **why)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    const char *first = p;
    uint64_t value = 0;
    for (; p < end && isdigit((unsigned char)*p); p++)
        value = value > FRAME_MAX ? value : value * 10 + (uint64_t)(*p - '0');
    bool digits = p > first;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    *why = !digits || p < end ? "the Content-Length is no number" : "the message is too long";
    *length = (size_t)value;
    return digits && p == end && value <= FRAME_MAX;
}

static HeaderResult read_header(const Frames *f, size_t *body, size_t *length, const char **why)
{
    bool known = false;
    for (size_t at = f->at;;) {
        const char *line = f->data + at, *end = memchr(line, '\n', f->n - at);
        if (!end) {
            *why = "the header has no end";
            return f->n - f->at > FRAME_HEADER_MAX ? HEADER_BAD : HEADER_MORE;
        }
        size_t n = (size_t)(end - line);
        if (n == 0 || (n == 1 && *line == '\r')) {
            *body = at + n + 1;
            *why = "the header has no Content-Length";
            return known ? HEADER_GOOD : HEADER_BAD;
        }
        if (key_at(f, at)) {
            if (!read_length(line + KEY, end, length, why))
                return HEADER_BAD;
            known = true;
        } else if (!memchr(line, ':', n)) {
            *why = "a line of the header is none";
            return HEADER_BAD;
        }
        at += n + 1;
    }
}

FrameResult frames_next(Frames *f, char **body, size_t *n, const char **why)
{
    if (f->lost && !resync(f, f->at))
        return FRAME_NONE;
    while (f->at < f->n && (f->data[f->at] == '\r' || f->data[f->at] == '\n'))
        f->at++; /* empty lines between messages do no harm */
    size_t begin, length;
    if (f->at == f->n)
        return FRAME_NONE;
    switch (read_header(f, &begin, &length, why)) {
    case HEADER_MORE:
        return FRAME_NONE;
    case HEADER_BAD:
        resync(f, f->at + 1);
        return FRAME_BAD;
    case HEADER_GOOD:
        break;
    }
    if (f->n - begin < length)
        return FRAME_NONE;
    *body = f->data + begin;
    *n = length;
    f->body = begin;
    f->body_end = f->at = begin + length;
    return FRAME_MESSAGE;
}

void frames_reject(Frames *f)
{
    size_t end = f->body_end;
    for (size_t at = f->body; at < end; at++)
        if (key_at(f, at)) {
            f->at = at;
            return;
        }
}

void frames_free(Frames *f)
{
    free(f->data);
    *f = (Frames){0};
}
