#!/usr/bin/env python3
"""What every rule must have, beside what tests/unit/check asks of its record.

    rules.py ACTC tests/golden/check

A golden file in which it fires; a near miss, a file NAME*_near.act in which it stays silent although it nearly fires, and which
says so in a comment or by its name; a page that `actc explain` shows by code and by name, with a wrong example that
`actc check` answers with this rule and nothing else, and a right one that it has nothing to say about. A new rule without these
fails here.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import golden  # noqa: E402

ACTC = pathlib.Path(sys.argv[1]).resolve()
GOLDENS = sorted(pathlib.Path(sys.argv[2]).glob("*.act"))


def actc(*args, **kwargs):
    return subprocess.run([ACTC, *args], capture_output=True, text=True, timeout=60, **kwargs)


def example(page, title, end):
    """The code under a title, without its four spaces."""
    found = re.search(rf"^{title}:\n\n((?:    .*\n|\n)+?)\n*^{end}", page, re.M)
    return re.sub(r"^    ", "", found.group(1), flags=re.M) if found else None


def codes(text, flags):
    """Codes of the errors and warnings, and of the notes when a rule is only ever one."""
    with tempfile.TemporaryDirectory(prefix="rules") as folder:
        pathlib.Path(folder, "m.act").write_text(text)
        done = actc("check", "--error-format=json", *flags, "m.act", cwd=folder)
    return [json.loads(line)["code"] for line in done.stdout.splitlines()]


def missing(rule, outputs):
    """What is missing of one rule."""
    code, name = rule["code"], rule["name"]
    fires = [p.name for p, out in outputs.items() if f"[{code}]" in out or f'"{code}"' in out]
    near = [p.name for p in outputs if p.name.startswith(name) and "_near" in p.stem]
    if not [f for f in fires if f not in near]:
        yield "no golden file in which it fires"
    if not near:
        yield f"no near miss {name}_near.act"
    for file in near:
        if file in fires:
            yield f"fires in its near miss {file}"
    page = actc("explain", code).stdout
    if not page or page != actc("explain", name).stdout:
        yield "no page, or another one under its name"
        return
    wrong, right = example(page, "Wrong", "Right:"), example(page, "Right", r"\S")
    if not wrong or not right:
        yield "no wrong and right example on its page"
        return
    flags = {"allowed": ["-W", code], "note": ["--notes"]}.get(rule["level"], [])
    if codes(wrong, flags) != [code]:
        yield f"the wrong example earns {codes(wrong, flags) or 'nothing'}"
    if codes(right, flags):
        yield f"the right example earns {codes(right, flags)}"


def main():
    outputs = {path: "".join(golden.split(path.read_text())[1].values()) for path in GOLDENS}
    rules = [json.loads(line) for line in actc("list", "rules", "--format=json").stdout.splitlines()]
    bad = [f"{rule['code']} {rule['name']}: {what}" for rule in rules for what in missing(rule, outputs)]
    print("\n".join(bad))
    print(f"{len(rules)} rules, {len(bad)} things missing")
    return 1 if bad or len(rules) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
