#!/usr/bin/env python3
"""Every fix that actc offers, applied.

    fixes.py ACTC GOLDENS...       the fixes in these files, and in the wrong example of every rule

A fix alone: its finding is gone, no error or warning of another rule has come but for leftovers, and the file compiles when
nothing else is wrong with it. All together, by --fix and then by --unsafe-fixes: nothing fixable is left, nothing has come, a second --fix changes nothing, and
`--diff` is a patch that leads to the same text.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tools"))
import golden  # noqa: E402
import pages  # noqa: E402

ACTC = None
SERIOUS = ("error", "warning")
# A definition or a value that only the old text used: a further finding, with a safe fix of its own.
LEFTOVERS = ("ACT1201", "ACT1203")


def actc(folder, *args):
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "CLICOLOR_FORCE")}
    return subprocess.run([ACTC, *args], cwd=folder, env=env, capture_output=True, text=True, timeout=100)


class Case:
    """One file in a folder of its own, with the flags it is checked with."""

    def __init__(self, name, text, flags=(), others=()):
        self.name, self.text, self.flags, self.others = name, text, list(flags), others

    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="fixes")
        for other in self.others:
            shutil.copy(other, folder.name)
        return folder

    def check(self, folder, text):
        path = pathlib.Path(folder, "m.act")
        path.write_text(text)
        done = actc(folder, "check", "--error-format=json", "--notes", *self.flags, "m.act")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def refused(self, folder, text, found):
        """What the compiler says against a text in which nothing is wrong (any more); empty for nothing."""
        if counts(found, ("error",)) or not re.search(r"^model ", text, re.M):
            return ""
        pathlib.Path(folder, "m.act").write_text(text)
        done = actc(folder, "m.act", "-O0", "-o", "m.o", *self.flags)
        return done.stderr if done.returncode else ""


def counts(found, levels=SERIOUS):
    return collections.Counter(f["code"] for f in found if f["level"] in levels)


def apply_edits(text, edits):
    """The text after the edits of one finding; they lie in the file itself."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    place = lambda line, column: starts[line - 1] + column - 1
    spans = [(place(e["line"], e["column"]), place(e["end_line"], e["end_column"]), i, e["text"])
             for i, e in enumerate(edits)]
    for begin, end, _, new in sorted(spans, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def came(before, after):
    """Codes that are there more often than before."""
    leftover = lambda f: f["code"] in LEFTOVERS and f.get("fix", {}).get("applicability") == "safe"
    return sorted((counts(f for f in after if not leftover(f)) - counts(before)).elements())


def is_hard(finding):
    return finding["level"] == "error" and finding["code"] in HARD


def single(case, folder, found, finding):
    """What is wrong with this one fix; None for nothing."""
    if any("file" in e for e in finding["fix"]["edits"]):
        return None  # in an import: --fix is tested with it below
    text = apply_edits(case.text, finding["fix"]["edits"])
    if text == case.text:
        return "changes nothing"
    after = case.check(folder, text)
    same = lambda findings: sum((f["code"], f["message"]) == (finding["code"], finding["message"]) for f in findings)
    if same(after) >= same(found):
        return f"leaves its finding in\n{text}"
    if not any(is_hard(f) for f in found) and came(found, after):
        # behind a hard error nothing was looked at, so anything may come
        return f"leads to {came(found, after)} in\n{text}"
    why = case.refused(folder, text, after)
    return f"leads to a file that does not compile:\n{text}\n{why}" if why else None


def together(case, folder, found, flag):
    """--fix or --unsafe-fixes on the file as it stands."""
    path = pathlib.Path(folder, "m.act")
    path.write_text(case.text)
    shown = ["--notes", "--error-format=short", *case.flags]
    before = {p.name: p.read_text() for p in pathlib.Path(folder).glob("*.act")}
    patch = actc(folder, "check", "--diff", *([flag] if flag != "--fix" else []), *shown, "m.act").stdout
    if {p.name: p.read_text() for p in pathlib.Path(folder).glob("*.act")} != before:
        return "--diff changed a file"
    done = actc(folder, "check", flag, *shown, "m.act")
    if done.returncode > 1 or "taken back" in done.stderr:
        return f"{flag} says\n{done.stderr}"
    fixed = {p.name: p.read_text() for p in pathlib.Path(folder).glob("*.act")}
    for name, text in before.items():
        pathlib.Path(folder, name).write_text(text)
    if patch:
        patched = subprocess.run(["patch", "-s", "-p0"], cwd=folder, input=patch, capture_output=True, text=True)
        if patched.returncode:
            return f"patch refuses\n{patch}\n{patched.stdout}"
    if {p.name: p.read_text() for p in pathlib.Path(folder).glob("*.act")} != fixed:
        return f"--diff and {flag} disagree:\n{patch}"
    text = fixed["m.act"]
    after = case.check(folder, text)
    if len(found) == 1 and found[0]["code"] in counts(after, SERIOUS + ("note",)):
        return f"{flag} leaves the finding in\n{text}"
    kinds = ("safe",) if flag == "--fix" else ("safe", "unsafe")
    left = [f["code"] for f in after if f.get("fix", {}).get("applicability") in kinds]
    if left:
        return f"{flag} leaves {left} in\n{text}"
    if not any(is_hard(f) for f in found) and came(found, after):
        return f"{flag} leads to {came(found, after)} in\n{text}"
    actc(folder, "check", flag, *shown, "m.act")
    if path.read_text() != text:
        return f"a second {flag} changes\n{text}\nto\n{path.read_text()}"
    why = case.refused(folder, text, after)
    return f"{flag} leads to a file that does not compile:\n{text}\n{why}" if why else None


def test(case):
    """How many fixes there were, and what is wrong with them."""
    bad = []
    with case.folder() as folder:
        found = case.check(folder, case.text)
        fixes = [f for f in found if f.get("fix")]
        for finding in fixes if len(fixes) > 1 else ():
            why = single(case, folder, found, finding)
            if why:
                bad.append(f"{case.name}: the {finding['fix']['applicability']} fix for {finding['code']} "
                           f"{finding['name']} {why}")
        kinds = {f["fix"]["applicability"] for f in fixes}
        for flag in ["--fix"] * ("safe" in kinds) + ["--unsafe-fixes"] * ("unsafe" in kinds):
            why = together(case, folder, found, flag)
            if why:
                bad.append(f"{case.name}: {why}")
    return len(fixes), bad


def golden_case(path):
    """Checked with the levels its first `# run:` line gives. None when it is no file to check."""
    text, _ = golden.split(path.read_text())
    runs = [run for run in golden.words(text, "run") if run.startswith("actc check ")]
    if not runs:
        return None
    words = shlex.split(runs[0])
    flags = []
    for i, word in enumerate(words):
        if re.fullmatch(r"-[WAD]", word) and i + 1 < len(words):
            flags += [word, words[i + 1]]
        elif re.match(r"-[WAD].", word) and word != "-Werror":
            flags.append(word)
        elif word == "--set" and i + 1 < len(words):
            flags += [word, words[i + 1]]
    text = "".join(line for line in text.splitlines(keepends=True) if not re.match(r"# (run|exit|hide|with):", line))
    return Case(path.name, text, flags, [path.parent / other for other in golden.words(path.read_text(), "with")])


def rule_cases():
    for rule in pages.rules(ACTC):
        text = pages.example(pages.page(ACTC, rule["code"]), "Wrong")
        yield Case(f"{rule['code']}'s wrong example", text, pages.flags(rule))


def hard_codes(cases):
    """Codes that no flag moves: found by asking for a level."""
    codes = set()
    for case in cases:
        with case.folder() as folder:
            codes |= {f["code"] for f in case.check(folder, case.text)}
    return {code for code in codes if "is a hard error" in actc(".", "check", "-A", code, "/dev/null").stderr}


def main():
    global ACTC, HARD
    ACTC = pathlib.Path(sys.argv[1]).resolve()
    cases = [c for c in (golden_case(pathlib.Path(name)) for name in sys.argv[2:]) if c]
    cases += rule_cases()
    HARD = hard_codes(cases)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(test, cases))
    fixes, bad = sum(n for n, _ in results), [line for _, lines in results for line in lines]
    print("\n".join(bad))
    print(f"{fixes} fixes in {len(cases)} files, {len(bad)} bad")
    if fixes < 40:
        print("fixes: there should be more than that")
    return 1 if bad or fixes < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
