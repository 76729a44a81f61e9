/* The words that are keywords where a statement begins: one table for the filter and the messages. */
#ifndef ACT_SYNTAX_WORDS_H
#define ACT_SYNTAX_WORDS_H

enum { IN_FILE = 1, IN_BODY = 2 };

/* What must stand behind the word on its line for it to be a keyword inside a body. */
typedef enum Follow { FOLLOW_NAME, FOLLOW_TEXT, FOLLOW_VALUE } Follow;

// clang-format off
#define WORDS(X)                                                                                                \
/*  text           token      places             follow        looks like                                    */ \
  X("import",      IMPORT,    IN_FILE,           FOLLOW_TEXT,  "import \"blocks.act\"")                         \
  X("param",       PARAM,     IN_FILE,           FOLLOW_NAME,  "param width = 64")                              \
  X("model",       MODEL,     IN_FILE,           FOLLOW_NAME,  "model classifier { … }")                        \
  X("data",        DATA,      IN_FILE,           FOLLOW_NAME,  "data mnist { … }")                              \
  X("train",       TRAIN,     IN_FILE,           FOLLOW_NAME,  "train classifier { … }")                        \
  X("block",       BLOCK,     IN_FILE | IN_BODY, FOLLOW_NAME,  "block residual(x, width) { … }")                \
  X("optimizer",   OPTIMIZER, IN_FILE,           FOLLOW_NAME,  "optimizer sgd(w, g, lr = 0.01) { … }")          \
  X("activation",  DEFINE,    IN_FILE,           FOLLOW_NAME,  "activation relu(x) = max(x, 0)")                \
  X("function",    DEFINE,    IN_FILE,           FOLLOW_NAME,  "function square(x) = x^2")                      \
  X("initializer", DEFINE,    IN_FILE,           FOLLOW_NAME,  "initializer small(gain) = normal(0, gain)")     \
  X("schedule",    DEFINE,    IN_FILE,           FOLLOW_NAME,  "schedule slow(now, total) = 1 - now / total")   \
  X("loss",        DEFINE,    IN_FILE,           FOLLOW_NAME,  "loss mse(prediction, target) = …")              \
  X("input",       INPUT,     IN_BODY,           FOLLOW_NAME,  "input image : f32[28, 28, 1]")                  \
  X("target",      TARGET,    IN_BODY,           FOLLOW_NAME,  "target label : class(10)")                      \
  X("share",       SHARE,     IN_BODY,           FOLLOW_NAME,  "share layer = linear(128)")                     \
  X("state",       STATE,     IN_BODY,           FOLLOW_NAME,  "state m = 0")                                   \
  X("loss",        LOSS,      IN_BODY,           FOLLOW_VALUE, "loss cross_entropy(logits, label)")             \
  X("metric",      METRIC,    IN_BODY,           FOLLOW_VALUE, "metric accuracy(logits, label)")                \
  X("output",      OUTPUT,    IN_BODY,           FOLLOW_VALUE, "output softmax(logits)")
// clang-format on

typedef struct Word {
    const char *text;
    int token;
    unsigned places;
    Follow follow;
    const char *looks_like;
} Word;

extern const Word words_table[];
extern const unsigned words_count;

#endif
