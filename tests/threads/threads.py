#!/usr/bin/env python3
"""Any number of threads gives the same bytes; any processor gives the same training.

    threads.py --actc BIN --cc CC --runtime LIB --include DIR [--cpu NAME]… [--batch N] FILES…

Each file is compiled for each processor and trained by train.c on 1, 2 and 3 threads: parameters, optimizer state, losses and outputs
must be the same bytes. Between processors losses agree to a share, because the first step differs by rounding only and later ones by
what training makes of that. What this machine cannot run is left out.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
THREADS = (1, 2, 3)
AGREE = 2e-3
LACKS = 77  # exit code of a program whose processor is another


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode not in (0, LACKS):
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done


def build(given, folder, path, cpu):
    """The training of all models of a file as a program."""
    program = os.path.join(folder, "model")
    target = [] if cpu == "native" else ["--target", "x86_64-linux-gnu"]
    batch = ["--batch", given.batch] if given.batch else []
    run(given.actc, path, "-o", program + ".o", "--cpu", cpu, *target, *batch)
    with open(program + ".h", encoding="utf-8") as header:
        models = re.findall(r"^extern const ActModel (\w+);", header.read(), re.M)
    with open(program + ".c", "w", encoding="utf-8") as table:
        names = "".join(f"&{name}, " for name in models)
        table.write(f'#include "act/abi.h"\nextern const ActModel {", ".join(models)};\nconst ActModel *const models[] = {{{names}0}};\n')
    run(given.cc, "-I", given.include, program + ".c", given.trainer, program + ".o", given.runtime, "-lcjson", "-lz", "-lpthread", "-lm",
        "-o", program)
    return program


def train(given, folder, path, cpu):
    """The losses of one thread, by model; None where the machine cannot run it."""
    program = build(given, folder, path, cpu)
    first = None
    for threads in THREADS:
        done = run(program, threads)
        if done.returncode == LACKS:
            return None
        lines = done.stdout.splitlines()
        first = first or lines
        for one, other in zip(first, lines):
            if one != other:
                sys.exit(f"{path}, {cpu}: one thread and {threads} differ:\n  {one[:400]}\n  {other[:400]}")
    return [[float(x) for x in line.split()[1:]] for line in first if line.startswith("loss")]


def same(a, b):
    return abs(a - b) <= AGREE * max(abs(a), abs(b), 1e-3) or a != a and b != b


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("--actc", "--cc", "--runtime", "--include"):
        parser.add_argument(name, required=True)
    parser.add_argument("--cpu", action="append")
    parser.add_argument("--batch", help="rows of a step, instead of what the file says")
    parser.add_argument("files", nargs="+")
    given = parser.parse_args()
    steps = 0
    shared = tempfile.TemporaryDirectory()
    given.trainer = os.path.join(shared.name, "train.o")
    run(given.cc, "-std=c11", "-O1", "-I", given.include, "-c", os.path.join(HERE, "train.c"), "-o", given.trainer)
    for path in given.files:
        first = None
        for cpu in given.cpu or ["native"]:
            with tempfile.TemporaryDirectory() as folder:
                losses = train(given, folder, path, cpu)
            if losses is None:
                print(f"{path}: this machine cannot run {cpu}")
                continue
            first = first or (cpu, losses)
            for there, here in zip(first[1], losses):
                steps += len(here)
                wrong = [i for i, (a, b) in enumerate(zip(there, here)) if not same(a, b)]
                if wrong:
                    i = wrong[0]
                    sys.exit(f"{path}: loss {i} is {there[i]} for {first[0]} and {here[i]} for {cpu}")
    print(f"{steps} losses")
    return 0 if steps else 1


if __name__ == "__main__":
    sys.exit(main())
