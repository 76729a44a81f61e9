#!/usr/bin/env python3
"""The arithmetic of the benchmarks: what a step needs, what an interval is, when losses agree; and what wrong arguments are told.

    figures.py --build BUILD
"""
import argparse
import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True

import contest
import models
import nets

MiB = 1 << 20


def expect(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r} and not {wanted!r}")


def needs():
    b2, b4 = models.MODELS["B2-adam-64"], models.MODELS["B4"]
    # two products, forward and for the weights; the input gradient of the second
    expect("flops of B2", models.flops(b2), 2 * 64 * (2 * (784 * 128 + 128 * 10) + 128 * 10))
    expect("traffic of B2, which fits a cache", models.traffic(b2, 32 * MiB), 0)
    parameters = 1024 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    expect("traffic of B4 without a cache", models.traffic(b4, 0), 28 * parameters)
    expect("traffic of B4", models.traffic(b4, 32 * MiB), 28 * parameters - 64 * MiB)
    expect("roofline by arithmetic", models.roofline(b2, 1, 1, 32 * MiB), models.flops(b2) / 1e9)
    expect("roofline by traffic", models.roofline(b4, 1e9, 1, 0), 28 * parameters / 1e9)


def statistics():
    expect("parameters of LeNet-5, as published", nets.NETS["B6"].parameters(), 61706)
    expect("multiply-adds of ResNet-20 on the way forward", round(sum(nets.resnet20()) / 1e6, 1), 40.8)
    expect("flops of B6", models.flops(nets.NETS["B6"]), 2 * 64 * (3 * 416520 - 117600))
    expect("15 values", models.sign_interval(range(15))[:2], (3, 11))    # 1 - 2 (1 + 15 + 105 + 455) / 2^15
    expect("its confidence", round(models.sign_interval(range(15))[2], 6), round(1 - 2 * 576 / 2 ** 15, 6))
    expect("6 values", models.sign_interval([5, 3, 1, 2, 4, 6])[:2], (1, 6))
    expect("5 values", models.sign_interval([5, 3, 1, 2, 4])[:2], (1, 5))
    expect("one value", models.sign_interval([7]), (7, 7, 0))
    expect("equal losses", contest.deviation([1.0, 2.0], [1.0, 2.0]), 0.0)
    expect("losses apart", contest.deviation([1.0, 2.0], [1.0, 1.0]), 0.5)
    expect("no number", contest.deviation([1.0, float("nan")], [1.0, 1.0]), float("inf"))


def names():
    expect("all", models.choose([]), list(models.MODELS))
    expect("B2", models.choose(["b2"]), ["B2-sgd-64", "B2-sgd-256", "B2-adam-64", "B2-adam-256"])
    expect("in order", models.choose(["B5", "B2-adam-64"]), ["B2-adam-64", "B5"])


def told(build, tool, arguments, wanted):
    done = subprocess.run([sys.executable, "-B", BENCH / tool, "--build", build, *arguments], capture_output=True, text=True)
    if done.returncode != 2 or wanted not in done.stderr:
        sys.exit(f"{tool} {' '.join(arguments)}: status {done.returncode}, {done.stderr}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    build = parser.parse_args().build
    needs()
    statistics()
    names()
    told(build, "run", ["B77"], "there is no model 'B77'; there are B1, B2-sgd-64")
    told(build, "run", ["--threads", "0"], "comma-separated numbers from 1 to")
    told(build, "run", ["--rounds", "0"], "above 0")
    told("/nowhere", "run", [], "has no bin/actc")
    told(build, "kernels", ["cosine"], "no name contains cosine")
    told(build, "kernels", ["--rounds", "0"], "from 1 to 200")
    told("/nowhere", "kernels", [], "has no bin/bench_kernels")


main()
