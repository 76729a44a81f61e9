#!/usr/bin/env python3
"""Sweeps that end well, that have runs which fail, that are stopped and go on.

    sweep.py --actc build/release/bin/actc
"""
import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent.parent / "examples" / "data"


def fail(why, said=""):
    sys.exit(f"{why}\n{said}")


class Sweeps:
    def __init__(self, actc, folder):
        self.actc, self.folder = str(actc), folder
        shutil.copy(HERE / "flowers.act", folder)
        for name in ("iris-train.csv", "iris-test.csv"):
            shutil.copy(DATA / name, folder)

    def run(self, *words, code=0):
        done = subprocess.run([self.actc, "sweep", "flowers.act", *words], cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != code:
            fail(f"{words} ends with {done.returncode}, not {code}", done.stdout)
        return done.stdout

    def all_and_some_that_fail(self):
        said = self.run("--set", "lr=1e-1,1e-3,1e30", "--set", "hidden=relu,leaky_relu(0.1)", "--jobs", "2", code=1)
        table = [line.split()[0] for line in said.splitlines() if line.startswith("  lr=")]
        losses = [float(line.split()[3]) for line in said.splitlines() if line.startswith("  lr=")]
        if len(table) != 4 or losses != sorted(losses) or not table[0].startswith("lr=1e-1") or "validation loss" not in said:
            fail("the table is not what it should be", said)
        if said.count("failed: lr=1e30,hidden=") != 2 or f"best: --set lr=1e-1 --set hidden={table[0].split('=')[2]}" not in said:
            fail("failures or the best are not told", said)
        one = self.folder / "flowers.sweep" / "lr=1e-1,hidden=leaky_relu(0.1)"
        if sorted(p.name for p in one.iterdir()) != ["done.txt", "flowers.safetensors", "output.txt", "run.jsonl"]:
            fail("a run's folder holds something else", "\n".join(p.name for p in one.iterdir()))
        before = (one / "run.jsonl").stat().st_mtime_ns
        again = self.run("--set", "lr=1e-1,1e-3", "--set", "hidden=relu,leaky_relu(0.1)", "--resume")
        if "4 of them are done already" not in again or (one / "run.jsonl").stat().st_mtime_ns != before:
            fail("what is done is done again", again)

    def stopped(self, *words):
        """Stopped once the second run is at work; its output is read on the way."""
        said = self.folder / "s" / "lr=1e-2,rounds=100000" / "output.txt"
        said.parent.mkdir(parents=True, exist_ok=True)
        said.unlink(missing_ok=True)
        os.mkfifo(said)
        seen = []
        with subprocess.Popen([self.actc, "sweep", "flowers.act", "-o", "s", "--jobs", "1", "--set", "lr=1e-2", "--set", "rounds=2,100000", *words],
                              cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            def read():
                with open(said) as lines:
                    for line in lines:
                        seen.append(line)
                        if " | validation: " in line and process.poll() is None and len([s for s in seen if " | validation" in s]) == 1:
                            process.send_signal(signal.SIGINT)
            reader = threading.Thread(target=read, daemon=True)
            reader.start()
            text = process.communicate(timeout=100)[0]
            reader.join(timeout=10)
        if process.returncode != 130 or "stopped with 1 of 2 runs done" not in text or "--resume" not in text:
            fail(f"it ends with {process.returncode}", text)
        return text, "".join(seen)

    def goes_on(self):
        text, seen = self.stopped()
        if "[2/2] lr=1e-2,rounds=100000: stopped" not in text or "interrupted after step" not in seen:
            fail("a run was not stopped as it should be", text + seen)
        text, seen = self.stopped("--resume")
        if "1 of them are done already" not in text or "goes on from `s/lr=1e-2,rounds=100000/flowers.step-" not in seen:
            fail("it does not go on", text + seen)

    def refused(self):
        for words, part in {("--set", "lrr=1"): "there is no `param` called `lrr`", ("--set", "lr=1,"): "empty value",
                            ("--set", "lr=1", "--", "eval"): "options of `train`", (): "nothing is varied",
                            ("--set", "lr=1", "--set", "lr=2"): "set twice"}.items():
            said = self.run(*words, code=2)
            if part not in said:
                fail(f"{words} is not answered with `{part}`", said)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    actc = pathlib.Path(parser.parse_args().actc).resolve()
    with tempfile.TemporaryDirectory() as folder:
        sweeps = Sweeps(actc, pathlib.Path(folder))
        sweeps.refused()
        sweeps.all_and_some_that_fail()
        sweeps.goes_on()


if __name__ == "__main__":
    main()
