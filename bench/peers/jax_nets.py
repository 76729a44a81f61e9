"""The networks of bench/nets.py in JAX: a function of parameters and a batch, which gives the loss. Parameters come under PyTorch's names
and shapes; `prepare` turns them once into what XLA likes: channels last, kernels [height, width, in, out], products [in, out]. Batch
norms keep no running statistics here: a training step does not need them."""
import jax
import jax.numpy as jnp
from jax import lax

LAYOUT = ("NHWC", "HWIO", "NHWC")


def prepare(arrays):
    params = {}
    for name, array in arrays.items():
        if "running" in name or "batches" in name:
            continue
        if array.ndim == 4 and ".up" in name:   # transposed: [in, out, height, width], turned around
            array = array[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
        elif array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        elif array.ndim == 2 and not name.startswith(("table", "place")):
            array = array.T
        params[name] = jnp.asarray(array.copy())
    return params


def within(params, name):
    return {key[len(name) + 1:]: value for key, value in params.items() if key.startswith(name + ".")}


def conv(params, name, x, stride=1, padding=0, groups=1):
    y = lax.conv_general_dilated(x, params[name + ".weight"], (stride, stride), [(padding, padding)] * 2, dimension_numbers=LAYOUT,
                                 feature_group_count=groups)
    return y + params[name + ".bias"] if name + ".bias" in params else y


def conv_transpose(params, name, x, stride=1, padding=0):
    around = params[name + ".weight"].shape[0] - 1 - padding
    return lax.conv_general_dilated(x, params[name + ".weight"], (1, 1), [(around, around)] * 2, lhs_dilation=(stride, stride),
                                    dimension_numbers=LAYOUT)


def linear(params, name, x):
    return x @ params[name + ".weight"] + params[name + ".bias"]


def batch_norm(params, name, x):
    mean, variance = jnp.mean(x, (0, 1, 2)), jnp.var(x, (0, 1, 2))
    return (x - mean) * (params[name + ".weight"] * lax.rsqrt(variance + 1e-5)) + params[name + ".bias"]


def layer_norm(params, name, x):
    mean, variance = jnp.mean(x, -1, keepdims=True), jnp.var(x, -1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * params[name + ".weight"] + params[name + ".bias"]


def max_pool(x):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def flatten(x):
    """In PyTorch's order, channels first: so the weights mean the same."""
    return x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)


def cross_entropy(z, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], axis=-1))


def bce(z, y):
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def lenet(p, x):
    h = max_pool(jax.nn.relu(conv(p, "conv1", x, padding=2)))
    h = flatten(max_pool(jax.nn.relu(conv(p, "conv2", h))))
    return linear(p, "fc3", jax.nn.relu(linear(p, "fc2", jax.nn.relu(linear(p, "fc1", h)))))


def vgg(p, x):
    for i in (1, 3, 5):
        x = jax.nn.relu(conv(p, f"conv{i}", x, padding=1))
        x = max_pool(jax.nn.relu(conv(p, f"conv{i + 1}", x, padding=1)))
    return linear(p, "fc", flatten(x))


def basic(p, x, stride):
    h = jax.nn.relu(batch_norm(p, "bn1", conv(p, "conv1", x, stride, 1)))
    h = batch_norm(p, "bn2", conv(p, "conv2", h, 1, 1))
    return jax.nn.relu(h + (batch_norm(p, "bn3", conv(p, "conv3", x, stride)) if stride > 1 else x))


def resnet20(p, x):
    x = jax.nn.relu(batch_norm(p, "bn1", conv(p, "conv1", x, 1, 1)))
    for letter in "abc":
        for i in (1, 2, 3):
            x = basic(within(p, f"{letter}{i}"), x, 2 if i == 1 and letter != "a" else 1)
    return linear(p, "fc", jnp.mean(x, (1, 2)))


def separable(p, x):
    x = jax.nn.relu(batch_norm(p, "bn1", conv(p, "conv1", x, 1, 1)))
    for i, stride in enumerate((1, 2, 1, 2, 1), 1):
        own = within(p, f"s{i}")
        x = jax.nn.relu(batch_norm(own, "bn1", conv(own, "depth", x, stride, 1, x.shape[-1])))
        x = jax.nn.relu(batch_norm(own, "bn2", conv(own, "point", x)))
    return linear(p, "fc", jnp.mean(x, (1, 2)))


def lstm(p, x):
    own = within(p, "lstm")
    inputs = p["table.weight"][x] @ own["weight_ih_l0"] + own["bias_ih_l0"] + own["bias_hh_l0"]

    def step(state, now):
        h, c = state
        i, f, g, o = jnp.split(now + h @ own["weight_hh_l0"], 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zero = jnp.zeros((x.shape[0], own["weight_hh_l0"].shape[0]), jnp.float32)
    _, h = lax.scan(step, (zero, zero), inputs.transpose(1, 0, 2), unroll=4)
    return linear(p, "fc", h.transpose(1, 0, 2))


def attention(p, x, heads):
    batch, time, width = x.shape
    parts = (x @ p["in_proj_weight"] + p["in_proj_bias"]).reshape(batch, time, 3, heads, width // heads)
    q, k, v = parts[:, :, 0], parts[:, :, 1], parts[:, :, 2]
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / jnp.sqrt(jnp.float32(width // heads))
    scores = jnp.where(jnp.tril(jnp.ones((time, time), bool)), scores, -jnp.inf)
    y = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v).reshape(batch, time, width)
    return linear(p, "out_proj", y)


def gpt(p, x):
    h = p["table.weight"][x] + p["place.weight"]
    for i in range(1, 5):
        own = within(p, f"t{i}")
        h = h + attention(within(own, "attend"), layer_norm(own, "ln1", h), 4)
        h = h + linear(own, "fc2", jax.nn.gelu(linear(own, "fc1", layer_norm(own, "ln2", h)), approximate=False))
    return linear(p, "fc", layer_norm(p, "ln", h))


def generator(p, z):
    h = jax.nn.relu(batch_norm(p, "bn1", conv_transpose(p, "up1", z[:, None, None, :])))
    h = jax.nn.relu(batch_norm(p, "bn2", conv_transpose(p, "up2", h, 2, 1)))
    h = jax.nn.relu(batch_norm(p, "bn3", conv_transpose(p, "up3", h, 2, 1)))
    return jnp.tanh(conv_transpose(p, "up4", h, 2, 1))


def discriminator(p, x):
    def leaky(h):
        return jax.nn.leaky_relu(h, 0.2)

    h = leaky(conv(p, "down1", x, 2, 1))
    h = leaky(batch_norm(p, "bn3", conv(p, "down3", leaky(batch_norm(p, "bn2", conv(p, "down2", h, 2, 1))), 2, 1)))
    return conv(p, "down4", h)


def dcgan(p, noise, image):
    """At the weights before the step, for both sides; one gradient, for what must not learn is stopped."""
    g, d = within(p, "g"), within(p, "d")
    fake = generator(g, noise)
    for_d = bce(discriminator(d, image), 1) + bce(discriminator(d, lax.stop_gradient(fake)), 0)
    return for_d + bce(discriminator(jax.tree.map(lax.stop_gradient, d), fake), 1)


NETS = {"lenet": lenet, "vgg": vgg, "resnet20": resnet20, "separable": separable, "lstm": lstm, "gpt": gpt}


def loss(name):
    """(parameters, x, y) -> the loss."""
    return dcgan if name == "dcgan" else lambda p, x, y: cross_entropy(NETS[name](p, x), y)


def batches(given):
    """Two arrays [batches, rows, ...]."""
    name, (_, a, _) = given.spec["net"], given.spec["data"]
    if name in ("lstm", "gpt"):
        return given.load_values(("i4", (a,)), ("i4", (a,)))
    if name == "dcgan":
        return given.load_values(("f4", (a,)), ("f4", (32, 32, 3)))
    return given.load_values(("f4", (28, 28, 1) if name == "lenet" else (32, 32, 3)), ("i4", ()))
