#!/usr/bin/env python3
"""Makes the CSV files of this directory from the data sets inside Debian's package python3-sklearn.

    make.py [FOLDER]     FOLDER: sklearn/datasets/data (default: where the package installs it)

Each data set gives NAME.csv, and NAME-train.csv and NAME-test.csv: every fifth row is for testing. Rows keep their
order. Python's standard library is all it needs. The output is the same bytes every time.
"""
import csv
import gzip
import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "/usr/lib/python3/dist-packages/sklearn/datasets/data"


def read(folder, name, delimiter=","):
    path = os.path.join(folder, name)
    opened = gzip.open(path, "rt") if name.endswith(".gz") else open(path)
    with opened as file:
        return [row for row in csv.reader(file, delimiter=delimiter) if row]


def write(name, header, rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    data = text.getvalue().encode()
    with open(os.path.join(HERE, name), "wb") as file:
        if name.endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                packed.write(data)
        else:
            file.write(data)


def write_all(name, header, rows, ending=".csv"):
    assert all(len(row) == len(header) for row in rows)
    write(name + ending, header, rows)
    write(name + "-train" + ending, header, [row for i, row in enumerate(rows) if i % 5 != 4])
    write(name + "-test" + ending, header, [row for i, row in enumerate(rows) if i % 5 == 4])


def short(number):
    """1.510000000000000000e+02 -> 151"""
    value = float(number)
    return str(int(value)) if value == int(value) else repr(value)


def classes(rows):
    """The first row counts rows and columns and names the classes; the last column is an index into the names."""
    names = rows[0][2:]
    return [row[:-1] + [names[int(row[-1])]] for row in rows[1:]]


def iris(folder):
    header = ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    write_all("iris", header, classes(read(folder, "iris.csv")))


def breast_cancer(folder):
    features = ["radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points",
                "symmetry", "fractal_dimension"]
    header = [kind + "_" + feature for kind in ("mean", "error", "worst") for feature in features] + ["diagnosis"]
    write_all("breast_cancer", header, classes(read(folder, "breast_cancer.csv")))


def diabetes(folder):
    header = ["age", "sex", "bmi", "pressure", "tc", "ldl", "hdl", "tch", "ltg", "glucose", "progression"]
    inputs = read(folder, "diabetes_data_raw.csv.gz", " ")
    targets = read(folder, "diabetes_target.csv.gz")
    write_all("diabetes", header, [[short(x) for x in row + target] for row, target in zip(inputs, targets)])


def digits(folder):
    header = ["p%d%d" % (y, x) for y in range(8) for x in range(8)] + ["digit"]
    write_all("digits", header, [[short(x) for x in row] for row in read(folder, "digits.csv.gz")], ".csv.gz")


def xor():
    write("xor.csv", ["a", "b", "y"], [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])


if __name__ == "__main__":
    source = sys.argv[1] if len(sys.argv) > 1 else FOLDER
    if not os.path.isdir(source):
        sys.exit("make.py: `%s` is no folder; install python3-sklearn, or unpack it and name sklearn/datasets/data"
                 % source)
    for make in (iris, breast_cancer, diabetes, digits):
        make(source)
    xor()
