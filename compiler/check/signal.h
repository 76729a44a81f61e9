/* Signal propagation: what a fresh network does to the size of values and gradients, before one step is run.
 *
 * Forward, in topological order, every value gets Moments (graph/op.h): mean and second moment over fresh weights and
 * data, and the correlation of an element between two samples. Backward, every value gets G, the second moment of the
 * gradient with respect to one of its elements, relative to 1 at the predictions. Each op's record has the formulas
 * (op->signal, op->signal_back); an op without them passes its first input through. A linear layer of n inputs with
 * weights of variance v makes q = n v E x² + b² and hands back G_in = n_out v G_out; an activation f makes E f² and
 * hands back E f'² G (Poole et al. 2016; Schoenholz et al. 2016).
 *
 * Inputs: data that a pipeline normalises has mean 0, second moment 1 and uncorrelated samples, and so has data about
 * which nothing is declared. A declared range [a, b] is taken as uniform: mean (a + b) / 2, variance (b - a)² / 12
 * (data in [0, 1]: mean 0.5, second moment 1/3), the mean being what two samples share. */
#ifndef ACT_CHECK_SIGNAL_H
#define ACT_CHECK_SIGNAL_H

#include "check/facts.h"

/* A gradient that becomes so small or so large, over the layers or over the steps of one, is worth a warning: where AUTOTRAINER (2021) sees
 * a training fail. */
static const double signal_vanish = 1e-3, signal_explode = 70;

typedef struct Signal {
    const Facts *facts;
    Moments *value;   /* by node */
    double *gradient; /* by node: G; 0 where no prediction depends on it */
    double *alike;    /* room for forecast_update(), by node; NULL in an ensemble */
    bool *parted;     /* by node: its last axis has four equal parts with moments of their own: the gates of a bias of which one quarter */
    Moments *part;    /*   starts elsewhere. part[4 i + k] is the k-th of node i; value[i] is the mean over all */
} Signal;

typedef struct SignalOptions {
    const TrainUse *train;    /* for the data pipeline; may be NULL */
    const NodeId *prediction; /* where the gradient starts */
    uint32_t n_prediction;
    const double
        *deviation; /* by tensor: a standard deviation to try instead of the tensor's own; NaN or NULL: its own */
    bool inference; /* dropout passes: what the network says, not what it learns from */
    const struct SignalDraw *draw; /* a network drawn at random (signal_band.c); NULL: the expected signal */
} SignalOptions;

Signal *signal_run(Arena *arena, const Facts *facts, const SignalOptions *options);
/* Over all predictions of the model's losses; its outputs when it has no loss. `deviation` as in SignalOptions. */
Signal *signal_of_model(Arena *arena, const Facts *facts, const Model *model, const double *deviation);

/* Moments of what the model receives for an input or target. */
Moments signal_input(const Graph *g, uint32_t tensor, const TrainUse *train);

/* Root mean square of a value; standard deviation; L2 norm of the gradient with respect to the whole value of one
 * sample. */
double signal_rms(const Signal *signal, NodeId id);
double signal_deviation(const Signal *signal, NodeId id);
double signal_gradient_norm(const Signal *signal, NodeId id);

/* The weight layers behind a prediction. The ratio compares the norms of the gradient with respect to the outputs
 * (pre-activations) of the first weight layer and of the output layer, so that 20 hidden layers give 20 factors and
 * widths do not count. */
typedef struct SignalPath {
    NodeId first, last; /* products with weights; 0: none */
    uint32_t layers;    /* weight layers on the longest way from first to last, both counted */
    double ratio;       /* norm at first / norm at last; 1 for one layer; NaN when it can't be told */
} SignalPath;
SignalPath signal_path(const Signal *signal, NodeId prediction);

/* Finite width. Given what stands in front of it, a product of n inputs x has Gaussian outputs of variance
 * n v mean(x²), where the mean is over n numbers and not their expectation: it wanders by a relative variance of
 * (E x⁴ / (E x²)² - 1) / n, and the gradient on its way back by (3 E f'⁴ / (E f'²)² - 1) / n, f the activation that
 * made x. Where the fixed point of the signal is stable this averages out; where it is not (gelu and silu behind He
 * weights) it grows from layer to layer, and one number for the network would be a lie. So many networks are drawn:
 * the same propagation with these factors, taken from a fixed random sequence, for a few samples each. Samples share
 * as much of a factor as their x² are correlated; norms are over the samples of a network, as one measures them over a
 * batch. */
typedef struct SignalBand {
    double low, high; /* nine networks of ten lie between */
    double middle;    /* the median */
} SignalBand;
/* Of the path's ratio. */
SignalBand signal_band(Arena *arena, const Facts *facts, const SignalOptions *options, const SignalPath *path);

/* signal_of_model() in inference mode. */
Signal *signal_of_inference(Arena *arena, const Facts *facts, const Model *model);
/* The options of signal_of_model(). */
SignalOptions signal_options_of(Arena *arena, const Model *model, const double *deviation);

#endif
