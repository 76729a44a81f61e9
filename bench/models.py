"""The benchmark models as numbers: what a contestant needs to know, and what a training step cannot do without."""
import dataclasses
import math

import nets


@dataclasses.dataclass(frozen=True)
class Model:
    file: str             # models/<file>.act
    widths: tuple         # of the layers, the inputs first
    batch: int
    activation: str       # behind every layer but the last
    loss: str
    optimizer: str
    lr: float             # as in the file
    output: str = None    # behind the last layer


# B4 learns slowly: at 1e-3 its first steps by Adam are so large that how a contestant rounds decides where they lead, and no two
# contestants, whoever they are, have the same losses; differences shrink faster than the rate (8e-4 between PyTorch and JAX at 1e-4, 2e-4 at
# 3e-5), and there the loss still falls from 6.91 to 6.1.
MODELS = {
    "B1": Model("b1", (2, 32, 32, 1), 32, "tanh", "bce_with_logits", "sgd", 0.05),
    "B2-sgd-64": Model("b2_sgd", (784, 128, 10), 64, "relu", "cross_entropy", "sgd", 0.05),
    "B2-sgd-256": Model("b2_sgd", (784, 128, 10), 256, "relu", "cross_entropy", "sgd", 0.05),
    "B2-adam-64": Model("b2_adam", (784, 128, 10), 64, "relu", "cross_entropy", "adam", 1e-3),
    "B2-adam-256": Model("b2_adam", (784, 128, 10), 256, "relu", "cross_entropy", "adam", 1e-3),
    "B3": Model("b3", (784, 512, 512, 10), 128, "gelu", "cross_entropy", "adam", 1e-3),
    "B4": Model("b4", (1024, 4096, 4096, 1000), 128, "relu", "cross_entropy", "adam", 3e-5),
    "B5": Model("b5", (784, 256, 64, 256, 784), 128, "sigmoid", "mse", "adam", 1e-3, "sigmoid"),
}
MODELS.update(nets.NETS)


def choose(words):
    """The names that the words stand for, in the order of MODELS: a name, or the beginning of several up to a hyphen. None: all.
    KeyError with the word that stands for nothing."""
    chosen = set()
    for word in words:
        found = {name for name in MODELS if (name + "-").lower().startswith(word.lower() + "-")}
        if not found:
            raise KeyError(word)
        chosen |= found
    return [name for name in MODELS if name in chosen or not words]


def products(model):
    return [a * b for a, b in zip(model.widths, model.widths[1:])]


def flops(model):
    """Contraction arithmetic of one step: forward, weight gradients, and input gradients but for the first layer."""
    if isinstance(model, nets.Net):
        return 2 * model.batch * model.macs()
    return 2 * model.batch * (3 * sum(products(model)) - products(model)[0])


def traffic(model, cache_bytes):
    """Bytes that a step has to move to and from memory behind a last-level cache of cache_bytes, whoever computes it.

    The forward pass reads every weight once. It ends before the first gradient is known, and the backward pass reads every weight
    again, with its moments for Adam, and writes what it read. So 12 bytes a parameter for SGD and 28 for Adam. At either turn, from forward
    to backward and from one step to the next, what was used last may still be in the cache: that much is not read again.
    Activations, gradients that become updates where they arise, and batches need not leave the caches, and are not counted.
    """
    parameters = model.parameters() if isinstance(model, nets.Net) else sum(products(model)) + sum(model.widths[1:])
    numbers = {"sgd": 1, "adam": 3}[model.optimizer] + (getattr(model, "options", ()) != () and model.optimizer == "sgd")
    return max(0, 4 * parameters * (1 + 2 * numbers) - 2 * cache_bytes) if 4 * parameters * numbers > cache_bytes else 0


def roofline(model, peak_gflops, stream_gbs, cache_bytes):
    """Seconds that no step can go below."""
    return max(flops(model) / (peak_gflops * 1e9), traffic(model, cache_bytes) / (stream_gbs * 1e9))


def sign_interval(values):
    """(low, high, confidence): the interval of the sign test for the median, the narrowest of at least 95 %, by order statistics. With
    fewer than six values, all there is from the least to the greatest."""
    ordered, n, at, outside = sorted(values), len(values), 0, 2 * 0.5 ** len(values)
    while outside + 2 * math.comb(n, at + 1) * 0.5 ** n <= 0.05:
        at += 1
        outside += 2 * math.comb(n, at) * 0.5 ** n
    return ordered[at], ordered[n - 1 - at], 1 - min(1.0, outside)
