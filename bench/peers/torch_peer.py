"""PyTorch as a contestant of bench/run (peers/contestant.py has the protocol), at its best setting for the CPU: fused optimizers,
gradients set to None, contiguous tensors, images with their channels last. Variants:

    eager                   as it comes
    compiled                forward, loss and their gradient through torch.compile
    compiled-optimizer      the optimizer's step too; it is then the compiler that fuses it

A whole step in one torch.compile (tried with 2.13) is no faster than the parts, for the backward pass breaks its graph.
"""
import sys

import torch

import contestant
import torch_nets


def network(spec):
    activations = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "sigmoid": torch.nn.Sigmoid}
    net, widths = torch.nn.Sequential(), spec["widths"]
    for i in range(1, len(widths)):
        net.add_module(f"fc{i}", torch.nn.Linear(widths[i - 1], widths[i]))
        kind = spec["activation"] if i + 1 < len(widths) else spec["output"]
        if kind:
            net.add_module(f"act{i}", activations[kind]())
    return net


def dense(given):
    """The stack of linear layers, its batches, and the loss of a batch."""
    net = network(given.spec)
    net.load_state_dict({name: torch.from_numpy(array) for name, array in given.load_weights().items()})
    loss_of = {"cross_entropy": torch.nn.CrossEntropyLoss, "bce_with_logits": torch.nn.BCEWithLogitsLoss,
               "mse": torch.nn.MSELoss}[given.spec["loss"]]()
    x, y = map(torch.from_numpy, given.load_batches())
    if y.dtype == torch.int32:
        y = y.long()

    def forward(x, y):
        return loss_of(net(x), y)

    return net, list(zip(x, y)), forward


def options(spec):
    """Of the optimizer, as PyTorch calls them."""
    given = dict(spec.get("options", ()))
    if "beta1" in given:
        given["betas"] = (given.pop("beta1"), 0.999)
    return given


def main():
    given = contestant.Given(sys.argv)
    spec = given.spec
    torch.set_num_threads(given.threads)
    if "net" in spec:
        net, data = torch_nets.build(given, given.load_weights())
        forward = torch_nets.loss_of(net, spec["net"])
    else:
        net, data, forward = dense(given)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[spec["optimizer"]]
    own_loops = given.variant == "compiled-optimizer"
    optimizer = make(net.parameters(), lr=spec["lr"], **options(spec), **({"foreach": True} if own_loops else {"fused": True}))
    forward = forward if given.variant == "eager" else torch.compile(forward)
    update = torch.compile(optimizer.step) if own_loops else optimizer.step
    done = 0

    def step():
        nonlocal done
        x, y = data[done % given.batches]
        done += 1
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        update()
        return loss

    def run(n):
        for _ in range(n):
            step()
        return n

    contestant.told([step().item() for _ in range(contestant.CHECKED_STEPS)])
    for group in optimizer.param_groups:
        group["lr"] = spec["lr"] * contestant.SLOWER
    contestant.serve(run)


main()
