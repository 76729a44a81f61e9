/* Every command of this folder, found by the build. */
#include "driver/command.h"

#define COMMAND(name) extern ACT_COMMAND(name);
#include "driver/command_list.inc"
#undef COMMAND

static const Command *const command_table[] = {
#define COMMAND(name) &command_##name,
#include "driver/command_list.inc"
#undef COMMAND
};

unsigned command_count(void) { return sizeof command_table / sizeof *command_table; }

const Command *command_at(unsigned i) { return command_table[i]; }

const Command *command_find(Str name)
{
    for (unsigned i = 0; i < command_count(); i++)
        if (str_is(name, command_table[i]->name))
            return command_table[i];
    return NULL;
}
