"""What the Python contestants of bench/run share: files, and the protocol of bench/contestant.c, measured in the same way.

    python PEER.py SPEC WEIGHTS BATCHES THREADS N ROWS VARIANT

SPEC is JSON: widths, activation, output (an activation or null), loss, optimizer, lr; or, for a network of nets.py, net, data, optimizer,
lr, options. Needs numpy.
"""
import json
import resource
import statistics
import struct
import sys
import time

import numpy as np

CHECKED_STEPS = 50
SAMPLE_SECONDS, WARM_SHARE = 2e-3, 0.2
SLOWER = 1e-3          # of the learning rate while timed


class Given:
    """The command line: what to train, and with what."""

    def __init__(self, argv):
        self.spec = json.loads(argv[1])
        self.weights, self.data = argv[2:4]
        self.threads, self.batches, self.rows = map(int, argv[4:7])
        self.variant = argv[7]

    def load_weights(self):
        """By name: fc1.weight [out, in], fc1.bias [out], ..."""
        with open(self.weights, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            header, data = json.loads(file.read(size)), file.read()
        return {name: np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]).copy()
                for name, t in header.items() if name != "__metadata__"}

    def load_values(self, *values):
        """For each (type, shape of a row) an array [batches, rows, *shape]; in a batch they lie one after the other."""
        bytes_of = [4 * self.rows * int(np.prod(shape)) for _, shape in values]
        raw = np.fromfile(self.data, np.uint8).reshape(self.batches, sum(bytes_of))
        parts = np.split(raw, np.cumsum(bytes_of)[:-1], axis=1)
        return [part.copy().view(f"<{kind}").reshape(self.batches, self.rows, *shape) for part, (kind, shape) in zip(parts, values)]

    def load_batches(self):
        """Inputs [batches, rows, in] and targets: classes [batches, rows] or numbers [batches, rows, out]."""
        wide, classes = self.spec["widths"][0], self.spec["loss"] == "cross_entropy"
        targets = 1 if classes else self.spec["widths"][-1]
        raw = np.fromfile(self.data, "<u4").reshape(self.batches, self.rows * (wide + targets))
        x = raw[:, :self.rows * wide].view("<f4").reshape(self.batches, self.rows, wide)
        y = raw[:, self.rows * wide:]
        return x.copy(), (y.view("<i4").copy() if classes else y.view("<f4").reshape(self.batches, self.rows, targets).copy())


def told(losses):
    """The first line of the protocol."""
    print(*[f"{float(loss):.9g}" for loss in losses], flush=True)


def serve(run):
    """run(n) does about n training steps, waits until they are done, and returns how many they were."""
    for line in sys.stdin:
        seconds, steps, samples = float(line), 0, []
        begin = at = time.perf_counter()
        while steps == 0 or at - begin < WARM_SHARE * seconds:
            steps += run(1)
            at = time.perf_counter()
        n = max(1, round(SAMPLE_SECONDS * steps / (at - begin)))
        begin = at
        while not samples or at - begin < seconds:
            before, done = at, run(n)
            at = time.perf_counter()
            samples.append((at - before) / done)
        print(f"{statistics.median(samples) * 1e6:.4f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}", flush=True)
