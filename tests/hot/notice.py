#!/usr/bin/env python3
"""hot_loops.py finds what it is there to find: loops that were made wrong on purpose.

    notice.py CC
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


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
    return 0


if __name__ == "__main__":
    sys.exit(main())
