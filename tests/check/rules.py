#!/usr/bin/env python3
"""What every rule must have, beside what tests/unit/check asks of its record.

    rules.py ACTC tests/golden/check

A golden file in which it fires; a near miss, a file NAME*_near.act in which it stays silent although it nearly fires; a page that
`actc explain` shows by code and by name, with a wrong example that `actc check` answers with this rule and nothing else, and a right
one that it has nothing to say about. A new rule without these fails here.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import golden  # noqa: E402
import pages  # noqa: E402

ACTC = pathlib.Path(sys.argv[1]).resolve()
GOLDENS = sorted(pathlib.Path(sys.argv[2]).glob("*.act"))


def actc(*args, **kwargs):
    return subprocess.run([ACTC, *args], capture_output=True, text=True, timeout=60, **kwargs)


def codes(text, flags):
    """Codes of what is said."""
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
    page = pages.page(ACTC, code)
    if not page or page != pages.page(ACTC, name):
        yield "no page, or another one under its name"
        return
    wrong, right = pages.example(page, "Wrong"), pages.example(page, "Right")
    if not wrong or not right:
        yield "no wrong and right example on its page"
        return
    flags = pages.flags(rule)
    if codes(wrong, flags) != [code]:
        yield f"the wrong example earns {codes(wrong, flags) or 'nothing'}"
    if codes(right, flags):
        yield f"the right example earns {codes(right, flags)}"


def main():
    outputs = {path: "".join(golden.split(path.read_text())[1].values()) for path in GOLDENS}
    rules = pages.rules(ACTC)
    bad = [f"{rule['code']} {rule['name']}: {what}" for rule in rules for what in missing(rule, outputs)]
    print("\n".join(bad))
    print(f"{len(rules)} rules, {len(bad)} things missing")
    return 1 if bad or len(rules) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
