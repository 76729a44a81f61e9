/* Names that other systems have for what the language calls otherwise, and names of the language that nothing stands
 * behind yet. */
#include "sema/sema.h"

Str foreign_name(Str name, const Str *candidates, uint32_t n)
{
    static const char *const table[][2] = {
        {"dense", "linear"},        {"Dense", "linear"},          {"fc", "linear"},           {"units", "features"},
        {"out_features", "features"}, {"dim", "axis"},            {"p", "rate"},              {"learning_rate", "lr"},
        {"cat", "concat"},          {"concatenate", "concat"},    {"transpose", "permute"},   {"view", "reshape"},
        {"squeeze", "reshape"},     {"unsqueeze", "reshape"},     {"lrelu", "leaky_relu"},    {"logistic", "sigmoid"},
        {"mse_loss", "mse"},        {"l2_loss", "mse"},           {"l1_loss", "mae"},         {"nll_loss", "nll"},
        {"smooth_l1", "huber"},     {"bce_loss", "bce"},          {"kl_div", "kl"},           {"acc", "accuracy"},
        {"kernel_initializer", "weight"}, {"weight_init", "weight"}, {"init", "weight"},      {"use_bias", "bias"},
        {"glorot_normal", "xavier_normal"}, {"glorot_uniform", "xavier_uniform"}, {"he_normal", "kaiming_normal"},
        {"he_uniform", "kaiming_uniform"}, {"None", "false"},     {"none", "false"},          {"False", "false"},
        {"True", "true"},           {"betas", "beta1"},           {"rho", "alpha"},           {"wd", "weight_decay"},
        {"num_classes", "classes"}, {"ignore_index", "ignore"},   {"l2", "weight_decay"},
    };
    for (uint32_t i = 0; i < sizeof table / sizeof table[0]; i++)
        for (uint32_t k = 0; k < n && str_is(name, table[i][0]); k++)
            if (str_is(candidates[k], table[i][1]))
                return candidates[k];
    return (Str){0};
}

bool foreign_planned(Str name)
{
    static const char *const planned[] = {
        "conv1d",        "conv2d",        "conv_transpose2d", "depthwise_conv2d", "max_pool",     "avg_pool",
        "global_avg_pool", "upsample",    "pixel_shuffle",    "batch_norm",       "layer_norm",   "rms_norm",
        "group_norm",    "instance_norm", "spatial_dropout",  "drop_path",        "embedding",    "position",
        "rnn",           "lstm",          "gru",              "attention",        "perplexity",   "precision",
        "recall",        "f1",            "auc",              "text",             "images",
    };
    for (uint32_t i = 0; i < sizeof planned / sizeof planned[0]; i++)
        if (str_is(name, planned[i]))
            return true;
    return false;
}
