#!/usr/bin/env python3
"""Finds stack accesses and calls inside the hot loops of compiled models.

A hot loop is an innermost loop with vector arithmetic; one that calls a register tile is around the tile's. In a register tile with
another's body (its function bears the kernel's name) every loop is hot, also those around others. A register allocator that does not find
enough registers there spills: it stores a value to a slot of the stack and loads it again, in every turn. A call there means that
something was not expanded in line. Either costs more than any choice of tile gains, and neither shows in results.

    hot_loops.py --actc BIN [--cpu NAME]… FILES…     compiles each file for each processor and looks
    hot_loops.py --object FILES…                     looks at objects that are there

With sixteen registers the constants of a polynomial and its values do not always fit, and a constant in a slot costs what it costs in
the constant pool. `--one-in N` lets one stack access in N instructions pass, but never in a register tile, never a call.

`--known FILE` names loops that are known to spill and wait to be mended, a line for each function: processor, file, program and layers (without the
kernel's number), the number of stack accesses. One access more is a fault, and so are one function more and a line that none needs any more.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*$")
START = re.compile(r"^[0-9a-f]+ <(.+)>:$")
PREFIX = re.compile(r"^(?:(?:lock|rep\w*|data16|cs|ds|es|notrack|bnd|\{evex\}|\{vex\})\s+)+")
# Arithmetic on several floats at once; a move, a comparison or a shuffle alone does not make a loop hot.
ARITHMETIC = re.compile(r"^v?(?:f(?:n?m(?:add|sub)\w*)|add|sub|mul|div|max|min|sqrt)p[sd]$|^vfn?m(?:add|sub)\d*p[sd]$")
# A slot: the stack or frame pointer with a constant and no index. What is indexed is an array that lies on the stack.
SLOT = re.compile(r"(?:-?0x[0-9a-f]+)?\(%(rsp|rbp)\)")
OVERLAPPED = re.compile(r"act\.tile\.\d+x\d+\.\D")


TILE = "act.tile"  # how the functions of register tiles are called


@dataclass
class Instruction:
    address: int
    name: str
    operands: str

    @property
    def target(self):
        """Where a jump inside the function goes; None for others."""
        if not self.name.startswith("j"):
            return None
        found = re.match(r"^([0-9a-f]+)\b", self.operands)
        return int(found[1], 16) if found else None

    @property
    def falls_through(self):
        return self.name not in ("jmp", "ret", "ud2", "hlt")

    def __str__(self):
        return f"{self.name} {self.operands}".strip()


@dataclass
class Function:
    name: str
    code: list = field(default_factory=list)

    @property
    def framed(self):
        """Does %rbp point at the frame? Where no frame is set up it is a register like any other."""
        return any(i.name.startswith("mov") and i.operands.replace(" ", "") == "%rsp,%rbp" for i in self.code)


def disassemble(path):
    """The functions of an object, as objdump of binutils prints them."""
    run = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True)
    functions = []
    for text in run.stdout.splitlines():
        if start := START.match(text):
            functions.append(Function(start[1]))
        elif (line := LINE.match(text)) and functions:
            name, _, operands = PREFIX.sub("", line[2]).partition(" ")
            functions[-1].code.append(Instruction(int(line[1], 16), name, operands.strip()))
    return functions


def blocks_of(function):
    """Basic blocks as lists of instructions, and for each the numbers of its successors."""
    code = function.code
    inside = {i.address for i in code}
    leaders = {code[0].address} if code else set()
    for here, after in zip(code, code[1:] + [None]):
        if here.target is not None or not here.falls_through:
            leaders.update({here.target} & inside)
            leaders.update({after.address} if after else ())
    blocks, number = [], {}
    for i in code:
        if i.address in leaders:
            number[i.address] = len(blocks)
            blocks.append([])
        blocks[-1].append(i)
    successors = []
    for at, block in enumerate(blocks):
        last = block[-1]
        after = [number[last.target]] if last.target in number else []
        if last.falls_through and at + 1 < len(blocks):
            after.append(at + 1)
        successors.append(after)
    return blocks, successors


def cycles(nodes, successors):
    """Strongly connected sets of more than one node, or of one that follows itself."""
    index, low, on, stack, found = {}, {}, set(), [], []
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        work = [(root, iter(successors[root]))]
        while work:
            node, rest = work[-1]
            for after in rest:
                if after not in nodes:
                    continue
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on.add(after)
                    work.append((after, iter(successors[after])))
                    break
                if after in on:
                    low[node] = min(low[node], index[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members = set()
                    while not members or last != node:
                        last = stack.pop()
                        on.discard(last)
                        members.add(last)
                    if len(members) > 1 or node in successors[node]:
                        found.append(members)
    return found


def innermost_loops(successors):
    """Loops that hold no other: a cycle without its entries is free of cycles."""
    found, rest = [], cycles(set(range(len(successors))), successors)
    while rest:
        loop = rest.pop()
        entries = {b for a, after in enumerate(successors) if a not in loop for b in after if b in loop} or {min(loop)}
        inner = cycles(loop - entries, successors)
        rest += inner
        if not inner:
            found.append(sorted(loop))
    return found


def hot_loops(function):
    blocks, successors = blocks_of(function)
    tile = OVERLAPPED.match(function.name)
    for loop in cycles(set(range(len(successors))), successors) if tile else innermost_loops(successors):
        code = [i for b in loop for i in blocks[b]]
        around = any(i.name.startswith("call") and f"<{TILE}." in i.operands for i in code)
        if not around and any(ARITHMETIC.match(i.name) and "%" in i.operands for i in code):
            yield code


def faults(function, code):
    """Instructions that a hot loop must not have, and why."""
    for i in code:
        slot = SLOT.search(i.operands)
        if i.name.startswith("call"):
            yield i, "a call"
        elif i.name in ("push", "pop"):
            yield i, "a stack access"
        elif slot and (slot[1] == "rsp" or function.framed) and not i.name.startswith(("lea", "nop")):
            yield i, "a stack access"


def stable(function):
    """Layer and kind without the number, which changes when a kernel in front vanishes: b8.train_step.k245_linear is b8.train_step.linear."""
    return re.sub(r"\.k\d+_?", ".", function).rstrip(".")


def read_known(path):
    """{"b8.act haswell: b8.train_step.linear": [4, 2], …}: stack accesses of as many functions, the most first."""
    known = {}
    for line in open(path, encoding="utf-8") if path else ():
        words = line.partition("#")[0].split()
        if words:
            cpu, file, function, accesses = words
            known.setdefault(f"{file} {cpu}: {function}", []).append(int(accesses))
    return {name: sorted(accesses, reverse=True) for name, accesses in known.items()}


def look(path, label, one_in):
    """All hot loops of the object: how many there are, and faults as {stable name: [(may be known, stack accesses, sentence) of a function]}."""
    loops, found = 0, {}
    for function in disassemble(path):
        worst = None
        for code in hot_loops(function):
            loops += 1
            wrong = list(faults(function, code))
            calls = any(i.name.startswith("call") for i, _ in wrong)
            tile = function.name.startswith(TILE)
            few = one_in and len(wrong) * one_in <= len(code) and not tile
            if wrong and (calls or not few):
                first, why = wrong[0]
                worst = max(worst or (False,) * 2, (calls or tile, len(wrong),
                            f"{label}: {function.name}: loop of {len(code)} instructions at {code[0].address:#x}: "
                            f"{len(wrong)} times {why}, first `{first}`"))
        if worst:
            found.setdefault(f"{label}: {stable(function.name)}", []).append(worst)
    return loops, found


def judge(found, known, left):
    """Prints faults that are not known; how many. What is known and met is taken out of `left`."""
    bad = 0
    for name, functions in found.items():
        allowed = list(known.get(name, ()))
        for never, accesses, sentence in sorted(functions, reverse=True):
            if not never and allowed and accesses <= allowed[0]:
                left[name].remove(allowed.pop(0))
            else:
                bad += 1
                print(sentence)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actc", help="the compiler")
    parser.add_argument("--cpu", action="append", help="processor to compile for; may be given several times")
    parser.add_argument("--object", action="store_true", help="FILES are objects")
    parser.add_argument("--one-in", type=int, default=0, metavar="N", help="let one stack access in N instructions pass outside tiles")
    parser.add_argument("--known", metavar="FILE", help="loops that are known to spill")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    loops = bad = 0
    known = read_known(args.known)
    left = {name: list(accesses) for name, accesses in known.items()}
    with tempfile.TemporaryDirectory() as folder:
        for path in args.files:
            name = os.path.basename(path)
            if args.object:
                jobs = [(path, name)]
            else:
                jobs = []
                for cpu in args.cpu or ["x86-64-v4"]:
                    out = os.path.join(folder, f"{name}.{cpu}.o")
                    subprocess.run([args.actc, path, "-o", out, "--target", "x86_64-linux-gnu", "--cpu", cpu], check=True)
                    jobs.append((out, f"{name} {cpu}"))
            for out, label in jobs:
                more, found = look(out, label, args.one_in)
                loops += more
                bad += judge(found, known, left)
    for name, accesses in left.items():
        if accesses and any(f" {cpu}: " in name for cpu in args.cpu or ()):
            print(f"{name} is listed in {args.known} {len(accesses)} times more often than it spills")
            bad += 1
    out = sum(map(len, known.values())) - sum(map(len, left.values()))
    print(f"{loops} hot loops, {bad} with stack accesses or calls, {out} known functions left out")
    return 1 if bad or loops == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
