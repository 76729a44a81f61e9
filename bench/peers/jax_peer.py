"""JAX as a contestant of bench/run (peers/contestant.py has the protocol): the whole training step jitted, its state donated; nothing
but jax itself. Variants:

    step      one call a step; calls are queued as far as JAX queues them, and awaited at the end of a sample
    scan      lax.scan over many steps in one call

Which order of a weight's axes is faster depends on the model, and so does unrolling the scan: both are tried before the first answer,
and the fastest stays. XLA takes as many threads as it may use processors. Its flags were tried too (vector width, oneDNN, XNNPACK,
schedulers; 0.10.2): none is better than what it chooses itself; XLA_FLAGS is passed on to try others.
"""
import functools
import os
import sys
import time

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
from jax import lax

import contestant
import jax_nets

TRY_SECONDS = 10.0       # no further way of doing it is tried after this
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "gelu": functools.partial(jax.nn.gelu, approximate=False), "sigmoid": jax.nn.sigmoid,
               None: lambda x: x}


def cross_entropy(z, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))


def bce_with_logits(z, y):
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def mse(z, y):
    return jnp.mean((z - y) ** 2)


LOSSES = {"cross_entropy": cross_entropy, "bce_with_logits": bce_with_logits, "mse": mse}


def training_step(spec, by_rows):
    """(state, x, y, lr) -> (state, loss). The state is parameters, first and second moments, and the number of steps."""
    layers = len(spec.get("widths", ())) - 1
    axis = 1 if by_rows else 0     # of the weight, the inputs: [out, in] or [in, out]

    def forward(params, x, y):
        for i, (weight, bias) in enumerate(params, 1):
            x = lax.dot_general(x, weight, (((1,), (axis,)), ((), ()))) + bias
            x = ACTIVATIONS[spec["activation"] if i < layers else spec["output"]](x)
        return LOSSES[spec["loss"]](x, y)

    loss_of = jax_nets.loss(spec["net"]) if "net" in spec else forward
    options = dict(spec.get("options", ()))
    beta1, momentum = options.get("beta1", BETA1), options.get("momentum", 0)

    def step(state, x, y, lr):
        params, m, v, t = state
        loss, grads = jax.value_and_grad(loss_of)(params, x, y)
        if momentum:
            m = jax.tree.map(lambda m, g: momentum * m + g, m, grads)
            return (jax.tree.map(lambda p, m: p - lr * m, params, m), m, v, t), loss
        if spec["optimizer"] == "sgd":
            return (jax.tree.map(lambda p, g: p - lr * g, params, grads), m, v, t), loss
        t = t + 1
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grads)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
        size, root = lr / (1 - beta1 ** t), jnp.sqrt(1 - BETA2 ** t)
        return (jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) / root + EPSILON), params, m, v), m, v, t), loss

    return step


def stack(spec, arrays, by_rows):
    return [(jnp.asarray(arrays[f"fc{i}.weight"] if by_rows else arrays[f"fc{i}.weight"].T.copy()), jnp.asarray(arrays[f"fc{i}.bias"]))
            for i in range(1, len(spec["widths"]))]


def initial_state(given, by_rows):
    arrays = given.load_weights()
    if "net" in given.spec:
        params = jax_nets.prepare(arrays)
    else:
        params = stack(given.spec, arrays, by_rows)
    zeros = functools.partial(jax.tree.map, jnp.zeros_like, params)
    moments = given.spec["optimizer"] == "adam" or given.spec.get("options")
    return params, zeros() if moments else (), zeros() if given.spec["optimizer"] == "adam" else (), jnp.float32(0)


class Way:
    """One way of training the model: an order of axes, and how many steps a call does (1: none but the step is jitted)."""

    def __init__(self, given, by_rows, length, unroll):
        self.batches, self.done, self.length, self.unroll = given.batches, 0, length, unroll
        self.x, self.y = map(jnp.asarray, jax_nets.batches(given) if "net" in given.spec else given.load_batches())
        self.parts = [(self.x[b], self.y[b]) for b in range(given.batches)]
        self.lr, self.slow = jnp.float32(given.spec["lr"]), jnp.float32(given.spec["lr"] * contestant.SLOWER)
        self.step, self.state = training_step(given.spec, by_rows), initial_state(given, by_rows)
        self.call = self.scan(length) if length > 1 else jax.jit(self.step, donate_argnums=0)

    def scan(self, length):
        def many(state, x, y, first, lr):
            def body(state, i):
                own = (lax.dynamic_index_in_dim(part, i % self.batches, keepdims=False) for part in (x, y))
                return self.step(state, *own, lr)
            return lax.scan(body, state, first + jnp.arange(length), unroll=self.unroll)

        return jax.jit(many, donate_argnums=0)

    def advance(self, call, length, lr):
        """One call, not awaited; its losses."""
        if length > 1:
            self.state, losses = call(self.state, self.x, self.y, self.done % self.batches, lr)
        else:
            self.state, losses = call(self.state, *self.parts[self.done % self.batches], lr)
        self.done += length
        return losses

    def first_losses(self):
        """From the fresh weights, by the very calls that are timed afterwards, unless one does more steps than that."""
        checked = contestant.CHECKED_STEPS
        if self.length > checked:
            return list(self.advance(self.scan(checked), checked, self.lr))
        losses = [self.advance(self.call, self.length, self.lr) for _ in range(checked // self.length)]
        return [loss for part in losses for loss in jnp.ravel(part)]

    def run(self, n):
        calls = max(1, round(n / self.length))
        for _ in range(calls):
            self.advance(self.call, self.length, self.slow)
        jax.block_until_ready(self.state)
        return calls * self.length

    def seconds(self):
        """Of a step, the best of three samples, when all is compiled."""
        self.run(1)
        best = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            steps = self.run(1)
            best = min(best, (time.perf_counter() - begin) / steps)
        return best


def ways(given):
    """(order of axes, steps in a call, unrolled so often). A scan is as long as hides the cost of a call, and divides the 50 steps, or
    is divided by them."""
    if "net" in given.spec: # a second way of compiling them would take longer than it could tell
        return [(False, 1, 1) if given.variant == "step" else (False, 10, 1)]
    if given.variant == "step":
        return [(False, 1, 1), (True, 1, 1)]
    products = sum(a * b for a, b in zip(given.spec["widths"], given.spec["widths"][1:]))
    length = 500 if given.rows * products < 1e6 else 10 if given.rows * products < 5e7 else 2
    return [(by_rows, length, unroll) for unroll in ((1, 5) if length > 2 else (1,)) for by_rows in (False, True)]


def main():
    given = contestant.Given(sys.argv)
    begin, best = time.perf_counter(), None
    for arguments in ways(given):
        if best and time.perf_counter() - begin > TRY_SECONDS:
            break
        way = Way(given, *arguments)
        losses = way.first_losses()
        seconds = way.seconds()
        if best is None or seconds < best[0]:
            best = seconds, way, losses
    contestant.told(best[2])
    contestant.serve(best[1].run)


main()
