#!/usr/bin/env python3
"""One example as a user meets it: checked, formatted, trained, evaluated, predicted.

    example.py --actc build/release/bin/actc examples/iris.act tests/examples/iris.expect

A line of the .expect file is a metric of `eval` and what it must reach at least, `accuracy 0.93`; `at_most loss 0.3`; `train --epochs 1`,
options for a run that is shorter than by hand; `predict --format png`, options for the prediction; `says malignant`, a word that it must
print; `slow minutes`: the test has the label `slow`, which everyday runs leave out; or `needs /a/folder`: data that does not lie in the
repository. The test is skipped (77) where that folder is missing.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout + done.stderr


def scores(line):
    """'test: loss 0.3, accuracy 88.60 % (10,000 rows)' as {name: number}; percentages as shares."""
    found = {}
    for name, number, percent in re.findall(r"(\w+) (-?[0-9.]+(?:e[+-]?\d+)?)( %)?", line):
        found[name] = float(number) / (100 if percent else 1)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    parser.add_argument("example", type=pathlib.Path)
    parser.add_argument("expect", type=pathlib.Path)
    given = parser.parse_args()
    wanted, limits, words, data, options = {}, {}, [], [], {"train": [], "predict": []}
    for line in given.expect.read_text().splitlines():
        key, value, *rest = line.split()
        if key == "needs":
            if not pathlib.Path(value).is_dir():
                print(f"skipped: there is no {value}")
                sys.exit(SKIPPED)
            data = ["--data", value]
        elif key == "slow":
            continue
        elif key in options:
            options[key] = [value, *rest]
        elif key == "says":
            words.append(value)
        elif key == "at_most":
            limits[value] = float(rest[0])
        else:
            wanted[key] = float(value)
    said = run(given.actc, "check", "--notes", given.example)
    complaint = [line for line in said.splitlines() if line.startswith(("error", "warning"))]
    if complaint:
        sys.exit(f"actc check finds something in {given.example}:\n{said}")
    run(given.actc, "fmt", "--check", given.example)
    with tempfile.TemporaryDirectory(prefix="example") as folder:
        here = ["--out", folder, *data]
        log = run(given.actc, "run", given.example, "--", "train", *options["train"], *here)
        last = run(given.actc, "run", given.example, "--", "eval", *here)
        rows = run(given.actc, "run", given.example, "--", "predict", "--rows", "3", *options["predict"], *here)
    print(log.splitlines()[-1])
    print(last, end="")
    if scores(last) != scores(log.splitlines()[-1]):
        sys.exit("training ends with other scores than its saved weights have")
    if not wanted and not limits:
        sys.exit(f"{given.expect} expects nothing")
    for name, least in wanted.items():
        if not scores(last).get(name, float("-inf")) >= least:
            sys.exit(f"{name} should be at least {least}")
    for name, most in limits.items():
        if not scores(last).get(name, float("inf")) <= most:
            sys.exit(f"{name} should be at most {most}")
    if not rows.strip():
        sys.exit("predict printed nothing")
    for word in words:
        if word not in rows:
            sys.exit(f"predict should say {word}:\n{rows}")


if __name__ == "__main__":
    main()
