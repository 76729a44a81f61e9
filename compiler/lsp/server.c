#define _DEFAULT_SOURCE
#include "lsp/server.h"

#include "lsp/diagnostics.h"
#include "lsp/feature.h"
#include "lsp/frame.h"
#include "lsp/standard.h"
#include "lsp/uri.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── sending ── */
static void send_json(Server *s, cJSON *message)
{
    char *text = cJSON_PrintUnformatted(message);
    cJSON_Delete(message);
    if (!text)
        base_out_of_memory(0);
    bool sent = fprintf(s->out, "Content-Length: %zu\r\n\r\n%s", strlen(text), text) >= 0 && fflush(s->out) == 0;
    cJSON_free(text);
    if (!sent) { /* nobody listens any more */
        s->state = SERVER_GONE;
        s->exit_code = 1;
    }
}

static cJSON *new_message(void)
{
    cJSON *message = cJSON_CreateObject();
    json_set_text(message, "jsonrpc", STR("2.0"));
    return message;
}

static void send_error(Server *s, const cJSON *id, int code, Str text)
{
    cJSON *message = new_message(), *error = cJSON_CreateObject();
    json_set(message, "id", id ? cJSON_Duplicate(id, true) : cJSON_CreateNull());
    json_set_number(error, "code", code);
    json_set_text(error, "message", text);
    json_set(message, "error", error);
    send_json(s, message);
}

void server_notify(Server *s, const char *method, cJSON *params)
{
    cJSON *message = new_message();
    json_set_text(message, "method", str_of(method));
    json_set(message, "params", params);
    send_json(s, message);
}

cJSON *server_refuse(Server *s, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s->reason = str_vprintf(s->arena, format, args);
    va_end(args);
    s->refused = code;
    return NULL;
}

/* ── what requests are about ── */
Document *server_document(Server *s, const cJSON *params)
{
    Document *document = document_find(&s->documents, json_str(params, "textDocument.uri"));
    if (document)
        document_analysis(&s->documents, document);
    return document;
}

Document *server_place(Server *s, const cJSON *params, uint32_t *offset)
{
    Position position;
    Document *document = server_document(s, params);
    if (!document || !position_read(json_at(params, "position"), &position))
        return NULL;
    *offset = position_offset(&document->analysis->lines, s->encoding, position);
    return document;
}

Str server_uri(Server *s, Document *document, const Source *source)
{
    if (str_eq(source->path, document->path))
        return document->uri;
    const Document *open = document_find_path(&s->documents, source->path);
    return open ? open->uri : uri_of_path(s->arena, source->path);
}

cJSON *server_range(Server *s, Document *document, const Program *program, Span span)
{
    const Source *source = source_get(program->sources, span.source);
    if (str_eq(source->path, document->path))
        return range_json(&document->analysis->lines, s->encoding, span.begin, span.end);
    Lines lines = lines_of(s->arena, source->text);
    return range_json(&lines, s->encoding, span.begin, span.end);
}

cJSON *server_location(Server *s, Document *document, const Program *program, Span span)
{
    const Source *source = source_get(program->sources, span.source);
    if (!source)
        return NULL;
    Str uri;
    if (source->library) {
        Str path = standard_file(s->arena, program, source);
        if (!path.n)
            return NULL;
        uri = uri_of_path(s->arena, path);
    } else {
        uri = server_uri(s, document, source);
    }
    cJSON *location = cJSON_CreateObject();
    json_set_text(location, "uri", uri);
    json_set(location, "range", server_range(s, document, program, span));
    return location;
}

/* ── the life of a session ── */
static void read_client(Server *s, const cJSON *params)
{
    const cJSON *general = json_at(params, "capabilities.general");
    s->encoding = json_lists(general, "positionEncodings", "utf-8")    ? ENCODING_UTF8
                  : json_lists(general, "positionEncodings", "utf-16") ? ENCODING_UTF16
                  : json_lists(general, "positionEncodings", "utf-32") ? ENCODING_UTF32
                                                                       : ENCODING_UTF16;
    const cJSON *list = json_at(general, "positionEncodings"), *first = cJSON_GetArrayItem(list, 0);
    if (cJSON_IsString(first) && strcmp(first->valuestring, "utf-16") == 0) /* the client's first wish counts */
        s->encoding = ENCODING_UTF16;
    if (cJSON_IsString(first) && strcmp(first->valuestring, "utf-32") == 0)
        s->encoding = ENCODING_UTF32;
    s->snippets = json_true(params, "capabilities.textDocument.completion.completionItem.snippetSupport");
    s->document_changes = json_true(params, "capabilities.workspace.workspaceEdit.documentChanges");
}

static cJSON *initialize(Server *s, const cJSON *params)
{
    static const char *const names[] = {"utf-16", "utf-8", "utf-32"};
    read_client(s, params);
    cJSON *result = cJSON_CreateObject(), *capabilities = cJSON_CreateObject(), *info = cJSON_CreateObject();
    json_set_text(capabilities, "positionEncoding", str_of(names[s->encoding]));
    for (unsigned i = 0; i < feature_count(); i++)
        if (feature_at(i)->capability)
            feature_at(i)->capability(s, capabilities);
    json_set_text(info, "name", STR("actc"));
    json_set_text(info, "version", STR(ACT_VERSION));
    json_set(result, "capabilities", capabilities);
    json_set(result, "serverInfo", info);
    s->state = SERVER_RUNNING;
    return result;
}

static void answer(Server *s, const cJSON *id, cJSON *result)
{
    if (s->refused) {
        cJSON_Delete(result);
        send_error(s, id, s->refused, s->reason);
        return;
    }
    cJSON *message = new_message();
    json_set(message, "id", cJSON_Duplicate(id, true));
    json_set(message, "result", result ? result : cJSON_CreateNull());
    send_json(s, message);
}

static cJSON *run_request(Server *s, Str method, const cJSON *params)
{
    if (s->state == SERVER_SHUT_DOWN)
        return server_refuse(s, LSP_INVALID_REQUEST, "the server was shut down");
    if (str_is(method, "initialize"))
        return s->state == SERVER_NEW ? initialize(s, params)
                                      : server_refuse(s, LSP_INVALID_REQUEST, "the server is initialized already");
    if (s->state == SERVER_NEW)
        return server_refuse(s, LSP_NOT_INITIALIZED, "the server waits for `initialize`");
    if (str_is(method, "shutdown")) {
        s->state = SERVER_SHUT_DOWN;
        return NULL;
    }
    const Feature *feature = feature_find(method);
    if (!feature || feature->notification)
        return server_refuse(s, LSP_METHOD_NOT_FOUND, "there is no method `" STR_FMT "`", STR_ARG(method));
    return feature->run(s, params);
}

static void run_notification(Server *s, Str method, const cJSON *params)
{
    const Feature *feature = feature_find(method);
    if (str_is(method, "exit")) {
        s->exit_code = s->state == SERVER_SHUT_DOWN ? 0 : 1;
        s->state = SERVER_GONE;
    } else if (s->state == SERVER_RUNNING && feature && feature->notification) {
        cJSON_Delete(feature->run(s, params));
    }
}

/* ── the messages that wait ── */
typedef struct Waiting {
    cJSON *json;
    bool cancelled;
} Waiting;

typedef struct Queue {
    Waiting *at; /* of malloc */
    uint32_t first, n, cap;
} Queue;

static bool same_id(const cJSON *a, const cJSON *b)
{
    return a && b && (cJSON_IsNumber(a) || cJSON_IsString(a)) && cJSON_Compare(a, b, true);
}

static void queue_add(Queue *q, cJSON *json)
{
    if (str_is(json_str(json, "method"), "$/cancelRequest") && !json_at(json, "id")) {
        for (uint32_t i = q->first; i < q->n; i++)
            if (json_at(q->at[i].json, "method"))
                q->at[i].cancelled |= same_id(json_at(q->at[i].json, "id"), json_at(json, "params.id"));
        cJSON_Delete(json);
        return;
    }
    if (q->first == q->n)
        q->first = q->n = 0;
    if (q->n == q->cap) {
        q->cap = q->cap ? 2 * q->cap : 16;
        q->at = realloc(q->at, q->cap * sizeof *q->at);
        if (!q->at)
            base_out_of_memory(q->cap * sizeof *q->at);
    }
    q->at[q->n++] = (Waiting){json, false};
}

static void handle(Server *s, const Waiting *waiting)
{
    const cJSON *json = waiting->json, *id = json_at(json, "id"), *params = json_at(json, "params");
    Str method = json_str(json, "method");
    if (!cJSON_IsObject(json) || (!method.n && !json_at(json, "result") && !json_at(json, "error"))) {
        send_error(s, NULL, LSP_INVALID_REQUEST, STR("this is no message"));
        return;
    }
    if (!method.n) /* an answer: nothing was asked */
        return;
    s->arena = arena_new();
    s->refused = 0;
    if (!id) {
        run_notification(s, method, params);
    } else if (!cJSON_IsNumber(id) && !cJSON_IsString(id)) {
        send_error(s, NULL, LSP_INVALID_REQUEST, STR("the id is neither a number nor a text"));
    } else if (waiting->cancelled) {
        send_error(s, id, LSP_CANCELLED, STR("cancelled"));
    } else {
        cJSON *result = run_request(s, method, params);
        answer(s, id, result);
    }
    arena_free(s->arena);
    s->arena = NULL;
}

/* Takes what has arrived; `wait` until something has. False at the end of the stream. */
static bool receive(int in, Frames *frames, bool wait)
{
    char buffer[65536];
    struct pollfd ready = {.fd = in, .events = POLLIN};
    int n = poll(&ready, 1, wait ? -1 : 0);
    if (n == 0 || (n < 0 && errno == EINTR))
        return true;
    ssize_t got = read(in, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (got <= 0)
        return false;
    frames_feed(frames, buffer, (size_t)got);
    return true;
}

static void take_messages(Server *s, Frames *frames, Queue *queue)
{
    char *body;
    size_t n;
    const char *why;
    for (FrameResult result; (result = frames_next(frames, &body, &n, &why)) != FRAME_NONE;) {
        cJSON *json = result == FRAME_MESSAGE ? json_parse(body, n) : NULL;
        if (json) {
            queue_add(queue, json);
            continue;
        }
        if (result == FRAME_MESSAGE) {
            frames_reject(frames);
            why = "the message is no JSON";
        }
        send_error(s, NULL, LSP_PARSE_ERROR, str_of(why));
    }
}

int server_run(int in, FILE *out, const CheckOptions *options, bool notes)
{
    Server s = {.out = out, .exit_code = 1, .notes = notes, .documents = {.options = options}};
    Frames frames = {0};
    Queue queue = {0};
    signal(SIGPIPE, SIG_IGN);
    bool open = true;
    while (s.state != SERVER_GONE) {
        bool idle = queue.first == queue.n;
        if (open && !(idle && diagnostics_due(&s)))
            open = receive(in, &frames, idle);
        else if (open)
            open = receive(in, &frames, false);
        take_messages(&s, &frames, &queue);
        if (queue.first < queue.n) {
            Waiting waiting = queue.at[queue.first++];
            handle(&s, &waiting);
            cJSON_Delete(waiting.json);
        } else if (diagnostics_due(&s)) {
            s.arena = arena_new();
            diagnostics_publish(&s);
            arena_free(s.arena);
            s.arena = NULL;
        } else if (!open) {
            break;
        }
    }
    while (queue.first < queue.n)
        cJSON_Delete(queue.at[queue.first++].json);
    free(queue.at);
    frames_free(&frames);
    documents_free(&s.documents);
    return s.exit_code;
}
