#!/usr/bin/env python3
"""Trainings that are stopped and go on end in the bytes of trainings that were not.

    resume.py --actc build/release/bin/actc steps            # from a checkpoint of any step, with 1 and 2 threads
    resume.py --actc build/release/bin/actc kills --kills 200
"""
import argparse
import json
import pathlib
import random
import struct
import subprocess

from training import MODELS, Training, scratch


def names(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__")
    return {name: data[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]] for name, entry in header.items()}


def steps(actc, folder, most):
    for name in MODELS:
        t = Training(actc, folder / name, name)
        t.run(t.fresh("plain"), "--threads", 1, "--checkpoint", "never")
        wanted = t.weights("plain")
        assert not t.checkpoints("plain") and not t.leftovers("plain")
        t.run(t.fresh("all"), "--threads", 2, "--checkpoint", "1step", "--keep", 10000)
        t.same("all", wanted, "with checkpoints after every step")
        files = t.checkpoints("all")
        held = names(t.folder / "plain" / f"{name}.safetensors")
        assert set(held) < set(names(files[-1])), "a checkpoint holds the weights under their names, and more"
        for k, path in enumerate(files[::max(1, len(files) // most)] + files[-2:]):
            t.run(t.fresh("on"), "--threads", 1 + k % 2, "--resume", path)
            t.same("on", wanted, f"from {path.name}")
        print(f"{name}: {len(files)} steps")


def kills(actc, folder, n, seed):
    draw = random.Random(seed)
    done = completed = 0
    for name in MODELS:
        t = Training(actc, folder / name, name)
        t.run(t.fresh("plain"), "--epochs", 12)
        wanted, share = t.weights("plain"), (n + len(MODELS) - 1) // len(MODELS)
        out, killed, longest = t.fresh("killed"), 0, 0.05
        while killed < share:
            words = ["--resume"] if t.checkpoints(out) else ["--epochs", 12]
            words += ["--threads", draw.choice((1, 2)), "--checkpoint", draw.choice(("1step", "3steps", "1epoch"))]
            running = subprocess.Popen(t.command(out, *words), cwd=t.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            try:
                _, said = running.communicate(timeout=draw.uniform(0, longest))
            except subprocess.TimeoutExpired:
                running.kill()
                running.communicate()
                killed += 1
                continue
            if running.returncode != 0:
                raise SystemExit(f"{name}: {' '.join(map(str, words))} ends with {running.returncode}: {said.decode()}")
            t.same("killed", wanted, f"after {killed} kills")
            if t.leftovers(out):
                raise SystemExit(f"{name}: {t.leftovers(out)} is left")
            completed += 1
            t.fresh("killed")
        t.run(out, "--resume") if t.checkpoints(out) else t.run(out, "--epochs", 12)
        t.same("killed", wanted, f"after {killed} kills")
        assert not t.leftovers(out)
        completed += 1
        done += killed
    print(f"{done} kills, {completed} trainings, all the same bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True, type=pathlib.Path)
    parser.add_argument("what", choices=("steps", "kills"))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=12, help="checkpoints tried for each model")
    given = parser.parse_args()
    with scratch("resume") as name:
        if given.what == "steps":
            steps(given.actc.resolve(), pathlib.Path(name), given.most)
        else:
            kills(given.actc.resolve(), pathlib.Path(name), given.kills, given.seed)


if __name__ == "__main__":
    main()
