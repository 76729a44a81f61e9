#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "convert.h"

#include "progress.h"
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HEADER = 4096, PIECE = 1 << 18, VERSION = 1 };
static const char magic[8] = { 'a', 'c', 't', 'd', 'a', 't', 'a', '\n' };

typedef struct Header {
    char magic[8];
    uint32_t version, element;
    uint64_t rows, width, payload, names, n_class;
    uint32_t rank, shaped, dim[ACT_MAX_RANK];
    uint64_t key, size, stamp;
    uint32_t content;         /* of all files, read one behind the other */
    uint32_t body;            /* of rows and names */
    uint32_t zero, crc;       /* of all that stands before it */
} Header;

static uint64_t hash(uint64_t h, const void *data, size_t n)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < n; i++) h = (h ^ at[i]) * 0x100000001b3u; /* FNV-1a */
    return h;
}

static uint64_t hash_text(uint64_t h, const char *text) { return hash(h, text, strlen(text) + 1); }

static int measure(const ActConversion *c, uint64_t *size, uint64_t *stamp)
{
    *size = 0;
    *stamp = 0xcbf29ce484222325u;
    for (size_t i = 0; i < c->n_file; i++) {
        struct stat info;
        if (stat(c->file[i], &info) != 0) return 0;
        const int64_t about[] = { info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec };
        *stamp = hash(*stamp, about, sizeof about);
        *size += (uint64_t)info.st_size;
    }
    return 1;
}

static int checksum(const ActConversion *c, uint32_t *crc)
{
    unsigned char *piece = malloc(PIECE);
    int good = piece != NULL;
    *crc = 0;
    for (size_t i = 0; good && i < c->n_file; i++) {
        FILE *file = fopen(c->file[i], "rb");
        size_t n;
        good = file != NULL;
        while (good && (n = fread(piece, 1, PIECE, file)) > 0) *crc = (uint32_t)crc32(*crc, piece, (unsigned)n);
        good = good && !ferror(file);
        if (file) fclose(file);
    }
    free(piece);
    return good;
}

/* folder 0: beside the data; 1: that of results */
static char *place(const ActConversion *c, int folder)
{
    const char *data = c->request->path, *out = c->request->out && *c->request->out ? c->request->out : ".";
    size_t n = strlen(data);
    while (n > 1 && data[n - 1] == '/') n--;
    size_t name = n;
    while (folder && name > 0 && data[name - 1] != '/') name--;
    if (!folder) name = 0;
    size_t room = n + strlen(out) + 40;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s%s%.*s.%016llx.actdata", folder ? out : "", folder ? "/" : "", (int)(n - name), data + name,
                 (unsigned long long)c->key);
    return path;
}

void act_convert_begin(ActConversion *c, const ActRequest *request, const char *what, const char *const *file, size_t n_file,
                       ActError *error)
{
    *c = (ActConversion){ .request = request, .file = file, .n_file = n_file, .error = error, .limit = act_source_limit() };
    c->key = hash_text(hash_text(0xcbf29ce484222325u, what), request->columns ? request->columns : "");
    for (size_t i = 0; i < request->n_class; i++) c->key = hash_text(c->key, request->class_name[i]);
    size_t folder = strlen(request->path);
    for (size_t i = 0; i < n_file; i++) /* of files in a folder, their names there */
        if (strncmp(file[i], request->path, folder) == 0 && file[i][folder]) c->key = hash_text(c->key, file[i] + folder);
    if (!measure(c, &c->size, &c->stamp)) c->size = c->stamp = 0;
}

/* ── what an earlier run left ── */

static int read_names(ActTable *table, const Header *header, const unsigned char *text)
{
    uint64_t at = 0;
    table->class_name = calloc(header->n_class + 1, sizeof *table->class_name);
    for (uint64_t i = 0; table->class_name && i < header->n_class; i++) {
        const unsigned char *end = at < header->names ? memchr(text + at, 0, header->names - at) : NULL;
        if (!end) return 0;
        table->class_name[i] = act_text_copy((const char *)text + at, SIZE_MAX);
        if (!table->class_name[i]) return 0;
        table->n_class++;
        at = (uint64_t)(end - text) + 1;
    }
    return table->class_name && at == header->names;
}

/* Is all of it what was written? */
static int sound(ActConversion *c, const ActSource *source, const Header *header)
{
    uint64_t end = HEADER + header->payload + header->names;
    unsigned char *room = malloc(PIECE);
    uint32_t crc = 0;
    ActBar bar = act_bar(c->request->log, "checking", source->path);
    int good = room != NULL;
    for (uint64_t at = HEADER; good && at < end; at += PIECE) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        const unsigned char *bytes = act_source_bytes(source, at, n, room, NULL);
        good = bytes != NULL;
        if (good) crc = (uint32_t)crc32(crc, bytes, (unsigned)n);
        act_bar_show(&bar, (double)at / (double)end);
    }
    act_bar_end(&bar);
    free(room);
    return good && crc == header->body;
}

static int fits(const ActConversion *c, const ActSource *source, Header *header)
{
    unsigned char room[sizeof *header];
    const unsigned char *bytes = source->size >= HEADER ? act_source_bytes(source, 0, sizeof *header, room, NULL) : NULL;
    if (!bytes) return 0;
    memcpy(header, bytes, sizeof *header);
    if (memcmp(header->magic, magic, sizeof magic) != 0 || header->version != VERSION || header->key != c->key) return 0;
    if (header->crc != (uint32_t)crc32(0, bytes, offsetof(Header, crc))) return 0;
    return header->element < ACT_ELEMENTS && header->rank <= ACT_MAX_RANK && header->size == c->size &&
           source->size == HEADER + header->payload + header->names;
}

static int open_earlier(ActConversion *c, const char *path, ActTable *table)
{
    Header header;
    uint32_t content;
    ActSource source = { 0 };
    if (!act_file_exists(path) || act_source_open(&source, path, NULL) != ACT_OK) return 0;
    int good = fits(c, &source, &header) && sound(c, &source, &header);
    if (good && header.stamp != c->stamp) good = checksum(c, &content) && content == header.content; /* only touched? */
    if (good) {
        unsigned char *names = malloc(header.names + 1);
        const unsigned char *text = names ? act_source_bytes(&source, HEADER + header.payload, header.names, names, NULL) : NULL;
        good = text && (header.n_class == 0 || read_names(table, &header, text));
        free(names);
    }
    if (!good) {
        act_source_close(&source);
        act_table_free(table);
        return 0;
    }
    table->source = source;
    table->start = HEADER;
    table->element = (ActElement)header.element;
    table->rows = header.rows;
    table->width = table->stride = header.width;
    table->rank = header.rank;
    memcpy(table->dim, header.dim, sizeof table->dim);
    table->shaped = (int)header.shaped;
    return 1;
}

int act_convert_found(ActConversion *c, ActTable *table)
{
    int found = 0;
    for (int folder = 0; folder < 2 && !found; folder++) {
        char *path = place(c, folder);
        found = path && open_earlier(c, path, table);
        free(path);
    }
    return found;
}

/* ── and what this one makes ── */

static ActStatus begin_file(ActConversion *c)
{
    static const unsigned char zeros[HEADER];
    ActError beside = { 0 };
    ActStatus status = ACT_OK;
    for (int folder = 0; folder < 2; folder++) {
        free(c->path);
        c->path = place(c, folder);
        if (!c->path) return act_error_memory(c->error);
        char *slash = strrchr(c->path, '/');
        if (slash) *slash = 0;
        act_file_tidy(slash ? c->path : ".", slash ? slash + 1 : c->path); /* what a killed run left */
        if (slash) *slash = '/';
        status = act_file_begin(&c->out, c->path, folder ? c->error : &beside);
        if (status == ACT_OK) break;
    }
    if (status != ACT_OK) {
        act_error_more(c->error, ", and %s; `%s` is too large to be converted in memory: say with `--out DIR` where there is room",
                       beside.text, c->request->path);
        return status;
    }
    c->begun = 1;
    act_file_put(&c->out, zeros, HEADER);
    act_file_put(&c->out, c->memory, c->used);
    c->crc = (uint32_t)crc32_z(0, c->memory, c->used);
    free(c->memory);
    c->memory = NULL;
    return ACT_OK;
}

void act_convert_put(ActConversion *c, const void *data, size_t n)
{
    if (c->status != ACT_OK) return;
    c->written += n;
    if (!c->begun && c->used + n > c->limit) c->status = begin_file(c);
    if (c->status != ACT_OK) return;
    if (c->begun) {
        act_file_put(&c->out, data, n);
        c->crc = (uint32_t)crc32_z(c->crc, data, n);
        if (c->out.why) c->status = act_error(c->error, ACT_E_IO, "`%s` can't be written: %s", c->path, strerror(c->out.why));
        return;
    }
    if (c->used + n > c->room) {
        uint64_t room = (c->room + n) * 2 + 256;
        unsigned char *larger = realloc(c->memory, room);
        if (!larger) {
            c->status = act_error_memory(c->error);
            return;
        }
        c->memory = larger;
        c->room = room;
    }
    memcpy(c->memory + c->used, data, n);
    c->used += n;
}

static ActStatus finish_file(ActConversion *c, ActTable *table)
{
    Header header = { .version = VERSION, .element = table->element, .rows = table->rows, .width = table->width, .payload = c->written,
                      .n_class = table->n_class, .rank = table->rank, .shaped = (uint32_t)table->shaped, .key = c->key, .size = c->size,
                      .stamp = c->stamp };
    uint64_t size, stamp;
    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.dim, table->dim, sizeof header.dim);
    for (size_t i = 0; i < table->n_class; i++) {
        size_t n = strlen(table->class_name[i]) + 1;
        header.names += n;
        act_convert_put(c, table->class_name[i], n);
    }
    header.body = c->crc;
    if (c->status != ACT_OK) return c->status;
    if (!checksum(c, &header.content) || !measure(c, &size, &stamp) || size != c->size || stamp != c->stamp)
        return act_error(c->error, ACT_E_DATA, "`%s` was changed while it was read", c->request->path);
    header.crc = (uint32_t)crc32(0, (const unsigned char *)&header, offsetof(Header, crc));
    act_file_patch(&c->out, 0, &header, sizeof header);
    ActStatus status = act_file_finish(&c->out, c->error);
    c->begun = 0;
    if (status == ACT_OK) status = act_source_open(&table->source, c->path, c->error);
    if (status == ACT_OK && c->request->log)
        fprintf(c->request->log, "`%s` was converted once, into `%s` (%s rows)\n", c->request->path, c->path, act_text_count(table->rows).text);
    return status;
}

ActStatus act_convert_finish(ActConversion *c, ActTable *table)
{
    table->stride = table->width;
    if (c->status == ACT_OK && c->begun) {
        table->start = HEADER;
        c->status = finish_file(c, table);
    } else if (c->status == ACT_OK) {
        table->start = 0;
        act_source_take(&table->source, c->memory, c->used);
        c->memory = NULL;
    }
    return c->status;
}

void act_convert_end(ActConversion *c)
{
    if (c->begun) {
        c->out.why = ECANCELED;
        act_file_finish(&c->out, NULL);
    }
    free(c->memory);
    free(c->path);
    c->memory = NULL;
    c->path = NULL;
    c->begun = 0;
}
