/* Pages of words that are no definitions: types, settings of `train`, readers and steps of `data`, special calls. Which
 * there are is sema's to say (sema_word); here is what they mean. */
#include "check/explain.h"

static const struct {
    const char *word, *example, *text;
} words[] = {
    {"f32", "input image : f32[28, 28, 1] in [0, 1]",
     "Real numbers in single precision: features `f32[64]`, a sequence `f32[T, 16]` (time, features), an image "
     "`f32[28, 28, 1]` (height, width, channels). The batch leads and is not written. `in [0, 1]` declares what the "
     "model receives, behind the data pipeline; rules and `auto` reckon with it."},
    {"token", "input words : token(5000)[128]",
     "Whole numbers below a limit, here 128 of them below 5000: letters, words, users. `one_hot` makes vectors of "
     "them."},
    {"class", "target digit : class(10)",
     "A target that is one of so many classes; `class(10)[128]` at each of 128 positions. Goes with `cross_entropy` "
     "(`output_and_loss`). Under a loss for real numbers it stands for its one-hot vector (ACT206)."},
    {"binary", "target tags : binary[20]",
     "A target of labels that are each 0 or 1; `binary` alone is one of them. Goes with `bce_with_logits` "
     "(`multi_label`)."},
    {"data", "data digits",
     "Which `data` definition the samples come from. Without it the program that calls the network brings them, or "
     "`--data` names a folder."},
    {"epochs", "epochs 10",
     "How often the training part is gone through. Every row is seen once an epoch, in a new order."},
    {"batch", "batch 128",
     "Rows of a training step; the last batch of an epoch may be smaller. The rate that suits grows with it; under "
     "`reduction = sum` the gradient does, too (ACT215)."},
    {"optimizer", "optimizer adamw(lr = 1e-3) for g",
     "What a step does to the weights: `sgd`, `adam`, `adamw`, `rmsprop`, or a definition of one's own. `for g` gives "
     "a "
     "group of weights its own; `decay_on = matrices` leaves biases and scales undecayed."},
    {"schedule", "schedule cosine(warmup = 200)",
     "The factor on the rate as a function of the step: `constant`, `linear`, `cosine`, `step`, or a definition of "
     "one's "
     "own. Without it the rate stays."},
    {"clip", "clip norm(1.0)",
     "The gradient of all weights together is made shorter where its norm is greater than this. Its direction stays. "
     "It "
     "keeps single batches from throwing weights far off; where it acts in most steps the rate is what should be "
     "lower. `clip value(0.5)` bounds every element instead."},
    {"average", "average ema(0.999)",
     "Averaged weights are evaluated and saved instead of the last ones, which wander around a minimum as long as the rate is "
     "large. `ema(0.999)` moves by a thousandth towards the weights after every update; `last(5)` is the mean of the weights at "
     "the ends of the last five epochs. Both as PyTorch's `AveragedModel`, running statistics too."},
    {"accumulate", "accumulate 4",
     "One step of the optimizer for so many batches: a batch four times as large in the memory of one. The gradient is the "
     "mean over the rows of all of them, so a short one at the end of an epoch counts for less."},
    {"seed", "seed 1",
     "Where random numbers begin: weights, the order of rows, `dropout`. The same seed gives the same run, bit for "
     "bit, on "
     "any number of threads."},
    {"stop", "stop early(patience = 3)",
     "Training ends when the validation part has not become better for so many epochs. The test part is never asked."},
    {"checkpoint", "checkpoint every 1 epoch",
     "The whole training is written as it goes on, every so many epochs or steps, and `--resume` goes on from there."},
    {"monitor", "monitor every 50 steps",
     "Compiles the monitor in, as `--monitor` does: every so many steps training measures dead units, saturation, sizes of values, gradients and "
     "updates, tells what goes wrong and where (`actc explain RT01`), and says at the end which predictions came true. The weights are the same, "
     "byte for byte."},
    {"start", "start from \"weights.safetensors\"", "Weights to begin with, in the names and shapes of PyTorch."},
    {"csv", "x = csv(\"iris.csv\", columns = 1..4)",
     "Columns of a table in text form, also compressed. Texts become class numbers in the order of their names, which "
     "go "
     "with the weights."},
    {"idx", "image = idx(\"train-images-idx3-ubyte.gz\") / 255",
     "The format of MNIST's files, also compressed. Bytes are "
     "0 to 255, so divide."},
    {"npy", "x = npy(\"features.npy\")", "An array of NumPy, rows first."},
    {"images", "picture = images(\"flowers/train\") / 255",
     "PNG and JPEG files of one size in a folder, 0 to 255, grey or in colours as the input has channels. Every folder in it is a class, "
     "and a target that is a `class(n)` gets its number: `label = images(\"flowers/train\")`."},
    {"text", "words = text(\"book.txt\")",
     "A text, cut into sequences as long as the input's type says; its characters become token numbers, which go with "
     "the weights."},
    {"normalize", "x = csv(\"iris.csv\", columns = 1..4) |> normalize",
     "Subtracts a mean and divides by a deviation: those given, or, without arguments, of each feature over the "
     "training "
     "part. They become constants of the model, so that prediction uses the same. Twice is once too much (ACT1102)."},
    {"shift", "next = text |> shift(1)", "The same sequence some positions later: the target of a language model."},
    {"features", "x |> linear(4 * x.features)", "The size of a value's last axis, in shapes and counts."},
    {"channels", "share scale = parameter([x.channels], ones)",
     "The size of a value's last axis, in shapes and counts."},
    {"shape", "x |> reshape(x.shape)", "All sizes of a value, without the batch."},
    {"repeat", "h = x |> repeat(6, block)",
     "A layer or block so many times in a row, each copy with weights of its own; a shared one (`share`) with the "
     "same. "
     "Copies are numbered in the names of weights: `block1.0.linear1.weight`."},
    {"parameter", "share t = parameter([1, 64], normal(0, 0.02))",
     "A free weight with a shape and an initializer, trained like any other. `share` gives it its name."},
};

enum { WORDS = sizeof words / sizeof words[0] };

/* Words with which a statement begins, and what stands beside layers. */
static const struct {
    const char *word, *kind, *example, *text;
} statements[] = {
    {"model", "definition", "model digits { … }",
     "A network: its inputs and targets, the values computed from them, a `loss`, and what comes out (`output`)."},
    {"input", "statement of a model", "input image : f32[28, 28, 1] in [0, 1]",
     "What the network reads, with its type (`f32`, `token`). `= normal(0, 1)` behind the type draws it instead."},
    {"target", "statement of a model", "target digit : class(10)",
     "What is to be predicted, with its type: `class`, `binary` or `f32`. The type says what the task is, and a loss "
     "that does not fit it is found (`output_and_loss`)."},
    {"loss", "statement of a model", "loss cross_entropy(logits, digit)",
     "What training makes small: a scalar expression over losses (`actc list losses`), `mean` and `sum`. Several are "
     "added; `loss fit = …` names one. Outside a model, `loss name(prediction, target) = …` defines one."},
    {"metric", "statement of a model", "metric accuracy(logits, digit)",
     "What is measured and printed beside the loss, and never trained on (`actc list metrics`)."},
    {"output", "statement of a model", "output softmax(logits)",
     "What prediction gives. Several have names: `output p = softmax(z)`."},
    {"share", "statement of a model", "share proj = linear(128)",
     "One layer, block or free weight (`parameter`), whose weights every `|> proj` uses."},
    {"block", "definition", "block residual(x) { x + (x |> linear(x.features) |> gelu) }",
     "Layers under a name, with parameters; the last line is its value. Each use has weights of its own, unless it is "
     "shared (`share`). `repeat` stacks them."},
    {"param", "definition", "param hidden = relu",
     "A number or function that the command line can change: `--set hidden=gelu`."},
    {"import", "definition", "import \"blocks.act\"",
     "The definitions of another file; its path is relative to this one."},
    {"train", "definition", "train digits { data mnist; epochs 10; optimizer adamw(lr = 1e-3) }",
     "How a model is trained: `data`, `epochs`, `batch`, `optimizer`, `schedule`, `clip`, `seed` and others."},
    {"activation", "definition", "activation bent(x) = 0.5 * (x + sqrt(x^2 + 1))",
     "A function of one number, used like a layer. Derivative, range, gain and initializer follow from the formula; "
     "`actc explain FILE.act bent` shows them."},
    {"initializer", "definition", "initializer small(fan_in) = normal(0, 0.1 / sqrt(fan_in))",
     "A distribution that weights start from (`initialization`)."},
    {"allow", "annotation", "@allow(saturating_hidden, reason = \"reproduces the 1998 network\")",
     "On the line above a statement: the rule is silent about it. A reason is required, and an `@allow` that silences "
     "nothing is itself reported (ACT0001)."},
    {"auto", "initializer of `linear`", "x |> linear(64)",
     "What weights start from where nothing else is written: the compiler follows the value to the next activation and "
     "takes the variance that keeps the signal's size (`initialization`)."},
    {"weight", "argument of `linear`", "x |> linear(64, weight = kaiming_normal)",
     "The initializer of a layer's weights, or another layer's weights to share: `weight = table.weight`."},
    {"bias", "argument of `linear`", "x |> linear(64, bias = false)",
     "The initializer of what is added to each output, zeros unless it is written; `false` leaves it out."},
    {"lr", "argument of optimizers", "optimizer adam(lr = 1e-3)",
     "The learning rate: how far a step goes. Its default stands on the optimizer's page; `schedule` changes it while "
     "training, and ACT901 says when it can't be meant."},
};

static bool explain_statement(Page *page, Str name)
{
    if (name.n && name.p[0] == '@')
        name = (Str){name.p + 1, name.n - 1};
    for (unsigned i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!str_is(name, statements[i].word))
            continue;
        text_printf(page->out, "%s (%s)\n", statements[i].word, statements[i].kind);
        page_paragraphs(page, str_of(statements[i].text), 0);
        page_code(page, str_printf(page->out->arena, "\n%s", statements[i].example));
        return true;
    }
    return false;
}

static const char *const kinds[] = {[VOCABULARY_SETTING] = "setting of a `train` block",
                                    [VOCABULARY_READER] = "reader of a `data` block",
                                    [VOCABULARY_STAGE] = "step of a data pipeline",
                                    [VOCABULARY_TYPE] = "type",
                                    [VOCABULARY_FIELD] = "field of a value",
                                    [VOCABULARY_SPECIAL] = "special call"};

bool explain_word(Page *page, Str name)
{
    for (unsigned list = 0; list < sizeof kinds / sizeof kinds[0]; list++) {
        const char *example, *word;
        for (unsigned i = 0; (word = sema_word((Vocabulary)list, i, &example)); i++) {
            if (!str_is(name, word))
                continue;
            unsigned at = 0;
            while (at < WORDS && !str_is(name, words[at].word))
                at++;
            example = at < WORDS ? words[at].example : example;
            text_printf(page->out, "%s (%s)\n", word, kinds[list]);
            if (at < WORDS)
                page_paragraphs(page, str_of(words[at].text), 0);
            if (example)
                page_code(page, str_printf(page->out->arena, "\n%s", example));
            return true;
        }
    }
    return explain_statement(page, name);
}
