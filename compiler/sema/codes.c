#include "sema/codes.h"

static const SemaCode codes[] = {
#define X(number, name, doc) {"ACT" #number, #name, doc},
    SEMA_CODES(X)
#undef X
};

const SemaCode *sema_code_at(unsigned i) { return &codes[i]; }

const SemaCode *sema_code_find(Str name)
{
    for (unsigned i = 0; i < SEMA_CODE_COUNT; i++)
        if (str_is(name, codes[i].code) || str_is(name, codes[i].name))
            return &codes[i];
    return NULL;
}
