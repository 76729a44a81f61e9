"""PyTorch as a contestant of bench/run: the same protocol as bench/contestant.c.

    python torch_peer.py SPEC WEIGHTS BATCHES THREADS N ROWS [compiled]

SPEC is JSON: widths, activation, output (an activation or null), loss, optimizer, lr. Its best setting for the CPU: fused optimizers, gradients
set to None, contiguous tensors. With `compiled`, forward and loss go through torch.compile.
"""
import json
import resource
import statistics
import struct
import sys
import time

import numpy as np
import torch

CHECKED_STEPS, FEWEST_TIMED = 50, 3


def load(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header, data = json.loads(file.read(size)), file.read()
    return {name: torch.from_numpy(np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]).copy())
            for name, t in header.items() if name != "__metadata__"}


def network(spec):
    activations = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "gelu": torch.nn.GELU, "sigmoid": torch.nn.Sigmoid}
    net, widths = torch.nn.Sequential(), spec["widths"]
    for i in range(1, len(widths)):
        net.add_module(f"fc{i}", torch.nn.Linear(widths[i - 1], widths[i]))
        kind = spec["activation"] if i + 1 < len(widths) else spec["output"]
        if kind:
            net.add_module(f"act{i}", activations[kind]())
    return net


def batches(spec, path, count, rows):
    wide, classes = spec["widths"][0], spec["loss"] == "cross_entropy"
    targets = 1 if classes else spec["widths"][-1]
    raw = np.fromfile(path, "<u4").reshape(count, rows * (wide + targets))
    for part in raw:
        x = part[:rows * wide].view("<f4").reshape(rows, wide).copy()
        y = part[rows * wide:].view("<i4").astype(np.int64) if classes else part[rows * wide:].view("<f4").reshape(rows, targets).copy()
        yield torch.from_numpy(x), torch.from_numpy(y)


def main():
    spec = json.loads(sys.argv[1])
    weights, data, threads, count, rows = sys.argv[2], sys.argv[3], *map(int, sys.argv[4:7])
    torch.set_num_threads(threads)
    net = network(spec)
    net.load_state_dict(load(weights))
    loss_of = {"cross_entropy": torch.nn.CrossEntropyLoss, "bce_with_logits": torch.nn.BCEWithLogitsLoss,
               "mse": torch.nn.MSELoss}[spec["loss"]]()
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[spec["optimizer"]]
    optimizer = make(net.parameters(), lr=spec["lr"], fused=True)
    data = list(batches(spec, data, count, rows))

    def forward(x, y):
        return loss_of(net(x), y)

    if sys.argv[7:] == ["compiled"]:
        forward = torch.compile(forward)
    done = 0

    def step():
        nonlocal done
        x, y = data[done % count]
        done += 1
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss

    print(*[f"{step().item():.9g}" for _ in range(CHECKED_STEPS)], flush=True)
    for group in optimizer.param_groups:
        group["lr"] = spec["lr"] * 1e-3
    for line in sys.stdin:
        seconds, times = float(line), []
        begin = at = time.perf_counter()
        while len(times) < FEWEST_TIMED or at - begin < seconds:
            step()
            before, at = at, time.perf_counter()
            times.append(at - before)
        print(f"{statistics.median(times) * 1e6:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}", flush=True)


main()
