/* Event files of TensorBoard: records of length, its checksum, an Event message, its checksum (tensorboard/compat/proto/event.proto and
 * summary.proto; the record format is TFRecord's). Tags are name/part, so that the curves of one number share a chart. Each run of the
 * program has a file of its own in the folder; one that goes on begins with the step from which what stood there before is void. */
#define _DEFAULT_SOURCE
#include "host/log.h"

#include "host/file.h"
#include "host/text.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 1 << 14 }; /* bytes: a hundred and more numbers */

typedef struct Bytes {
    unsigned char at[RECORD];
    size_t n;
    int full;
} Bytes;

/* CRC-32C (Castagnoli), and TFRecord's mask. */
static uint32_t checksum(const unsigned char *at, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* ── protocol buffers: a key is field << 3 | wire type; 0 varint, 1 eight bytes, 2 counted bytes, 5 four bytes ── */

static void put(Bytes *b, const void *from, size_t n)
{
    if (n > sizeof b->at - b->n) {
        b->full = 1;
        return;
    }
    memcpy(b->at + b->n, from, n);
    b->n += n;
}

static void put_varint(Bytes *b, uint64_t v)
{
    do {
        unsigned char byte = (unsigned char)((v & 127) | (v > 127 ? 128 : 0));
        put(b, &byte, 1);
    } while (v >>= 7);
}

/* The n low bytes, lowest first. */
static void put_fixed(Bytes *b, uint64_t bits, unsigned n)
{
    for (unsigned i = 0; i < n; i++) put(b, &(unsigned char){ (unsigned char)(bits >> 8 * i) }, 1);
}

static void put_key(Bytes *b, unsigned field, unsigned type)
{
    put_varint(b, field << 3 | type);
}

static void put_counted(Bytes *b, unsigned field, const void *from, size_t n)
{
    put_key(b, field, 2);
    put_varint(b, n);
    put(b, from, n);
}

/* Event: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7 */
static void begin_event(Bytes *b, uint64_t step)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    b->n = 0;
    b->full = 0;
    put_key(b, 1, 1);
    put_fixed(b, bits, 8);
    put_key(b, 2, 0);
    put_varint(b, step);
}

static void write_record(ActLog *log, const Bytes *event)
{
    Bytes frame = { .n = 0 };
    put_fixed(&frame, event->n, 8);
    put_fixed(&frame, checksum(frame.at, 8), 4);
    fwrite(frame.at, 1, frame.n, log->file);
    fwrite(event->at, 1, event->n, log->file);
    frame.n = 0;
    put_fixed(&frame, checksum(event->at, event->n), 4);
    fwrite(frame.at, 1, frame.n, log->file);
    if (event->full) log->why = "too many numbers for one record";
}

static ActStatus open_folder(ActLog *log, ActError *error)
{
    char host[64] = "host", path[4096];
    Bytes event;
    ActStatus status = act_file_make_directory(log->path, error);
    if (status != ACT_OK) return status;
    if (gethostname(host, sizeof host) != 0 || !*host) strcpy(host, "host");
    host[sizeof host - 1] = 0;
    size_t n = strlen(log->path);
    snprintf(path, sizeof path, "%s%sevents.out.tfevents.%lld.%s.%ld", log->path, n && log->path[n - 1] == '/' ? "" : "/",
             (long long)time(NULL), host, (long)getpid());
    log->file = fopen(path, "wb");
    if (!log->file) return act_error(error, ACT_E_IO, "the log `%s` can't be written: %s", path, strerror(errno));
    begin_event(&event, 0);
    put_counted(&event, 3, "brain.Event:2", 13);
    write_record(log, &event);
    if (log->from) { /* SessionLog: status = 1 (START is 1) */
        begin_event(&event, log->from + 1);
        put_counted(&event, 7, "\x08\x01", 2);
        write_record(log, &event);
    }
    return ACT_OK;
}

/* Summary: value = 1; Value: tag = 1, simple_value = 2 */
static void add(void *context, const char *part, const char *name, double value)
{
    Bytes one = { .n = 0 };
    char tag[256];
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, sizeof bits);
    snprintf(tag, sizeof tag, "%s/%s", name, part);
    put_counted(&one, 1, tag, strlen(tag));
    put_key(&one, 2, 5);
    put_fixed(&one, bits, 4);
    put_counted(context, 1, one.at, one.n);
}

static void add_of_layer(void *context, const char *layer, const char *name, double value)
{
    char tag[200];
    snprintf(tag, sizeof tag, "layer/%s", layer);
    add(context, name, tag, value); /* layer/linear1/dead */
}

static void put_double(Bytes *b, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_fixed(b, bits, 8);
}

/* HistogramProto: min = 1, max = 2, num = 3, sum = 4, sum_squares = 5, bucket_limit = 6, bucket = 7 (both packed); Value: histo = 5 */
static void add_histogram(Bytes *summary, const ActLogHistogram *h)
{
    static Bytes one, histogram, list[2];
    double width = (h->high - h->low) / (double)h->n, total = 0;
    size_t first = h->n, last = 0;
    one.n = histogram.n = list[0].n = list[1].n = 0;
    for (size_t i = 0; i < h->n; i++) {
        total += (double)h->count[i];
        if (!h->count[i]) continue;
        first = i < first ? i : first;
        last = i;
    }
    for (size_t i = 0; i < h->n; i++) {
        put_double(&list[0], h->low + width * (double)(i + 1));
        put_double(&list[1], (double)h->count[i]);
    }
    const double number[] = { first < h->n ? h->low + width * (double)first : 0, h->low + width * (double)(last + 1), total, h->sum, h->squares };
    for (unsigned i = 0; i < 5; i++) {
        put_key(&histogram, 1 + i, 1);
        put_double(&histogram, number[i]);
    }
    put_counted(&histogram, 6, list[0].at, list[0].n);
    put_counted(&histogram, 7, list[1].at, list[1].n);
    char tag[256];
    snprintf(tag, sizeof tag, "layer/%s/%s", h->layer, h->what);
    put_counted(&one, 1, tag, strlen(tag));
    put_counted(&one, 5, histogram.at, histogram.n);
    summary->full |= list[0].full | list[1].full | histogram.full | one.full;
    put_counted(summary, 1, one.at, one.n);
}

static void write_event(ActLog *log, const ActLogEvent *from)
{
    static Bytes summary, event; /* one thread trains */
    if (from->finding || from->forecast || from->object) return; /* no numbers over time */
    summary.n = 0;
    summary.full = 0;
    if (from->layer) act_log_layer_values(from->layer, add_of_layer, &summary);
    else if (from->histogram) add_histogram(&summary, from->histogram);
    else {
        act_log_values(from, add, &summary);
        add(&summary, "speed", "rows_per_second", from->rate);
    }
    begin_event(&event, from->step);
    put_counted(&event, 5, summary.at, summary.n);
    event.full |= summary.full;
    write_record(log, &event);
}

ACT_LOG(tensorboard) = {
    .name = "tensorboard",
    .ending = "/",
    .doc = "a folder for TensorBoard",
    .open = open_folder,
    .write = write_event,
};
