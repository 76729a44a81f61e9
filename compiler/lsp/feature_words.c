/* `actc/words`, a request of our own: the words of the language, list by list, for grammars of editors
 * (editors/grammar.py). */
#include "check/check.h"
#include "lsp/feature.h"
#include "syntax/words.h"

static void add_once(cJSON *list, const char *word)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (str_is(str_of(word), item->valuestring))
            return;
    }
    json_push(list, json_text(str_of(word)));
}

static void add_vocabulary(cJSON *result, const char *name, Vocabulary vocabulary)
{
    cJSON *list = cJSON_AddArrayToObject(result, name);
    const char *word, *example;
    for (unsigned i = 0; (word = sema_word(vocabulary, i, &example)); i++)
        json_push(list, json_text(str_of(word)));
}

static void add_defs(cJSON *result, const char *name, const Program *program, DefKind kind)
{
    cJSON *list = cJSON_AddArrayToObject(result, name);
    for (uint32_t i = 0; i < program->defs.n; i++)
        if (program->defs.at[i].kind == kind)
            json_push(list, json_text(program->defs.at[i].name));
}

static cJSON *words(Server *s, const cJSON *params)
{
    (void)params;
    Sources sources = {.arena = s->arena};
    Diags diags = {.arena = s->arena, .sources = &sources};
    const Program *program = sema_library(s->arena, &sources, &diags);
    cJSON *result = cJSON_CreateObject();
    cJSON *definitions = cJSON_AddArrayToObject(result, "definitions"),
          *statements = cJSON_AddArrayToObject(result, "statements");
    for (unsigned i = 0; i < words_count; i++) {
        if (words_table[i].places & IN_FILE)
            add_once(definitions, words_table[i].text);
        if (words_table[i].places & IN_BODY)
            add_once(statements, words_table[i].text);
    }
    add_vocabulary(result, "settings", VOCABULARY_SETTING);
    add_vocabulary(result, "readers", VOCABULARY_READER);
    add_vocabulary(result, "stages", VOCABULARY_STAGE);
    add_vocabulary(result, "types", VOCABULARY_TYPE);
    add_vocabulary(result, "fields", VOCABULARY_FIELD);
    add_vocabulary(result, "special", VOCABULARY_SPECIAL);
    add_defs(result, "layers", program, DEF_LAYER);
    add_defs(result, "activations", program, DEF_ACTIVATION);
    add_defs(result, "functions", program, DEF_FUNCTION);
    add_defs(result, "losses", program, DEF_LOSS);
    add_defs(result, "initializers", program, DEF_INITIALIZER);
    add_defs(result, "optimizers", program, DEF_OPTIMIZER);
    add_defs(result, "schedules", program, DEF_SCHEDULE);
    add_defs(result, "blocks", program, DEF_BLOCK);
    add_defs(result, "metrics", program, DEF_METRIC);
    cJSON *primitives = cJSON_AddArrayToObject(result, "primitives");
    const char *primitive;
    for (unsigned i = 0; (primitive = sema_primitive(i)); i++)
        json_push(primitives, json_text(str_of(primitive)));
    return result;
}

ACT_LSP(words) = {.method = "actc/words", .run = words};
