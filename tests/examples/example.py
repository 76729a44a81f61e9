#!/usr/bin/env python3
"""One example as a user meets it: checked, formatted, trained, evaluated, predicted.

    example.py --actc build/release/bin/actc examples/iris.act tests/examples/iris.expect

A line of the .expect file is a metric of `eval` and what it must reach at least, `accuracy 0.93`; or `needs /a/folder`: data that
does not lie in the repository. The test is skipped (77) where that folder is missing.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
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
    wanted, data = {}, []
    for line in given.expect.read_text().splitlines():
        key, value = line.split()
        if key == "needs":
            if not pathlib.Path(value).is_dir():
                print(f"skipped: there is no {value}")
                sys.exit(SKIPPED)
            data = ["--data", value]
        else:
            wanted[key] = float(value)
    said = run(given.actc, "check", "--notes", given.example)
    complaint = [line for line in said.splitlines() if line.startswith(("error", "warning"))]
    if complaint:
        sys.exit(f"actc check finds something in {given.example}:\n{said}")
    run(given.actc, "fmt", "--check", given.example)
    with tempfile.TemporaryDirectory(prefix="example") as folder:
        here = ["--out", folder, *data]
        log = run(given.actc, "run", given.example, "--", *here)
        last = run(given.actc, "run", given.example, "--", "eval", *here)
        rows = run(given.actc, "run", given.example, "--", "predict", "--rows", "3", *here)
    print(log.splitlines()[-1])
    print(last, end="")
    if scores(last) != scores(log.splitlines()[-1]):
        sys.exit("training ends with other scores than its saved weights have")
    if not wanted:
        sys.exit(f"{given.expect} expects nothing")
    for name, least in wanted.items():
        if not scores(last).get(name, float("-inf")) >= least:
            sys.exit(f"{name} should be at least {least}")
    if not rows.strip():
        sys.exit("predict printed nothing")


if __name__ == "__main__":
    main()
