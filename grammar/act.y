/* The grammar: what stands where. Actions only build the tree (compiler/syntax/build.h).
 *
 * It is small because three things are settled before a token arrives here (compiler/syntax/filter.c): a TERM ends
 * every statement, the brackets balance, and a word is a keyword only where it means something. Which statement may
 * stand in which body is checked afterwards (compiler/syntax/placement.c), where the message can say what to do about it. */
%require "3.8"
%define api.pure full
%define api.prefix {act_yy}
%define api.token.prefix {TOK_}
%define api.value.type union
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%define parse.trace
%locations
%expect 0
%param { ParseCtx *cx }

%code requires {
#include "syntax/build.h"
}

%code provides {
int act_yylex(ACT_YYSTYPE *value, Span *place, ParseCtx *cx);
void act_yyerror(const Span *place, ParseCtx *cx, const char *message);
}

%code {
/* An empty construct stands where the one before it ends. */
#define YYLLOC_DEFAULT(now, rhs, n)                                                                  \
    ((now) = (n) ? span_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n))                                     \
                 : (Span){YYRHSLOC(rhs, 0).source, YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

/* A node over the whole right-hand side (`yyloc` is what @$ stands for). */
#define BUILD(kind, text, place, ...)                                       \
    tree_node(cx, AST_##kind, yyloc, (text), (place), (Ast *[]){__VA_ARGS__}, \
               sizeof((Ast *[]){__VA_ARGS__}) / sizeof(Ast *))
#define PLAIN(kind, ...) BUILD(kind, STR(""), ((Span){0, 0, 0}), __VA_ARGS__)
#define LEAF(kind, text, place) tree_node(cx, AST_##kind, yyloc, (text), (place), NULL, 0)
}

%initial-action { @$ = (Span){cx->source->id, 0, 0}; }

%token YYEOF 0      "the end of the file"
%token TERM         "the end of the line"
%token JUXT         "another word"
%token <Str> NAME   "a name"
%token <Str> BIND   "a name that is given a value"
%token <Str> KEY    "a setting"
%token <Str> PART   "a part of the data"
%token <Str> DEFINE "a definition"
%token <Str> NUMBER "a number"
%token <Str> STRING "a text in quotes"

%token IMPORT "`import`" PARAM "`param`" MODEL "`model`" DATA "`data`" TRAIN "`train`" BLOCK "`block`"
%token OPTIMIZER "`optimizer`"
%token INPUT "`input`" TARGET "`target`" SHARE "`share`" STATE "`state`" LOSS "`loss`" METRIC "`metric`"
%token OUTPUT "`output`"
%token IF "`if`" THEN "`then`" ELSE "`else`" FOR "`for`" WHEN "`when`" IN "`in`" AS "`as`" ALLOW "`@allow`"

%token LPAREN "`(`" RPAREN "`)`" LBRACKET "`[`" RBRACKET "`]`" LBRACE "`{`" RBRACE "`}`"
%token COMMA "`,`" COLON "`:`" ASSIGN "`=`" DOT "`.`" DOTS "`..`" PIPE "`|>`"
%token PLUS "`+`" MINUS "`-`" STAR "`*`" SLASH "`/`" CARET "`^`"
%token LT "`<`" LE "`<=`" GT "`>`" GE "`>=`" EQ "`==`" NE "`!=`"

%nterm <Ast *> statement plain allow expression condition comparison range sum product unary power labelled
%nterm <Ast *> callable literal stage argument parameter parameters type item setting name
%nterm <AstList *> statements body allows arguments argument_list parameter_list results items names binds elements
%nterm <Ast *> type_count type_shape type_range for_names value bound name_list
%nterm <Str> relation

%printer { fprintf(yyo, STR_FMT, STR_ARG($$)); } <Str>

%%

file
  : statements                                  { tree_file(cx, @$, $statements); }
  ;

/* A broken statement ends with its line; when it opens a body, the body is read all the same. Behind `error` stands a
 * token in both rules, never a reduction: the parser then throws tokens away until that one comes. */
statements
  : %empty                                      { $$ = list_new(cx); }
  | statements statement TERM                   { $$ = tree_statement(cx, $1, $2); }
  | statements error TERM                       { $$ = tree_broken(cx, $1, @2); yyerrok; }
  | statements error body TERM                  { $$ = tree_broken(cx, $1, @2); yyerrok; }
  ;

statement
  : plain
  | allows plain                                { $$ = tree_allowed(cx, $allows, $plain); }
  ;

allows
  : allow                                       { $$ = list_add(cx, list_new(cx), $1); }
  | allows allow                                { $$ = list_add(cx, $1, $2); }
  ;

allow
  : ALLOW LPAREN arguments RPAREN               { $$ = tree_allow(cx, @$, $arguments); }
  ;

plain
  : IMPORT STRING                               { $$ = tree_import(cx, @$, @2, $2); }
  | PARAM NAME ASSIGN expression                { $$ = BUILD(PARAM, $2, @2, $4); }
  | MODEL NAME body                             { $$ = tree_body(cx, AST_MODEL, @$, $2, @2, NULL, $3); }
  | DATA NAME body                              { $$ = tree_body(cx, AST_DATA, @$, $2, @2, NULL, $3); }
  | PART body                                   { $$ = tree_body(cx, AST_PART, @$, $1, @1, NULL, $2); }
  | TRAIN NAME body                             { $$ = tree_body(cx, AST_TRAIN, @$, $2, @2, NULL, $3); }
  | BLOCK NAME parameters body                  { $$ = tree_body(cx, AST_BLOCK, @$, $2, @2, $3, $4); }
  | OPTIMIZER NAME parameters body              { $$ = tree_body(cx, AST_OPTIMIZER, @$, $2, @2, $3, $4); }
  | DEFINE NAME parameters ASSIGN expression    { $$ = tree_function(cx, @$, $1, $2, @2, $3, $5); }
  | DEFINE NAME ASSIGN expression               { $$ = tree_function(cx, @$, $1, $2, @2, NULL, $4); }

  | INPUT NAME COLON type value                 { $$ = BUILD(INPUT, $2, @2, $4, $5); }
  | TARGET NAME COLON type                      { $$ = BUILD(TARGET, $2, @2, $4); }
  | SHARE NAME ASSIGN expression                { $$ = BUILD(SHARE, $2, @2, $4); }
  | STATE NAME ASSIGN expression                { $$ = BUILD(STATE, $2, @2, $4); }
  | LOSS expression                             { $$ = PLAIN(LOSS, $2, NULL); }
  | LOSS NAME ASSIGN expression                 { $$ = BUILD(LOSS, $2, @2, $4, NULL); }
  | LOSS FOR name_list COLON expression         { $$ = PLAIN(LOSS, $5, $3); }
  | LOSS NAME FOR name_list COLON expression    { $$ = BUILD(LOSS, $2, @2, $6, $4); }
  | METRIC expression                           { $$ = PLAIN(METRIC, $2); }
  | METRIC NAME ASSIGN expression               { $$ = BUILD(METRIC, $2, @2, $4); }
  | OUTPUT expression                           { $$ = PLAIN(OUTPUT, $2); }
  | OUTPUT NAME ASSIGN expression               { $$ = BUILD(OUTPUT, $2, @2, $4); }

  | bound ASSIGN expression                     { $$ = PLAIN(ASSIGN, $1, NULL, $3); }
  | bound ASSIGN expression WHEN NAME           { $$ = tree_when(cx, @$, $1, NULL, $3, $5, @5); }
  | bound COLON type ASSIGN expression          { $$ = PLAIN(ASSIGN, $1, $3, $5); }
  | bound COLON type ASSIGN expression WHEN NAME  { $$ = tree_when(cx, @$, $1, $3, $5, $7, @7); }
  | results                                     { $$ = tree_list(cx, AST_RESULT, @$, $1); }
  | setting
  ;

body
  : LBRACE fresh statements RBRACE              { $$ = $3; }
  ;

/* What stands inside a body is a new start: its first mistake is reported even when the line before was broken. */
fresh
  : %empty                                      { yyerrok; }
  ;

value
  : %empty                                      { $$ = NULL; }
  | ASSIGN expression                           { $$ = $2; }
  ;

bound
  : binds                                       { $$ = tree_list(cx, AST_NAMES, @$, $1); }
  ;

binds
  : BIND                                        { $$ = list_add(cx, list_new(cx), tree_name(cx, @1, $1)); }
  | binds COMMA BIND                            { $$ = list_add(cx, $1, tree_name(cx, @3, $3)); }
  ;

name
  : NAME                                        { $$ = tree_name(cx, @$, $1); }
  ;

names
  : name                                        { $$ = list_add(cx, list_new(cx), $1); }
  | names COMMA name                            { $$ = list_add(cx, $1, $3); }
  ;

name_list
  : names                                       { $$ = tree_list(cx, AST_NAMES, @$, $1); }
  ;

results
  : expression                                  { $$ = list_add(cx, list_new(cx), $1); }
  | results COMMA expression                    { $$ = list_add(cx, $1, $3); }
  ;

/* epochs 10 · stop early(patience = 3) · checkpoint every 1 epoch · optimizer adam() for g */
setting
  : KEY                                         { $$ = LEAF(SETTING, $1, @1); }
  | KEY items                                   { $$ = tree_setting(cx, @$, $1, @1, $2, NULL); }
  | KEY items for_names                         { $$ = tree_setting(cx, @$, $1, @1, $2, $3); }
  ;

items
  : item                                        { $$ = list_add(cx, list_new(cx), $1); }
  | items JUXT item                             { $$ = list_add(cx, $1, $3); }
  | items COMMA item                            { $$ = list_add(cx, $1, tree_after_comma($3)); }
  ;

item
  : expression
  ;

for_names
  : FOR names                                   { $$ = tree_list(cx, AST_FOR, @$, $2); }
  ;

/* --- parameters and types ---------------------------------------------------------------------------------------- */

parameters
  : LPAREN RPAREN                               { $$ = tree_list(cx, AST_PARAMETERS, @$, list_new(cx)); }
  | LPAREN parameter_list trailing RPAREN       { $$ = tree_list(cx, AST_PARAMETERS, @$, $2); }
  ;

parameter_list
  : parameter                                   { $$ = list_add(cx, list_new(cx), $1); }
  | parameter_list COMMA parameter              { $$ = list_add(cx, $1, $3); }
  ;

parameter
  : NAME value                                  { $$ = BUILD(PARAMETER, $1, @1, $2); }
  ;

/* f32[28, 28, 1] · token(65)[128] · f32[10] in [0, 1] */
type
  : NAME type_count type_shape type_range       { $$ = BUILD(TYPE, $1, @1, $2, $3, $4); }
  ;

type_count
  : %empty                                      { $$ = NULL; }
  | LPAREN expression RPAREN                    { $$ = PLAIN(COUNT, $2); }
  ;

type_shape
  : %empty                                      { $$ = NULL; }
  | LBRACKET elements trailing RBRACKET         { $$ = tree_list(cx, AST_SHAPE, @$, $2); }
  ;

type_range
  : %empty                                      { $$ = NULL; }
  | IN LBRACKET expression COMMA expression RBRACKET  { $$ = PLAIN(RANGE, $3, $5); }
  ;

elements
  : expression                                  { $$ = list_add(cx, list_new(cx), $1); }
  | elements COMMA expression                   { $$ = list_add(cx, $1, $3); }
  ;

trailing
  : %empty
  | COMMA
  ;

/* --- expressions, loosest first ---------------------------------------------------------------------------------- */

expression
  : condition
  | expression PIPE stage                       { $$ = PLAIN(PIPE, $1, $3); }
  ;

stage
  : callable
  | callable AS NAME                            { $$ = BUILD(LABEL, $3, @3, $1); }
  ;

condition
  : comparison
  | IF condition THEN condition ELSE condition  { $$ = PLAIN(IF, $2, $4, $6); }
  ;

comparison
  : range
  | range relation range                        { $$ = BUILD(BINARY, $2, @2, $1, $3); }
  ;

relation
  : LT { $$ = STR("<"); }  | LE { $$ = STR("<="); }  | GT { $$ = STR(">"); }  | GE { $$ = STR(">="); }
  | EQ { $$ = STR("=="); } | NE { $$ = STR("!="); }
  ;

range
  : sum
  | sum DOTS sum                                { $$ = PLAIN(RANGE, $1, $3); }
  ;

sum
  : product
  | sum PLUS product                            { $$ = BUILD(BINARY, STR("+"), @2, $1, $3); }
  | sum MINUS product                           { $$ = BUILD(BINARY, STR("-"), @2, $1, $3); }
  ;

product
  : unary
  | product STAR unary                          { $$ = BUILD(BINARY, STR("*"), @2, $1, $3); }
  | product SLASH unary                         { $$ = BUILD(BINARY, STR("/"), @2, $1, $3); }
  ;

unary
  : power
  | MINUS unary                                 { $$ = BUILD(UNARY, STR("-"), @1, $2); }
  ;

/* x^-2 and 2^-x^2: the exponent takes its own minus, and powers group from the right */
power
  : labelled
  | labelled CARET unary                        { $$ = BUILD(BINARY, STR("^"), @2, $1, $3); }
  ;

labelled
  : callable
  | literal
  | callable AS NAME                            { $$ = BUILD(LABEL, $3, @3, $1); }
  ;

callable
  : NAME                                        { $$ = tree_name(cx, @$, $1); }
  | LPAREN expression RPAREN                    { $$ = PLAIN(GROUP, $2); }
  | callable LPAREN arguments RPAREN            { $$ = tree_call(cx, @$, $1, $3); }
  | callable DOT NAME                           { $$ = BUILD(FIELD, $3, @3, $1); }
  ;

literal
  : NUMBER                                      { $$ = tree_number(cx, @$, $1); }
  | STRING                                      { $$ = tree_string(cx, @$, $1); }
  | LBRACKET RBRACKET                           { $$ = tree_list(cx, AST_LIST, @$, list_new(cx)); }
  | LBRACKET elements trailing RBRACKET         { $$ = tree_list(cx, AST_LIST, @$, $2); }
  | LPAREN expression COMMA elements trailing RPAREN  { $$ = tree_list(cx, AST_TUPLE, @$, list_first(cx, $2, $4)); }
  ;

arguments
  : %empty                                      { $$ = list_new(cx); }
  | argument_list trailing                      { $$ = $1; }
  ;

argument_list
  : argument                                    { $$ = list_add(cx, list_new(cx), $1); }
  | argument_list COMMA argument                { $$ = list_add(cx, $1, $3); }
  ;

argument
  : expression                                  { $$ = PLAIN(ARG, $1); }
  | NAME ASSIGN expression                      { $$ = BUILD(ARG, $1, @1, $3); }
  ;

%%

/* What the parser could go on with, for the message (compiler/syntax/mistake.c puts it into a sentence). */
static unsigned expected_of(yysymbol_kind_t kind)
{
    static const unsigned table[YYNTOKENS] = {
        [YYSYMBOL_NAME] = EXPECT_NAME,       [YYSYMBOL_NUMBER] = EXPECT_VALUE,   [YYSYMBOL_STRING] = EXPECT_TEXT,
        [YYSYMBOL_TERM] = EXPECT_END,        [YYSYMBOL_RBRACE] = EXPECT_END,     [YYSYMBOL_COMMA] = EXPECT_COMMA,
        [YYSYMBOL_RPAREN] = EXPECT_RPAREN,   [YYSYMBOL_RBRACKET] = EXPECT_RBRACKET,
        [YYSYMBOL_LPAREN] = EXPECT_LPAREN,   [YYSYMBOL_LBRACKET] = EXPECT_LBRACKET,
        [YYSYMBOL_LBRACE] = EXPECT_LBRACE,   [YYSYMBOL_COLON] = EXPECT_COLON,    [YYSYMBOL_ASSIGN] = EXPECT_ASSIGN,
        [YYSYMBOL_THEN] = EXPECT_THEN,       [YYSYMBOL_ELSE] = EXPECT_ELSE,      [YYSYMBOL_PLUS] = EXPECT_OPERATOR,
        [YYSYMBOL_PIPE] = EXPECT_OPERATOR,   [YYSYMBOL_LT] = EXPECT_RELATION,    [YYSYMBOL_INPUT] = EXPECT_STATEMENT,
        [YYSYMBOL_YYEOF] = EXPECT_STATEMENT,
    };
    return table[kind];
}

static int yyreport_syntax_error(const yypcontext_t *found, ParseCtx *cx)
{
    yysymbol_kind_t kind[YYNTOKENS];
    int n = yypcontext_expected_tokens(found, kind, YYNTOKENS);
    unsigned expected = 0;
    for (int i = 0; i < n; i++)
        expected |= expected_of(kind[i]);
    mistake_report(cx, expected);
    return 0;
}

/* Only called when the parser's stack is full, which the nesting limit prevents. */
void act_yyerror(const Span *place, ParseCtx *cx, const char *message)
{
    diag_new(cx->diags, LEVEL_ERROR, "ACT0005", "too_deep", *place, "%s", message);
}
