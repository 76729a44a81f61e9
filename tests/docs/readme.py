#!/usr/bin/env python3
"""Runs what README.md shows, in order, and compares what comes out.

    readme.py --actc build/release/bin/actc README.md [--update]

A block ```act whose first line is `# name.act` is that file (without the line). In a block ```console, `$ ` begins a command; the lines below
are what it prints on both streams. `...` inside a line stands for anything in it, a line of its own for any number of lines. What a
training program prints is a matter of processor and time: there any number stands for any other, in the document's last digit or not.
--update writes the output of commands without a `...` into the document.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```(act|console)\n(.*?)^```$", re.M | re.S)


NUMBER = re.compile(r"[0-9][0-9.,]*(?:e[-+]?[0-9]+)?")


def line_pattern(line, numbers):
    if not numbers:
        return re.escape(line)
    return NUMBER.pattern.join(map(re.escape, NUMBER.split(line)))


def matches(wanted, got, numbers):
    """Lines against lines; with `numbers`, any number for any other."""
    pattern = ""
    for line in wanted:
        pattern += r"(?:.*\n)*" if line == "..." else ".*".join(line_pattern(part, numbers) for part in line.split("...")) + "\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None


def run(command, folder, actc):
    env = dict(os.environ, PATH=f"{actc.parent}:{os.environ['PATH']}", LC_ALL="C.UTF-8", TERM="dumb")
    done = subprocess.run(["sh", "-c", command], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [line.rstrip() for line in done.stdout.splitlines()]


def console(body, folder, actc, bad):
    """The block as it came out, where the document shows no `...`; the differences go into `bad`."""
    out = []
    for part in re.split(r"^(?=\$ )", body, flags=re.M)[1:]:
        command, *wanted = part.rstrip("\n").split("\n")
        got = run(command[2:], folder, actc)
        if not matches(wanted, got, command.startswith(("$ actc run", "$ ./"))):
            bad.append(f"{command}\nprints\n" + "\n".join(got) + "\nand not\n" + "\n".join(wanted))
        out += [command] + (wanted if any("..." in line for line in wanted) else got)
    return "```console\n" + "\n".join(out) + "\n```"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True, type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    given = parser.parse_args()
    text, actc, bad = given.document.read_text(), given.actc.resolve(), []
    with tempfile.TemporaryDirectory(prefix="readme") as name:
        folder = pathlib.Path(name)
        for entry in given.document.resolve().parent.iterdir():
            (folder / entry.name).symlink_to(entry)

        def block(match):
            kind, body = match.groups()
            if kind == "console":
                return console(body, folder, actc, bad)
            file = re.match(r"# ([\w.]+\.act)\n", body)
            if file:
                (folder / file.group(1)).write_text(body[file.end():])
            return match.group()

        new = BLOCK.sub(block, text)
    if given.update:
        given.document.write_text(new)
        return 0
    for difference in bad:
        print(difference)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
