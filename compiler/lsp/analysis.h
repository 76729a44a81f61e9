/* What the compiler makes of one text: diagnostics of the text as it stands, and a program to ask questions of.
 *
 * A text that does not parse is understood a second time with its broken statements mended (mend.h): every byte keeps
 * its place, so that spans of both mean the same. Everything lives in one arena that dies with the analysis. */
#ifndef ACT_LSP_ANALYSIS_H
#define ACT_LSP_ANALYSIS_H

#include "check/check.h"
#include "check/signal.h"
#include "lsp/names.h"
#include "lsp/position.h"

/* One healthy model's signal, computed when it is first asked for. */
typedef struct ModelSignal {
    const Model *model;
    Signal *signal; /* NULL: there is none to compute */
} ModelSignal;

typedef struct Analysis {
    Arena *arena;
    Sources sources;
    Diags diags;
    const Source *source; /* the text */
    bool parses;          /* it has no syntax error */
    Program *written;     /* of the text as it stands; diags are about it */
    Sources known_sources;
    Diags known_diags;
    Program *known;    /* the same one, or of the mended text */
    uint32_t known_id; /* source number of the text in `known` */
    const Ast *tree;   /* of `known` */
    Lines lines;
    VEC(Lines) other_lines; /* by source of `written` */
    VEC(ModelSignal) signals;
    Names *names;
} Analysis;

/* `open` gives the texts of files that an editor holds, as SemaOptions.open. */
Analysis *analysis_new(Str path, Str text, const CheckOptions *check, bool (*open)(void *context, Str path, Str *text),
                       void *context);
void analysis_free(Analysis *analysis);

Names *analysis_names(Analysis *analysis);
/* NULL: the model has errors. */
const Signal *analysis_signal(Analysis *analysis, const Model *model);
/* The nodes of the tree around a byte, the whole file first; a node that ends there counts too. */
typedef VEC(const Ast *) Path;
Path analysis_path(Analysis *analysis, Arena *arena, uint32_t offset);

#endif
