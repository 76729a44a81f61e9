#!/usr/bin/env python3
"""Sets what `actc report` predicts beside what compiled networks do, over many seeds.

Plain stacks of width 256: the gradient ratio of 20 hidden layers under known pairs of activation and initializer, and the
dead fraction of relu stacks of several depths, for standardised inputs and for inputs in [0, 1]; and the gradient behind the steps of
recurrent layers. Prints a table a claim and exits 1 when a claim does not hold."""
import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIDTH = 256
N = WIDTH  # fan_in
STABLE = [
    ("sigmoid", "xavier", f"normal(0, sqrt(1 / {N}))"),
    ("tanh", "xavier", f"normal(0, sqrt(1 / {N}))"),
    ("relu", "he", f"normal(0, sqrt(2 / {N}))"),
    ("relu", "xavier", f"normal(0, sqrt(1 / {N}))"),
    ("relu", "1/(3 fan_in)", f"uniform(-sqrt(1 / {N}), sqrt(1 / {N}))"),
    ("selu", "lecun", f"normal(0, sqrt(1 / {N}))"),
]
UNSTABLE = [
    ("gelu", "he", f"normal(0, sqrt(2 / {N}))"),
    ("silu", "he", f"normal(0, sqrt(2 / {N}))"),
]
DEPTHS = [5, 10, 20, 34]
UNITS = 128
RECURRENT_SEEDS = 12
RECURRENT = [
    ("rnn tanh, xavier", f"rnn({UNITS}, last = true, recurrent = xavier_normal)", 20),
    ("rnn relu, gain sqrt 2", f"rnn({UNITS}, last = true, nonlinearity = relu, recurrent = orthogonal(sqrt(2)))", 20),
    ("lstm, forget ln 59", f"lstm({UNITS}, last = true, forget = {math.log(59):.3f})", 60),
    ("lstm of 32 units", "lstm(32, last = true)", 60),
    ("lstm of 256 units", "lstm(256, last = true)", 60),
]
for steps in (20, 60, 120):
    RECURRENT += [
        ("rnn tanh, orthogonal", f"rnn({UNITS}, last = true)", steps),
        ("lstm, forget 0", f"lstm({UNITS}, last = true, forget = 0)", steps),
        ("lstm, forget 1", f"lstm({UNITS}, last = true)", steps),
        ("lstm, forget 2", f"lstm({UNITS}, last = true, forget = 2)", steps),
        ("gru", f"gru({UNITS}, last = true)", steps),
    ]


def source(activation, init, depth, batch, domain="", norm=""):
    bias = ", bias = false" if norm else ""
    return f"""block layer(x) {{ x |> linear({WIDTH}, weight = {init}{bias}) |> {norm}{activation} }}
model stack {{
    input  x : f32[{WIDTH}]{domain}
    target y : class(10)
    h = x |> repeat({depth}, layer)
    loss cross_entropy(h |> linear(10, weight = {init}), y)
}}
train stack {{
    batch     {batch}
    epochs    1
    optimizer sgd(lr = 1)
}}
"""


def sequence(layer, steps):
    return f"""model stack {{
    input  x : f32[{steps}, 16]
    target y : class(10)
    share added = parameter([{steps}, 16], zeros)
    loss cross_entropy(x + added |> {layer} |> linear(10), y)
}}
train stack {{
    batch     1
    epochs    1
    optimizer sgd(lr = 1)
}}
"""


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, Path(folder)

    def run(self, text, what, seeds):
        path = self.folder / "stack.act"
        path.write_text(text)
        actc = [self.args.actc, "-A", "all"]
        report = subprocess.run([self.args.actc, "report", "-A", "all", "--format=json", path], check=True, capture_output=True)
        rows = [json.loads(line) for line in report.stdout.splitlines()]
        subprocess.run([*actc, path, "-o", self.folder / "stack.o"], check=True)
        program = self.folder / "measure"
        subprocess.run([self.args.cc, "-O1", f"-I{self.args.include}", HERE / "measure.c", self.folder / "stack.o",
                        self.args.runtime, "-lcjson", "-lz", "-lpthread", "-lm", "-o", program], check=True)
        lines = subprocess.run([program, what, str(seeds)], check=True, capture_output=True, text=True).stdout.splitlines()
        return rows, [[float(word) for word in line.split()] for line in lines]


def gradient_ratios(bench, failures):
    print(f"gradient ratio, 20 hidden layers of {WIDTH}, {bench.args.seeds} seeds")
    print(f"  {'activation':10} {'weights':13} {'predicted':>10} {'band':>19} {'measured':>10} {'factor':>7} {'inside':>7}")
    for stable, (activation, name, init) in [(True, s) for s in STABLE] + [(False, s) for s in UNSTABLE]:
        rows, lines = bench.run(source(activation, init, 20, 1), "ratio", bench.args.seeds)
        predicted, low, high = (rows[-1][key] for key in ("gradient_ratio", "gradient_low", "gradient_high"))
        measured = [line[0] for line in lines]
        mean = math.exp(sum(map(math.log, measured)) / len(measured))
        inside = sum(low <= value <= high for value in measured) / len(measured)
        factor = mean / predicted
        print(f"  {activation:10} {name:13} {predicted:10.3g} {low:9.2g} {high:9.2g} {mean:10.3g} {factor:7.2f} {inside:7.0%}")
        if stable and not 0.5 <= factor <= 2:
            failures.append(f"{activation} {name}: the mean is {factor:.2f} times the prediction")
        if not stable and inside < 0.8:
            failures.append(f"{activation} {name}: only {inside:.0%} of the seeds lie inside the band")
        if not stable and high / low > 100:
            failures.append(f"{activation} {name}: the band spans {math.log10(high / low):.1f} decades")


def through_time(bench, failures):
    seeds = min(bench.args.seeds, RECURRENT_SEEDS)
    print(f"gradient behind the steps of recurrent layers, {seeds} seeds")
    print(f"  {'layer':22} {'steps':>5} {'predicted':>10} {'band':>19} {'measured':>10} {'factor':>7} {'inside':>7}")
    within = 0
    for name, layer, steps in RECURRENT:
        rows, lines = bench.run(sequence(layer, steps), "time", seeds)
        predicted, low, high = next([row[k] for k in ("horizon", "horizon_low", "horizon_high")] for row in rows if "horizon" in row)
        measured = [line[0] for line in lines]
        mean = math.exp(sum(map(math.log, measured)) / len(measured))
        inside = sum(low <= value <= high for value in measured) / len(measured)
        within += inside / len(RECURRENT)
        factor = mean / predicted
        print(f"  {name:22} {steps:5} {predicted:10.3g} {low:9.2g} {high:9.2g} {mean:10.3g} {factor:7.2f} {inside:7.0%}")
        if not 0.5 <= factor <= 2:
            failures.append(f"{name}, {steps} steps: the mean is {factor:.2f} times the prediction")
        if inside < 0.6:
            failures.append(f"{name}, {steps} steps: only {inside:.0%} of the seeds lie inside the band")
    if within < 0.8:
        failures.append(f"recurrent layers: only {within:.0%} of all seeds lie inside their bands")


def dead_units(bench, failures):
    print(f"dead relu units, He weights, width {WIDTH}, 256 samples, {bench.args.seeds} seeds")
    print(f"  {'input':12} {'depth':>5} {'predicted':>10} {'measured':>10}")
    deepest = max(DEPTHS)
    for name, domain, norm in (("standardised", "", ""), ("in [0, 1]", " in [0, 1]", ""), ("layer norms", "", "layer_norm |> ")):
        text = source("relu", f"normal(0, sqrt(2 / {N}))", deepest, 256, domain, norm)
        rows, lines = bench.run(text, "dead", bench.args.seeds)
        predicted = [row["dead"] for row in rows if row.get("kind") == "relu"]
        for depth in DEPTHS:
            measured = sum(line[depth - 1] for line in lines) / len(lines)
            print(f"  {name:12} {depth:5} {predicted[depth - 1]:10.1%} {measured:10.1%}")
            if abs(predicted[depth - 1] - measured) > 0.05:
                failures.append(f"dead units {name}, depth {depth}: {predicted[depth - 1]:.1%} predicted, {measured:.1%} measured")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actc", required=True)
    parser.add_argument("--runtime", required=True, help="libactrt.a")
    parser.add_argument("--include", default=HERE.parents[2] / "runtime/include")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--only", choices=["ratio", "time", "dead"], help="one of the claims")
    args = parser.parse_args()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        for name, claim in (("ratio", gradient_ratios), ("time", through_time), ("dead", dead_units)):
            if args.only in (None, name):
                claim(bench, failures)
    for failure in failures:
        print(f"FAILED: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
