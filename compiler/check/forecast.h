/* What a fresh network will show in its first steps, derived from the signal (check/signal.h): dead and saturated
 * units, the loss before training, the size of the first update. */
#ifndef ACT_CHECK_FORECAST_H
#define ACT_CHECK_FORECAST_H

#include "check/signal.h"

/* A unit is dead when it is flat on every one of so many samples, not when it is zero now and then. The monitor counts
 * over the same window. */
uint32_t forecast_window(const Model *model); /* max(256, batch) */

/* The fraction of units of value `id` = f(z) that sit on a flat half line of f for all of `samples` random samples. z
 * is Gaussian, and two samples share the part of its variance that their correlation says: with shared part ρ, P = ∫
 * φ(t) Φ((c - m - sqrt(ρ v) t) / sqrt((1 - ρ) v))^samples dt for a half line that ends in c. 0 where f is flat nowhere.
 */
double forecast_dead(const Signal *signal, NodeId id, uint32_t samples);

/* Where f turns flat for good on the left (side -1) or the right (1); false: nowhere. */
bool forecast_flat_side(SxPool *sx, Sx f, int side, double *end);

/* P(|f'(Z)| < max_slope / 100) for a normal Z. */
double forecast_flat(SxPool *sx, Sx f, double max_slope, double mean, double deviation);
/* The fraction of units with a slope below one hundredth of f's greatest. */
double forecast_saturated(const Signal *signal, NodeId id, const SxTraits *traits);

/* E log Σ e^z over k independent normal numbers of deviation `deviation`: ∫ (e^-e^u - (E e^-(e^(u + z)))^k) du over all
 * reals (Frullani). */
double forecast_logsumexp(double k, double deviation);

/* The expected value of a loss before training, for targets that know nothing of the prediction. NaN: not known how. */
double forecast_loss(const Model *model, const Facts *facts, const Signal *signal, const LossCall *loss);

/* |Δw| / rms(w) of the first update at the full learning rate, for a weight whose gradient and value have their
 * predicted size: the optimizer's own formulas at step 1. In a batch of B, gradients of samples that are alike add up:
 * E² = E g² E h² (1 / B + (1 - 1 / B) ρ_g ρ_h), ρ what two samples share of the gradient g and of the layer's input h.
 * NaN: not known (several losses, no optimizer). */
double forecast_update(const Model *model, const Facts *facts, const Signal *signal, uint32_t tensor);

#endif
