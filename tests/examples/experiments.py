#!/usr/bin/env python3
"""The experiments on activations: their networks are sound, and what they say comes true.

    experiments.py --actc build/release/bin/actc [--all] examples/experiments

Without --all only the networks are looked at, and the command's words. With it every experiment runs as a user runs it, and its last line is printed.
Skipped (77) where Fashion-MNIST is not installed.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")


def run(*command, code=0):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("folder", type=pathlib.Path)
    given = parser.parse_args()
    command = [sys.executable, "-B", given.folder / "run"]
    if given.all:
        if not DATA.is_dir():
            print(f"skipped: there is no {DATA}")
            sys.exit(SKIPPED)
        for number in range(1, 6):
            with tempfile.TemporaryDirectory(prefix="experiment") as out:
                said = run(*command, number, "--actc", given.actc, "--out", out)
                page = pathlib.Path(out, "compare.html")
                if not page.is_file() or f"experiment {number}: " not in said.splitlines()[-1]:
                    sys.exit(said)
                print(said.splitlines()[-1])
        return
    files = sorted(given.folder.glob("*.act"))
    if len(files) < 4:
        sys.exit(f"there are {len(files)} networks in {given.folder}")
    for file in files:
        run(given.actc, "fmt", "--check", file)
        said = run(given.actc, "check", "-A", "ACT308", file)  # twenty layers of relu are what experiment 2 is about
        if said.strip():
            sys.exit(said)
    run(given.actc, "check", given.folder / "softmax.act", "--set", "last=softmax", code=1)
    if "what is left of the gradient" not in run(*command, "--help"):
        sys.exit("--help does not say what the experiments are")
    run(*command, 6, code=2)
    if "dataset-fashion-mnist" not in run(*command, 1, "--data", "/nowhere", code=1):
        sys.exit("it is not said where the images come from")


if __name__ == "__main__":
    main()
