#!/usr/bin/env python3
"""Trains on a data set of twice the memory the program may have, and sets its speed beside the run that has all the machine's.

    larger_than_memory.py --actc build/release/bin/actc [--limit MiB] [--pairs N] [--threads N] [--folder DIR] [--most PERCENT]

The limit is on address space (RLIMIT_AS, what `ulimit -v` sets), so that the file can't even be mapped: it is read piece by piece. The other
run maps it. Both find its pages in the system's cache; a disk is not what is measured. One epoch each, in pairs, the order of the two
changing; the median of the pairs' ratios is what counts. Both must end in the same weights, bit for bit.
"""
import argparse
import os
import re
import resource
import statistics
import struct
import subprocess
import sys
import tempfile

MODEL = """model large {
    input  image : f32[28, 28, 1] in [0, 1]
    target label : class(10)
    h = image |> flatten |> linear(256) |> relu |> linear(10)
    loss cross_entropy(h, label)
}
data digits {
    train {
        image = idx("train-images-ubyte.idx") / 255
        label = idx("train-labels-ubyte.idx")
    }
}
train large {
    data digits
    epochs 1
    batch 128
    optimizer adam(lr = 0.001)
}
"""
ROW = 28 * 28


def make(folder, rows):
    """Pictures that are drawn by a linear congruence, so that nobody needs NumPy."""
    block = bytearray()
    x = 12345
    for _ in range(1 << 20):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        block.append(x >> 16 & 255)
    with open(os.path.join(folder, "train-images-ubyte.idx"), "wb") as file:
        file.write(struct.pack(">BBBBIIII", 0, 0, 8, 4, rows, 28, 28, 1))
        left = rows * ROW
        shift = 0
        while left > 0:
            piece = block[shift:] + block[:shift]
            file.write(piece[:left])
            left -= len(piece)
            shift = (shift + 7919) % len(block)
    with open(os.path.join(folder, "train-labels-ubyte.idx"), "wb") as file:
        file.write(struct.pack(">BBBBI", 0, 0, 8, 1, rows))
        file.write(bytes(i * 7 % 10 for i in range(rows)))


def train(program, folder, name, threads, limit):
    def allow():
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    done = subprocess.run([program, "train", "--threads", str(threads), "--out", name], cwd=folder, preexec_fn=allow,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the run {name} failed ({done.returncode}): {done.stderr or done.stdout}")
    return int(re.search(r"([\d,]+) rows/s", done.stdout).group(1).replace(",", ""))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--actc", required=True)
    options.add_argument("--limit", type=int, default=256)
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--folder")
    options.add_argument("--most", type=float, help="fail when the median is slower by more than so many percent")
    given = options.parse_args()
    limit = given.limit << 20
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = 2 * limit // ROW
        make(folder, rows)
        with open(os.path.join(folder, "large.act"), "w") as file:
            file.write(MODEL)
        program = os.path.join(folder, "large")
        subprocess.run([given.actc, "compile", os.path.join(folder, "large.act"), "-o", program], check=True)
        print(f"{rows:,} rows, {rows * ROW >> 20} MiB of pictures, address space of {given.limit} MiB, {given.threads} thread(s)")
        train(program, folder, "all", given.threads, 0)  # the cache is warm
        ratios = []
        for pair in range(given.pairs):
            first = pair % 2
            rate = {}
            for kind in (first, 1 - first):
                rate[kind] = train(program, folder, "limited" if kind else "all", given.threads, limit if kind else 0)
            ratios.append(rate[1] / rate[0])
            print(f"  {rate[1]:,} rows/s within the limit, {rate[0]:,} without: {ratios[-1]:.3f}", flush=True)
        weights = [open(os.path.join(folder, kind, "large.safetensors"), "rb").read() for kind in ("all", "limited")]
        if weights[0] != weights[1]:
            sys.exit("the weights differ")
        median = statistics.median(ratios)
        print(f"median {median:.3f}; the weights are the same")
        if given.most is not None and median < 1 - given.most / 100:
            sys.exit(f"slower by more than {given.most} %")


main()
