#!/usr/bin/env python3
"""A network of examples/zoo: people train it as it stands, so `actc check` must find no error and nothing to warn of.

    zoo.py --actc build/release/bin/actc examples/zoo/nerf.act

The header names the network, its source and its number of parameters, which is compared with the model and with `actc report`. The file
is in canonical form and compiles to an object.
"""
import argparse
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout, done.stderr


def elements(shape):
    return math.prod(int(size) for size in re.findall(r"\d+", shape))


def parameters(graph):
    """All parameters of the graph text."""
    return sum(elements(shape) for shape in re.findall(r'^tensor ".*?" param \w+(\[[^]]*\])', graph, re.M))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    parser.add_argument("network", type=pathlib.Path)
    given = parser.parse_args()
    text = given.network.read_text()
    header = text[:re.search(r"^[^#]|^##", text, re.M).start()]
    stated = re.search(r"^# Parameters: ([0-9,]+)$", header, re.M)
    if not re.search(r"^# Source: \S", header, re.M) or not stated:
        sys.exit("the header names no source, or no number of parameters")
    stated = int(stated.group(1).replace(",", ""))

    said = "".join(run(given.actc, "check", given.network))
    if re.search(r"^(error|warning)\b", said, re.M):
        sys.exit(f"actc check accuses a healthy network:\n{said}")
    run(given.actc, "fmt", "--check", given.network)
    total = parameters(run(given.actc, given.network, "--emit=graph")[0])
    if total != stated:
        sys.exit(f"the header says {stated:,} parameters, the model has {total:,}")
    rows = run(given.actc, "report", "--format=json", given.network)[0].splitlines()
    layers, summary = [json.loads(row) for row in rows[:-1]], json.loads(rows[-1])
    reported = sum(layer["parameters"] for layer in layers)
    if reported != summary["parameters"]:
        sys.exit(f"the report says {summary['parameters']:,} parameters, its layers have {reported:,}")
    if reported != stated:
        sys.exit(f"the header says {stated:,} parameters, the report {reported:,}")
    with tempfile.TemporaryDirectory(prefix="zoo") as folder:
        made = pathlib.Path(folder, "network.o")
        run(given.actc, given.network, "-o", made)
        if made.stat().st_size < 1000:
            sys.exit("the object is empty")


if __name__ == "__main__":
    main()
