#!/usr/bin/env python3
"""hot_loops.py finds what it is there to find: loops that were made wrong on purpose; and what is known has no number.

    notice.py CC
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import hot_loops  # noqa: E402


def known_without_numbers():
    """A kernel may get another number; one more of its kind, one more access, and one that is mended are told."""
    name = "m.act znver4: m.train_step.lstm"
    known = {name: [4, 2]}

    def faults(accesses):
        left = {name: [4, 2]}
        found = {name: [(False, n, f"spills {n}") for n in accesses]} if accesses else {}
        return hot_loops.judge(found, known, left), left[name]

    return (hot_loops.stable("m.train_step.k7_lstm") == hot_loops.stable("m.train_step.k12_lstm") == "m.train_step.lstm"
            and hot_loops.stable("m.forward.k3") == "m.forward" and faults([2, 4]) == (0, []) and faults([2]) == (0, [2])
            and faults([4, 3])[0] == 1 and faults([2, 2, 4])[0] == 1)


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "faults.o")
        flags = ["-O2", "-msse2", "-funroll-loops", "-fno-tree-vectorize", "-fno-sanitize=all", "-std=gnu11", "-c"]
        subprocess.run([sys.argv[1], *flags, os.path.join(HERE, "faults.c"), "-o", out], check=True)
        run = subprocess.run([sys.executable, "-B", os.path.join(HERE, "hot_loops.py"), "--object", out], capture_output=True, text=True)
    print(run.stdout, run.stderr, sep="", end="")
    found = {line.split(": ")[1] for line in run.stdout.splitlines() if line.startswith("faults.o")}
    if run.returncode != 1 or found != {"tile_too_large", "calls"}:
        print("expected faults in tile_too_large and calls, and in no other")
        return 1
    if not known_without_numbers():
        print("known functions are not told as they should be")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
