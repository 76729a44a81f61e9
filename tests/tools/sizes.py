#!/usr/bin/env python3
"""No source file is longer than what a reader holds in mind: 600 lines of .c or .h, 120 characters to a line are the limits.

    sizes.py ROOT [--columns]

--columns refuses lines over 120 characters too, not only files over 600 lines.
"""
import pathlib
import sys

LINES, COLUMNS = 600, 120
FOLDERS = ("compiler", "runtime", "tests", "bench", "examples")


def main():
    root = pathlib.Path(sys.argv[1])
    columns = "--columns" in sys.argv[2:]
    bad = read = 0
    for folder in FOLDERS:
        for path in sorted(p for p in (root / folder).rglob("*") if p.suffix in {".c", ".h"}):
            lines = path.read_text(errors="replace").splitlines()
            read += 1
            if len(lines) > LINES:
                print(f"{path.relative_to(root)}:{LINES + 1}: {len(lines)} lines, more than {LINES}")
                bad += 1
            for number, line in enumerate(lines, 1):
                if columns and len(line) > COLUMNS:
                    print(f"{path.relative_to(root)}:{number}: {len(line)} characters, more than {COLUMNS}")
                    bad += 1
    if read == 0:
        sys.exit(f"{root}: no source was found")
    print(f"{read} files, {bad} too long")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
