#!/usr/bin/env python3
"""signals.py --actc build/release/bin/actc: trainings that are asked to stop."""
import argparse
import pathlib
import signal
import subprocess

from training import Training, scratch


def stopped(words, folder, number):
    """Starts a training, and once its first epoch is there sends the signal. Returns the command it tells."""
    run = subprocess.Popen(words, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in run.stdout:
        if line.startswith("epoch"):
            run.send_signal(number)
            break
    rest, said = run.communicate()
    assert run.returncode == 128 + number, (run.returncode, said)
    assert said.startswith("note: interrupted after step ") and ". It goes on with\n    " in said, said
    return said.rstrip("\n").rsplit("\n    ", 1)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actc", required=True, type=pathlib.Path)
    actc = parser.parse_args().actc.resolve()
    with scratch("signals") as name:
        t = Training(actc, pathlib.Path(name) / "a folder", "adversarial")
        t.run("plain", "--epochs", 300)
        wanted = t.weights("plain")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for start in (["./adversarial", "train"], [str(actc), "run", "adversarial.act", "--"]):
                out = t.fresh("out it goes")
                line = stopped(start + ["--epochs", "300", "--out", out.name, "--threads", "2"], t.folder, number)
                assert not t.leftovers(out) and len(t.checkpoints(out)) == 1
                subprocess.run(["sh", "-c", line], cwd=t.folder, check=True, stdout=subprocess.DEVNULL)
                t.same(out, wanted, line)
        # a second signal does not wait for anything
        out = t.fresh("out it goes")
        run = subprocess.Popen(t.command(out, "--epochs", 1000000), cwd=t.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in run.stdout:
            if line.startswith("epoch"):
                break
        run.send_signal(signal.SIGINT)
        run.send_signal(signal.SIGTERM)
        run.communicate()
        assert run.returncode in (-signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGINT), run.returncode
        # a reader of the log that goes away is a signal, too
        out = t.fresh("out it goes")
        run = subprocess.run(["sh", "-c", f"{{ ./adversarial train --epochs 1000000 --out '{out.name}'; echo $? >&2; }} | head -3"], cwd=t.folder,
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert run.stderr.endswith(f"{128 + signal.SIGPIPE}\n") and len(t.checkpoints(out)) == 1, run.stderr


if __name__ == "__main__":
    main()
