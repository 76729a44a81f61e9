#!/usr/bin/env python3
"""Which file may include which: reads every #include of compiler/, grammar/ and runtime/ and refuses what looks upward.

    layers.py ROOT

The floors and their order are ACT_FLOORS in ROOT/CMakeLists.txt, lowest first. A file of a floor includes its own and lower
floors. `check` and `pass` stand side by side: neither includes the other. The compiler knows the runtime by act/abi.h alone, the
runtime nothing of the compiler, and <llvm-c/...> stays in compiler/llvm. Exit 1 and a line `file:line: why` for each violation.
"""
import pathlib
import re
import sys

SIBLINGS = [{"check", "pass"}]
# `actc run` is the training program with the model linked into the same process: the top floor alone calls the public API.
RUNTIME_HEADERS = {"driver": {"act/abi.h", "act/act.h"}}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def floors(root):
    """ACT_FLOORS of the root's CMakeLists.txt, lowest first."""
    found = re.search(r"set\(ACT_FLOORS\s+([^)]+)\)", (root / "CMakeLists.txt").read_text())
    if not found:
        sys.exit(f"{root / 'CMakeLists.txt'}: no set(ACT_FLOORS …)")
    return found.group(1).split()


def includes(path):
    """(line, '<' or '"', name) of every #include outside block comments."""
    comment = False
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        start = comment
        rest = line
        while rest:
            end = "*/" if comment else "/*"
            before, mark, rest = rest.partition(end)
            comment ^= bool(mark)
        match = None if start else INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def compiler_violation(order, floor, mark, name):
    """Why a file of `floor` must not include `name`; None when it may."""
    if name.startswith("llvm-c/") or name.startswith("llvm/Config"):
        return None if floor == "llvm" else "only compiler/llvm includes LLVM"
    if mark == "<":
        return None
    if name.startswith("act/"):
        allowed = RUNTIME_HEADERS.get(floor, {"act/abi.h"})
        return None if name in allowed else f"the compiler knows the runtime only through {', '.join(sorted(allowed))}"
    first, slash, _ = name.partition("/")
    if not slash:
        return None  # beside the file, or written by the build
    if first not in order:
        return f"`{first}` is no floor"
    if {floor, first} in SIBLINGS:
        return f"`{floor}` and `{first}` stand side by side"
    if order.index(first) > order.index(floor):
        return f"`{first}` is above `{floor}`"
    return None


def runtime_violation(root, path, order, name):
    first = name.partition("/")[0]
    if path.parent == root / "runtime/page" and not (path.parent / name).is_file():
        return "pages know nothing of the runtime"
    for folder in (path.parent, root / "runtime", root / "runtime/include"):
        if (folder / name).is_file():
            return None
    if first in order or first == "compiler" or (root / "compiler" / name).is_file():
        return "the runtime includes nothing of the compiler"
    return None


def sources(folder, endings):
    return sorted(p for p in folder.rglob("*") if p.suffix in endings and p.is_file())


def check(root):
    """All violations as (path, line, name, why), and how many files were read."""
    order = floors(root)
    bad = []
    files = [(p, p.relative_to(root / "compiler").parts[0]) for p in sources(root / "compiler", {".c", ".h", ".inc"})]
    files += [(p, "syntax") for p in sources(root / "grammar", {".l", ".y"})]
    for path, floor in files:
        if floor not in order:
            bad.append((path, 1, str(path), f"`{floor}` is no floor"))
            continue
        for line, mark, name in includes(path):
            why = "an include names its floor, not a way through folders" if ".." in name.split("/") else None
            why = why or compiler_violation(order, floor, mark, name)
            if why:
                bad.append((path, line, name, why))
    runtime = sources(root / "runtime", {".c", ".h"})
    for path in runtime:
        for line, mark, name in includes(path):
            why = "an include names its folder, not a way through folders" if ".." in name.split("/") else None
            why = why or (runtime_violation(root, path, order, name) if mark == '"' else None)
            if not why and name.startswith("llvm-c/"):
                why = "only compiler/llvm includes LLVM"
            if why:
                bad.append((path, line, name, why))
    return bad, len(files) + len(runtime)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    bad, read = check(root)
    for path, line, name, why in bad:
        print(f"{path.relative_to(root)}:{line}: {name}: {why}")
    if read == 0:
        sys.exit(f"{root}: no source was found")
    print(f"{read} files, {len(bad)} upward includes")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
