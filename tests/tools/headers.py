#!/usr/bin/env python3
"""Every header compiles alone, and twice in one file: it includes what it needs and guards itself.

    headers.py --cc CC [-I DIR]... [--cflag FLAG]... HEADER_DIR...
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys


def compiles(cc, flags, header):
    """NULL text when it does, else what the compiler says."""
    path = header.resolve()
    run = subprocess.run([cc, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", *flags, "-x", "c", "-"],
                         input=f'#include "{path}"\n#include "{path}"\nint compiles_alone;\n', text=True, capture_output=True)
    return "" if run.returncode == 0 else run.stderr.strip() or f"{cc} failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("-I", dest="folders", action="append", default=[])
    parser.add_argument("--cflag", action="append", default=[])
    parser.add_argument("roots", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    flags = [f"-I{folder}" for folder in args.folders] + args.cflag
    headers = sorted(h for root in args.roots for h in root.rglob("*.h"))
    if not headers:
        sys.exit("no header was found")
    with concurrent.futures.ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        said = list(pool.map(lambda header: compiles(args.cc, flags, header), headers))
    bad = [(header, text) for header, text in zip(headers, said) if text]
    for header, text in bad:
        print(f"{header}: does not compile alone\n{text}\n")
    print(f"{len(headers)} headers, {len(bad)} do not compile alone")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
