#!/usr/bin/env python3
"""An op with its layer, a check and a data reader, each one new file in a copy of the tree, and nothing else: are they all there?

    extend.py CMAKE SOURCE [CMAKE-OPTION…]     in a folder of its own; the copy is built there
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NEW = {"unit_length.c": "compiler/ops", "unlucky_width.c": "compiler/check", "tally.c": "runtime/host/readers"}


def run(*command, code=0, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **how)
    text = done.stdout + done.stderr
    if done.returncode != code:
        sys.exit(f"extend: {' '.join(map(str, command))} ended with {done.returncode}, not {code}:\n{text[-6000:]}")
    return text


def expect(what, good, text):
    if not good:
        sys.exit(f"extend: {what} is missing:\n{text[-4000:]}")
    print(f"ok: {what}")


def tracked(source):
    """The files of the tree: what git lists, or without git everything but builds."""
    if (source / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=source, capture_output=True)
        if listed.returncode == 0:
            return [name for name in os.fsdecode(listed.stdout).split("\0") if name and (source / name).is_file()]
    return [str(path.relative_to(source)) for path in source.rglob("*")
            if path.is_file() and path.relative_to(source).parts[0] not in ("build", ".git")]


def copy(source, tree):
    shutil.rmtree(tree, ignore_errors=True)
    for name in tracked(source):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, tree / name)
    for name, folder in NEW.items():
        if (tree / folder / name).exists():
            sys.exit(f"extend: {folder}/{name} is nothing new")
        shutil.copy(HERE / name, tree / folder / name)


def build(cmake, tree, folder, options):
    run(cmake, "-S", tree, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", *options)
    run(cmake, "--build", folder, "--target", "actc", "actrt")


def last_loss(text):
    return float(re.search(r"loss ([0-9.e+-]+)", text.splitlines()[-1]).group(1))


def main():
    cmake, source, options = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    here = pathlib.Path.cwd()
    copy(source, here / "tree")
    build(cmake, here / "tree", here / "build", options)
    actc, model = here / "build" / "bin" / "actc", here / "model.act"
    shutil.copy(HERE / "model.act", model)
    rows = [(a, b, c) for a in range(1, 4) for b in range(1, 4) for c in range(1, 4)]
    (here / "x.tally").write_text("".join(" ".join("|" * n for n in row) + "\n" for row in rows))
    (here / "y.tally").write_text("".join("|" * max(row) + "\n" for row in rows))

    text = run(actc, "list", "layers")
    expect("the layer in `actc list layers`", "unit_length" in text, text)
    text = run(actc, "explain", "unlucky_width")
    expect("the rule in `actc explain`", "Thirteen is one more" in text, text)
    text = run(actc, "check", "--error-format=short", model)
    lines = [int(n) for n in re.findall(r"model\.act:(\d+):\d+: warning\[ACT390\]", text)]
    wanted = [i for i, line in enumerate(model.read_text().splitlines(), 1) if "linear(13" in line]
    expect("the rule's finding, at both layers and nowhere else", lines == wanted, text)

    run(actc, "-A", "ACT390", model, "-o", here / "trainer", cwd=here)
    by_op = run(here / "trainer", "by_op", "train", "--seed", "3", "--out", here, cwd=here)
    by_formula = run(here / "trainer", "by_formula", "train", "--seed", "3", "--out", here, cwd=here)
    expect("27 rows from the reader", "27 training rows" in by_op, by_op)
    expect("a loss that falls", last_loss(by_op) < 0.2, by_op)
    difference = abs(last_loss(by_op) - last_loss(by_formula)) / last_loss(by_formula)
    expect("the formula's loss, trained through the op", difference < 1e-3, by_op + by_formula)


if __name__ == "__main__":
    main()
