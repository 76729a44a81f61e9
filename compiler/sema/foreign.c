/* Names that other systems have for what the language calls otherwise. */
#include "sema/sema.h"

#include <ctype.h>
#include <string.h>

/* Small letters without underscores, `nn.` and the like: BatchNorm1d, nn.BatchNorm1d and batch_norm1d are one name. */
static Str plain(Str name, char room[64])
{
    for (uint32_t i = 0; i < name.n; i++)
        if (name.p[i] == '.')
            name = (Str){name.p + i + 1, name.n - i - 1}, i = UINT32_MAX;
    Str out = {room, 0};
    for (uint32_t i = 0; i < name.n && out.n < 64; i++)
        if (name.p[i] != '_')
            room[out.n++] = (char)tolower((unsigned char)name.p[i]);
    return out;
}

bool foreign_same(Str a, Str b)
{
    char room[2][64];
    return a.n <= 64 && b.n <= 64 && str_eq(plain(a, room[0]), plain(b, room[1]));
}

static Str without_tail(Str name, const char *tail)
{
    Str end = str_of(tail);
    bool has = name.n > end.n + 1 && str_eq((Str){name.p + name.n - end.n, end.n}, end);
    return has ? (Str){name.p, name.n - end.n} : name;
}

Str foreign_name(Str name, const Str *candidates, uint32_t n)
{
    static const char *const table[][2] = {
        {"dense", "linear"},        {"fully_connected", "linear"}, {"fc", "linear"},
        {"units", "features"},
        {"out_features", "features"}, {"dim", "axis"},            {"p", "rate"},              {"learning_rate", "lr"},
        {"cat", "concat"},          {"concatenate", "concat"},    {"transpose", "permute"},   {"view", "reshape"},
        {"squeeze", "reshape"},     {"unsqueeze", "reshape"},     {"lrelu", "leaky_relu"},    {"logistic", "sigmoid"},
        {"mse_loss", "mse"},        {"l2_loss", "mse"},           {"l1_loss", "mae"},         {"nll_loss", "nll"},
        {"smooth_l1", "huber"},     {"bce_loss", "bce"},          {"kl_div", "kl"},           {"acc", "accuracy"},
        {"kernel_initializer", "weight"}, {"weight_init", "weight"}, {"init", "weight"},      {"use_bias", "bias"},
        {"glorot_normal", "xavier_normal"}, {"glorot_uniform", "xavier_uniform"}, {"he_normal", "kaiming_normal"},
        {"he_uniform", "kaiming_uniform"}, {"None", "false"},     {"none", "false"},          {"False", "false"},
        {"True", "true"},           {"betas", "beta1"},           {"rho", "alpha"},           {"wd", "weight_decay"},
        {"batch_size", "batch"},    {"num_epochs", "epochs"},   {"n_epochs", "epochs"},
        {"scheduler", "schedule"},  {"lr_scheduler", "schedule"}, {"gradient_clip", "clip"},  {"grad_clip", "clip"},
        {"random_state", "seed"},   {"binary_crossentropy", "bce"}, {"mean_squared_error", "mse"},
        {"mean_absolute_error", "mae"}, {"categorical_crossentropy", "cross_entropy"},
        {"sparse_categorical_crossentropy", "cross_entropy"}, {"kldiv", "kl"},
        {"he", "kaiming_normal"},   {"kaiming", "kaiming_normal"}, {"xavier", "xavier_normal"},
        {"glorot", "xavier_normal"}, {"lecun", "lecun_normal"},   {"num_classes", "classes"},
        {"ignore_index", "ignore"}, {"l2", "weight_decay"},       {"dropout1d", "spatial_dropout"},
        {"dropout2d", "spatial_dropout"}, {"batch_normalization", "batch_norm"}, {"bn", "batch_norm"},
        {"layer_normalization", "layer_norm"}, {"group_normalization", "group_norm"}, {"max_pooling", "max_pool"},
        {"average_pooling", "avg_pool"}, {"global_average_pooling", "global_avg_pool"}, {"up_sampling", "upsample"},
        {"conv2d_transpose", "conv_transpose2d"}, {"zero_padding", "pad"}, {"simple_rnn", "rnn"},
        {"multihead_attention", "attention"}, {"multi_head_attention", "attention"},
    };
    Str bare = without_tail(without_tail(without_tail(name, "Loss"), "_loss"), "Optimizer");
    static const char *const dimensions[] = {"1d", "2d", "1D", "2D"}; /* MaxPool2d, MaxPooling2D */
    for (uint32_t i = 0; i < 4; i++)
        bare = without_tail(bare, dimensions[i]);
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        Str theirs = str_of(table[i][0]);
        bool same = foreign_same(name, theirs) || foreign_same(bare, theirs);
        for (uint32_t k = 0; k < n && same; k++)
            if (str_is(candidates[k], table[i][1]))
                return candidates[k];
    }
    for (uint32_t k = 0; k < n; k++) { /* fc1.weight stands for no other weight */
        bool whole = memchr(candidates[k].p, '.', candidates[k].n) == NULL;
        if (whole && (foreign_same(name, candidates[k]) || foreign_same(bare, candidates[k])))
            return candidates[k];
    }
    return (Str){0};
}
