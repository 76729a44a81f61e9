#!/usr/bin/env python3
"""Ten golden cases with mistakes in one file: every planted line is reported, with its code, and no other. A hundred files.

    mixed.py --actc build/release/bin/actc tests/golden [--files 100] [--seed 1] [--keep FOLDER]

A case is a golden file whose one command is `actc check %s` and which expects diagnostics; what it expects is what its own test says.
Its definitions get a suffix of their own, so that cases do not meet. The files are the same for the same seed.
"""
import argparse
import collections
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

PER_FILE = 10
# What nobody uses is said of whole programs only: beside a statement that can't be read it might be used after all.
NEEDS_A_SOUND_PROGRAM = {"ACT1201", "ACT1203"}
DEFINES = re.compile(r"^(?!import\b)[a-z]+ +([A-Za-z_]\w*)", re.M)


class Case:
    def __init__(self, path, text, planted):
        self.path, self.text, self.planted = path, text, planted

    def renamed(self, suffix):
        """The text with every definition `name` called `name<suffix>`; strings, comments and `x.name` stay."""
        names = set(DEFINES.findall(self.text))
        pieces = re.split(r'("[^"\n]*"|#[^\n]*)', self.text)
        for i in range(0, len(pieces), 2):
            pieces[i] = re.sub(r"(?<![\w.])[A-Za-z_]\w*", lambda m: m.group() + (suffix if m.group() in names else ""), pieces[i])
        return "".join(pieces)


def read_case(path):
    """The case in a golden file, or None."""
    text = path.read_text()
    if re.findall(r"^# run:\s*(.*)$", text, re.M) != ["actc check %s"] or re.search(r"^# (with|hide):", text, re.M):
        return None
    source, _, expected = text.partition("\n# stderr:\n")
    found = re.findall(r"^#\| (?:error|warning)\[(\w+)\].*\n#\|\s+--> [^:\n]+:(\d+):", expected, re.M)
    lines = source.splitlines()
    head = [i for i, line in enumerate(lines, 1) if re.match(r"# (run|exit):", line)]
    body = [line for i, line in enumerate(lines, 1) if i not in head]
    planted = [(code, int(line) - sum(h < int(line) for h in head)) for code, line in found]
    if any(code in NEEDS_A_SOUND_PROGRAM for code, _ in planted):
        return None
    return Case(path, "\n".join(body) + "\n", planted) if planted else None


def mix(cases):
    """One text, and a count of (code, line) for what is planted in it."""
    text, planted, line = "", collections.Counter(), 0
    for i, case in enumerate(cases):
        text += case.renamed(f"_{i}")
        planted.update((code, line + at) for code, at in case.planted)
        line = text.count("\n")
    return text, planted


def reported(actc, path):
    done = subprocess.run([actc, "check", "--error-format=json", str(path)], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"mixed: actc check ended with {done.returncode}:\n{done.stderr}")
    found = collections.Counter()
    for line in done.stdout.splitlines():
        diag = json.loads(line)
        found.update((diag["code"], span["line"]) for span in diag["spans"] if span["primary"])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True)
    parser.add_argument("golden", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, help="leave the files here")
    given = parser.parse_args()
    cases = [case for case in map(read_case, sorted(given.golden.rglob("*.act"))) if case]
    if len(cases) < 4 * PER_FILE:
        sys.exit(f"mixed: {len(cases)} cases are too few to mix")
    rng, bad, lines = random.Random(given.seed), 0, 0
    with tempfile.TemporaryDirectory(prefix="mixed") as temporary:
        folder = given.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(given.files):
            drawn = rng.sample(cases, PER_FILE)
            text, planted = mix(drawn)
            path = folder / f"mixed{number:03}.act"
            path.write_text(text)
            found = reported(given.actc, path)
            lines += sum(planted.values())
            for what, difference in (("not reported", planted - found), ("reported, not planted", found - planted)):
                for (code, line), _ in sorted(difference.items()):
                    start = 0
                    for case in drawn:
                        if line <= start + case.text.count("\n"):
                            break
                        start += case.text.count("\n")
                    print(f"{path.name}:{line}: {code} {what} ({case.path.stem}): {text.splitlines()[line - 1].strip()}")
                    bad += 1
    print(f"{given.files} files of {PER_FILE} of {len(cases)} cases: {lines} planted, {bad} differences")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
