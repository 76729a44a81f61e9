/* Every feature of this folder, found by the build. */
#include "lsp/feature.h"

#define FEATURE(name) extern ACT_LSP(name);
#include "lsp/feature_list.inc"
#undef FEATURE

static const Feature *const feature_table[] = {
#define FEATURE(name) &feature_##name,
#include "lsp/feature_list.inc"
#undef FEATURE
};

unsigned feature_count(void) { return sizeof feature_table / sizeof *feature_table; }

const Feature *feature_at(unsigned i) { return feature_table[i]; }

const Feature *feature_find(Str method)
{
    for (unsigned i = 0; i < feature_count(); i++)
        if (str_is(method, feature_table[i]->method))
            return feature_table[i];
    return NULL;
}
