/* Plain text as one long sequence of characters (UTF-8) or bytes. host/sequence.c cuts it into what the model takes.
 *
 * A character's index is its place among the distinct ones of the training part, sorted by their bytes; they go with the weights as the
 * class names of a value do, so that a text read later means the same. With `bytes` a byte is its own index, below 256. The file is read
 * twice, for the characters and for their indices, which take as few bytes as they can. */
#include "host/convert.h"
#include "host/stream.h"

#include <stdlib.h>
#include <string.h>

enum { CODES = 0x110000, NONE = -1, BROKEN = -2 };

typedef struct Text {
    ActStream stream;
    ActError *error;
    unsigned char at[5]; uint32_t length; /* the character read last */
    uint64_t offset, line, column;        /* where it stands */
    uint64_t next;                        /* the byte behind it */
    uint32_t *place;                      /* by code point, from 1; 0: it does not occur */
} Text;

static int next_byte(Text *text)
{
    if (text->stream.at == text->stream.end && !act_stream_more(&text->stream, text->error)) return NONE;
    text->next++;
    return text->stream.buffer[text->stream.at++];
}

/* Code point of what `first` begins, its bytes in text->at. */
static int32_t decode(Text *text, int first)
{
    uint32_t n = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
    if (n == 0) return BROKEN;
    int32_t code = n == 1 ? first : first & (0xFF >> (n + 1));
    text->at[0] = (unsigned char)first;
    for (text->length = 1; text->length < n; text->length++) {
        int c = next_byte(text);
        if (c == NONE || (c & 0xC0) != 0x80) return BROKEN;
        text->at[text->length] = (unsigned char)c;
        code = code << 6 | (c & 0x3F);
    }
    text->at[n] = 0;
    static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    return code < least[n] || code >= CODES || (code >= 0xD800 && code < 0xE000) ? BROKEN : code;
}

/* NONE: the end, or a failure, which the stream's status tells. */
static int32_t next_character(Text *text)
{
    if (text->next == 0) text->line = text->column = 1;
    else if (text->at[0] == '\n') text->line++, text->column = 1;
    else text->column++;
    text->offset = text->next;
    int first = next_byte(text);
    return first == NONE ? NONE : decode(text, first);
}

static void rewind_text(Text *text)
{
    act_stream_rewind(&text->stream);
    text->next = 0;
}

static ActStatus broken(const Text *text, ActError *error)
{
    if (text->stream.status != ACT_OK) return text->stream.status;
    return act_error(error, ACT_E_FORMAT, "`%s` is no UTF-8 text: byte %llu; read its bytes, `unit = bytes`, into token(256)",
                     text->stream.path, (unsigned long long)text->offset);
}

static ActStatus unknown(const Text *text, ActError *error)
{
    return act_error(error, ACT_E_DATA, "%s:%llu:%llu: the character `%s` does not occur in the training text", text->stream.path,
                     (unsigned long long)text->line, (unsigned long long)text->column, (const char *)text->at);
}

/* The distinct characters of the text, in the order of their code points, which is that of their bytes. */
static ActStatus collect(Text *text, ActTable *table, ActError *error)
{
    int32_t code;
    size_t n = 0;
    while ((code = next_character(text)) >= 0) text->place[code] = 1;
    if (code == BROKEN) return broken(text, error);
    if (text->stream.status != ACT_OK) return text->stream.status;
    for (size_t i = 0; i < CODES; i++) n += text->place[i];
    table->class_name = calloc(n + 1, sizeof *table->class_name);
    if (!table->class_name) return act_error_memory(error);
    for (uint32_t i = 0; i < CODES; i++) {
        if (!text->place[i]) continue;
        char bytes[5] = { (char)i };
        if (i >= 0x10000) memcpy(bytes, (char[]){ (char)(0xF0 | i >> 18), (char)(0x80 | (i >> 12 & 63)), (char)(0x80 | (i >> 6 & 63)), (char)(0x80 | (i & 63)) }, 4);
        else if (i >= 0x800) memcpy(bytes, (char[]){ (char)(0xE0 | i >> 12), (char)(0x80 | (i >> 6 & 63)), (char)(0x80 | (i & 63)) }, 3);
        else if (i >= 0x80) memcpy(bytes, (char[]){ (char)(0xC0 | i >> 6), (char)(0x80 | (i & 63)) }, 2);
        char *name = act_text_copy(bytes, SIZE_MAX);
        if (!name) return act_error_memory(error);
        table->class_name[table->n_class++] = name;
        text->place[i] = (uint32_t)table->n_class;
    }
    rewind_text(text);
    return ACT_OK;
}

/* Those that are known already. What is no single character stands for none. */
static void take_known(Text *text, const ActRequest *request)
{
    for (size_t i = request->n_class; i-- > 0;) {
        Text name = { .stream = { .buffer = (unsigned char *)request->class_name[i], .end = strlen(request->class_name[i]), .status = ACT_E_DATA } };
        int32_t code = next_character(&name);
        if (code >= 0 && name.stream.at == name.stream.end) text->place[code] = (uint32_t)i + 1;
    }
}

static ActStatus write_indices(Text *text, size_t classes, ActTable *table, ActConversion *to)
{
    int32_t code;
    table->element = classes <= 256 ? ACT_ELEMENT_U8 : classes <= 65536 ? ACT_ELEMENT_U16 : ACT_ELEMENT_U32;
    while (to->status == ACT_OK && (code = next_character(text)) >= 0) {
        if (!text->place[code]) return unknown(text, to->error);
        uint32_t place = text->place[code] - 1;
        uint16_t two = (uint16_t)place;
        uint8_t one = (uint8_t)place;
        act_convert_put(to, classes <= 256 ? (void *)&one : classes <= 65536 ? (void *)&two : &place, act_element_size(table->element));
        table->rows++;
    }
    if (to->status != ACT_OK) return to->status;
    return code == BROKEN ? broken(text, to->error) : text->stream.status;
}

static ActStatus characters(const ActRequest *request, ActTable *table, ActConversion *to, ActError *error)
{
    Text text = { .error = error, .place = calloc(CODES, sizeof *text.place) };
    ActStatus status = text.place ? act_stream_open(&text.stream, request->path, request->log, "converting", error) : act_error_memory(error);
    if (status == ACT_OK) {
        if (request->n_class) take_known(&text, request);
        else status = collect(&text, table, error);
        if (status == ACT_OK) status = write_indices(&text, request->n_class ? request->n_class : table->n_class, table, to);
    }
    table->width = 1;
    if (status == ACT_OK && table->rows == 0) status = act_error(error, ACT_E_DATA, "`%s` is empty", request->path);
    if (status == ACT_OK) status = act_convert_finish(to, table);
    act_stream_close(&text.stream);
    free(text.place);
    return status;
}

static ActStatus bytes(const ActRequest *request, ActTable *table, ActError *error)
{
    ActStatus status = act_table_open(table, request, error);
    if (status != ACT_OK) return status;
    table->element = ACT_ELEMENT_U8;
    table->rows = table->source.size - table->start;
    table->width = table->stride = 1;
    return table->rows ? ACT_OK : act_error(error, ACT_E_DATA, "`%s` is empty", request->path);
}

static ActStatus read_text(const ActRequest *request, ActTable *table, ActError *error)
{
    ActConversion to;
    ActStatus status;
    if (request->columns && strstr(request->columns, "bytes")) {
        status = bytes(request, table, error);
    } else {
        act_convert_begin(&to, request, "text", &request->path, 1, error);
        status = act_convert_found(&to, table) ? ACT_OK : characters(request, table, &to, error);
        act_convert_end(&to);
    }
    table->rank = 0;
    table->shaped = 1; /* a number a row, until it is cut */
    return status;
}

ACT_READER(text) = {
    .name = "text",
    .doc = "Plain text, UTF-8, .gz too: a long sequence of characters, or of bytes (`unit = bytes`), cut into sequences as long as the "
           "value, one behind the other or every `stride`.",
    .endings = ".txt .text",
    .columns = 1,
    .stream = 1,
    .read = read_text,
};
