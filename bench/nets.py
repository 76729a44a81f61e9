"""The benchmark networks that are no stack of linear layers, as numbers: their contractions, from which the arithmetic of a step
follows, and what their batches look like."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Net:
    file: str             # models/<file>.act
    net: str              # of peers/torch_nets.py and peers/jax_nets.py
    batch: int
    data: tuple           # kind, A, B of bench_data
    optimizer: str
    lr: float             # as in the file
    options: tuple = ()   # of the optimizer: (name, value)

    def macs(self):
        """Multiply-adds of a row in one step."""
        return STEPS[self.net]()

    def parameters(self):
        return sum(WEIGHTS[self.net]())


def three_ways(layers):
    """Forward, weight gradients, and input gradients but for the first layer."""
    return 3 * sum(layers) - layers[0]


def conv(size, kernel, inputs, outputs, groups=1):
    """Of `size` x `size` outputs."""
    return size * size * kernel * kernel * (inputs // groups) * outputs


def lenet():
    return [conv(28, 5, 1, 6), conv(10, 5, 6, 16), 400 * 120, 120 * 84, 84 * 10]


def vgg():
    return [conv(32, 3, 3, 64), conv(32, 3, 64, 64), conv(16, 3, 64, 128), conv(16, 3, 128, 128), conv(8, 3, 128, 256),
            conv(8, 3, 256, 256), 4096 * 10]


def resnet20():
    layers = [conv(32, 3, 3, 16)] + 6 * [conv(32, 3, 16, 16)]
    for size, channels in ((16, 32), (8, 64)):
        layers += [conv(size, 3, channels // 2, channels), conv(size, 1, channels // 2, channels)] + 5 * [conv(size, 3, channels, channels)]
    return layers + [64 * 10]


def separable():
    layers = [conv(32, 3, 3, 32)]
    for size, inputs, outputs in ((32, 32, 64), (16, 64, 128), (16, 128, 128), (8, 128, 256), (8, 256, 256)):
        layers += [conv(size, 3, inputs, inputs, inputs), conv(size, 1, inputs, outputs)]
    return layers + [256 * 10]


def lstm(time=64, width=64, hidden=256, words=65):
    return [time * width * 4 * hidden, time * hidden * 4 * hidden, time * hidden * words]


def gpt(time=64, width=128, words=65):
    block = [time * width * 3 * width, time * time * width, time * time * width, time * width * width, 2 * time * width * 4 * width]
    return 4 * block + [time * width * words]


def generator():
    """Of a transposed convolution every input meets every weight: kernels of 4 on sizes 1, 4, 8, 16."""
    return [conv(1, 4, 64, 256), conv(4, 4, 256, 128), conv(8, 4, 128, 64), conv(16, 4, 64, 3)]


def discriminator():
    return [conv(16, 4, 3, 64), conv(8, 4, 64, 128), conv(4, 4, 128, 256), conv(1, 4, 256, 1)]


def gan_step():
    """One forward pass over real and made images serves both losses; that of g goes back through d, without d's weights."""
    g, d = generator(), discriminator()
    forward = sum(g) + 2 * sum(d)
    for_d = 2 * sum(d) + 2 * (sum(d) - d[0])
    for_g = sum(d) + sum(g) + (sum(g) - g[0])
    return forward + for_d + for_g


# An LSTM's or a GPT's first product has no input that is data: the embedding's gradient goes through it.
STEPS = {"lenet": lambda: three_ways(lenet()), "vgg": lambda: three_ways(vgg()), "resnet20": lambda: three_ways(resnet20()),
         "separable": lambda: three_ways(separable()), "lstm": lambda: 3 * sum(lstm()), "gpt": lambda: 3 * sum(gpt()), "dcgan": gan_step}


def dense(*widths):
    return [a * b + b for a, b in zip(widths, widths[1:])]


WEIGHTS = {
    "lenet": lambda: [6 * 25 + 6, 16 * 150 + 16, *dense(400, 120, 84, 10)],
    "vgg": lambda: [9 * a * b + b for a, b in ((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256))] + dense(4096, 10),
    "resnet20": lambda: [432 + 32, *6 * [9 * 256 + 32], 9 * 512 + 512 + 128, *5 * [9 * 1024 + 64], 9 * 2048 + 2048 + 256,
                         *5 * [9 * 4096 + 128], 650],
    "separable": lambda: [9 * 32 * 3 + 64] + [9 * a + 2 * a + a * b + 2 * b
                          for a, b in ((32, 64), (64, 128), (128, 128), (128, 256), (256, 256))] + dense(256, 10),
    "lstm": lambda: [65 * 64, 4 * 256 * (64 + 256 + 2), *dense(256, 65)],
    "gpt": lambda: [65 * 128, 64 * 128, *4 * [12 * 128 * 128 + 13 * 128], 256, *dense(128, 65)],
    "dcgan": lambda: [16 * (64 * 256 + 256 * 128 + 128 * 64 + 64 * 3), 2 * (256 + 128 + 64),
                      16 * (3 * 64 + 64 * 128 + 128 * 256 + 256), 2 * (128 + 256)],
}

# Learning rates under which fifty steps say whether two contestants train the same network. Norms over the batch and Adam's first steps, which
# follow the sign of a gradient however small, make more of a rounding from step to step: at 2e-4 B12's losses are the same to 4e-7 after one step
# and to 0.1 after fifty. A step takes as long at any rate.
NETS = {
    "B6": Net("b6", "lenet", 64, ("images", 784, 10), "adam", 1e-4),
    "B7": Net("b7", "vgg", 64, ("images", 3072, 10), "adam", 1e-5),
    "B8": Net("b8", "resnet20", 128, ("images", 3072, 10), "sgd", 1e-3, (("momentum", 0.9),)),
    "B9": Net("b9", "separable", 64, ("images", 3072, 10), "adam", 1e-4),
    "B10": Net("b10", "lstm", 32, ("text", 64, 65), "adam", 1e-3),
    "B11": Net("b11", "gpt", 16, ("text", 64, 65), "adam", 3e-4),
    "B12": Net("b12", "dcgan", 64, ("pairs", 64, 3072), "adam", 1e-5, (("beta1", 0.5),)),
}
