/* The words that are no definitions, list by list, from the tables of those who read them. */
#include "sema/sema.h"

typedef struct Example {
    const char *word, *looks_like;
} Example;

static const char *example_at(const Example *table, unsigned n, unsigned i, const char **looks_like)
{
    *looks_like = i < n ? table[i].looks_like : NULL;
    return i < n ? table[i].word : NULL;
}

const char *sema_word(Vocabulary vocabulary, unsigned i, const char **looks_like)
{
    static const Example fields[] = {{"features", "x.features"}, {"channels", "x.channels"}, {"shape", "x.shape"}};
    static const Example special[] = {{"repeat", "x |> repeat(6, block)"},
                                      {"parameter", "share t = parameter([1, 64], normal(0, 0.02))"}};
    *looks_like = NULL;
    switch (vocabulary) {
    case VOCABULARY_SETTING:
        return train_setting(i, looks_like);
    case VOCABULARY_READER:
        return data_reader(i);
    case VOCABULARY_STAGE:
        return data_stage(i);
    case VOCABULARY_TYPE:
        return type_word(i);
    case VOCABULARY_FIELD:
        return example_at(fields, sizeof fields / sizeof *fields, i, looks_like);
    case VOCABULARY_SPECIAL:
        return example_at(special, sizeof special / sizeof *special, i, looks_like);
    }
    return NULL;
}

const char *sema_primitive(unsigned i)
{
    for (int op = 0; op < SX_OP_COUNT; op++)
        if (scalar_primitive(op) && i-- == 0)
            return sx_op_name((SxOp)op);
    return NULL;
}
