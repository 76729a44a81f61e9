#!/usr/bin/env python3
"""Runs one golden test: a file that says what to run and what comes out.

    # run: actc check %s
    # exit: 1
    ... the input ...
    # stderr:
    #| error[ACT1206]: nothing is called `y`
    #|  --> name.act:5:9

`# run:` lines (sh, one after the other, in an empty directory that holds a copy of the file; `%s` is its name) and `# exit:`
stand anywhere; the expected blocks stand at the end and are not part of the copy. A stream without a block must stay empty. The
exit code is that of the last line that failed, else 0. Further words:

    # with: other.act      copies a file that lies beside this one
    # hide: REGEX          every match in the output becomes "..."

ACT_UPDATE=1 writes what came out into the file instead of comparing.

    golden.py --actc build/release/bin/actc tests/golden/check/name.act
"""
import argparse
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

STREAMS = ("stdout", "stderr")


def split(text):
    """The input, and the expected blocks as {stream: text}."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if re.fullmatch(r"# (stdout|stderr):\n?", line)), len(lines))
    blocks, stream = {}, None
    for line in lines[start:]:
        head = re.fullmatch(r"# (stdout|stderr):\n?", line)
        if head:
            stream = head.group(1)
            blocks[stream] = ""
        elif line.startswith("#|"):
            body = line[2:]
            blocks[stream] += body[1:] if body.startswith(" ") else body
        elif line.strip():
            sys.exit(f"golden: text behind the expected blocks: {line!r}")
    return "".join(lines[:start]), blocks


def words(text, name):
    return [m.group(1).strip() for m in re.finditer(rf"^# {name}:(.*)$", text, re.M)]


def run(actc, path, text):
    """{stream: text} and the exit code."""
    with tempfile.TemporaryDirectory(prefix="golden") as folder:
        folder = pathlib.Path(folder)
        (folder / path.name).write_text(text)
        for other in words(text, "with"):
            shutil.copy(path.parent / other, folder / other)
        outside = ("NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "CC") # what would change the output
        env = {k: v for k, v in os.environ.items() if not k.startswith("ACT_") and k not in outside}
        env.update(PATH=f"{actc.parent}:{env['PATH']}", LC_ALL="C.UTF-8", TERM="dumb")
        out, code = {s: "" for s in STREAMS}, 0
        for line in words(text, "run"):
            done = subprocess.run(["sh", "-c", line.replace("%s", path.name)], cwd=folder, env=env, text=True,
                                  capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
            out["stdout"] += done.stdout
            out["stderr"] += done.stderr
            code = done.returncode or code
        for stream in STREAMS:
            body = out[stream].replace(str(folder) + "/", "").replace(str(folder), ".")
            for pattern in words(text, "hide"):
                body = re.sub(pattern, "...", body)
            out[stream] = body
        return out, code


def quoted(body):
    lines = body.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    return "".join("#|" + (" " + line if line else "") + "\n" for line in lines)


def updated(text, out, code):
    text = re.sub(r"^# exit:.*\n", "", text, flags=re.M)
    if code:
        last = [m.end() for m in re.finditer(r"^# run:.*\n", text, re.M)][-1]
        text = text[:last] + f"# exit: {code}\n" + text[last:]
    if not text.endswith("\n"):
        text += "\n"
    return text + "".join(f"# {s}:\n{quoted(out[s])}" for s in STREAMS if out[s])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True, type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args()
    whole = args.file.read_text()
    text, want = split(whole)
    if not words(text, "run"):
        sys.exit(f"golden: {args.file} has no `# run:` line")
    actc = args.actc.resolve()
    out, code = run(actc, args.file, text)
    if os.environ.get("ACT_UPDATE"):
        new = updated(text, out, code)
        # A changed `# exit:` moves lines, and with them the places in messages.
        if split(new)[0] != text:
            out, code = run(actc, args.file, split(new)[0])
            new = updated(split(new)[0], out, code)
        if new != whole:
            args.file.write_text(new)
            print(f"updated {args.file}")
        return 0
    bad = False
    for stream in STREAMS:
        expected, got = quoted(want.get(stream, "")), quoted(out[stream])
        # Trailing blanks are not kept: editors strip them.
        strip = lambda body: [line.rstrip() for line in body.splitlines()]
        if strip(expected) != strip(got):
            bad = True
            print("\n".join(difflib.unified_diff(strip(expected), strip(got), f"expected {stream}", f"{stream}", lineterm="")))
    expected_code = int((words(text, "exit") or ["0"])[0])
    if code != expected_code:
        bad = True
        print(f"exit code {code}, expected {expected_code}")
    if bad:
        print(f"ACT_UPDATE=1 {sys.executable} {' '.join(sys.argv)}   # accepts what came out")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
