#!/usr/bin/env python3
"""Every call that writes a checkpoint or weights goes wrong once, in every way; then the training goes on, and ends in the same bytes.

    faults.py --actc build/release/bin/actc --fault build/release/tests/libact_fault.so [--model normed]
"""
import argparse
import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e" / "resume"))
from training import Training, scratch  # noqa: E402

KILLS = ("kill", "after", "half")
HARMLESS = ("short", "intr")
ERRORS = {"EIO": "Input/output error", "ENOSPC": "No space left on device", "EACCES": "Permission denied", "ENOSPC+": "No space left on device"}
WORDS = ("--epochs", 2, "--checkpoint", "4steps", "--keep", 2, "--threads", 1)


class Faults:
    def __init__(self, actc, fault, folder, model):
        self.t, self.fault = Training(actc, folder, model), str(fault)
        self.t.run(self.t.fresh("plain"), *WORDS[:2])
        self.wanted = self.t.weights("plain")
        self.log = self.t.folder / "calls"

    def spoiled(self, call, how, code):
        self.log.unlink(missing_ok=True)
        env = dict(os.environ, LD_PRELOAD=self.fault, ACT_FAULT=f"{call}:{how}", ACT_FAULT_LOG=str(self.log))
        return self.t.run(self.t.fresh("out"), *WORDS, code=code, env=env)

    def go_on(self, what):
        """What is left must be good, all of it, and go on to the same end."""
        for path in self.t.checkpoints("out"):
            self.t.run(self.t.fresh("try"), "--resume", path)
            self.t.same("try", self.wanted, f"{what}, from {path.name}")
        said = self.t.run("out", *WORDS[2:], "--resume") if self.t.checkpoints("out") else self.t.run("out", *WORDS)
        if "warning" in said:
            sys.exit(f"{what}: a file is not good: {said}")
        self.t.same("out", self.wanted, what)
        if self.t.leftovers("out"):
            sys.exit(f"{what}: {self.t.leftovers('out')} is left")

    def error(self, k, call, how):
        what = f"call {k} ({call}) gets {how}"
        said = self.spoiled(k, how, None)
        told = re.findall(r"(?:warning|error): `?.*", said)
        silent = call.startswith("unlink") or call == "close folder" or (call.startswith("open") and ".part" not in call)
        if not told and not silent:
            sys.exit(f"{what}: nobody says so: {said}")
        for line in told:
            if ".safetensors" not in line or ERRORS[how] not in line:
                sys.exit(f"{what}: without a file or a reason: {line}")
        if len(told) > 2:
            sys.exit(f"{what}: said {len(told)} times: {told}")
        self.go_on(what)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True, type=pathlib.Path)
    parser.add_argument("--fault", required=True, type=pathlib.Path)
    parser.add_argument("--model", default="normed")
    given = parser.parse_args()
    with scratch("faults") as folder:
        faults = Faults(given.actc.resolve(), given.fault.resolve(), pathlib.Path(folder), given.model)
        faults.spoiled(0, "none", 0)
        calls = [line.split(" ", 1)[1] for line in faults.log.read_text().splitlines()]
        runs = 0
        for k, call in enumerate(calls, 1):
            for how in KILLS + HARMLESS:
                if how in ("half", "short", "intr") and "write" not in call:
                    continue
                faults.spoiled(k, how, -9 if how in KILLS else 0)
                faults.go_on(f"call {k} ({call}), {how}")
                runs += 1
            for how in ERRORS:
                if how == "EACCES" and not call.startswith(("open", "rename")):
                    continue
                if how == "ENOSPC+" and not call.startswith(("open", "write", "pwrite")):
                    continue
                faults.error(k, call, how)
                runs += 1
        print(f"{len(calls)} calls, {runs} faults: {', '.join(sorted({c.split()[0] for c in calls}))}")


if __name__ == "__main__":
    main()
