#!/usr/bin/env python3
"""Makes the files that ask other questions about the digits: digit_facts-*.csv, one row for each of digits-*.csv.gz, and
digit_pairs-*.csv.gz, two digits a row.

Python's standard library is all it needs, and the output is the same bytes every time. Pairs of the training part are drawn from its
images, those of the test part from its own; half of them are of one digit.
"""
import csv
import gzip
import os
import random

from make import HERE, write

PAIRS = {"train": 3000, "test": 600}


def read(part):
    with gzip.open(os.path.join(HERE, f"digits-{part}.csv.gz"), "rt") as file:
        rows = list(csv.reader(file))[1:]
    return [row[:-1] for row in rows], [int(row[-1]) for row in rows]


def facts(part):
    header = ["even", "prime", "loop", "above_four"]
    _, digits = read(part)
    write(f"digit_facts-{part}.csv", header,
          [[int(d % 2 == 0), int(d in (2, 3, 5, 7)), int(d in (0, 6, 8, 9)), int(d > 4)] for d in digits])


def pairs(part):
    images, digits = read(part)
    of_digit = {d: [i for i, digit in enumerate(digits) if digit == d] for d in range(10)}
    draw, rows = random.Random(1), []
    for n in range(PAIRS[part]):
        left = draw.randrange(len(images))
        others = of_digit[digits[left]] if n % 2 == 0 else [i for d in range(10) if d != digits[left] for i in of_digit[d]]
        rows.append(images[left] + images[draw.choice(others)] + [int(n % 2 == 0)])
    write(f"digit_pairs-{part}.csv.gz", [f"{side}{y}{x}" for side in "ab" for y in range(8) for x in range(8)] + ["same"], rows)


if __name__ == "__main__":
    for part in PAIRS:
        facts(part)
        pairs(part)
